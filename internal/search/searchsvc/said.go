package searchsvc

import (
	"fmt"

	"souk/internal/platform/store"
	"souk/internal/search/searchsvc/internal/bloom"
	"souk/internal/search/searchsvc/internal/spelling"
	"souk/internal/search/searchsvc/internal/words"
)

// The vocabulary has the words of titles, brands and categories. Of those that only descriptions
// and details have, which are many and full of slips, only hashes are kept: enough to say which
// spellings of a word nobody has written, without a look into the index for each.

// appendSaid appends the hashes of words as they are written, of those that may be looked for by their spelling.
func appendSaid(to []uint32, tokens []words.Token) []uint32 {
	for i := range tokens {
		if t := &tokens[i]; !t.Glued && spelling.Sayable(t.Word) {
			to = append(to, bloom.Hash(t.Word))
		}
	}
	return to
}

// heardSaid is which words a set's table has, so that a batch adds only those that are new. Like
// storedFacts it is right for the table as it was after the last write that it knows of. Only the
// writer's goroutine has it.
type heardSaid struct {
	filter bloom.Filter
	change int64 // the last in the table of listings after that write; -1 while one is under way
}

// begin reads what is there if that is not known, now that the last change of a listing is this one.
func (h *heardSaid) begin(tx *store.Tx, s *set, change int64) error {
	known := h.change == change
	h.change = -1
	if known {
		return nil
	}
	var stored [][]byte
	if err := tx.Select(&stored, s.newSaid, 0, change); err != nil {
		return fmt.Errorf("select the words of texts: %w", err)
	}
	h.filter = bloom.Filter{}
	for _, hashes := range stored {
		h.filter.AddAll(hashes)
	}
	return nil
}

// addNewSaid stores the words of listings' texts, as far as they are not there. The last change of this
// write to a listing is change.
func (s *set) addNewSaid(tx *store.Tx, all []*entry, change int64) error {
	h := &s.heardSaid
	var fresh []byte
	for _, e := range all {
		for _, hash := range e.said {
			if h.filter.Add(hash) {
				fresh = bloom.Append(fresh, hash)
			}
		}
	}
	if fresh != nil {
		if _, err := tx.Exec(s.addSaid, change, fresh); err != nil {
			return fmt.Errorf("store %d words of texts: %w", len(fresh)/4, err)
		}
	}
	h.change = change
	return nil
}
