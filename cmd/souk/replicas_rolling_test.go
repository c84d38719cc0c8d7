package main

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestARollingUpgradeFailsNoRequest ends one of three processes after the other as an upgrade does, with SIGTERM,
// and starts a new one in its place, while people buy, cancel, ship and deliver. Readiness says no first, the balancer
// sends nothing more, and what is under way ends well: no client sees anything fail.
func TestARollingUpgradeFailsNoRequest(t *testing.T) {
	for _, notice := range []string{"3s", "10s", "30s"} { // how long is enough depends on the machine
		if upgradeRolling(t, notice) {
			return
		}
		t.Logf("%s were not enough for a health check each 0.2 s", notice)
	}
	t.Fatal("not tried: no health check was answered within half a minute")
}

// upgradeRolling is the test with that long a notice. It says whether the balancer heard of each end in time.
func upgradeRolling(t *testing.T, notice string) bool {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	r := openReplicas(t, "--drain", notice)
	l := r.press(t, 5, random)
	for i := range r.children {
		l.more(t, 4)
		r.signal(t, i, syscall.SIGTERM)
		select {
		case err := <-r.children[i].done:
			require.NoError(t, err, "replica %d did not stop well: %s", i, r.children[i].log)
		case <-time.After(patience):
			t.Fatalf("replica %d did not stop: %s", i, r.children[i].log)
		}
		if !r.members[i].left() {
			l.halted()
			return false
		}
		r.children[i] = spawn(t, r.dirs[i], "", r.args...)
		r.members[i].moved(t, r.children[i].url)
		until(t, "all three serve", func() bool { return r.serving() == len(r.members) })
	}
	l.more(t, 4)
	made, deeds := l.halted()
	for _, m := range r.mishaps() {
		assert.Fail(t, "a client saw fail", "at %s, %s: %s", m.member, m.ended.Sub(m.began), m.what)
	}
	placed := 0
	for _, b := range made {
		b.settle(t, "upgraded")
		placed += r.paidOnce(t, b, "upgraded")
	}
	for _, d := range deeds {
		d.settle(t, r.url, "upgraded")
	}
	assert.Positive(t, placed)
	report := verifyAt(t, r.dirs[0])
	assert.True(t, report.Sound(), broken(report))
	t.Logf("%d checkouts, %d placed, %d acts, no failure", len(made), placed, len(deeds))
	return true
}
