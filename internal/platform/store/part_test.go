package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/store"
	"souk/internal/platform/store/storetest"
)

// parts does this and that in a part, by chance, and in parts of that part, and says what of it stands.
func parts(tx *store.Tx, by *rand.Rand, deep int, name string) (stands []string, err error) {
	failed := errors.New("failed")
	for i := range by.IntN(5) {
		here := name + "." + strconv.Itoa(i)
		switch what := by.IntN(6); {
		case what < 2:
			if err := tx.Audit(store.Audit{Action: here}); err != nil {
				return nil, err
			}
			stands = append(stands, here)
		case what < 3:
			var n int64
			if err := tx.Get(&n, `SELECT count(*) FROM audit_log`); err != nil {
				return nil, err
			}
		case deep > 0:
			var inner []string
			fails, broken := by.IntN(2) == 0, by.IntN(3) == 0
			err := tx.Savepoint(func() (err error) {
				if inner, err = parts(tx, by, deep-1, here); err != nil || !fails {
					return err
				}
				if broken { // as a statement that the server refuses leaves it
					_, _ = tx.Exec(`INSERT INTO event_log_state (one, epoch, head, trimmed) VALUES (2, '', 0, 0)`)
				}
				return failed
			})
			if !fails && err != nil || fails && !errors.Is(err, failed) {
				return nil, errors.Join(errors.New("a part did not end as it should"), err)
			}
			if !fails {
				stands = append(stands, inner...)
			}
		}
	}
	return stands, nil
}

// Parts within parts, begun before and after anything was done, that fail or not, leave what they should.
func TestPartsWithinParts(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, "test")
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var want []string
	for round := range uint64(10) {
		var stands []string
		require.NoError(t, db.Write(t.Context(), func(tx *store.Tx) error {
			stands = nil
			by := rand.New(rand.NewPCG(seed, round))
			for part := range 1 + 20*(round%5) { // few, or more than PostgreSQL keeps savepoints for
				more, err := parts(tx, by, 4, fmt.Sprintf("%d.%d", round, part))
				if err != nil {
					return err
				}
				stands = append(stands, more...)
			}
			return nil
		}))
		want = append(want, stands...)
	}
	assert.Equal(t, want, effects(t, db))
}
