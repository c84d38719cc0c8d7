package feed

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// marks finds the tags of an XML text without understanding it: enough to cut it into items,
// and never lost for long in one that is broken. A comment or CDATA section without an end,
// or a tag with a < in it, ends where the bounds or the < say.
type marks struct {
	in   *bufio.Reader
	max  int
	line int
	tag  []byte
}

type markKind int

const (
	startTag markKind = iota
	endTag
	emptyTag // <item/>
)

// mark is one tag. name and raw hold until the next.
type mark struct {
	name []byte
	kind markKind
	raw  []byte
	line int
}

// keep adds to a kept text as long as it is not past the bounds.
func (m *marks) keep(kept *[]byte, text ...byte) {
	if kept != nil && len(*kept) <= m.max {
		*kept = append(*kept, text...)
	}
}

func (m *marks) read() (byte, error) {
	c, err := m.in.ReadByte()
	if c == '\n' {
		m.line++
	}
	return c, err
}

// next returns the next tag. The text before it, with CDATA, is added to kept; comments,
// declarations and instructions are dropped.
func (m *marks) next(kept *[]byte) (mark, error) {
	for {
		if err := m.text(kept); err != nil {
			return mark{}, err
		}
		line := m.line
		switch head, _ := m.in.Peek(8); { // at the end it is shorter
		case bytes.HasPrefix(head, []byte("!--")):
			if err := m.until("-->", kept, false); err != nil {
				return mark{}, err
			}
			continue
		case bytes.HasPrefix(head, []byte("![CDATA[")):
			m.keep(kept, '<')
			if err := m.until("]]>", kept, true); err != nil {
				return mark{}, err
			}
			continue
		}
		if err := m.upToEnd(); err != nil {
			return mark{}, err
		}
		if found, ok := tagOf(m.tag); ok {
			found.line = line
			return found, nil
		}
		m.keep(kept, m.tag...) // for the XML decoder to refuse
	}
}

// text passes over what stands before the next <, and over that.
func (m *marks) text(kept *[]byte) error {
	for {
		chunk, err := m.in.ReadSlice('<')
		m.line += bytes.Count(chunk, []byte{'\n'})
		if err == nil {
			m.keep(kept, chunk[:len(chunk)-1]...)
			return nil
		}
		m.keep(kept, chunk...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// until passes over what stands before end, and over end, at most the bounds far. Of what is
// not whole it keeps the line ends, so that lines can still be counted.
func (m *marks) until(end string, kept *[]byte, whole bool) error {
	matched := 0
	for range m.max {
		c, err := m.read()
		if err != nil {
			return err
		}
		if whole || c == '\n' {
			m.keep(kept, c)
		}
		switch {
		case c == end[matched]:
			if matched++; matched == len(end) {
				return nil
			}
		case matched == 2 && c == end[0] && end[0] == end[1]: // --->, ]]]>
		case c == end[0]:
			matched = 1
		default:
			matched = 0
		}
	}
	return nil
}

// upToEnd reads a tag, from its < to its >, which may stand in quotes before. A < ends it too.
func (m *marks) upToEnd() error {
	m.tag = append(m.tag[:0], '<')
	quote := byte(0)
	for len(m.tag) < min(m.max, 16<<10) {
		c, err := m.in.ReadByte()
		if errors.Is(err, io.EOF) {
			return io.EOF
		}
		if err != nil {
			return err
		}
		if c == '<' {
			return m.in.UnreadByte()
		}
		if c == '\n' {
			m.line++
		}
		m.tag = append(m.tag, c)
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return nil
		}
	}
	return nil
}

// tagOf reads the name of a tag. Declarations, instructions and broken tags are none.
func tagOf(raw []byte) (mark, bool) {
	inner, whole := bytes.CutSuffix(raw[1:], []byte{'>'})
	m := mark{raw: raw}
	if after, ok := bytes.CutPrefix(inner, []byte{'/'}); ok {
		inner, m.kind = after, endTag
	} else if before, ok := bytes.CutSuffix(inner, []byte{'/'}); ok {
		inner, m.kind = before, emptyTag
	}
	end := bytes.IndexAny(inner, " \t\r\n")
	if end < 0 {
		end = len(inner)
	}
	m.name = inner[:end]
	return m, whole && len(m.name) > 0 && m.name[0] != '!' && m.name[0] != '?'
}
