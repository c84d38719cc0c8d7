package accountssvc

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"souk/internal/accounts"
	"souk/internal/platform/clock"
	"souk/internal/platform/store"
)

// sessionRow is a session, with its person where that was asked for.
type sessionRow struct {
	personRow
	ID        accounts.SessionID `db:"id"`
	Person    accounts.PersonID  `db:"session_person"`
	CreatedAt clock.Time         `db:"created_at"`
	UsedAt    clock.Time         `db:"used_at"`
	RotateAt  clock.Time         `db:"rotate_at"`
	EndsAt    clock.Time         `db:"ends_at"`
	Agent     string             `db:"agent"`
	Previous  bool               `db:"by_previous"` // found by the secret that was replaced
}

const sessionColumns = `s.id, s.person_id AS session_person, s.created_at, s.used_at, s.rotate_at, s.ends_at, s.agent`

func (r sessionRow) session() accounts.Session {
	return accounts.Session{
		ID: r.ID, Person: r.Person, CreatedAt: r.CreatedAt, UsedAt: r.UsedAt, ExpiresAt: expiresAt(r.UsedAt, r.EndsAt),
		RotateAt: r.RotateAt, Agent: r.Agent,
	}
}

var errEnded = accounts.ErrSession.With("the session or token has ended; sign in again")

// selectLive is the session that a secret with this hash is good for.
func selectLive(q store.Queryer, hash string, now clock.Time) (sessionRow, error) {
	var row sessionRow
	err := q.Get(&row, `
		SELECT `+sessionColumns+`, s.hash <> ? AS by_previous, `+personColumns+`
		FROM sessions s JOIN people p ON p.id = s.person_id
		WHERE (s.hash = ? OR s.previous = ? AND s.previous_until > ?) AND s.used_at > ? AND s.ends_at > ?`,
		hash, hash, hash, now, now.Add(-sessionIdle), now)
	if errors.Is(err, sql.ErrNoRows) {
		return row, errEnded
	}
	if err != nil {
		return row, fmt.Errorf("look up a session: %w", err)
	}
	return row, nil
}

func selectSession(q store.Queryer, session accounts.SessionID) (sessionRow, error) {
	var row sessionRow
	err := q.Get(&row, `SELECT `+sessionColumns+`, 0 AS by_previous, `+personColumns+`
		FROM sessions s JOIN people p ON p.id = s.person_id WHERE s.id = ?`, session)
	if errors.Is(err, sql.ErrNoRows) {
		return row, errEnded
	}
	if err != nil {
		return row, fmt.Errorf("select session %s: %w", session, err)
	}
	return row, nil
}

func selectSessions(q store.Queryer, person accounts.PersonID, now clock.Time) ([]sessionRow, error) {
	var rows []sessionRow
	err := q.Select(&rows, `SELECT `+sessionColumns+` FROM sessions s
		WHERE s.person_id = ? AND s.used_at > ? AND s.ends_at > ? ORDER BY s.used_at DESC, s.id DESC LIMIT 200`,
		person, now.Add(-sessionIdle), now)
	if err != nil {
		return nil, fmt.Errorf("select sessions of %s: %w", person, err)
	}
	return rows, nil
}

// hashFree refuses a secret that a session has or had: both would be signed in by it.
func hashFree(q store.Queryer, field, hash string) error {
	var n int64
	if err := q.Get(&n, `SELECT count(*) FROM sessions WHERE hash = ? OR previous = ?`, hash, hash); err != nil {
		return fmt.Errorf("look for a session with this hash: %w", err)
	}
	if n > 0 {
		return accounts.ErrInvalid.WithField(field, "is in use already: make another secret")
	}
	return nil
}

