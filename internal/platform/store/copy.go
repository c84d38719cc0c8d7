package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// CopyOptions say from where and to where one module's data are copied.
type CopyOptions struct {
	From, To Options
	Restart  bool                             // throw away what an unfinished copy has brought
	Say      func(format string, args ...any) // hears how far it is; default: nobody

	batch      int          // rows at once; default copyBatch
	afterBatch func() error // for store's own tests
}

// copyBatch is how many rows are in memory and in a transaction of the target at once.
const copyBatch = 500

// Copy is one module's data on their way from one database to another, of whichever engines.
// The schema is made by the target's own migrations; every row is copied as it is, but for what
// keeps those migrations and what numbers events on PostgreSQL. Until Finish the target cannot be
// opened, and an interrupted copy goes on where it was.
type Copy struct {
	o        CopyOptions
	from     copySide
	to       copyTarget
	tables   []copyTable // parents before those that refer to them
	finished time.Time   // when an earlier copy finished
}

// CopiedTable is one table that is the same in both databases now.
type CopiedTable struct {
	Name string
	Rows int64
	Sum  string // SHA-256 of all rows in the order of their keys, the same on every engine
}

// BeginCopy locks both databases and looks whether the one can be copied to the other: nobody may
// have either open for writing, both have run the same migrations, and there is nothing in the
// target but an earlier copy of the same, which goes on. Close gives the locks back.
func BeginCopy(ctx context.Context, o CopyOptions) (_ *Copy, err error) {
	o.From, o.To = o.From.withDefaults(), o.To.withDefaults()
	o.To.copying = true
	if o.Say == nil {
		o.Say = func(string, ...any) {}
	}
	if o.batch <= 0 {
		o.batch = copyBatch
	}
	if err := errors.Join(check(o.From), check(o.To)); err != nil {
		return nil, err
	}
	c := &Copy{o: o}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("copy %s: %w", o.From.Module, err), c.Close())
		}
	}()
	if c.from, err = openSource(ctx, o.From); err != nil {
		return nil, err
	}
	before, err := Migrations(ctx, o.From)
	if err != nil {
		return nil, err
	}
	if waiting := slices.IndexFunc(before, func(m Migration) bool { return !m.Applied }); waiting >= 0 {
		return nil, fmt.Errorf("%s is at %s, and this souk makes %s: start it once with this souk, or copy with the souk that wrote it",
			c.from, versions(before, true), versions(before, false))
	}
	if err := c.from.hold(ctx); err != nil {
		return nil, err
	}
	if c.to, err = openTarget(ctx, o.To); err != nil {
		return nil, err
	}
	print, err := c.fingerprint(ctx)
	if err != nil {
		return nil, err
	}
	begun, err := c.adopt(ctx, print)
	switch {
	case err != nil:
		return nil, err
	case !c.finished.IsZero() && begun != print:
		return nil, fmt.Errorf("it was copied at %s, and the source has been written to since (%s; it is %s now): remove what is in the target and copy it again",
			c.finished.UTC().Format(time.DateTime), begun, print)
	case !c.finished.IsZero():
		return c, nil
	}
	if err := c.to.migrate(ctx); err != nil {
		return nil, err
	}
	if err := c.compareSchemas(ctx, before); err != nil {
		return nil, err
	}
	return c, c.settleBegin(ctx, begun, print)
}

// versions are the last migrations of each source: "platform 1, orders 2".
func versions(all []Migration, applied bool) string {
	var names []string
	last := map[string]int64{}
	for _, m := range all {
		if !slices.Contains(names, m.Source) {
			names = append(names, m.Source)
		}
		if m.Applied || !applied {
			last[m.Source] = max(last[m.Source], m.Version)
		}
	}
	for i, name := range names {
		names[i] = fmt.Sprintf("%s %d", name, last[name])
	}
	return strings.Join(names, ", ")
}

// fingerprint tells one state of one source from others, roughly: the comparison of all rows at
// the end is what is relied on.
func (c *Copy) fingerprint(ctx context.Context) (string, error) {
	rows, err := c.from.rows(ctx, `SELECT epoch, head FROM event_log_state WHERE one = 1`, nil)
	if err != nil {
		return "", fmt.Errorf("read the state of the log: %w", err)
	}
	if len(rows) != 1 {
		return "", fmt.Errorf("%s has no state of its log", c.from)
	}
	return fmt.Sprintf("%s at %d", asText(rows[0][0]), rows[0][1]), nil
}

// copyState is the table in the target that says that it is a copy: a row of each table, and one
// of the whole, without a name. done is when that was finished, or 0.
const copyState = "copy_state"

