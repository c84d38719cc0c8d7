package catalogtest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/page"
)

// pageOf cuts a page out of all, after the row whose key the cursor names.
func pageOf[T any](all []T, r page.Request, filter any, key func(T) string) (got []T, next string, err error) {
	var last string
	found, err := r.After(filter, &last)
	if err != nil {
		return nil, "", err
	}
	if found {
		at := slices.IndexFunc(all, func(v T) bool { return key(v) == last })
		all = all[at+1:]
	}
	size := r.Size(20, catalog.MaxPage)
	if len(all) <= size {
		return all, "", nil
	}
	next, err = page.Cursor(filter, key(all[size-1]))
	return all[:size], next, err
}

// PutCategory implements catalog.Service.
func (f *Fake) PutCategory(_ context.Context, r catalog.PutCategoryRequest) (catalog.CategoryReply, error) {
	if err := r.Validate(); err != nil {
		return catalog.CategoryReply{}, err
	}
	if !seesAll(r.By) {
		return catalog.CategoryReply{}, catalog.ErrForbidden.With("only operators may do this")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	body := r
	body.By, body.Key = actor.Actor{}, ""
	return once(f, r.By, "category", r.Key, body, func() (catalog.CategoryReply, error) {
		var parent, c *catalog.Category
		for depth := range r.Names {
			path, name := catalog.CategoryPath(r.Names[:depth+1]), strings.TrimSpace(r.Names[depth])
			if c = f.categoryAt(path); c == nil {
				c = &catalog.Category{ID: catalog.CategoryIDs.New(), Path: path, Name: name, Depth: int32(depth)} //nolint:gosec // at most MaxDepth
				if parent != nil {
					c.Parent, c.Hue = parent.ID, parent.Hue
				}
				f.categories[c.ID] = c
				f.publish(catalog.CategoryChanged{Category: *c})
			}
			parent = c
		}
		name := strings.TrimSpace(r.Names[len(r.Names)-1])
		if c.Name != name || r.Hue != 0 && c.Hue != r.Hue {
			c.Name = name
			if r.Hue != 0 {
				c.Hue = r.Hue
			}
			f.publish(catalog.CategoryChanged{Category: *c})
		}
		return catalog.CategoryReply{Category: *c}, nil
	})
}

func (f *Fake) categoryAt(path string) *catalog.Category {
	for _, c := range f.categories {
		if c.Path == path {
			return c
		}
	}
	return nil
}

// ListCategories implements catalog.Service.
func (f *Fake) ListCategories(context.Context, catalog.ListCategoriesRequest) (catalog.ListCategoriesReply, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	below := map[catalog.CategoryID][]catalog.Category{}
	for _, c := range f.categories {
		below[c.Parent] = append(below[c.Parent], *c)
	}
	var reply catalog.ListCategoriesReply
	var walk func(parent catalog.CategoryID)
	walk = func(parent catalog.CategoryID) {
		slices.SortFunc(below[parent], func(a, b catalog.Category) int {
			return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.ID, b.ID))
		})
		for _, c := range below[parent] {
			reply.Categories = append(reply.Categories, c)
			walk(c.ID)
		}
	}
	walk("")
	return reply, nil
}

