package accountssvc

import (
	"context"

	"souk/internal/accounts"
	"souk/internal/platform/audit"
	"souk/internal/platform/audit/sweep"
	"souk/internal/platform/bus"
	"souk/internal/platform/page"
	"souk/internal/platform/store"
)

// Audit says where accounts stands, and with the pages what is wrong within it. Its facts are
// personal data, so there are none for others to compare.
func (s *Service) Audit(ctx context.Context, r audit.Request) (accounts.AuditReply, error) {
	size := page.Request{Limit: r.Limit}.Size(200, 1000)
	var reply accounts.AuditReply
	err := s.db.Read(ctx, func(q store.Queryer) error {
		reply = accounts.AuditReply{}
		if sweep.First(r.Cursor) {
			var err error
			if reply.Standing, err = bus.Standing(q, s.now()); err != nil {
				return err
			}
		}
		in, err := sweep.Page(q, sections, r, size)
		if err != nil {
			return err
		}
		reply.Next = in.Next
		reply.Problems, err = in.Problems(q)
		return err
	})
	return reply, err
}

// sections are what accounts checks of itself.
var sections = []sweep.Section{
	{
		Name: "people", Keys: `SELECT id FROM people WHERE id > ? ORDER BY id LIMIT ?`,
		Checks: []sweep.Check{{
			Invariant: "accounts.guests_only_buy", Says: "a guest has a role, a session or a token",
			Query: `SELECT p.id AS subjects, '' AS detail FROM people p WHERE p.id > ? AND p.id <= ? AND p.guest = 1 AND (
				EXISTS (SELECT 1 FROM roles r WHERE r.person_id = p.id) OR EXISTS (SELECT 1 FROM sessions s WHERE s.person_id = p.id)
				OR EXISTS (SELECT 1 FROM tokens t WHERE t.person_id = p.id)) LIMIT 20`,
		}},
	},
	{
		Name: "addresses", Keys: `SELECT person_id FROM addresses WHERE person_id > ? ORDER BY person_id LIMIT ?`,
		Checks: []sweep.Check{
			{
				Invariant: "accounts.one_default_address", Says: "an address book has no default or more than one",
				Query: `SELECT person_id AS subjects, '' AS detail FROM addresses WHERE person_id > ? AND person_id <= ? AND removed_at = 0
				GROUP BY person_id HAVING sum(is_default) <> 1 LIMIT 20`,
			},
			{
				Invariant: "accounts.address_book_within_limit", Says: "an address book has more entries than it may",
				Query: `SELECT person_id AS subjects, '' AS detail FROM addresses WHERE person_id > ? AND person_id <= ? AND removed_at = 0
				GROUP BY person_id HAVING count(*) > 50 LIMIT 20`,
			},
		},
	},
	{
		Name: "sessions", Keys: `SELECT id FROM sessions WHERE id > ? ORDER BY id LIMIT ?`,
		Checks: []sweep.Check{{
			Invariant: "accounts.secrets_differ", Says: "the secret of a session is also the previous one of a session",
			Query: `SELECT s.id AS subjects, '' AS detail FROM sessions s WHERE s.id > ? AND s.id <= ?
			AND EXISTS (SELECT 1 FROM sessions o WHERE o.previous = s.hash) LIMIT 20`,
		}},
	},
	{
		Name: "owners", Keys: `SELECT seller_id FROM appointed WHERE seller_id > ? ORDER BY seller_id LIMIT ?`,
		Checks: []sweep.Check{{
			Invariant: "accounts.owners_once", Says: "the owner appointed for a seller is nobody",
			Query: `SELECT a.seller_id AS subjects, '' AS detail FROM appointed a WHERE a.seller_id > ? AND a.seller_id <= ?
			AND NOT EXISTS (SELECT 1 FROM people p WHERE p.id = a.person_id) LIMIT 20`,
		}},
	},
}
