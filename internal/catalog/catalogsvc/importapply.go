package catalogsvc

import (
	"fmt"
	"slices"
	"strings"

	"souk/internal/catalog"
	"souk/internal/platform/clock"
	"souk/internal/platform/store"
)

// apply adds one row to the plan.
func (p *plan) apply(r *planned) {
	if r.known && !r.changes() {
		p.applyCount(r)
		return
	}
	if r.known && r.was.External != "" && r.was.External != r.external {
		p.reject(r.goods, "id", "is the SKU of %s", r.was.External)
		return
	}
	c, moved := p.target(r)
	if bad := p.refuses(c, r); bad != "" {
		p.reject(r.goods, "item_group_id", "%s", bad)
		return
	}
	var old *change
	if moved {
		old = p.listings[r.was.Listing]
		p.leave(r)
		if len(c.Variants) == 0 { // made by this row: what it names again keeps its text and size too
			c.Images = slices.Clone(old.Images)
		}
	}
	p.take(c)
	p.groups[r.group] = c
	c.content, c.told = true, true
	if c.FeedLead == "" || c.FeedLead == r.external {
		c.say(p, r)
	}
	if moved && old.live() == 0 { // nobody would see them there any more
		c.inherit(old.Images)
	}
	had := len(c.Variants)
	v := c.put(r, p.im.s.ids.variant)
	fresh := len(c.Variants) > had
	c.variants[v.ID] = variantChange{external: r.external, hash: r.hash[:], fresh: fresh, counted: fresh && r.quantity != nil}
	p.count(r, c, v, fresh)
	if r.known {
		p.updated++
	} else {
		p.created++
	}
}

// target is the listing that the row belongs to, perhaps a new one, and whether the row's
// variant is in another until now. A variant entered by hand stays where it is, unless its
// listing follows other rows already.
func (p *plan) target(r *planned) (c *change, moved bool) {
	if r.known {
		c = p.listings[r.was.Listing]
		follows := r.was.External != "" || c.FeedLead != ""
		if moved = follows && c.ExternalID != r.goods.group; !moved {
			return c, false
		}
	}
	if c = p.groups[r.group]; c != nil {
		return c, moved
	}
	l := &listing{Listing: catalog.Listing{
		ID: p.im.s.ids.listing(), Seller: r.seller.id, Status: catalog.ListingActive, CreatedAt: p.now,
	}}
	return &change{listing: l, variants: map[catalog.VariantID]variantChange{}}, moved
}

// take puts a listing among those that are written.
func (p *plan) take(c *change) {
	if !c.taken {
		c.taken = true
		p.order = append(p.order, c)
	}
}

// refuses says why the row cannot be one of the listing's variants, or "".
func (p *plan) refuses(c *change, r *planned) string {
	if other := p.groups[r.group]; other != nil && other != c {
		return "is the name of another listing"
	}
	if !r.known && len(c.Variants) >= catalog.MaxVariants {
		return "has more variants than a listing may have"
	}
	mine := catalog.OptionsKey(r.draft.Variants[0].Options)
	for _, v := range c.Variants {
		if v.ID != r.was.ID && !v.Withdrawn && catalog.OptionsKey(v.Options) == mine {
			return "has another row with the same color, size, material and pattern"
		}
	}
	return ""
}

// say makes the listing's own texts those of the row. Within a group they come from the row
// that made the listing, so that it does not matter which of the others are read again.
func (c *change) say(p *plan, r *planned) {
	d := r.draft
	c.FeedLead, c.ExternalID = r.external, r.goods.group
	c.Title, c.Description, c.Brand, c.Condition, c.TaxClass = d.Title, d.Description, d.Brand, d.Condition, d.TaxClass
	c.Attributes, c.encodedAttributes = d.Attributes, r.attributes
	if len(c.Images) == 0 {
		c.Images, c.encodedImages = d.Images, r.images
	} else {
		c.Images, c.encodedImages = pictured(c.Images, d.Images), ""
	}
	c.Category, c.Path = r.shelf, r.path
}

