package accountssvc

import (
	"context"
	"errors"
	"strings"

	"souk/internal/accounts"
	"souk/internal/platform/actor"
	"souk/internal/platform/errs"
	"souk/internal/platform/store"
)

var (
	errCredentials = accounts.ErrCredentials.With("the address or the password is wrong")
	errOldPassword = accounts.ErrCredentials.With("the password is wrong")
	// errWrong is errOldPassword within a command: having no code, it is not remembered, so that
	// who mistyped can try again in the same form.
	errWrong = errors.New("the old password is wrong")
)

// try counts a try of each subject, or refuses it.
func (s *Service) try(ctx context.Context, subjects []subject) error {
	if len(subjects) == 0 {
		return nil
	}
	return s.db.Write(ctx, func(tx *store.Tx) error {
		if err := tx.Enqueue(jobClean, moduleName, s.now().Add(cleanEvery)); err != nil {
			return err
		}
		return begin(tx, s.now(), subjects)
	})
}

// subjectsOf are what a try is counted by: the account, the client's address, those that there are.
func subjectsOf(email, address string) []subject {
	var out []subject
	if email != "" {
		out = append(out, accountSubject(accounts.EmailKey(email)))
	}
	if address != "" {
		out = append(out, addressSubject(address))
	}
	return out
}

// Register makes a person with credentials. Whether somebody has the address can be found out
// here, so tries count for the client's address.
func (s *Service) Register(ctx context.Context, r accounts.RegisterRequest) (_ accounts.SessionReply, err error) {
	defer s.done("register", &err)
	if err := r.Validate(); err != nil {
		return accounts.SessionReply{}, err
	}
	email, _ := accounts.CleanEmail(r.Email)
	subjects := subjectsOf("", r.Address)
	if err := s.try(ctx, subjects); err != nil {
		return accounts.SessionReply{}, err
	}
	password, err := s.hasher.hash(ctx, r.Password)
	if err != nil {
		return accounts.SessionReply{}, err
	}
	c := command{
		owner: "session:" + r.Session, operation: "register", key: r.Key,
		body: []string{accounts.EmailKey(email), strings.TrimSpace(r.Name)},
	}
	var reply accounts.SessionReply
	var known string // the password that came with the key
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		result, _, err := s.once(tx, c, func() (string, error) {
			session, err := s.newPerson(tx, r, email, password)
			return string(session) + " " + password, err
		})
		if err != nil {
			return err
		}
		var session string
		session, known, _ = strings.Cut(result, " ")
		if reply, err = s.sessionReply(tx, accounts.SessionID(session)); err != nil {
			return err
		}
		return succeeded(tx, subjects)
	})
	if err == nil && known != password {
		err = s.samePassword(ctx, known, r.Password)
	}
	if err != nil {
		return accounts.SessionReply{}, err
	}
	return reply, nil
}

// samePassword refuses a repeated key that came with another password than the first time.
func (s *Service) samePassword(ctx context.Context, known, password string) error {
	same, err := s.hasher.matches(ctx, known, password)
	if err == nil && !same {
		err = accounts.ErrKeyReused.With("this key was used for another request")
	}
	return err
}

func (s *Service) newPerson(tx *store.Tx, r accounts.RegisterRequest, email, password string) (accounts.SessionID, error) {
	taken, err := selectCredentials(tx, email)
	if err != nil {
		return "", err
	}
	if taken.Person != "" {
		return "", accounts.ErrEmailTaken.With("someone has this address already; sign in instead")
	}
	p := personRow{ID: s.newID(), Email: email, Name: strings.TrimSpace(r.Name), CreatedAt: s.now(), Version: 1}
	if err := insertPerson(tx, p, password); err != nil {
		return "", err
	}
	if err := tx.Publish(accounts.Registered{PersonID: p.ID, At: p.CreatedAt}); err != nil {
		return "", err
	}
	return s.start(tx, p.ID, r.Session, r.Agent)
}

// SignIn starts a session for who knows the password. Each try is counted before its outcome is
// known, and forgiven when it succeeds.
func (s *Service) SignIn(ctx context.Context, r accounts.SignInRequest) (_ accounts.SessionReply, err error) {
	defer s.done("sign_in", &err)
	if err := r.Validate(); err != nil {
		return accounts.SessionReply{}, err
	}
	email, _ := accounts.CleanEmail(r.Email)
	subjects := subjectsOf(email, r.Address)
	if err := s.try(ctx, subjects); err != nil {
		return accounts.SessionReply{}, err
	}
	who, renewed, err := s.check(ctx, email, r.Password)
	if err != nil {
		return accounts.SessionReply{}, err
	}
	c := command{owner: "session:" + r.Session, operation: "sign_in", key: r.Key, body: accounts.EmailKey(email)}
	var reply accounts.SessionReply
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		now, err := selectCredentials(tx, email)
		if err != nil {
			return err
		}
		if now.Password != who.Password && now.Password != renewed {
			return errCredentials // it was changed while this was being computed
		}
		if err := succeeded(tx, subjects); err != nil {
			return err
		}
		session, _, err := s.once(tx, c, func() (string, error) {
			session, err := s.start(tx, who.Person, r.Session, r.Agent)
			return string(session), err
		})
		if err != nil {
			return err
		}
		if renewed != "" && now.Password == who.Password {
			if _, err := updatePassword(tx, who.Person, who.Password, renewed); err != nil {
				return err
			}
		}
		reply, err = s.sessionReply(tx, accounts.SessionID(session))
		return err
	})
	if err != nil {
		return accounts.SessionReply{}, err
	}
	return reply, nil
}

