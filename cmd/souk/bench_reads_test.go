package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/door"
	"souk/internal/platform/httpx"
	"souk/internal/platform/money"
)

// line asks for the same thing again and again over one connection. It does as little as can
// be, since it shares the machine with what it measures.
type line struct {
	conn net.Conn
	in   *bufio.Reader
	ask  []byte
}

func dial(t testing.TB, url, path, tag string) *line {
	t.Helper()
	host := strings.TrimPrefix(url, "http://")
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", host)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	ask := "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nAccept: application/json\r\n"
	if tag != "" {
		ask += "If-None-Match: " + tag + "\r\n"
	}
	return &line{conn: conn, in: bufio.NewReaderSize(conn, 1<<16), ask: []byte(ask + "\r\n")}
}

// get says the status and how long the body was.
func (l *line) get() (status, length int, err error) {
	if _, err := l.conn.Write(l.ask); err != nil {
		return 0, 0, err
	}
	pieces := false
	for first := true; ; first = false {
		text, err := l.in.ReadSlice('\n')
		if err != nil {
			return 0, 0, err
		}
		name, value, _ := bytes.Cut(bytes.TrimRight(text, "\r\n"), []byte(":"))
		switch {
		case first:
			status, err = strconv.Atoi(string(text[9:12]))
		case len(name) == 0:
			if pieces {
				length, err = l.pieces()
				return status, length, err
			}
			_, err = l.in.Discard(length)
			return status, length, err
		case bytes.EqualFold(name, []byte("Content-Length")):
			length, err = strconv.Atoi(string(bytes.TrimSpace(value)))
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			pieces = true
		}
		if err != nil {
			return 0, 0, err
		}
	}
}

// pieces reads past a body that comes in pieces.
func (l *line) pieces() (length int, err error) {
	for {
		text, err := l.in.ReadSlice('\n')
		if err != nil {
			return length, err
		}
		size, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 16, 32)
		if err != nil {
			return length, err
		}
		if _, err := l.in.Discard(int(size) + len("\r\n")); err != nil || size == 0 {
			return length, err
		}
		length += int(size)
	}
}

// asked is something that can be asked for over HTTP.
type asked struct {
	name, url, path, tag string
	status               int
}

// perSecond asks for it over some connections, a number of times over each.
func (a asked) perSecond(b *testing.B, clients, each int) float64 {
	b.Helper()
	lines := make([]*line, clients)
	for i := range lines {
		lines[i] = dial(b, a.url, a.path, a.tag)
	}
	var asking sync.WaitGroup
	began := time.Now()
	for _, w := range lines {
		asking.Go(func() {
			for range each {
				if status, _, err := w.get(); err != nil || status != a.status {
					b.Errorf("%s: %d %v", a.name, status, err)
					return
				}
			}
		})
	}
	asking.Wait()
	took := time.Since(began)
	for _, w := range lines {
		w.conn.Close()
	}
	return float64(clients*each) / took.Seconds()
}

// BenchmarkReads compares a listing over HTTP with handlers that answer the same fixed bytes:
// chi's alone, and one behind the whole edge, huma's layer included; and the listing with its repetition.
func BenchmarkReads(b *testing.B) {
	dir := b.TempDir()
	var listing catalog.Listing
	setup(b, dir, func(a *app) {
		shop := seller(b, a, operator(b, a, "olive@example.com"), "Lamps", 1, 10)
		draft := catalog.Draft{
			ExternalID: "lamp", Title: "A desk lamp of brass with two arms", Brand: "Lumen", Description: strings.Repeat("It gives light. ", 20),
			Variants: []catalog.VariantDraft{{SKU: "LAMP", Price: money.Money{Minor: 1999, Currency: "EUR"}, Grams: 500, Quantity: new(int64)}},
		}
		for i := range 24 { // as many facts as the real catalogue's products have
			draft.Attributes = append(draft.Attributes, catalog.Attribute{Section: "specs", Name: fmt.Sprint("fact ", i), Value: "1066.0"})
		}
		reply, err := a.ask.catalog.CreateListing(b.Context(), catalog.CreateListingRequest{
			By: shop.owner.actor, Key: key(), Seller: shop.seller.ID, Publish: true, Draft: draft,
		})
		require.NoError(b, err)
		listing = reply.Listing
	})
	l := goLive(b, dir, true)
	path := "/api/v1/catalog/listings/" + string(listing.ID)
	res, err := http.Get(l.url + path)
	require.NoError(b, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(b, err)
	require.NoError(b, res.Body.Close())
	require.Equal(b, http.StatusOK, res.StatusCode)

	sides := []asked{
		{"chi, fixed bytes", bareChi(b, body), path, "", 200},
		{"httpx.Route, fixed bytes", bareEdge(b, body), path, "", 200},
		{"souk, a listing", l.url, path, "", 200},
		{"souk, If-None-Match", l.url, path, res.Header.Get("ETag"), 304},
	}
	const clients, each = 8, 1000
	for _, s := range sides {
		s.perSecond(b, clients, each/4) // warm
	}
	rates := make([][]float64, len(sides))
	for b.Loop() {
		for range 2 * benchRounds {
			for i, s := range sides {
				rates[i] = append(rates[i], s.perSecond(b, clients, each))
			}
		}
	}
	f := found(b, "reads of a listing of %d bytes at %d connections (medians of %d interleaved rounds of %d)", len(body), clients, len(rates[0]), clients*each)
	for i, s := range sides {
		f.line("%-58s   %8.0f/s", s.name, median(rates[i]))
	}
	ratio := func(over, under int) (all []float64) {
		for i := range rates[over] {
			all = append(all, rates[over][i]/rates[under][i])
		}
		return all
	}
	f.line("%-58s   %8s %9.2f", "httpx.Route / chi", "", median(ratio(1, 0)))
	f.atLeast("listing / chi", "listing/chi", 0.45, ratio(2, 0)...)
	f.atLeast("repeat with If-None-Match / listing", "repeat/listing", 2.5, ratio(3, 2)...)
	f.print()
}

func bareChi(b *testing.B, body []byte) string {
	r := chi.NewRouter()
	r.Get("/api/v1/catalog/listings/{id}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	})
	return listenHere(b, r)
}

type fixedIn struct {
	ID string `path:"id" maxLength:"40"`
	httpx.IfNoneMatch
}

type encodedOut struct {
	httpx.ETag
	Body httpx.Encoded[map[string]any]
}

func bareEdge(b *testing.B, body []byte) string {
	b.Helper()
	var listing map[string]any
	require.NoError(b, json.Unmarshal(body, &listing))
	fixed, err := httpx.Encode(listing)
	require.NoError(b, err)
	tag := fixed.Tag()
	server := httpx.New(httpx.Config{Log: zerolog.New(io.Discard)})
	httpx.Route(server.API(door.New("catalog", 0, zerolog.Nop())), httpx.Op{
		Method: http.MethodGet, Path: "/api/v1/catalog/listings/{id}", Who: httpx.Anyone, Summary: "Read",
	}, func(context.Context, actor.Actor, fixedIn) (encodedOut, error) {
		return encodedOut{ETag: httpx.Tagged(tag), Body: fixed}, nil
	})
	return listenHere(b, server.Handler())
}
