package searchsvc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/door"
	"souk/internal/platform/httpx"
	"souk/internal/platform/money"
	"souk/internal/platform/store/storetest"
)

var update = flag.Bool("update", false, "write golden files anew")

// site is search behind HTTP, with a few listings of fixed ids.
type site struct {
	*bench
	t   *testing.T
	url string
}

func fixed[T ~string](prefix string, n int) T { return T(fmt.Sprintf("%s%026d", prefix, n)) }

func newSite(t *testing.T) *site {
	t.Helper()
	now := clock.NewManual(1_770_000_000_000)
	goods, _, _ := shop(1)
	b := newBench(t, goods, storetest.Clock(now.Now))
	north := fixed[catalog.SellerID]("sel_", 1)
	events := []catalogtest.Event{
		catalog.SellerChanged{SellerID: north, Slug: "north", Name: "North", Status: catalog.SellerApproved},
		catalog.CategoryChanged{Category: catalog.Category{ID: fixed[catalog.CategoryID]("cat_", 1), Path: "lamps", Name: "Lamps"}},
	}
	for i, title := range []string{"Brass desk lamp", "Brass desk lamp, tall", "Oak lamp"} {
		events = append(events, catalog.ListingChanged{
			ListingID: fixed[catalog.ListingID]("lst_", i+1), SellerID: north, Title: title, Description: "A lamp to read by.", Brand: "Elm", Path: "lamps",
			Image: "/picture.svg", Status: catalog.ListingActive, CreatedAt: now.Now() + clock.Time(i), Version: 1,
			Variants: []catalog.ListingVariant{{Price: money.Money{Minor: int64(1000 * (i + 1)), Currency: "EUR"}, InStock: i != 1}},
		})
	}
	require.NoError(t, b.hear(t.Context(), events))
	server := httpx.New(httpx.Config{Log: zerolog.Nop(), Now: now.Now, Resolver: resolve})
	b.Module().Routes(server.API(door.New("search", 10, zerolog.Nop())))
	ts := httptest.NewServer(server.Handler())
	t.Cleanup(ts.Close)
	return &site{bench: b, t: t, url: ts.URL}
}

func resolve(_ context.Context, r *http.Request) (actor.Actor, error) {
	scopes := []actor.Scope{actor.ScopeRead, actor.ScopeOperate}
	switch _, token := httpx.Credential(r); token {
	case "buyer":
		return actor.Actor{Kind: actor.KindPerson, Person: "per_00000000000000000000000001", Scopes: scopes}, nil
	case "operator":
		return actor.Actor{Kind: actor.KindOperator, Person: "per_00000000000000000000000002", Scopes: scopes}, nil
	default:
		return actor.Nobody(), nil
	}
}

func (s *site) do(who, method, path string, header ...string) (int, []byte) {
	s.t.Helper()
	return s.send(who, method, path, nil, header...)
}

func (s *site) send(who, method, path string, sent io.Reader, header ...string) (int, []byte) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+"/api/v1/search/"+path, sent)
	require.NoError(s.t, err)
	if who != "" {
		r.Header.Set("Authorization", "Bearer "+who)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	require.NoError(s.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	return resp.StatusCode, body
}

func TestWhatClientsSee(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for name, path := range map[string]string{
		"listings":    "listings?q=brass+lamp&facets=true&in_stock=true&limit=5",
		"page":        "listings?sort=price_up&limit=1",
		"nothing":     "listings?q=trombone",
		"suggestions": "suggestions?q=bra",
	} {
		status, body := s.do("", http.MethodGet, path)
		require.Equal(t, http.StatusOK, status, "%s: %s", name, body)
		golden(t, name, body)
	}
}

func TestAnyTextIsASearch(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for name, text := range map[string]string{
		"long": strings.Repeat("x", 10_000), "many words": strings.Repeat("lamp ", 2000), "hyphens": strings.Repeat("a-", 5000), "nothing that is text": "brass\x00lamp",
		"no UTF-8": "lamp\xff", "controls": "\x01\x1b\u202e", "signs": `"'*^:{}()-+~\\NEAR(`, "no spaces": strings.Repeat("日本語", 3000),
	} {
		for _, path := range []string{"listings", "suggestions"} {
			status, body := s.do("", http.MethodGet, path+"?"+url.Values{"q": {text}}.Encode())
			assert.Equal(t, http.StatusOK, status, "%s of %s: %s", path, name, body)
		}
	}
	status, body := s.do("", http.MethodGet, "listings?q=lamp&sort=dearest")
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Contains(t, string(body), `should be one of \"relevance, price_up`)
	_, body = s.do("", http.MethodGet, "listings?q=brass%00lamp")
	assert.Contains(t, string(body), `"total":2`)
}

// searchName is what a search is called: in each database something else.
var searchName = regexp.MustCompile(`"search":"[0-9a-z]{12}"`)

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	got = searchName.ReplaceAll(got, []byte(`"search":"of the database"`))
	var pretty bytes.Buffer
	require.NoError(t, json.Indent(&pretty, got, "", "  "), "%s", got)
	file := filepath.Join("testdata", name+".json")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o750))
		require.NoError(t, os.WriteFile(file, pretty.Bytes(), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), pretty.String(), name)
}

func TestWhoMayAskWhat(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	key := []string{"Idempotency-Key", "key-of-the-test"}
	for _, tt := range []struct {
		who, method, path string
		header            []string
		want              int
	}{
		{"", "GET", "listings", nil, 200},
		{"", "GET", "listings?q=%22AND%20(", nil, 200},
		{"", "GET", "listings?brand=Elm&brand=Oak&category=lamps&currency=EUR&price_min=1&price_max=5", nil, 200},
		{"", "GET", "listings?price_min=1", nil, 400},
		{"", "GET", "listings?price_min=-1", nil, 400},
		{"", "GET", "listings?sort=best", nil, 400},
		{"", "GET", "listings?limit=101", nil, 400},
		{"", "GET", "listings?cursor=nonsense", nil, 400},
		{"", "GET", "listings?nothing=1", nil, 400},
		{"", "GET", "suggestions", nil, 200},
		{"", "GET", "suggestions?q=bra&limit=21", nil, 400},
		{"", "POST", "rebuilds", key, 401},
		{"buyer", "POST", "rebuilds", key, 403},
		{"operator", "POST", "rebuilds", nil, 400},
		{"operator", "POST", "rebuilds", key, 201},
		{"operator", "POST", "rebuilds", key, 201},
	} {
		status, body := s.do(tt.who, tt.method, tt.path, tt.header...)
		assert.Equal(t, tt.want, status, "%q %s %s: %s", tt.who, tt.method, tt.path, body)
	}
}

func TestPagesOverHTTP(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	seen, cursor := 0, ""
	for range 5 {
		status, body := s.do("", http.MethodGet, "listings?q=lamp&limit=1&cursor="+cursor)
		require.Equal(t, http.StatusOK, status, "%s", body)
		var page struct {
			Hits       []any  `json:"hits"`
			NextCursor string `json:"next_cursor"`
		}
		require.NoError(t, json.Unmarshal(body, &page))
		seen += len(page.Hits)
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	assert.Equal(t, 3, seen)
}
