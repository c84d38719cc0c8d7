package natsbus_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/bus"
	"souk/internal/platform/bus/bustest"
	"souk/internal/platform/bus/natsbus"
	"souk/internal/platform/errs"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
)

func configOf(url string) natsbus.Config {
	c := natsbus.Config{URL: url}
	if testing.Verbose() && os.Getenv("SOUK_TEST_LOG") != "" {
		c.Log = zerolog.New(zerolog.NewConsoleWriter())
	}
	return c
}

func publish(t testing.TB, b *natsbus.Broker, log bus.Source) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- b.Publish(ctx, bustest.Log, log) }()
	return func() {
		cancel()
		require.NoError(t, <-done)
	}
}

// linkOver is the transport through a broker.
func linkOver(t *testing.T, b *broker) bustest.Link {
	t.Helper()
	return bustest.Link{
		Serve: func(log bus.Source) func() { return publishing(t, configOf(b.url()), log) },
		Connect: func() (bus.Source, func()) {
			c, stop := connect(t, configOf(b.url()))
			return c.Source(bustest.Log), stop
		},
		Settle: func(log bus.Source) { settle(t, b.url(), log) },
		Break:  func() func() { b.stop(); return b.start },
	}
}

// settle waits until the stream holds what the log holds.
func settle(t testing.TB, url string, log bus.Source) {
	t.Helper()
	js, disconnect := jetStream(t, url)
	defer disconnect()
	settleOn(t, js, log)
}

// jetStream is the test's own connection, which has all the time that a busy machine takes.
func jetStream(t testing.TB, url string) (js jetstream.JetStream, disconnect func()) {
	t.Helper()
	nc, err := nats.Connect(url, nats.Timeout(patience), nats.MaxReconnects(-1))
	require.NoError(t, err)
	js, err = jetstream.New(nc, jetstream.WithDefaultTimeout(patience))
	require.NoError(t, err)
	return js, nc.Close
}

func settleOn(t testing.TB, js jetstream.JetStream, log bus.Source) {
	t.Helper()
	want, err := log.Page(t.Context(), 0, 1)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		info := infoOf(t, js)
		return info != nil && info.Config.Metadata["souk-epoch"] == want.Epoch &&
			int64(info.State.LastSeq) == want.Head && int64(info.State.FirstSeq) > want.Trimmed
	}, patience, 10*time.Millisecond, "the stream does not come to hold %+v", want.State)
}

// infoOf is the stream as it is, nil if it cannot be had at the moment.
func infoOf(t testing.TB, js jetstream.JetStream) *jetstream.StreamInfo {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // a question can get lost with the broker
	defer cancel()
	stream, err := js.Stream(ctx, "souk_"+string(bustest.Log))
	if err != nil {
		return nil
	}
	return stream.CachedInfo()
}

// streamOf is the stream, which there must be.
func streamOf(t testing.TB, js jetstream.JetStream) (info *jetstream.StreamInfo) {
	t.Helper()
	require.Eventually(t, func() bool { info = infoOf(t, js); return info != nil }, patience, 10*time.Millisecond)
	return info
}

func newLink(t *testing.T) bustest.Link { return linkOver(t, newBroker(t)) }

func TestTheTransportThroughNATS(t *testing.T) {
	t.Parallel()
	bustest.Transport(t, newLink)
}

func TestASlowReaderThroughNATS(t *testing.T) { bustest.SlowReader(t, newLink) }

// note is what the shop of these tests publishes.
type note struct {
	Text string `json:"text"`
}

func (note) EventName() string { return "shop.note.v1" }
func (note) EventKey() string  { return "" }

// shop is a log with what a test needs around it.
type shop struct {
	t   *testing.T
	db  *store.DB
	log bus.Source
}

func newShop(t *testing.T) *shop {
	t.Helper()
	db := storetest.Open(t, "shop")
	return &shop{t: t, db: db, log: bus.LocalSource(db)}
}

func (s *shop) publish(n int, text string) {
	s.t.Helper()
	events := make([]store.Event, n)
	for i := range events {
		events[i] = note{text}
	}
	require.NoError(s.t, s.db.Write(s.t.Context(), func(tx *store.Tx) error { return tx.Publish(events...) }))
}

// pageOf reads a page, however often it takes: on a busy machine an answer can come too late.
func pageOf(t *testing.T, source bus.Source, after int64, limit int) (page bus.Page) {
	t.Helper()
	require.Eventually(t, func() bool {
		var err error
		page, err = source.Page(t.Context(), after, limit)
		if err != nil && !errors.Is(err, bus.ErrNotReachable) {
			t.Errorf("read after %d: %v", after, err)
		}
		return err == nil
	}, patience, 10*time.Millisecond)
	return page
}

