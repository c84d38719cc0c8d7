package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/platform/money"
)

// street is a marketplace with two sellers, an operator and a buyer, and a souk that serves it.
type street struct {
	*running // the process with the pages
	others   []*running
	topology topology
	more     []string // arguments of every process
	secret   string   // file with what the processes share
	db       string   // address of a PostgreSQL database; "" for files
	folders  []string // of full replicas on that database, which are served behind a balancer
	probes   probes   // into every process

	lamps, mugs     shopOf
	operator, buyer someone
}

// open fills a folder with a street and serves it in one process.
func open(t *testing.T) *street {
	t.Helper()
	return openAs(t, topologies()[0])
}

// openAs fills a folder with a street and serves it in the processes of a topology.
func openAs(t testing.TB, as topology, more ...string) *street {
	t.Helper()
	s := filled(t, as)
	s.more = more
	s.serve(t, s.dir)
	return s
}

// filled is a street that nobody serves yet.
func filled(t testing.TB, as topology) *street {
	t.Helper()
	return filledOn(t, as, "")
}

// filledOn is filled with the data in a PostgreSQL database, where db names one.
func filledOn(t testing.TB, as topology, db string) *street {
	t.Helper()
	s := &street{running: &running{dir: t.TempDir()}, topology: as, db: db}
	setupOn(t, s.dir, db, func(a *app) {
		s.operator = operator(t, a, "olive@example.com")
		s.buyer = register(t, a, "bea@example.com")
		s.lamps = seller(t, a, s.operator, "Lamps", 3, 20)
		s.mugs = seller(t, a, s.operator, "Mugs", 3, 20)
	})
	return s
}

// serve starts the processes on dir, and waits until all of them are ready.
func (s *street) serve(t testing.TB, dir string) {
	t.Helper()
	if s.folders != nil {
		s.serveReplicas(t)
		return
	}
	s.secret = filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(s.secret, []byte(key()+key()), 0o600))
	at := make([]string, len(s.topology.Processes))
	for i := range at {
		at[i] = freeAddress(t)
	}
	s.others = nil
	for i := range at {
		args := append([]string{"--log-level", "error"}, s.topology.arguments(i, at)...)
		args = append(args, s.more...)
		if s.db != "" {
			args = append(args, "--db", s.db)
		}
		if len(at) > 1 {
			args = append(args, "--peer-secret-file", s.secret)
		}
		process := startProbed(t, dir, &bytes.Buffer{}, s.probes, args...)
		if i == 0 {
			s.running = process
		} else {
			s.others = append(s.others, process)
		}
	}
	s.ready(t)
}

var loopbacks atomic.Int64

// freeAddress is one at which nothing listens, and nobody else will: of this machine's own it is one that no other test has.
// Where there is only the usual one, it is one of that.
func freeAddress(t testing.TB) string {
	t.Helper()
	n := loopbacks.Add(1)
	ln, err := net.Listen("tcp", fmt.Sprintf("127.%d.%d.%d:0", 1+os.Getpid()%250, 1+n/250%250, 1+n%250))
	if err != nil {
		return usualAddress(t)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// usualAddress is one at which nothing listens on the loopback address that certificates are for. It is kept for who listens there,
// as souk up keeps those of its processes.
func usualAddress(t testing.TB) string {
	t.Helper()
	u := &upping{}
	free, err := u.freeAddresses(1)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, u.close()) })
	return free[0]
}

// halt stops every process, and waits for its end.
func (s *street) halt(t testing.TB) {
	t.Helper()
	for _, process := range append([]*running{s.running}, s.others...) {
		process.stop()
		require.Equal(t, exitOK, <-process.status, process.stderr)
	}
}

// journeys are what is tried in every topology.
var journeys = map[string]func(t *testing.T, s *street){
	"buy from two sellers, ship, deliver": journeyBuyFromTwoSellersShipAndDeliver,
	"declined, and bought again":          journeyDeclined,
	"approve by redirect":                 journeyApproveByRedirect,
	"the price changes at checkout":       journeyPriceChangesAtCheckout,
	"cancel and refund":                   journeyCancelAndRefund,
}

