package feed

import (
	"encoding/xml"
	"strconv"
	"strings"
	"unicode/utf8"
)

// plain reads what nearly every item is: elements without attributes, with text or with children
// that have text, and nothing else between them. It takes a fraction of the XML decoder's time,
// understands nothing that could be read in two ways, and leaves everything else to that.
type plain struct {
	text string
	at   int
	line int // line ends before at
}

// plainElement is a child of the item as it stands there.
type plainElement struct {
	name xml.Name
	line int
	element
}

// plainElements are the children of the one element that text holds, or false.
func (x *items) plainElements(text string) ([]plainElement, bool) {
	p := plain{text: text}
	if !wellFormed(text) || !p.skip("<"+x.tag+">") {
		return nil, false
	}
	found := make([]plainElement, 0, 32)
	for {
		p.blanks()
		if p.skip("</" + x.tag + ">") {
			return found, p.at == len(text)
		}
		name, ok := p.startTag()
		if !ok {
			return nil, false
		}
		e := plainElement{name: nameOf(name), line: p.line}
		if e.name.Space != "" && e.name.Space != x.prefix || !p.content(name, &e.element) {
			return nil, false
		}
		found = append(found, e)
	}
}

// wellFormed says whether text has only characters that XML may have, and no carriage returns,
// which XML reads as line ends.
func wellFormed(text string) bool {
	ascii := true
	for i := range len(text) {
		c := text[i]
		if c < ' ' && c != '\n' && c != '\t' {
			return false
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	return ascii || utf8.ValidString(text) && !strings.ContainsAny(text, "\ufffe\uffff")
}

// nameOf cuts a name at its colon.
func nameOf(s string) xml.Name {
	if prefix, local, ok := strings.Cut(s, ":"); ok {
		return xml.Name{Space: prefix, Local: local}
	}
	return xml.Name{Local: s}
}

// skip passes over what is expected.
func (p *plain) skip(expected string) bool {
	if !strings.HasPrefix(p.text[p.at:], expected) {
		return false
	}
	p.at += len(expected)
	return true
}

func (p *plain) blanks() {
	for ; p.at < len(p.text); p.at++ {
		switch p.text[p.at] {
		case '\n':
			p.line++
		case ' ', '\t':
		default:
			return
		}
	}
}

// startTag passes over a start tag without attributes and returns its name: letters, digits and
// underscores, with at most one colon among them.
func (p *plain) startTag() (string, bool) {
	if !p.skip("<") {
		return "", false
	}
	from, colon := p.at, -1
	for ; p.at < len(p.text); p.at++ {
		c := p.text[p.at]
		first := p.at == from || p.at == colon+1
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_', c >= '0' && c <= '9' && !first:
		case c == ':' && colon < 0 && !first:
			colon = p.at
		case c == '>' && !first:
			p.at++
			return p.text[from : p.at-1], true
		default:
			return "", false
		}
	}
	return "", false
}

// content reads up to an element's end tag: text, or children with text.
func (p *plain) content(name string, e *element) bool {
	var all strings.Builder
	for {
		text, ok := p.characters()
		if !ok {
			return false
		}
		if e.parts == nil && p.skip("</"+name+">") {
			e.text = strings.TrimSpace(text)
			return true
		}
		all.WriteString(text)
		if p.skip("</" + name + ">") {
			e.text = strings.TrimSpace(all.String())
			return true
		}
		child, ok := p.startTag()
		if !ok {
			return false
		}
		if text, ok = p.characters(); !ok || !p.skip("</"+child+">") {
			return false
		}
		if e.parts == nil {
			e.parts = map[string]string{}
		}
		e.parts[nameOf(child).Local] = text
		all.WriteString(text)
	}
}

// characters reads text and CDATA up to the next tag.
func (p *plain) characters() (string, bool) {
	text, ok := p.run()
	if !ok || !p.skip("<![CDATA[") {
		return text, ok
	}
	var all strings.Builder
	all.WriteString(text)
	for {
		end := strings.Index(p.text[p.at:], "]]>")
		if end < 0 {
			return "", false
		}
		raw := p.text[p.at : p.at+end]
		p.at, p.line = p.at+end+len("]]>"), p.line+strings.Count(raw, "\n")
		all.WriteString(raw)
		if text, ok = p.run(); !ok {
			return "", false
		}
		all.WriteString(text)
		if !p.skip("<![CDATA[") {
			return all.String(), true
		}
	}
}

// run reads text up to the next <.
func (p *plain) run() (string, bool) {
	next := strings.IndexByte(p.text[p.at:], '<')
	if next < 0 {
		return "", false
	}
	raw := p.text[p.at : p.at+next]
	p.at, p.line = p.at+next, p.line+strings.Count(raw, "\n")
	if strings.Contains(raw, "]]>") {
		return "", false
	}
	return unescaped(raw)
}

// unescaped undoes XML's own five entities and numbered characters; any other is not plain.
func unescaped(s string) (string, bool) {
	at := strings.IndexByte(s, '&')
	if at < 0 {
		return s, true
	}
	var b strings.Builder
	b.Grow(len(s))
	for ; at >= 0; at = strings.IndexByte(s, '&') {
		b.WriteString(s[:at])
		s = s[at+1:]
		end := strings.IndexByte(s[:min(len(s), 10)], ';')
		if end < 0 {
			return "", false
		}
		r, ok := entity(s[:end])
		if !ok {
			return "", false
		}
		b.WriteRune(r)
		s = s[end+1:]
	}
	b.WriteString(s)
	return b.String(), true
}

// entity is the character of a name or number.
func entity(name string) (rune, bool) {
	switch name {
	case "amp":
		return '&', true
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	number, ok := strings.CutPrefix(name, "#")
	if !ok {
		return 0, false
	}
	base := 10
	if hex, ok := strings.CutPrefix(number, "x"); ok {
		number, base = hex, 16
	}
	n, err := strconv.ParseUint(number, base, 16)
	r := rune(n) //nolint:gosec // 16 bits
	return r, err == nil && (r == '\n' || r == '\t' || r >= ' ' && r < 0xd800)
}
