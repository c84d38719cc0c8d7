package accountssvc

import (
	"database/sql"
	"errors"
	"fmt"

	"souk/internal/accounts"
	"souk/internal/catalog"
	"souk/internal/platform/clock"
	"souk/internal/platform/store"
)

// personRow is a person with its roles in one column: the operator's first, then those of
// sellers in the order given.
type personRow struct {
	ID        accounts.PersonID `db:"person_id"`
	Email     string            `db:"email"`
	Name      string            `db:"name"`
	Guest     bool              `db:"guest"`
	CreatedAt clock.Time        `db:"person_created_at"`
	Version   int64             `db:"version"`
	Roles     string            `db:"roles"`
}

const personColumns = `p.id AS person_id, p.email, p.name, p.guest, p.created_at AS person_created_at, p.version,
	coalesce((SELECT string_agg(r.kind || ':' || r.seller_id, ',' ORDER BY r.seller_id <> '', r.granted_at, r.seller_id)
		FROM roles r WHERE r.person_id = p.id), '') AS roles`

func (r personRow) person() accounts.Person {
	return accounts.Person{
		ID: r.ID, Email: r.Email, Name: r.Name, Guest: r.Guest, Roles: parseRoles(r.Roles), CreatedAt: r.CreatedAt, Version: r.Version,
	}
}

func selectPerson(q store.Queryer, person accounts.PersonID) (personRow, error) {
	var row personRow
	err := q.Get(&row, `SELECT `+personColumns+` FROM people p WHERE p.id = ?`, person)
	if errors.Is(err, sql.ErrNoRows) {
		return row, accounts.ErrNotFound.With("there is no such person")
	}
	if err != nil {
		return row, fmt.Errorf("select a person: %w", err)
	}
	return row, nil
}

func selectPeople(q store.Queryer, ids []accounts.PersonID) ([]personRow, error) {
	query, args, err := store.In(`SELECT `+personColumns+` FROM people p WHERE p.id IN (?) ORDER BY p.email_key, p.id`, ids)
	if err != nil {
		return nil, err
	}
	var rows []personRow
	if err := q.Select(&rows, query, args...); err != nil {
		return nil, fmt.Errorf("select %d people: %w", len(ids), err)
	}
	return rows, nil
}

// findPeople are those whose address begins so, after the last of the page before.
func findPeople(q store.Queryer, begins string, after found, limit int) ([]personRow, error) {
	var rows []personRow
	err := q.Select(&rows, `
		SELECT `+personColumns+` FROM people p
		WHERE p.email_key >= ? AND p.email_key < ? AND (p.email_key, p.id) > (?, ?)
		ORDER BY p.email_key, p.id LIMIT ?`, begins, begins+"\U0010FFFF", after.Email, after.ID, limit)
	if err != nil {
		return nil, fmt.Errorf("find people: %w", err)
	}
	return rows, nil
}

