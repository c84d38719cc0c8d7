package feed

import "bytes"

type fieldState int

const (
	fieldMore    fieldState = iota // another field follows
	fieldLast                      // the row ends here
	fieldBroken                    // a quote over several lines breaks the rules
	fieldTooLong                   // the row runs past the bounds
)

// field finds the field that begins at an offset from the row's start, and where the next
// one begins.
func (l *lines) field(at int) (f field, next int, state fieldState) {
	from := at
	for {
		c, ok := l.byteAt(from)
		if ok && c == ' ' && from-at < maxShown { // blanks before a quote
			from++
			continue
		}
		if ok && c == '"' {
			return l.quoted(from + 1)
		}
		return l.plain(at)
	}
}

// byteAt is the byte at an offset from the row's start, read on if need be.
func (l *lines) byteAt(at int) (byte, bool) {
	for l.start+at >= len(l.buf) {
		if !l.more() {
			return 0, false
		}
	}
	return l.buf[l.start+at], true
}

// plain reads an unquoted field: up to the separator or the end of the line.
func (l *lines) plain(from int) (f field, next int, state fieldState) {
	for at := from; ; {
		rest := l.buf[l.start+at:]
		comma := bytes.IndexByte(rest, l.comma)
		line := rest
		if comma >= 0 {
			line = rest[:comma]
		}
		if end := bytes.IndexByte(line, '\n'); end >= 0 {
			to := at + end
			if to > from && l.buf[l.start+to-1] == '\r' {
				to--
			}
			return field{from: from, to: to}, at + end + 1, fieldLast
		}
		if comma >= 0 {
			return field{from: from, to: at + comma}, at + comma + 1, fieldMore
		}
		at += len(rest)
		if at > l.max {
			return field{from: from, to: at}, at, fieldTooLong
		}
		if !l.more() {
			return field{from: from, to: at}, at, fieldLast
		}
	}
}

// quoted reads a field whose quote has been opened just before from.
func (l *lines) quoted(from int) (f field, next int, state fieldState) {
	f = field{from: from, to: from}
	severalLines := false
	for at := from; ; {
		rest := l.buf[l.start+at:]
		quote := bytes.IndexByte(rest, '"')
		passed := rest
		if quote >= 0 {
			passed = rest[:quote]
		}
		severalLines = severalLines || bytes.IndexByte(passed, '\n') >= 0
		at += len(passed)
		l.over = l.over || severalLines
		if severalLines && (f.stray || at > l.patience) {
			return f, at, fieldBroken
		}
		if at > l.max {
			return f, at, fieldTooLong
		}
		if quote < 0 {
			if !l.more() {
				return f, at, fieldBroken // the feed ends in a quote
			}
			continue
		}
		if c, ok := l.byteAt(at + 1); ok && c == '"' {
			f.doubled = true
			at += 2
			continue
		}
		if next, state, closed := l.closing(at + 1); closed {
			f.to = at
			return f, next, state
		}
		f.stray = true
		at++
	}
}

// closing says whether a separator or an end follows a quote, blanks aside.
func (l *lines) closing(at int) (next int, state fieldState, closed bool) {
	for blanks := 0; blanks < maxShown; blanks++ {
		c, ok := l.byteAt(at)
		switch {
		case !ok:
			return at, fieldLast, true
		case c == '\n':
			return at + 1, fieldLast, true
		case c == l.comma:
			return at + 1, fieldMore, true
		case c != ' ' && c != '\r':
			return at, fieldMore, false
		}
		at++
	}
	return at, fieldMore, false
}
