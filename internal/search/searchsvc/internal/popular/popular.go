// Package popular counts what people search for, a day at a time, in memory that does not grow.
//
// Nothing in it is about a person: a text in lower case, the day, and how often. Texts that may be about a
// person are not kept at all (Normal); they count in the day's sums.
//
// # Bounded
//
// At most so many texts are kept of a day. When they are all taken, a new one takes the place of the one
// searched for least, and inherits its count as the error that its own may have: Space-Saving (Metwally, Agrawal,
// El Abbadi: Efficient computation of frequent and top-k elements in data streams, ICDT 2005). Every text
// that makes up more than one in so many of the day's searches is there in the end. What is told of a text is what
// was counted since it was taken in, so it is never too high.
package popular

import (
	"container/heap"
	"strings"
	"sync"

	"souk/internal/catalog"
)

// Figures are counts of searches, or what has been added to them.
type Figures struct {
	Searches  int64 `db:"searches"`
	Empty     int64 `db:"empty"`     // found nothing
	Corrected int64 `db:"corrected"` // something else was searched for instead
	First     int64 `db:"clicks_1"`  // results chosen in the first place,
	Third     int64 `db:"clicks_3"`  // the second and third,
	Tenth     int64 `db:"clicks_10"` // up to the tenth,
	Later     int64 `db:"clicks_more"`
	Suitable  int64 `db:"suitable"` // found what has all words as typed: fit to be suggested
}

func (f *Figures) add(g Figures) {
	f.Searches += g.Searches
	f.Empty += g.Empty
	f.Corrected += g.Corrected
	f.First += g.First
	f.Third += g.Third
	f.Tenth += g.Tenth
	f.Later += g.Later
	f.Suitable += g.Suitable
}

// Clicks are the results chosen.
func (f Figures) Clicks() int64 { return f.First + f.Third + f.Tenth + f.Later }

// click counts a result chosen in that place, from 1; in which place is not known for less.
func (f *Figures) click(position int32) {
	switch {
	case position == 1:
		f.First++
	case position == 2 || position == 3:
		f.Third++
	case position >= 4 && position <= 10:
		f.Tenth++
	default:
		f.Later++
	}
}

// Text is a text of the day with what is to be added to its figures.
type Text struct {
	Text  string
	Name  string
	Floor int64 // searches of others that made room for it: how much too low its count may be
	Add   Figures
}

// Click is how often a listing was chosen among the results of a text, in an hour.
type Click struct {
	Listing catalog.ListingID
	Hour    int64 // since 1970
	Name    string
}

// Batch is what is to be written: all of one day.
type Batch struct {
	Day    int64 // since 1970, in UTC
	Sums   Figures
	Gone   []string // names of texts that made room
	Texts  []Text
	Clicks map[Click]int64
}

// Empty says whether there is nothing to write.
func (b Batch) Empty() bool {
	return b.Sums == Figures{} && len(b.Gone) == 0 && len(b.Texts) == 0 && len(b.Clicks) == 0
}

// Counter counts. Use New.
type Counter struct {
	most int
	name Name

	mu     sync.Mutex
	day    int64
	loaded bool
	sums   Figures
	byName map[string]*entry
	queue  queue
	gone   map[string]bool
	clicks map[Click]int64
	past   []Batch // of days that have ended and are not written yet
}

type entry struct {
	text  string
	name  string
	floor int64
	count int64 // of searches, with the floor
	add   Figures
	dirty bool
	at    int // in the queue
}

// Name is what a text is called.
func (c *Counter) Name(text string) string { return c.name(text) }

// New makes a counter of at most so many texts a day, which it knows by these names.
func New(most int, name Name) *Counter {
	return &Counter{most: most, name: name, byName: map[string]*entry{}, gone: map[string]bool{}, clicks: map[Click]int64{}}
}

// Search counts a search on a day. text is Normal; "" counts only in the day's sums. add says what it came to.
func (c *Counter) Search(day int64, text string, add Figures) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turn(day)
	c.sums.add(add)
	if text == "" {
		return
	}
	e := c.take(text)
	e.add.add(add)
	e.dirty = true
	e.count += add.Searches
	heap.Fix(&c.queue, e.at)
}

