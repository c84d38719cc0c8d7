package main

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// spanSeen is a span as a collector gets it.
type spanSeen struct{ process, trace, id, parent, name string }

// spans takes in what every process sends by OTLP over HTTP.
type spans struct {
	mu  sync.Mutex
	all map[string]spanSeen // by id
}

func collect(t *testing.T) (to *spans, url string) {
	t.Helper()
	s := &spans{all: map[string]spanSeen{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var sent collector.ExportTraceServiceRequest
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = proto.Unmarshal(body, &sent)
		}
		if !assert.NoError(t, err) {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, of := range sent.GetResourceSpans() {
			process := ""
			for _, a := range of.GetResource().GetAttributes() {
				if a.GetKey() == "service.instance.id" {
					process = strings.TrimPrefix(a.GetValue().GetStringValue(), "souk-")
				}
			}
			for _, scope := range of.GetScopeSpans() {
				for _, span := range scope.GetSpans() {
					id := hex.EncodeToString(span.GetSpanId())
					s.all[id] = spanSeen{
						process: process, trace: hex.EncodeToString(span.GetTraceId()), id: id,
						parent: hex.EncodeToString(span.GetParentSpanId()), name: span.GetName(),
					}
				}
			}
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(server.Close)
	return s, server.URL
}

// above are a span and all above it, as "process: name", from the span up.
func (s *spans) above(one spanSeen) (line []string) {
	for ok := true; ok; one, ok = s.all[one.parent] {
		line = append(line, one.process+": "+one.name)
	}
	return line
}

// TestOneTraceShowsACheckout: from the edge of the process with the pages to every module that a checkout asks,
// each in a process of its own, and to the jobs and events that come of it.
func TestOneTraceShowsACheckout(t *testing.T) {
	t.Parallel()
	got, url := collect(t)
	s := openAs(t, mustTopology(t, "apart"), "--otlp-endpoint", url)
	buyer := s.as(s.buyer)
	c := buyer.buy(t, "sandbox_ok", seen(s.lamps.listings[0]))
	require.Equal(t, "placed", c.Status, c.Message)
	request := "orders: POST /api/v1/orders/checkouts < storefront: POST /api/v1/orders/checkouts"
	saga := "orders: job orders.checkout < " + request
	want := []string{
		request, saga,
		"cart: cart.Claim < orders: cart.Claim < " + saga,
		"catalog: catalog.Reserve < orders: catalog.Reserve < " + saga,
		"payments: payments.Authorize < orders: payments.Authorize < " + saga,
		"catalog: catalog.Confirm < orders: catalog.Confirm < " + saga,
		"catalog: catalog.GetOffers < cart: catalog.GetOffers < cart: cart.Claim < orders: cart.Claim < " + saga,
		"orders: hear payments.changed.v1 < payments: payments.Authorize < orders: payments.Authorize < " + saga,
		"orders: hear payments.changed.v1 < payments: payments.Capture < orders: payments.Capture < " + saga,
	}
	var lines []string
	until(t, "every process has sent its spans", func() bool {
		lines = got.checkout(t)
		return !slices.ContainsFunc(want, func(line string) bool { return !slices.Contains(lines, line) })
	})
	s.halt(t) // which sends what is left
	for _, line := range got.checkout(t) {
		assert.True(t, strings.HasSuffix(line, "storefront: POST /api/v1/orders/checkouts"), "%s hangs on nothing", line)
	}
}

// checkout are the spans of the one checkout, each with all above it. A buyer who was told that it is under way asks again, which
// begins nothing more: it is the trace that has the checkout's job.
func (s *spans) checkout(t *testing.T) (lines []string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	trace := ""
	for _, one := range s.all {
		if one.name == "job orders.checkout" {
			require.Contains(t, []string{"", one.trace}, trace, "one checkout was asked for")
			trace = one.trace
		}
	}
	if trace == "" {
		return nil
	}
	for _, one := range s.all {
		if one.trace == trace {
			lines = append(lines, strings.Join(s.above(one), " < "))
		}
	}
	return lines
}
