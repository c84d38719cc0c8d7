package arch

import (
	"fmt"
	"slices"
	"strings"
)

// mention is a table that a statement names.
type mention struct {
	table string
	line  int // within the text, from 0
}

// statement says whether a constant string is SQL that names tables, and how it is spelt:
// loud SQL is in capitals and every table must be known; in quiet text (lower case, or
// mixed) only another module's table counts, since "select a size from the list" is prose.
func statement(ts []token) (sql, loud bool) {
	if len(ts) == 0 {
		return false, false
	}
	verbs := []string{"SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "EXPLAIN", "VALUES", "TABLE", "MERGE", "TRUNCATE"}
	first := ts[0]
	if first.is("(") && len(ts) > 1 {
		first = ts[1]
	}
	return first.is(verbs...), first.text == first.upper
}

// mentions finds every table that a statement names after FROM, JOIN, INTO and UPDATE.
// Names that a WITH clause makes, table-valued functions, sub-selects, DO UPDATE SET,
// FOR UPDATE and the FROM of functions and of IS DISTINCT FROM are aside.
func mentions(ts []token) []mention {
	s := scanner{ts: ts, levels: []level{{}}, made: cteNames(ts)}
	for ; s.i < len(ts); s.i++ {
		s.step(ts[s.i])
	}
	return s.found
}

// scanner walks over a statement with one level for each open parenthesis.
type scanner struct {
	ts     []token
	i      int
	levels []level
	made   map[string]bool
	found  []mention
}

type level struct {
	query    bool // a FROM here begins a clause, and is not part of a function
	from     bool // in a FROM clause, where a comma brings another table
	expects  bool // a table comes next …
	function bool // … or a function that stands for one
}

func (s *scanner) step(t token) {
	here := &s.levels[len(s.levels)-1]
	switch {
	case t.is("("):
		inside := level{query: here.expects, from: here.expects, expects: here.expects, function: here.function}
		here.expects = false
		s.levels = append(s.levels, inside)
	case t.is(")"):
		if len(s.levels) > 1 {
			s.levels = s.levels[:len(s.levels)-1]
		}
	case t.is("SELECT", "DELETE", "VALUES"):
		*here = level{query: true}
	case t.is("UPDATE"):
		if !s.after("DO", "FOR", "KEY", "ON") {
			*here = level{query: true, expects: true}
		}
	case t.is("INTO"):
		here.expects, here.function = true, false
	case t.is("JOIN"):
		here.expects, here.function = true, true
	case t.is("FROM"):
		if here.query && !s.after("DISTINCT") {
			here.from, here.expects, here.function = true, true, true
		}
	case t.is("TRUNCATE", "TABLE") && s.i == 0:
		here.expects = true
	case t.is(","):
		here.expects = here.from
	case t.is("SET", "WHERE", "GROUP", "HAVING", "WINDOW", "ORDER", "LIMIT", "UNION", "EXCEPT", "INTERSECT", "RETURNING"):
		here.from, here.expects = false, false
	case t.is("OR", "ROLLBACK", "ABORT", "REPLACE", "FAIL", "IGNORE", "ONLY", "LATERAL", "TABLE", "WITH"):
	case here.expects && t.name:
		here.expects = false
		s.take(t, here.function)
	default:
		here.expects = false // a value to be filled in: not constant, so not for this reader
	}
}

func (s *scanner) after(word string, or ...string) bool {
	return s.i > 0 && (s.ts[s.i-1].is(word) || s.ts[s.i-1].is(or...))
}

// take notes the table that t names. Where a function may stand instead, a name with a
// parenthesis behind it is one.
func (s *scanner) take(t token, function bool) {
	for s.i+2 < len(s.ts) && s.ts[s.i+1].is(".") && s.ts[s.i+2].name { // main.orders
		s.i += 2
		t = s.ts[s.i]
	}
	name := strings.ToLower(t.text)
	if function && s.i+1 < len(s.ts) && s.ts[s.i+1].is("(") || s.made[name] {
		return
	}
	s.found = append(s.found, mention{table: name, line: t.line})
}

// cteNames are the names that WITH clauses make: WITH RECURSIVE a(x, y) AS (…), b AS (…).
func cteNames(ts []token) map[string]bool {
	names := map[string]bool{}
	for i := range ts {
		if !ts[i].is("WITH") {
			continue
		}
		for j := i + 1; j < len(ts); {
			if ts[j].is("RECURSIVE") {
				j++
			}
			name, k := j, j+1
			if k < len(ts) && ts[k].is("(") {
				k = closing(ts, k) + 1
			}
			if k >= len(ts) || !ts[k].is("AS") || !ts[name].name {
				break
			}
			names[strings.ToLower(ts[name].text)] = true
			for k < len(ts) && !ts[k].is("(") { // [NOT] MATERIALIZED
				k++
			}
			k = closing(ts, k) + 1
			if k >= len(ts) || !ts[k].is(",") {
				break
			}
			j = k + 1
		}
	}
	return names
}

// closing is where the parenthesis at i closes, or the last token.
func closing(ts []token, i int) int {
	depth := 0
	for ; i < len(ts); i++ {
		switch {
		case ts[i].is("("):
			depth++
		case ts[i].is(")"):
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(ts) - 1
}

// tablesMade are the tables that the constant SQL of a folder makes. A test may have its own,
// and the platform may where no migration can make them.
func tablesMade(p Package, platform bool) map[string]bool {
	made := map[string]bool{}
	for _, f := range p.Files {
		for _, t := range f.Strings {
			if !f.Test && !platform || !strings.Contains(strings.ToUpper(t.Value), "CREATE") {
				continue
			}
			for _, table := range TablesIn(t.Value) {
				made[strings.ToLower(table)] = true
			}
		}
	}
	return made
}

// checkSQL holds the tables that a constant string names to the migrations of the file's
// module and of the platform.
func (c *checker) checkSQL(dir string, f File, text Text) {
	ts := tokens(text.Value)
	module, room := c.where(dir)
	platformTest := f.Test && room == atPlatform // may try what is not allowed, and what is not there
	if !platformTest && len(ts) > 2 && ts[0].text == "ATTACH" && ts[1].is("DATABASE", "?", "''") {
		c.report(f.Name, text.Line, "sql", "ATTACH joins another database to this one", "ask the module that owns it through its contract")
		return
	}
	sql, loud := statement(ts)
	if !sql {
		return
	}
	for _, m := range mentions(ts) {
		line := text.Line
		if text.Raw {
			line += m.line
		}
		owner, known := c.tables[m.table]
		switch {
		case known && owner == "" && room != roomContract:
			continue // the platform's tables are in every module's database
		case known && owner == module && module != "":
			continue
		case (f.Test || room == atPlatform) && c.made[dir][m.table]:
			continue
		case room == atPlatform && (slices.Contains(engineTables, m.table) || strings.HasPrefix(m.table, "pragma_")):
			continue
		case known && owner != "":
			c.report(f.Name, line, "table", fmt.Sprintf("%s reads or writes %s, a table of %s", c.name(dir), m.table, owner),
				fmt.Sprintf("ask %s through its contract, or keep what its events say in a table of your own", owner))
		case loud && !platformTest:
			c.report(f.Name, line, "table", fmt.Sprintf("%s names the table %s, which none of its migrations makes", c.name(dir), m.table), c.mendUnknown(module))
		}
	}
}

func (c *checker) mendUnknown(module string) string {
	if module == "" {
		return "let the module that owns the data do it; the platform's own tables are made in its migrations or by CREATE TABLE in the same folder"
	}
	return fmt.Sprintf("correct the name, or make the table in migrations/%s", module)
}

// engineTables are SQLite's and PostgreSQL's own, for the platform to look into.
var engineTables = []string{"sqlite_master", "sqlite_schema", "sqlite_temp_schema", "sqlite_sequence", "sqlite_stat1", "dbstat", "pg_attribute", "pg_catalog", "pg_class", "pg_constraint", "pg_indexes", "pg_namespace", "pg_roles", "pg_stat_activity", "pg_tables"}
