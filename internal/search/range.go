package search

import (
	"strconv"
	"strings"
	"unicode"
)

// Range is a range of numbers with one unit, as attributes state them.
type Range struct {
	Least, Most *float64 // both belong to it; nil for no bound
	Unit        string   // "" for none
}

// MaxRanges is how many attributes are narrowed by a range at most: each is a look at all that was found.
const MaxRanges = 4

// maxUnit is how long a unit may be, in bytes.
const maxUnit = 12

// NumberOf reads a value that is a number, perhaps with a unit: 15.6, 500 g, 17".
func NumberOf(value string) (n float64, unit string, ok bool) {
	value = strings.TrimSpace(value)
	end := 0
	for end < len(value) && (value[end] >= '0' && value[end] <= '9' || value[end] == '.' || end == 0 && value[end] == '-') {
		end++
	}
	n, err := strconv.ParseFloat(value[:end], 64)
	unit = strings.TrimSpace(value[end:])
	return n, unit, err == nil && isUnit(unit)
}

func isUnit(text string) bool {
	return len(text) <= maxUnit && !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsNumber(r) || unicode.IsSpace(r) })
}

// ParseRange reads a range: 10..20 kg, 10.., ..20 kg.
func ParseRange(text string) (r Range, ok bool) {
	least, most, dots := strings.Cut(text, "..")
	if !dots {
		return r, false
	}
	if least = strings.TrimSpace(least); least != "" {
		n, unit, ok := NumberOf(least)
		if !ok || unit != "" {
			return r, false
		}
		r.Least = &n
	}
	if n, unit, ok := NumberOf(most); ok {
		r.Most, r.Unit = &n, unit
	} else {
		r.Unit = strings.TrimSpace(most)
	}
	if r.Least != nil && r.Most != nil && *r.Least > *r.Most {
		return r, false
	}
	return r, (r.Least != nil || r.Most != nil) && isUnit(r.Unit)
}

// Has says whether a value is a number of the range's unit and within it.
func (r Range) Has(value string) bool {
	n, unit, ok := NumberOf(value)
	return ok && strings.EqualFold(unit, r.Unit) && (r.Least == nil || n >= *r.Least) && (r.Most == nil || n <= *r.Most)
}

// String is the range as ParseRange reads it.
func (r Range) String() string {
	bound := func(n *float64) string {
		if n == nil {
			return ""
		}
		return strconv.FormatFloat(*n, 'f', -1, 64)
	}
	return strings.TrimSpace(bound(r.Least) + ".." + bound(r.Most) + " " + r.Unit)
}
