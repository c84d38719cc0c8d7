package searchtest

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/orders"
	"souk/internal/orders/orderstest"
	"souk/internal/platform/audit"
	"souk/internal/platform/errs"
	"souk/internal/platform/money"
	"souk/internal/platform/page"
	"souk/internal/search"
)

// Fake is search in memory. It passes the whole suite; it compares whole words, without their
// endings, and looks at every listing for every question.
type Fake struct {
	goods *catalogtest.Fake
	deaf  bool

	mu       sync.Mutex
	heard    int
	listings map[catalog.ListingID]catalog.ListingChanged
	sellers  map[catalog.SellerID]catalog.SellerChanged
	names    map[string]string // of categories by path
	rebuilt  map[string]search.RebuildReply

	sales      *orderstest.Fake // nil: nothing is sold
	salesHeard int
	placed     map[orders.OrderID]bool
	taken      map[string]int64 // cancelled of a variant in a seller order
	sold       map[catalog.ListingID][]sale
	searches   []searched
	noted      map[string]bool
	rules      []search.Rule
	fixed      bool              // rules come from a file
	edition    int64             // of the rules
	rulings    map[string]ruling // by who asked, what and under which key
}

// NewFake is a search of goods that has always heard everything.
func NewFake(goods *catalogtest.Fake) *Fake {
	f := &Fake{
		goods: goods, rebuilt: map[string]search.RebuildReply{}, placed: map[orders.OrderID]bool{}, taken: map[string]int64{},
		sold: map[catalog.ListingID][]sale{}, noted: map[string]bool{}, rulings: map[string]ruling{},
	}
	f.forget()
	return f
}

var _ search.Service = (*Fake)(nil)

// Deaf has the fake hear only what Hear brings.
func (f *Fake) Deaf() *Fake {
	f.deaf = true
	return f
}

// Hear takes events in.
func (f *Fake) Hear(_ context.Context, events []catalogtest.Event) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hear(events)
	return nil
}

func (f *Fake) forget() {
	f.listings = map[catalog.ListingID]catalog.ListingChanged{}
	f.sellers, f.names = map[catalog.SellerID]catalog.SellerChanged{}, map[string]string{}
}

func (f *Fake) hear(events []catalogtest.Event) {
	for _, e := range events {
		switch e := e.(type) {
		case catalog.ListingChanged:
			if f.listings[e.ListingID].Version < e.Version {
				f.listings[e.ListingID] = e
			}
		case catalog.SellerChanged:
			f.sellers[e.SellerID] = e
		case catalog.CategoryChanged:
			f.names[e.Category.Path] = e.Category.Name
		}
	}
}

// now takes the lock and everything that goods have published.
func (f *Fake) now() func() {
	f.mu.Lock()
	if !f.deaf {
		all := f.goods.Events()
		f.hear(all[f.heard:])
		f.heard = len(all)
		if f.sales != nil {
			sold := f.sales.Events()
			f.hearOrders(sold[f.salesHeard:])
			f.salesHeard = len(sold)
		}
	}
	return f.mu.Unlock
}

// visible are the listings that can be found, in the order of their ids.
func (f *Fake) visible() []catalog.ListingChanged {
	var all []catalog.ListingChanged
	for _, l := range f.listings {
		if l.Status == catalog.ListingActive && len(l.Variants) > 0 && f.sellers[l.SellerID].Status == catalog.SellerApproved {
			all = append(all, l)
		}
	}
	slices.SortFunc(all, func(a, b catalog.ListingChanged) int { return cmp.Compare(a.ListingID, b.ListingID) })
	return all
}

// words are the words of texts as they are compared.
func words(texts ...string) []string {
	var folded strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(strings.Join(texts, " "))) {
		switch {
		case unicode.IsLetter(r) || unicode.IsNumber(r):
			folded.WriteRune(r)
		case !unicode.Is(unicode.Mn, r):
			folded.WriteByte(' ')
		}
	}
	all := strings.Fields(folded.String())
	return all[:min(len(all), 2000)]
}

