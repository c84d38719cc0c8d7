package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/jmoiron/sqlx"
)

// pgSession is one connection of a pool while a transaction has it.
type pgSession struct {
	x      *sqlx.Conn
	raw    *pgx.Conn
	failed error // the last statement's that failed: everything after it is refused until a savepoint is gone back to

	// Parts (tx.Savepoint) cost a round trip only where there is something to keep. One that begins when nothing has been
	// changed since the last savepoint goes back to that one; and none is released by itself, since COMMIT does that: savepoints
	// have names by their height, so that going back to a lower one needs no regard to those above. Only when many stand and no part
	// is open, so that none is gone back to any more, all are released on the way to the next: each is within the one before it, and
	// the server, asked whether a row is this transaction's own, looks through them all.
	changed bool  // something may have been, since the last savepoint
	height  int   // of savepoints above fn
	parts   []int // those that are open: the height of the savepoint that each goes back to, 0 for fn
}

// pgConnect takes a connection out of a pool.
func pgConnect(ctx context.Context, pool *sqlx.DB) (*pgSession, error) {
	x, err := pool.Connx(ctx)
	if err != nil {
		return nil, err
	}
	s := &pgSession{x: x}
	err = x.Raw(func(dc any) error {
		c, ok := dc.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("%w but %T", errNoPgConn, dc)
		}
		s.raw = c.Conn()
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, x.Close())
	}
	return s, nil
}

func (s *pgSession) get(ctx context.Context, dest any, query string, args []any) error {
	s.changed = s.changed || !is(firstWord(query), "SELECT")
	return s.note(s.x.GetContext(ctx, dest, rebind(query), pgArgs(args)...))
}

func (s *pgSession) all(ctx context.Context, dest any, query string, args []any) error {
	s.changed = s.changed || !is(firstWord(query), "SELECT")
	return s.note(s.x.SelectContext(ctx, dest, rebind(query), pgArgs(args)...))
}

func (s *pgSession) exec(ctx context.Context, query string, args []any) (int64, error) {
	s.changed = true
	result, err := s.x.ExecContext(ctx, rebind(query), pgArgs(args)...)
	if s.note(err) != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (s *pgSession) note(err error) error {
	if err != nil && s.raw.PgConn().TxStatus() == txFailed && s.failed == nil {
		s.failed = err
	}
	return err
}

// do begins or ends something. The texts are SQLite's too, but for BEGIN and for parts.
func (s *pgSession) do(what control) error {
	switch what {
	case ctlInner:
		return s.beginPart()
	case ctlInnerRelease:
		s.parts = s.parts[:len(s.parts)-1]
		return nil
	case ctlInnerRollback:
		return s.goBack(s.parts[len(s.parts)-1])
	case ctlRollbackTo:
		s.parts = nil
		return s.goBack(0)
	default:
		_, err := s.control(context.Background(), string(what))
		return err
	}
}

// mostParts is how many savepoints may stand when none is needed any more.
const mostParts = 32

// beginPart begins something that may be undone by itself.
func (s *pgSession) beginPart() error {
	if s.changed || s.raw.PgConn().TxStatus() != txOpen {
		height, release := s.height+1, ""
		if s.height >= mostParts && len(s.parts) == 0 {
			height, release = 1, "RELEASE part1; " // and those above it
		}
		if _, err := s.control(context.Background(), release+"SAVEPOINT part"+strconv.Itoa(height)); err != nil {
			return err
		}
		s.height, s.changed = height, false
	}
	s.parts = append(s.parts, s.height)
	return nil
}

// goBack undoes everything since the savepoint of a height.
func (s *pgSession) goBack(height int) error {
	text := string(ctlRollbackTo)
	if height > 0 {
		text = "ROLLBACK TO part" + strconv.Itoa(height)
	}
	if _, err := s.control(context.Background(), text); err != nil {
		return err
	}
	s.height, s.changed, s.failed = height, false, nil
	return nil
}

// control runs statements without arguments in one round trip and says how the last ended.
func (s *pgSession) control(ctx context.Context, text string) (tag string, err error) {
	results, err := s.raw.PgConn().Exec(ctx, text).ReadAll()
	if err != nil || len(results) == 0 {
		return "", err
	}
	return results[len(results)-1].CommandTag.String(), nil
}

// The states of a transaction, as the server tells them after each statement.
const (
	txIdle   = 'I'
	txOpen   = 'T'
	txFailed = 'E'
)

// over says whether the transaction cannot go on: it is gone with its connection, or could
// not be serialised and has to run again from its beginning.
func (s *pgSession) over(err error) bool {
	return s.raw.IsClosed() || s.raw.PgConn().TxStatus() == txIdle || pgAgain(err)
}

// giveBack ends what still stands and gives the connection back; one that cannot be relied
// on is closed, and the pool opens another.
func (s *pgSession) giveBack() {
	if !s.raw.IsClosed() && s.raw.PgConn().TxStatus() != txIdle {
		if _, err := s.control(context.Background(), "ROLLBACK"); err != nil {
			s.discard()
			return
		}
	}
	_ = s.x.Close()
}

// discard closes the connection: the pool has no other way of being told.
func (s *pgSession) discard() {
	_ = s.x.Raw(func(any) error { return driver.ErrBadConn })
}

// rebound are the texts that have been rewritten. Modules put few together at run time, but
// nothing promises that, so it is bounded.
var (
	rebound      sync.Map
	reboundCount atomic.Int64
)

const maxRebound = 8192

// rebind writes $1, $2, … for each ? outside of quotes and comments.
func rebind(query string) string {
	if !strings.Contains(query, "?") {
		return query
	}
	if known, ok := rebound.Load(query); ok {
		return known.(string) //nolint:forcetypeassert // only strings are kept
	}
	text := rewrite(query)
	if reboundCount.Load() < maxRebound {
		if _, had := rebound.LoadOrStore(query, text); !had {
			reboundCount.Add(1)
		}
	}
	return text
}

func rewrite(query string) string {
	var b strings.Builder
	n := 0
	for i := 0; i < len(query); i++ {
		c := query[i]
		switch {
		case c == '?':
			n++
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
			continue
		case c == '\'' || c == '"':
			if end := strings.IndexByte(query[i+1:], c); end >= 0 {
				b.WriteString(query[i : i+end+2])
				i += end + 1
				continue
			}
		case strings.HasPrefix(query[i:], "--") || strings.HasPrefix(query[i:], "/*"):
			rest := skip(query[i:])
			b.WriteByte(' ')
			i = len(query) - len(rest) - 1
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// pgArgs are the arguments as SQLite would get them: what is made of a text, a number or
// bytes is that, and a bool is 0 or 1, since such columns are INTEGER on both engines.
func pgArgs(args []any) []any {
	out := make([]any, len(args))
	for i, arg := range args {
		out[i] = pgArg(arg)
	}
	return out
}

func pgArg(arg any) any {
	switch v := arg.(type) {
	case nil, string, int64, []byte:
		return arg
	case bool:
		return asInt(v)
	case driver.Valuer:
		return arg
	}
	v := reflect.ValueOf(arg)
	switch v.Kind() {
	case reflect.Bool:
		return asInt(v.Bool())
	case reflect.String:
		return v.String()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return v.Uint()
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return pgArg(v.Elem().Interface())
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return v.Bytes()
		}
	default:
	}
	return arg
}

func asInt(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
