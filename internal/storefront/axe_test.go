package storefront_test

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// axeSource is axe-core, of which souk keeps no copy: SOUK_AXE names its axe.min.js, which CI
// installs. Without it the test says so and is skipped, but not in CI.
func axeSource(t *testing.T) string {
	t.Helper()
	path := os.Getenv("SOUK_AXE")
	if path == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("CI has no axe-core: SOUK_AXE should name its axe.min.js")
		}
		t.Skip("there is no axe-core to try the pages with: npm install --prefix DIR axe-core, then SOUK_AXE=DIR/node_modules/axe-core/axe.min.js")
	}
	source, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(source)
}

// violation is a rule of WCAG that a page breaks.
type violation struct {
	ID    string `json:"id"`
	Help  string `json:"help"`
	Nodes []struct {
		HTML    string `json:"html"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

// Every rule of WCAG 2.0 to 2.2, levels A and AA; and those of them that depend on colours.
const (
	allRules    = `{type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}`
	colourRules = `{type: "rule", values: ["color-contrast", "link-in-text-block"]}`
)

// runAxe tries the page that is shown against rules.
func runAxe(ctx context.Context, t *testing.T, rules string) []violation {
	t.Helper()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](
		`axe.run(document, {resultTypes: ["violations"], runOnly: `+rules+`}).then(r => JSON.stringify(r.violations))`, chromedp.EvalAwaitPromise))
	require.NoError(t, err)
	var found []violation
	require.NoError(t, json.Unmarshal([]byte(text), &found))
	return found
}

// look sets how wide the window is and which scheme its person prefers.
func look(ctx context.Context, t *testing.T, width int64, scheme string) {
	t.Helper()
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(width, 900)))
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	})
	require.NoError(t, err)
}

// TestEveryPageIsAccessible holds every page, in each of its states, to WCAG 2 at levels A and
// AA: on a phone and a desk, light and dark.
func TestEveryPageIsAccessible(t *testing.T) {
	t.Parallel()
	axe := axeSource(t)
	ctx := browse(t)
	server := gallery(t)
	for _, name := range slices.Sorted(maps.Keys(samples())) {
		if name == "suggestions" {
			continue // a part, which has no page of its own
		}
		require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(server.URL+"/gallery/"+name)))
		_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](axe+"; true"))
		require.NoError(t, err)
		for _, width := range []int64{390, 1280} {
			for scheme, rules := range map[string]string{"light": allRules, "dark": colourRules} {
				look(ctx, t, width, scheme)
				checkAxe(ctx, t, name+" at "+strconv.FormatInt(width, 10)+" px, "+scheme, rules)
			}
		}
		if name != "home" {
			continue
		}
		typed(ctx, t, "la")
		until(ctx, t, `!document.querySelector("#suggestions").hidden`)
		require.NoError(t, chromedp.Do(ctx, chromedp.KeyEvent(kb.ArrowDown)))
		checkAxe(ctx, t, "home with suggestions, dark", allRules)
		look(ctx, t, 390, "light")
		checkAxe(ctx, t, "home with suggestions, light", allRules)
	}
}

// checkAxe fails with what the page that is shown breaks.
func checkAxe(ctx context.Context, t *testing.T, page, rules string) {
	t.Helper()
	for _, v := range runAxe(ctx, t, rules) {
		var where strings.Builder
		for _, n := range v.Nodes {
			where.WriteString("\n    " + n.HTML + "\n      " + strings.ReplaceAll(n.Summary, "\n", "\n      "))
		}
		assert.Fail(t, page+" breaks "+v.ID+": "+v.Help+where.String())
	}
}
