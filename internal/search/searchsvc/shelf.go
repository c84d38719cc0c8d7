package searchsvc

import (
	"slices"
	"strings"

	"souk/internal/catalog"
	"souk/internal/platform/money"
	"souk/internal/search/searchsvc/internal/bloom"
	"souk/internal/search/searchsvc/internal/docset"
	"souk/internal/search/searchsvc/internal/spelling"
	"souk/internal/search/searchsvc/internal/words"
)

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
	columns
	generation int64
	seen       marks
	former     []formerRow // numbers given up since it was first loaded, in order

	sellers []seller
	brands  []string   // as first spelt
	inBrand [][]uint32 // the terms of each
	nodes   []node     // 0 is outside of the tree
	inNode  [][]uint32 // the terms of each from the root
	moneys  []money.Currency

	sellerAt map[catalog.SellerID]int32
	brandAt  map[string]int32 // by folded text
	nodeAt   map[string]int32
	moneyAt  map[money.Currency]uint8

	inView traitCounts // of all that is visible

	found *found // which listings have what, as far as that was asked for

	completions *completions // what suggestions are made of
	spelling    *spelling.Book
	said        bloom.Filter // the words of descriptions and details
	ofBrand     [][]string   // the words of each, as they are written
	ofNode      [][]string   // of the path, which never changes

	tokens  []words.Token // of the title of tokened, or room
	tokened uint32
}

func newShelf(generation int64) *shelf {
	return &shelf{
		columns: newColumns(), generation: generation,
		sellers: make([]seller, 1), brands: make([]string, 1), inBrand: make([][]uint32, 1),
		ofBrand: make([][]string, 1), ofNode: make([][]string, 1), nodes: make([]node, 1), inNode: make([][]uint32, 1), moneys: make([]money.Currency, 1),
		sellerAt: map[catalog.SellerID]int32{}, brandAt: map[string]int32{"": 0}, nodeAt: map[string]int32{"": 0},
		moneyAt: map[money.Currency]uint8{"": 0}, found: newFound(), completions: newCompletions(), spelling: spelling.New(),
	}
}

