package feed

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// items reads RSS 2.0 and Atom. It cuts the feed into its items by their tags and reads each
// by itself, so that one broken item costs no other, and memory is bounded by one item.
// Entities beyond HTML's are not expanded, and no DTD is read.
type items struct {
	marks    marks
	repaired bool // no invalid byte is left
	table    *table
	tag      string // item or entry, once met
	prefix   string // what the feed calls Google's namespace
	columns  map[string]*column
	names    map[string]string // of columns, by what elements are called
	pending  []byte            // the start tag of an item that began inside the one before
	open     int               // its line
}

const googleNamespace = "http://base.google.com/ns/1.0"

func newItems(in *bufio.Reader, maxRow int, repaired bool, t *table) (*items, error) {
	head, _ := in.Peek(sniffed) // an error comes again on reading
	x := &items{marks: marks{in: in, max: maxRow, line: 1}, repaired: repaired, table: t, prefix: "g", columns: map[string]*column{}, names: map[string]string{}}
	if m := namespace.FindSubmatch(head); m != nil {
		x.prefix = string(m[1])
	}
	first := firstElement.FindSubmatch(head)
	if first == nil {
		return nil, errors.New("read the feed: this XML has no element")
	}
	switch root := string(first[1]); root {
	case "rss", "feed", "channel", "RDF", "items", "products", "item", "entry":
		return x, nil
	default:
		return nil, fmt.Errorf("read the feed: this XML is no product feed: it begins with <%s>, not with <rss> or <feed>", shorten(root))
	}
}

var (
	namespace    = regexp.MustCompile(`xmlns:([A-Za-z_][\w.-]{0,40})\s*=\s*["']http://base\.google\.com/ns/1\.0["']`)
	firstElement = regexp.MustCompile(`<(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)`)
)

// next finds the next item and reads it.
func (x *items) next(b *builder) error {
	raw, line, err := x.item()
	var bad *RowError
	if errors.As(err, &bad) {
		return bad
	}
	if err != nil {
		return err
	}
	b.row.Line = line
	return x.parse(b, raw)
}

// item returns the bytes of the next item, from its start tag to its end tag.
func (x *items) item() (raw []byte, line int, err error) {
	raw, line = x.pending, x.open
	x.pending = nil
	for raw == nil {
		m, err := x.marks.next(nil)
		if errors.Is(err, io.EOF) && x.tag == "" {
			return nil, 0, errors.New("this XML has no <item> and no <entry>")
		}
		if err != nil {
			return nil, 0, err
		}
		if m.kind != endTag && x.starts(m.name) {
			x.tag, raw, line = string(m.name), bytes.Clone(m.raw), m.line
			if m.kind == emptyTag {
				return raw, line, nil
			}
		}
	}
	for {
		m, err := x.marks.next(&raw)
		switch {
		case errors.Is(err, io.EOF):
			return nil, 0, &RowError{Line: line, Reason: fmt.Sprintf("the feed ends inside this <%s>", x.tag)}
		case err != nil:
			return nil, 0, err
		case string(m.name) == x.tag && m.kind == startTag:
			x.pending, x.open = bytes.Clone(m.raw), m.line
			return nil, 0, &RowError{Line: line, Reason: fmt.Sprintf("this <%[1]s> has no </%[1]s>", x.tag)}
		case string(m.name) == x.tag && m.kind == endTag:
			if raw = append(raw, m.raw...); len(raw) > x.marks.max {
				return nil, 0, &RowError{Line: line, Reason: fmt.Sprintf("is longer than %d bytes", x.marks.max)}
			}
			return raw, line, nil
		}
		x.marks.keep(&raw, m.raw...)
	}
}

func (x *items) starts(name []byte) bool {
	if x.tag != "" {
		return string(name) == x.tag
	}
	return string(name) == "item" || string(name) == "entry"
}

// element is one child of an item.
type element struct {
	column string
	google bool // of Google's namespace, which wins over a plain one of the same name
	text   string
	parts  map[string]string // the text of its children, by name
	line   int
}

// parse reads an item's elements and puts their values into b.
func (x *items) parse(b *builder, raw []byte) error {
	text := string(raw)
	if !x.repaired {
		var changed bool
		if text, changed = repair(text); changed {
			b.warn("", "", "has bytes that are not UTF-8, read as Windows-1252")
		}
	}
	elements, err := x.elements(text, b.row.Line)
	if err != nil {
		line, reason := b.row.Line, err.Error()
		var syntax *xml.SyntaxError
		if errors.As(err, &syntax) {
			line, reason = line+syntax.Line-1, syntax.Msg
		}
		return &RowError{Line: line, Reason: "is broken XML: " + reason}
	}
	google := map[string]bool{}
	for _, e := range elements {
		if e.google {
			google[e.column] = true
		}
	}
	seen := map[string]bool{}
	for _, e := range elements {
		if google[e.column] && !e.google {
			continue
		}
		if seen[e.column] && !repeats[e.column] && setters[e.column] != nil {
			b.warn(e.column, e.text, "stands here a second time, and is left out")
			continue
		}
		seen[e.column] = true
		x.put(b, e)
	}
	return nil
}

