package orderstest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/platform/money"
)

// Item is a line of a cart to be quoted. Amounts are of the whole line, in minor units.
type Item struct {
	Offer    catalog.Offer
	Quantity int64
	Discount int64
	Funder   cart.Funder // of the discount; default the seller
	Shipping int64
	TaxRate  int32 // basis points
	TaxAdded bool  // else the tax is contained in the prices
}

// QuoteOf is what items cost, in the order of their sellers, with every share accounted for.
func QuoteOf(items ...Item) cart.Quote {
	q := cart.Quote{Currency: "EUR"}
	if len(items) > 0 {
		q.Currency = items[0].Offer.Price.Currency
	}
	at := map[catalog.SellerID]int{}
	for _, item := range items {
		i, ok := at[item.Offer.Seller]
		if !ok {
			i = len(q.Sellers)
			at[item.Offer.Seller] = i
			q.Sellers = append(q.Sellers, cart.SellerQuote{
				Seller: item.Offer.Seller, Name: item.Offer.SellerName, Slug: item.Offer.SellerSlug, Legal: item.Offer.Legal,
				Sums: zero(q.Currency), Shipping: cart.ShippingQuote{Label: "Standard, 2 to 4 days", Rule: "flat"},
			})
		}
		l := lineOf(item, q.Currency)
		q.Sellers[i].Lines = append(q.Sellers[i].Lines, l)
		q.Sellers[i].Sums = add(q.Sellers[i].Sums, l.Sums)
	}
	q.Sums = zero(q.Currency)
	for _, s := range q.Sellers {
		q.Sums = add(q.Sums, s.Sums)
	}
	return q
}

func zero(c money.Currency) cart.Sums {
	z := money.Zero(c)
	return cart.Sums{Goods: z, Discount: z, Shipping: z, TaxAdded: z, TaxIncluded: z, Total: z}
}

func add(a, b cart.Sums) cart.Sums {
	plus := func(m, n money.Money) money.Money { return money.Money{Minor: m.Minor + n.Minor, Currency: m.Currency} }
	return cart.Sums{
		Goods: plus(a.Goods, b.Goods), Discount: plus(a.Discount, b.Discount), Shipping: plus(a.Shipping, b.Shipping),
		TaxAdded: plus(a.TaxAdded, b.TaxAdded), TaxIncluded: plus(a.TaxIncluded, b.TaxIncluded), Total: plus(a.Total, b.Total),
	}
}

func lineOf(item Item, c money.Currency) cart.LineQuote {
	of := func(minor int64) money.Money { return money.Money{Minor: minor, Currency: c} }
	tax := func(minor int64) int64 {
		if item.TaxAdded {
			return (minor*int64(item.TaxRate) + 5_000) / 10_000
		}
		return minor * int64(item.TaxRate) / (10_000 + int64(item.TaxRate))
	}
	s := zero(c)
	s.Goods, s.Discount, s.Shipping = of(item.Offer.Price.Minor*item.Quantity), of(item.Discount), of(item.Shipping)
	onGoods, onShipping := tax(s.Goods.Minor-item.Discount), tax(item.Shipping)
	if item.TaxAdded {
		s.TaxAdded = of(onGoods + onShipping)
	} else {
		s.TaxIncluded = of(onGoods + onShipping)
	}
	s.Total = of(s.Goods.Minor - item.Discount + item.Shipping + s.TaxAdded.Minor)
	l := cart.LineQuote{
		Offer: item.Offer, Quantity: item.Quantity, Sums: s, TaxRate: item.TaxRate, TaxIncluded: !item.TaxAdded,
		TaxGoods: of(onGoods), TaxShipping: of(onShipping),
	}
	if item.Discount != 0 {
		funder := item.Funder
		if funder == "" {
			funder = cart.FunderSeller
		}
		l.Adjustments = []cart.Adjustment{{Coupon: cart.CouponIDs.New(), Code: "TEST", Label: "Test", Funder: funder, Amount: of(item.Discount)}}
	}
	return l
}

// Carts is as much of cart as a checkout asks: Claim, Close and Release, each once per key. The
// other methods panic.
type Carts struct {
	cart.Service

	mu     sync.Mutex
	carts  map[cart.CartID]*kept
	claims map[string]*claim
}

type kept struct {
	owner  string
	quote  cart.Quote
	status cart.Status
	refuse error // what the next claims are told
}

type claim struct {
	body   string
	cart   cart.CartID
	err    error
	undone bool
	closed bool
}

// NewCarts has no carts yet.
func NewCarts() *Carts {
	return &Carts{carts: map[cart.CartID]*kept{}, claims: map[string]*claim{}}
}

