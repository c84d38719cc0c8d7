// Package sweep has a module check itself page by page: each page looks at a range of keys, and
// at no row beyond it, so that a check costs a page as much with millions of rows as with few, and
// holds a snapshot no longer.
//
// A module names its sections, each a table in the order of a key with what must hold of its
// rows. The pages of its Audit go through one section after the other.
package sweep

import (
	"fmt"
	"strings"

	"souk/internal/platform/audit"
	"souk/internal/platform/page"
	"souk/internal/platform/store"
)

// Check is an invariant, and the query for what breaks it within a range of keys.
type Check struct {
	Invariant string
	Says      string // what is wrong, if the query does not say it as detail
	// Query finds rows of subjects (ids with spaces between) and detail. Its arguments are after and
	// upto, as often as there are pairs of ?: the range is key > ? AND key <= ?.
	Query string
}

// Section is a table that is gone through in the order of its key.
type Section struct {
	Name   string
	Keys   string // SELECT key FROM … WHERE key > ? ORDER BY key LIMIT ?
	Most   int    // keys in a page, where each has many rows; 0 for as many as are asked for
	Checks []Check
}

// Place is where a page begins.
type Place struct {
	Section int    `json:"s"`
	After   string `json:"a"`
}

// Range is the keys of one page.
type Range struct {
	Section     Section
	After, Upto string // key > After AND key <= Upto
	Next        string // cursor of the page after it; "" at the end
}

// last is after every key: ids and keys are of letters, digits and what comes before them.
const last = "~"

// First says whether a cursor is that of the first page.
func First(cursor string) bool { return cursor == "" }

// Page is the range of the page that a request asks for.
func Page(q store.Queryer, sections []Section, r audit.Request, size int) (Range, error) {
	ask := page.Request{Cursor: r.Cursor, Limit: r.Limit}
	var at Place
	if _, err := ask.After("sweep", &at); err != nil {
		return Range{}, err
	}
	if at.Section < 0 || at.Section >= len(sections) {
		return Range{}, page.ErrCursor.With("there is no such page")
	}
	out := Range{Section: sections[at.Section], After: at.After, Upto: last}
	if out.Section.Most > 0 {
		size = min(size, out.Section.Most)
	}
	var keys []string
	if err := q.Select(&keys, out.Section.Keys, at.After, size); err != nil {
		return Range{}, fmt.Errorf("read the keys of %s: %w", out.Section.Name, err)
	}
	next := Place{Section: at.Section + 1}
	if len(keys) == size {
		out.Upto = keys[size-1]
		next = Place{Section: at.Section, After: out.Upto}
	}
	if next.Section == len(sections) {
		return out, nil
	}
	var err error
	out.Next, err = page.Cursor("sweep", next)
	return out, err
}

// Problems is what breaks an invariant within the range.
func (r Range) Problems(q store.Queryer) ([]audit.Problem, error) {
	problems := []audit.Problem{}
	for _, c := range r.Section.Checks {
		var found []struct {
			Subjects string `db:"subjects"`
			Detail   string `db:"detail"`
		}
		if err := q.Select(&found, c.Query, c.args(r)...); err != nil {
			return nil, fmt.Errorf("check %s: %w", c.Invariant, err)
		}
		for _, f := range found {
			p := audit.Problem{Invariant: c.Invariant, Subjects: strings.Fields(f.Subjects), Detail: c.Says}
			switch {
			case c.Says == "":
				p.Detail = f.Detail
			case f.Detail != "":
				p.Detail += ": " + f.Detail
			}
			problems = append(problems, p)
		}
	}
	return problems, nil
}

func (c Check) args(r Range) []any {
	var args []any
	for range strings.Count(c.Query, "?") / 2 {
		args = append(args, r.After, r.Upto)
	}
	return args
}
