package feed

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// lines reads TSV and CSV: a header, then rows quoted as in CSV.
//
// It is lenient where nothing can be mistaken: a quote inside a field that does not begin
// with one is a quote, and so is one inside a quoted field of one line that no separator
// follows (17" in "a 17" screen"). A quoted field that runs over several lines is held to
// the rules, for there a broken quote would swallow its neighbours: if it breaks them, runs
// past the bounds, or makes a row with a wrong number of fields, then only the line on which
// the row began is left out, and reading goes on with the line after it.
//
// What was looked at in vain is looked at again then. A feed of nothing but broken quotes could
// make that a row's bounds for every line, so it is paid for: see patience.
type lines struct {
	in      *bufio.Reader
	buf     []byte // what has been read and not used; a row is in it whole
	start   int    // where the next row begins in buf
	line    int    // the number of that row's first line
	end     error  // what in said last
	comma   byte
	max     int
	columns []column
	fields  []field
	skip    bool // in a line that is too long: what is left of it is passed over
	oldMac  bool // lines end with \r alone

	over     bool  // the row at start runs over several lines
	patience int   // how far a row over several lines may run: what is looked at in vain takes of it, what is passed gives
	looked   int64 // bytes of all rows looked at, in vain or not
}

// The patience with rows over several lines: at first, and at most, this many of the longest
// rows; each byte passed gives back so many. So no feed is looked at more than that often over.
const (
	patientRows = 2
	patientGain = 4
)

type field struct {
	from, to int  // counted from start
	doubled  bool // has quotes to undo
	stray    bool // has a quote that should not be there
}

func newLines(in *bufio.Reader, format Format, maxRow int, t *table) (*lines, error) {
	head, _ := in.Peek(sniffed) // an error comes again on reading
	l := &lines{in: in, line: 1, max: maxRow, comma: separator(head), patience: patientRows * maxRow}
	l.oldMac = bytes.IndexByte(head, '\r') >= 0 && bytes.IndexByte(head, '\n') < 0
	if format == TSV {
		l.comma = '\t'
	}
	for {
		width, err := l.row()
		if errors.Is(err, io.EOF) {
			return nil, errors.New("read the feed: it has no header")
		}
		if err != nil {
			return nil, fmt.Errorf("read the feed's header: %w", err)
		}
		if l.blank() {
			l.consume(width)
			continue
		}
		for _, f := range l.fields {
			name, _ := repair(l.text(f))
			l.columns = append(l.columns, t.column(name, l.line, false))
		}
		l.consume(width)
		break
	}
	for _, wanted := range []string{"id", "title", "price"} {
		if !t.has(wanted) {
			return nil, fmt.Errorf("read the feed's header: it has no column %q; the first line names the columns, as in Google's product feeds", wanted)
		}
	}
	return l, nil
}

// separator is the mark that most often stands in the first line, outside quotes; tabs win.
func separator(head []byte) byte {
	counts := map[byte]int{}
	quoted := false
	for _, c := range head {
		if c == '"' {
			quoted = !quoted
		}
		if (c == '\n' || c == '\r') && len(counts) > 0 {
			break
		}
		if !quoted && (c == '\t' || c == ',' || c == ';' || c == '|') {
			counts[c]++
		}
	}
	if counts['\t'] > 0 {
		return '\t'
	}
	best := byte(',')
	for _, c := range []byte{';', '|'} {
		if counts[c] > counts[best] {
			best = c
		}
	}
	return best
}

func (l *lines) next(b *builder) error {
	for {
		width, err := l.row()
		var bad *RowError
		if errors.As(err, &bad) {
			return bad
		}
		if err != nil {
			return err
		}
		if l.blank() {
			l.consume(width)
			continue
		}
		if bad := l.miscounted(width); bad != nil {
			return bad
		}
		b.row.Line = l.line
		for i, f := range l.fields {
			if i < len(l.columns) && f.from < f.to {
				b.set(&l.columns[i], l.text(f))
				if f.stray {
					b.warn(l.columns[i].name, l.text(f), "has a quote where none belongs")
				}
			}
		}
		l.consume(width)
		return nil
	}
}

// miscounted rejects a row with fields too few or too many. Empty ones too many do no harm.
func (l *lines) miscounted(width int) *RowError {
	extra := 0
	for i := len(l.columns); i < len(l.fields); i++ {
		extra += l.fields[i].to - l.fields[i].from
	}
	if len(l.fields) >= len(l.columns) && extra == 0 {
		return nil
	}
	bad := &RowError{
		Line: l.line, Value: shorten(string(l.buf[l.start : l.start+width])),
		Reason: fmt.Sprintf("has %d fields where the header has %d", len(l.fields), len(l.columns)),
	}
	if bytes.IndexByte(bytes.TrimRight(l.buf[l.start:l.start+width], "\r\n"), '\n') >= 0 {
		l.resume(bad, width)
		return bad
	}
	l.consume(width)
	return bad
}