// CreateListing implements catalog.Service.
func (f *Fake) CreateListing(_ context.Context, r catalog.CreateListingRequest) (catalog.ListingReply, error) {
	if err := r.Validate(); err != nil {
		return catalog.ListingReply{}, err
	}
	if err := manages(r.By, r.Seller); err != nil {
		return catalog.ListingReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	body := r
	body.By, body.Key = actor.Actor{}, ""
	return once(f, r.By, "create", r.Key, body, func() (catalog.ListingReply, error) {
		s, ok := f.sellers[r.Seller]
		if !ok {
			return catalog.ListingReply{}, catalog.ErrNotFound.With("there is no seller %s", r.Seller)
		}
		if s.Status != catalog.SellerApproved {
			return catalog.ListingReply{}, catalog.ErrSellerStatus.With("the seller is %s", s.Status)
		}
		l := &listing{made: int64(len(f.listings))}
		l.ID, l.Seller, l.Status, l.CreatedAt = catalog.ListingIDs.New(), r.Seller, catalog.ListingDraft, f.now()
		if r.Publish {
			l.Status = catalog.ListingActive
		}
		if err := f.fill(l, s, r.Draft.Normal()); err != nil {
			return catalog.ListingReply{}, err
		}
		f.listings[l.ID] = l
		f.book(r.By, l, r.Draft)
		f.listingChanged(l)
		return catalog.ListingReply{Listing: f.listingFor(r.By, l)}, nil
	})
}

// fill makes l what d says, or says what is wrong and changes nothing.
func (f *Fake) fill(l *listing, s *catalog.Seller, d catalog.Draft) error {
	refused := catalog.ErrInvalid.With("one field needs another look")
	if d.Category != "" && f.categories[d.Category] == nil {
		return refused.WithField("draft.category", "is not there")
	}
	var next []*variant
	for i, v := range d.Variants {
		at := fmt.Sprintf("draft.variants[%d]", i)
		if v.Price.Currency != s.Currency {
			return refused.WithField(at+".price", "should be in the currency of the seller")
		}
		match := l.match(v, next)
		if match == nil && v.ID != "" {
			return refused.WithField(at+".id", "is not a variant of this listing")
		}
		if match == nil {
			match = &variant{listing: l}
			match.ID = catalog.VariantIDs.New()
		}
		next = append(next, match)
	}
	for i, v := range d.Variants {
		for _, other := range f.variants {
			if v.SKU != "" && other.SKU == v.SKU && !other.Withdrawn && other.listing.Seller == s.ID && !slices.Contains(next, other) && other.listing != l {
				return catalog.ErrSKUTaken.With("another listing has SKU %s", v.SKU).WithField(fmt.Sprintf("draft.variants[%d].sku", i), "is taken")
			}
		}
	}
	for _, other := range f.listings {
		if d.ExternalID != "" && other.Seller == s.ID && other.ExternalID == d.ExternalID && other.ID != l.ID {
			return catalog.ErrSKUTaken.With("another listing has the external id %s", d.ExternalID).WithField("draft.external_id", "is taken")
		}
	}
	for i, v := range d.Variants {
		m := next[i]
		m.SKU, m.GTIN, m.Options, m.Price, m.WasPrice, m.Grams, m.Withdrawn = v.SKU, v.GTIN, v.Options, v.Price, v.WasPrice, v.Grams, false
		f.variants[m.ID] = m
	}
	for _, old := range l.variants {
		if !slices.Contains(next, old) {
			old.Withdrawn = true
			next = append(next, old)
		}
	}
	l.variants = next
	l.ExternalID, l.Title, l.Description, l.Brand, l.Category = d.ExternalID, d.Title, d.Description, d.Brand, d.Category
	l.Condition, l.TaxClass, l.Attributes, l.Images = d.Condition, d.TaxClass, d.Attributes, d.Images
	l.ChangedAt, l.Version = f.now(), l.Version+1
	return nil
}

func (l *listing) match(v catalog.VariantDraft, taken []*variant) *variant {
	for _, old := range l.variants {
		if !slices.Contains(taken, old) && (v.ID != "" && old.ID == v.ID || v.ID == "" && v.SKU != "" && old.SKU == v.SKU) {
			return old
		}
	}
	return nil
}

// book counts what the draft says of quantities.
func (f *Fake) book(by actor.Actor, l *listing, d catalog.Draft) {
	for i, v := range d.Variants {
		if v.Quantity != nil {
			f.count(by, l.variants[i], *v.Quantity, f.now(), "counted with the listing")
		}
	}
}

func (f *Fake) listingChanged(l *listing) {
	l.revision++
	e := catalog.ListingChanged{
		ListingID: l.ID, SellerID: l.Seller, Title: l.Title, Description: l.Description, Brand: l.Brand, CategoryID: l.Category,
		Condition: l.Condition, Attributes: l.Attributes, Status: l.Status, CreatedAt: l.CreatedAt, Version: l.revision,
	}
	if c := f.categories[l.Category]; c != nil {
		e.Path = c.Path
	}
	if len(l.Images) > 0 {
		e.Image = l.Images[0].URL
	}
	for _, v := range l.variants {
		if !v.Withdrawn {
			e.Variants = append(e.Variants, catalog.ListingVariant{
				VariantID: v.ID, SKU: v.SKU, GTIN: v.GTIN, Options: v.Options, Price: v.Price, InStock: f.available(v) > 0,
			})
		}
	}
	f.publish(copied(e))
}

// listingFor is l whole, as by may see it.
func (f *Fake) listingFor(by actor.Actor, l *listing) catalog.Listing {
	seen, s, all := l.Listing, f.sellers[l.Seller], seesAllOf(by, l.Seller)
	seen.SellerName, seen.SellerSlug = s.Name, s.Slug
	if c := f.categories[l.Category]; c != nil {
		seen.Path = c.Path
	}
	for _, v := range l.variants {
		shown := v.Variant
		shown.Stock.Held = f.held(v)
		shown.Stock.Available = f.available(v)
		if !all {
			shown.Stock = catalog.Stock{Available: shown.Stock.Available}
		}
		if all || !v.Withdrawn {
			seen.Variants = append(seen.Variants, shown)
		}
	}
	return copied(seen)
}

func (f *Fake) isPublic(l *listing) bool {
	return l.Status == catalog.ListingActive && f.sellers[l.Seller].Status == catalog.SellerApproved
}

func (f *Fake) owned(by actor.Actor, lid catalog.ListingID) (*listing, error) {
	if err := manages(by, catalog.SellerID(by.Seller)); err != nil {
		return nil, err
	}
	l, ok := f.listings[lid]
	if !ok || manages(by, l.Seller) != nil {
		return nil, catalog.ErrNotFound.With("there is no listing %s among yours", lid)
	}
	return l, nil
}

// EditListing implements catalog.Service.
func (f *Fake) EditListing(_ context.Context, r catalog.EditListingRequest) (catalog.ListingReply, error) {
	if err := r.Validate(); err != nil {
		return catalog.ListingReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := f.owned(r.By, r.Listing); err != nil {
		return catalog.ListingReply{}, err
	}
	body := r
	body.By, body.Key = actor.Actor{}, ""
	return once(f, r.By, "edit", r.Key, body, func() (catalog.ListingReply, error) {
		l, err := f.owned(r.By, r.Listing)
		if err != nil {
			return catalog.ListingReply{}, err
		}
		if l.Version != r.Version {
			return catalog.ListingReply{}, catalog.ErrVersion.With("the listing was changed in the meantime")
		}
		if err := f.fill(l, f.sellers[l.Seller], r.Draft.Normal()); err != nil {
			return catalog.ListingReply{}, err
		}
		f.book(r.By, l, r.Draft)
		f.listingChanged(l)
		return catalog.ListingReply{Listing: f.listingFor(r.By, l)}, nil
	})
}

// ChangeListingStatus implements catalog.Service.
func (f *Fake) ChangeListingStatus(_ context.Context, r catalog.ChangeListingStatusRequest) (catalog.ListingReply, error) {
	if err := r.Validate(); err != nil {
		return catalog.ListingReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := f.owned(r.By, r.Listing); err != nil {
		return catalog.ListingReply{}, err
	}
	body := r
	body.By, body.Key = actor.Actor{}, ""
	return once(f, r.By, "listing_status", r.Key, body, func() (catalog.ListingReply, error) {
		l, err := f.owned(r.By, r.Listing)
		if err != nil {
			return catalog.ListingReply{}, err
		}
		if r.Version != nil && *r.Version != l.Version {
			return catalog.ListingReply{}, catalog.ErrVersion.With("the listing was changed in the meantime")
		}
		if l.Status == r.Status || l.Status == catalog.ListingDraft && r.Status == catalog.ListingArchived {
			return catalog.ListingReply{}, catalog.ErrListingStatus.With("the listing is %s and cannot become %s", l.Status, r.Status)
		}
		if s := f.sellers[l.Seller]; r.Status == catalog.ListingActive && s.Status != catalog.SellerApproved {
			return catalog.ListingReply{}, catalog.ErrSellerStatus.With("the seller is %s", s.Status)
		}
		l.Status, l.ChangedAt, l.Version = r.Status, f.now(), l.Version+1
		f.listingChanged(l)
		return catalog.ListingReply{Listing: f.listingFor(r.By, l)}, nil
	})
}

// GetListings implements catalog.Service.
func (f *Fake) GetListings(_ context.Context, r catalog.GetListingsRequest) (catalog.GetListingsReply, error) {
	if err := r.Validate(); err != nil {
		return catalog.GetListingsReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var reply catalog.GetListingsReply
	seen := map[catalog.ListingID]bool{}
	for _, lid := range r.IDs {
		l, ok := f.listings[lid]
		if ok && !seen[lid] && (f.isPublic(l) || seesAllOf(r.By, l.Seller)) {
			reply.Listings = append(reply.Listings, f.listingFor(r.By, l))
		}
		seen[lid] = true
	}
	return reply, nil
}

// ListListings implements catalog.Service.
func (f *Fake) ListListings(_ context.Context, r catalog.ListListingsRequest) (catalog.ListListingsReply, error) {
	if err := r.Validate(); err != nil {
		return catalog.ListListingsReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []*listing
	for _, l := range f.listings {
		if (f.isPublic(l) || seesAllOf(r.By, l.Seller)) && f.matches(l, r) {
			found = append(found, l)
		}
	}
	slices.SortFunc(found, func(a, b *listing) int {
		return cmp.Or(cmp.Compare(b.CreatedAt, a.CreatedAt), cmp.Compare(b.ID, a.ID))
	})
	filter := []any{"listings", seesAll(r.By), r.By.Seller, r.Seller, r.Status, r.Path, r.Text}
	if r.Sort != nil && *r.Sort != catalog.ListingsNewest {
		sortListings(found, *r.Sort)
		filter = append(filter, *r.Sort)
	}
	got, next, err := pageOf(found, r.Page, filter, func(l *listing) string { return string(l.ID) })
	if err != nil {
		return catalog.ListListingsReply{}, err
	}
	reply := catalog.ListListingsReply{Next: next}
	for _, l := range got {
		reply.Listings = append(reply.Listings, f.listingFor(r.By, l))
	}
	return reply, nil
}

func (f *Fake) matches(l *listing, r catalog.ListListingsRequest) bool {
	if r.Seller != "" && l.Seller != r.Seller || r.Status != "" && l.Status != r.Status {
		return false
	}
	if r.Path != "" {
		c := f.categories[l.Category]
		if c == nil || c.Path != r.Path && !strings.HasPrefix(c.Path, r.Path+"/") {
			return false
		}
	}
	has := func(s string) bool { return strings.Contains(strings.ToLower(s), strings.ToLower(r.Text)) }
	return r.Text == "" || has(l.Title) || has(l.ExternalID) || slices.ContainsFunc(l.variants, func(v *variant) bool { return has(v.SKU) })
}

func sortListings(all []*listing, by catalog.ListingSort) {
	order := map[catalog.ListingStatus]int{catalog.ListingActive: 0, catalog.ListingDraft: 1, catalog.ListingArchived: 2}
	price := func(l *listing) (lowest int64) {
		for i, v := range live(l) {
			if i == 0 || v.Price.Minor < lowest {
				lowest = v.Price.Minor
			}
		}
		return lowest
	}
	stock := func(l *listing) (n int64) {
		for _, v := range live(l) {
			n += max(0, v.Stock.OnHand-v.Stock.Held-v.Stock.Allocated)
		}
		return n
	}
	slices.SortFunc(all, func(a, b *listing) int {
		var way int
		switch by {
		case catalog.ListingsByTitle, catalog.ListingsByTitleDown:
			way = cmp.Compare(strings.ToLower(a.Title), strings.ToLower(b.Title))
		case catalog.ListingsByState, catalog.ListingsByStateDown:
			way = order[a.Status] - order[b.Status]
		case catalog.ListingsByPrice, catalog.ListingsByPriceDown:
			way = cmp.Compare(price(a), price(b))
		case catalog.ListingsByStock, catalog.ListingsByStockDown:
			way = cmp.Compare(stock(a), stock(b))
		default:
			way = cmp.Compare(a.ChangedAt, b.ChangedAt)
		}
		way = cmp.Or(way, cmp.Compare(a.ID, b.ID))
		if strings.HasSuffix(string(by), "_down") {
			return -way
		}
		return way
	})
}

func live(l *listing) []*variant {
	return slices.DeleteFunc(slices.Clone(l.variants), func(v *variant) bool { return v.Withdrawn })
}
