package bustest

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
)

// What the usual systems give to outgoing connections begins above lastPort. A port that a test leaves for a
// while, because what listens on it is restarted, would go to one of those now and then.
const (
	firstPort = 20_000
	lastPort  = 32_000
)

// given is how many ports were given out, from a random one on: other processes test beside this one.
var given = sync.OnceValue(func() *atomic.Uint32 {
	n := new(atomic.Uint32)
	n.Store(rand.Uint32N(lastPort - firstPort)) //nolint:gosec // chance, not secrecy
	return n
})

// Address is "127.0.0.1:port" with a port that stays the test's own while nobody listens on it.
func Address(t testing.TB) string {
	t.Helper()
	for range lastPort - firstPort {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(firstPort+int(given().Add(1)%(lastPort-firstPort))))
		if listener, err := net.Listen("tcp", address); err == nil { //nolint:noctx // it does not wait
			if err := listener.Close(); err != nil {
				t.Fatal(err)
			}
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}