func insertPerson(tx *store.Tx, p personRow, password string) error {
	_, err := tx.Exec(`INSERT INTO people (id, email, email_key, name, guest, password, created_at, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		p.ID, p.Email, accounts.EmailKey(p.Email), p.Name, p.Guest, password, p.CreatedAt, p.Version)
	if err != nil {
		return fmt.Errorf("insert a person: %w", err)
	}
	return nil
}

func renamePerson(tx *store.Tx, person accounts.PersonID, name string, version int64) error {
	n, err := tx.Exec(`UPDATE people SET name = ?, version = version + 1 WHERE id = ? AND version = ?`, name, person, version)
	if err != nil {
		return fmt.Errorf("rename a person: %w", err)
	}
	if n == 0 {
		if _, err := selectPerson(tx, person); err != nil {
			return err
		}
		return accounts.ErrVersion.With("this was changed in the meantime; look again")
	}
	return nil
}

func bumpPerson(tx *store.Tx, person accounts.PersonID) error {
	if _, err := tx.Exec(`UPDATE people SET version = version + 1 WHERE id = ?`, person); err != nil {
		return fmt.Errorf("make a new version of a person: %w", err)
	}
	return nil
}

func selectGuest(q store.Queryer, email string) (accounts.PersonID, error) {
	var guest accounts.PersonID
	err := q.Get(&guest, `SELECT id FROM people WHERE email_key = ? AND guest = 1`, accounts.EmailKey(email))
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("select a guest: %w", err)
	}
	return guest, nil
}

// credentials are how a person signs in.
type credentials struct {
	Person   accounts.PersonID `db:"id"`
	Email    string            `db:"email"`
	Password string            `db:"password"`
}

// selectCredentials are those of who has the address; none are empty.
func selectCredentials(q store.Queryer, email string) (credentials, error) {
	var row credentials
	err := q.Get(&row, `SELECT id, email, password FROM people WHERE email_key = ? AND guest = 0`, accounts.EmailKey(email))
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return row, fmt.Errorf("select credentials: %w", err)
	}
	return row, nil
}

func selectCredentialsOf(q store.Queryer, person accounts.PersonID) (credentials, error) {
	var row credentials
	err := q.Get(&row, `SELECT id, email, password FROM people WHERE id = ? AND guest = 0`, person)
	if errors.Is(err, sql.ErrNoRows) {
		return row, accounts.ErrNotFound.With("there is no such person with a password")
	}
	if err != nil {
		return row, fmt.Errorf("select credentials: %w", err)
	}
	return row, nil
}

func updatePassword(tx *store.Tx, person accounts.PersonID, old, password string) (bool, error) {
	n, err := tx.Exec(`UPDATE people SET password = ? WHERE id = ? AND password = ?`, password, person, old)
	if err != nil {
		return false, fmt.Errorf("set a password: %w", err)
	}
	return n == 1, nil
}

func hasRole(q store.Queryer, person accounts.PersonID, role accounts.Role) (bool, error) {
	var n int64
	err := q.Get(&n, `SELECT count(*) FROM roles WHERE person_id = ? AND seller_id = ? AND kind = ?`, person, role.Seller, role.Kind)
	if err != nil {
		return false, fmt.Errorf("look for a role: %w", err)
	}
	return n > 0, nil
}

func putRole(tx *store.Tx, person accounts.PersonID, role accounts.Role, now clock.Time) error {
	_, err := tx.Exec(`INSERT INTO roles (person_id, seller_id, kind, granted_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (person_id, seller_id) DO UPDATE SET kind = excluded.kind`, person, role.Seller, role.Kind, now)
	if err != nil {
		return fmt.Errorf("put a role: %w", err)
	}
	return nil
}

func deleteRole(tx *store.Tx, person accounts.PersonID, role accounts.Role) error {
	_, err := tx.Exec(`DELETE FROM roles WHERE person_id = ? AND seller_id = ? AND kind = ?`, person, role.Seller, role.Kind)
	if err != nil {
		return fmt.Errorf("delete a role: %w", err)
	}
	return nil
}

func countOperators(q store.Queryer) (int64, error) {
	var n int64
	if err := q.Get(&n, `SELECT count(*) FROM roles WHERE seller_id = ''`); err != nil {
		return 0, fmt.Errorf("count operators: %w", err)
	}
	return n, nil
}

func selectStaff(q store.Queryer, seller catalog.SellerID) ([]personRow, error) {
	var rows []personRow
	err := q.Select(&rows, `
		SELECT `+personColumns+` FROM people p JOIN roles own ON own.person_id = p.id
		WHERE own.seller_id = ? ORDER BY p.email_key, p.id`, seller)
	if err != nil {
		return nil, fmt.Errorf("select the staff of %s: %w", seller, err)
	}
	return rows, nil
}

// insertAppointed notes that the seller has got its first owner, and says whether that is new.
func insertAppointed(tx *store.Tx, seller catalog.SellerID, person accounts.PersonID, now clock.Time) (bool, error) {
	n, err := tx.Exec(`INSERT INTO appointed (seller_id, person_id, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, seller, person, now)
	if err != nil {
		return false, fmt.Errorf("note the owner of %s: %w", seller, err)
	}
	return n == 1, nil
}
