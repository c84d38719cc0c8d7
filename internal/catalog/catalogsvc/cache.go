package catalogsvc

import (
	"hash/maphash"
	"sync"
	"sync/atomic"

	"souk/internal/catalog"
	"souk/internal/platform/clock"
)

// cache keeps listings that were read, until a Write touches them.
//
// It is never ahead of the database, since only what was read from a committed snapshot goes
// in; and it is never behind for whoever has seen a Write return, since every Write drops what
// it touched before it returns, whether it succeeded or its outcome is not known. The trap is
// a reader that took its snapshot before a commit and puts it here after the drop. So each
// shard counts its drops: a reader notes the count before its snapshot begins, and what it
// read goes in only while the count is the same.
//
// A snapshot whose stock is held with a term is good only until that term ends. What a
// seller is called and whether it is approved is part of every snapshot of its listings; any
// change of a seller makes all of them stale at once, since sellers seldom change.
//
// This stands on one process writing a database, which the lock on the file makes sure of.
type cache struct {
	seed    maphash.Seed
	shards  [cacheShards]shard
	most    int // listings in one shard; 0 keeps nothing
	sellers atomic.Int64
}

const cacheShards = 64

type shard struct {
	mu       sync.Mutex
	drops    uint64
	listings map[catalog.ListingID]*snapshot
	variants map[catalog.VariantID]catalog.ListingID // which never changes; by the variant's own hash
}

func newCache(most int) *cache {
	c := &cache{seed: maphash.MakeSeed(), most: most / cacheShards}
	for i := range c.shards {
		c.shards[i].listings = map[catalog.ListingID]*snapshot{}
		c.shards[i].variants = map[catalog.VariantID]catalog.ListingID{}
	}
	return c
}

func (c *cache) shard(lid catalog.ListingID) *shard { return c.shardAt(string(lid)) }

func (c *cache) shardAt(id string) *shard { return &c.shards[maphash.String(c.seed, id)%cacheShards] }

// get is the listing, if it is here and still true.
func (c *cache) get(lid catalog.ListingID, now clock.Time) *snapshot {
	if c.most == 0 {
		return nil
	}
	s := c.shard(lid)
	s.mu.Lock()
	snap := s.listings[lid]
	s.mu.Unlock()
	if snap == nil || snap.sellers != c.sellers.Load() || !snap.fresh(now) {
		return nil
	}
	return snap
}

// byVariant is the listing that has the variant, if it is here and still true.
func (c *cache) byVariant(vid catalog.VariantID, now clock.Time) *snapshot {
	if c.most == 0 {
		return nil
	}
	s := c.shardAt(string(vid))
	s.mu.Lock()
	lid, ok := s.variants[vid]
	s.mu.Unlock()
	if !ok {
		return nil
	}
	return c.get(lid, now)
}

// fill is what a reader noted before its snapshot.
type fill struct {
	drops   map[*shard]uint64
	sellers int64
}

// begin is called before the snapshot that is to be put.
func (c *cache) begin(ids []catalog.ListingID) fill {
	f := fill{drops: make(map[*shard]uint64, min(len(ids), cacheShards)), sellers: c.sellers.Load()}
	for _, lid := range ids {
		s := c.shard(lid)
		if _, ok := f.drops[s]; !ok {
			s.mu.Lock()
			f.drops[s] = s.drops
			s.mu.Unlock()
		}
	}
	return f
}

// put keeps what was read, unless something in its shard was dropped since.
func (c *cache) put(f fill, snap *snapshot) {
	if c.most == 0 {
		return
	}
	snap.sellers = f.sellers
	if !c.shard(snap.ID).keep(f, snap, c.most) {
		return
	}
	for _, v := range snap.Variants {
		c.shardAt(string(v.ID)).know(v.ID, snap.ID, 2*c.most)
	}
}

func (s *shard) keep(f fill, snap *snapshot, most int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.drops != f.drops[s] {
		return false
	}
	for old := range s.listings { // any of them: which one hardly matters
		if len(s.listings) < most {
			break
		}
		delete(s.listings, old)
	}
	s.listings[snap.ID] = snap
	return true
}

func (s *shard) know(vid catalog.VariantID, lid catalog.ListingID, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for old := range s.variants {
		if len(s.variants) < most {
			break
		}
		delete(s.variants, old)
	}
	s.variants[vid] = lid
}

// drop forgets listings that a Write has touched.
func (c *cache) drop(ids []catalog.ListingID) {
	if c.most == 0 {
		return
	}
	for _, lid := range ids {
		s := c.shard(lid)
		s.mu.Lock()
		s.drops++
		delete(s.listings, lid)
		s.mu.Unlock()
	}
}

// dropSellers makes everything stale that was read before a seller changed.
func (c *cache) dropSellers() { c.sellers.Add(1) }
