package catalog

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/money"
)

// Bounds of what catalog keeps. Lengths are in characters.
const (
	MaxKey         = 200
	MaxName        = 80 // of a seller or a category
	MaxAbout       = 4000
	MaxTitle       = 300
	MaxDescription = 20_000
	MaxBrand       = 100
	MaxExternalID  = 100
	MaxSKU         = 100
	MaxAttributes  = 300
	MaxImages      = 30
	MaxVariants    = 200
	MaxOptions     = 8
	MaxItems       = 500           // of a reservation
	MaxQuantity    = 1_000_000_000 // of anything
	MaxWhy         = 500
	MaxDepth       = 8 // of the category tree
	MaxBatch       = 200
	MaxOffers      = 500
	MaxPage        = 200
)

// Validate says everything that is wrong with the request at once.
func (r ApplySellerRequest) Validate() error {
	var p errs.Problems
	checkKey(&p, r.Key)
	checkText(&p, "name", r.Name, 2, MaxName)
	checkText(&p, "about", r.About, 0, MaxAbout)
	p.Check(r.Currency.Valid(), "currency", "is not a currency that souk knows")
	checkLegal(&p, r.Legal)
	return p.Err(ErrInvalid)
}

// Validate says everything that is wrong with the request at once.
func (r ChangeSellerStatusRequest) Validate() error {
	var p errs.Problems
	checkKey(&p, r.Key)
	p.Check(SellerIDs.Valid(r.Seller), "seller", "is not the id of a seller")
	known := []SellerStatus{SellerApproved, SellerSuspended, SellerDeclined}
	p.Check(slices.Contains(known, r.Status), "status", "should be approved, suspended or declined")
	checkText(&p, "why", r.Why, 0, MaxWhy)
	p.Check(r.Status != SellerSuspended || strings.TrimSpace(r.Why) != "", "why", "is required to suspend a seller")
	p.Check(r.Status != SellerDeclined || strings.TrimSpace(r.Why) != "", "why", "is required to decline an application")
	return p.Err(ErrInvalid)
}

// Validate says everything that is wrong with the request at once.
func (r EditSellerRequest) Validate() error {
	var p errs.Problems
	checkKey(&p, r.Key)
	p.Check(SellerIDs.Valid(r.Seller), "seller", "is not the id of a seller")
	p.Check(r.Version > 0, "version", "should be the version that was read")
	checkText(&p, "name", r.Name, 2, MaxName)
	checkText(&p, "about", r.About, 0, MaxAbout)
	checkLegal(&p, r.Legal)
	return p.Err(ErrInvalid)
}

func checkLegal(p *errs.Problems, l LegalParty) {
	checkText(p, "legal.name", l.Name, 1, 200)
	checkText(p, "legal.line1", l.Line1, 1, 200)
	checkText(p, "legal.line2", l.Line2, 0, 200)
	checkText(p, "legal.postal_code", l.PostalCode, 0, 20)
	checkText(p, "legal.city", l.City, 1, 100)
	checkText(p, "legal.tax_id", l.TaxID, 0, 50)
	p.Check(isCountry(l.Country), "legal.country", "should be two capital letters of ISO 3166, like DE")
	checkText(p, "legal.email", l.Email, 3, 254)
	at := strings.LastIndexByte(l.Email, '@')
	p.Check(at > 0 && at < len(l.Email)-1 && !strings.ContainsAny(l.Email, " \t<>"), "legal.email", "is not an e-mail address")
}

func isCountry(s string) bool {
	return len(s) == 2 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z'
}

// Validate says everything that is wrong with the request at once.
func (r GetSellersRequest) Validate() error {
	var p errs.Problems
	p.Check(len(r.IDs)+len(r.Slugs) <= MaxBatch, "ids", "ids and slugs may be %d in all", MaxBatch)
	return p.Err(ErrInvalid)
}