// startNATS is the address of a NATS of the test's own.
func startNATS(t *testing.T) string {
	t.Helper()
	return natsOn(t, t.TempDir(), server.RANDOM_PORT).ClientURL()
}

// natsOn starts a NATS on a folder, until the test ends.
func natsOn(t *testing.T, dir string, port int) *server.Server {
	t.Helper()
	broker, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: dir, SyncAlways: true, NoLog: true, NoSigs: true,
	})
	require.NoError(t, err)
	go broker.Start()
	t.Cleanup(func() { broker.Shutdown(); broker.WaitForShutdown() })
	until(t, "NATS is there", func() bool { return broker.ReadyForConnections(time.Second) })
	return broker
}

// TestJourneysOverNATS makes every journey with every module in its own process and events through NATS.
func TestJourneysOverNATS(t *testing.T) {
	t.Parallel()
	nats := startNATS(t)
	for name, journey := range journeys {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openAs(t, mustTopology(t, "apart"), "--bus", nats, "--bus-prefix", key())
			journey(t, s)
			s.sound(t)
		})
	}
}

// TestJourneys makes every journey, in one process and with every module in its own; under CI, or where
// SOUK_TOPOLOGIES is all, in every topology that there is.
func TestJourneys(t *testing.T) {
	t.Parallel()
	every := os.Getenv("CI") != "" || os.Getenv("SOUK_TOPOLOGIES") == "all"
	for _, as := range topologies() {
		if !every && as.Name != "one" && as.Name != "apart" {
			continue
		}
		for name, journey := range journeys {
			t.Run(as.Name+"/"+name, func(t *testing.T) {
				t.Parallel()
				s := openAs(t, as)
				journey(t, s)
				s.sound(t)
			})
		}
	}
}

func (s *street) as(who someone) *shopper { return &shopper{url: s.url, bearer: who.token} }

// sound fails the test unless everything adds up.
func (s *street) sound(t *testing.T) {
	t.Helper()
	report := verifyAt(t, s.dir)
	assert.True(t, report.Sound(), broken(report))
}

// The parts of orders that journeys look at.
type (
	orderSeen struct {
		ID           string            `json:"id"`
		Number       string            `json:"number"`
		Status       string            `json:"status"`
		Refunded     amount            `json:"refunded"`
		SellerOrders []sellerOrderSeen `json:"seller_orders"`
	}
	sellerOrderSeen struct {
		ID         string `json:"id"`
		Fulfilment string `json:"fulfilment"`
		Paid       bool   `json:"paid"`
		Lines      []struct {
			ID    string `json:"id"`
			Title string `json:"title"`
		} `json:"lines"`
		Parcels []struct {
			ID string `json:"id"`
		} `json:"parcels"`
	}
)

// order reads an order; a guest brings its link.
func (s *shopper) order(t *testing.T, id, link string) orderSeen {
	t.Helper()
	path := "/api/v1/orders/orders/" + id
	if link != "" {
		path += "?link=" + url.QueryEscape(link)
	}
	var o orderSeen
	s.must(t, http.MethodGet, path, "", nil, &o)
	return o
}

