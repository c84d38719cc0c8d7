package accountstest

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"souk/internal/accounts"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
)

const (
	idle     = 14 * 24 * time.Hour
	absolute = 90 * 24 * time.Hour
	rotation = 24 * time.Hour
	overlap  = time.Minute
)

func (s *session) expires() clock.Time { return min(s.UsedAt.Add(idle), s.ends) }

func (s *session) seen() accounts.Session {
	out := s.Session
	out.ExpiresAt = s.expires()
	return out
}

// live finds the session that a secret with this hash is good for.
func (f *Fake) live(hash string) *session {
	for _, s := range f.sessions {
		good := s.hash == hash || s.previous == hash && f.now().Before(s.previousUntil)
		if good && f.now().Before(s.expires()) {
			return s
		}
	}
	return nil
}

func (f *Fake) begin(p *person, hash, agent string) accounts.SessionReply {
	now := f.now()
	s := &session{
		Session: accounts.Session{ID: accounts.SessionIDs.New(), Person: p.ID, CreatedAt: now, UsedAt: now, RotateAt: now.Add(rotation), Agent: agent},
		hash:    hash, ends: now.Add(absolute), made: f.next(),
	}
	f.sessions = append(f.sessions, s)
	return accounts.SessionReply{Session: s.seen(), Person: p.seen(), Actor: p.actor("", nil)}
}

func (f *Fake) hashTaken(hash string) bool {
	return slices.ContainsFunc(f.sessions, func(s *session) bool { return s.hash == hash || s.previous == hash })
}