// Click counts that a listing was chosen among the results of a text that was searched for today, and says
// whether there is such a text. A text of yesterday is made known with Known.
func (c *Counter) Click(day, hour int64, name string, listing catalog.ListingID, position int32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turn(day)
	e := c.byName[name]
	if e == nil {
		return false
	}
	var add Figures
	add.click(position)
	c.sums.add(add)
	e.add.add(add)
	e.dirty = true
	// name and listing may be pieces of a request.
	at := Click{Listing: listing, Hour: hour, Name: e.name}
	if _, there := c.clicks[at]; there {
		c.clicks[at]++
	} else if len(c.clicks) < c.most {
		at.Listing = catalog.ListingID(strings.Clone(string(listing)))
		c.clicks[at] = 1
	}
	return true
}

// Has says whether a text of that name is kept of the day.
func (c *Counter) Has(day int64, name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turn(day)
	return c.byName[name] != nil
}

// Loaded says whether what was written of the day before the start is taken in.
func (c *Counter) Loaded(day int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turn(day)
	return c.loaded
}

// Known takes a text in that was searched for on another day, without counting anything.
func (c *Counter) Known(day int64, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turn(day)
	c.take(text)
}

// Load takes in what was written of a day by a process before, unless something of that day has been loaded. count is
// the searches with the floor.
func (c *Counter) Load(day int64, rows func(put func(text string, floor, count int64))) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turn(day)
	if c.loaded {
		return
	}
	c.loaded = true
	rows(func(text string, floor, count int64) {
		name := c.name(text)
		if e := c.byName[name]; e != nil { // searched for since the start
			e.count, e.floor = e.count-e.floor+count, floor
			heap.Fix(&c.queue, e.at)
			return
		}
		if len(c.queue) < c.most {
			c.put(&entry{text: text, name: name, floor: floor, count: count})
		}
	})
}

// turn begins another day. What comes late from the day before counts as of this one.
func (c *Counter) turn(day int64) {
	if day <= c.day {
		return
	}
	if b := c.batch(); !b.Empty() {
		c.past = append(c.past, b)
	}
	c.day, c.loaded = day, c.day != 0 // nothing was written of a day that begins while we run
	clear(c.byName)
	c.queue = nil
}

// take finds the entry of a text, or makes it, in place of another if there is no room.
func (c *Counter) take(text string) *entry {
	name := c.name(text)
	if e := c.byName[name]; e != nil {
		return e
	}
	e := &entry{text: strings.Clone(text), name: name} // text may be a piece of something large
	if len(c.queue) >= c.most {
		least := heap.Pop(&c.queue).(*entry) //nolint:forcetypeassert // nothing else is in there
		delete(c.byName, least.name)
		c.gone[least.name] = true
		e.floor, e.count = least.count, least.count
	}
	delete(c.gone, name)
	c.put(e)
	return e
}

func (c *Counter) put(e *entry) {
	c.byName[e.name] = e
	heap.Push(&c.queue, e)
}

// batch takes what is to be written out.
func (c *Counter) batch() Batch {
	b := Batch{Day: c.day, Sums: c.sums, Clicks: c.clicks}
	for name := range c.gone {
		b.Gone = append(b.Gone, name)
	}
	for _, e := range c.queue {
		if e.dirty {
			b.Texts = append(b.Texts, Text{Text: e.text, Name: e.name, Floor: e.floor, Add: e.add})
			e.add, e.dirty = Figures{}, false
		}
	}
	c.sums, c.gone, c.clicks = Figures{}, map[string]bool{}, map[Click]int64{}
	return b
}

// Take takes out what is to be written, day by day. What cannot be written is lost: counts are not worth
// keeping in the way of anything.
func (c *Counter) Take() []Batch {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.past
	c.past = nil
	if b := c.batch(); !b.Empty() {
		out = append(out, b)
	}
	return out
}

// Size is how many texts of the day are kept.
func (c *Counter) Size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.queue)
}

// queue has the text searched for least in front.
type queue []*entry

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].count < q[j].count }
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].at, q[j].at = i, j
}

// Push is of heap.Interface.
func (q *queue) Push(x any) {
	e := x.(*entry) //nolint:forcetypeassert // nothing else is in there
	e.at = len(*q)
	*q = append(*q, e)
}

// Pop is of heap.Interface.
func (q *queue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	*q = (*q)[:last]
	return e
}
