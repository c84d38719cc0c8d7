package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// copySide is one of the two databases of a Copy.
type copySide interface {
	fmt.Stringer
	tables(ctx context.Context) ([]copyTable, error)
	rows(ctx context.Context, query string, args []any) ([][]any, error) // with ? on both engines
	hold(ctx context.Context) error                                      // the source: nothing is written until close
	close() error
}

// copyTarget is the one that is written.
type copyTarget interface {
	copySide
	// mark makes the table copy_state in an empty database, or says that it is there.
	mark(ctx context.Context) (there bool, err error)
	migrate(ctx context.Context) error
	// change runs fn in a transaction, in which the triggers of some tables rest.
	change(ctx context.Context, resting []copyTable, fn func(tx copyTx) error) error
	acceptable(t copyTable, rows [][]any) error
	tidy(ctx context.Context, all []copyTable) error
}

// copyTx is a transaction of the target.
type copyTx interface {
	exec(query string, args ...any) error
	insert(t copyTable, rows [][]any) error
	numberFrom(t copyTable) error // the next number that the database gives is after the greatest
}

// copyTable is one table as far as a copy needs to know it.
type copyTable struct {
	name     string
	columns  []copyColumn
	key      []string
	parents  []string // tables that it refers to
	identity string   // the column that the database numbers
}

type copyColumn struct {
	name string
	kind copyKind
}

// copyKind is a type that is the same to souk on both engines.
type copyKind byte

const (
	copyInteger copyKind = 'i'
	copyText    copyKind = 's'
	copyBytes   copyKind = 'b'
)

// copyKinds are the types that modules use, by the names that the engines have for them.
var copyKinds = map[string]copyKind{
	"INTEGER": copyInteger, "bigint": copyInteger, "TEXT": copyText, "text": copyText, "BLOB": copyBytes, "bytea": copyBytes,
}

// notCopied are tables that each database keeps for itself: its migrations, the copy's own state,
// and what gives events their numbers on PostgreSQL, which is empty.
func notCopied(table string) bool {
	switch table {
	case "migration_checksums", copyState, "event_queue", "event_sequencer":
		return true
	}
	return strings.HasPrefix(table, "goose_") || strings.HasPrefix(table, "sqlite_")
}

// described is one column as an engine describes it.
type described struct {
	table, name, kind string
	key               int64 // place in the primary key, from 1
	identity          bool
}

// tablesOf puts tables together from their columns and references, parents first.
func tablesOf(all []described, refers [][2]string) ([]copyTable, error) {
	var tables []copyTable
	keys := map[string]map[int64]string{}
	for _, d := range all {
		if notCopied(d.table) {
			continue
		}
		i := slices.IndexFunc(tables, func(t copyTable) bool { return t.name == d.table })
		if i < 0 {
			i, tables = len(tables), append(tables, copyTable{name: d.table})
			keys[d.table] = map[int64]string{}
		}
		kind, known := copyKinds[d.kind]
		if !known {
			return nil, fmt.Errorf("the column %s of %s is of type %s, which is not copied", d.name, d.table, d.kind)
		}
		t := &tables[i]
		t.columns = append(t.columns, copyColumn{name: d.name, kind: kind})
		if d.key > 0 {
			keys[d.table][d.key] = d.name
		}
		if d.identity {
			t.identity = d.name
		}
	}
	for i := range tables {
		t := &tables[i]
		for place := int64(1); keys[t.name][place] != ""; place++ {
			t.key = append(t.key, keys[t.name][place])
		}
		if len(t.key) == 0 {
			return nil, fmt.Errorf("the table %s has no primary key to copy it by", t.name)
		}
		for _, r := range refers {
			if r[0] == t.name && r[1] != t.name {
				t.parents = append(t.parents, r[1])
			}
		}
	}
	return parentsFirst(tables)
}

func parentsFirst(tables []copyTable) ([]copyTable, error) {
	slices.SortFunc(tables, func(a, b copyTable) int { return strings.Compare(a.name, b.name) })
	var sorted []copyTable
	done := map[string]bool{}
	for len(sorted) < len(tables) {
		before := len(sorted)
		for _, t := range tables {
			if !done[t.name] && !slices.ContainsFunc(t.parents, func(p string) bool { return !done[p] }) {
				sorted, done[t.name] = append(sorted, t), true
			}
		}
		if len(sorted) == before {
			return nil, errors.New("tables refer to each other in a circle")
		}
	}
	return sorted, nil
}

// compareSchemas says where the source's tables are not the target's.
func (c *Copy) compareSchemas(ctx context.Context, before []Migration) error {
	have, err := c.from.tables(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", c.from, err)
	}
	if c.tables, err = c.to.tables(ctx); err != nil {
		return fmt.Errorf("%s: %w", c.to, err)
	}
	after, err := Migrations(ctx, c.o.To)
	if err != nil {
		return err
	}
	was, is := schemaLines(have), schemaLines(c.tables)
	var differ []string
	for _, line := range was {
		if !slices.Contains(is, line) {
			differ = append(differ, "the source has "+line)
		}
	}
	for _, line := range is {
		if !slices.Contains(was, line) {
			differ = append(differ, "the target has "+line)
		}
	}
	from, to := versions(before, true), versions(after, true)
	if len(differ) == 0 && from == to {
		return nil
	}
	return fmt.Errorf("the schemas differ: %s is at %s, %s at %s; %s", c.from, from, c.to, to, strings.Join(differ, ", "))
}