// take takes over what was written since the shelf was last brought up to date.
func (s *shelf) take(w written) {
	for _, row := range w.sellers {
		s.takeSeller(row)
	}
	for _, row := range w.categories {
		s.takeCategory(row)
	}
	s.facts.take(w.facts)
	for _, hashes := range w.said {
		s.said.AddAll(hashes)
	}
	for i := range w.listings {
		s.takeListing(&w.listings[i])
	}
	for _, row := range w.sold {
		if doc := uint32(row.Doc); s.has(doc) { //nolint:gosec // documents are numbered in 32 bits
			s.setSold(doc, row.Score)
		}
	}
	for _, row := range w.former {
		if doc := uint32(row.Doc); s.has(doc) { //nolint:gosec // documents are numbered in 32 bits
			s.show(doc, false)
		}
		s.former = append(s.former, row)
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
	for i := range s.traits { // a seller comes or goes with all that it has
		if doc := uint32(i); s.traits[i].seller == at && docset.Test(s.shown, doc) { //nolint:gosec // documents are numbered in 32 bits
			s.sight(doc)
		}
	}
}

func (s *shelf) takeCategory(row categoryRow) {
	at := s.node(row.Path)
	s.nodes[at].name = row.Name
	s.completions.put(completion{category: &row})
	for i := int(at); i < len(s.nodes); i++ { // and those below, which come after
		if i == int(at) || strings.HasPrefix(s.nodes[i].path, row.Path+"/") {
			if terms := s.nodeTerms(s.nodes[i]); !slices.Equal(terms, s.inNode[i]) {
				s.renameNode(int32(i), terms) //nolint:gosec // an index into nodes
			}
		}
	}
}

// renameNode gives a category other terms.
func (s *shelf) renameNode(at int32, terms []uint32) {
	var in []uint32
	for i := range s.traits {
		if doc := uint32(i); s.traits[i].node == at && docset.Test(s.visible, doc) { //nolint:gosec // documents are numbered in 32 bits
			in = append(in, doc)
		}
	}
	for _, doc := range in {
		s.speak(doc, false)
	}
	s.inNode[at] = terms
	for _, doc := range in {
		s.speak(doc, true)
	}
	if len(in) > 0 {
		s.found.forgetHeads()
	}
}

// nodeTerms are the terms of a category's names from the root.
func (s *shelf) nodeTerms(n node) []uint32 {
	terms := s.lexicon.ids(n.name)
	if n.parent > 0 {
		terms = append(slices.Clone(s.inNode[n.parent]), terms...)
	}
	return terms
}

func (s *shelf) takeListing(row *shelfRow) {
	doc := uint32(row.Doc) //nolint:gosec // documents are numbered in 32 bits
	s.grow(doc)
	if !s.has(doc) {
		s.ids[doc] = keyOf(row.ID)
		of := &s.traits[doc]
		of.seller, of.brand, of.node = s.seller(row.Seller), s.brand(row.Brand), s.node(row.Path)
		s.created[doc] = int64(row.CreatedAt)
		s.latest[doc/64] = max(s.latest[doc/64], s.created[doc])
		if row.Shown {
			s.tokens = words.Tokens(s.tokens[:0], row.Title)
			s.setTitle(doc, row, s.tokens)
			s.tokened = doc
			s.stated.put(doc, s.facts.of(row.Facts))
		}
	}
	s.setPrice(doc, row.From, s.currency(row.Currency))
	s.setSold(doc, row.Sold)
	s.traits[doc].quality = row.Quality
	setBit(s.inStock, doc, row.InStock)
	s.setGrade(doc)
	s.show(doc, row.Shown)
}

// show has a number shown or not.
func (s *shelf) show(doc uint32, shown bool) {
	setBit(s.shown, doc, shown)
	s.sight(doc)
}

// sight sees to it that what is shown, of an approved seller, is visible and nothing else.
func (s *shelf) sight(doc uint32) {
	was, is := docset.Test(s.visible, doc), docset.Test(s.shown, doc) && s.sellers[s.traits[doc].seller].approved
	if was == is {
		return
	}
	setBit(s.visible, doc, is)
	times := 1
	if !is {
		times = -1
	}
	s.inView.put(s.traits[doc], times)
	s.speak(doc, is)
	s.completions.put(completion{doc: doc, there: is})
	if is {
		s.spelling.Add(s.wordsOf(doc))
	} else {
		s.spelling.Remove(s.wordsOf(doc))
	}
}

// wordsOf are the words of a listing's title, brand and category, as they are written, each once.
func (s *shelf) wordsOf(doc uint32) []string {
	if s.tokened != doc {
		s.tokens, s.tokened = words.Tokens(s.tokens[:0], string(s.titles.of(doc))), doc
	}
	said := make([]string, 0, len(s.tokens)+8)
	add := func(word string) {
		if !slices.Contains(said, word) {
			said = append(said, word)
		}
	}
	for i := range s.tokens {
		if !s.tokens[i].Glued {
			add(s.tokens[i].Word)
		}
	}
	for _, word := range s.ofBrand[s.traits[doc].brand] {
		add(word)
	}
	for _, word := range s.ofNode[s.traits[doc].node] {
		add(word)
	}
	return said
}

// speak counts the terms by which a listing can be found, each once.
func (s *shelf) speak(doc uint32, there bool) {
	by := int32(-1)
	if there {
		by = 1
	}
	var said [3][]uint32
	said[0], said[1], said[2] = s.termsOf(doc), s.inBrand[s.traits[doc].brand], s.inNode[s.traits[doc].node]
	for i, terms := range said {
		for j, term := range terms {
			again := slices.Contains(terms[:j], term)
			for _, before := range said[:i] {
				again = again || slices.Contains(before, term)
			}
			if !again {
				s.lexicon.counts[term] += by
			}
		}
	}
}

// inHead says whether a term is in a listing's title, brand or category.
func (s *shelf) inHead(doc, term uint32) bool {
	return slices.Contains(s.termsOf(doc), term) || slices.Contains(s.inBrand[s.traits[doc].brand], term) ||
		slices.Contains(s.inNode[s.traits[doc].node], term)
}

// spelt are the words of a text, as they are written.
func spelt(text string) []string {
	var all []string
	for _, t := range words.Tokens(nil, text) {
		if !t.Glued {
			all = append(all, t.Word)
		}
	}
	return all
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
		s.inBrand = append(s.inBrand, s.lexicon.ids(name))
		s.ofBrand = append(s.ofBrand, spelt(name))
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
	made := node{path: path, name: spoken(path), parent: parent, depth: depth}
	s.nodes, s.inNode = append(s.nodes, made), append(s.inNode, s.nodeTerms(made))
	s.ofNode = append(s.ofNode, spelt(strings.NewReplacer("/", " ", "-", " ").Replace(path)))
	s.nodeAt[path] = at
	return at
}

func (s *shelf) currency(c money.Currency) uint8 {
	at, ok := s.moneyAt[c]
	if !ok {
		at = uint8(len(s.moneys)) //nolint:gosec // there are not so many currencies
		s.moneys = append(s.moneys, c)
		s.moneyAt[c] = at
	}
	return at
}

func count[T any](all []T) int32 { return int32(len(all)) } //nolint:gosec // far below two thousand million