func journeyBuyFromTwoSellersShipAndDeliver(t *testing.T, s *street) {
	buyer := s.as(s.buyer)
	c := buyer.buy(t, "sandbox_ok", seen(s.lamps.listings[0]), seen(s.mugs.listings[1]))
	require.Equal(t, "placed", c.Status, c.Message)
	assert.Empty(t, c.Link, "whoever is signed in needs no link")

	var history struct {
		Orders []orderSeen `json:"orders"`
	}
	buyer.must(t, http.MethodGet, "/api/v1/orders/orders", "", nil, &history)
	require.Len(t, history.Orders, 1)
	assert.Equal(t, c.Number, history.Orders[0].Number)

	o := buyer.order(t, c.Order, "")
	require.Len(t, o.SellerOrders, 2)
	until(t, "the order is paid", func() bool {
		o = buyer.order(t, c.Order, "")
		return o.SellerOrders[0].Paid
	})
	for i, shop := range []shopOf{s.lamps, s.mugs} {
		staff := s.as(shop.owner)
		part := o.SellerOrders[i]
		var shipped sellerOrderSeen
		staff.must(t, http.MethodPost, "/api/v1/orders/seller-orders/"+part.ID+"/parcels", key(), map[string]any{"carrier": "DHL", "tracking": "JD01"}, &shipped)
		assert.Equal(t, "shipped", shipped.Fulfilment)
		require.Len(t, shipped.Parcels, 1)
		staff.must(t, http.MethodPost, "/api/v1/orders/seller-orders/"+part.ID+"/parcels/"+shipped.Parcels[0].ID+"/delivery", key(), nil, &shipped)
		assert.Equal(t, "delivered", shipped.Fulfilment)
	}
	assert.Equal(t, "completed", buyer.order(t, c.Order, "").Status)
	until(t, "what was bought sells best", func() bool {
		var best struct {
			Hits []struct {
				Listing string `json:"listing"`
			} `json:"hits"`
		}
		buyer.must(t, http.MethodGet, "/api/v1/search/listings?sort=bestselling&limit=2", "", nil, &best)
		bought := []string{seen(s.lamps.listings[0]).ID, seen(s.mugs.listings[1]).ID}
		return len(best.Hits) == 2 && slices.Contains(bought, best.Hits[0].Listing) && slices.Contains(bought, best.Hits[1].Listing)
	})
}

func journeyDeclined(t *testing.T, s *street) {
	g := newGuest(t, s.url)
	c := g.buy(t, "sandbox_declined", seen(s.lamps.listings[0]))
	assert.Equal(t, "rejected", c.Status)
	assert.Equal(t, "declined", c.Reason)

	q, err := g.quote(t.Context())
	require.NoError(t, err)
	require.Empty(t, q.Problems, "the cart is there again")
	again, _ := g.follow(t, q, "sandbox_ok", key())
	assert.Equal(t, "placed", again.Status, again.Message)
}

func journeyApproveByRedirect(t *testing.T, s *street) {
	for decision, want := range map[string]string{"approve": "placed", "decline": "rejected"} {
		g := newGuest(t, s.url)
		a, err := g.add(t.Context(), string(s.lamps.listings[1].Variants[0].ID), 1)
		require.NoError(t, err)
		require.Less(t, a.status, 300, string(a.body))
		q, err := g.quote(t.Context())
		require.NoError(t, err)
		k := key()
		var c checkoutSeen
		until(t, "it is the buyer's turn", func() bool {
			c, a, err = g.checkout(t.Context(), q, "sandbox_redirect", k)
			require.NoError(t, err)
			require.Equal(t, http.StatusAccepted, a.status, string(a.body))
			return c.ActionURL != ""
		})

		page := s.url + strings.TrimPrefix(c.ActionURL, s.url)
		client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		res, err := client.Get(page)
		require.NoError(t, err)
		res.Body.Close()
		require.Equal(t, http.StatusOK, res.StatusCode)
		res, err = client.PostForm(page, url.Values{"decision": {decision}})
		require.NoError(t, err)
		res.Body.Close()
		require.Equal(t, http.StatusSeeOther, res.StatusCode)
		assert.Contains(t, res.Header.Get("Location"), c.Order)

		settled, _ := g.follow(t, q, "sandbox_redirect", k)
		assert.Equal(t, c.Order, settled.Order)
		assert.Equal(t, want, settled.Status, settled.Message)
	}
}

func journeyPriceChangesAtCheckout(t *testing.T, s *street) {
	lamp := s.lamps.listings[2]
	g := newGuest(t, s.url)
	_, err := g.add(t.Context(), string(lamp.Variants[0].ID), 1)
	require.NoError(t, err)
	q, err := g.quote(t.Context())
	require.NoError(t, err)

	s.halt(t)
	setupOn(t, s.dir, s.db, func(a *app) {
		v := lamp.Variants[0]
		_, err := a.ask.catalog.EditListing(t.Context(), catalog.EditListingRequest{
			By: s.lamps.owner.actor, Key: key(), Listing: lamp.ID, Version: lamp.Version, Draft: catalog.Draft{
				ExternalID: lamp.ExternalID, Title: lamp.Title,
				Variants: []catalog.VariantDraft{{ID: v.ID, SKU: v.SKU, Price: money.Money{Minor: v.Price.Minor + 250, Currency: "EUR"}, Grams: v.Grams}},
			},
		})
		require.NoError(t, err)
	})
	s.serve(t, s.dir)
	g.url = s.url

	c, _ := g.follow(t, q, "sandbox_ok", key())
	assert.Equal(t, "rejected", c.Status)
	assert.Equal(t, "quote_changed", c.Reason)
	now, err := g.quote(t.Context())
	require.NoError(t, err)
	assert.Equal(t, q.Sums.Goods.Minor+250, now.Sums.Goods.Minor)
	c, _ = g.follow(t, now, "sandbox_ok", key())
	assert.Equal(t, "placed", c.Status, c.Message)
	assert.Equal(t, now.Sums.Total, c.Total)
}

