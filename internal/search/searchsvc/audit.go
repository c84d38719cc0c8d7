package searchsvc

import (
	"context"
	"fmt"

	"souk/internal/platform/audit"
	"souk/internal/platform/audit/sweep"
	"souk/internal/platform/bus"
	"souk/internal/platform/page"
	"souk/internal/platform/store"
	"souk/internal/search"
)

// Audit counts what is in the index, and says with the pages what search finds wrong within
// itself. A set that takes over between two pages is gone on with.
func (s *Service) Audit(ctx context.Context, r audit.Request) (_ search.AuditReply, err error) {
	defer s.done("audit", &err)
	size := page.Request{Limit: r.Limit}.Size(500, 2000)
	var reply search.AuditReply
	err = s.db.Read(ctx, func(q store.Queryer) error {
		reply = search.AuditReply{}
		g, err := selectGenerations(q)
		if err != nil {
			return err
		}
		active := s.sets[g.Active]
		in, err := sweep.Page(q, active.sections(), r, size)
		if err != nil {
			return err
		}
		reply.Next = in.Next
		if err := q.Get(&reply.Listings, active.countIn, in.After, in.Upto); err != nil {
			return fmt.Errorf("count listings: %w", err)
		}
		if reply.Problems, err = in.Problems(q); err != nil {
			return err
		}
		if sweep.First(r.Cursor) {
			reply.Standing, err = bus.Standing(q, s.now())
		}
		return err
	})
	return reply, err
}

// sections are what must be true of a set.
func (s *set) sections() []sweep.Section {
	return []sweep.Section{{
		Name: "listings", Keys: s.keys,
		Checks: []sweep.Check{
			{Invariant: "search.words", Says: "the listing is shown and has no words in the index", Query: s.wordless},
			{Invariant: "search.no_words", Says: "the listing is not shown and has words in the index", Query: s.wordy},
			{Invariant: "search.seller", Says: "the listing is of a seller that was never heard of", Query: s.strangers},
		},
	}}
}
