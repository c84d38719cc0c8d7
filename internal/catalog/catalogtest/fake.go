package catalogtest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
)

// Event is what a Fake has published.
type Event interface {
	EventName() string
	EventKey() string
}

// Fake is catalog in memory. It passes the whole suite; what it does not do is forget: keys
// and movements stay until it is dropped.
type Fake struct {
	now func() clock.Time

	mu           sync.Mutex
	sellers      map[catalog.SellerID]*catalog.Seller
	categories   map[catalog.CategoryID]*catalog.Category
	listings     map[catalog.ListingID]*listing
	variants     map[catalog.VariantID]*variant
	movements    []catalog.Movement
	reservations map[string]*reservation
	remembered   map[string]memory
	events       []Event
}

type listing struct {
	catalog.Listing // without its variants
	revision        int64
	variants        []*variant
	made            int64
}

type variant struct {
	catalog.Variant
	listing   *listing
	countedAt clock.Time
}

type memory struct {
	body  string
	reply []byte
	err   error
}

// NewFake is an empty catalog that tells the time by now.
func NewFake(now func() clock.Time) *Fake {
	return &Fake{
		now: now, sellers: map[catalog.SellerID]*catalog.Seller{}, categories: map[catalog.CategoryID]*catalog.Category{},
		listings: map[catalog.ListingID]*listing{}, variants: map[catalog.VariantID]*variant{},
		reservations: map[string]*reservation{}, remembered: map[string]memory{},
	}
}

// Now is the time by the fake's clock.
func (f *Fake) Now() clock.Time { return f.now() }

var _ catalog.Service = (*Fake)(nil)

// Events are all that was published, oldest first.
func (f *Fake) Events() []Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.events)
}

func (f *Fake) publish(e Event) { f.events = append(f.events, e) }

// once runs do the first time that the key is seen and repeats its answer afterwards.
func once[R any](f *Fake, by actor.Actor, operation, key string, body any, do func() (R, error)) (R, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return *new(R), err
	}
	name := by.Owner() + "|" + operation + "|" + key
	if m, ok := f.remembered[name]; ok {
		if m.body != string(text) {
			return *new(R), catalog.ErrKeyReused.With("the key %s was used for another request", key)
		}
		if m.err != nil {
			return *new(R), m.err
		}
		var again R
		return again, json.Unmarshal(m.reply, &again)
	}
	reply, err := do()
	switch {
	case err == nil:
		reply = copied(reply)
		encoded, err := json.Marshal(reply)
		if err != nil {
			return *new(R), err
		}
		f.remembered[name] = memory{body: string(text), reply: encoded}
	case errs.Refused(err) && errs.KindOf(err) != errs.Invalid:
		f.remembered[name] = memory{body: string(text), err: err}
	}
	return reply, err
}

// copied shares nothing with v.
func copied[T any](v T) T {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("catalogtest: %T cannot be encoded: %v", v, err))
	}
	var out T
	if err := json.Unmarshal(text, &out); err != nil {
		panic(fmt.Sprintf("catalogtest: %T cannot be decoded: %v", v, err))
	}
	return out
}

// manages says whether by may write in the seller's name.
func manages(by actor.Actor, seller catalog.SellerID) error {
	switch {
	case by.IsSystem():
		return nil
	case !by.SignedIn() || by.Seller == "" || !by.Has(actor.ScopeSell):
		return catalog.ErrForbidden.With("only staff of the seller may do this")
	case by.Seller != id.RefOf(seller):
		return catalog.ErrNotFound.With("there is no such thing among yours")
	}
	return nil
}

func seesAll(by actor.Actor) bool { return by.IsOperator() || by.IsSystem() }

func seesAllOf(by actor.Actor, seller catalog.SellerID) bool {
	return seesAll(by) || by.SignedIn() && by.Seller != "" && by.Seller == id.RefOf(seller)
}

