package store

import (
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
)

// Command names a request that must take effect once, however often it arrives.
type Command struct {
	Owner     string     // who asks: actor.Owner(), a cart token's hash, or the module's name
	Operation string     // "orders.checkout"
	Key       string     // the client's, or made of an order's id and a step
	Body      [32]byte   // Hash of what is asked
	Until     clock.Time // when the key may be forgotten; none: it lives as long as what it made
}

// maxKey is the longest key accepted.
const maxKey = 255

// Hash is the hash of a request's body: of its JSON encoding. It panics on what cannot be
// encoded, which a contract's types always can.
func Hash(v any) [32]byte {
	body, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("store.Hash of %T: %v", v, err))
	}
	return sha256.Sum256(body)
}

// memory is a row of the idempotency table.
type memory struct {
	command Command
	refusal *errs.Error
	text    string
}

type onceRow struct {
	BodyHash []byte `db:"body_hash"`
	Result   string `db:"result"`
	Refusal  string `db:"refusal"`
	Undone   bool   `db:"undone"`
}

// Once runs fn the first time that the command's key is seen and remembers the id that it
// returns; later the same body gets that id, and repeat, without fn being run. The same key
// with another body is refused as <module>.key_reused, a key that was undone as
// <module>.key_undone.
//
// A refusal (errs.Refused, but not errs.Invalid) that fn returns is remembered too and
// repeated word for word: nothing of fn remains, but when the Write returns that refusal
// its memory is committed all the same. Any other error is forgotten with the Write.
func (tx *Tx) Once(c Command, fn func() (result string, err error)) (result string, repeat bool, err error) {
	if c.Key == "" || len(c.Key) > maxKey {
		return "", false, tx.keyError(errs.Invalid, "key_invalid", "an idempotency key has 1 to %d characters", maxKey)
	}
	row, err := tx.selectOnce(c.Owner, c.Operation, c.Key)
	switch {
	case err == nil:
		return tx.again(c, row)
	case !errors.Is(err, sql.ErrNoRows):
		return "", false, err
	}
	name := Command{Owner: c.Owner, Operation: c.Operation, Key: c.Key}
	if tx.doing[name] {
		return "", false, tx.keyError(errs.Conflict, "key_in_flight", "the request with key %s is under way", c.Key)
	}
	if tx.doing == nil {
		tx.doing = map[Command]bool{}
	}
	tx.doing[name] = true
	defer delete(tx.doing, name)

	err = tx.part(func() error {
		var err error
		result, err = fn()
		return err
	})
	if err == nil {
		return result, false, tx.insertOnce(c, result, "")
	}
	if tx.lost != nil || !errs.Refused(err) || errs.KindOf(err) == errs.Invalid {
		return "", false, err
	}
	return "", false, tx.rememberRefusal(c, err)
}

// again answers a key that has been seen.
func (tx *Tx) again(c Command, row onceRow) (string, bool, error) {
	switch {
	case row.Undone:
		return "", true, tx.keyError(errs.Conflict, "key_undone", "the request with key %s was undone", c.Key)
	case string(row.BodyHash) != string(c.Body[:]):
		return "", true, tx.keyError(errs.Mismatch, "key_reused", "the key %s was used for another request", c.Key)
	case row.Refusal != "":
		var refusal errs.Error
		if err := json.Unmarshal([]byte(row.Refusal), &refusal); err != nil {
			return "", true, fmt.Errorf("read the refusal of key %s: %w", c.Key, err)
		}
		return "", true, &refusal
	default:
		return row.Result, true, nil
	}
}

// rememberRefusal keeps a refusal twice: in the transaction, for when the Write succeeds
// without regard to it, and in tx, for when the Write returns it and everything is undone.
func (tx *Tx) rememberRefusal(c Command, err error) error {
	refusal := errs.As(err)
	text, e := json.Marshal(refusal)
	if e != nil {
		return errors.Join(err, e)
	}
	if e := tx.insertOnce(c, "", string(text)); e != nil {
		return e
	}
	tx.refusals = append(tx.refusals, memory{command: c, refusal: refusal, text: string(text)})
	return err
}

// Undo marks a key undone for ever, seen or not, so that a late original is refused. done
// says whether it had been done, and with which result, for the caller to undo that; it
// says the same each time.
func (tx *Tx) Undo(owner, operation, key string) (result string, done bool, err error) {
	if key == "" || len(key) > maxKey {
		return "", false, tx.keyError(errs.Invalid, "key_invalid", "an idempotency key has 1 to %d characters", maxKey)
	}
	row, err := tx.selectOnce(owner, operation, key)
	if errors.Is(err, sql.ErrNoRows) {
		_, err = tx.Exec(`INSERT INTO idempotency (owner, operation, key, undone, at) VALUES (?, ?, ?, 1, ?)`,
			owner, operation, key, tx.Now())
		if err != nil {
			return "", false, fmt.Errorf("leave a tombstone for key %s of %s: %w", key, operation, err)
		}
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	if !row.Undone {
		// An undone key is never forgotten: its original may still be on its way.
		_, err = tx.Exec(`UPDATE idempotency SET undone = 1, expires_at = 0 WHERE owner = ? AND operation = ? AND key = ?`,
			owner, operation, key)
		if err != nil {
			return "", false, fmt.Errorf("undo key %s of %s: %w", key, operation, err)
		}
	}
	return row.Result, row.BodyHash != nil && row.Refusal == "", nil
}

// ForgetKeys drops up to limit keys whose Until has passed, and says how many there were.
func (tx *Tx) ForgetKeys(limit int) (int64, error) {
	n, err := tx.Exec(`
		DELETE FROM idempotency WHERE (owner, operation, key) IN (
			SELECT owner, operation, key FROM idempotency WHERE expires_at > 0 AND expires_at <= ? LIMIT ?)`,
		tx.Now(), limit)
	if err != nil {
		return 0, fmt.Errorf("forget old keys: %w", err)
	}
	return n, nil
}

func (tx *Tx) selectOnce(owner, operation, key string) (onceRow, error) {
	var row onceRow
	err := tx.Get(&row, `SELECT body_hash, result, refusal, undone FROM idempotency WHERE owner = ? AND operation = ? AND key = ?`,
		owner, operation, key)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("look up key %s of %s: %w", key, operation, err)
	}
	return row, err
}

func (tx *Tx) insertOnce(c Command, result, refusal string) error {
	_, err := tx.Exec(`INSERT INTO idempotency (owner, operation, key, body_hash, result, refusal, at, expires_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		c.Owner, c.Operation, c.Key, c.Body[:], result, refusal, tx.Now(), c.Until)
	if err != nil {
		return fmt.Errorf("remember key %s of %s: %w", c.Key, c.Operation, err)
	}
	return nil
}

func (tx *Tx) keyError(kind errs.Kind, what, format string, args ...any) error {
	return errs.Refusal(kind, errs.Code(tx.db.Module()+"."+what)).With(format, args...)
}
