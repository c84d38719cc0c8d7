package feed

import (
	"slices"
	"strings"
)

// splitList cuts a value at commas outside quotes. A quote counts only where an item begins,
// or right behind a colon, so that 2.5" is a number of inches; inside quotes it is doubled.
// The quotes stay in the items.
func splitList(value string) []string {
	if !strings.ContainsRune(value, '"') {
		return strings.Split(value, ",")
	}
	var items []string
	from := 0
	for at := 0; at < len(value); {
		switch {
		case value[at] == '"' && begins(value, from, at):
			at = closingQuote(value, at)
		case value[at] == ',':
			items = append(items, value[from:at])
			from = at + 1
			at++
		default:
			at++
		}
	}
	return append(items, value[from:])
}

// begins says whether only blanks, or nothing behind a colon, stand before a quote.
func begins(value string, from, at int) bool {
	before := strings.TrimRight(value[from:at], " ")
	return before == "" || before[len(before)-1] == ':'
}

// closingQuote is where the text goes on behind the quote that opens at; a quote that is never
// closed, or closed in the middle of a word, is only a mark.
func closingQuote(value string, at int) int {
	for i := at + 1; i < len(value); i++ {
		if value[i] != '"' {
			continue
		}
		if i+1 < len(value) && value[i+1] == '"' {
			i++
			continue
		}
		rest := strings.TrimLeft(value[i+1:], " ")
		if rest == "" || rest[0] == ',' || rest[0] == ':' {
			return i + 1
		}
		break
	}
	return at + 1
}

// unquote takes off the quotes around an item.
func unquote(item string) string {
	item = strings.TrimSpace(item)
	if len(item) > 1 && item[0] == '"' && closingQuote(item, 0) == len(item) {
		return clean(strings.ReplaceAll(item[1:len(item)-1], `""`, `"`), true)
	}
	return item
}

// quoteItem puts quotes around an item that could be read otherwise: one with a mark, or with a
// quote where quotes count.
func quoteItem(item, marks string) string {
	counts := strings.HasPrefix(item, `"`) || strings.Contains(item, ":") && strings.Contains(item, `"`)
	if counts || strings.ContainsAny(item, marks) {
		return `"` + strings.ReplaceAll(item, `"`, `""`) + `"`
	}
	return item
}

func (b *builder) highlights(_ *column, value string) {
	for _, item := range splitList(clean(value, true)) {
		b.highlight(unquote(item))
	}
}

func (b *builder) highlight(text string) {
	if text != "" && len(b.row.Highlights) < maxListed {
		b.row.Highlights = append(b.row.Highlights, text)
	}
}

// additionalImages reads addresses separated by commas. A comma inside an address belongs to
// it unless an address begins behind it.
func (b *builder) additionalImages(c *column, value string) {
	value = clean(value, true)
	for value != "" {
		item, rest := value, ""
		for i := range len(value) {
			after := strings.TrimLeft(value[i:], ", ")
			if value[i] == ',' && (after == "" || strings.HasPrefix(after, "http://") || strings.HasPrefix(after, "https://")) {
				item, rest = value[:i], after
				break
			}
		}
		if a, ok := b.link(c.name, strings.TrimSpace(item)); ok && len(b.row.AdditionalImageLinks) < maxListed {
			b.row.AdditionalImageLinks = append(b.row.AdditionalImageLinks, a)
		}
		value = rest
	}
}

// details reads section:name:value,section:name:value. The value may hold colons; any part
// with a comma is quoted. A piece without two colons is the rest of the value before it, whose
// comma nobody quoted.
func (b *builder) details(c *column, value string) {
	var loose []string
	items := splitList(clean(value, true))
	b.row.Details = slices.Grow(b.row.Details, min(len(items), maxListed))
	for _, item := range items {
		d, ok := parseDetail(item)
		last := len(b.row.Details) - 1
		switch {
		case ok:
			b.detail(d)
		case strings.TrimSpace(item) == "":
		case last >= 0:
			b.row.Details[last].Value += "," + strings.TrimRight(item, " ")
		default:
			loose = append(loose, item)
		}
	}
	if loose != nil {
		b.warn(c.name, strings.Join(loose, ","), "is not section:name:value, and left out")
	}
}

func (b *builder) detail(d Detail) {
	if strings.Contains(d.Value, `\n`) { // a line end that was escaped once too often
		d.Value = strings.TrimSpace(strings.ReplaceAll(d.Value, `\n`, ", "))
	}
	if len(b.row.Details) < maxListed && d.Name != "" && d.Value != "" {
		b.row.Details = append(b.row.Details, d)
	}
}

// parseDetail cuts at the first two colons outside quotes.
func parseDetail(item string) (d Detail, ok bool) {
	section, rest, ok := cutColon(item)
	if !ok {
		return d, false
	}
	name, value, ok := cutColon(rest)
	if !ok {
		return d, false
	}
	return Detail{Section: unquote(section), Name: unquote(name), Value: unquote(value)}, true
}

func cutColon(s string) (before, after string, ok bool) {
	i := 0
	if trimmed := strings.TrimLeft(s, " "); strings.HasPrefix(trimmed, `"`) {
		i = closingQuote(s, len(s)-len(trimmed))
	}
	colon := strings.IndexByte(s[i:], ':')
	if colon < 0 {
		return s, "", false
	}
	return s[:i+colon], s[i+colon+1:], true
}

// writeDetail is a detail as details reads it.
func writeDetail(d Detail) string {
	return quoteItem(d.Section, ",:") + ":" + quoteItem(d.Name, ",:") + ":" + quoteItem(d.Value, ",")
}