func insertSession(tx *store.Tx, r sessionRow, hash string) error {
	_, err := tx.Exec(`
		INSERT INTO sessions (id, person_id, hash, created_at, used_at, rotate_at, ends_at, agent) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		r.ID, r.Person, hash, r.CreatedAt, r.UsedAt, r.RotateAt, r.EndsAt, r.Agent)
	if err != nil {
		return fmt.Errorf("insert a session: %w", err)
	}
	return nil
}

func rotateSession(tx *store.Tx, session accounts.SessionID, was, is string, now clock.Time) error {
	_, err := tx.Exec(`UPDATE sessions SET hash = ?, previous = ?, previous_until = ?, used_at = ?, rotate_at = ? WHERE id = ?`,
		is, was, now.Add(sessionOverlap), now, now.Add(sessionRotation), session)
	if err != nil {
		return fmt.Errorf("rotate session %s: %w", session, err)
	}
	return nil
}

func touchSession(tx *store.Tx, session accounts.SessionID, now clock.Time) error {
	_, err := tx.Exec(`UPDATE sessions SET used_at = ? WHERE id = ? AND used_at <= ?`, now, session, now.Add(-useRecorded))
	if err != nil {
		return fmt.Errorf("note the use of session %s: %w", session, err)
	}
	return nil
}

// deleteSessions ends what r names of the person's live sessions.
func deleteSessions(tx *store.Tx, person accounts.PersonID, r accounts.EndSessionsRequest, now clock.Time) (int64, error) {
	which, args := `id = ?`, []any{r.ID}
	switch {
	case r.Hash != "":
		which, args = `(hash = ? OR previous = ?)`, []any{r.Hash, r.Hash}
	case r.Except != "":
		which, args = `hash <> ? AND coalesce(previous, '') <> ?`, []any{r.Except, r.Except}
	}
	args = append([]any{person, now.Add(-sessionIdle), now}, args...)
	n, err := tx.Exec(`DELETE FROM sessions WHERE person_id = ? AND used_at > ? AND ends_at > ? AND `+which, args...)
	if err != nil {
		return 0, fmt.Errorf("end sessions of %s: %w", person, err)
	}
	return n, nil
}

// endOtherSessions ends all sessions but the one with the hash keep; "" keeps none.
func endOtherSessions(tx *store.Tx, person accounts.PersonID, keep string) error {
	_, err := tx.Exec(`DELETE FROM sessions WHERE person_id = ? AND (? = '' OR hash <> ? AND coalesce(previous, '') <> ?)`,
		person, keep, keep, keep)
	if err != nil {
		return fmt.Errorf("end the other sessions of %s: %w", person, err)
	}
	return nil
}

type tokenRow struct {
	ID        accounts.TokenID `db:"id"`
	Name      string           `db:"name"`
	Hint      string           `db:"hint"`
	Scopes    string           `db:"scopes"`
	CreatedAt clock.Time       `db:"created_at"`
	ExpiresAt clock.Time       `db:"expires_at"`
	UsedAt    clock.Time       `db:"used_at"`
	RevokedAt clock.Time       `db:"revoked_at"`
}

const tokenColumns = `id, name, hint, scopes, created_at, expires_at, used_at, revoked_at`

func (r tokenRow) token() accounts.Token {
	return accounts.Token{
		ID: r.ID, Name: r.Name, Hint: r.Hint, Scopes: scopesOf(r.Scopes), CreatedAt: r.CreatedAt, ExpiresAt: r.ExpiresAt,
		UsedAt: r.UsedAt, RevokedAt: r.RevokedAt,
	}
}

func selectToken(q store.Queryer, person accounts.PersonID, token accounts.TokenID) (tokenRow, error) {
	var row tokenRow
	err := q.Get(&row, `SELECT `+tokenColumns+` FROM tokens WHERE person_id = ? AND id = ?`, person, token)
	if errors.Is(err, sql.ErrNoRows) {
		return row, accounts.ErrNotFound.With("there is no token %s", token)
	}
	if err != nil {
		return row, fmt.Errorf("select token %s: %w", token, err)
	}
	return row, nil
}

// selectTokens leaves out what ended before since.
func selectTokens(q store.Queryer, person accounts.PersonID, since clock.Time) ([]tokenRow, error) {
	var rows []tokenRow
	if err := q.Select(&rows, `SELECT `+tokenColumns+` FROM tokens WHERE person_id = ? ORDER BY created_at DESC, id DESC`, person); err != nil {
		return nil, fmt.Errorf("select tokens of %s: %w", person, err)
	}
	return slices.DeleteFunc(rows, func(r tokenRow) bool {
		ended := tokenEnded(r.ExpiresAt, r.RevokedAt)
		return !ended.IsZero() && !ended.After(since)
	}), nil
}

func countTokens(q store.Queryer, person accounts.PersonID, now clock.Time) (int64, error) {
	var n int64
	err := q.Get(&n, `SELECT count(*) FROM tokens WHERE person_id = ? AND revoked_at = 0 AND (expires_at = 0 OR expires_at > ?)`, person, now)
	if err != nil {
		return 0, fmt.Errorf("count tokens of %s: %w", person, err)
	}
	return n, nil
}

func insertToken(tx *store.Tx, person accounts.PersonID, r tokenRow, hash string) error {
	var n int64
	if err := tx.Get(&n, `SELECT count(*) FROM tokens WHERE hash = ?`, hash); err != nil {
		return fmt.Errorf("look for a token with this hash: %w", err)
	}
	if n > 0 {
		return accounts.ErrInvalid.WithField("hash", "is in use already: make another secret")
	}
	_, err := tx.Exec(`INSERT INTO tokens (id, person_id, name, hash, hint, scopes, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		r.ID, person, r.Name, hash, r.Hint, r.Scopes, r.CreatedAt, r.ExpiresAt)
	if err != nil {
		return fmt.Errorf("insert a token: %w", err)
	}
	return nil
}

func revokeToken(tx *store.Tx, person accounts.PersonID, token accounts.TokenID, now clock.Time) error {
	_, err := tx.Exec(`UPDATE tokens SET revoked_at = ? WHERE person_id = ? AND id = ? AND revoked_at = 0`, now, person, token)
	if err != nil {
		return fmt.Errorf("revoke token %s: %w", token, err)
	}
	_, err = selectToken(tx, person, token)
	return err
}

func touchToken(tx *store.Tx, token accounts.TokenID, now clock.Time) error {
	_, err := tx.Exec(`UPDATE tokens SET used_at = ? WHERE id = ? AND used_at <= ?`, now, token, now.Add(-useRecorded))
	if err != nil {
		return fmt.Errorf("note the use of token %s: %w", token, err)
	}
	return nil
}

// heldToken is a token with whose it is.
type heldToken struct {
	personRow
	Token  accounts.TokenID `db:"id"`
	Scopes string           `db:"scopes"`
	UsedAt clock.Time       `db:"used_at"`
}

// selectHeldToken is the token whose secret has this hash, if it is still good.
func selectHeldToken(q store.Queryer, hash string, now clock.Time) (heldToken, error) {
	var row heldToken
	err := q.Get(&row, `
		SELECT t.id, t.scopes, t.used_at, `+personColumns+`
		FROM tokens t JOIN people p ON p.id = t.person_id
		WHERE t.hash = ? AND t.revoked_at = 0 AND (t.expires_at = 0 OR t.expires_at > ?)`, hash, now)
	if errors.Is(err, sql.ErrNoRows) {
		return row, errEnded
	}
	if err != nil {
		return row, fmt.Errorf("look up a token: %w", err)
	}
	return row, nil
}

type addressRow struct {
	ID         accounts.AddressID `db:"id"`
	Label      string             `db:"label"`
	Name       string             `db:"name"`
	Line1      string             `db:"line1"`
	Line2      string             `db:"line2"`
	PostalCode string             `db:"postal_code"`
	City       string             `db:"city"`
	Region     string             `db:"region"`
	Country    string             `db:"country"`
	Phone      string             `db:"phone"`
	Default    bool               `db:"is_default"`
	Place      int64              `db:"place"`
	RemovedAt  clock.Time         `db:"removed_at"`
}

func (r addressRow) entry() entry {
	return entry{place: r.Place, removed: !r.RemovedAt.IsZero(), Address: accounts.Address{
		ID: r.ID, Label: r.Label, Default: r.Default, Postal: accounts.Postal{
			Name: r.Name, Line1: r.Line1, Line2: r.Line2, PostalCode: r.PostalCode, City: r.City, Region: r.Region,
			Country: r.Country, Phone: r.Phone,
		},
	}}
}

// selectBook is a person's address book with what was removed of late.
func selectBook(q store.Queryer, person accounts.PersonID) (book, error) {
	var rows []addressRow
	err := q.Select(&rows, `
		SELECT id, label, name, line1, line2, postal_code, city, region, country, phone, is_default, place, removed_at
		FROM addresses WHERE person_id = ? ORDER BY place, id`, person)
	if err != nil {
		return nil, fmt.Errorf("select the address book of %s: %w", person, err)
	}
	out := make(book, len(rows))
	for i, row := range rows {
		out[i] = row.entry()
	}
	return out, nil
}

// updateBook writes the entries that differ.
func updateBook(tx *store.Tx, person accounts.PersonID, before, after book, now clock.Time) error {
	for i, e := range after {
		if i < len(before) && before[i] == e {
			continue
		}
		removedAt := clock.Time(0)
		if e.removed {
			removedAt = now
		}
		p := e.Postal
		_, err := tx.Exec(`
			INSERT INTO addresses (person_id, id, label, name, line1, line2, postal_code, city, region, country, phone, is_default, place, removed_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (person_id, id) DO UPDATE SET label = excluded.label, name = excluded.name, line1 = excluded.line1,
				line2 = excluded.line2, postal_code = excluded.postal_code, city = excluded.city, region = excluded.region,
				country = excluded.country, phone = excluded.phone, is_default = excluded.is_default, removed_at = excluded.removed_at`,
			person, e.ID, e.Label, p.Name, p.Line1, p.Line2, p.PostalCode, p.City, p.Region, p.Country, p.Phone, e.Default, e.place, removedAt)
		if err != nil {
			return fmt.Errorf("write address %s: %w", e.ID, err)
		}
	}
	return nil
}
