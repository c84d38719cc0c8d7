package catalogsvc

import (
	"cmp"
	"fmt"
	"slices"

	"souk/internal/catalog"
	"souk/internal/platform/clock"
	"souk/internal/platform/money"
)

// listing is a listing as the database has it: with every variant, withdrawn ones last, and
// what lies on the shelf.
type listing struct {
	catalog.Listing
	Revision     int64
	FeedLead     string
	SellerStatus catalog.SellerStatus
	Legal        catalog.LegalParty // of the seller, as the next
	Commission   int32

	externals map[catalog.VariantID]string // of the variants that came from a feed, their ids there

	// attributes and images as their columns have them, where an import has encoded them
	// outside of its transaction.
	encodedAttributes, encodedImages string
}

// public says whether everyone may see it.
func (l *listing) public() bool {
	return l.Status == catalog.ListingActive && l.SellerStatus == catalog.SellerApproved
}

// replace makes l say what d says. Variants are matched by id, then by SKU; those left out
// are withdrawn. It gives back the quantities to count, by variant. On an error l is spoilt.
func (l *listing) replace(d catalog.Draft, currency money.Currency, newID func() catalog.VariantID, now clock.Time) (counts map[catalog.VariantID]int64, err error) {
	next, counts := make([]catalog.Variant, 0, len(d.Variants)+len(l.Variants)), map[catalog.VariantID]int64{}
	taken := map[catalog.VariantID]bool{}
	for _, v := range d.Variants { // ids go first, or a SKU that moves to another variant would take its place
		taken[v.ID] = v.ID != ""
	}
	for i, v := range d.Variants {
		at := fmt.Sprintf("draft.variants[%d]", i)
		if v.Price.Currency != currency {
			return nil, oneField(at+".price", fmt.Sprintf("should be in %s, the seller's currency", currency))
		}
		vid, found := l.match(v, taken)
		switch {
		case !found && v.ID != "":
			return nil, oneField(at+".id", "is not a variant of this listing")
		case !found:
			vid = newID()
		}
		taken[vid] = true
		next = append(next, catalog.Variant{
			ID: vid, SKU: v.SKU, GTIN: v.GTIN, Options: v.Options, Price: v.Price, WasPrice: v.WasPrice, Grams: v.Grams, Stock: l.stockOf(vid),
		})
		if v.Quantity != nil {
			counts[vid] = *v.Quantity
		}
	}
	for _, old := range l.Variants {
		if !slices.ContainsFunc(next, func(v catalog.Variant) bool { return v.ID == old.ID }) {
			old.Withdrawn = true
			next = append(next, old)
		}
	}
	l.Variants = next
	l.ExternalID, l.Title, l.Description, l.Brand, l.Category = d.ExternalID, d.Title, d.Description, d.Brand, d.Category
	l.Condition, l.TaxClass, l.Attributes, l.Images = d.Condition, d.TaxClass, d.Attributes, d.Images
	l.ChangedAt, l.Version = now, l.Version+1
	return counts, nil
}

// match finds the variant that v means.
func (l *listing) match(v catalog.VariantDraft, taken map[catalog.VariantID]bool) (catalog.VariantID, bool) {
	for _, old := range l.Variants {
		if v.ID != "" && old.ID == v.ID || v.ID == "" && v.SKU != "" && old.SKU == v.SKU && !taken[old.ID] {
			return old.ID, true
		}
	}
	return "", false
}

func (l *listing) stockOf(vid catalog.VariantID) catalog.Stock {
	for _, v := range l.Variants {
		if v.ID == vid {
			return v.Stock
		}
	}
	return catalog.Stock{}
}

// moveTo brings l to status, or says why it cannot go there.
func (l *listing) moveTo(status catalog.ListingStatus, now clock.Time) error {
	if l.Status == status || l.Status == catalog.ListingDraft && status != catalog.ListingActive {
		return catalog.ErrListingStatus.With("the listing is %s and cannot become %s", l.Status, status)
	}
	if status == catalog.ListingActive {
		if err := l.mayPublish(); err != nil {
			return err
		}
	}
	l.Status, l.ChangedAt, l.Version = status, now, l.Version+1
	return nil
}

// mayPublish says whether the seller may show anything.
func (l *listing) mayPublish() error {
	if l.SellerStatus != catalog.SellerApproved {
		return catalog.ErrSellerStatus.With("the seller is %s, not approved", l.SellerStatus)
	}
	return nil
}

// changed is l as those hear of it who find and show it.
func (l *listing) changed() catalog.ListingChanged {
	e := catalog.ListingChanged{
		ListingID: l.ID, SellerID: l.Seller, Title: l.Title, Description: l.Description, Brand: l.Brand, CategoryID: l.Category,
		Path: l.Path, Condition: l.Condition, Attributes: l.Attributes, Image: l.image(), Status: l.Status,
		CreatedAt: l.CreatedAt, Version: l.Revision,
	}
	for _, v := range l.Variants {
		if v.Withdrawn {
			continue
		}
		e.Variants = append(e.Variants, catalog.ListingVariant{
			VariantID: v.ID, SKU: v.SKU, GTIN: v.GTIN, Options: v.Options, Price: v.Price, InStock: available(v.Stock) > 0,
		})
	}
	return e
}

// offer is a variant as something to buy.
func (l *listing) offer(v catalog.Variant) catalog.Offer {
	return catalog.Offer{
		Variant: v.ID, Listing: l.ID, Seller: l.Seller, SellerName: l.SellerName, SellerSlug: l.SellerSlug, Legal: l.Legal,
		Commission: l.Commission, Title: l.Title, Options: slices.Clone(v.Options), SKU: v.SKU, Image: l.image(), Path: l.Path,
		Price: v.Price, TaxClass: l.TaxClass, Grams: v.Grams, Available: available(v.Stock), ForSale: l.public() && !v.Withdrawn,
	}
}

// external is what feeds call a variant: the id that it came with, else its SKU, else souk's.
func (l *listing) external(v catalog.Variant) string {
	return cmp.Or(l.externals[v.ID], v.SKU, string(v.ID))
}

// group is what feeds call the listing.
func (l *listing) group(v catalog.Variant) string {
	if l.ExternalID == "" && len(l.Variants) == 1 {
		return l.external(v)
	}
	return cmp.Or(l.ExternalID, string(l.ID))
}

// live is how many variants are not withdrawn.
func (l *listing) live() int {
	n := 0
	for _, v := range l.Variants {
		if !v.Withdrawn {
			n++
		}
	}
	return n
}

func (l *listing) image() string {
	if len(l.Images) == 0 {
		return ""
	}
	return l.Images[0].URL
}

// oneField is the refusal of one field.
func oneField(field, problem string) error {
	return catalog.ErrInvalid.With("one field needs another look").WithField(field, problem)
}
