package natsbus_test

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/bus"
	"souk/internal/platform/bus/bustest"
	"souk/internal/platform/bus/natsbus"
)

// patience ends a test that would wait for ever; nothing is measured by it.
const patience = 2 * time.Minute

// broker is a NATS server of the test's own, which keeps its files over restarts.
type broker struct {
	t       testing.TB
	options *server.Options
	server  *server.Server
}

// newBroker starts one. Every message is on the disk before it is acknowledged.
func newBroker(t testing.TB) *broker {
	t.Helper()
	b := &broker{t: t, options: optionsOf(t.TempDir(), freePort(t))}
	b.start()
	t.Cleanup(b.stop)
	return b
}

func optionsOf(dir string, port int) *server.Options {
	return &server.Options{
		Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: dir, SyncAlways: true,
		JetStreamMaxStore: 4 << 30, JetStreamMaxMemory: 64 << 20, NoSigs: true, NoLog: true, DisableJetStreamBanner: true,
	}
}

func freePort(t testing.TB) int {
	t.Helper()
	_, text, err := net.SplitHostPort(bustest.Address(t))
	require.NoError(t, err)
	port, err := strconv.Atoi(text)
	require.NoError(t, err)
	return port
}

func (b *broker) start() {
	b.t.Helper()
	s, err := server.NewServer(b.options.Clone())
	require.NoError(b.t, err)
	b.server = s
	go s.Start()
	require.True(b.t, s.ReadyForConnections(patience), "the broker does not start")
}

func (b *broker) stop() {
	if b.server == nil {
		return
	}
	b.server.Shutdown()
	b.server.WaitForShutdown()
	b.server = nil
}

func (b *broker) url() string { return fmt.Sprintf("nats://127.0.0.1:%d", b.options.Port) }

// cluster is three brokers that know each other.
func cluster(t testing.TB) []*broker {
	t.Helper()
	var routes []*url.URL
	var ports [3]int
	for i := range ports {
		ports[i] = freePort(t)
		routes = append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", ports[i])})
	}
	var all []*broker
	for i := range ports {
		o := optionsOf(t.TempDir(), freePort(t))
		o.ServerName = fmt.Sprintf("node-%d", i)
		o.Cluster = server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: ports[i]}
		o.Routes = routes
		b := &broker{t: t, options: o}
		s, err := server.NewServer(o.Clone())
		require.NoError(t, err)
		b.server = s
		go s.Start()
		t.Cleanup(b.stop)
		all = append(all, b)
	}
	for _, b := range all {
		require.True(t, b.server.ReadyForConnections(patience), "the broker does not start")
	}
	require.Eventually(t, func() bool { return all[0].server.JetStreamIsCurrent() && leaders(all) == 1 }, patience, 20*time.Millisecond)
	return all
}

func leaders(all []*broker) (n int) {
	for _, b := range all {
		if b.server != nil && b.server.JetStreamIsLeader() {
			n++
		}
	}
	return n
}

func urls(all []*broker) string {
	var text []string
	for _, b := range all {
		text = append(text, b.url())
	}
	return strings.Join(text, ",")
}

// connect is a connection as a process has it, closed by stop.
func connect(t testing.TB, config natsbus.Config) (b *natsbus.Broker, stop func()) {
	t.Helper()
	b, err := natsbus.Connect(config)
	require.NoError(t, err)
	return b, b.Close
}

// publishing copies a log in the background, as the process that holds it does.
func publishing(t testing.TB, config natsbus.Config, log bus.Source) (stop func()) {
	t.Helper()
	b, disconnect := connect(t, config)
	stopPublishing := publish(t, b, log)
	return func() {
		stopPublishing()
		disconnect()
	}
}
