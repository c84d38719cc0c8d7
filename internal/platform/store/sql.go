package store

import (
	"fmt"
	"math/bits"
	"reflect"
	"strings"

	"github.com/jmoiron/sqlx"
)

// Text is s as both engines keep it: valid UTF-8, and without NUL, which PostgreSQL refuses. It is for
// what comes from elsewhere and must be kept whatever it is: the text of an error.
func Text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// checkStatement refuses what would reach out of a module's turn: what begins or ends a
// transaction, opens another database, sets a connection, or is more than one statement.
func checkStatement(query string) error {
	verb := firstWord(query)
	switch {
	case is(verb, "BEGIN"), is(verb, "COMMIT"), is(verb, "END"), is(verb, "ROLLBACK"),
		is(verb, "SAVEPOINT"), is(verb, "RELEASE"):
		return ErrStatement.Because(fmt.Errorf("%s: a transaction is begun and ended by Write and Read alone; a part of one is tx.Savepoint", verb))
	case is(verb, "ATTACH"), is(verb, "DETACH"):
		return ErrStatement.Because(fmt.Errorf("%s: a module has one database", verb))
	case is(verb, "PRAGMA"), is(verb, "VACUUM"), is(verb, "SET"), is(verb, "RESET"), is(verb, "DISCARD"), is(verb, "LISTEN"),
		is(verb, "COPY"), is(verb, "DO"):
		return ErrStatement.Because(fmt.Errorf("%s: connections are set up by platform/store alone", verb))
	case verb == "":
		return ErrStatement.Because(fmt.Errorf("there is no statement in %q", query))
	}
	if i := strings.IndexByte(query, ';'); i >= 0 && more(query) {
		return ErrStatement.Because(fmt.Errorf("one statement at a time, and this is more: %s", query))
	}
	return nil
}

// firstWord is the first word after white space and comments.
func firstWord(query string) string {
	rest := skip(query)
	end := 0
	for end < len(rest) && (rest[end] >= 'a' && rest[end] <= 'z' || rest[end] >= 'A' && rest[end] <= 'Z') {
		end++
	}
	return rest[:end]
}

// skip is query without the white space and comments that it begins with.
func skip(query string) string {
	for {
		query = strings.TrimLeft(query, " \t\r\n\f")
		switch {
		case strings.HasPrefix(query, "--"):
			_, after, _ := strings.Cut(query, "\n")
			query = after
		case strings.HasPrefix(query, "/*"):
			_, after, _ := strings.Cut(query, "*/")
			query = after
		default:
			return query
		}
	}
}

func is(word, verb string) bool { return len(word) == len(verb) && strings.EqualFold(word, verb) }

// more says whether anything follows the first semicolon outside of quotes and comments.
func more(query string) bool {
	for i := 0; i < len(query); i++ {
		switch c := query[i]; {
		case c == '\'' || c == '"' || c == '`':
			end := strings.IndexByte(query[i+1:], c)
			if end < 0 {
				return false // SQLite will say so
			}
			i += end + 1
		case c == '[':
			end := strings.IndexByte(query[i:], ']')
			if end < 0 {
				return false
			}
			i += end
		case strings.HasPrefix(query[i:], "--") || strings.HasPrefix(query[i:], "/*"):
			rest := skip(query[i:])
			i = len(query) - len(rest) - 1
		case c == ';':
			return strings.Trim(skip(query[i+1:]), "; \t\r\n\f") != ""
		}
	}
	return false
}

// In writes out a query whose IN (?) stands for a slice:
//
//	query, args, err := store.In(`SELECT id, title FROM listings WHERE seller_id = ? AND id IN (?)`, seller, ids)
//
// Slices are filled up to the next power of two by repeating their last element, so that
// few texts come of it and the statement cache holds. An empty slice is an error: ask
// nothing instead.
func In(query string, args ...any) (string, []any, error) {
	filled := make([]any, len(args))
	for i, arg := range args {
		filled[i] = fillUp(arg)
	}
	q, out, err := sqlx.In(query, filled...)
	if err != nil {
		return "", nil, fmt.Errorf("write out IN: %w", err)
	}
	return q, out, nil
}

func fillUp(arg any) any {
	v := reflect.ValueOf(arg)
	if !v.IsValid() || v.Kind() != reflect.Slice || v.Type().Elem().Kind() == reflect.Uint8 || v.Len() == 0 {
		return arg
	}
	n := 1 << bits.Len(uint(v.Len()-1)) //nolint:gosec // not negative
	if n == v.Len() || n > maxFilled {
		return arg
	}
	out := reflect.MakeSlice(v.Type(), n, n)
	reflect.Copy(out, v)
	for i := v.Len(); i < n; i++ {
		out.Index(i).Set(v.Index(v.Len() - 1))
	}
	return out.Interface()
}

// maxFilled keeps a filled slice under SQLite's bound on parameters (32,766).
const maxFilled = 16384