// Validate says everything that is wrong with the request at once.
func (r ListSellersRequest) Validate() error {
	var p errs.Problems
	known := []SellerStatus{"", SellerApplied, SellerApproved, SellerSuspended, SellerDeclined}
	p.Check(slices.Contains(known, r.Status), "status", "is not a status of sellers")
	checkText(&p, "text", r.Text, 0, MaxName)
	p.Check(r.Sort == nil || slices.Contains(SellerSorts(), *r.Sort), "sort", "is not an order of sellers")
	return p.Err(ErrInvalid)
}

// Validate says everything that is wrong with the request at once.
func (r PutCategoryRequest) Validate() error {
	var p errs.Problems
	checkKey(&p, r.Key)
	p.Check(len(r.Names) > 0, "names", "should name at least the root")
	p.Check(len(r.Names) <= MaxDepth, "names", "may be %d deep", MaxDepth)
	for i, name := range r.Names {
		checkText(&p, fmt.Sprintf("names[%d]", i), name, 1, MaxName)
		p.Check(!strings.Contains(name, ">"), fmt.Sprintf("names[%d]", i), "may not contain >, which parts the names of a path in feeds")
	}
	p.Check(r.Hue >= 0 && r.Hue < 360, "hue", "should be 0 to 359")
	return p.Err(ErrInvalid)
}

// Validate says everything that is wrong with the request at once.
func (r CreateListingRequest) Validate() error {
	var p errs.Problems
	checkKey(&p, r.Key)
	p.Check(SellerIDs.Valid(r.Seller), "seller", "is not the id of a seller")
	r.Draft.check(&p)
	for i, v := range r.Draft.Variants {
		p.Check(v.ID == "", fmt.Sprintf("draft.variants[%d].id", i), "is given by souk to a new variant")
	}
	return p.Err(ErrInvalid)
}

// Validate says everything that is wrong with the request at once.
func (r EditListingRequest) Validate() error {
	var p errs.Problems
	checkKey(&p, r.Key)
	p.Check(ListingIDs.Valid(r.Listing), "listing", "is not the id of a listing")
	p.Check(r.Version > 0, "version", "should be the version that was read")
	r.Draft.check(&p)
	return p.Err(ErrInvalid)
}

// Validate says everything that is wrong with the request at once.
func (r ChangeListingStatusRequest) Validate() error {
	var p errs.Problems
	checkKey(&p, r.Key)
	p.Check(ListingIDs.Valid(r.Listing), "listing", "is not the id of a listing")
	p.Check(r.Status == ListingActive || r.Status == ListingArchived, "status", "should be active or archived")
	return p.Err(ErrInvalid)
}

// Validate says everything that is wrong with the request at once.
func (r GetListingsRequest) Validate() error {
	var p errs.Problems
	p.Check(len(r.IDs) <= MaxBatch, "ids", "may be %d", MaxBatch)
	return p.Err(ErrInvalid)
}

// Validate says everything that is wrong with the request at once.
func (r ListListingsRequest) Validate() error {
	var p errs.Problems
	known := []ListingStatus{"", ListingDraft, ListingActive, ListingArchived}
	p.Check(slices.Contains(known, r.Status), "status", "is not a status of listings")
	p.Check(r.Seller == "" || SellerIDs.Valid(r.Seller), "seller", "is not the id of a seller")
	checkText(&p, "text", r.Text, 0, MaxTitle)
	p.Check(r.Sort == nil || slices.Contains(ListingSorts(), *r.Sort), "sort", "is not an order of listings")
	p.Check(r.Sort == nil || *r.Sort == ListingsNewest || r.Seller != "", "sort", "orders one seller's listings: name the seller, or ask search")
	p.Check(r.Text == "" || r.Seller != "", "text", "looks through one seller's listings: name the seller, or ask search")
	return p.Err(ErrInvalid)
}