func schemaLines(tables []copyTable) []string {
	var lines []string
	for _, t := range tables {
		for _, c := range t.columns {
			lines = append(lines, fmt.Sprintf("%s.%s (%c)", t.name, c.name, c.kind))
		}
		lines = append(lines, t.name+" by "+strings.Join(t.key, ", "))
	}
	return lines
}

func (t copyTable) names() []string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.name
	}
	return names
}

func (t copyTable) column(name string) int {
	return slices.IndexFunc(t.columns, func(c copyColumn) bool { return c.name == name })
}

// keyOf is the key of a row.
func (t copyTable) keyOf(row []any) []any {
	key := make([]any, len(t.key))
	for i, name := range t.key {
		key[i] = row[t.column(name)]
	}
	return key
}

// canon gives a row's values the types that they are compared and written in, whatever a driver
// made of them.
func (t copyTable) canon(row []any) error {
	for i, c := range t.columns {
		v, ok := canonical(c.kind, row[i])
		if !ok {
			return fmt.Errorf("%s.%s of the row %s is a %T", t.name, c.name, t.describe(row), row[i])
		}
		if v == nil && slices.Contains(t.key, c.name) {
			return fmt.Errorf("%s has a row whose key is NULL", t.name)
		}
		row[i] = v
	}
	return nil
}

func (t copyTable) canonKey(key []any) ([]any, error) {
	for i, name := range t.key {
		v, ok := canonical(t.columns[t.column(name)].kind, key[i])
		if !ok || v == nil {
			return nil, fmt.Errorf("%s.%s is a %T", t.name, name, key[i])
		}
		key[i] = v
	}
	return key, nil
}

func canonical(kind copyKind, v any) (any, bool) {
	switch v := v.(type) {
	case nil:
		return nil, true
	case int64:
		return v, kind == copyInteger
	case string:
		return v, kind == copyText
	case []byte:
		if kind == copyText {
			return string(v), true
		}
		if v == nil {
			v = []byte{} // no driver means NULL by it
		}
		return v, kind == copyBytes
	}
	return nil, false
}

// bytes writes a row down so that no other row is written the same.
func (t copyTable) bytes(row []any) []byte {
	var b []byte
	for i, c := range t.columns {
		switch v := row[i].(type) {
		case nil:
			b = append(b, 'n')
		case int64:
			b = binary.BigEndian.AppendUint64(append(b, byte(c.kind)), uint64(v)) //nolint:gosec // the same 64 bits
		case string:
			b = append(binary.AppendUvarint(append(b, byte(c.kind)), uint64(len(v))), v...)
		case []byte:
			b = append(binary.AppendUvarint(append(b, byte(c.kind)), uint64(len(v))), v...)
		}
	}
	return b
}

// describe names a row by its key.
func (t copyTable) describe(row []any) string {
	var parts []string
	for i, v := range t.keyOf(row) {
		switch v := v.(type) {
		case []byte:
			parts = append(parts, fmt.Sprintf("%s %x", t.key[i], v))
		default:
			parts = append(parts, fmt.Sprintf("%s %q", t.key[i], fmt.Sprint(v)))
		}
	}
	return strings.Join(parts, ", ")
}

// unkeepable finds a text that PostgreSQL cannot keep.
func (t copyTable) unkeepable(rows [][]any) error {
	for _, row := range rows {
		for i, v := range row {
			text, ok := v.(string)
			if !ok {
				continue
			}
			what := "is not UTF-8"
			if utf8.ValidString(text) {
				if !strings.Contains(text, "\x00") {
					continue
				}
				what = "has a NUL character"
			}
			return ErrText.With("a text has a character that cannot be kept").Because(
				fmt.Errorf("%s.%s of the row %s %s, which PostgreSQL cannot keep; correct it in the source", t.name, t.columns[i].name, t.describe(row), what))
		}
	}
	return nil
}

func quotedEach(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = quoteName(n)
	}
	return out
}

func quoted(names []string) string { return strings.Join(quotedEach(names), ", ") }

func asText(v any) string {
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	return fmt.Sprint(v)
}

// openSource opens what is copied, alone.
func openSource(ctx context.Context, o Options) (copySide, error) {
	if o.URL != "" {
		side, err := openCopyPG(ctx, o, true)
		if err != nil {
			return nil, err
		}
		return side, nil
	}
	side, err := openCopyLite(ctx, o, true)
	if err != nil {
		return nil, err
	}
	return side, nil
}

// openTarget opens where it is copied to, alone.
func openTarget(ctx context.Context, o Options) (copyTarget, error) {
	if o.URL != "" {
		side, err := openCopyPG(ctx, o, false)
		if err != nil {
			return nil, err
		}
		return side, nil
	}
	side, err := openCopyLite(ctx, o, false)
	if err != nil {
		return nil, err
	}
	return side, nil
}