// pictured is the images of a listing that had some, once a row has named its own. A feed has only
// addresses, and no way to write a path of souk's own: those images stay, and one that is named
// again keeps its text and size.
func pictured(had, named []catalog.Image) []catalog.Image {
	know := make(map[string]catalog.Image, len(had))
	for _, i := range had {
		know[i.URL] = i
	}
	written, own := apart(had)
	named = named[:min(len(named), max(0, catalog.MaxImages-len(own)))] // what a feed has too many of gives way
	out := make([]catalog.Image, 0, len(named)+len(own))
	same := len(written) == len(named)
	for at, i := range named {
		same = same && written[at].URL == i.URL
		if known, ok := know[i.URL]; ok {
			i = known
		}
		out = append(out, i)
	}
	if same {
		return had
	}
	return append(out, own...)
}

// inherit takes over the images of souk's own that a listing had whose last row is in this one now.
func (c *change) inherit(left []catalog.Image) {
	named, own := apart(c.Images)
	had := len(own)
	_, theirs := apart(left)
	for _, i := range theirs {
		if len(own) < catalog.MaxImages && !slices.ContainsFunc(own, func(o catalog.Image) bool { return o.URL == i.URL }) {
			own = append(own, i)
		}
	}
	if len(own) == had {
		return
	}
	named = named[:min(len(named), catalog.MaxImages-len(own))]
	c.Images, c.encodedImages = append(named, own...), ""
}

// apart are the images of a listing that can be named outside souk, and souk's own.
func apart(all []catalog.Image) (named, own []catalog.Image) {
	for _, i := range all {
		if hasAddress(i) {
			named = append(named, i)
		} else {
			own = append(own, i)
		}
	}
	return named, own
}

// hasAddress says whether an image can be named outside souk: a path of souk's own cannot.
func hasAddress(i catalog.Image) bool { return !strings.HasPrefix(i.URL, "/") }

// put makes the row's variant what the row says, or adds it. A variant keeps the SKU that it
// has: only a new one is called by its row's name.
func (c *change) put(r *planned, newID func() catalog.VariantID) *catalog.Variant {
	d := r.draft.Variants[0]
	at := slices.IndexFunc(c.Variants, func(v catalog.Variant) bool { return r.known && v.ID == r.was.ID })
	if at < 0 {
		c.Variants = append(c.Variants, catalog.Variant{ID: newID(), SKU: d.SKU})
		at = len(c.Variants) - 1
	}
	v := &c.Variants[at]
	v.GTIN, v.Options, v.Price, v.WasPrice, v.Grams, v.Withdrawn = d.GTIN, d.Options, d.Price, d.WasPrice, d.Grams, false
	return v
}

// leave withdraws the variant in the listing that its row was in before; the row makes a new
// one in the other. A listing that has nothing left is archived.
func (p *plan) leave(r *planned) {
	old := p.listings[r.was.Listing]
	for i := range old.Variants {
		if old.Variants[i].ID == r.was.ID {
			old.Variants[i].Withdrawn = true
		}
	}
	if old.FeedLead == r.external {
		old.FeedLead = ""
	}
	if old.live() == 0 && old.Status == catalog.ListingActive {
		old.Status = catalog.ListingArchived
	}
	old.content, old.told = true, true
	p.take(old)
	p.gone = append(p.gone, r.was.ID)
	r.known, r.was = false, feedVariant{}
	p.updated++
	p.created-- // it was there before, under another group
}

// count books the row's quantity for a variant that changes otherwise too.
func (p *plan) count(r *planned, c *change, v *catalog.Variant, fresh bool) {
	if r.quantity == nil {
		return
	}
	if !fresh { // else its row of stock is made with the time
		p.counted = append(p.counted, v.ID)
	}
	onHand := p.countOf(r)
	if onHand == v.Stock.OnHand {
		return
	}
	m := p.movement(v.ID, onHand-v.Stock.OnHand)
	v.Stock = afterMove(v.Stock, m)
	c.told = true
}