// Put makes an open cart of these items, and quotes it.
func (c *Carts) Put(owner string, items ...Item) cart.Quote {
	return c.PutQuote(owner, QuoteOf(items...))
}

// PutQuote makes an open cart that is quoted so.
func (c *Carts) PutQuote(owner string, q cart.Quote) cart.Quote {
	c.mu.Lock()
	defer c.mu.Unlock()
	q.Cart, q.CartVersion = cart.CartIDs.New(), 1
	q.Hash = hashOf(q)
	c.carts[q.Cart] = &kept{owner: owner, quote: q, status: cart.StatusOpen}
	return q
}

func hashOf(q cart.Quote) string {
	q.Hash = ""
	text, err := json.Marshal(q)
	if err != nil {
		panic(fmt.Sprintf("orderstest: %v", err))
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// Refuse has claims of a cart refused with err; nil ends that.
func (c *Carts) Refuse(which cart.CartID, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.carts[which].refuse = err
}

// Status is where a cart stands.
func (c *Carts) Status(which cart.CartID) cart.Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.carts[which].status
}

// Claims counts the claims that were made of a cart, whatever became of them.
func (c *Carts) Claims(which cart.CartID) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, made := range c.claims {
		if made.cart == which && made.err == nil {
			n++
		}
	}
	return n
}

// Claim gives a cart to a checkout.
func (c *Carts) Claim(_ context.Context, r cart.ClaimRequest) (cart.ClaimReply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !r.By.IsSystem() {
		return cart.ClaimReply{}, cart.ErrForbidden
	}
	if r.Key == "" || r.Order == "" || r.Person == "" || r.Destination.Country == "" {
		return cart.ClaimReply{}, cart.ErrInvalid
	}
	text, err := json.Marshal(r)
	if err != nil {
		return cart.ClaimReply{}, err
	}
	made, ok := c.claims[r.Key]
	switch {
	case ok && made.undone:
		return cart.ClaimReply{}, cart.ErrKeyUndone
	case ok && made.body != string(text):
		return cart.ClaimReply{}, cart.ErrKeyReused
	case !ok:
		made = &claim{body: string(text), cart: r.Cart, err: c.claim(r)}
		c.claims[r.Key] = made
	}
	if made.err != nil {
		return cart.ClaimReply{}, made.err
	}
	return cart.ClaimReply{Quote: c.carts[r.Cart].quote}, nil
}

func (c *Carts) claim(r cart.ClaimRequest) error {
	k, ok := c.carts[r.Cart]
	switch {
	case !ok || k.owner != r.Owner:
		return cart.ErrNotFound.With("there is no cart %s", r.Cart)
	case k.status == cart.StatusClaimed:
		return cart.ErrClaimed.With("another checkout is under way with this cart")
	case k.status == cart.StatusClosed:
		return cart.ErrStatus.With("this cart has become an order already")
	case k.quote.CartVersion != r.CartVersion:
		return cart.ErrVersion.With("the cart has changed meanwhile")
	case k.refuse != nil:
		return k.refuse
	case k.quote.Hash != r.QuoteHash:
		return cart.ErrQuoteChanged.With("what the cart costs has changed").WithField("quote_hash", k.quote.Hash)
	}
	k.status = cart.StatusClaimed
	return nil
}

// Close ends a claimed cart.
func (c *Carts) Close(_ context.Context, r cart.CloseRequest) (cart.CloseReply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	made, ok := c.claims[r.Claim]
	switch {
	case !ok || made.err != nil:
		return cart.CloseReply{}, cart.ErrNotFound
	case made.undone:
		return cart.CloseReply{}, cart.ErrStatus
	}
	made.closed = true
	c.carts[made.cart].status = cart.StatusClosed
	return cart.CloseReply{Cart: made.cart}, nil
}

// Release undoes a claim, made or still to arrive.
func (c *Carts) Release(_ context.Context, r cart.ReleaseRequest) (cart.ReleaseReply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	made, ok := c.claims[r.Key]
	switch {
	case !ok:
		c.claims[r.Key] = &claim{err: cart.ErrKeyUndone, undone: true}
		return cart.ReleaseReply{}, nil
	case made.closed:
		return cart.ReleaseReply{}, cart.ErrStatus
	case made.err == nil && !made.undone:
		c.carts[made.cart].status = cart.StatusOpen
	}
	made.undone = true
	return cart.ReleaseReply{Known: made.err == nil, Cart: made.cart}, nil
}

var _ cart.Service = (*Carts)(nil)
