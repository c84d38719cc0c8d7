// Package cartsvc is the module cart: carts, coupons, shipping and tax tables, quotes.
//
// Where rules live: what a basket costs in quote.go, coupon.go, shipping.go and tax.go; what
// changed since a line was added in notice.go; how two carts become one in merge.go; how a
// checkout takes a cart in claim.go. The rest fetches and stores.
package cartsvc

import (
	"context"
	"fmt"

	"github.com/rs/zerolog"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/job"
	"souk/internal/platform/money"
	"souk/internal/platform/store"
)

// Config is what the module stands on.
type Config struct {
	DB      *store.DB
	Catalog catalog.Service
	Log     zerolog.Logger
	Now     func() clock.Time    // default: clock.Now
	NewCart func() cart.CartID   // default: cart.CartIDs.New
	NewID   func() cart.CouponID // of coupons; default: cart.CouponIDs.New
}

// Service implements cart.Service.
type Service struct {
	db        *store.DB
	catalog   catalog.Service
	log       zerolog.Logger
	now       func() clock.Time
	newCart   func() cart.CartID
	newCoupon func() cart.CouponID
	jobs      *job.Runner
}

var _ cart.Service = (*Service)(nil)

// New builds the module; it has no effect elsewhere.
func New(c Config) *Service {
	s := &Service{db: c.DB, catalog: c.Catalog, log: c.Log, now: c.Now, newCart: c.NewCart, newCoupon: c.NewID}
	if s.now == nil {
		s.now = clock.Now
	}
	if s.newCart == nil {
		s.newCart = cart.CartIDs.New
	}
	if s.newCoupon == nil {
		s.newCoupon = cart.CouponIDs.New
	}
	s.jobs = job.NewRunner(job.Config{DB: c.DB, Log: c.Log, Now: s.now})
	s.jobs.Handle(jobTidy, s.tidy)
	return s
}

// ownerOf is whose cart an actor means: a person's or a guest's.
func ownerOf(by actor.Actor) (string, error) {
	owner := by.Owner()
	if owner == "" || by.IsSystem() {
		return "", cart.ErrForbidden.With("a cart belongs to someone signed in, or to a cart token")
	}
	return owner, nil
}

// onlySystem refuses everyone but souk itself.
func onlySystem(by actor.Actor) error {
	if !by.IsSystem() {
		return cart.ErrForbidden.With("this is done by checkouts only")
	}
	return nil
}

// GetCart reads the caller's cart with what changed since.
func (s *Service) GetCart(ctx context.Context, r cart.GetCartRequest) (cart.CartReply, error) {
	owner, err := ownerOf(r.By)
	if err != nil {
		return cart.CartReply{}, err
	}
	return s.reply(ctx, owner)
}

// reply reads an owner's cart as it is now.
func (s *Service) reply(ctx context.Context, owner string) (cart.CartReply, error) {
	var k kept
	err := s.db.Read(ctx, func(q store.Queryer) error {
		var err error
		k, err = selectCurrent(q, owner)
		return err
	})
	if err != nil {
		return cart.CartReply{}, err
	}
	offers, err := s.offers(ctx, k.variants())
	if err != nil {
		return cart.CartReply{}, err
	}
	c, err := assemble(k, offers)
	return cart.CartReply{Cart: c}, err
}

// offers reads what variants cost now.
func (s *Service) offers(ctx context.Context, variants []catalog.VariantID) (map[catalog.VariantID]catalog.Offer, error) {
	by := make(map[catalog.VariantID]catalog.Offer, len(variants))
	if len(variants) == 0 {
		return by, nil
	}
	reply, err := s.catalog.GetOffers(ctx, catalog.GetOffersRequest{Variants: variants})
	if err != nil {
		return nil, fmt.Errorf("price %d variants: %w", len(variants), err)
	}
	for _, o := range reply.Offers {
		by[o.Variant] = o
	}
	return by, nil
}