// readAll reads from a position to the end, and checks that nothing is missing.
func readAll(t *testing.T, source bus.Source, after int64) int64 {
	t.Helper()
	for {
		page := pageOf(t, source, after, 100)
		for _, e := range page.Events {
			after++
			require.Equal(t, after, e.Position)
		}
		if len(page.Events) == 0 {
			require.Equal(t, after, page.Head)
			return after
		}
	}
}

func TestALostStreamIsRebuiltFromTheLogAndNobodyLosesHisPlace(t *testing.T) {
	t.Parallel()
	b, s := newBroker(t), newShop(t)
	defer publishing(t, configOf(b.url()), s.log)()
	s.publish(300, "")
	settle(t, b.url(), s.log)
	reader, stop := connect(t, configOf(b.url()))
	defer stop()
	source := reader.Source(bustest.Log)
	require.Equal(t, int64(300), readAll(t, source, 0))

	js, disconnect := jetStream(t, b.url())
	defer disconnect()
	require.NoError(t, js.DeleteStream(t.Context(), "souk_shop"))
	assert.Equal(t, int64(300), readAll(t, source, 290), "the log itself answers meanwhile")
	assert.Equal(t, int64(300), pageOf(t, source, 300, 1).Head, "its head is the log's, not that of a stream half rebuilt")
	s.publish(1, "")
	settle(t, b.url(), s.log)
	assert.Equal(t, int64(301), readAll(t, source, 0))
	assert.Equal(t, uint64(1), streamOf(t, js).State.FirstSeq)
}

func TestABoundedStreamSendsWhoIsFarBehindToTheLog(t *testing.T) {
	t.Parallel()
	b, s := newBroker(t), newShop(t)
	config := configOf(b.url())
	config.MaxEvents = 50
	s.publish(200, "")
	stopFirst := publishing(t, config, s.log)
	settleLast(t, b.url(), 151, 200)
	s.publish(100, "")
	settleLast(t, b.url(), 251, 300)
	reader, stop := connect(t, config)
	defer stop()
	assert.Equal(t, int64(300), readAll(t, reader.Source(bustest.Log), 0))
	stopFirst()

	t.Run("and the bound can be changed", func(t *testing.T) {
		config.MaxEvents = 20
		defer publishing(t, config, s.log)()
		settleLast(t, b.url(), 281, 300)
	})
	t.Run("without the log, who is far behind waits, and the others read on", func(t *testing.T) {
		source := reader.Source(bustest.Log)
		assert.Equal(t, int64(300), readAll(t, source, 280))
		_, err := source.Page(t.Context(), 100, 10)
		require.ErrorIs(t, err, bus.ErrNotReachable)
		assert.Equal(t, errs.Unavailable, errs.KindOf(err))
		_, err = source.Page(t.Context(), 400, 10)
		require.ErrorIs(t, err, bus.ErrNotReachable, "only the log itself says that a place is gone")
	})
}

// settleLast waits until the stream reaches from first to last.
func settleLast(t *testing.T, url string, first, last uint64) {
	t.Helper()
	js, disconnect := jetStream(t, url)
	defer disconnect()
	require.Eventually(t, func() bool {
		info := infoOf(t, js)
		return info != nil && info.State.FirstSeq == first && info.State.LastSeq == last
	}, patience, 10*time.Millisecond)
}

func TestSeveralPublishersOfOneLogDoNotDisorderIt(t *testing.T) {
	t.Parallel()
	b, s := newBroker(t), newShop(t)
	warned := make(lines, 1000)
	for range 3 {
		config := configOf(b.url())
		config.Log = zerolog.New(warned).Level(zerolog.WarnLevel)
		defer publishing(t, config, s.log)()
	}
	for range 40 {
		s.publish(7, "")
	}
	settle(t, b.url(), s.log)
	reader, stop := connect(t, configOf(b.url()))
	defer stop()
	assert.Equal(t, int64(280), readAll(t, reader.Source(bustest.Log), 0))
	for range len(warned) {
		line := <-warned
		if !strings.Contains(line, context.DeadlineExceeded.Error()) && !strings.Contains(line, "timeout") { // a busy machine's
			t.Errorf("they do not get in each other's way, let alone spoil the stream: %s", line)
		}
	}
}

// gapped is a log that leaves out its first event: a publisher that is behind, as the broker sees it.
type gapped struct{ bus.Source }

