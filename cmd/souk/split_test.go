package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/peer/peertest"
	"souk/internal/platform/rpc"
)

func TestSettingsOfASplitThatMakeNoSense(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	weak, good := filepath.Join(dir, "weak"), filepath.Join(dir, "good")
	require.NoError(t, os.WriteFile(weak, []byte("short"), 0o600))
	require.NoError(t, os.WriteFile(good, []byte(key()+key()), 0o600))
	tests := map[string]struct {
		args []string
		want string
	}{
		"nobody can ask it":       {args: []string{"--modules", "accounts,catalog"}, want: "no --private ADDR at which others could ask it"},
		"no secret":               {args: []string{"--private", "localhost:0"}, want: "give all of them the same --peer-secret-file"},
		"no secret for a remote":  {args: []string{"--remote", "payments=http://localhost:1"}, want: "give all of them the same --peer-secret-file"},
		"not an address":          {args: []string{"--private", "x", "--peer-secret-file", good}, want: "--private x is not host:port"},
		"a secret easily guessed": {args: []string{"--private", "localhost:0", "--peer-secret-file", weak}, want: "secret 1 has 5 bytes and needs 32"},
		"half a certificate":      {args: []string{"--private", "localhost:0", "--peer-cert", good}, want: "--peer-cert, --peer-key and --peer-ca belong together"},
		"a hedge before it all":   {args: []string{"--hedge", "-1s"}, want: "--hedge -1s is before the first try"},
		"a demo in parts":         {args: []string{"--demo", "--remote", "payments=http://localhost:1", "--peer-secret-file", good}, want: "--demo fills one process"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := souk(t, nil, append([]string{"serve", "--data", t.TempDir(), "--listen", "localhost:0"}, tt.args...)...)
			assert.NotEqual(t, exitOK, got.status)
			assert.Contains(t, got.stderr, tt.want)
		})
	}
}

// TestWithoutItsNeighbourAProcessDoesWhatItCan: search works while payments is down, a cart can be filled,
// what needs payments says so kindly, and readiness is red until payments was met.
func TestWithoutItsNeighbourAProcessDoesWhatItCan(t *testing.T) {
	t.Parallel()
	s := openAs(t, mustTopology(t, "payments-out"))
	s.halt(t)
	out := s.topology
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte(key()+key()), 0o600))
	at := []string{freeAddress(t), freeAddress(t)}
	args := func(i int) []string {
		return append(out.arguments(i, at), "--log-level", "error", "--peer-secret-file", secret)
	}
	var hedge atomic.Int64
	seeing := probes{edge: func(o *rpc.RemoteOptions) { hedge.Store(int64(o.Hedge)) }}
	s.running = startProbed(t, s.dir, &safeText{}, seeing, append(args(0), "--hedge", "2s")...)
	assert.Equal(t, 2*time.Second, time.Duration(hedge.Load()), "as was asked")
	status, body := s.get(t, "/readyz")
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Contains(t, body, "souk.not_connected")
	status, body = s.get(t, "/search?q=lamp")
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, body, "Lamps")
	status, body = s.get(t, "/api/v1/payments/methods")
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Contains(t, body, `"souk.unavailable"`)
	g := newGuest(t, s.url)
	a, err := g.add(t.Context(), string(s.lamps.listings[0].Variants[0].ID), 1)
	require.NoError(t, err)
	require.Less(t, a.status, 300, string(a.body))
	q, err := g.quote(t.Context())
	require.NoError(t, err)
	k := key()
	c, a, err := g.checkout(t.Context(), q, "sandbox_ok", k)
	require.NoError(t, err)
	assert.Equal(t, http.StatusAccepted, a.status, "it is under way: %s", a.body)

	s.others = []*running{start(t, s.dir, args(1)...)}
	until(t, "payments was met", func() bool {
		status, _ := s.get(t, "/readyz")
		return status == http.StatusOK
	})
	settled, _ := g.follow(t, q, "sandbox_ok", k)
	assert.Equal(t, c.Order, settled.Order)
	assert.Equal(t, "placed", settled.Status, settled.Message)
	s.sound(t)
}

func mustTopology(t testing.TB, name string) topology {
	t.Helper()
	found, ok := topologyNamed(name)
	require.True(t, ok, name)
	return found
}

// TestAWrongSecretIsRefusedAndSaidSo: nothing is let in, and what it costs is availability alone.
func TestAWrongSecretIsRefusedAndSaidSo(t *testing.T) {
	t.Parallel()
	s := openAs(t, mustTopology(t, "payments-out"))
	s.halt(t)
	at := []string{freeAddress(t), freeAddress(t)}
	log := &safeText{}
	for i := range at {
		secret := filepath.Join(t.TempDir(), "secret")
		require.NoError(t, os.WriteFile(secret, []byte(key()+key()), 0o600))
		process := startSaying(t, s.dir, log, append(s.topology.arguments(i, at), "--log-level", "warn", "--peer-secret-file", secret)...)
		if i == 0 {
			s.running = process
		}
	}
	until(t, "it is said", func() bool { return strings.Contains(log.String(), "peer.bad_signature") })
	status, _ := s.get(t, "/readyz")
	assert.Equal(t, http.StatusServiceUnavailable, status)
	status, body := s.get(t, "/api/v1/payments/methods")
	assert.Equal(t, http.StatusServiceUnavailable, status, body)
}

// TestProcessesKnowEachOtherByCertificates: no secret, TLS on both private sides, and everything works.
func TestProcessesKnowEachOtherByCertificates(t *testing.T) {
	t.Parallel()
	s := openAs(t, mustTopology(t, "payments-out"))
	s.halt(t)
	authority := peertest.NewAuthority(t)
	at := []string{usualAddress(t), usualAddress(t)}
	for i, modules := range s.topology.Processes {
		uris := []string{"souk://edge", "souk://rehearsal"}
		for _, name := range modules {
			uris = append(uris, "souk://"+name)
		}
		files := authority.Files(strings.Join(modules, "-"), uris...)
		args := []string{"--log-level", "error", "--peer-cert", files.Cert, "--peer-key", files.Key, "--peer-ca", files.CA}
		for _, arg := range s.topology.arguments(i, at) {
			args = append(args, strings.Replace(arg, "=http://", "=https://", 1))
		}
		process := start(t, s.dir, args...)
		if i == 0 {
			s.running = process
		} else {
			s.others = []*running{process}
		}
	}
	until(t, "they have met", func() bool {
		status, _ := s.get(t, "/readyz")
		return status == http.StatusOK
	})
	c := newGuest(t, s.url).buy(t, "sandbox_ok", seen(s.lamps.listings[0]))
	assert.Equal(t, "placed", c.Status, c.Message)
	status, _ := s.get(t, "/api/v1/payments/methods")
	assert.Equal(t, http.StatusOK, status, "what is passed on brings a certificate too")
	s.sound(t)
	_, err := http.Get("http://" + at[1] + "/souk/v1/contracts/payments")
	if err == nil {
		_, err = http.Get("https://" + at[1] + "/souk/v1/contracts/payments")
	}
	assert.Error(t, err, "nobody comes in without a certificate")
}

// safeText is a text that may be read while it grows.
type safeText struct {
	mu  sync.Mutex
	buf strings.Builder
}

func (s *safeText) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *safeText) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}
