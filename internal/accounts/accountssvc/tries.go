package accountssvc

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"souk/internal/accounts"
	"souk/internal/platform/clock"
	"souk/internal/platform/store"
)

// How often someone may guess: so many tries without a wait, then waits that double from a
// second to a quarter of an hour. A day without a try forgets all.
const (
	freeTriesAccount = 5
	freeTriesAddress = 20 // a household, a school
	longestWait      = 15 * time.Minute
	triesForgotten   = 24 * time.Hour
)

// subject is what tries are counted by. The database gets its hash: addresses that somebody
// has tried need not be anybody's.
type subject struct {
	hash string
	free int
}

func accountSubject(emailKey string) subject {
	return subject{hash: subjectHash("account", emailKey), free: freeTriesAccount}
}

func addressSubject(address string) subject {
	return subject{hash: subjectHash("address", address), free: freeTriesAddress}
}

func subjectHash(kind, what string) string {
	sum := sha256.Sum256([]byte(kind + "\n" + what))
	return hex.EncodeToString(sum[:])
}

// waitAfter is how long the next try has to wait after so many failed ones.
func waitAfter(failed, free int) time.Duration {
	if failed < free {
		return 0
	}
	return min(time.Second<<min(failed-free, 20), longestWait)
}

type triesRow struct {
	Failed int        `db:"failed"`
	LastAt clock.Time `db:"last_at"`
	Until  clock.Time `db:"until"`
}

// counted is r after one more try at now, or the wait that it has to bear.
func (r triesRow) counted(s subject, now clock.Time) (triesRow, time.Duration) {
	if wait := r.Until.Sub(now); r.Failed > 0 && wait > 0 {
		return r, wait
	}
	if now.Sub(r.LastAt) >= triesForgotten {
		r.Failed = 0
	}
	r.Failed++
	r.LastAt, r.Until = now, now.Add(waitAfter(r.Failed, s.free))
	return r, 0
}

// tooManyTries says when to come again, in whole seconds.
func tooManyTries(wait time.Duration) error {
	seconds := int64((wait + time.Second - 1) / time.Second)
	return accounts.ErrTooManyTries.With("too many tries; the next is possible in %d seconds", seconds).
		WithField("retry_after", strconv.FormatInt(seconds, 10))
}

// begin counts a try of each subject before its outcome is known, so that many at the same
// time are not all let through; or refuses, and counts none.
func begin(tx *store.Tx, now clock.Time, subjects []subject) error {
	rows := make([]triesRow, len(subjects))
	var longest time.Duration
	for i, s := range subjects {
		err := tx.Get(&rows[i], `SELECT failed, last_at, until FROM tries WHERE subject = ?`, s.hash)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("read tries: %w", err)
		}
		var wait time.Duration
		rows[i], wait = rows[i].counted(s, now)
		longest = max(longest, wait)
	}
	if longest > 0 {
		return tooManyTries(longest)
	}
	for i, s := range subjects {
		if _, err := tx.Exec(`
			INSERT INTO tries (subject, failed, last_at, until) VALUES (?, ?, ?, ?)
			ON CONFLICT (subject) DO UPDATE SET failed = excluded.failed, last_at = excluded.last_at, until = excluded.until`,
			s.hash, rows[i].Failed, rows[i].LastAt, rows[i].Until); err != nil {
			return fmt.Errorf("count a try: %w", err)
		}
	}
	return nil
}

// succeeded forgets the tries of the account, and takes back the one counted for the address:
// who has an account of its own must not thereby be free to guess at others'.
func succeeded(tx *store.Tx, subjects []subject) error {
	for _, s := range subjects {
		query := `DELETE FROM tries WHERE subject = ?`
		if s.free == freeTriesAddress {
			query = `UPDATE tries SET failed = max(failed - 1, 0), until = last_at WHERE subject = ?`
		}
		if _, err := tx.Exec(query, s.hash); err != nil {
			return fmt.Errorf("settle a try: %w", err)
		}
	}
	return nil
}