// Validate says everything that is wrong with the request at once.
func (r GetOffersRequest) Validate() error {
	var p errs.Problems
	p.Check(len(r.Variants) <= MaxOffers, "variants", "may be %d", MaxOffers)
	return p.Err(ErrInvalid)
}

// Validate says everything that is wrong with the request at once. A count that was made
// after now is wrong too.
func (r AdjustStockRequest) Validate(now clock.Time) error {
	var p errs.Problems
	checkKey(&p, r.Key)
	p.Check(VariantIDs.Valid(r.Variant), "variant", "is not the id of a variant")
	kinds := []MovementKind{MoveReceive, MoveCount, MoveRestock, MoveWriteOff}
	p.Check(slices.Contains(kinds, r.Kind), "kind", "should be receive, count, restock or write_off")
	p.Check(r.Quantity >= 0 && r.Quantity <= MaxQuantity, "quantity", "should be 0 to %d", MaxQuantity)
	p.Check(r.Quantity != 0 || r.Kind == MoveCount, "quantity", "should be more than 0")
	p.Check(!r.CountedAt.After(now), "counted_at", "is in the future")
	p.Check(r.CountedAt >= 0, "counted_at", "is not a time of a count")
	p.Check(r.CountedAt.IsZero() || r.Kind == MoveCount, "counted_at", "is for a count alone")
	checkText(&p, "why", r.Why, 0, MaxWhy)
	return p.Err(ErrInvalid)
}

// Validate says everything that is wrong with the request at once.
func (r ReserveRequest) Validate() error {
	var p errs.Problems
	checkKey(&p, r.Key)
	p.Check(r.For != "" && r.For.Valid(), "for", "should be the id of the order")
	p.Check(!r.Until.IsZero(), "until", "is required")
	checkItems(&p, r.Items)
	return p.Err(ErrInvalid)
}

// Validate says everything that is wrong with the request at once.
func (r ConfirmRequest) Validate() error { return checkStep(r.Key, r.Reservation) }

// Validate says everything that is wrong with the request at once.
func (r AllocateRequest) Validate() error { return checkStep(r.Key, r.Reservation) }

// Validate says everything that is wrong with the request at once.
func (r ReleaseRequest) Validate() error {
	var p errs.Problems
	checkKey(&p, r.Key)
	return p.Err(ErrInvalid)
}

// Validate says everything that is wrong with the request at once.
func (r MoveAllocatedRequest) Validate() error {
	var p errs.Problems
	checkKey(&p, r.Key)
	p.Check(r.Reservation != "" && len(r.Reservation) <= MaxKey, "reservation", "should be the key it was made under")
	checkItems(&p, r.Items)
	return p.Err(ErrInvalid)
}

func checkStep(key, reservation string) error {
	var p errs.Problems
	checkKey(&p, key)
	p.Check(reservation != "" && len(reservation) <= MaxKey, "reservation", "should be the key it was made under")
	return p.Err(ErrInvalid)
}

func checkItems(p *errs.Problems, items []Item) {
	p.Check(len(items) > 0, "items", "should not be empty")
	p.Check(len(items) <= MaxItems, "items", "may be %d", MaxItems)
	seen := map[VariantID]bool{}
	for i, item := range items {
		at := fmt.Sprintf("items[%d]", i)
		p.Check(VariantIDs.Valid(item.Variant), at+".variant", "is not the id of a variant")
		p.Check(item.Quantity > 0 && item.Quantity <= MaxQuantity, at+".quantity", "should be 1 to %d", MaxQuantity)
		p.Check(!seen[item.Variant], at+".variant", "comes twice")
		seen[item.Variant] = true
	}
}

func checkKey(p *errs.Problems, key string) {
	p.Check(key != "", "key", "is required")
	p.Check(len(key) <= MaxKey, "key", "may have %d characters", MaxKey)
}

