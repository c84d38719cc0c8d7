// Package cartsvc is the module cart: carts, coupons, shipping and tax tables, quotes.
//
// Where rules live: what a basket costs in quote.go, coupon.go, shipping.go and tax.go; what
// changed since a line was added in notice.go; how two carts become one in merge.go; how a
// checkout takes a cart in claim.go. The rest fetches and stores.
package cartsvc

import (
	"context"
	"fmt"
	"sync"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/job"
	"souk/internal/platform/money"
	"souk/internal/platform/store"
	"souk/internal/platform/telemetry"
)

// Config is what the module stands on.
type Config struct {
	DB        *store.DB
	Catalog   catalog.Service
	Telemetry telemetry.Module
	Now       func() clock.Time    // default: the database's clock
	NewCart   func() cart.CartID   // default: cart.CartIDs.New
	NewID     func() cart.CouponID // of coupons; default: cart.CouponIDs.New
}

// Service implements cart.Service.
type Service struct {
	db        *store.DB
	catalog   catalog.Service
	telemetry telemetry.Module
	now       func() clock.Time
	newCart   func() cart.CartID
	newCoupon func() cart.CouponID
	jobs      *job.Runner
	outcomes  sync.Map // of operation and code to telemetry.Counter
}

var _ cart.Service = (*Service)(nil)

