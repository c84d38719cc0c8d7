package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
)

// answer is what a command was answered with.
type answer struct {
	result string
	repeat bool
	code   errs.Code
}

// command runs c with an effect (an audit row named after the result), and says what came of it.
func command(t *testing.T, db *store.DB, c store.Command, result string, fail error) answer {
	t.Helper()
	var a answer
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		var err error
		a.result, a.repeat, err = tx.Once(c, func() (string, error) {
			if err := tx.Audit(store.Audit{Action: result}); err != nil {
				return "", err
			}
			return result, fail
		})
		return err
	})
	a.code = errs.CodeOf(err)
	return a
}

// effects are the results whose effects are there.
func effects(t *testing.T, db *store.DB) []string {
	t.Helper()
	var out []string
	require.NoError(t, db.Read(t.Context(), func(q store.Queryer) error {
		return q.Select(&out, `SELECT action FROM audit_log ORDER BY id`)
	}))
	return out
}

func pay(key, body string) store.Command {
	return store.Command{Owner: "per_1", Operation: "test.pay", Key: key, Body: store.Hash(body)}
}

var errSoldOut = errs.Refusal(errs.Conflict, "test.sold_out")

func TestOnce(t *testing.T) {
	t.Parallel()
	t.Run("the same key and body is answered as the first time", func(t *testing.T) {
		t.Parallel()
		db := storetest.Open(t, "test")
		assert.Equal(t, answer{result: "r1"}, command(t, db, pay("k", "b"), "r1", nil))
		assert.Equal(t, answer{result: "r1", repeat: true}, command(t, db, pay("k", "b"), "r2", nil))
		assert.Equal(t, []string{"r1"}, effects(t, db))
	})
	t.Run("another body is refused", func(t *testing.T) {
		t.Parallel()
		db := storetest.Open(t, "test")
		command(t, db, pay("k", "b"), "r1", nil)
		assert.Equal(t, answer{repeat: true, code: "test.key_reused"}, command(t, db, pay("k", "other"), "r2", nil))
		assert.Equal(t, []string{"r1"}, effects(t, db))
	})
	t.Run("keys of other owners and operations are other keys", func(t *testing.T) {
		t.Parallel()
		db := storetest.Open(t, "test")
		other := pay("k", "other")
		other.Owner = "per_2"
		third := pay("k", "third")
		third.Operation = "test.refund"
		command(t, db, pay("k", "b"), "r1", nil)
		assert.Equal(t, answer{result: "r2"}, command(t, db, other, "r2", nil))
		assert.Equal(t, answer{result: "r3"}, command(t, db, third, "r3", nil))
	})
	t.Run("a refusal is remembered, and nothing else of its Write", func(t *testing.T) {
		t.Parallel()
		db := storetest.Open(t, "test")
		refused := errSoldOut.With("there are no more of %s", "these").WithField("sku", "none left")
		assert.Equal(t, answer{code: "test.sold_out"}, command(t, db, pay("k", "b"), "r1", refused))
		assert.Empty(t, effects(t, db))

		var repeat bool
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			var err error
			_, repeat, err = tx.Once(pay("k", "b"), func() (string, error) { return "r2", nil })
			return err
		})
		assert.True(t, repeat)
		require.ErrorIs(t, err, errSoldOut)
		assert.Equal(t, errs.Conflict, errs.KindOf(err))
		assert.Equal(t, "there are no more of these", errs.As(err).Message)
		assert.Equal(t, map[string]string{"sku": "none left"}, errs.As(err).Fields)
		assert.Equal(t, answer{repeat: true, code: "test.key_reused"}, command(t, db, pay("k", "other"), "r2", nil))
	})
	t.Run("what the Write did around a refusal is undone", func(t *testing.T) {
		t.Parallel()
		db := storetest.Open(t, "test")
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			if err := tx.Publish(happened{"a", "around"}); err != nil {
				return err
			}
			_, _, err := tx.Once(pay("k", "b"), func() (string, error) { return "", errSoldOut })
			return errors.Join(errors.New("pay for it"), err)
		})
		require.ErrorIs(t, err, errSoldOut)
		assert.Empty(t, events(t, db))
		assert.Equal(t, answer{repeat: true, code: "test.sold_out"}, command(t, db, pay("k", "b"), "r1", nil))
	})
	t.Run("a refusal that the Write gets over is remembered with the rest", func(t *testing.T) {
		t.Parallel()
		db := storetest.Open(t, "test")
		require.NoError(t, db.Write(t.Context(), func(tx *store.Tx) error {
			_, _, err := tx.Once(pay("k", "b"), func() (string, error) { return "", errSoldOut })
			if !errors.Is(err, errSoldOut) {
				return errors.New("no refusal")
			}
			return tx.Audit(store.Audit{Action: "went on"})
		}))
		assert.Equal(t, []string{"went on"}, effects(t, db))
		assert.Equal(t, answer{repeat: true, code: "test.sold_out"}, command(t, db, pay("k", "b"), "r1", nil))
	})
	t.Run("a refusal is forgotten when the Write fails of something else", func(t *testing.T) {
		t.Parallel()
		db := storetest.Open(t, "test")
		broken := errors.New("broken")
		require.ErrorIs(t, db.Write(t.Context(), func(tx *store.Tx) error {
			_, _, _ = tx.Once(pay("k", "b"), func() (string, error) { return "", errSoldOut })
			return broken
		}), broken)
		assert.Equal(t, answer{result: "r1"}, command(t, db, pay("k", "b"), "r1", nil))
	})
	for name, err := range map[string]error{
		"unavailable": errs.Refusal(errs.Unavailable, "test.away"),
		"unknown":     errs.Refusal(errs.Unknown, "test.perhaps"),
		"internal":    errors.New("broken"),
		"invalid":     errs.Refusal(errs.Invalid, "test.invalid"),
	} {
		t.Run(name+" is not remembered", func(t *testing.T) {
			t.Parallel()
			db := storetest.Open(t, "test")
			assert.Equal(t, errs.CodeOf(err), command(t, db, pay("k", "b"), "r1", err).code)
			assert.Empty(t, effects(t, db))
			assert.Equal(t, answer{result: "r2"}, command(t, db, pay("k", "b"), "r2", nil))
		})
	}
	t.Run("a key within its own request is in flight", func(t *testing.T) {
		t.Parallel()
		db := storetest.Open(t, "test")
		var inner error
		require.NoError(t, db.Write(t.Context(), func(tx *store.Tx) error {
			_, _, err := tx.Once(pay("k", "b"), func() (string, error) {
				_, _, inner = tx.Once(pay("k", "b"), func() (string, error) { return "inner", nil })
				return "outer", nil
			})
			return err
		}))
		assert.Equal(t, errs.Code("test.key_in_flight"), errs.CodeOf(inner))
		assert.Equal(t, answer{result: "outer", repeat: true}, command(t, db, pay("k", "b"), "r", nil))
	})
	t.Run("a key from many clients at once has one effect", func(t *testing.T) {
		t.Parallel()
		db := storetest.Open(t, "test")
		release, err := db.Hold(t.Context())
		require.NoError(t, err)
		answers := make(chan answer)
		for range 10 {
			go func() { answers <- command(t, db, pay("k", "b"), "r", nil) }()
		}
		release()
		first := 0
		for range 10 {
			a := <-answers
			assert.Equal(t, "r", a.result)
			if !a.repeat {
				first++
			}
		}
		assert.Equal(t, 1, first)
		assert.Equal(t, []string{"r"}, effects(t, db))
	})
	t.Run("a panic leaves no memory", func(t *testing.T) {
		t.Parallel()
		db := storetest.Open(t, "test")
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			defer func() { _ = recover() }() // whoever catches it goes on to commit
			_, _, err := tx.Once(pay("k", "b"), func() (string, error) {
				_ = tx.Audit(store.Audit{Action: "half"})
				panic("oh no")
			})
			return err
		})
		require.NoError(t, err)
		assert.Empty(t, effects(t, db))
		assert.Equal(t, answer{result: "r"}, command(t, db, pay("k", "b"), "r", nil))
	})
	t.Run("a key has a length", func(t *testing.T) {
		t.Parallel()
		db := storetest.Open(t, "test")
		assert.Equal(t, errs.Code("test.key_invalid"), command(t, db, pay("", "b"), "r", nil).code)
		assert.Equal(t, errs.Code("test.key_invalid"), command(t, db, pay(string(make([]byte, 256)), "b"), "r", nil).code)
	})
}