// resume leaves out the first line of the row that begins at start, and no more, after so many
// bytes of it were looked at.
func (l *lines) resume(bad *RowError, looked int) {
	l.patience -= looked
	bad.Reason += "; it begins with a quote that does not end, so only this line is left out"
	if first := bytes.IndexByte(l.buf[l.start:], '\n'); first >= 0 {
		l.consume(first + 1)
		return
	}
	l.start = len(l.buf)
}

// consume goes on behind the width bytes of a row.
func (l *lines) consume(width int) {
	l.line += bytes.Count(l.buf[l.start:l.start+width], []byte{'\n'})
	l.start += width
	l.patience = min(l.patience+patientGain*width, patientRows*l.max)
}

func (l *lines) blank() bool {
	return len(l.fields) == 1 && strings.TrimSpace(l.text(l.fields[0])) == ""
}

func (l *lines) text(f field) string {
	s := string(l.buf[l.start+f.from : l.start+f.to])
	if f.doubled {
		s = strings.ReplaceAll(s, `""`, `"`)
	}
	return s
}

// row finds the fields of the next row and how many bytes it takes, its line end included.
func (l *lines) row() (width int, err error) {
	if l.skip {
		if err := l.skipLine(); err != nil {
			return 0, err
		}
	}
	l.fields, l.over = l.fields[:0], false
	if l.start == len(l.buf) {
		if !l.more() && l.start == len(l.buf) {
			return 0, l.ended()
		}
	}
	for at := 0; ; {
		f, next, state := l.field(at)
		l.looked += int64(next - at)
		switch {
		case l.over && next > l.patience:
			state = fieldBroken
		case next > l.max && state != fieldBroken:
			state = fieldTooLong
		}
		switch state {
		case fieldTooLong:
			return 0, l.tooLong(next)
		case fieldBroken:
			bad := &RowError{Line: l.line, Column: l.columnName(len(l.fields)), Value: l.shown(f.from), Reason: "has a broken quote"}
			if l.over && next > l.patience {
				bad.Reason = "runs over several lines, after too many that did so in vain"
			}
			l.resume(bad, next)
			return 0, bad
		case fieldMore, fieldLast:
		}
		l.fields = append(l.fields, f)
		if state == fieldLast {
			return next, nil
		}
		if at = next; len(l.fields) > maxColumns {
			return 0, l.tooLong(at)
		}
	}
}

// shown is the beginning of what stands at an offset from start, for a message.
func (l *lines) shown(at int) string {
	from := min(l.start+at, len(l.buf))
	return shorten(string(l.buf[from:min(from+5*maxShown, len(l.buf))]))
}

// ended is why there is no more: io.EOF, or what reading said.
func (l *lines) ended() error {
	if l.end == nil {
		return io.EOF
	}
	return l.end
}

func (l *lines) columnName(i int) string {
	if i < len(l.columns) {
		return l.columns[i].name
	}
	return ""
}

// tooLong leaves out a row that runs past the bounds: its first line if it has several, else
// all of the line, however long, without keeping it.
func (l *lines) tooLong(looked int) error {
	bad := &RowError{
		Line: l.line, Value: l.shown(0),
		Reason: fmt.Sprintf("is longer than %d bytes or %d fields", l.max, maxColumns),
	}
	if first := bytes.IndexByte(l.buf[l.start:], '\n'); first >= 0 {
		if l.over {
			l.patience -= looked
		}
		l.consume(first + 1)
		return bad
	}
	l.start, l.skip = len(l.buf), true
	return bad
}

func (l *lines) skipLine() error {
	l.skip = false
	for {
		if i := bytes.IndexByte(l.buf[l.start:], '\n'); i >= 0 {
			l.start += i + 1
			l.line++
			return nil
		}
		l.start = len(l.buf)
		if !l.more() {
			return l.ended()
		}
	}
}

// more reads on behind what is there, and says whether anything came. What lies before start
// is dropped.
func (l *lines) more() bool {
	if l.end != nil {
		return false
	}
	if l.start > 0 {
		l.buf = l.buf[:copy(l.buf, l.buf[l.start:])]
		l.start = 0
	}
	had := len(l.buf)
	if cap(l.buf)-had < sniffed {
		grown := make([]byte, had, max(2*cap(l.buf), had+sniffed))
		copy(grown, l.buf)
		l.buf = grown
	}
	for l.end == nil && len(l.buf) == had {
		n, err := l.in.Read(l.buf[had : had+sniffed])
		l.buf, l.end = l.buf[:had+n], err
	}
	for i := had; l.oldMac && i < len(l.buf); i++ {
		if l.buf[i] == '\r' {
			l.buf[i] = '\n'
		}
	}
	return len(l.buf) > had
}
