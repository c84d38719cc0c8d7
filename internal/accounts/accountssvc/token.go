package accountssvc

import (
	"context"
	"slices"
	"strings"
	"time"

	"souk/internal/accounts"
	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/store"
)

// endedShown is how long ended tokens and removed addresses are kept.
const endedShown = 30 * 24 * time.Hour

// CreateToken makes an API token. It can do no more than its maker.
func (s *Service) CreateToken(ctx context.Context, r accounts.CreateTokenRequest) (_ accounts.TokenReply, err error) {
	defer s.done("create_token", &err)
	if err := r.Validate(s.now()); err != nil {
		return accounts.TokenReply{}, err
	}
	person, err := owner(r.By, actor.ScopeAccount)
	if err != nil {
		return accounts.TokenReply{}, err
	}
	body := r
	body.By, body.Key = actor.Actor{}, ""
	c := command{owner: r.By.Owner(), operation: "create_token", key: r.Key, body: body}
	return perform(ctx, s, c, func(tx *store.Tx) (string, error) {
		return s.newToken(tx, person, r)
	}, func(tx *store.Tx, result string) (accounts.TokenReply, error) {
		row, err := selectToken(tx, person, accounts.TokenID(result))
		return accounts.TokenReply{Token: row.token()}, err
	})
}

func (s *Service) newToken(tx *store.Tx, person accounts.PersonID, r accounts.CreateTokenRequest) (string, error) {
	p, err := selectPerson(tx, person)
	if err != nil {
		return "", err
	}
	may := allowed(p.person().Roles)
	for _, scope := range r.Scopes {
		if !slices.Contains(may, scope) {
			return "", accounts.ErrForbidden.With("you may not do %s yourself", scope)
		}
	}
	n, err := countTokens(tx, person, s.now())
	if err != nil {
		return "", err
	}
	if n >= accounts.MaxTokens {
		return "", accounts.ErrLimit.With("there are %d tokens already; revoke one first", n)
	}
	scopes := make([]string, len(r.Scopes))
	for i, scope := range r.Scopes {
		scopes[i] = string(scope)
	}
	row := tokenRow{
		ID: accounts.TokenIDs.New(), Name: strings.TrimSpace(r.Name), Hint: r.Hint, Scopes: strings.Join(scopes, " "),
		CreatedAt: s.now(), ExpiresAt: r.ExpiresAt,
	}
	return string(row.ID), insertToken(tx, person, row, r.Hash)
}

// RevokeToken ends a token at once.
func (s *Service) RevokeToken(ctx context.Context, r accounts.RevokeTokenRequest) (_ accounts.TokenReply, err error) {
	defer s.done("revoke_token", &err)
	if err := r.Validate(); err != nil {
		return accounts.TokenReply{}, err
	}
	person, err := owner(r.By, actor.ScopeAccount)
	if err != nil {
		return accounts.TokenReply{}, err
	}
	c := command{owner: r.By.Owner(), operation: "revoke_token", key: r.Key, body: r.ID}
	return perform(ctx, s, c, func(tx *store.Tx) (string, error) {
		return string(r.ID), revokeToken(tx, person, r.ID, s.now())
	}, func(tx *store.Tx, result string) (accounts.TokenReply, error) {
		row, err := selectToken(tx, person, accounts.TokenID(result))
		return accounts.TokenReply{Token: row.token()}, err
	})
}

// ListTokens reads a person's tokens, newest first.
func (s *Service) ListTokens(ctx context.Context, r accounts.ListTokensRequest) (accounts.ListTokensReply, error) {
	person, err := owner(r.By, actor.ScopeRead)
	if err != nil {
		return accounts.ListTokensReply{}, err
	}
	var reply accounts.ListTokensReply
	err = s.db.Read(ctx, func(q store.Queryer) error {
		rows, err := selectTokens(q, person, s.now().Add(-endedShown))
		reply.Tokens = make([]accounts.Token, len(rows))
		for i, row := range rows {
			reply.Tokens[i] = row.token()
		}
		return err
	})
	return reply, err
}

func (s *Service) resolveToken(ctx context.Context, hash string, seller catalog.SellerID) (accounts.ResolveReply, error) {
	now := s.now()
	var row heldToken
	err := s.db.Read(ctx, func(q store.Queryer) error {
		var err error
		row, err = selectHeldToken(q, hash, now)
		return err
	})
	if err != nil {
		return accounts.ResolveReply{}, err
	}
	if now.Sub(row.UsedAt) >= useRecorded {
		s.used(ctx, func(tx *store.Tx) error { return touchToken(tx, row.Token, now) })
	}
	p := row.personRow.person()
	return accounts.ResolveReply{Actor: actorOf(p.ID, p.Roles, seller, scopesOf(row.Scopes)), Person: p}, nil
}

func scopesOf(text string) []actor.Scope {
	out := []actor.Scope{}
	for scope := range strings.FieldsSeq(text) {
		out = append(out, actor.Scope(scope))
	}
	return out
}

// tokenEnded is when a token ended or will: revoked or expired, what comes first; 0 for never.
func tokenEnded(expiresAt, revokedAt clock.Time) clock.Time {
	switch {
	case expiresAt.IsZero():
		return revokedAt
	case revokedAt.IsZero():
		return expiresAt
	default:
		return min(expiresAt, revokedAt)
	}
}
