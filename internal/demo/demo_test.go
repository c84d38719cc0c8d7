package demo_test

import (
	"context"
	"crypto/sha256"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/accounts"
	"souk/internal/accounts/accountstest"
	"souk/internal/cart"
	"souk/internal/cart/carttest"
	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/demo"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/page"
)

// marketplace is the fakes of the modules that the demo fills. They refuse what the modules would.
type marketplace struct {
	demo.Services
	accounts []demo.Account
	progress [][2]int
}

func empty() *marketplace {
	now := clock.NewManual(clock.Of(time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC))).Now
	goods := catalogtest.NewFake(now)
	return &marketplace{Services: demo.Services{Accounts: accountstest.NewFake(now), Catalog: goods, Cart: carttest.NewFake(now, goods)}}
}

func fill(ctx context.Context) (*marketplace, error) {
	m := empty()
	var err error
	m.accounts, err = demo.Fill(ctx, m.Services, func(done, of int) { m.progress = append(m.progress, [2]int{done, of}) })
	return m, err
}

// shared is filled once, for the tests that only look.
var shared = sync.OnceValues(func() (*marketplace, error) { return fill(context.Background()) })

func filled(t *testing.T) *marketplace {
	t.Helper()
	m, err := shared()
	require.NoError(t, err)
	return m
}

func (m *marketplace) listings(t *testing.T) []catalog.Listing {
	t.Helper()
	var all []catalog.Listing
	for cursor := ""; ; {
		reply, err := m.Catalog.ListListings(t.Context(), catalog.ListListingsRequest{By: actor.System(""), Page: page.Request{Cursor: cursor, Limit: 100}})
		require.NoError(t, err)
		all = append(all, reply.Listings...)
		if cursor = reply.Next; cursor == "" {
			return all
		}
	}
}

func (m *marketplace) sellers(t *testing.T, status catalog.SellerStatus) []catalog.Seller {
	t.Helper()
	reply, err := m.Catalog.ListSellers(t.Context(), catalog.ListSellersRequest{By: actor.System(""), Status: status, Page: page.Request{Limit: 100}})
	require.NoError(t, err)
	require.Empty(t, reply.Next)
	return reply.Sellers
}

func TestTheDemoHasSomethingOfEverything(t *testing.T) {
	t.Parallel()
	m := filled(t)
	all := m.listings(t)
	assert.GreaterOrEqual(t, len(all), 300)
	assert.Len(t, m.sellers(t, catalog.SellerApproved), 12)
	assert.Len(t, m.sellers(t, catalog.SellerApplied), 2)
	assert.Len(t, m.sellers(t, catalog.SellerSuspended), 1)

	titles, paths := map[string]bool{}, map[string]bool{}
	var variants, soldOut, coloured, sized int
	for _, l := range all {
		assert.Equal(t, catalog.ListingActive, l.Status, l.Title)
		assert.False(t, titles[l.Title], "%s is there twice", l.Title)
		titles[l.Title], paths[l.Path] = true, true
		assert.NotEmpty(t, l.Path, l.Title)
		require.Len(t, l.Images, 1, l.Title)
		assert.NotEmpty(t, l.Images[0].Alt, l.Title)
		for _, v := range l.Variants {
			variants++
			assert.Positive(t, v.Price.Minor, l.Title)
			assert.Positive(t, v.Grams, l.Title)
			assert.Contains(t, []int64{0, 90}, v.Price.Minor%100, "%s at %s", l.Title, v.Price)
			if v.Stock.Available == 0 {
				soldOut++
			}
			if len(v.Options) > 0 && v.Options[0].Name == "Colour" {
				coloured++
			}
			if len(v.Options) > 0 && v.Options[0].Name == "Size" {
				sized++
			}
		}
	}
	assert.Greater(t, len(paths), 24)
	assert.Positive(t, coloured)
	assert.Positive(t, sized)
	assert.InDelta(t, 1.0/12, float64(soldOut)/float64(variants), 0.025, "%d of %d are sold out", soldOut, variants)
	assert.Equal(t, [2]int{1, len(all)}, m.progress[0])
	assert.Equal(t, [2]int{len(all), len(all)}, m.progress[len(m.progress)-1])
	assert.Len(t, m.progress, len(all))
}

func TestTheDemoIsTheSameEachTimeButForPasswords(t *testing.T) {
	t.Parallel()
	one := filled(t)
	other, err := fill(t.Context())
	require.NoError(t, err)
	same := func(all []catalog.Listing) []catalog.Draft {
		drafts := make([]catalog.Draft, len(all))
		for i, l := range all {
			drafts[i] = catalog.Draft{ExternalID: l.ExternalID, Title: l.Title, Description: l.Description, Brand: l.Brand, Attributes: l.Attributes, Images: l.Images, TaxClass: l.TaxClass}
			for _, v := range l.Variants {
				stock := v.Stock.Available
				drafts[i].Variants = append(drafts[i].Variants, catalog.VariantDraft{SKU: v.SKU, Options: v.Options, Price: v.Price, Grams: v.Grams, Quantity: &stock})
			}
		}
		return drafts
	}
	assert.ElementsMatch(t, same(one.listings(t)), same(other.listings(t)))
	require.Len(t, other.accounts, len(one.accounts))
	passwords := map[string]bool{}
	for i, a := range one.accounts {
		b := other.accounts[i]
		assert.Equal(t, [2]string{a.Role, a.Email}, [2]string{b.Role, b.Email})
		for _, p := range []string{a.Password, b.Password} {
			assert.GreaterOrEqual(t, len(p), 16)
			assert.False(t, passwords[p])
			passwords[p] = true
		}
	}
}

