package catalogsvc

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogsvc/internal/feed"
	"souk/internal/platform/clock"
	"souk/internal/platform/money"
	"souk/internal/platform/store"
)

// feedSeller is a seller as rows name it.
type feedSeller struct {
	id       catalog.SellerID
	currency money.Currency
}

// plan is what a batch of rows changes: found out by reading, then either written or, in a dry
// run, only counted.
type plan struct {
	im    *importer
	now   clock.Time
	found map[feedKey]feedVariant
	since map[catalog.VariantID]int64

	sellers    map[string]feedSeller         // found or to be made, beside those the importer knows
	shelves    map[string]catalog.CategoryID // by path, likewise
	newSellers []catalog.Seller
	newShelves []categoryRow
	shelvesAt  map[string]categoryRow

	listings map[catalog.ListingID]*change
	groups   map[feedKey]*change
	order    []*change
	gone     []catalog.VariantID // whose rows went to another listing
	moves    []catalog.Movement
	counted  []catalog.VariantID
	counts   map[catalog.VariantID]catalog.ListingID // stock changed and nothing else

	rejected                    []*feed.RowError
	created, updated, unchanged int64
}

// change is what happens to one listing.
type change struct {
	*listing
	taken, content, told bool // it is in the plan's order; its texts or variants change; readers must hear of it
	variants             map[catalog.VariantID]variantChange
}

type variantChange struct {
	external       string
	hash           []byte
	fresh, counted bool // it is new; and how many there are is known
}

// planned is a row with what its seller and shelf turned out to be.
type planned struct {
	*goods
	key    feedKey
	group  feedKey
	seller feedSeller
	shelf  catalog.CategoryID
	path   string
	was    feedVariant
	known  bool
}

// plan finds out what rows change.
func (im *importer) plan(q store.Queryer, rows []goods, now clock.Time) (*plan, error) {
	p := &plan{
		im: im, now: now, sellers: map[string]feedSeller{}, shelves: map[string]catalog.CategoryID{},
		listings: map[catalog.ListingID]*change{}, groups: map[feedKey]*change{}, counts: map[catalog.VariantID]catalog.ListingID{},
	}
	if err := p.findSellers(q, rows); err != nil {
		return nil, err
	}
	if err := p.findShelves(q, rows); err != nil {
		return nil, err
	}
	accepted := p.accept(rows)
	if len(accepted) == 0 {
		return p, nil
	}
	if err := p.findVariants(q, accepted); err != nil {
		return nil, err
	}
	if err := p.loadListings(q, accepted); err != nil {
		return nil, err
	}
	for i := range accepted {
		p.apply(&accepted[i])
	}
	for _, c := range p.order {
		if c.content {
			c.Version, c.ChangedAt = c.Version+1, now
		}
		if c.told {
			c.Revision++
		}
	}
	return p, nil
}

func (p *plan) reject(g *goods, column, format string, args ...any) {
	p.rejected = append(p.rejected, &feed.RowError{Line: g.line, Column: column, ID: g.external, Reason: fmt.Sprintf(format, args...)})
}

// findSellers finds those that rows name for the first time, or plans to make them.
func (p *plan) findSellers(q store.Queryer, rows []goods) error {
	if p.im.o.Seller != "" {
		return nil
	}
	firsts := map[string]*goods{}
	for i := range rows {
		if name := rows[i].seller; name != "" && firsts[name] == nil {
			if _, known := p.im.sellers[name]; !known {
				firsts[name] = &rows[i]
			}
		}
	}
	if len(firsts) == 0 {
		return nil
	}
	names := slices.Sorted(maps.Keys(firsts))
	found, err := selectFeedSellers(q, names)
	if err != nil {
		return err
	}
	for _, name := range names {
		at := slices.IndexFunc(found, func(s catalog.Seller) bool { return s.ExternalID == name })
		if at < 0 { // a seller that never came from a feed goes by its slug there
			at = slices.IndexFunc(found, func(s catalog.Seller) bool { return s.ExternalID == "" && s.Slug == name })
		}
		switch {
		case at >= 0:
			p.sellers[name] = feedSeller{found[at].ID, found[at].Currency}
		case p.im.o.CreateSellers:
			made := p.im.newSeller(name, firsts[name].draft.Variants[0].Price.Currency, p.now)
			p.newSellers = append(p.newSellers, made)
			p.sellers[name] = feedSeller{made.ID, made.Currency}
		}
	}
	return nil
}

