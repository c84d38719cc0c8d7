package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"

	"souk/internal/platform/peer"
)

// Client asks the souk that runs on a data folder, or one that serves commands elsewhere.
type Client struct {
	http *http.Client
	base string
}

// Over asks what Server.Handler serves at base, with an http.Client that proves who asks.
func Over(client *http.Client, base string) *Client { return &Client{http: client, base: base} }

// Running names the processes that are running on dataDir, in order; none is no error.
func Running(ctx context.Context, dataDir string) ([]string, error) {
	sockets, err := filepath.Glob(filepath.Join(escaped(dataDir), "*"+suffix))
	if err != nil {
		return nil, fmt.Errorf("look for running processes in %s: %w", dataDir, err)
	}
	var names []string
	for _, path := range sockets {
		name := strings.TrimSuffix(filepath.Base(path), suffix)
		c, err := Dial(ctx, dataDir, name)
		switch {
		case err == nil:
			c.Close()
			names = append(names, name)
		case !errors.Is(err, ErrNoServer): // left behind by one that died
			return nil, err
		}
	}
	return names, nil
}

// escaped is a folder's name in a pattern.
func escaped(dir string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(dir)
}

// Dial finds a process that runs on dataDir; ErrNoServer if it does not.
func Dial(ctx context.Context, dataDir, process string) (*Client, error) {
	conn, err := connect(ctx, dataDir, process)
	if err != nil {
		return nil, err
	}
	if err := conn.Close(); err != nil {
		return nil, fmt.Errorf("reach the running souk: %w", err)
	}
	return &Client{base: "http://souk", http: &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return connect(ctx, dataDir, process) },
	}}}, nil
}

// Close lets go of what the client holds.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Call runs the command there and waits for its end. heard, if not nil, gets what the command
// says meanwhile. An error of the other side keeps its kind and code.
func Call[In, Out any](ctx context.Context, c *Client, name string, in In, heard func(line string)) (Out, error) {
	var out Out
	body, err := json.Marshal(in)
	if err != nil {
		return out, fmt.Errorf("ask for %s: %w", name, err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/"+name, bytes.NewReader(body))
	if err != nil {
		return out, fmt.Errorf("ask for %s: %w", name, err)
	}
	reply, err := c.http.Do(r)
	if err != nil {
		return out, fmt.Errorf("ask the running souk for %s: %w", name, err)
	}
	defer reply.Body.Close() //nolint:errcheck // only read
	if reply.StatusCode != http.StatusOK {
		return out, peer.ReadError(reply)
	}
	frames := json.NewDecoder(reply.Body)
	for {
		var f frame
		switch err := frames.Decode(&f); {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return out, fmt.Errorf("the running souk ended before %s was done; look what came of it", name)
		case err != nil:
			return out, fmt.Errorf("read the answer to %s: %w", name, err)
		}
		switch {
		case f.Failed != nil:
			return out, f.Failed
		case f.Result != nil:
			if err := json.Unmarshal(f.Result, &out); err != nil {
				return out, fmt.Errorf("read the answer to %s: %w", name, err)
			}
			return out, nil
		case heard != nil:
			heard(f.Said)
		}
	}
}
