package rehearsal

import (
	"hash/maphash"
	"slices"

	"souk/internal/catalog"
	"souk/internal/platform/id"
)

// An id is kept as the 64 bits of a hash under a seed of its own: of 2 million ids, two are
// taken for one another in one check out of ten million. With 2 million orders, none of
// them shipped, a reading keeps 16 MB of ids and 48 MB of holds, and for a moment twice as
// much while these grow. Measured: 180 MB of heap at the most, garbage of pages included.
type hashed uint64

var seed = maphash.MakeSeed()

func hashOf[S ~string](s S) hashed { return hashed(maphash.String(seed, string(s))) }

// ids is a set of ids that is filled first and asked afterwards.
type ids []hashed

func (i *ids) add(h hashed) { *i = append(*i, h) }

func (i ids) sort() { slices.Sort(i) }

func (i ids) has(h hashed) bool {
	_, ok := slices.BinarySearch(i, h)
	return ok
}

// hold is what is kept of a reservation while orders are read: 24 bytes.
type hold struct {
	order     hashed
	pieces    int64
	key       uint32 // the lower half of its key's hash
	allocated bool   // else held or confirmed
	seen      bool   // its order is there
}

// holds are sorted by order once all are there.
type holds []hold

func (h *holds) add(r catalog.Reservation) {
	one := hold{order: hashOf(r.For), key: uint32(hashOf(r.Key)), allocated: r.Status == catalog.ReservationAllocated} //nolint:gosec // half of a hash is a hash
	for _, item := range r.Items {
		one.pieces += item.Quantity
	}
	*h = append(*h, one)
}

func (h holds) sort() {
	slices.SortFunc(h, func(a, b hold) int { return compareHashes(a.order, b.order) })
}

// of are the holds of one order.
func (h holds) of(order id.Ref) holds {
	wanted := hashOf(order)
	from, _ := slices.BinarySearchFunc(h, wanted, func(one hold, w hashed) int { return compareHashes(one.order, w) })
	to := from
	for to < len(h) && h[to].order == wanted {
		to++
	}
	return h[from:to]
}

// unseen are the hashes of orders that hold something and were not read.
func (h holds) unseen() ids {
	var out ids
	for _, one := range h {
		if !one.seen {
			out.add(one.order) // in order, as h is
		}
	}
	return out
}

func compareHashes(a, b hashed) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	default:
		return 0
	}
}
