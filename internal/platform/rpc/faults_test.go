package rpc_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"souk/internal/platform/rpc"
)

func draw(f rpc.Faults, method string, n int) []rpc.Fault {
	out := make([]rpc.Fault, n)
	for i := range out {
		out[i] = f.Next(rpc.Method{Name: method})
	}
	return out
}

func TestRandomFaultsFollowTheSeedWhateverInterleaves(t *testing.T) {
	t.Parallel()
	rates := rpc.Rates{Delay: 0.5, MaxDelay: time.Second, Unavailable: 0.2, Repeat: 0.3, LoseReply: 0.2}
	one, two := rpc.NewRandom(7, rates), rpc.NewRandom(7, rates)
	alone := draw(one, "Put", 500)
	var together []rpc.Fault
	var wg sync.WaitGroup
	wg.Go(func() { together = draw(two, "Put", 500) })
	wg.Go(func() { draw(two, "Get", 500) })
	wg.Wait()
	assert.Equal(t, alone, together)
	assert.NotEqual(t, alone, draw(rpc.NewRandom(8, rates), "Put", 500), "another seed")
	assert.NotEqual(t, alone, draw(rpc.NewRandom(7, rates), "Get", 500), "another method")

	var delays, unavailable, repeats, lost int
	for _, f := range alone {
		assert.LessOrEqual(t, f.Delay, time.Second)
		delays += count(f.Delay > 0)
		unavailable += count(f.Unavailable)
		repeats += count(f.Repeat)
		lost += count(f.LoseReply)
	}
	assert.InDelta(t, 250, delays, 60)
	assert.InDelta(t, 100, unavailable, 50)
	assert.InDelta(t, 150, repeats, 55)
	assert.InDelta(t, 100, lost, 50)
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestWithoutRatesNothingHappens(t *testing.T) {
	t.Parallel()
	for _, f := range draw(rpc.NewRandom(1, rpc.Rates{}), "Put", 100) {
		assert.Zero(t, f)
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	c := func(module, hash, previous string) rpc.Contract {
		return rpc.Contract{Module: module, Hash: hash, Previous: previous}
	}
	assert.True(t, c("shop", "a", "").Matches(c("shop", "a", "")))
	assert.True(t, c("shop", "b", "a").Matches(c("shop", "a", "")), "a new one speaks with the last release")
	assert.True(t, c("shop", "a", "").Matches(c("shop", "b", "a")), "and the other way round")
	assert.True(t, c("shop", "b", "a").Matches(c("shop", "c", "a")), "two that came from one release")
	assert.False(t, c("shop", "c", "b").Matches(c("shop", "a", "")))
	assert.False(t, c("shop", "b", "").Matches(c("shop", "a", "")), "no last release is no match")
	assert.False(t, c("shop", "a", "").Matches(c("shed", "a", "")))
}