// ChangeLine adds to, sets or removes a line.
func (s *Service) ChangeLine(ctx context.Context, r cart.ChangeLineRequest) (cart.CartReply, error) {
	owner, err := ownerOf(r.By)
	if err != nil {
		return cart.CartReply{}, err
	}
	var problems errs.Problems
	checkKey(&problems, r.Key)
	problems.Check(catalog.VariantIDs.Valid(r.Variant), "variant", "is not the id of a variant")
	problems.Check(r.Quantity >= 0, "quantity", "must not be negative")
	problems.Check(!r.Add || r.Quantity > 0, "quantity", "must be at least 1 to add")
	if err := problems.Err(cart.ErrInvalid); err != nil {
		return cart.CartReply{}, err
	}
	offers, err := s.offers(ctx, []catalog.VariantID{r.Variant})
	if err != nil {
		return cart.CartReply{}, err
	}
	err = s.once(ctx, owner, "cart.change_line", r.Key, r, func(tx *store.Tx) error {
		k, err := s.openCart(tx, owner)
		if err != nil {
			return err
		}
		offer, known := offers[r.Variant]
		if err := k.change(r, offer, known, s.now()); err != nil {
			return err
		}
		return updateCart(tx, &k, s.now())
	})
	if err != nil {
		return cart.CartReply{}, err
	}
	return s.reply(ctx, owner)
}

// once does fn in one Write, once per key of the owner.
func (s *Service) once(ctx context.Context, owner, operation, key string, body any, fn func(tx *store.Tx) error) error {
	return s.db.Write(ctx, func(tx *store.Tx) error {
		c := store.Command{
			Owner: owner, Operation: operation, Key: key, Body: store.Hash(body), Until: s.now().Add(keysLive),
		}
		_, _, err := tx.Once(c, func() (string, error) { return "", fn(tx) })
		return err
	})
}

// openCart reads the owner's cart to change it, or makes one. ErrClaimed while a checkout has it.
func (s *Service) openCart(tx *store.Tx, owner string) (kept, error) {
	k, err := selectCurrent(tx, owner)
	if err != nil {
		return kept{}, err
	}
	switch k.row.Status {
	case "":
		k.row = cartRow{ID: s.newCart(), Owner: owner, Status: cart.StatusOpen, CreatedAt: s.now(), ChangedAt: s.now()}
		return k, insertCart(tx, k.row)
	case cart.StatusOpen:
		return k, nil
	default:
		return kept{}, cart.ErrClaimed.With("a checkout is under way with this cart; finish it or wait until it ends")
	}
}

// AcceptChanges takes note of changed prices.
func (s *Service) AcceptChanges(ctx context.Context, r cart.AcceptChangesRequest) (cart.CartReply, error) {
	owner, err := ownerOf(r.By)
	if err != nil {
		return cart.CartReply{}, err
	}
	var problems errs.Problems
	checkKey(&problems, r.Key)
	if err := problems.Err(cart.ErrInvalid); err != nil {
		return cart.CartReply{}, err
	}
	now, err := s.reply(ctx, owner)
	if err != nil {
		return cart.CartReply{}, err
	}
	err = s.once(ctx, owner, "cart.accept_changes", r.Key, r, func(tx *store.Tx) error {
		k, err := s.openCart(tx, owner)
		if err != nil {
			return err
		}
		for _, l := range now.Cart.Lines {
			if i := k.line(l.Offer.Variant); i >= 0 {
				k.lines[i].SeenAmount, k.lines[i].SeenCurrency = l.Offer.Price.Minor, l.Offer.Price.Currency
			}
		}
		return updateCart(tx, &k, s.now())
	})
	if err != nil {
		return cart.CartReply{}, err
	}
	return s.reply(ctx, owner)
}

