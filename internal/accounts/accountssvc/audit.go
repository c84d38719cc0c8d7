package accountssvc

import (
	"context"
	"fmt"

	"souk/internal/accounts"
	"souk/internal/platform/audit"
	"souk/internal/platform/bus"
	"souk/internal/platform/store"
)

// Audit says where accounts stands and what is wrong within it. Its facts are personal data, so
// there are none for others to compare.
func (s *Service) Audit(ctx context.Context, r audit.Request) (accounts.AuditReply, error) {
	var reply accounts.AuditReply
	if r.Cursor != "" {
		return reply, nil
	}
	err := s.db.Read(ctx, func(q store.Queryer) error {
		var err error
		if reply.Standing, err = bus.Standing(q, s.now()); err != nil {
			return err
		}
		reply.Problems, err = selfCheck(q)
		return err
	})
	return reply, err
}

// selfChecks are the invariants within accounts: each query finds what breaks it.
var selfChecks = []struct{ name, query, says string }{
	{
		"accounts.guests_only_buy",
		`SELECT p.id FROM people p WHERE p.guest = 1 AND (
			EXISTS (SELECT 1 FROM roles r WHERE r.person_id = p.id) OR EXISTS (SELECT 1 FROM sessions s WHERE s.person_id = p.id)
			OR EXISTS (SELECT 1 FROM tokens t WHERE t.person_id = p.id)) LIMIT 20`,
		"a guest has a role, a session or a token",
	},
	{
		"accounts.one_default_address",
		`SELECT person_id FROM addresses WHERE removed_at = 0 GROUP BY person_id HAVING sum(is_default) <> 1 LIMIT 20`,
		"an address book has no default or more than one",
	},
	{
		"accounts.address_book_within_limit",
		`SELECT person_id FROM addresses WHERE removed_at = 0 GROUP BY person_id HAVING count(*) > 50 LIMIT 20`,
		"an address book has more entries than it may",
	},
	{
		"accounts.secrets_differ",
		`SELECT s.id FROM sessions s JOIN sessions o ON o.previous = s.hash LIMIT 20`,
		"the secret of a session is also the previous one of a session",
	},
	{
		"accounts.owners_once",
		`SELECT a.seller_id FROM appointed a WHERE NOT EXISTS (SELECT 1 FROM people p WHERE p.id = a.person_id) LIMIT 20`,
		"the owner appointed for a seller is nobody",
	},
}

func selfCheck(q store.Queryer) ([]audit.Problem, error) {
	var problems []audit.Problem
	for _, check := range selfChecks {
		var ids []string
		if err := q.Select(&ids, check.query); err != nil {
			return nil, fmt.Errorf("check %s: %w", check.name, err)
		}
		for _, broken := range ids {
			problems = append(problems, audit.Problem{Invariant: check.name, Subjects: []string{broken}, Detail: check.says})
		}
	}
	return problems, nil
}