// checkCopied refuses a database that is not whole yet.
func checkCopied(o Options, read func(dest any, query string) error) error {
	var done []int64
	if err := read(&done, `SELECT done FROM `+copyState+` WHERE name = ''`); err != nil {
		return fmt.Errorf("read how far the copy is: %w", err)
	}
	if len(done) == 1 && done[0] != 0 {
		return nil
	}
	return ErrBehind.With("the stored data are being copied and not whole yet").Because(
		fmt.Errorf("the database of %s is an unfinished copy: let souk db copy finish it, or remove it", o.Module))
}

// adopt marks a fresh target as a copy, or says what is in it.
func (c *Copy) adopt(ctx context.Context, print string) (begun string, err error) {
	state, err := c.to.mark(ctx)
	if err != nil || !state {
		return print, err
	}
	rows, err := c.to.rows(ctx, `SELECT source, done FROM `+copyState+` WHERE name = ''`, nil)
	if err != nil {
		return "", fmt.Errorf("read how far the copy is: %w", err)
	}
	if len(rows) == 0 {
		return print, nil // marked, and then interrupted
	}
	done, ok := rows[0][1].(int64)
	if !ok {
		return "", fmt.Errorf("%s: %s is damaged", c.to, copyState)
	}
	if done != 0 {
		c.finished = time.UnixMilli(done)
	}
	return asText(rows[0][0]), nil
}

// errHasData refuses a target that is not empty.
func errHasData(at fmt.Stringer) error {
	return fmt.Errorf("%s has data already, and is no unfinished copy: give another target, or remove it first", at)
}

// settleBegin begins the copy or goes on with it.
func (c *Copy) settleBegin(ctx context.Context, begun, print string) error {
	if begun != print && !c.o.Restart {
		return fmt.Errorf("%s holds an unfinished copy of something else, or of what the source was before (%s; it is %s now): begin anew with --restart",
			c.to, begun, print)
	}
	resting := c.tables
	if !c.o.Restart {
		resting = nil
	}
	return c.to.change(ctx, resting, func(tx copyTx) error {
		if c.o.Restart {
			for _, t := range slices.Backward(c.tables) {
				if err := tx.exec(`DELETE FROM ` + quoteName(t.name)); err != nil {
					return fmt.Errorf("empty %s: %w", t.name, err)
				}
			}
			if err := tx.exec(`DELETE FROM ` + copyState); err != nil {
				return err
			}
		}
		return tx.exec(`INSERT INTO `+copyState+` (name, source, done) VALUES ('', ?, 0) ON CONFLICT (name) DO NOTHING`, print)
	})
}

// Finished is when an earlier copy to this target was finished; zero if there is one to be made.
func (c *Copy) Finished() time.Time { return c.finished }

// Run copies what is not there yet, and compares every row of every table.
func (c *Copy) Run(ctx context.Context) ([]CopiedTable, error) {
	module := c.o.From.Module
	for _, t := range c.tables {
		if err := c.table(ctx, t); err != nil {
			return nil, fmt.Errorf("copy %s of %s: %w", t.name, module, err)
		}
	}
	var all []CopiedTable
	for _, t := range c.tables {
		same, err := c.compare(ctx, t)
		if err != nil {
			return nil, fmt.Errorf("compare %s of %s: %w", t.name, module, err)
		}
		all = append(all, same)
	}
	c.o.Say("%s: %d tables compared", module, len(all))
	return all, nil
}

// sayEvery is after how many rows of a table it is said how far it is.
const sayEvery = 100_000

// table copies the rest of a table. How far it is is its own last key: rows come in the order of
// keys, a batch in a transaction.
func (c *Copy) table(ctx context.Context, t copyTable) error {
	begun, done, err := c.tableState(ctx, t)
	if err != nil || done {
		return err
	}
	var after []any
	if !begun {
		// Migrations leave a row in some tables, with secrets of this database's own.
		err = c.to.change(ctx, []copyTable{t}, func(tx copyTx) error {
			if err := tx.exec(`DELETE FROM ` + quoteName(t.name)); err != nil {
				return err
			}
			return tx.exec(`INSERT INTO `+copyState+` (name, source, done) VALUES (?, '', 0)`, t.name)
		})
	} else {
		after, err = c.lastKey(ctx, t)
	}
	if err != nil {
		return err
	}
	var rows int64
	for {
		batch, err := c.read(ctx, c.from, t, after)
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			break
		}
		if err := c.to.acceptable(t, batch); err != nil {
			return err
		}
		if err := c.to.change(ctx, []copyTable{t}, func(tx copyTx) error { return tx.insert(t, batch) }); err != nil {
			return err
		}
		before := rows
		rows += int64(len(batch))
		if rows/sayEvery > before/sayEvery {
			c.o.Say("%s: %s, %d rows so far", c.o.From.Module, t.name, rows)
		}
		if c.o.afterBatch != nil {
			if err := c.o.afterBatch(); err != nil {
				return err
			}
		}
		after = t.keyOf(batch[len(batch)-1])
	}
	if err := c.to.change(ctx, nil, func(tx copyTx) error {
		if err := tx.numberFrom(t); err != nil {
			return err
		}
		return tx.exec(`UPDATE `+copyState+` SET done = 1 WHERE name = ?`, t.name)
	}); err != nil {
		return err
	}
	c.o.Say("%s: %s, %d rows copied", c.o.From.Module, t.name, rows)
	return nil
}