// undo undoes a key and says what it had been.
func undo(t *testing.T, db *store.DB, key string) (result string, done bool) {
	t.Helper()
	require.NoError(t, db.Write(t.Context(), func(tx *store.Tx) error {
		var err error
		result, done, err = tx.Undo("per_1", "test.pay", key)
		return err
	}))
	return result, done
}

func TestUndo(t *testing.T) {
	t.Parallel()
	t.Run("before it was done", func(t *testing.T) {
		t.Parallel()
		db := storetest.Open(t, "test")
		for range 2 {
			result, done := undo(t, db, "k")
			assert.Empty(t, result)
			assert.False(t, done)
		}
		assert.Equal(t, answer{repeat: true, code: "test.key_undone"}, command(t, db, pay("k", "b"), "late", nil))
		assert.Empty(t, effects(t, db))
	})
	t.Run("after it was done, and again", func(t *testing.T) {
		t.Parallel()
		db := storetest.Open(t, "test")
		command(t, db, pay("k", "b"), "r1", nil)
		for range 2 {
			result, done := undo(t, db, "k")
			assert.Equal(t, "r1", result)
			assert.True(t, done)
		}
		assert.Equal(t, answer{repeat: true, code: "test.key_undone"}, command(t, db, pay("k", "b"), "r2", nil))
		assert.Equal(t, answer{repeat: true, code: "test.key_undone"}, command(t, db, pay("k", "other"), "r2", nil))
	})
	t.Run("after it was refused", func(t *testing.T) {
		t.Parallel()
		db := storetest.Open(t, "test")
		command(t, db, pay("k", "b"), "r1", errSoldOut)
		result, done := undo(t, db, "k")
		assert.Empty(t, result)
		assert.False(t, done, "there is nothing to undo")
		assert.Equal(t, answer{repeat: true, code: "test.key_undone"}, command(t, db, pay("k", "b"), "r2", nil))
	})
	t.Run("in a Write that fails it is not undone", func(t *testing.T) {
		t.Parallel()
		db := storetest.Open(t, "test")
		require.Error(t, db.Write(t.Context(), func(tx *store.Tx) error {
			_, _, err := tx.Undo("per_1", "test.pay", "k")
			return errors.Join(err, errors.New("no"))
		}))
		assert.Equal(t, answer{result: "r"}, command(t, db, pay("k", "b"), "r", nil))
	})
}

