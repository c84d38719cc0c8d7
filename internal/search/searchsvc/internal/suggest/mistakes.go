package suggest

// leastMended is how many letters a word must have before it is taken for another.
const leastMended = 4

// leastLooked is how many words with a beginning are looked at to see how common it is.
const leastLooked = 32

// mended is q with words that no title has taken for words that are one mistake away, and the
// last one for a beginning that some word has; false if there is no such.
func (b *Book) mended(q typed) (typed, bool) {
	out := typed{last: q.last}
	changed := false
	for _, text := range q.whole {
		if b.titles.ids[text] == nil {
			best, found := "", int32(0)
			mistakes(text, func(as []byte) {
				if w := b.titles.ids[string(as)]; w != nil && w.count > found {
					best, found = w.text, w.count
				}
			})
			if found == 0 {
				return q, false
			}
			text, changed = best, true
		}
		out.whole = append(out.whole, text)
	}
	if q.last == "" || b.titles.sorted.has(q.last) {
		return out, changed
	}
	found := uint64(0)
	mistakes(q.last, func(as []byte) {
		prefix := string(as)
		if !b.titles.sorted.has(prefix) {
			return
		}
		var t top[*word]
		b.titles.sorted.scan(&t, prefix, leastLooked)
		most := uint64(0)
		for _, w := range t.list {
			most = max(most, b.titles.sorted.weight(w))
		}
		if most > found {
			out.last, found = prefix, most
		}
	})
	return out, found > 0
}

// mistakes calls fn with every text that is one letter left out, too many, swapped with the
// next or another one away from text. The first letter is nearly always right, so it only
// changes places. Only plain letters are tried.
func mistakes(text string, fn func(as []byte)) {
	if len(text) < leastMended || len(text) > 24 {
		return
	}
	for i := range len(text) {
		if c := text[i]; c < '0' || c > 'z' {
			return
		}
	}
	buf := make([]byte, 0, len(text)+1)
	for i := range len(text) - 1 { // swapped
		if text[i] != text[i+1] {
			buf = append(buf[:0], text...)
			buf[i], buf[i+1] = buf[i+1], buf[i]
			fn(buf)
		}
	}
	for i := 1; i < len(text); i++ { // too many
		fn(append(append(buf[:0], text[:i]...), text[i+1:]...))
	}
	for c := byte('a'); c <= 'z'; c++ {
		for i := 1; i < len(text); i++ { // another one
			if text[i] != c {
				buf = append(buf[:0], text...)
				buf[i] = c
				fn(buf)
			}
		}
		for i := 1; i <= len(text); i++ { // left out
			fn(append(append(append(buf[:0], text[:i]...), c), text[i:]...))
		}
	}
}