// score is how well a listing fits, and how many of the words it has.
func (f *Fake) score(l catalog.ListingChanged, asked [][][]string) (score int64, has int) {
	var details []string
	for _, a := range l.Attributes {
		details = append(details, a.Value)
	}
	for _, v := range l.Variants {
		details = append(details, v.SKU, v.GTIN)
	}
	for i := range len(l.Path) + 1 {
		if i == len(l.Path) || l.Path[i] == '/' {
			details = append(details, f.names[l.Path[:i]])
		}
	}
	fields := [][]string{words(l.Title), words(l.Brand), words(l.Description), words(details...)}
	for _, ways := range asked {
		found := slices.ContainsFunc(ways, func(way []string) bool { return hasWay(fields, way) })
		for i, field := range fields {
			if slices.ContainsFunc(ways, func(way []string) bool { return hasWay([][]string{field}, way) }) {
				score += []int64{3, 2, 1, 1}[i] * 1000 / int64(5+len(field))
			}
		}
		if found {
			has++
		}
	}
	return score, has
}

type fit struct {
	catalog.ListingChanged
	score    int64
	from, to money.Money
	inStock  bool
}

func (f *Fake) fit(l catalog.ListingChanged, score int64) fit {
	v := fit{ListingChanged: l, score: score, from: l.Variants[0].Price, to: l.Variants[0].Price}
	for _, one := range l.Variants {
		if one.Price.Minor < v.from.Minor {
			v.from = one.Price
		}
		if one.Price.Minor > v.to.Minor {
			v.to = one.Price
		}
		v.inStock = v.inStock || one.InStock
	}
	return v
}

// matching are the listings that have all words, or else any.
func (f *Fake) matching(text string) (fits []fit, anyWord bool) {
	asked := f.ways(text)
	var some []fit
	for _, l := range f.visible() {
		score, has := f.score(l, asked)
		if has == len(asked) {
			fits = append(fits, f.fit(l, score))
		}
		if has > 0 {
			some = append(some, f.fit(l, score))
		}
	}
	if len(fits) == 0 && len(some) > 0 {
		return some, true
	}
	return fits, false
}

// Query implements search.Service.
func (f *Fake) Query(_ context.Context, r search.QueryRequest) (search.QueryReply, error) {
	if r.Explain != nil && !r.Explain.IsOperator() && !r.Explain.IsSystem() {
		return search.QueryReply{}, search.ErrForbidden
	}
	if err := check(r.Filter); err != nil {
		return search.QueryReply{}, err
	}
	r.Sort = order(r)
	defer f.now()()
	told := f.forgiven(r)
	text := told.text
	fits, anyWord := f.found(told)
	hash := []any{words(r.Text), r.Filter, r.Sort}
	var last catalog.ListingID
	after, err := r.Page.After(hash, &last)
	if err != nil {
		return search.QueryReply{}, err
	}
	var passed []fit
	for _, l := range fits {
		if len(fails(r.Filter, l)) == 0 {
			passed = append(passed, l)
		}
	}
	slices.SortFunc(passed, func(a, b fit) int { return f.compare(r.Sort, r.Filter.Currency, a, b) })
	passed = f.inPlace(r, text, passed)
	reply := search.QueryReply{Total: int64(len(passed)), AnyWord: anyWord, Corrected: told.corrected, Also: told.also, Meant: told.meant}
	if len(passed) == 0 && !after {
		reply.Offers = f.offers(r, text)
	}
	if r.Facets {
		reply.Facets = limited(f.facets(r.Filter, fits), r.FacetValues)
	}
	whole := passed
	if after {
		at := slices.IndexFunc(passed, func(l fit) bool { return l.ListingID == last })
		passed = passed[at+1:]
	}
	if size := r.Page.Size(24, 100); len(passed) > size {
		passed = passed[:size]
		if reply.Next, err = page.Cursor(hash, passed[size-1].ListingID); err != nil {
			return search.QueryReply{}, err
		}
	}
	for _, l := range passed {
		hit := f.hit(l, words(text))
		if r.Explain != nil {
			why := f.why(r, l.ListingChanged, told, whole, anyWord)
			hit.Explanation = &why
		}
		reply.Hits = append(reply.Hits, hit)
	}
	f.count(r, &reply)
	return reply, nil
}

