package accountssvc

import (
	"context"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"souk/internal/accounts"
	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/store"
)

// How long sessions live.
const (
	sessionIdle     = 14 * 24 * time.Hour // without use
	sessionAbsolute = 90 * 24 * time.Hour // however used
	sessionRotation = 24 * time.Hour      // then the secret should be replaced
	sessionOverlap  = time.Minute         // for which the replaced one is still good
	useRecorded     = time.Minute         // no oftener is the time of use written
	maxAgent        = 200
)

// expiresAt is when a session ends if it is not used again.
func expiresAt(usedAt, endsAt clock.Time) clock.Time { return min(usedAt.Add(sessionIdle), endsAt) }

// agentText is what a browser calls itself, as much as is kept of it.
func agentText(s string) string {
	s = strings.ToValidUTF8(s, "")
	if utf8.RuneCountInString(s) > maxAgent {
		s = string([]rune(s)[:maxAgent])
	}
	return s
}

// start makes a session, as part of a command. It is signed in from then on.
func (s *Service) start(tx *store.Tx, person accounts.PersonID, hash, agent string) (accounts.SessionID, error) {
	if err := hashFree(tx, "session", hash); err != nil {
		return "", err
	}
	now := s.now()
	row := sessionRow{
		ID: accounts.SessionIDs.New(), Person: person, CreatedAt: now, UsedAt: now,
		RotateAt: now.Add(sessionRotation), EndsAt: now.Add(sessionAbsolute), Agent: agentText(agent),
	}
	return row.ID, insertSession(tx, row, hash)
}

// sessionReply is a session with its person, as they are now.
func (s *Service) sessionReply(tx *store.Tx, session accounts.SessionID) (accounts.SessionReply, error) {
	row, err := selectSession(tx, session)
	if err != nil {
		return accounts.SessionReply{}, err
	}
	p := row.personRow.person()
	return accounts.SessionReply{Session: row.session(), Person: p, Actor: actorOf(p.ID, p.Roles, "", nil)}, nil
}

// RotateSession replaces a session's secret.
func (s *Service) RotateSession(ctx context.Context, r accounts.RotateSessionRequest) (_ accounts.SessionReply, err error) {
	defer s.done("rotate_session", &err)
	if err := r.Validate(); err != nil {
		return accounts.SessionReply{}, err
	}
	c := command{owner: "session:" + r.Old, operation: "rotate_session", key: r.Key, body: r.New}
	return perform(ctx, s, c, func(tx *store.Tx) (string, error) {
		now := s.now()
		row, err := selectLive(tx, r.Old, now)
		if err != nil {
			return "", err
		}
		if row.Previous {
			return "", accounts.ErrSession.With("this secret has been replaced already")
		}
		if err := hashFree(tx, "new", r.New); err != nil {
			return "", err
		}
		return string(row.ID), rotateSession(tx, row.ID, r.Old, r.New, now)
	}, func(tx *store.Tx, result string) (accounts.SessionReply, error) {
		return s.sessionReply(tx, accounts.SessionID(result))
	})
}

// EndSessions signs out.
func (s *Service) EndSessions(ctx context.Context, r accounts.EndSessionsRequest) (_ accounts.EndSessionsReply, err error) {
	defer s.done("end_sessions", &err)
	if err := r.Validate(); err != nil {
		return accounts.EndSessionsReply{}, err
	}
	person, err := owner(r.By, actor.ScopeAccount)
	if err != nil {
		return accounts.EndSessionsReply{}, err
	}
	c := command{owner: r.By.Owner(), operation: "end_sessions", key: r.Key, body: []string{string(r.ID), r.Hash, r.Except}}
	return perform(ctx, s, c, func(tx *store.Tx) (string, error) {
		n, err := deleteSessions(tx, person, r, s.now())
		if err == nil && n == 0 && r.ID != "" {
			err = accounts.ErrNotFound.With("there is no session %s", r.ID)
		}
		return strconv.FormatInt(n, 10), err
	}, func(_ *store.Tx, result string) (accounts.EndSessionsReply, error) {
		n, err := strconv.ParseInt(result, 10, 64)
		return accounts.EndSessionsReply{Ended: n}, err
	})
}

// ListSessions reads a person's live sessions.
func (s *Service) ListSessions(ctx context.Context, r accounts.ListSessionsRequest) (accounts.ListSessionsReply, error) {
	person, err := owner(r.By, actor.ScopeRead)
	if err != nil {
		return accounts.ListSessionsReply{}, err
	}
	var reply accounts.ListSessionsReply
	err = s.db.Read(ctx, func(q store.Queryer) error {
		rows, err := selectSessions(q, person, s.now())
		reply.Sessions = make([]accounts.Session, len(rows))
		for i, row := range rows {
			reply.Sessions[i] = row.session()
		}
		return err
	})
	return reply, err
}

// Resolve says who holds a secret. It reads one row; once a minute it also writes that the
// session or token is in use.
func (s *Service) Resolve(ctx context.Context, r accounts.ResolveRequest) (accounts.ResolveReply, error) {
	if err := r.Validate(); err != nil {
		return accounts.ResolveReply{}, err
	}
	if r.Token != "" {
		return s.resolveToken(ctx, r.Token, r.Seller)
	}
	return s.resolveSession(ctx, r.Session, r.Seller)
}

func (s *Service) resolveSession(ctx context.Context, hash string, seller catalog.SellerID) (accounts.ResolveReply, error) {
	now := s.now()
	var row sessionRow
	err := s.db.Read(ctx, func(q store.Queryer) error {
		var err error
		row, err = selectLive(q, hash, now)
		return err
	})
	if err != nil {
		return accounts.ResolveReply{}, err
	}
	if now.Sub(row.UsedAt) >= useRecorded {
		s.used(ctx, func(tx *store.Tx) error { return touchSession(tx, row.ID, now) })
		row.UsedAt = now
	}
	p, session := row.personRow.person(), row.session()
	return accounts.ResolveReply{Actor: actorOf(p.ID, p.Roles, seller, nil), Person: p, Session: &session}, nil
}

// used writes a time of use. Who asks is known whether or not that succeeds.
func (s *Service) used(ctx context.Context, touch func(tx *store.Tx) error) {
	if err := s.db.Write(ctx, touch); err != nil {
		s.log.Warn().Err(err).Msg("a time of use could not be written")
	}
}