func journeyCancelAndRefund(t *testing.T, s *street) {
	g := newGuest(t, s.url)
	c := g.buy(t, "sandbox_ok", seen(s.lamps.listings[0]), seen(s.mugs.listings[0]))
	require.Equal(t, "placed", c.Status, c.Message)
	require.NotEmpty(t, c.Link)
	o := g.order(t, c.Order, c.Link)
	part := o.SellerOrders[0]
	var cancelled sellerOrderSeen
	g.must(t, http.MethodPost, "/api/v1/orders/seller-orders/"+part.ID+"/cancellations?link="+url.QueryEscape(c.Link), key(), map[string]any{"why": "changed my mind"}, &cancelled)
	assert.Equal(t, "cancelled", cancelled.Fulfilment)
	o = g.order(t, c.Order, c.Link)
	assert.Positive(t, o.Refunded.Minor)
	assert.Less(t, o.Refunded.Minor, c.Total.Minor)

	var payments struct {
		Payments []struct {
			Refunded amount `json:"refunded"`
		} `json:"payments"`
	}
	until(t, "the money is on its way back", func() bool {
		s.as(s.operator).must(t, http.MethodGet, "/api/v1/payments/orders/"+c.Order+"/payments", "", nil, &payments)
		return len(payments.Payments) == 1 && payments.Payments[0].Refunded == o.Refunded
	})
}

func TestJourneyBackupWhileServingRestoresSound(t *testing.T) {
	t.Parallel()
	s := open(t)
	stop, begun := make(chan struct{}), make(chan struct{})
	bought := make(chan int, 1)
	go func() { // buys until it is told to stop
		n := 0
		beginning := sync.OnceFunc(func() { close(begun) })
		defer func() { beginning(); bought <- n }()
		for {
			select {
			case <-stop:
				return
			default:
			}
			g, err := guest(t.Context(), s.url, nil)
			if err != nil {
				return
			}
			if a, err := g.add(t.Context(), string(s.mugs.listings[n%3].Variants[0].ID), 1); err != nil || a.status >= 300 {
				return // sold out
			}
			q, err := g.quote(t.Context())
			if err != nil {
				return
			}
			if _, _, err := g.checkout(t.Context(), q, "sandbox_ok", key()); err != nil {
				return
			}
			n++
			beginning()
		}
	}()
	<-begun // it goes on for longer than the backup takes, however fast that is
	into := filepath.Join(t.TempDir(), "backup")
	got := souk(t, nil, "backup", into, "--data", s.dir)
	close(stop)
	require.Equal(t, exitOK, got.status, got.stderr)
	require.Positive(t, <-bought)

	fresh := filepath.Join(t.TempDir(), "restored")
	got = souk(t, nil, "restore", into, "--data", fresh)
	require.Equal(t, exitOK, got.status, got.stdout+got.stderr)
	assert.Contains(t, got.stdout, "everything adds up")
	assert.Contains(t, got.stdout, "payments are paused")

	r := start(t, fresh, "--log-level", "error")
	restored := &street{running: r, lamps: s.lamps, mugs: s.mugs}
	got = souk(t, nil, "admin", "resume-payments", "--data", fresh, "--why", "a test")
	require.Equal(t, exitOK, got.status, got.stderr)
	g := newGuest(t, r.url)
	c := g.buy(t, "sandbox_ok", seen(s.lamps.listings[0]))
	assert.Equal(t, "placed", c.Status, c.Message)
	restored.sound(t)
}
