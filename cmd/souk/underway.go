package main

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
)

// underway knows how many requests are being answered.
//
// A process that its balancer has stopped sending to keeps its door open until the last of them has gone: whoever
// saw it closed would take the process for dead, and cut off what is still inside.
type underway struct {
	leaving atomic.Bool // connections are closed after their answer, which says so: nobody sends into one that closes

	mu   sync.Mutex
	n    int
	none chan struct{} // closed when there is none; nil while nobody waits
}

// counting has h counted.
func (u *underway) counting(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u.add(1)
		defer u.add(-1)
		if u.leaving.Load() {
			w.Header().Set("Connection", "close")
		}
		h.ServeHTTP(w, r)
	})
}

func (u *underway) add(n int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.n += n; u.n == 0 && u.none != nil {
		close(u.none)
		u.none = nil
	}
}

// wait returns at a moment at which none is under way, or when ctx ends. Only one may wait.
func (u *underway) wait(ctx context.Context) {
	u.mu.Lock()
	if u.n == 0 {
		u.mu.Unlock()
		return
	}
	none := make(chan struct{})
	u.none = none
	u.mu.Unlock()
	select {
	case <-none:
	case <-ctx.Done():
	}
}

// unended are the names of what runs and is waited for in the end.
type unended struct {
	mu  sync.Mutex
	all []string
}

// run runs f under a name.
func (u *unended) run(name string, f func() error) error {
	u.mu.Lock()
	u.all = append(u.all, name)
	u.mu.Unlock()
	defer func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		i := slices.Index(u.all, name)
		u.all = slices.Delete(u.all, i, i+1)
	}()
	return f()
}

// names are those of what has not ended, in the order in which it began.
func (u *unended) names() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.all)
}
