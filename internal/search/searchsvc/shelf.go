package searchsvc

import (
	"strings"

	"souk/internal/catalog"
	"souk/internal/platform/clock"
	"souk/internal/platform/money"
	"souk/internal/search/searchsvc/internal/suggest"
)

// doc is a listing on the shelf: what filters, counts and sorts.
type doc struct {
	id       catalog.ListingID
	title    string
	edition  int64
	created  clock.Time
	from     int64
	seller   int32
	brand    int32 // none is 0
	node     int32 // of the category; none is 0
	currency int32
	shown    bool
	inStock  bool
}

type seller struct {
	id         catalog.SellerID
	name, slug string
	approved   bool
}

// node is a category in the tree of paths. Its parent has a lower number.
type node struct {
	path, name string
	parent     int32
	depth      int32
}

// shelf is one set's columns in memory, as far as its database was written at marks. Whoever
// uses it holds the service's lock.
type shelf struct {
	generation int64
	seen       marks

	docs    []doc // by number; 0 is nobody
	sellers []seller
	brands  []string // as first spelt
	nodes   []node   // 0 is outside of the tree
	money   []money.Currency

	sellerAt map[catalog.SellerID]int32
	brandAt  map[string]int32 // by folded text
	nodeAt   map[string]int32
	moneyAt  map[money.Currency]int32

	book *suggest.Book
}

func newShelf(generation int64) *shelf {
	return &shelf{
		generation: generation,
		docs:       make([]doc, 1), sellers: make([]seller, 1), brands: make([]string, 1), nodes: make([]node, 1), money: make([]money.Currency, 1),
		sellerAt: map[catalog.SellerID]int32{}, brandAt: map[string]int32{"": 0}, nodeAt: map[string]int32{"": 0},
		moneyAt: map[money.Currency]int32{"": 0}, book: suggest.New(),
	}
}

// visible says whether d can be found.
func (s *shelf) visible(d *doc) bool { return d.shown && s.sellers[d.seller].approved }

// take takes over what was written since the shelf was last brought up to date.
func (s *shelf) take(w written) {
	for _, row := range w.sellers {
		s.takeSeller(row)
	}
	for _, row := range w.categories {
		s.nodes[s.node(row.Path)].name = row.Name
		s.book.NameCategory(row.Path, row.Name)
	}
	for _, row := range w.listings {
		s.takeListing(row)
	}
	s.seen = w.marks
}

func (s *shelf) takeSeller(row sellerRow) {
	at := s.seller(row.ID)
	was := s.sellers[at].approved
	s.sellers[at] = seller{id: row.ID, name: row.Name, slug: row.Slug, approved: row.Approved}
	if was == row.Approved {
		return
	}
	for i := range s.docs { // a seller comes or goes with all that it has
		if d := &s.docs[i]; d.seller == at && d.shown {
			s.bookDoc(int64(i), d, row.Approved)
		}
	}
}

func (s *shelf) takeListing(row shelfRow) {
	for int64(len(s.docs)) <= row.Doc {
		s.docs = append(s.docs, doc{})
	}
	d := &s.docs[row.Doc]
	next := doc{
		id: row.ID, title: row.Title, edition: row.Edition, created: row.CreatedAt, from: row.From, shown: row.Shown, inStock: row.InStock,
		seller: s.seller(row.Seller), brand: s.brand(row.Brand), node: s.node(row.Path), currency: s.currency(row.Currency),
	}
	before, after := s.visible(d), s.visible(&next)
	if before && after && d.edition == next.edition && d.node == next.node {
		*d = next // what suggestions are made of has not changed
		return
	}
	if before {
		s.bookDoc(row.Doc, d, false)
	}
	*d = next
	if after {
		s.bookDoc(row.Doc, d, true)
	}
}

// bookDoc puts a listing into suggestions, or takes it out.
func (s *shelf) bookDoc(number int64, d *doc, there bool) {
	g := suggest.Goods{Doc: number, Title: d.title, Brand: s.brands[d.brand], Path: s.nodes[d.node].path}
	if there {
		s.book.Add(g)
	} else {
		s.book.Remove(g)
	}
}

func (s *shelf) seller(id catalog.SellerID) int32 {
	at, ok := s.sellerAt[id]
	if !ok {
		at = count(s.sellers)
		s.sellers = append(s.sellers, seller{id: id}) // not approved until it is heard of
		s.sellerAt[id] = at
	}
	return at
}

// foldBrand is what spellings of one brand have in common.
func foldBrand(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

func (s *shelf) brand(name string) int32 {
	key := foldBrand(name)
	at, ok := s.brandAt[key]
	if !ok {
		at = count(s.brands)
		s.brands = append(s.brands, strings.TrimSpace(name))
		s.brandAt[key] = at
	}
	return at
}

func (s *shelf) node(path string) int32 {
	at, ok := s.nodeAt[path]
	if ok {
		return at
	}
	parent, depth := int32(0), int32(0)
	if i := strings.LastIndexByte(path, '/'); i > 0 {
		parent = s.node(path[:i])
		depth = s.nodes[parent].depth + 1
	}
	at = count(s.nodes)
	s.nodes = append(s.nodes, node{path: path, name: spoken(path), parent: parent, depth: depth})
	s.nodeAt[path] = at
	return at
}

func (s *shelf) currency(c money.Currency) int32 {
	at, ok := s.moneyAt[c]
	if !ok {
		at = count(s.money)
		s.money = append(s.money, c)
		s.moneyAt[c] = at
	}
	return at
}

func count[T any](all []T) int32 { return int32(len(all)) } //nolint:gosec // far below two thousand million
