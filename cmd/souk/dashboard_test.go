package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// dashboard is what of docs/deploy/grafana.json asks for figures.
type dashboard struct {
	Templating struct {
		List []struct{ Query any }
	}
	Panels []struct {
		ID      int
		Title   string
		Targets []struct{ Expr string }
	}
}

var metricName = regexp.MustCompile(`\b(?:souk|process|go)_[a-z_]+`)

// TestTheDashboardAsksForWhatSoukShows: every figure that the dashboard names is shown by a souk of two
// processes that has sold something, with the labels that it is grouped by.
func TestTheDashboardAsksForWhatSoukShows(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(deployDocs, "grafana.json"))
	require.NoError(t, err)
	var board dashboard
	require.NoError(t, json.Unmarshal(text, &board))

	s := openAs(t, mustTopology(t, "payments-out"))
	c := newGuest(t, s.url).buy(t, "sandbox_ok", seen(s.lamps.listings[0]))
	require.Equal(t, "placed", c.Status, c.Message)
	var shown strings.Builder
	for _, process := range append([]*running{s.running}, s.others...) {
		_, figures := process.get(t, "/metrics")
		shown.WriteString(figures)
	}
	asked := map[string]bool{}
	ids := map[int]bool{}
	for _, p := range board.Panels {
		assert.False(t, ids[p.ID], "two panels have the id %d", p.ID)
		ids[p.ID] = true
		for _, target := range p.Targets {
			names := metricName.FindAllString(target.Expr, -1)
			require.NotEmpty(t, names, p.Title)
			for _, name := range names {
				asked[name] = true
				assert.Regexp(t, `(?m)^`+name+`(\{| )`, shown.String(), "%s asks for what is not shown", p.Title)
			}
		}
	}
	for _, name := range []string{"souk_http_request_duration_seconds_bucket", "souk_edge_calls_total", "souk_edge_duration_seconds_bucket"} {
		assert.True(t, asked[name], "the dashboard leaves out %s", name)
	}
	for _, labels := range []string{`souk_edge_calls_total{code="ok",module="orders",to="payments"}`, `souk_events_lag{log="payments",module="orders",subscriber=`} {
		assert.Contains(t, shown.String(), labels)
	}
}
