package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// pgCopy is a schema as one side of a Copy, on one connection.
type pgCopy struct {
	o      Options
	at     place
	c      *pgx.Conn
	source bool
}

// settlePatience is how long the source's older transactions may take to end.
const settlePatience = lockPatience

func openCopyPG(ctx context.Context, o Options, source bool) (*pgCopy, error) {
	at, err := placeOf(o)
	if err != nil {
		return nil, err
	}
	if err := at.prepare(ctx, source); err != nil {
		return nil, pgExplain(at.String(), err)
	}
	c, err := pgx.ConnectConfig(ctx, at.settings(o, pgCopies))
	if err != nil {
		return nil, pgExplain(at.String(), err)
	}
	s := &pgCopy{o: o, at: at, c: c, source: source}
	err = s.alone(ctx)
	if err == nil && source {
		err = s.settle(ctx)
	}
	if err != nil {
		return nil, errors.Join(s.explain(err), s.close()) //nolint:contextcheck // closing is not for ctx to stop
	}
	return s, nil
}

func (s *pgCopy) String() string { return s.at.String() }

func (s *pgCopy) explain(err error) error { return pgExplain(s.at.String(), err) }

// close gives the lock back before it goes: of a connection that ends, the server does so when it gets to it, and a copy
// that follows at once would find this one under way.
func (s *pgCopy) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), unlockTime)
	defer cancel()
	_, _ = s.c.Exec(ctx, `SELECT pg_advisory_unlock_all()`) // what has failed, or takes longer, is done by closing
	return s.c.Close(context.Background())
}

// unlockTime is how long a copy that ends waits to have given its lock back.
const unlockTime = 3 * time.Second

// alone finds whoever else works on the schema: every connection of a souk says what it is for.
// The server shows that to all users.
func (s *pgCopy) alone(ctx context.Context) error {
	var free bool
	if err := s.c.QueryRow(ctx, `SELECT pg_try_advisory_lock(hashtext('souk copies'), hashtext($1))`, s.at.schema).Scan(&free); err != nil {
		return err
	}
	if !free {
		return ErrLocked.With("storage is in use").Because(fmt.Errorf("%s: another copy is under way", s.at))
	}
	for patience := time.NewTimer(leaveTime); ; {
		open, err := s.whoElse(ctx)
		if err != nil || open == nil {
			return err
		}
		select {
		case <-time.After(leaveTime / 100):
		case <-ctx.Done():
			return ctx.Err()
		case <-patience.C:
			return ErrLocked.With("storage is in use").Because(open)
		}
	}
}

// leaveTime is how long a copy waits for those who work on the schema to leave: the server shows a connection that was
// closed until it gets to ending it.
const leaveTime = 2 * time.Second

// whoElse says who works on the schema; open is nil if nobody does.
func (s *pgCopy) whoElse(ctx context.Context) (open, err error) {
	var name string
	var pid int64
	err = s.c.QueryRow(ctx, `SELECT pid, application_name FROM pg_catalog.pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
			AND application_name IN (left($1 || 'write', 63), left($1 || 'sequencer', 63), left($1 || 'listen', 63), left($1 || 'migrate', 63))
		LIMIT 1`, "souk "+s.at.schema+" ").Scan(&pid, &name)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return fmt.Errorf("%s: a souk has it open (process %d of the server serves %q); stop it first", s.at, pid, name), nil
}