// Register implements accounts.Service.
func (f *Fake) Register(_ context.Context, r accounts.RegisterRequest) (accounts.SessionReply, error) {
	if err := r.Validate(); err != nil {
		return accounts.SessionReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	body := r
	body.Key, body.Agent, body.Address = "", "", ""
	return once(f, "session:"+r.Session, "register", r.Key, body, func() (accounts.SessionReply, error) {
		if f.byEmail(r.Email, false) != nil {
			return accounts.SessionReply{}, accounts.ErrEmailTaken.With("someone has this address already")
		}
		if f.hashTaken(r.Session) {
			return accounts.SessionReply{}, accounts.ErrInvalid.WithField("session", "is in use already")
		}
		email, _ := accounts.CleanEmail(r.Email)
		p := &person{password: r.Password, Person: accounts.Person{
			ID: accounts.PersonIDs.New(), Email: email, Name: trimmed(r.Name), CreatedAt: f.now(), Version: 1,
		}}
		f.people[p.ID] = p
		f.publish(accounts.Registered{PersonID: p.ID, At: f.now()})
		return f.begin(p, r.Session, r.Agent), nil
	})
}

// try counts a try of each subject, or says how long to wait.
func (f *Fake) try(free int, subject string) error {
	t, ok := f.tries[subject]
	if !ok {
		t = &tries{}
		f.tries[subject] = t
	}
	if wait := t.until.Sub(f.now()); wait > 0 {
		seconds := int64((wait + time.Second - 1) / time.Second)
		return accounts.ErrTooManyTries.With("too many tries").WithField("retry_after", strconv.FormatInt(seconds, 10))
	}
	t.failed++
	if t.failed >= free {
		t.until = f.now().Add(min(time.Second<<min(t.failed-free, 10), 15*time.Minute))
	}
	return nil
}

// SignIn implements accounts.Service.
func (f *Fake) SignIn(_ context.Context, r accounts.SignInRequest) (accounts.SessionReply, error) {
	if err := r.Validate(); err != nil {
		return accounts.SessionReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	email, _ := accounts.CleanEmail(r.Email)
	account := "account " + accounts.EmailKey(email)
	if err := f.try(5, account); err != nil {
		return accounts.SessionReply{}, err
	}
	if r.Address != "" {
		if err := f.try(20, "address "+r.Address); err != nil {
			return accounts.SessionReply{}, err
		}
	}
	p := f.byEmail(r.Email, false)
	if p == nil || p.password != r.Password {
		return accounts.SessionReply{}, accounts.ErrCredentials.With("the address or the password is wrong")
	}
	delete(f.tries, account)
	delete(f.tries, "address "+r.Address)
	body := r
	body.Key, body.Agent, body.Address = "", "", ""
	return once(f, "session:"+r.Session, "sign_in", r.Key, body, func() (accounts.SessionReply, error) {
		if f.hashTaken(r.Session) {
			return accounts.SessionReply{}, accounts.ErrInvalid.WithField("session", "is in use already")
		}
		return f.begin(p, r.Session, r.Agent), nil
	})
}

// RotateSession implements accounts.Service.
func (f *Fake) RotateSession(_ context.Context, r accounts.RotateSessionRequest) (accounts.SessionReply, error) {
	if err := r.Validate(); err != nil {
		return accounts.SessionReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	body := r
	body.Key = ""
	return once(f, "session:"+r.Old, "rotate", r.Key, body, func() (accounts.SessionReply, error) {
		s := f.live(r.Old)
		if s == nil || s.hash != r.Old {
			return accounts.SessionReply{}, accounts.ErrSession.With("the session has ended")
		}
		if f.hashTaken(r.New) {
			return accounts.SessionReply{}, accounts.ErrInvalid.WithField("new", "is in use already")
		}
		now := f.now()
		s.previous, s.previousUntil, s.hash = s.hash, now.Add(overlap), r.New
		s.UsedAt, s.RotateAt = now, now.Add(rotation)
		p := f.people[s.Person]
		return accounts.SessionReply{Session: s.seen(), Person: p.seen(), Actor: p.actor("", nil)}, nil
	})
}

// EndSessions implements accounts.Service.
func (f *Fake) EndSessions(_ context.Context, r accounts.EndSessionsRequest) (accounts.EndSessionsReply, error) {
	if err := r.Validate(); err != nil {
		return accounts.EndSessionsReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.owner(r.By, actor.ScopeAccount)
	if err != nil {
		return accounts.EndSessionsReply{}, err
	}
	body := r
	body.By, body.Key = actor.Actor{}, ""
	return once(f, r.By.Owner(), "end_sessions", r.Key, body, func() (accounts.EndSessionsReply, error) {
		n := f.endWhere(func(s *session) bool {
			switch {
			case s.Person != p.ID || !f.now().Before(s.expires()):
				return false
			case r.ID != "":
				return s.ID == r.ID
			case r.Hash != "":
				return s.hash == r.Hash || s.previous == r.Hash
			default:
				return s.hash != r.Except && s.previous != r.Except
			}
		})
		if n == 0 && r.ID != "" {
			return accounts.EndSessionsReply{}, accounts.ErrNotFound.With("there is no session %s", r.ID)
		}
		return accounts.EndSessionsReply{Ended: n}, nil
	})
}

func (f *Fake) endWhere(ends func(*session) bool) int64 {
	before := len(f.sessions)
	f.sessions = slices.DeleteFunc(f.sessions, ends)
	return int64(before - len(f.sessions))
}

// ListSessions implements accounts.Service.
func (f *Fake) ListSessions(_ context.Context, r accounts.ListSessionsRequest) (accounts.ListSessionsReply, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.owner(r.By, actor.ScopeRead)
	if err != nil {
		return accounts.ListSessionsReply{}, err
	}
	mine := slices.Clone(f.sessions)
	slices.SortStableFunc(mine, func(a, b *session) int { return cmp.Or(cmp.Compare(b.UsedAt, a.UsedAt), cmp.Compare(b.made, a.made)) })
	var reply accounts.ListSessionsReply
	for _, s := range mine {
		if s.Person == p.ID && f.now().Before(s.expires()) {
			reply.Sessions = append(reply.Sessions, s.seen())
		}
	}
	return reply, nil
}

// Resolve implements accounts.Service.
func (f *Fake) Resolve(_ context.Context, r accounts.ResolveRequest) (accounts.ResolveReply, error) {
	if err := r.Validate(); err != nil {
		return accounts.ResolveReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	ended := accounts.ErrSession.With("the session or token has ended")
	if r.Session != "" {
		s := f.live(r.Session)
		if s == nil {
			return accounts.ResolveReply{}, ended
		}
		if f.now().Sub(s.UsedAt) >= time.Minute {
			s.UsedAt = f.now()
		}
		p, seen := f.people[s.Person], s.seen()
		return accounts.ResolveReply{Actor: p.actor(id.RefOf(r.Seller), nil), Person: p.seen(), Session: &seen}, nil
	}
	for _, t := range f.tokens {
		if t.hash != r.Token || !t.good(f.now()) {
			continue
		}
		if f.now().Sub(t.UsedAt) >= time.Minute {
			t.UsedAt = f.now()
		}
		p := f.people[t.person]
		return accounts.ResolveReply{Actor: p.actor(id.RefOf(r.Seller), t.Scopes), Person: p.seen()}, nil
	}
	return accounts.ResolveReply{}, ended
}

func (t *token) good(now clock.Time) bool {
	return t.RevokedAt.IsZero() && (t.ExpiresAt.IsZero() || now.Before(t.ExpiresAt))
}

// ChangePassword implements accounts.Service.
func (f *Fake) ChangePassword(_ context.Context, r accounts.ChangePasswordRequest) (accounts.PersonReply, error) {
	if err := r.Validate(); err != nil {
		return accounts.PersonReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.owner(r.By, actor.ScopeAccount)
	if err != nil {
		return accounts.PersonReply{}, err
	}
	body := r
	body.By, body.Key = actor.Actor{}, ""
	return once(f, r.By.Owner(), "change_password", r.Key, body, func() (accounts.PersonReply, error) {
		if accounts.EmailKey(r.New) == accounts.EmailKey(p.Email) {
			return accounts.PersonReply{}, accounts.ErrInvalid.WithField("new", "should not be the e-mail address")
		}
		if err := f.try(5, "account "+accounts.EmailKey(p.Email)); err != nil {
			return accounts.PersonReply{}, err
		}
		if p.password != r.Old {
			return accounts.PersonReply{}, accounts.ErrCredentials.With("the password is wrong")
		}
		delete(f.tries, "account "+accounts.EmailKey(p.Email))
		p.password = r.New
		f.endWhere(func(s *session) bool {
			return s.Person == p.ID && (r.Keep == "" || s.hash != r.Keep && s.previous != r.Keep)
		})
		f.publish(accounts.PasswordChanged{PersonID: p.ID, At: f.now()})
		return accounts.PersonReply{Person: p.seen()}, nil
	})
}