func (g gapped) Page(ctx context.Context, after int64, limit int) (bus.Page, error) {
	page, err := g.Source.Page(ctx, after, limit)
	if len(page.Events) > 1 {
		page.Events = page.Events[1:]
	}
	return page, err
}

func TestAGapIsNeverStored(t *testing.T) {
	t.Parallel()
	b, s := newBroker(t), newShop(t)
	s.publish(10, "")
	said := make(lines, 1000)
	config := configOf(b.url())
	config.Log = zerolog.New(said)
	stop := publishing(t, config, gapped{s.log})
	for line := range said {
		require.NotContains(t, line, "was stored as")
		if strings.Contains(line, "another process publishes this log") {
			break // which is what a refusal looks like
		}
	}
	stop()
	js, disconnect := jetStream(t, b.url())
	defer disconnect()
	assert.Zero(t, streamOf(t, js).State.Msgs)
}

func TestWhatSomethingElsePublishesIsNotTakenForAnEvent(t *testing.T) {
	t.Parallel()
	b, s := newBroker(t), newShop(t)
	stopPublishing := publishing(t, configOf(b.url()), s.log)
	s.publish(3, "")
	settle(t, b.url(), s.log)
	stopPublishing()
	js, disconnect := jetStream(t, b.url())
	defer disconnect()
	_, err := js.Publish(t.Context(), streamOf(t, js).Config.Subjects[0], []byte(`{"position":4}`))
	require.NoError(t, err)
	reader, stop := connect(t, configOf(b.url()))
	defer stop()
	source := reader.Source(bustest.Log)
	_, err = source.Page(t.Context(), 0, 10)
	require.ErrorIs(t, err, bus.ErrNotReachable)
	defer publishing(t, configOf(b.url()), s.log)() // finds that the stream goes on where the log has ended
	settle(t, b.url(), s.log)
	assert.Equal(t, int64(3), readAll(t, source, 0))
}

func TestABrokerThatIsAwayIsWaitedFor(t *testing.T) {
	t.Parallel()
	b, s := newBroker(t), newShop(t)
	b.stop()
	s.publish(5, "")
	defer publishing(t, configOf(b.url()), s.log)()
	reader, stop := connect(t, configOf(b.url()))
	defer stop()
	require.ErrorIs(t, reader.Ready(t.Context()), bus.ErrNotReachable)
	source := reader.Source(bustest.Log)
	_, err := source.Page(t.Context(), 0, 10)
	require.ErrorIs(t, err, bus.ErrNotReachable)
	assert.Equal(t, errs.Unavailable, errs.KindOf(err))
	b.start()
	settle(t, b.url(), s.log)
	require.Eventually(t, func() bool { return reader.Ready(t.Context()) == nil }, patience, 10*time.Millisecond)
	assert.Equal(t, int64(5), readAll(t, source, 0))
}

func TestWhatCanNeverWorkIsRefused(t *testing.T) {
	t.Parallel()
	_, err := natsbus.Connect(natsbus.Config{URL: "nats://127.0.0.1:1", Prefix: "two words"})
	require.Error(t, err)
	_, err = natsbus.Connect(natsbus.Config{URL: "nats://127.0.0.1:x"})
	require.Error(t, err)
}

func TestAnAddressThatIsNoneIsNotRepeated(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"nats://souk:s3cret@host:x", "nats://souk:s3cret%@host", "nats://ok:4222,nats://souk:s3cret@[::1",
	} {
		_, err := natsbus.Connect(natsbus.Config{URL: address})
		require.Error(t, err, address)
		assert.NotContains(t, err.Error(), "s3cret")
	}
}

func TestAnEventThatIsTooLargeIsReportedAsAnError(t *testing.T) {
	t.Parallel()
	b, s := newBroker(t), newShop(t)
	s.publish(1, "")
	s.publish(1, strings.Repeat("x", 2<<20))
	reported := make(lines, 100)
	config := configOf(b.url())
	config.Log = zerolog.New(reported).Level(zerolog.ErrorLevel)
	defer publishing(t, config, s.log)()
	assert.Contains(t, <-reported, "publish event 2, which has")
	reader, stop := connect(t, configOf(b.url()))
	defer stop()
	page := pageOf(t, reader.Source(bustest.Log), 0, 10)
	assert.Len(t, page.Events, 1, "what comes before it is read all the same")
}

// lines are what is logged; what nobody reads is dropped.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	select {
	case l <- string(p):
	default:
	}
	return len(p), nil
}