// applyCount books the quantity of a row that says nothing else new.
func (p *plan) applyCount(r *planned) {
	onHand := p.countOf(r)
	if onHand == r.was.OnHand {
		p.unchanged++
		return
	}
	p.updated++
	p.counted = append(p.counted, r.was.ID)
	m := p.movement(r.was.ID, onHand-r.was.OnHand)
	p.counts[r.was.ID] = r.was.Listing
	c := p.listings[r.was.Listing]
	if c == nil {
		return
	}
	p.take(c)
	c.told = c.told || p.flips(r)
	for i := range c.Variants {
		if c.Variants[i].ID == r.was.ID {
			c.Variants[i].Stock = afterMove(c.Variants[i].Stock, m)
		}
	}
}

func (p *plan) movement(vid catalog.VariantID, change int64) catalog.Movement {
	m := catalog.Movement{Variant: vid, Kind: catalog.MoveCount, OnHand: change, By: p.im.o.By.Person, Why: "counted by import " + p.im.id}
	p.moves = append(p.moves, m)
	return m
}

// empty says whether nothing changes.
func (p *plan) empty() bool {
	return len(p.order)+len(p.moves)+len(p.newSellers)+len(p.newShelves) == 0
}

// write does what was planned.
func (p *plan) write(w *work) error {
	if err := p.writeSellersAndShelves(w); err != nil {
		return err
	}
	if err := letGo(w.Tx, p.gone); err != nil {
		return err
	}
	var listings, variants, shelves [][]any
	var events []store.Event
	for _, c := range p.order {
		if !c.told {
			continue
		}
		values, err := c.values()
		if err != nil {
			return err
		}
		listings = append(listings, values)
		events = append(events, c.changed())
		w.touch(c.ID)
		for i, v := range c.Variants {
			from, changed := c.variants[v.ID]
			if !changed {
				continue
			}
			values, err := variantValuesOf(c.listing, i, v, from.external, from.hash)
			if err != nil {
				return err
			}
			variants = append(variants, values)
			switch {
			case from.counted:
				shelves = append(shelves, []any{v.ID, p.im.at})
			case from.fresh:
				shelves = append(shelves, []any{v.ID, clock.Time(0)})
			}
		}
	}
	if err := bulk(w.Tx, listingHead, listingValues, listingTail, listings); err != nil {
		return err
	}
	if err := bulk(w.Tx, variantHead, variantValues, variantImported, variants); err != nil {
		return err
	}
	if err := insertCounted(w.Tx, shelves); err != nil {
		return err
	}
	if err := book(w.Tx, p.moves); err != nil {
		return err
	}
	for _, lid := range p.counts {
		w.touch(lid)
	}
	if err := noteCounts(w.Tx, p.counted, p.im.at); err != nil {
		return err
	}
	return w.Publish(events...)
}

func (p *plan) writeSellersAndShelves(w *work) error {
	for i := range p.newSellers {
		if err := w.addSellerAs(&p.newSellers[i]); err != nil {
			return err
		}
		if err := w.auditSeller(p.im.o.By, "catalog.import_seller", catalog.Seller{}, p.newSellers[i]); err != nil {
			return err
		}
	}
	for _, row := range p.newShelves {
		w.tree = true
		if err := upsertCategory(w.Tx, row); err != nil {
			return err
		}
		if err := w.Publish(catalog.CategoryChanged{Category: row.category(p.shelvesAt)}); err != nil {
			return err
		}
	}
	return nil
}

// addSellerAs stores a seller from a feed; where another has its name already, it gets a number.
func (w *work) addSellerAs(s *catalog.Seller) error {
	name := s.Name
	for n := 2; ; n++ {
		taken, err := nameTaken(w, s.Name, "")
		if err != nil {
			return err
		}
		if !taken {
			return w.addSeller(s)
		}
		s.Name = fmt.Sprintf("%s %d", name, n)
	}
}
