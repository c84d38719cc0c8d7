package arch

import "strings"

// token is one word or mark of an SQL text.
type token struct {
	text  string // as written; for quoted names without the quotes
	upper string // a word in capitals; "" for quoted names, so that none passes for a keyword
	name  bool   // a word or a quoted name
	line  int    // counted from 0
}

func (t token) is(words ...string) bool {
	for _, w := range words {
		if t.upper == w {
			return true
		}
	}
	return false
}

// tokens cuts an SQL text into words and marks. Comments and strings are dropped, since no
// table is named there; what it cannot read it passes over, one byte at a time.
func tokens(sql string) []token {
	var out []token
	line := 0
	for i := 0; i < len(sql); {
		start := i
		switch c := sql[i]; {
		case c == '\n':
			line++
			i++
		case strings.HasPrefix(sql[i:], "--"):
			i += upTo(sql[i:], "\n")
		case strings.HasPrefix(sql[i:], "/*"):
			i += past(sql[i+2:], "*/") + 2
			line += strings.Count(sql[start:i], "\n")
		case c == '\'':
			i += past(sql[i+1:], "'") + 1
			line += strings.Count(sql[start:i], "\n")
			out = append(out, token{text: "''", upper: "''", line: line})
		case c == '"' || c == '`' || c == '[':
			end := string(c)
			if c == '[' {
				end = "]"
			}
			i += past(sql[i+1:], end) + 1
			out = append(out, token{text: strings.Trim(sql[start:i], "\"`[]"), name: true, line: line})
		case wordByte(c):
			for i < len(sql) && wordByte(sql[i]) {
				i++
			}
			word := sql[start:i]
			out = append(out, token{text: word, upper: strings.ToUpper(word), name: c < '0' || c > '9', line: line})
		default:
			i++
			if c != ' ' && c != '\t' && c != '\r' {
				out = append(out, token{text: string(c), upper: string(c), line: line})
			}
		}
	}
	return out
}

func wordByte(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// upTo is how far it is to mark, or to the end.
func upTo(s, mark string) int {
	if i := strings.Index(s, mark); i >= 0 {
		return i
	}
	return len(s)
}

// past is how far it is to behind mark, or to the end.
func past(s, mark string) int {
	if i := strings.Index(s, mark); i >= 0 {
		return i + len(mark)
	}
	return len(s)
}

// TablesIn returns the tables and views that the statements of a migration make.
func TablesIn(sql string) []string {
	ts := tokens(sql)
	var tables []string
	for i := range ts {
		switch {
		case ts[i].is("CREATE"):
			if t, ok := created(ts[i+1:]); ok {
				tables = append(tables, t)
			}
		case ts[i].is("RENAME") && i+2 < len(ts) && ts[i+1].is("TO") && ts[i+2].name:
			tables = append(tables, ts[i+2].text)
		}
	}
	return tables
}

func created(ts []token) (table string, ok bool) {
	i := 0
	for i < len(ts) && ts[i].is("TEMP", "TEMPORARY", "VIRTUAL", "UNLOGGED", "OR", "REPLACE") {
		i++
	}
	if i >= len(ts) || !ts[i].is("TABLE", "VIEW") {
		return "", false
	}
	i++
	if i+2 < len(ts) && ts[i].is("IF") {
		i += 3 // IF NOT EXISTS
	}
	if i >= len(ts) || !ts[i].name {
		return "", false
	}
	if i+2 < len(ts) && ts[i+1].is(".") && ts[i+2].name {
		i += 2
	}
	return ts[i].text, true
}