// order is what results are sorted by: without words nothing is more relevant.
func order(r search.QueryRequest) search.Sort {
	switch {
	case r.Sort != "" && r.Sort != search.SortRelevance:
		return r.Sort
	case len(words(r.Text)) == 0:
		return search.SortNewest
	default:
		return search.SortRelevance
	}
}

// limited keeps of each facet the first values, and those that are selected.
func limited(facets []search.Facet, asked *int32) []search.Facet {
	most := 50
	if asked != nil {
		most = int(min(max(*asked, 1), search.MaxFacetValues))
	}
	for i := range facets {
		f := &facets[i]
		if all := f.Values; f.Kind != search.FacetPrice && f.Kind != search.FacetHistogram && len(all) > most {
			f.Values = slices.Clone(all[:most])
			for _, v := range all[most:] {
				if v.Selected {
					f.Values = append(f.Values, v)
				}
			}
			f.More = len(f.Values) < len(all)
		}
	}
	return facets
}

func check(c search.Filter) error {
	var p errs.Problems
	p.Check(c.PriceMin == nil || *c.PriceMin >= 0, "filter.price_min", "should not be negative")
	p.Check(c.PriceMax == nil || *c.PriceMax >= 0, "filter.price_max", "should not be negative")
	p.Check(c.PriceMin == nil || c.PriceMax == nil || *c.PriceMin <= *c.PriceMax, "filter.price_max", "should not be less than price_min")
	p.Check(c.Currency == "" || c.Currency.Valid(), "filter.currency", "is not a currency")
	p.Check(c.Currency != "" || c.PriceMin == nil && c.PriceMax == nil, "filter.currency", "is needed")
	values, names, ranged := 0, map[string]bool{}, map[string]bool{}
	for _, a := range c.ByAttributes() {
		p.Check(a.Name != "" && (len(a.Values) > 0 || a.Range != nil), "filter.attributes", "should have names and values")
		if name := strings.ToLower(a.Name); a.Range != nil {
			_, ok := search.ParseRange(*a.Range)
			p.Check(ok && !ranged[name], "filter.attributes", "should have one range, which can be read")
			ranged[name] = true
		}
		values += len(a.Values)
		names[strings.ToLower(a.Name)] = true
	}
	p.Check(len(names) <= 20 && values <= 100 && len(ranged) <= search.MaxRanges, "filter.attributes", "are too many")
	return p.Err(search.ErrInvalid)
}

func (f *Fake) compare(sort search.Sort, currency money.Currency, a, b fit) int {
	// Prices of one currency stay together: those of the one that was asked for, then the others by name.
	apart := func(l fit) string {
		if l.from.Currency == currency {
			return ""
		}
		return string(l.from.Currency)
	}
	switch sort {
	case search.SortPriceUp:
		return cmp.Or(cmp.Compare(apart(a), apart(b)), cmp.Compare(a.from.Minor, b.from.Minor), cmp.Compare(a.ListingID, b.ListingID))
	case search.SortPriceDown:
		return cmp.Or(cmp.Compare(apart(a), apart(b)), cmp.Compare(b.from.Minor, a.from.Minor), cmp.Compare(a.ListingID, b.ListingID))
	case search.SortBestSelling:
		return cmp.Or(cmp.Compare(f.sells(b.ListingID), f.sells(a.ListingID)), cmp.Compare(b.ListingID, a.ListingID))
	case search.SortNewest:
		return cmp.Or(cmp.Compare(b.CreatedAt, a.CreatedAt), cmp.Compare(b.ListingID, a.ListingID))
	default:
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.ListingID, b.ListingID))
	}
}

