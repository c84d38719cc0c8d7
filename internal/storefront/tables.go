package storefront

import (
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"souk/internal/storefront/views"
)

// sorting is how a table is sorted: what the address says, and where the heads of its columns
// lead. An order is the name of a column with _up or _down behind it.
type sorting struct {
	param  string // of the address
	base   string // the address with every other filter
	chosen string // an order that the table has, or "" for its usual one
}

// sortedBy reads the order out of the address; one that is not among known is none. base is the
// address of the list with its other filters.
func (v *visit) sortedBy(param, base string, known ...string) sorting {
	s := sorting{param: param, base: base}
	if asked := v.query(param); slices.Contains(known, asked) {
		s.chosen = asked
	}
	return s
}

// here is the address of the list in this order.
func (s sorting) here() string { return s.as(s.base) }

// as is another address of the same list, in this order.
func (s sorting) as(address string) string {
	if s.chosen == "" {
		return address
	}
	return withParam(address, s.param, s.chosen)
}

// column is the head of a column by which the table sorts. Chosen for the first time it sorts
// as first says ("up" or "down"), then the other way round.
func (s sorting) column(text, name, first string) views.Column {
	c := views.Column{Text: text}
	next := name + "_" + first
	switch s.chosen {
	case name + "_up":
		c.Sorted, next = "ascending", name+"_down"
	case name + "_down":
		c.Sorted, next = "descending", name+"_up"
	}
	c.URL = withParam(s.base, s.param, next)
	return c
}

// orderOf is the order as the contracts have it, nil for the usual one.
func orderOf[T ~string](s sorting) *T {
	if s.chosen == "" {
		return nil
	}
	order := T(s.chosen)
	return &order
}

// ups are both orders of each column.
func ups(columns ...string) []string {
	var out []string
	for _, c := range columns {
		out = append(out, c+"_up", c+"_down")
	}
	return out
}

// sortRows sorts a list that is short and there as a whole; compare is by the column's name.
func sortRows[T any](s sorting, rows []T, compare map[string]func(a, b T) int) {
	name, down := strings.CutSuffix(s.chosen, "_down")
	by := compare[strings.TrimSuffix(name, "_up")]
	if by == nil {
		return
	}
	slices.SortStableFunc(rows, func(a, b T) int {
		if down {
			return by(b, a)
		}
		return by(a, b)
	})
}

// csv sends a table that next writes page by page. The first page is asked for before
// anything is sent, so that a failure then is a page of its own; a later one cuts the
// connection, so that nobody takes half a table for a whole one.
func (v *visit) csv(name string, head []string, next func(write func(...string) error) (bool, error)) error {
	var first [][]string
	more, err := next(func(cells ...string) error {
		first = append(first, cells)
		return nil
	})
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	v.w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name))
	v.w.Header().Set("Cache-Control", "private, no-cache")
	out := csv.NewWriter(v.w)
	write := func(cells ...string) error {
		for i := range cells {
			cells[i] = inert(cells[i])
		}
		return out.Write(cells)
	}
	err = write(head...)
	for _, row := range first {
		err = errors.Join(err, write(row...))
	}
	for more && err == nil {
		more, err = next(write)
	}
	out.Flush()
	if err = errors.Join(err, out.Error()); err != nil {
		v.warn(err, "table cut off")
		panic(http.ErrAbortHandler)
	}
	return nil
}

// plainNumber is what no spreadsheet takes for a formula though it may begin with a minus.
var plainNumber = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

// inert keeps a spreadsheet from taking a text for a formula.
func inert(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) && !plainNumber.MatchString(cell) {
		return "'" + cell
	}
	return cell
}
