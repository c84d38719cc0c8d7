package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// crew are who acts on orders after they were placed: the staff of each seller, and an operator.
type crew struct {
	staff    map[string]string // seller to bearer token
	operator string
	listings []listingSeen // one of each seller
}

// fillForCrashes makes a marketplace of eight sellers in dir.
func fillForCrashes(t *testing.T, dir string) crew {
	t.Helper()
	return fillForCrashesOn(t, dir, "")
}

// fillForCrashesOn is fillForCrashes with the data in a PostgreSQL database, where db names one.
func fillForCrashesOn(t *testing.T, dir, db string) crew {
	t.Helper()
	c := crew{staff: map[string]string{}}
	setupOn(t, dir, db, func(a *app) {
		boss := operator(t, a, "olive@example.com")
		c.operator = boss.token
		for i := range 8 {
			shop := seller(t, a, boss, fmt.Sprintf("Shop%d", i), 1, 100_000)
			c.staff[string(shop.seller.ID)] = shop.owner.token
			c.listings = append(c.listings, seen(shop.listings[0]))
		}
	})
	return c
}

// orderAct is an act on an order as whoever did it knows it.
type orderAct struct {
	by    shopper
	path  string
	key   string
	body  any
	acked bool
	said  int // the status that was acknowledged
}

func (d *orderAct) do(ctx context.Context) (answer, error) {
	a, err := d.by.do(ctx, http.MethodPost, d.path, d.key, d.body)
	if err == nil && a.status < 500 && a.status != http.StatusTooManyRequests {
		d.acked, d.said = true, a.status
	}
	return a, err
}

// settle repeats the deed by its key after the crash, and compares.
func (d *orderAct) settle(t *testing.T, url, when string) {
	t.Helper()
	d.by.url = url
	was := *d
	until(t, when+": "+d.path, func() bool {
		_, err := d.do(t.Context())
		require.NoError(t, err, when)
		return d.acked && (d.said == was.said || !was.acked)
	})
	if was.acked {
		assert.Equal(t, was.said, d.said, "%s: %s was answered otherwise before", when, d.path)
	}
}

// partSeen is a seller's part of an order with what acts on it need.
type partSeen struct {
	ID     string `json:"id"`
	Seller string `json:"seller"`
	Paid   bool   `json:"paid"`
	Lines  []struct {
		ID string `json:"id"`
	} `json:"lines"`
	Parcels []struct {
		ID string `json:"id"`
	} `json:"parcels"`
}

type partsSeen struct {
	Case         bool       `json:"case"`
	Captured     bool       `json:"captured"`
	SellerOrders []partSeen `json:"seller_orders"`
}

// settled reads an order until its money was taken or refused, or ctx ends.
func (b *bought) settled(ctx context.Context) (o partsSeen, ok bool) {
	for ctx.Err() == nil {
		a, err := b.shopper.do(ctx, http.MethodGet, "/api/v1/orders/orders/"+b.said.Order+"?link="+url.QueryEscape(b.said.Link), "", nil)
		if err != nil {
			return o, false
		}
		o = partsSeen{}
		if a.status == http.StatusOK && json.Unmarshal(a.body, &o) == nil && (o.Captured || o.Case) {
			return o, true
		}
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Millisecond):
		}
	}
	return o, false
}

// acts are what is done to a placed order: parts are cancelled by the guest, shipped by their seller
// and arrive, and a refused charge is tried again.
func (c crew) acts(ctx context.Context, b *bought, random *rand.Rand, done func(*orderAct)) {
	o, ok := b.settled(ctx)
	if !ok {
		return
	}
	act := func(by shopper, path string, body any) bool {
		d := &orderAct{by: by, path: "/api/v1/orders/" + path, key: key(), body: body}
		a, err := d.do(ctx)
		done(d)
		return err == nil && a.status < 300
	}
	if o.Case && random.IntN(3) > 0 {
		act(shopper{url: b.shopper.url, bearer: c.operator, http: b.shopper.http}, "admin/orders/"+b.said.Order+"/captures", map[string]any{"why": "a test"})
	}
	for _, part := range o.SellerOrders {
		path := "seller-orders/" + part.ID
		staff := shopper{url: b.shopper.url, bearer: c.staff[part.Seller], http: b.shopper.http}
		switch random.IntN(3) {
		case 0:
			act(shopper{url: b.shopper.url, http: b.shopper.http}, path+"/cancellations?link="+url.QueryEscape(b.said.Link), map[string]any{"why": "a test"})
		case 1:
			if !act(staff, path+"/parcels", map[string]any{"carrier": "Parcel Post"}) {
				continue
			}
			a, err := staff.do(ctx, http.MethodGet, "/api/v1/orders/"+path, "", nil)
			var now partSeen
			if err == nil && json.Unmarshal(a.body, &now) == nil && len(now.Parcels) > 0 {
				act(staff, path+"/parcels/"+now.Parcels[0].ID+"/delivery", nil)
			}
		}
	}
}