// ApplyCoupon puts a code on the cart, if it does something there.
func (s *Service) ApplyCoupon(ctx context.Context, r cart.CouponCodeRequest) (cart.CartReply, error) {
	owner, err := ownerOf(r.By)
	if err != nil {
		return cart.CartReply{}, err
	}
	code := codeOf(r.Code)
	var problems errs.Problems
	checkKey(&problems, r.Key)
	problems.Check(code != "" && len(code) <= maxCode, "code", "must have 1 to %d letters and digits", maxCode)
	if err := problems.Err(cart.ErrInvalid); err != nil {
		return cart.CartReply{}, err
	}
	b, err := s.basket(ctx, owner, cart.Destination{}, r.By.Person, code)
	if err != nil {
		return cart.CartReply{}, err
	}
	quoted, err := quote(b)
	if err != nil {
		return cart.CartReply{}, fmt.Errorf("try coupon: %w", err)
	}
	err = s.once(ctx, owner, "cart.apply_coupon", r.Key, r, func(tx *store.Tx) error {
		for _, c := range quoted.Codes {
			if c.Code == code && !c.Applied {
				return cart.ErrCoupon.With("%s", c.Why)
			}
		}
		k, err := s.openCart(tx, owner)
		if err != nil {
			return err
		}
		if k.hasCode(code) {
			return nil
		}
		if len(k.codes) >= cart.MaxCodes {
			return cart.ErrLimit.With("a cart takes %d codes at most; remove one first", cart.MaxCodes)
		}
		k.codes = append(k.codes, code)
		return updateCart(tx, &k, s.now())
	})
	if err != nil {
		return cart.CartReply{}, err
	}
	return s.reply(ctx, owner)
}

// RemoveCoupon takes a code off the cart.
func (s *Service) RemoveCoupon(ctx context.Context, r cart.CouponCodeRequest) (cart.CartReply, error) {
	owner, err := ownerOf(r.By)
	if err != nil {
		return cart.CartReply{}, err
	}
	var problems errs.Problems
	checkKey(&problems, r.Key)
	if err := problems.Err(cart.ErrInvalid); err != nil {
		return cart.CartReply{}, err
	}
	err = s.once(ctx, owner, "cart.remove_coupon", r.Key, r, func(tx *store.Tx) error {
		k, err := s.openCart(tx, owner)
		if err != nil {
			return err
		}
		k.removeCode(codeOf(r.Code))
		return updateCart(tx, &k, s.now())
	})
	if err != nil {
		return cart.CartReply{}, err
	}
	return s.reply(ctx, owner)
}

// Quote computes what the caller's cart would cost.
func (s *Service) Quote(ctx context.Context, r cart.QuoteRequest) (cart.QuoteReply, error) {
	owner, err := ownerOf(r.By)
	if err != nil {
		return cart.QuoteReply{}, err
	}
	if err := checkDestination(r.Destination); err != nil {
		return cart.QuoteReply{}, err
	}
	person := r.Person
	if person == "" {
		person = r.By.Person
	}
	b, err := s.basket(ctx, owner, r.Destination, person, "")
	if err != nil {
		return cart.QuoteReply{}, err
	}
	q, err := quote(b)
	return cart.QuoteReply{Quote: q}, err
}

// Merge moves a guest's cart into the caller's.
func (s *Service) Merge(ctx context.Context, r cart.MergeRequest) (cart.MergeReply, error) {
	owner, err := ownerOf(r.By)
	if err != nil {
		return cart.MergeReply{}, err
	}
	var problems errs.Problems
	checkKey(&problems, r.Key)
	problems.Check(r.By.SignedIn(), "by", "must be signed in")
	problems.Check(r.Guest != "", "guest", "must name a guest's cart")
	if err := problems.Err(cart.ErrInvalid); err != nil {
		return cart.MergeReply{}, err
	}
	guest := actor.Guest(r.Guest).Owner()
	titles, err := s.titles(ctx, guest)
	if err != nil {
		return cart.MergeReply{}, err
	}
	stayed, err := s.merge(ctx, owner, guest, r, titles)
	if err != nil {
		return cart.MergeReply{}, err
	}
	reply, err := s.reply(ctx, owner)
	return cart.MergeReply{Cart: reply.Cart, Kept: stayed}, err
}

// zeroOf is nothing of a currency, also while a cart has none.
func zeroOf(c money.Currency) money.Money { return money.Money{Currency: c} }
