package main

import (
	"context"
	"sync"

	"souk/internal/platform/bus"
	"souk/internal/platform/errs"
)

// catchingUp is what a process on a database that others write too has a copy of its own from, namely the search
// index: until that has come to where the log stood at the start, the process is not ready, or it would find
// less than the others do. Later it is behind by moments, as they are.
type catchingUp struct {
	module string
	list   func(ctx context.Context) ([]bus.Status, error)

	mu      sync.Mutex
	goals   map[string]int64 // by subscriber
	reached bool
}

// errBehind says that the copy is not there yet.
var errBehind = errs.Refusal(errs.Unavailable, "souk.catching_up")

func (c *catchingUp) ready(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reached {
		return nil
	}
	all, err := c.list(ctx)
	if err != nil {
		return err
	}
	if c.goals == nil {
		c.goals = map[string]int64{}
	}
	for _, s := range all {
		if s.Module != c.module {
			continue
		}
		if s.Head < 0 {
			return errBehind.With("the log of %s cannot be read yet", s.Log)
		}
		goal, known := c.goals[s.Subscriber]
		if !known {
			goal = s.Head
			c.goals[s.Subscriber] = goal
		}
		if s.Lag < 0 || s.Position < goal {
			return errBehind.With("%s is at event %d of %s and begins with %d", s.Subscriber, s.Position, s.Log, goal)
		}
	}
	c.reached = true
	return nil
}
