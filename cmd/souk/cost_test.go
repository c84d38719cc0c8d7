package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/httpx"
	"souk/internal/platform/store"
)

// cost is what something took of one module's database.
type cost struct{ Reads, Writes, Commits, Statements, Events int64 }

// costs are those of every module.
type costs map[string]cost

func (l *live) costs() costs {
	all := costs{}
	for name, db := range l.dbs {
		all[name] = costOf(db.Stats())
	}
	return all
}

func costOf(s store.Stats) cost {
	return cost{Reads: s.Reads, Writes: s.Writes, Commits: s.Commits, Statements: s.Statements, Events: s.Events}
}

func (c cost) plus(d cost, sign int64) cost {
	return cost{
		Reads: c.Reads + sign*d.Reads, Writes: c.Writes + sign*d.Writes, Commits: c.Commits + sign*d.Commits,
		Statements: c.Statements + sign*d.Statements, Events: c.Events + sign*d.Events,
	}
}

func (c costs) sub(d costs) costs {
	out := costs{}
	for name := range c {
		out[name] = c[name].plus(d[name], -1)
	}
	return out
}

func (c costs) sum() (all cost) {
	for _, one := range c {
		all = all.plus(one, 1)
	}
	return all
}

// table shows what something took of the modules that it needed.
func (c costs) table(what string) string {
	var b strings.Builder
	for _, name := range moduleNames {
		if one := c[name]; one != (cost{}) {
			fmt.Fprintf(&b, "%-11s %-8s %2d reads, %d writes, %d commits, %2d statements, %d events\n",
				what, name, one.Reads, one.Writes, one.Commits, one.Statements, one.Events)
		}
	}
	return b.String()
}

// oneCheckout is what TestOneCheckoutCosts holds a checkout to.
const oneCheckout = `the request accounts  0 reads, 1 writes, 1 commits,  6 statements, 0 events
the request orders    1 reads, 1 writes, 1 commits,  6 statements, 0 events
the saga    catalog   1 reads, 3 writes, 3 commits, 14 statements, 0 events
the saga    payments  0 reads, 6 writes, 6 commits, 28 statements, 2 events
the saga    cart      1 reads, 2 writes, 2 commits, 14 statements, 1 events
the saga    orders    3 reads, 5 writes, 5 commits, 25 statements, 1 events
and then    catalog   5 reads, 0 writes, 0 commits,  6 statements, 0 events
and then    accounts  1 reads, 0 writes, 0 commits,  2 statements, 0 events
and then    payments  3 reads, 0 writes, 0 commits,  5 statements, 0 events
and then    search    1 reads, 1 writes, 1 commits, 16 statements, 0 events
and then    cart      1 reads, 0 writes, 0 commits,  2 statements, 0 events
and then    orders    3 reads, 1 writes, 1 commits,  9 statements, 0 events
`

// TestOneCheckoutCosts holds a guest's checkout of two lines from two sellers to what it takes
// of each module's database, so that nobody adds a statement or a commit unseen. Whoever means
// to change the numbers changes them here.
//
// Nothing works by itself here: the request only begins the checkout, then its job is run, then
// everyone hears what was published and does what that asks for. Waiting clients and workers
// that wake up would read a few times more.
func TestOneCheckoutCosts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sellers := shops(t, dir, 2)
	l := goLive(t, dir, false)
	l.quietly(t)
	checkout := func() (asked, saga, after costs, cgo int64) {
		one := l.basket(t, sellers)
		l.quietly(t)
		called, was := runtime.NumCgoCall(), l.costs()
		c := l.begin(t, one)
		require.Equal(t, "pending", c.Status)
		asked = l.costs().sub(was)

		was = l.costs()
		for _, m := range l.modules.Modules() {
			if m.Name == "orders" {
				n, err := m.Jobs.RunDue(t.Context())
				require.NoError(t, err)
				require.Equal(t, 1, n)
			}
		}
		saga, cgo = l.costs().sub(was), runtime.NumCgoCall()-called
		was = l.costs()
		l.quietly(t)
		return asked, saga, l.costs().sub(was), cgo
	}
	checkout() // the first one also makes what is made once
	asked, saga, after, cgo := checkout()

	assert.Equal(t, oneCheckout, asked.table("the request")+saga.table("the saga")+after.table("and then"))
	t.Logf("in all %+v and then %+v; %d cgo calls until it was paid for", asked.sum().plus(saga.sum(), 1), after.sum(), cgo)
}

// begin asks for a checkout without waiting for it.
func (l *live) begin(t *testing.T, one basket) (c checkoutSeen) {
	t.Helper()
	text, err := json.Marshal(one.body(0))
	require.NoError(t, err)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v1/orders/checkouts", bytes.NewReader(text))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key())
	r.Header.Set(httpx.CartHeader, one.token)
	w := httptest.NewRecorder()
	l.handler.ServeHTTP(w, r)
	require.Equal(t, http.StatusAccepted, w.Code, w.Body)
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &c))
	return c
}

// quietly does all that is due, until nothing is.
func (l *live) quietly(t *testing.T) {
	t.Helper()
	for did := 1; did > 0; {
		did = 0
		require.NoError(t, l.bus.Drain(t.Context()))
		for _, m := range l.modules.Modules() {
			if m.Jobs != nil {
				n, err := m.Jobs.RunDue(t.Context())
				require.NoError(t, err)
				did += n
			}
		}
	}
}