func TestForgetKeys(t *testing.T) {
	t.Parallel()
	now := clock.NewManual(clock.Of(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
	db := storetest.Open(t, "test", storetest.Clock(now.Now))
	until := func(key string) store.Command {
		c := pay(key, "b")
		c.Until = now.Now().Add(7 * 24 * time.Hour)
		return c
	}
	command(t, db, until("client"), "r1", nil)
	command(t, db, until("undone"), "r2", nil)
	command(t, db, pay("lasting", "b"), "r3", nil)
	undo(t, db, "undone")
	forget := func() (n int64) {
		require.NoError(t, db.Write(context.Background(), func(tx *store.Tx) (err error) {
			n, err = tx.ForgetKeys(100)
			return err
		}))
		return n
	}
	assert.Zero(t, forget())
	now.Advance(7 * 24 * time.Hour)
	assert.Equal(t, answer{result: "r1", repeat: true}, command(t, db, until("client"), "r", nil), "kept until forgotten")
	assert.Equal(t, int64(1), forget())
	assert.Equal(t, answer{result: "r"}, command(t, db, until("client"), "r", nil))
	assert.Equal(t, answer{result: "r3", repeat: true}, command(t, db, pay("lasting", "b"), "r", nil))
	assert.Equal(t, errs.Code("test.key_undone"), command(t, db, pay("undone", "b"), "r", nil).code, "an undone key is kept for ever")
}