// settle numbers what has been published and has no position yet.
func (s *pgCopy) settle(ctx context.Context) error {
	var queue bool
	if err := s.c.QueryRow(ctx, `SELECT to_regclass('event_queue') IS NOT NULL`).Scan(&queue); err != nil || !queue {
		return err // what is wrong with the migrations is said later
	}
	var waiting bool
	if err := s.c.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM event_queue)`).Scan(&waiting); err != nil || !waiting {
		return err
	}
	all, err := Migrations(ctx, s.o)
	if err != nil {
		return err
	}
	for _, m := range all {
		if !m.Applied {
			return nil // opening would run it; that is not the copy's business, and is said later
		}
	}
	db, err := Open(ctx, s.o)
	if err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, settlePatience)
	defer cancel()
	err = db.Settle(bounded)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = fmt.Errorf("%s: events wait for their numbers behind a transaction that has not ended; look for it in pg_stat_activity", s.at)
	}
	return errors.Join(err, db.Close()) //nolint:contextcheck // closing is not for ctx to stop
}

// hold keeps everyone from writing until close, whoever has been overlooked, and has one snapshot.
func (s *pgCopy) hold(ctx context.Context) error {
	tables, err := s.tables(ctx)
	if err != nil {
		return err
	}
	names := []string{"event_queue"}
	for _, t := range tables {
		names = append(names, t.name)
	}
	for _, statement := range []string{"BEGIN ISOLATION LEVEL REPEATABLE READ", "LOCK TABLE " + quoted(names) + " IN SHARE MODE"} {
		if _, err := s.c.Exec(ctx, statement); err != nil {
			return s.explain(fmt.Errorf("keep others from writing: %w", err))
		}
	}
	var waiting int64
	if err := s.c.QueryRow(ctx, `SELECT count(*) FROM event_queue`).Scan(&waiting); err != nil {
		return s.explain(err)
	}
	if waiting > 0 {
		return fmt.Errorf("%s: %d events have been published since and have no numbers: is a souk at work on it?", s.at, waiting)
	}
	return nil
}

func (s *pgCopy) rows(ctx context.Context, query string, args []any) ([][]any, error) {
	rows, err := s.c.Query(ctx, rebind(query), args...)
	if err != nil {
		return nil, s.explain(err)
	}
	defer rows.Close()
	var all [][]any
	for rows.Next() {
		row, err := rows.Values()
		if err != nil {
			return nil, s.explain(err)
		}
		all = append(all, row)
	}
	return all, s.explain(rows.Err())
}

func (s *pgCopy) tables(ctx context.Context) ([]copyTable, error) {
	rows, err := s.rows(ctx, `SELECT CAST(c.relname AS text), CAST(a.attname AS text), format_type(a.atttypid, a.atttypmod),
			CAST(COALESCE(array_position(k.conkey, a.attnum), 0) AS bigint), a.attidentity <> ''
		FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		LEFT JOIN pg_catalog.pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
		WHERE c.relnamespace = CAST(current_schema() AS regnamespace) AND c.relkind = 'r' ORDER BY c.relname, a.attname`, nil)
	if err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	var all []described
	for _, r := range rows {
		key, _ := r[3].(int64)
		identity, _ := r[4].(bool)
		all = append(all, described{table: asText(r[0]), name: asText(r[1]), kind: asText(r[2]), key: key, identity: identity})
	}
	rows, err = s.rows(ctx, `SELECT CAST(c.relname AS text), CAST(p.relname AS text) FROM pg_catalog.pg_constraint k
		JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_class p ON p.oid = k.confrelid
		WHERE k.contype = 'f' AND k.connamespace = CAST(current_schema() AS regnamespace)`, nil)
	if err != nil {
		return nil, fmt.Errorf("read the references: %w", err)
	}
	var refers [][2]string
	for _, r := range rows {
		refers = append(refers, [2]string{asText(r[0]), asText(r[1])})
	}
	return tablesOf(all, refers)
}

// mark holds the lock of migrations meanwhile: of a copy and a souk that begin at once, one finds
// what the other has made.
func (s *pgCopy) mark(ctx context.Context) (there bool, err error) {
	if _, err := s.c.Exec(ctx, `SELECT pg_advisory_lock(hashtext('souk migrations'), hashtext($1))`, s.at.schema); err != nil {
		return false, s.explain(err)
	}
	defer func() {
		_, e := s.c.Exec(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock(hashtext('souk migrations'), hashtext($1))`, s.at.schema)
		err = errors.Join(err, s.explain(e))
	}()
	rows, err := s.rows(ctx, `SELECT CAST(tablename AS text) FROM pg_catalog.pg_tables WHERE schemaname = current_schema() ORDER BY tablename = ? DESC`, []any{copyState})
	switch {
	case err != nil:
		return false, err
	case len(rows) > 0 && asText(rows[0][0]) == copyState:
		return true, nil
	case len(rows) > 0:
		return false, errHasData(s)
	}
	_, err = s.c.Exec(ctx, `CREATE TABLE `+copyState+` (name TEXT COLLATE "C" PRIMARY KEY, source TEXT COLLATE "C" NOT NULL, done BIGINT NOT NULL)`)
	return false, s.explain(err)
}

func (s *pgCopy) migrate(ctx context.Context) error {
	return s.explain(pgMigrate(ctx, s.o, s.at, false))
}

// change runs fn in a transaction, which also has the triggers at work again, however it ends.
func (s *pgCopy) change(ctx context.Context, resting []copyTable, fn func(tx copyTx) error) error {
	return s.explain(pgx.BeginFunc(ctx, s.c, func(tx pgx.Tx) error {
		switchAll := func(how string) error {
			for _, t := range resting {
				if _, err := tx.Exec(ctx, `ALTER TABLE `+quoteName(t.name)+` `+how+` TRIGGER USER`); err != nil {
					return fmt.Errorf("triggers of %s: %w", t.name, err)
				}
			}
			return nil
		}
		if err := switchAll("DISABLE"); err != nil {
			return err
		}
		if err := fn(&pgCopyTx{ctx: ctx, tx: tx}); err != nil {
			return err
		}
		return switchAll("ENABLE")
	}))
}

func (s *pgCopy) acceptable(t copyTable, rows [][]any) error { return t.unkeepable(rows) }

// tidy has the server look at what came, so that it plans well from the first request on.
func (s *pgCopy) tidy(ctx context.Context, all []copyTable) error {
	for _, t := range all {
		if _, err := s.c.Exec(ctx, `ANALYZE `+quoteName(t.name)); err != nil {
			return s.explain(err)
		}
	}
	return nil
}

type pgCopyTx struct {
	ctx context.Context //nolint:containedctx // a transaction has one, as Tx has
	tx  pgx.Tx
}

func (tx *pgCopyTx) exec(query string, args ...any) error {
	_, err := tx.tx.Exec(tx.ctx, rebind(query), args...)
	return err
}

func (tx *pgCopyTx) insert(t copyTable, rows [][]any) error {
	_, err := tx.tx.CopyFrom(tx.ctx, pgx.Identifier{t.name}, t.names(), pgx.CopyFromRows(rows))
	return err
}

func (tx *pgCopyTx) numberFrom(t copyTable) error {
	if t.identity == "" {
		return nil
	}
	column := quoteName(t.identity)
	_, err := tx.tx.Exec(tx.ctx, `SELECT setval(pg_get_serial_sequence($1, $2), COALESCE(max(`+column+`), 0) + 1, false) FROM `+quoteName(t.name),
		quoteName(t.name), t.identity)
	return err
}
