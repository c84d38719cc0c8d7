package main

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/control"
	"souk/internal/platform/errs"
	"souk/internal/platform/peer"
	"souk/internal/platform/rpc"
	"souk/internal/platform/store"
	"souk/internal/platform/telemetry"
)

// Pages of any size show every row of every log once, each log in its own order, also where times were set back.
func TestATrailOfSeveralLogsLosesNoRow(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	logs, want := map[string][]store.AuditRow{}, []string{}
	for _, module := range []string{"catalog", "orders", "payments"} {
		for id := int64(40); id > 0; id-- {
			logs[module] = append(logs[module], store.AuditRow{ID: id, At: clock.Time(random.Int64N(100)), Action: fmt.Sprint(module, " ", id)})
			want = append(want, fmt.Sprint(module, " ", id))
		}
	}
	for limit := 1; limit <= 130; limit = limit*2 + 1 {
		before, got := map[string]int64{}, []string{}
		for {
			var left []auditLog
			for module, rows := range logs {
				rows = slices.DeleteFunc(slices.Clone(rows), func(r store.AuditRow) bool { return before[module] > 0 && r.ID >= before[module] })
				left = append(left, auditLog{module: module, rows: rows[:min(limit+1, len(rows))]})
			}
			slices.SortFunc(left, func(a, b auditLog) int { return cmp.Compare(a.module, b.module) })
			for _, row := range mergeAudits(left, before, limit) {
				got = append(got, row.Action)
			}
			if newest(left) == nil {
				break
			}
		}
		for module := range logs {
			mine := func(all []string) []string {
				return slices.DeleteFunc(slices.Clone(all), func(action string) bool { return !strings.HasPrefix(action, module) })
			}
			assert.Equal(t, mine(want), mine(got), "pages of %d", limit)
		}
	}
}

// withPayments is an app whose payments are in another process, whose private side is h.
func withPayments(t *testing.T, h http.Handler) *app {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := peer.Server(peer.ServerConfig{Handler: h, Log: zerolog.Nop()})
	done := make(chan error)
	go func() { done <- server.Serve(ln) }()
	n := newNeighbours(layout{remote: map[string]*url.URL{"payments": {Scheme: "http", Host: ln.Addr().String()}}}, proofs{}, &telemetry.Telemetry{Log: zerolog.Nop()})
	t.Cleanup(func() {
		require.NoError(t, n.close())
		require.NoError(t, server.Close())
		<-done
	})
	return &app{neighbours: n, tel: n.tel}
}

func TestWhatBecameOfAnActInAnotherProcessIsSaid(t *testing.T) {
	t.Parallel()
	errNoJob := errs.Refusal(errs.NotFound, "job.not_found")
	server := control.NewServer(zerolog.Nop())
	control.Handle(server, operationsPrefix+"drop_job", func(context.Context, operationsIn, control.Say) (none, error) { return none{}, errNoJob })
	refused := func(err error) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { peer.WriteError(w, err) })
	}
	tests := map[string]struct {
		there http.Handler
		want  error
	}{
		"it says so itself":        {there: operationsHandler(server), want: errNoJob},
		"it lets nobody in":        {there: refused(peer.ErrBadSignature), want: rpc.ErrUnavailable},
		"it was asked twice":       {there: refused(peer.ErrReplayed), want: rpc.ErrReplyLost},
		"it does not do such":      {there: operationsHandler(control.NewServer(zerolog.Nop())), want: control.ErrNoSuch},
		"something else is there":  {there: http.NotFoundHandler(), want: rpc.ErrUnavailable},
		"it ends before the end":   {there: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), want: rpc.ErrReplyLost},
		"it stops before it is":    {there: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), want: rpc.ErrReplyLost},
		"something between it all": {there: http.RedirectHandler("/", http.StatusFound), want: rpc.ErrReplyLost},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := operations{withPayments(t, tt.there)}.DropJob(t.Context(), actor.Actor{}, "payments", "payments.ask", "k", "why")
			require.ErrorIs(t, err, tt.want)
		})
	}
	t.Run("nobody is there", func(t *testing.T) {
		t.Parallel()
		a := withPayments(t, http.NotFoundHandler())
		a.neighbours.layout.remote["payments"].Host = "127.0.0.1:1"
		require.ErrorIs(t, operations{a}.DropJob(t.Context(), actor.Actor{}, "payments", "payments.ask", "k", "why"), rpc.ErrUnavailable)
	})
}
