package catalogsvc

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"souk/internal/catalog"
	"souk/internal/platform/clock"
)

// These look inside, since the moment between a reader's snapshot and what it keeps of it
// cannot be brought about from outside.

func kept(n int) *snapshot {
	s := &snapshot{}
	s.ID = catalog.ListingID(fmt.Sprintf("lst_%026d", n))
	s.Variants = []catalog.Variant{{ID: catalog.VariantID(fmt.Sprintf("var_%026d", n))}}
	return s
}

func TestWhatWasReadBeforeADropIsNotKeptAfterIt(t *testing.T) {
	t.Parallel()
	c, s := newCache(2048), kept(1)
	ids := []catalog.ListingID{s.ID}
	early := c.begin(ids)
	c.drop(ids) // a Write has returned in the meantime
	c.put(early, s)
	assert.Nil(t, c.get(s.ID, 0))

	c.put(c.begin(ids), s)
	assert.Same(t, s, c.get(s.ID, 0))
	assert.Same(t, s, c.byVariant(s.Variants[0].ID, 0))
	c.drop(ids)
	assert.Nil(t, c.get(s.ID, 0))
	assert.Nil(t, c.byVariant(s.Variants[0].ID, 0))
}

func TestAChangeOfSellersMakesEverythingStale(t *testing.T) {
	t.Parallel()
	c, s := newCache(2048), kept(1)
	early := c.begin([]catalog.ListingID{s.ID})
	c.put(early, s)
	c.dropSellers()
	assert.Nil(t, c.get(s.ID, 0))
	c.put(early, kept(1))
	assert.Nil(t, c.get(s.ID, 0), "also what was read before it and comes after")
}

func TestASnapshotIsGoodUntilATermEnds(t *testing.T) {
	t.Parallel()
	c, s := newCache(2048), kept(1)
	s.until = 1000
	c.put(c.begin([]catalog.ListingID{s.ID}), s)
	assert.NotNil(t, c.get(s.ID, clock.Time(999)))
	assert.Nil(t, c.get(s.ID, clock.Time(1000)))
}

func TestMemoryOfListingsIsBounded(t *testing.T) {
	t.Parallel()
	c := newCache(640)
	for n := range 10_000 {
		s := kept(n)
		c.put(c.begin([]catalog.ListingID{s.ID}), s)
	}
	listings, variants := 0, 0
	for i := range c.shards {
		listings, variants = listings+len(c.shards[i].listings), variants+len(c.shards[i].variants)
	}
	assert.LessOrEqual(t, listings, 640)
	assert.LessOrEqual(t, variants, 1280)
}

func TestNothingIsKeptWhenNothingMayBe(t *testing.T) {
	t.Parallel()
	c, s := newCache(0), kept(1)
	c.put(c.begin([]catalog.ListingID{s.ID}), s)
	assert.Nil(t, c.get(s.ID, 0))
}
