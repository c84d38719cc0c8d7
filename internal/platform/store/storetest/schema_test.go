package storetest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
	"souk/migrations"
)

// modules are those that have migrations for PostgreSQL; "" stands for platform's tables alone.
func modules(t *testing.T) []string {
	t.Helper()
	folders, err := filepath.Glob("../../../../migrations/*/postgres")
	require.NoError(t, err)
	names := []string{"bare"}
	for _, f := range folders {
		names = append(names, filepath.Base(filepath.Dir(f)))
	}
	return names
}

// Every change of a schema is made for both engines, under the same number and name.
func TestMigrationsComeInPairs(t *testing.T) {
	t.Parallel()
	for _, dir := range append(modules(t)[1:], "../internal/platform/store/migrations") {
		list := func(engine string) (names []string) {
			entries, err := os.ReadDir(filepath.Join("../../../../migrations", dir, engine))
			require.NoError(t, err)
			for _, e := range entries {
				names = append(names, e.Name())
			}
			return names
		}
		assert.Equal(t, list("sqlite"), list("postgres"), "migrations of %s: a change needs a file for each engine", dir)
	}
}

// alone are PostgreSQL's own tables: they number what is published.
var alone = []string{"event_queue", "event_sequencer"}

// Both engines end in the same schema: tables, columns, what may be NULL, families of types,
// keys and indexes.
func TestBothEnginesHaveTheSameSchema(t *testing.T) {
	t.Parallel()
	for _, module := range modules(t) {
		t.Run(module, func(t *testing.T) {
			t.Parallel()
			pg := ofPostgres(t, storetest.Postgres(t, module))
			lite := ofSQLite(t, storetest.Open(t, module, storetest.SQLite()))
			lacks := func(all, of []string) (out []string) {
				return append(out, slices.DeleteFunc(slices.Clone(all), func(x string) bool { return slices.Contains(of, x) })...)
			}
			assert.Empty(t, lacks(lite, pg), "SQLite has it, and PostgreSQL has not")
			assert.Empty(t, lacks(pg, lite), "PostgreSQL has it, and SQLite has not")
			assert.Len(t, pg, len(lite))
			if module != "bare" {
				require.NotNil(t, migrations.Postgres(module))
			}
		})
	}
}

type column struct {
	Table   string `db:"tbl"`
	Name    string `db:"name"`
	Type    string `db:"type"`
	NotNull bool   `db:"not_null"`
	Key     int64  `db:"key"` // place in the primary key, from 1
}

type index struct {
	Table  string `db:"tbl"`
	Unique bool   `db:"uniq"`
	Text   string `db:"text"`
}

func ask(t *testing.T, db *store.DB, dest any, query string) {
	t.Helper()
	require.NoError(t, db.Read(t.Context(), func(q store.Queryer) error { return q.Select(dest, query) }))
}

func ofSQLite(t *testing.T, db *store.DB) []string {
	t.Helper()
	var columns []column
	ask(t, db, &columns, `SELECT t.name AS tbl, c.name, c.type, c."notnull" OR c.pk > 0 AS not_null, c.pk AS key
		FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name NOT LIKE 'goose%'`)
	var indexes []index
	ask(t, db, &indexes, `SELECT t.name AS tbl, i."unique" AS uniq,
			(SELECT group_concat(name || CASE "desc" WHEN 1 THEN ' desc' ELSE '' END, ', ') FROM (
				SELECT name, "desc" FROM pragma_index_xinfo(i.name) WHERE key = 1 ORDER BY seqno))
			|| coalesce((SELECT ' where ' || substr(s.sql, instr(s.sql, ' WHERE ') + 7) FROM sqlite_schema s
				WHERE s.name = i.name AND instr(s.sql, ' WHERE ') > 0), '') AS text
		FROM sqlite_schema t, pragma_index_list(t.name) i WHERE t.type = 'table' AND i.origin <> 'pk' AND t.name NOT LIKE 'goose%'`)
	return written(columns, indexes)
}

func ofPostgres(t *testing.T, db *store.DB) []string {
	t.Helper()
	var columns []column
	ask(t, db, &columns, `SELECT c.relname AS tbl, a.attname AS name, format_type(a.atttypid, a.atttypmod)
			|| CASE WHEN a.attcollation <> 0 AND a.attcollation <> CAST('"C"' AS regcollation) THEN ' not by bytes' ELSE '' END AS type,
			a.attnotnull AS not_null, COALESCE(array_position(k.conkey, a.attnum), 0) AS key
		FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		LEFT JOIN pg_catalog.pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
		WHERE c.relnamespace = CAST(current_schema() AS regnamespace) AND c.relkind = 'r' AND c.relname NOT LIKE 'goose%'`)
	columns = slices.DeleteFunc(columns, func(c column) bool { return slices.Contains(alone, c.Table) })
	var indexes []index
	ask(t, db, &indexes, `SELECT c.relname AS tbl, i.indisunique AS uniq,
			regexp_replace(pg_get_indexdef(i.indexrelid), '^.* USING btree ', '') AS text
		FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
		WHERE c.relnamespace = CAST(current_schema() AS regnamespace) AND NOT i.indisprimary AND c.relname NOT LIKE 'goose%'`)
	return written(columns, indexes)
}

// families are the types that are the same to souk.
var families = map[string]string{
	"TEXT": "text", "INTEGER": "integer", "BLOB": "bytes", "text": "text", "bigint": "integer", "integer": "integer", "bytea": "bytes",
}

// Both engines write conditions down again in their own way: what is only notation goes.
var (
	casts = regexp.MustCompile(`::[a-z]+(\[\])?`)
	any1  = regexp.MustCompile(`= any array\[([^\]]*)\]`)
	in1   = regexp.MustCompile(`in ('[^']*'(?:, '[^']*')*)`)
)

func plain(text string) string {
	text = strings.ToLower(strings.Join(strings.Fields(text), " "))
	text = strings.NewReplacer("(", "", ")", "", `"`, "").Replace(casts.ReplaceAllString(text, ""))
	return in1.ReplaceAllString(any1.ReplaceAllString(text, "in $1"), "in $1")
}

func written(columns []column, indexes []index) []string {
	var out []string
	for _, c := range columns {
		family, ok := families[c.Type]
		if !ok {
			family = c.Type
		}
		out = append(out, fmt.Sprintf("%s.%s %s not null %v key %d", c.Table, c.Name, family, c.NotNull, c.Key))
	}
	for _, i := range indexes {
		out = append(out, fmt.Sprintf("%s index unique %v: %s", i.Table, i.Unique, plain(i.Text)))
	}
	slices.Sort(out)
	return out
}
