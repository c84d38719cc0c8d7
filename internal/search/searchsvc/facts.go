package searchsvc

import (
	"crypto/sha256"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"souk/internal/catalog"
	"souk/internal/platform/store"
	"souk/internal/search"
)

// Bounds of what is kept to narrow by. Longer values are texts, which no one chooses from a list;
// they are found as words.
const (
	maxFacts     = 40 // of a listing
	maxFactBytes = 60 // of a name, and of a value
	maxFactKinds = 1 << 14
	maxFactEach  = 1 << 14 // values of one attribute that memory tells apart
	factBytes    = 6
)

// fact is an attribute or an option with its value.
type fact struct{ name, value string }

// factsOf are the facts of a listing, each once, attributes before options.
func factsOf(e *catalog.ListingChanged) []fact {
	var out []fact
	add := func(name, value string) {
		f := fact{clean(name), clean(value)}
		// A feed's numbers often end so: 17.0 is 17.
		if whole, ok := strings.CutSuffix(f.value, ".0"); ok && strings.Trim(whole, "0123456789") == "" {
			f.value = whole
		}
		if f.name == "" || f.value == "" || len(f.name) > maxFactBytes || len(f.value) > maxFactBytes || len(out) == maxFacts {
			return
		}
		if !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	for _, a := range e.Attributes {
		add(a.Name, a.Value)
	}
	for _, v := range e.Variants {
		for _, o := range v.Options {
			add(o.Name, o.Value)
		}
	}
	return out
}

const factGap = "\x1f" // clean leaves none in names and values

// id is 48 bits of a hash: of a million facts two have the same by a chance of one in 500.
func (f fact) id() int64 {
	var room [2*maxFactBytes + len(factGap)]byte
	sum := sha256.Sum256(append(append(append(room[:0], f.name...), factGap...), f.value...))
	id := int64(0)
	for _, b := range sum[:factBytes] {
		id = id<<8 | int64(b)
	}
	return id
}

// factIDs are the ids of facts as a listing's row has them; never nil.
func factIDs(all []fact) []byte {
	out := make([]byte, 0, factBytes*len(all))
	for _, f := range all {
		id := f.id()
		for i := factBytes - 1; i >= 0; i-- {
			out = append(out, byte(id>>(8*i)))
		}
	}
	return out
}

// eachFact calls fn with the ids of a row.
func eachFact(ids []byte, fn func(id int64)) {
	for ; len(ids) >= factBytes; ids = ids[factBytes:] {
		id := int64(0)
		for _, b := range ids[:factBytes] {
			id = id<<8 | int64(b)
		}
		fn(id)
	}
}

// factRow is a fact by its id.
type factRow struct {
	ID   int64  `db:"id"`
	Fact string `db:"fact"`
}

// maxStored is of how many facts a set remembers that they are stored: 2 MB.
const maxStored = 1 << 16

// storedFacts are facts that are surely in a set's table, so that a batch asks the database only for
// those that are new. They are those of the writes since the table was last known to be as these
// left it, which the last number of a change tells: a write that was undone has taken it back.
// Only the writer's goroutine has it.
type storedFacts struct {
	ids    map[int64]struct{}
	change int64 // the last in the table after the write that added them; -1 while one is under way
}

// begin forgets what may not be there, now that the table's last change is this one.
func (f *storedFacts) begin(change int64) {
	if f.ids == nil || f.change != change || len(f.ids) > maxStored {
		f.ids = make(map[int64]struct{}, 1024)
	}
	f.change = -1
}

// addNewFacts stores the facts of listings, as far as they are not there.
func (s *set) addNewFacts(tx *store.Tx, all []*entry) error {
	stored := s.stored.ids
	var rows []factRow
	for _, e := range all {
		next := 0
		eachFact(e.stated, func(id int64) {
			if _, there := stored[id]; !there {
				f := e.Facts[next]
				stored[id] = struct{}{}
				rows = append(rows, factRow{id, f.name + factGap + f.value})
			}
			next++
		})
	}
	slices.SortFunc(rows, func(a, b factRow) int { return int(a.ID - b.ID) })
	return several(rows, func(some []factRow) error {
		args := make([]any, 0, 2*len(some))
		for _, row := range some {
			args = append(args, row.ID, row.Fact)
		}
		if _, err := tx.Exec(s.addFacts+strings.Repeat("(?, ?), ", len(some)-1)+"(?, ?)", args...); err != nil {
			return fmt.Errorf("store %d facts: %w", len(some), err)
		}
		return nil
	})
}

// factsAtOnce is how many facts are read with one question.
const factsAtOnce = 1024

func (s *set) selectFacts(q store.Queryer, ids []int64) ([]factRow, error) {
	var all []factRow
	for some := range slices.Chunk(ids, factsAtOnce) {
		query, args, err := store.In(s.facts, some)
		if err != nil {
			return nil, err
		}
		var rows []factRow
		if err := q.Select(&rows, query, args...); err != nil {
			return nil, fmt.Errorf("select %d facts: %w", len(some), err)
		}
		all = append(all, rows...)
	}
	return all, nil
}

// facts are the facts that memory knows, by numbers of their own. Spellings that differ in case
// are one; the first is shown.
type facts struct {
	byID   map[int64]uint32 // 0 for one that is not told apart
	values []factValue      // by number; 0 is none
	kindOf []uint32         // of each, since counting asks for nothing else
	hash   func(kind uint32, folded string) uint64
	hashed map[uint64]uint32 // by hash, since the texts are much larger
	kinds  []factKind
	kindAt map[string]uint32 // by folded name
	units  []string          // of numbers; 0 is that of what is not a number
	unitAt map[string]uint32
}

// factValue is a value of an attribute.
type factValue struct {
	label  string
	number float64 // if it is one
	unit   uint32
}

func (v *factValue) numeric() bool { return v.unit != 0 }

// factKind is an attribute with its values.
type factKind struct {
	label  string
	values []uint32
}

func newFacts() facts {
	seed := maphash.MakeSeed()
	type text struct {
		kind   uint32
		folded string
	}
	return facts{
		hash: func(kind uint32, folded string) uint64 { return maphash.Comparable(seed, text{kind, folded}) },
		byID: map[int64]uint32{}, values: make([]factValue, 1), kindOf: make([]uint32, 1), hashed: map[uint64]uint32{},
		kindAt: map[string]uint32{}, units: make([]string, 1), unitAt: map[string]uint32{},
	}
}

// foldFact is what spellings of one name or value have in common.
func foldFact(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// unknown are the facts of listings that are not known yet, in order.
func (f *facts) unknown(rows []shelfRow) []int64 {
	var ids []int64
	for i := range rows {
		eachFact(rows[i].Facts, func(id int64) {
			if _, known := f.byID[id]; !known {
				ids = append(ids, id)
			}
		})
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// take gets to know facts.
func (f *facts) take(rows []factRow) {
	for _, row := range rows {
		name, value, _ := strings.Cut(row.Fact, factGap)
		f.byID[row.ID] = f.number(name, value)
	}
}

// number is the number of a fact, a new one if need be; 0 when there are too many.
func (f *facts) number(name, value string) uint32 {
	kind, known := f.kindAt[foldFact(name)]
	if !known {
		if len(f.kinds) == maxFactKinds {
			return 0
		}
		kind = uint32(len(f.kinds)) //nolint:gosec // at most maxFactKinds
		f.kinds = append(f.kinds, factKind{label: strings.Clone(name)})
		f.kindAt[foldFact(name)] = kind
	}
	of := &f.kinds[kind]
	at, free := f.find(kind, value)
	if at == 0 && len(of.values) < maxFactEach {
		at = uint32(len(f.values))                  //nolint:gosec // far below four thousand million
		v := factValue{label: strings.Clone(value)} // not all of the row that it is cut out of
		if n, unit, numeric := search.NumberOf(v.label); numeric {
			v.number, v.unit = n, f.unit(unit)
		}
		f.values, f.kindOf = append(f.values, v), append(f.kindOf, kind)
		of.values = append(of.values, at)
		f.hashed[free] = at
	}
	return at
}

// find is the number of a value of an attribute. When there is none it is 0, and free is where it will be found.
func (f *facts) find(kind uint32, value string) (at uint32, free uint64) {
	value = foldFact(value)
	for free = f.hash(kind, value); ; free++ { // two that have the same hash lie side by side
		at = f.hashed[free]
		if at == 0 || f.kindOf[at] == kind && foldFact(f.values[at].label) == value {
			return at, free
		}
	}
}

// unit is the number of a unit.
func (f *facts) unit(text string) uint32 {
	at, known := f.unitAt[text]
	if !known {
		at = uint32(len(f.units)) //nolint:gosec // fewer than values
		f.units, f.unitAt[text] = append(f.units, text), at
	}
	return at
}

// of are the numbers of a row's facts, each once, those of one attribute together.
func (f *facts) of(ids []byte) []uint32 {
	all := make([]uint32, 0, len(ids)/factBytes)
	eachFact(ids, func(id int64) {
		if at := f.byID[id]; at != 0 {
			all = append(all, at)
		}
	})
	slices.SortFunc(all, func(a, b uint32) int {
		if x, y := f.kindOf[a], f.kindOf[b]; x != y {
			return int(x) - int(y)
		}
		return int(a) - int(b)
	})
	return slices.Compact(all)
}
