package searchsvc

import (
	"context"
	"fmt"

	"souk/internal/platform/audit"
	"souk/internal/platform/bus"
	"souk/internal/platform/store"
	"souk/internal/search"
)

// Audit says what search finds wrong within itself, and where it stands. There is one page.
func (s *Service) Audit(ctx context.Context, r audit.Request) (_ search.AuditReply, err error) {
	defer s.done("audit", &err)
	var reply search.AuditReply
	err = s.db.Read(ctx, func(q store.Queryer) error {
		reply = search.AuditReply{}
		g, err := selectGenerations(q)
		if err != nil {
			return err
		}
		active := s.sets[g.Active]
		if err := q.Get(&reply.Listings, active.count); err != nil {
			return fmt.Errorf("count listings: %w", err)
		}
		if r.Cursor != "" {
			return nil
		}
		if reply.Problems, err = active.problems(q); err != nil {
			return err
		}
		reply.Standing, err = bus.Standing(q, s.now())
		return err
	})
	return reply, err
}

// problems are what must not be: each query finds listings.
func (s *set) problems(q store.Queryer) ([]audit.Problem, error) {
	var problems []audit.Problem
	for _, check := range []struct{ invariant, says, query string }{
		{"search.words", "is shown and has no words in the index", s.wordless},
		{"search.no_words", "is not shown and has words in the index", s.wordy},
		{"search.seller", "is of a seller that was never heard of", s.strangers},
	} {
		var ids []string
		if err := q.Select(&ids, check.query); err != nil {
			return nil, fmt.Errorf("check %s: %w", check.invariant, err)
		}
		for _, broken := range ids {
			problems = append(problems, audit.Problem{Invariant: check.invariant, Subjects: []string{broken}, Detail: "the listing " + check.says})
		}
	}
	return problems, nil
}
