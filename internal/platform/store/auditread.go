package store

import (
	"fmt"

	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
)

// AuditRow is an act as it was left in the audit log.
type AuditRow struct {
	ID         int64      `db:"id"`
	At         clock.Time `db:"at"`
	Kind       actor.Kind `db:"kind"`
	Person     id.Ref     `db:"person"`
	Seller     id.Ref     `db:"seller"`
	OnBehalfOf id.Ref     `db:"on_behalf_of"`
	Action     string     `db:"action"`
	Subject    string     `db:"subject"`
	Before     string     `db:"before"`
	After      string     `db:"after"`
	Why        string     `db:"why"`
	Request    string     `db:"request"`
}

// AuditRows is a page of the audit log, newest first: of one subject, or with "" of all, and
// only what is older than the row with the id before (0 for the first page).
func AuditRows(q Queryer, subject string, before int64, limit int) ([]AuditRow, error) {
	query, args := `
		SELECT id, at, kind, person, seller, on_behalf_of, action, subject, before, after, why, request FROM audit_log WHERE 1 = 1`, []any{}
	if subject != "" {
		query, args = query+` AND subject = ?`, append(args, subject)
	}
	if before > 0 {
		query, args = query+` AND id < ?`, append(args, before)
	}
	var rows []AuditRow
	if err := q.Select(&rows, query+` ORDER BY id DESC LIMIT ?`, append(args, limit)...); err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	return rows, nil
}