// ApplySeller implements catalog.Service.
func (f *Fake) ApplySeller(_ context.Context, r catalog.ApplySellerRequest) (catalog.SellerReply, error) {
	if err := r.Validate(); err != nil {
		return catalog.SellerReply{}, err
	}
	if !r.By.SignedIn() {
		return catalog.SellerReply{}, catalog.ErrForbidden.With("sign in to apply")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	body := r
	body.By, body.Key = actor.Actor{}, ""
	return once(f, r.By, "apply", r.Key, body, func() (catalog.SellerReply, error) {
		if f.nameTaken(r.Name, "") {
			return catalog.SellerReply{}, catalog.ErrNameTaken.With("another seller is called %s", r.Name)
		}
		s := f.newSeller(r.Name, r.Currency, r.Legal)
		s.About, s.AppliedBy = r.About, r.By.Person
		f.sellerChanged(s)
		return catalog.SellerReply{Seller: f.sellerFor(r.By, s)}, nil
	})
}

func (f *Fake) newSeller(name string, currency money.Currency, legal catalog.LegalParty) *catalog.Seller {
	s := &catalog.Seller{
		ID: catalog.SellerIDs.New(), Name: strings.TrimSpace(name), Status: catalog.SellerApplied, Legal: legal, Currency: currency,
		Commission: 1000, CreatedAt: f.now(), Version: 1,
	}
	s.Slug = catalog.Slug(name)
	for n := 2; f.slugTaken(s.Slug); n++ {
		s.Slug = fmt.Sprintf("%s-%d", catalog.Slug(name), n)
	}
	f.sellers[s.ID] = s
	return s
}

func (f *Fake) slugTaken(slug string) bool {
	for _, s := range f.sellers {
		if s.Slug == slug {
			return true
		}
	}
	return false
}

func (f *Fake) nameTaken(name string, but catalog.SellerID) bool {
	for _, s := range f.sellers {
		if s.ID != but && s.Status != catalog.SellerDeclined && strings.EqualFold(s.Name, strings.TrimSpace(name)) {
			return true
		}
	}
	return false
}

func (f *Fake) sellerChanged(s *catalog.Seller) {
	f.publish(catalog.SellerChanged{SellerID: s.ID, Slug: s.Slug, Name: s.Name, Status: s.Status, AppliedBy: s.AppliedBy, At: f.now()})
}

// sellerFor is what by may see of s.
func (f *Fake) sellerFor(by actor.Actor, s *catalog.Seller) catalog.Seller {
	seen := *s
	for _, l := range f.listings {
		if l.Seller == s.ID && l.Status == catalog.ListingActive {
			seen.ActiveCount++
		}
	}
	if !f.sellerIsOpen(by, s) {
		seen.AppliedBy, seen.Why = "", ""
	}
	return seen
}

func (f *Fake) sellerIsOpen(by actor.Actor, s *catalog.Seller) bool {
	return seesAllOf(by, s.ID) || by.SignedIn() && by.Person == s.AppliedBy
}

// ChangeSellerStatus implements catalog.Service.
func (f *Fake) ChangeSellerStatus(_ context.Context, r catalog.ChangeSellerStatusRequest) (catalog.SellerReply, error) {
	if err := r.Validate(); err != nil {
		return catalog.SellerReply{}, err
	}
	if !seesAll(r.By) {
		return catalog.SellerReply{}, catalog.ErrForbidden.With("only operators may do this")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	body := r
	body.By, body.Key = actor.Actor{}, ""
	return once(f, r.By, "status", r.Key, body, func() (catalog.SellerReply, error) {
		s, ok := f.sellers[r.Seller]
		if !ok {
			return catalog.SellerReply{}, catalog.ErrNotFound.With("there is no seller %s", r.Seller)
		}
		from := map[catalog.SellerStatus][]catalog.SellerStatus{
			catalog.SellerApproved:  {catalog.SellerApplied, catalog.SellerSuspended},
			catalog.SellerSuspended: {catalog.SellerApproved},
			catalog.SellerDeclined:  {catalog.SellerApplied},
		}
		if !slices.Contains(from[r.Status], s.Status) {
			return catalog.SellerReply{}, catalog.ErrSellerStatus.With("the seller is %s and cannot become %s", s.Status, r.Status)
		}
		s.Status, s.Why, s.Version = r.Status, r.Why, s.Version+1
		if r.Status == catalog.SellerDeclined {
			s.Slug = strings.ReplaceAll(string(s.ID), "_", "-")
		}
		f.sellerChanged(s)
		return catalog.SellerReply{Seller: f.sellerFor(r.By, s)}, nil
	})
}

// EditSeller implements catalog.Service.
func (f *Fake) EditSeller(_ context.Context, r catalog.EditSellerRequest) (catalog.SellerReply, error) {
	if err := r.Validate(); err != nil {
		return catalog.SellerReply{}, err
	}
	if !r.By.IsOperator() {
		if err := manages(r.By, r.Seller); err != nil {
			return catalog.SellerReply{}, err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	body := r
	body.By, body.Key = actor.Actor{}, ""
	return once(f, r.By, "edit_seller", r.Key, body, func() (catalog.SellerReply, error) {
		s, ok := f.sellers[r.Seller]
		switch {
		case !ok:
			return catalog.SellerReply{}, catalog.ErrNotFound.With("there is no seller %s", r.Seller)
		case s.Status == catalog.SellerDeclined:
			return catalog.SellerReply{}, catalog.ErrSellerStatus.With("the application was declined")
		case s.Version != r.Version:
			return catalog.SellerReply{}, catalog.ErrVersion.With("the seller was changed in the meantime")
		case f.nameTaken(r.Name, s.ID):
			return catalog.SellerReply{}, catalog.ErrNameTaken.With("another seller is called %s", r.Name)
		}
		s.Name, s.About, s.Legal, s.Version = strings.TrimSpace(r.Name), r.About, r.Legal, s.Version+1
		f.sellerChanged(s)
		return catalog.SellerReply{Seller: f.sellerFor(r.By, s)}, nil
	})
}

// GetSellers implements catalog.Service.
func (f *Fake) GetSellers(_ context.Context, r catalog.GetSellersRequest) (catalog.GetSellersReply, error) {
	if err := r.Validate(); err != nil {
		return catalog.GetSellersReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var reply catalog.GetSellersReply
	for _, s := range f.sortedSellers() {
		asked := slices.Contains(r.IDs, s.ID) || slices.Contains(r.Slugs, s.Slug)
		if asked && (s.Status == catalog.SellerApproved || f.sellerIsOpen(r.By, s)) {
			reply.Sellers = append(reply.Sellers, f.sellerFor(r.By, s))
		}
	}
	return reply, nil
}

func (f *Fake) sortedSellers() []*catalog.Seller {
	all := make([]*catalog.Seller, 0, len(f.sellers))
	for _, s := range f.sellers {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *catalog.Seller) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// ListSellers implements catalog.Service.
func (f *Fake) ListSellers(_ context.Context, r catalog.ListSellersRequest) (catalog.ListSellersReply, error) {
	if err := r.Validate(); err != nil {
		return catalog.ListSellersReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []catalog.Seller
	for _, s := range f.sortedSellers() {
		visible := s.Status == catalog.SellerApproved || seesAll(r.By)
		if visible && (r.Status == "" || r.Status == s.Status) && strings.Contains(strings.ToLower(s.Name), strings.ToLower(r.Text)) {
			all = append(all, f.sellerFor(r.By, s))
		}
	}
	order := catalog.SellersByName
	if r.Sort != nil {
		order = *r.Sort
	}
	if order == catalog.SellersByAge || order == catalog.SellersByAgeDown {
		slices.SortFunc(all, func(a, b catalog.Seller) int {
			return cmp.Or(cmp.Compare(a.CreatedAt, b.CreatedAt), cmp.Compare(a.ID, b.ID))
		})
	}
	if order == catalog.SellersByNameDown || order == catalog.SellersByAgeDown {
		slices.Reverse(all)
	}
	got, next, err := pageOf(all, r.Page, []any{"sellers", seesAll(r.By), r.Status, r.Text, order}, func(s catalog.Seller) string { return string(s.ID) })
	return catalog.ListSellersReply{Sellers: got, Next: next}, err
}

// ListApplications implements catalog.Service.
func (f *Fake) ListApplications(_ context.Context, r catalog.ListApplicationsRequest) (catalog.ListApplicationsReply, error) {
	if !r.By.SignedIn() || !r.By.Has(actor.ScopeRead) {
		return catalog.ListApplicationsReply{}, catalog.ErrForbidden.With("sign in to see your applications")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []catalog.Seller
	for _, s := range f.sellers {
		if s.AppliedBy == r.By.Person {
			all = append(all, f.sellerFor(r.By, s))
		}
	}
	slices.SortFunc(all, func(a, b catalog.Seller) int {
		return -cmp.Or(cmp.Compare(a.CreatedAt, b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	got, next, err := pageOf(all, r.Page, []any{"applications", r.By.Person}, func(s catalog.Seller) string { return string(s.ID) })
	return catalog.ListApplicationsReply{Sellers: got, Next: next}, err
}