// New builds the module; it has no effect elsewhere. The program puts its daily tidying on its
// way by Module().Start.
func New(c Config) *Service {
	s := &Service{db: c.DB, catalog: c.Catalog, telemetry: c.Telemetry, now: c.Now, newCart: c.NewCart, newCoupon: c.NewID}
	if s.now == nil {
		s.now = c.DB.Now
	}
	if s.newCart == nil {
		s.newCart = cart.CartIDs.New
	}
	if s.newCoupon == nil {
		s.newCoupon = cart.CouponIDs.New
	}
	s.jobs = job.NewRunner(job.Config{DB: c.DB, Log: c.Telemetry.Log, Now: s.now})
	s.jobs.HandlePeriodic(jobTidy, s.tidy)
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

// shopper is whose cart an actor may change.
func shopper(by actor.Actor) (string, error) {
	if by.SignedIn() && !by.Has(actor.ScopeShop) {
		return "", cart.ErrForbidden.With("this credential does not allow shopping")
	}
	return ownerOf(by)
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
func (s *Service) ChangeLine(ctx context.Context, r cart.ChangeLineRequest) (reply cart.CartReply, err error) {
	defer s.done("change_line", &err)
	var problems errs.Problems
	problems.Check(catalog.VariantIDs.Valid(r.Variant), "variant", "is not the id of a variant")
	problems.Check(r.Quantity >= 0, "quantity", "must not be negative")
	problems.Check(!r.Add || r.Quantity > 0, "quantity", "must be at least 1 to add")
	owner, err := s.admit(r.By, r.Key, &problems)
	if err != nil {
		return cart.CartReply{}, err
	}
	offers, err := s.offers(ctx, []catalog.VariantID{r.Variant})
	if err != nil {
		return cart.CartReply{}, err
	}
	body := r
	body.By, body.Key = actor.Actor{}, ""
	return s.change(ctx, owner, "cart.change_line", r.Key, body, func(k *kept) error {
		offer, known := offers[r.Variant]
		return k.change(r, offer, known, s.now())
	})
}

// admit says whose cart a command may change, once its fields are in order.
func (s *Service) admit(by actor.Actor, key string, problems *errs.Problems) (string, error) {
	owner, err := shopper(by)
	if err != nil {
		return "", err
	}
	checkKey(problems, key)
	return owner, problems.Err(cart.ErrInvalid)
}

// change does fn to the owner's cart, once per key, and shows what it is then.
func (s *Service) change(ctx context.Context, owner, operation, key string, body any, fn func(k *kept) error) (cart.CartReply, error) {
	err := s.once(ctx, owner, operation, key, body, func(tx *store.Tx) error {
		k, err := s.openCart(tx, owner)
		if err != nil {
			return err
		}
		if err := fn(&k); err != nil {
			return err
		}
		return storeCart(tx, &k, s.now())
	})
	if err != nil {
		return cart.CartReply{}, err
	}
	return s.reply(ctx, owner)
}

// once does fn in one Write, once per key of the owner. The body says what is asked, without
// who asks and the key.
func (s *Service) once(ctx context.Context, owner, operation, key string, body any, fn func(tx *store.Tx) error) error {
	return s.db.Write(ctx, func(tx *store.Tx) error {
		c := store.Command{
			Owner: owner, Operation: operation, Key: key, Body: store.Hash(body), Until: s.now().Add(keysLive),
		}
		_, _, err := tx.Once(c, func() (string, error) { return "", fn(tx) })
		return err
	})
}

// openCart reads the owner's cart to change it, or begins one, which is there once something
// was stored in it. ErrClaimed while a checkout has it.
func (s *Service) openCart(tx *store.Tx, owner string) (kept, error) {
	k, err := selectCurrent(tx, owner)
	if err != nil {
		return kept{}, err
	}
	switch k.row.Status {
	case "":
		k.row = cartRow{ID: s.newCart(), Owner: owner, Status: cart.StatusOpen, CreatedAt: s.now(), ChangedAt: s.now()}
		k.fresh = true
		return k, nil
	case cart.StatusOpen:
		return k, nil
	default:
		return kept{}, cart.ErrClaimed.With("a checkout is under way with this cart; finish it or wait until it ends")
	}
}

// AcceptChanges takes note of changed prices. The cart keeps its version, and a quote that
// the buyer has seen its worth: what is to be bought, and at which price, is as before.
func (s *Service) AcceptChanges(ctx context.Context, r cart.AcceptChangesRequest) (reply cart.CartReply, err error) {
	defer s.done("accept_changes", &err)
	owner, err := s.admit(r.By, r.Key, &errs.Problems{})
	if err != nil {
		return cart.CartReply{}, err
	}
	now, err := s.reply(ctx, owner)
	if err != nil {
		return cart.CartReply{}, err
	}
	return s.change(ctx, owner, "cart.accept_changes", r.Key, nil, func(k *kept) error {
		k.accept(now.Cart.Lines)
		return nil
	})
}

// ApplyCoupon puts a code on the cart, if it does something there.
func (s *Service) ApplyCoupon(ctx context.Context, r cart.CouponCodeRequest) (reply cart.CartReply, err error) {
	defer s.done("apply_coupon", &err)
	code := codeOf(r.Code)
	owner, err := s.admit(r.By, r.Key, codeProblems(code))
	if err != nil {
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
	return s.change(ctx, owner, "cart.apply_coupon", r.Key, code, func(k *kept) error {
		if k.hasCode(code) {
			return nil
		}
		for _, c := range quoted.Codes {
			if c.Code == code && !c.Applied {
				return cart.ErrCoupon.With("%s", c.Why).WithField("code", c.Why)
			}
		}
		if len(k.codes) >= cart.MaxCodes {
			return cart.ErrLimit.With("a cart takes %d codes at most; remove one first", cart.MaxCodes)
		}
		k.codes = append(k.codes, code)
		return nil
	})
}

func codeProblems(code string) *errs.Problems {
	var problems errs.Problems
	problems.Check(code != "" && len(code) <= maxCode, "code", "must have 1 to %d letters and digits", maxCode)
	return &problems
}

// RemoveCoupon takes a code off the cart.
func (s *Service) RemoveCoupon(ctx context.Context, r cart.CouponCodeRequest) (reply cart.CartReply, err error) {
	defer s.done("remove_coupon", &err)
	code := codeOf(r.Code)
	owner, err := s.admit(r.By, r.Key, codeProblems(code))
	if err != nil {
		return cart.CartReply{}, err
	}
	return s.change(ctx, owner, "cart.remove_coupon", r.Key, code, func(k *kept) error {
		k.removeCode(code)
		return nil
	})
}

// Quote computes what the caller's cart would cost.
func (s *Service) Quote(ctx context.Context, r cart.QuoteRequest) (cart.QuoteReply, error) {
	owner, err := ownerOf(r.By)
	if err != nil {
		return cart.QuoteReply{}, err
	}
	var problems errs.Problems
	checkDestination(r.Destination, &problems)
	if err := problems.Err(cart.ErrInvalid); err != nil {
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
	if b.claimed != nil {
		return cart.QuoteReply{Quote: *b.claimed}, nil
	}
	q, err := quote(b)
	return cart.QuoteReply{Quote: q}, err
}

// Merge moves a guest's cart into the caller's.
func (s *Service) Merge(ctx context.Context, r cart.MergeRequest) (reply cart.MergeReply, err error) {
	defer s.done("merge", &err)
	var problems errs.Problems
	problems.Check(r.By.SignedIn(), "by", "must be signed in")
	problems.Check(r.Guest != "", "guest", "must name a guest's cart")
	owner, err := s.admit(r.By, r.Key, &problems)
	if err != nil {
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
	merged, err := s.reply(ctx, owner)
	return cart.MergeReply{Cart: merged.Cart, Kept: stayed}, err
}

// zeroOf is nothing of a currency, also while a cart has none.
func zeroOf(c money.Currency) money.Money { return money.Money{Currency: c} }

// done counts how a command ended, by its code.
func (s *Service) done(operation string, err *error) {
	code := "ok"
	if *err != nil {
		code = string(errs.CodeOf(*err))
	}
	name := [2]string{operation, code}
	counter, ok := s.outcomes.Load(name)
	if !ok {
		counter, _ = s.outcomes.LoadOrStore(name, s.telemetry.Counter("souk.cart.commands", "Commands to cart by how they ended.",
			telemetry.Label{Name: "command", Value: operation}, telemetry.Label{Name: "code", Value: code}))
	}
	counter.(telemetry.Counter).Add(1) //nolint:forcetypeassert // nothing else is stored there
}