// fails are the fields of the filter that l does not pass.
func fails(c search.Filter, l fit) []search.FacetKind {
	var kinds []search.FacetKind
	fail := func(kind search.FacetKind, when bool) {
		if when {
			kinds = append(kinds, kind)
		}
	}
	same := func(brand string) bool { return strings.EqualFold(brand, l.Brand) }
	fail(search.FacetCategory, c.Path != "" && l.Path != c.Path && !strings.HasPrefix(l.Path, c.Path+"/"))
	fail(search.FacetBrand, len(c.Brands) > 0 && !slices.ContainsFunc(c.Brands, same))
	fail(search.FacetSeller, len(c.Sellers) > 0 && !slices.Contains(c.Sellers, l.SellerID))
	priced := c.PriceMin != nil || c.PriceMax != nil
	fail(search.FacetPrice, priced && (l.from.Currency != c.Currency || c.PriceMin != nil && l.from.Minor < *c.PriceMin ||
		c.PriceMax != nil && l.from.Minor > *c.PriceMax))
	fail(search.FacetStock, c.InStock && !l.inStock)
	return append(kinds, lacks(c, l)...)
}

// marked is text in pieces, the words asked for marked.
func marked(text string, asked []string) []search.Piece {
	var pieces []search.Piece
	for text != "" {
		letter := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }
		end := strings.IndexFunc(text, func(r rune) bool { return letter(r) != letter([]rune(text)[0]) })
		if end < 0 {
			end = len(text)
		}
		match := len(words(text[:end])) > 0 && slices.Contains(asked, words(text[:end])[0])
		if n := len(pieces); n > 0 && !match && !pieces[n-1].Match {
			pieces[n-1].Text += text[:end]
		} else {
			pieces = append(pieces, search.Piece{Text: text[:end], Match: match})
		}
		text = text[end:]
	}
	return pieces
}

func (f *Fake) hit(l fit, asked []string) search.Hit {
	by := f.sellers[l.SellerID]
	return search.Hit{
		Listing: l.ListingID, Title: l.Title, Marked: marked(l.Title, asked), Snippet: marked(l.Description, asked), Brand: l.Brand,
		Seller: l.SellerID, SellerName: by.Name, SellerSlug: by.Slug, Path: l.Path, Image: l.Image, PriceFrom: l.from, PriceTo: l.to,
		InStock: l.inStock, Variants: int32(len(l.Variants)), CreatedAt: l.CreatedAt, //nolint:gosec // few
	}
}

// Rebuild implements search.Service.
func (f *Fake) Rebuild(ctx context.Context, r search.RebuildRequest) (search.RebuildReply, error) {
	if r.Key == "" {
		return search.RebuildReply{}, search.ErrInvalid.WithField("key", "is required")
	}
	if !r.By.IsOperator() && !r.By.IsSystem() {
		return search.RebuildReply{}, search.ErrForbidden
	}
	if err := ctx.Err(); err != nil {
		return search.RebuildReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	name := r.By.Owner() + "|" + r.Key
	if reply, ok := f.rebuilt[name]; ok {
		return reply, nil
	}
	// A fake catalog keeps all that it published, so hearing it again is reading it.
	f.forget()
	f.hear(f.goods.Events())
	reply := search.RebuildReply{Listings: f.shown()}
	f.rebuilt[name] = reply
	return reply, nil
}

// shown is how many listings are in the index.
func (f *Fake) shown() int64 {
	n := int64(0)
	for _, l := range f.listings {
		if l.Status == catalog.ListingActive && len(l.Variants) > 0 {
			n++
		}
	}
	return n
}

// Audit implements search.Service.
func (f *Fake) Audit(context.Context, audit.Request) (search.AuditReply, error) {
	defer f.now()()
	return search.AuditReply{Listings: f.shown()}, nil
}