// repeats are the columns that have one element for each value.
var repeats = map[string]bool{"additional_image_link": true, "product_detail": true, "product_highlight": true}

func (x *items) put(b *builder, e element) {
	switch {
	case e.column == "product_detail" && e.parts != nil:
		d := Detail{
			Section: clean(e.parts["section_name"], true),
			Name:    clean(e.parts["attribute_name"], true),
			Value:   clean(e.parts["attribute_value"], true),
		}
		if d.Name == "" || d.Value == "" {
			b.warn(e.column, e.text, "has no name or no value, and is left out")
			return
		}
		b.detail(d)
	case e.column == "product_highlight":
		b.highlight(clean(e.text, true))
	default:
		c := x.columns[e.column]
		if c == nil {
			found := x.table.column(e.column, e.line, true)
			c = &found
			if len(x.columns) < maxColumns {
				x.columns[e.column] = c
			}
		}
		b.set(c, e.text)
	}
}

// elements are the children of the one element that text holds.
func (x *items) elements(text string, line int) ([]element, error) {
	plain, ok := x.plainElements(text)
	if !ok {
		return x.anyElements(text, line)
	}
	found := make([]element, 0, len(plain))
	for i := range plain {
		e := plain[i].element
		e.line = line + plain[i].line
		if x.name(xml.StartElement{Name: plain[i].name}, &e) && (e.text != "" || e.parts != nil) {
			found = append(found, e)
		}
	}
	return found, nil
}

// anyElements is elements for any XML that there is.
func (x *items) anyElements(text string, line int) ([]element, error) {
	d := xml.NewDecoder(strings.NewReader(text))
	d.Entity = xml.HTMLEntity
	if _, err := d.Token(); err != nil { // the item's own start tag
		return nil, err
	}
	var found []element
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		row, _ := d.InputPos()
		e := element{line: line + row - 1}
		wanted := x.name(start, &e)
		if err := e.read(d); err != nil {
			return nil, err
		}
		if e.text == "" && start.Name.Local == "link" { // Atom's
			e.text = attributeOf(start, "href")
		}
		if wanted && (e.text != "" || e.parts != nil) {
			found = append(found, e)
		}
	}
}

// name says which column an element is, and whether it is one at all.
func (x *items) name(start xml.StartElement, e *element) bool {
	e.column = x.columnName(start.Name.Local)
	switch start.Name.Space {
	case x.prefix, googleNamespace:
		e.google = true
		return e.column != ""
	case "", "http://www.w3.org/2005/Atom", "http://purl.org/rss/1.0/":
	default:
		x.table.ignore(Problem{Line: e.line, Column: shorten(start.Name.Space + ":" + start.Name.Local), Reason: "is of a namespace that is no product feed's, and left out"})
		return false
	}
	switch {
	case e.column == "summary" || e.column == "content":
		e.column = "description"
	case e.column == "attribute": // as Writer writes names that are no XML name
		e.column, e.google = columnName(attributeOf(start, "name")), true
	case e.column == "link" && attributeOf(start, "rel") != "" && attributeOf(start, "rel") != "alternate":
		return false
	case setters[e.column] == nil:
		x.table.ignore(Problem{Line: e.line, Column: e.column, Reason: "is not of Google's namespace, and left out"})
		return false
	}
	return e.column != ""
}

// columnName is columnName, remembered.
func (x *items) columnName(title string) string {
	name, ok := x.names[title]
	if !ok {
		name = columnName(title)
		if len(x.names) < maxColumns {
			x.names[strings.Clone(title)] = name
		}
	}
	return name
}

func attributeOf(start xml.StartElement, name string) string {
	for _, a := range start.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// read takes an element's text, and that of its children, up to its end tag.
func (e *element) read(d *xml.Decoder) error {
	var all, part strings.Builder
	for depth, child := 1, ""; depth > 0; {
		token, err := d.Token()
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth++; depth == 2 {
				child = t.Name.Local
				part.Reset()
			}
		case xml.EndElement:
			if depth--; depth == 1 {
				if e.parts == nil {
					e.parts = map[string]string{}
				}
				e.parts[child] = part.String()
			}
		case xml.CharData:
			all.Write(t)
			part.Write(t)
		}
	}
	e.text = strings.TrimSpace(all.String())
	return nil
}