// check finds whose password it is, and hashes it anew if that is due. For an address that
// nobody has it takes as long and says the same.
func (s *Service) check(ctx context.Context, email, password string) (who credentials, renewed string, err error) {
	err = s.db.Read(ctx, func(q store.Queryer) error {
		var err error
		who, err = selectCredentials(q, email)
		return err
	})
	if err != nil {
		return credentials{}, "", err
	}
	ok, err := s.hasher.matches(ctx, who.Password, password)
	if err != nil {
		return credentials{}, "", err
	}
	if !ok {
		return credentials{}, "", errCredentials
	}
	if s.hasher.outdated(who.Password) {
		renewed, err = s.hasher.hash(ctx, password)
	}
	return who, renewed, err
}

// ChangePassword sets another password and ends the other sessions.
func (s *Service) ChangePassword(ctx context.Context, r accounts.ChangePasswordRequest) (_ accounts.PersonReply, err error) {
	defer s.done("change_password", &err)
	if err := r.Validate(); err != nil {
		return accounts.PersonReply{}, err
	}
	person, err := owner(r.By, actor.ScopeAccount)
	if err != nil {
		return accounts.PersonReply{}, err
	}
	who, err := s.credentialsOf(ctx, person)
	if err != nil {
		return accounts.PersonReply{}, err
	}
	var p errs.Problems
	accounts.CheckPassword(&p, "new", r.New, who.Email)
	if err := p.Err(accounts.ErrInvalid); err != nil {
		return accounts.PersonReply{}, err
	}
	subjects := subjectsOf(who.Email, "")
	if err := s.try(ctx, subjects); err != nil {
		return accounts.PersonReply{}, err
	}
	right, err := s.hasher.matches(ctx, who.Password, r.Old)
	if err != nil {
		return accounts.PersonReply{}, err
	}
	var password string
	if right {
		if password, err = s.hasher.hash(ctx, r.New); err != nil {
			return accounts.PersonReply{}, err
		}
	}
	return s.setPassword(ctx, r, who, password, subjects)
}

// setPassword writes the password, which is "" if the old one was wrong: then this can still be
// the repetition of a command that has made it so.
func (s *Service) setPassword(
	ctx context.Context, r accounts.ChangePasswordRequest, who credentials, password string, subjects []subject,
) (accounts.PersonReply, error) {
	var reply accounts.PersonReply
	var was, is string // as they came with the key
	var repeated bool
	c := command{owner: r.By.Owner(), operation: "change_password", key: r.Key, body: r.Keep}
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		result, repeat, err := s.once(tx, c, func() (string, error) {
			return who.Password + " " + password, s.replacePassword(tx, r, who, password)
		})
		if err != nil {
			return err
		}
		was, is, _ = strings.Cut(result, " ")
		repeated = repeat
		if err := succeeded(tx, subjects); err != nil {
			return err
		}
		row, err := selectPerson(tx, who.Person)
		reply.Person = row.person()
		return err
	})
	if errors.Is(err, errWrong) {
		err = errOldPassword
	}
	if err == nil && repeated {
		err = errors.Join(s.samePassword(ctx, was, r.Old), s.samePassword(ctx, is, r.New))
	}
	if err != nil {
		return accounts.PersonReply{}, err
	}
	return reply, nil
}

func (s *Service) replacePassword(tx *store.Tx, r accounts.ChangePasswordRequest, who credentials, password string) error {
	if password == "" {
		return errWrong
	}
	changed, err := updatePassword(tx, who.Person, who.Password, password)
	if err != nil {
		return err
	}
	if !changed {
		return errWrong // it was changed while this was being computed
	}
	if err := endOtherSessions(tx, who.Person, r.Keep); err != nil {
		return err
	}
	return tx.Publish(accounts.PasswordChanged{PersonID: who.Person, At: s.now()})
}

// credentialsOf are those of a person who has some.
func (s *Service) credentialsOf(ctx context.Context, person accounts.PersonID) (credentials, error) {
	var who credentials
	err := s.db.Read(ctx, func(q store.Queryer) error {
		var err error
		who, err = selectCredentialsOf(q, person)
		return err
	})
	return who, err
}
