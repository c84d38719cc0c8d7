// Package telemetrytest looks for what must never be logged.
package telemetrytest

import (
	"bytes"
	"io"
	"sync"
	"testing"
)

// Canary is a writer for logs that fails t as soon as one of the planted secrets is written
// through it: as it is, or with any other bytes around. It keeps what was written.
type Canary struct {
	t       testing.TB
	secrets []string

	mu   sync.Mutex
	tail []byte // the end of what was written, in case a secret comes in two pieces
	kept bytes.Buffer
}

var _ io.Writer = (*Canary)(nil)

// NewCanary looks for secrets, each of which must be unmistakable: 8 bytes or more.
func NewCanary(t testing.TB, secrets ...string) *Canary {
	t.Helper()
	for _, s := range secrets {
		if len(s) < 8 {
			t.Fatalf("a secret of %d bytes is found by chance", len(s))
		}
	}
	return &Canary{t: t, secrets: secrets}
}

// Write takes p in and looks for the secrets.
func (c *Canary) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept.Write(p)
	c.tail = append(c.tail, p...)
	longest := 0
	for _, s := range c.secrets {
		longest = max(longest, len(s))
		if bytes.Contains(c.tail, []byte(s)) {
			c.t.Errorf("a planted secret was written to the log: …%s", bytes.TrimSpace(c.tail))
		}
	}
	if len(c.tail) > longest {
		c.tail = append([]byte(nil), c.tail[len(c.tail)-longest:]...)
	}
	return len(p), nil
}

// String is all that was written.
func (c *Canary) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kept.String()
}