// checkText says whether s is text of that many characters, without control characters
// other than those of line breaks.
func checkText(p *errs.Problems, field, s string, least, most int) {
	if fits(s, least, most) {
		return
	}
	n := utf8.RuneCountInString(s)
	p.Check(utf8.ValidString(s) && strings.IndexFunc(s, isControl) < 0, field, "has characters that are not text")
	p.Check(least == 0 || strings.TrimSpace(s) != "", field, "is required")
	p.Check(n >= least, field, "should have at least %d characters", least)
	p.Check(n <= most, field, "may have %d characters", most)
}

func isControl(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' }

// Validate says everything that is wrong with what a seller says of a listing, field by
// field under "draft.".
func (d Draft) Validate() error {
	var p errs.Problems
	d.check(&p)
	return p.Err(ErrInvalid)
}

func (d Draft) check(p *errs.Problems) {
	checkText(p, "draft.external_id", d.ExternalID, 0, MaxExternalID)
	checkText(p, "draft.title", d.Title, 1, MaxTitle)
	checkText(p, "draft.description", d.Description, 0, MaxDescription)
	checkText(p, "draft.brand", d.Brand, 0, MaxBrand)
	p.Check(d.Category == "" || CategoryIDs.Valid(d.Category), "draft.category", "is not the id of a category")
	p.Check(slices.Contains([]Condition{"", ConditionNew, ConditionRefurbished, ConditionUsed}, d.Condition),
		"draft.condition", "should be new, refurbished or used")
	p.Check(slices.Contains([]TaxClass{"", TaxStandard, TaxReduced, TaxZero}, d.TaxClass),
		"draft.tax_class", "should be standard, reduced or zero")
	p.Check(len(d.Attributes) <= MaxAttributes, "draft.attributes", "may be %d", MaxAttributes)
	for i, a := range d.Attributes {
		if a.fits() { // nearly always: the field's name is only made for a problem
			continue
		}
		at := fmt.Sprintf("draft.attributes[%d]", i)
		checkText(p, at+".section", a.Section, 0, 100)
		checkText(p, at+".name", a.Name, 1, 200)
		checkText(p, at+".value", a.Value, 0, 4000)
	}
	p.Check(len(d.Images) <= MaxImages, "draft.images", "may be %d", MaxImages)
	for i, image := range d.Images {
		at := fmt.Sprintf("draft.images[%d]", i)
		p.Check(isImageURL(image.URL), at+".url", "should be an http or https address, or a path that begins with /")
		checkText(p, at+".alt", image.Alt, 0, 500)
		p.Check(image.Width >= 0 && image.Height >= 0, at+".width", "and height should not be negative")
	}
	d.checkVariants(p)
}

// fits says whether an attribute is fine.
func (a Attribute) fits() bool {
	return fits(a.Section, 0, 100) && fits(a.Name, 1, 200) && fits(a.Value, 0, 4000)
}

// fits says whether checkText would find nothing. Imports ask it some fifty times a product,
// nearly always of plain ASCII.
func fits(s string, least, most int) bool {
	for i := range len(s) {
		if c := s[i]; c >= 0x7f || c < ' ' && c != '\n' && c != '\r' && c != '\t' {
			return fitsSlowly(s, least, most)
		}
	}
	return len(s) >= least && len(s) <= most && (least == 0 || strings.TrimSpace(s) != "")
}

func fitsSlowly(s string, least, most int) bool {
	n := utf8.RuneCountInString(s)
	return n >= least && n <= most && utf8.ValidString(s) && strings.IndexFunc(s, isControl) < 0 && (least == 0 || strings.TrimSpace(s) != "")
}

func isImageURL(s string) bool {
	if len(s) > 2048 {
		return false
	}
	if strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "//") {
		return !strings.ContainsAny(s, " \\\n\r\t\"<>")
	}
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

func (d Draft) checkVariants(p *errs.Problems) {
	p.Check(len(d.Variants) > 0, "draft.variants", "should be at least one")
	p.Check(len(d.Variants) <= MaxVariants, "draft.variants", "may be %d", MaxVariants)
	ids, skus, options := map[VariantID]bool{}, map[string]bool{}, map[string]bool{}
	var currency money.Currency
	for i, v := range d.Variants {
		at := fmt.Sprintf("draft.variants[%d]", i)
		v.check(p, at)
		p.Check(v.ID == "" || !ids[v.ID], at+".id", "comes twice")
		p.Check(v.SKU == "" || !skus[v.SKU], at+".sku", "comes twice")
		combination := OptionsKey(v.Options)
		p.Check(!options[combination], at+".options", "are those of another variant: something must tell them apart")
		ids[v.ID], skus[v.SKU], options[combination] = true, true, true
		if i == 0 {
			currency = v.Price.Currency
		}
		p.Check(v.Price.Currency == currency, at+".price", "should be in the currency of the others")
	}
}

func (v VariantDraft) check(p *errs.Problems, at string) {
	p.Check(v.ID == "" || VariantIDs.Valid(v.ID), at+".id", "is not the id of a variant")
	checkText(p, at+".sku", v.SKU, 0, MaxSKU)
	p.Check(v.GTIN == "" || isGTIN(v.GTIN), at+".gtin", "should have 8 to 14 digits")
	p.Check(len(v.Options) <= MaxOptions, at+".options", "may be %d", MaxOptions)
	names := map[string]bool{}
	for j, o := range v.Options {
		on := fmt.Sprintf("%s.options[%d]", at, j)
		checkText(p, on+".name", o.Name, 1, 50)
		checkText(p, on+".value", o.Value, 1, 200)
		p.Check(!names[strings.ToLower(o.Name)], on+".name", "comes twice")
		names[strings.ToLower(o.Name)] = true
	}
	p.Check(v.Price.Currency.Valid(), at+".price", "has a currency that souk does not know")
	p.Check(v.Price.Minor >= 0 && v.Price.Minor <= MaxPrice, at+".price", "should be 0 to %d minor units", int64(MaxPrice))
	if v.WasPrice != nil {
		p.Check(v.WasPrice.Currency == v.Price.Currency, at+".was_price", "should be in the currency of the price")
		p.Check(v.WasPrice.Minor > v.Price.Minor && v.WasPrice.Minor <= MaxPrice, at+".was_price", "should be more than the price")
	}
	p.Check(v.Grams >= 0 && v.Grams <= MaxQuantity, at+".grams", "should be 0 to %d", MaxQuantity)
	p.Check(v.Quantity == nil || *v.Quantity >= 0 && *v.Quantity <= MaxQuantity, at+".quantity", "should be 0 to %d", MaxQuantity)
}

// MaxPrice is the highest price, in minor units: sums of many stay far from overflow.
const MaxPrice = 1_000_000_000_000

func isGTIN(s string) bool {
	return len(s) >= 8 && len(s) <= 14 && strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// OptionsKey is a text that is equal for equal choices, whatever their order and case.
func OptionsKey(options []Option) string {
	parts := make([]string, len(options))
	for i, o := range options {
		parts[i] = strings.ToLower(strings.TrimSpace(o.Name)) + "\x00" + strings.ToLower(strings.TrimSpace(o.Value))
	}
	slices.Sort(parts)
	return strings.Join(parts, "\x01")
}

// Normal is d with its defaults filled in and without space around its texts.
func (d Draft) Normal() Draft {
	d.Title, d.Brand = strings.TrimSpace(d.Title), strings.TrimSpace(d.Brand)
	d.Description, d.ExternalID = strings.TrimSpace(d.Description), strings.TrimSpace(d.ExternalID)
	if d.Condition == "" {
		d.Condition = ConditionNew
	}
	if d.TaxClass == "" {
		d.TaxClass = TaxStandard
	}
	d.Variants = slices.Clone(d.Variants)
	for i := range d.Variants {
		d.Variants[i].SKU = strings.TrimSpace(d.Variants[i].SKU)
	}
	return d
}