func hash(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) }

func TestOneCanSignInAsEveryone(t *testing.T) {
	t.Parallel()
	m := filled(t)
	assert.Len(t, m.accounts, 2+12+3)
	for _, a := range m.accounts {
		reply, err := m.Accounts.SignIn(t.Context(), accounts.SignInRequest{
			Key: "key_" + a.Email, Email: a.Email, Password: a.Password, Session: hash(a.Email), Address: "127.0.0.1",
		})
		require.NoError(t, err, a.Role)
		assert.Equal(t, a.Role == "operator", reply.Actor.IsOperator(), a.Role)
		if a.Role != "buyer" {
			continue
		}
		book, err := m.Accounts.ListAddresses(t.Context(), accounts.ListAddressesRequest{By: reply.Actor})
		require.NoError(t, err)
		require.NotEmpty(t, book.Addresses)
		assert.Equal(t, "DE", book.Addresses[0].Postal.Country)
	}
}

func TestThereAreTermsToTry(t *testing.T) {
	t.Parallel()
	m := filled(t)
	reply, err := m.Cart.ListCoupons(t.Context(), cart.ListCouponsRequest{By: actor.System("")})
	require.NoError(t, err)
	funders := map[cart.Funder]string{}
	for _, c := range reply.Coupons {
		funders[c.Funder] = c.Code
		assert.Equal(t, c.Funder == cart.FunderSeller, c.Seller != "", c.Code)
	}
	assert.Equal(t, map[cart.Funder]string{cart.FunderPlatform: "WELCOME10", cart.FunderSeller: "HERON5"}, funders)

	var ids []catalog.SellerID
	for _, s := range m.sellers(t, catalog.SellerApproved) {
		ids = append(ids, s.ID)
	}
	tables, err := m.Cart.GetShipping(t.Context(), cart.GetShippingRequest{Sellers: ids})
	require.NoError(t, err)
	kinds := map[cart.ShippingKind]int{}
	for _, table := range tables.Tables {
		if table.Version > 0 {
			kinds[table.Zones[0].Kind]++
		}
	}
	assert.Equal(t, map[cart.ShippingKind]int{cart.ShippingByWeight: 1, cart.ShippingFlat: 1}, kinds)
}

func TestAMarketplaceThatIsFilledIsNotFilledAgain(t *testing.T) {
	t.Parallel()
	m := filled(t)
	before := len(m.listings(t))
	_, err := demo.Fill(t.Context(), m.Services, func(int, int) {})
	require.ErrorIs(t, err, accounts.ErrEmailTaken)
	assert.Len(t, m.listings(t), before)
}

func get(t *testing.T, path string) *http.Response {
	t.Helper()
	w := httptest.NewRecorder()
	demo.Pictures().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return w.Result()
}

func TestEveryPictureIsDrawn(t *testing.T) {
	t.Parallel()
	drawn := map[string]string{}
	for _, l := range filled(t).listings(t) {
		url := l.Images[0].URL
		r := get(t, url)
		require.Equal(t, http.StatusOK, r.StatusCode, url)
		assert.Equal(t, "image/svg+xml", r.Header.Get("Content-Type"))
		assert.Contains(t, r.Header.Get("Cache-Control"), "immutable")
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		assert.NotContains(t, string(body), "%!", "a colour is missing")
		require.NoError(t, wellFormed(string(body)), url)
		drawn[url] = string(body)
	}
	kinds := map[string]bool{}
	for url := range drawn {
		form, _, _ := strings.Cut(strings.TrimPrefix(url, demo.Prefix), "-")
		kinds[form] = true
	}
	assert.Len(t, kinds, demo.Forms, "something is drawn that nobody sells")
}

// wellFormed says what is wrong with a drawing, and with drawings that do more than show.
func wellFormed(svg string) error {
	d := xml.NewDecoder(strings.NewReader(svg))
	depth := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch e := token.(type) {
		case xml.StartElement:
			if depth == 0 && (e.Name.Local != "svg" || e.Name.Space != "http://www.w3.org/2000/svg") {
				return errors.New("it is no SVG")
			}
			if e.Name.Local == "script" || e.Name.Local == "image" || e.Name.Local == "foreignObject" {
				return errors.New("it has a " + e.Name.Local)
			}
			depth++
		case xml.EndElement:
			depth--
		}
	}
}

func TestThereIsNoOtherPicture(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"", "mug.svg", "mug-ocean.svg", "cup-ocean-1.svg", "mug-pink-1.svg", "mug-ocean-1-2.svg", "mug-ocean-1.png", "mug-ocean-1",
		"mug-ocean-.svg", "mug-ocean-x.svg", "mug-ocean-97.svg", "mug-ocean-01.svg",
	} {
		assert.Equal(t, http.StatusNotFound, get(t, demo.Prefix+name).StatusCode, name)
	}
	assert.Equal(t, http.StatusOK, get(t, demo.Prefix+"mug-ocean-96.svg").StatusCode)
}
