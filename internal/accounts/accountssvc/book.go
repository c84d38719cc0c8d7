package accountssvc

import (
	"slices"

	"souk/internal/accounts"
)

// entry is an address as it is kept: in its place, perhaps removed.
type entry struct {
	accounts.Address
	place   int64
	removed bool
}

// book is one person's entries, in the order added. While any is there that is not removed, exactly
// one of these is the default.
type book []entry

// live are those that are not removed.
func (b book) live() int {
	n := 0
	for _, e := range b {
		if !e.removed {
			n++
		}
	}
	return n
}

func (b book) find(id accounts.AddressID) int {
	return slices.IndexFunc(b, func(e entry) bool { return e.ID == id })
}

// put adds a, or replaces the entry of its id; a removed one comes back. It is the default if
// it says so, was so, or is alone.
func (b book) put(a accounts.Address) (book, error) {
	b = slices.Clone(b)
	at := b.find(a.ID)
	if (at < 0 || b[at].removed) && b.live() >= accounts.MaxAddresses {
		return nil, accounts.ErrLimit.With("an address book has %d entries at most; remove one first", accounts.MaxAddresses)
	}
	if at < 0 {
		at = len(b)
		place := int64(0)
		for _, e := range b {
			place = max(place, e.place+1)
		}
		b = append(b, entry{place: place, removed: true})
	}
	was := !b[at].removed && b[at].Default
	a.Default = a.Default || was || b.live() == 0
	if a.Default {
		for i := range b {
			b[i].Default = false
		}
	}
	b[at].Address, b[at].removed = a, false
	return b, nil
}

// remove takes an entry out. If it was the default, the oldest that is left becomes it.
func (b book) remove(id accounts.AddressID) (book, error) {
	b = slices.Clone(b)
	at := b.find(id)
	if at < 0 || b[at].removed {
		return nil, accounts.ErrNotFound.With("there is no address %s", id)
	}
	was := b[at].Default
	b[at].removed, b[at].Default = true, false
	if next := slices.IndexFunc(b, func(e entry) bool { return !e.removed }); was && next >= 0 {
		b[next].Default = true
	}
	return b, nil
}

// list is what is in the book, the default first.
func (b book) list() []accounts.Address {
	out := make([]accounts.Address, 0, len(b))
	for _, e := range b {
		switch {
		case e.removed:
		case e.Default:
			out = slices.Insert(out, 0, e.Address)
		default:
			out = append(out, e.Address)
		}
	}
	return out
}