// findShelves finds the categories of rows, or plans to make them and all above them.
func (p *plan) findShelves(q store.Queryer, rows []goods) error {
	wanted := map[string][]string{}
	for i := range rows {
		for depth := range rows[i].shelf {
			names := rows[i].shelf[:depth+1]
			path := p.im.pathOf(names)
			if _, known := p.im.shelves[path]; !known {
				wanted[path] = names
			}
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	paths, above := slices.Sorted(maps.Keys(wanted)), []string{} // what is above comes first
	for _, path := range paths {
		above = append(above, ancestors(path)...)
	}
	at, err := selectCategories(q, above)
	if err != nil {
		return err
	}
	p.shelvesAt = at
	for _, path := range paths {
		row, found := at[path]
		if !found && !p.im.makesShelves {
			continue
		}
		if !found {
			names := wanted[path]
			row = categoryRow{ID: p.im.s.ids.category(), Path: path, Name: names[len(names)-1], Depth: int32(len(names) - 1)} //nolint:gosec // at most MaxDepth
			if len(names) > 1 {
				row.Parent, _ = p.shelf(names[:len(names)-1])
			}
			at[path] = row
			p.newShelves = append(p.newShelves, row)
		}
		p.shelves[path] = row.ID
	}
	return nil
}

// shelf is the category of that name, or the nearest above that there is.
func (p *plan) shelf(names []string) (catalog.CategoryID, string) {
	for ; len(names) > 0; names = names[:len(names)-1] {
		path := p.im.pathOf(names)
		if cid, ok := p.shelves[path]; ok {
			return cid, path
		}
		if cid, ok := p.im.shelves[path]; ok {
			return cid, path
		}
	}
	return "", ""
}

// accept keeps the rows whose seller is known and paid in their currency.
func (p *plan) accept(rows []goods) []planned {
	accepted := make([]planned, 0, len(rows))
	for i := range rows {
		g := &rows[i]
		seller, ok := p.im.only, p.im.o.Seller != ""
		if !ok {
			if seller, ok = p.sellers[g.seller]; !ok {
				seller, ok = p.im.sellers[g.seller]
			}
		}
		price := g.draft.Variants[0].Price
		switch {
		case !ok && g.seller == "":
			p.reject(g, "external_seller_id", "names no seller, and none was given for the whole feed")
		case !ok:
			p.reject(g, "external_seller_id", "there is no seller %s, and sellers are not made without being asked for", g.seller)
		case price.Currency != seller.currency:
			p.reject(g, "price", "is in %s, and the seller's prices are in %s", price.Currency, seller.currency)
		default:
			shelf, path := p.shelf(g.shelf)
			accepted = append(accepted, planned{
				goods: g, seller: seller, shelf: shelf, path: path, key: feedKey{seller.id, g.external}, group: feedKey{seller.id, g.group},
			})
		}
	}
	return accepted
}

// findVariants finds what each row was before: by its name, else by SKU, else by souk's own id,
// so that goods entered by hand and exported come back as themselves.
func (p *plan) findVariants(q store.Queryer, rows []planned) error {
	keys := make([]feedKey, len(rows))
	for i := range rows {
		keys[i] = rows[i].key
	}
	var err error
	if p.found, err = selectByExternal(q, keys); err != nil {
		return err
	}
	var rest, ids []feedKey
	for _, k := range keys {
		if _, ok := p.found[k]; !ok {
			rest = append(rest, k)
			if catalog.VariantIDs.Valid(catalog.VariantID(k.external)) {
				ids = append(ids, k)
			}
		}
	}
	for _, find := range []struct {
		keys []feedKey
		by   func(store.Queryer, []feedKey) (map[feedKey]feedVariant, error)
	}{{ids, selectByID}, {rest, selectBySKU}} {
		if len(find.keys) == 0 {
			continue
		}
		more, err := find.by(q, find.keys)
		if err != nil {
			return err
		}
		maps.Copy(p.found, more)
	}
	var counted []catalog.VariantID
	for i := range rows {
		r := &rows[i]
		if r.was, r.known = p.found[r.key]; r.known && r.quantity != nil {
			counted = append(counted, r.was.ID)
		}
	}
	if len(counted) == 0 {
		return nil
	}
	p.since, err = changedSince(q, counted, p.im.at)
	return err
}

// changes says whether the row says something new of its variant, apart from the quantity.
// The hash covers the name of the group, so a row that moves changes too.
func (r *planned) changes() bool {
	return !r.known || r.was.External != r.external || !bytes.Equal(r.was.Hash, r.hash[:])
}

// flips says whether the count makes the variant buyable, or no longer.
func (p *plan) flips(r *planned) bool {
	before := available(catalog.Stock{OnHand: r.was.OnHand, Held: r.was.Held, Allocated: r.was.Allocated}) > 0
	after := available(catalog.Stock{OnHand: p.countOf(r), Held: r.was.Held, Allocated: r.was.Allocated}) > 0
	return before != after
}

// countOf is what is on hand by the row's quantity.
func (p *plan) countOf(r *planned) int64 {
	if r.quantity == nil {
		return r.was.OnHand
	}
	return counted(*r.quantity, p.since[r.was.ID], r.was.OnHand, p.im.at, r.was.CountedAt)
}

// loadListings reads the listings that change, and those that new rows join.
func (p *plan) loadListings(q store.Queryer, rows []planned) error {
	var joined []feedKey
	ids := map[catalog.ListingID]bool{}
	for i := range rows {
		r := &rows[i]
		if !r.known || r.was.Group != r.goods.group {
			joined = append(joined, r.group)
		}
		if r.known && (r.changes() || p.flips(r)) {
			ids[r.was.Listing] = true
		}
	}
	groups := map[feedKey]catalog.ListingID{}
	if len(joined) > 0 {
		var err error
		if groups, err = selectGroups(q, joined); err != nil {
			return err
		}
		for _, lid := range groups {
			ids[lid] = true
		}
	}
	read, err := selectListings(q, slices.Sorted(maps.Keys(ids)))
	if err != nil {
		return err
	}
	for _, l := range read {
		p.listings[l.ID] = &change{listing: l, variants: map[catalog.VariantID]variantChange{}}
	}
	for key, lid := range groups {
		p.groups[key] = p.listings[lid]
	}
	return nil
}