func (c *Copy) tableState(ctx context.Context, t copyTable) (begun, done bool, err error) {
	rows, err := c.to.rows(ctx, `SELECT done FROM `+copyState+` WHERE name = ?`, []any{t.name})
	if err != nil || len(rows) == 0 {
		return false, false, err
	}
	return true, rows[0][0] != int64(0), nil
}

// lastKey is the greatest key that the target has; nil if it has no row.
func (c *Copy) lastKey(ctx context.Context, t copyTable) ([]any, error) {
	rows, err := c.to.rows(ctx, `SELECT `+quoted(t.key)+` FROM `+quoteName(t.name)+` ORDER BY `+strings.Join(quotedEach(t.key), " DESC, ")+` DESC LIMIT 1`, nil)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return t.canonKey(rows[0])
}

// read is the next batch of a table after a key.
func (c *Copy) read(ctx context.Context, from copySide, t copyTable, after []any) ([][]any, error) {
	query := `SELECT ` + quoted(t.names()) + ` FROM ` + quoteName(t.name)
	if after != nil {
		query += ` WHERE (` + quoted(t.key) + `) > (?` + strings.Repeat(", ?", len(t.key)-1) + `)`
	}
	query += ` ORDER BY ` + quoted(t.key) + fmt.Sprintf(` LIMIT %d`, c.o.batch)
	batch, err := from.rows(ctx, query, after)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", from, err)
	}
	for _, row := range batch {
		if err := t.canon(row); err != nil {
			return nil, fmt.Errorf("read %s: %w", from, err)
		}
	}
	return batch, nil
}

// compare reads a table in both databases, in the order of its keys, until they differ or end.
func (c *Copy) compare(ctx context.Context, t copyTable) (CopiedTable, error) {
	sum := sha256.New()
	same := CopiedTable{Name: t.name}
	var after []any
	for {
		have, err := c.read(ctx, c.from, t, after)
		if err != nil {
			return same, err
		}
		got, err := c.read(ctx, c.to, t, after)
		if err != nil {
			return same, err
		}
		for i := range max(len(have), len(got)) {
			switch {
			case i >= len(got):
				return same, fmt.Errorf("%w: the row %s is missing, after %d that are the same", errDiffers, t.describe(have[i]), same.Rows)
			case i >= len(have):
				return same, fmt.Errorf("%w: the row %s is not in the source, after %d that are the same", errDiffers, t.describe(got[i]), same.Rows)
			}
			row := t.bytes(have[i])
			if string(row) != string(t.bytes(got[i])) {
				return same, fmt.Errorf("%w: the row %s of the source, after %d that are the same", errDiffers, t.describe(have[i]), same.Rows)
			}
			sum.Write(row)
			same.Rows++
		}
		if len(have) == 0 {
			same.Sum = hex.EncodeToString(sum.Sum(nil))
			return same, nil
		}
		after = t.keyOf(have[len(have)-1])
	}
}

// errDiffers says that the copy is not what the source is.
var errDiffers = errors.New("the two databases differ; begin anew with --restart")

// Finish says that the copy is whole: from now on the target can be opened.
func (c *Copy) Finish(ctx context.Context) error {
	if err := c.to.tidy(ctx, c.tables); err != nil {
		return fmt.Errorf("finish the copy of %s: %w", c.o.From.Module, err)
	}
	err := c.to.change(ctx, nil, func(tx copyTx) error {
		return tx.exec(`UPDATE `+copyState+` SET done = ? WHERE name = ''`, int64(c.o.To.Now()))
	})
	if err != nil {
		return fmt.Errorf("finish the copy of %s: %w", c.o.From.Module, err)
	}
	return nil
}

// Close gives both databases back.
func (c *Copy) Close() error {
	var failed []error
	if c.from != nil {
		failed = append(failed, c.from.close())
	}
	if c.to != nil {
		failed = append(failed, c.to.close())
	}
	return errors.Join(failed...)
}
