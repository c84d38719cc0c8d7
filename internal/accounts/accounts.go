// Package accounts is people: who they are, how they prove it, what they may do. It is the
// home of personal data; everywhere else there are ids.
//
// A person with credentials signs in and has sessions and tokens; a guest is a person
// without. Secrets are made by the caller, who hands in only their hashes: no reply
// of this contract has a secret in it, and repeating a command is safe by construction.
package accounts

import (
	"context"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/audit"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
	"souk/internal/platform/page"
)

//go:generate go run souk/internal/platform/rpc/gen

// PersonID names a person.
type PersonID = id.ID[Person]

// AddressID names an entry of an address book.
type AddressID = id.ID[Address]

// SessionID names a session.
type SessionID = id.ID[Session]

// TokenID names an API token.
type TokenID = id.ID[Token]

// Makers of ids.
var (
	PersonIDs  = id.Maker[Person]{Prefix: "per_"}
	AddressIDs = id.Maker[Address]{Prefix: "adr_"}
	SessionIDs = id.Maker[Session]{Prefix: "ses_"}
	TokenIDs   = id.Maker[Token]{Prefix: "tok_"}
)

// Service is what other modules may ask of accounts.
type Service interface {
	// Register makes a person with an e-mail address and a password, signed in on
	// r.Session. ErrEmailTaken when someone has the address.
	Register(ctx context.Context, r RegisterRequest) (SessionReply, error)

	// SignIn starts the session whose secret hashes to r.Session. ErrCredentials for a wrong
	// address or password, in the same time and words; ErrTooManyTries after too many per
	// account or address of the client, with the wait in Fields["retry_after"] (seconds).
	SignIn(ctx context.Context, r SignInRequest) (SessionReply, error)

	// RotateSession replaces a session's secret; the old one is still good for a minute,
	// since requests overlap. ErrSession when the old one is not good.
	RotateSession(ctx context.Context, r RotateSessionRequest) (SessionReply, error)

	// EndSessions signs out: one session, or all of a person but one.
	EndSessions(ctx context.Context, r EndSessionsRequest) (EndSessionsReply, error)

	// ListSessions reads a person's live sessions, the latest used first.
	//
	//rpc:read
	ListSessions(ctx context.Context, r ListSessionsRequest) (ListSessionsReply, error)

	// Resolve says who holds the session or token whose secret has this hash. ErrSession
	// when nobody does any more.
	//
	//rpc:read
	Resolve(ctx context.Context, r ResolveRequest) (ResolveReply, error)

	// ChangePassword sets another password and ends every other session of the person.
	// ErrCredentials when the old one is wrong.
	ChangePassword(ctx context.Context, r ChangePasswordRequest) (PersonReply, error)

	// EditPerson changes what a person says of itself.
	EditPerson(ctx context.Context, r EditPersonRequest) (PersonReply, error)

	// CreateToken makes an API token whose secret hashes to r.Hash.
	CreateToken(ctx context.Context, r CreateTokenRequest) (TokenReply, error)

	// RevokeToken ends a token at once.
	RevokeToken(ctx context.Context, r RevokeTokenRequest) (TokenReply, error)

	// ListTokens reads a person's tokens, newest first, ended ones included for 30 days.
	//
	//rpc:read
	ListTokens(ctx context.Context, r ListTokensRequest) (ListTokensReply, error)

	// PutAddress adds or replaces an entry of the caller's address book; ErrLimit past 50.
	PutAddress(ctx context.Context, r PutAddressRequest) (AddressReply, error)

	// RemoveAddress takes an entry out; PutAddress with its id puts it back.
	RemoveAddress(ctx context.Context, r RemoveAddressRequest) (AddressReply, error)

	// ListAddresses reads the caller's address book, the default first.
	//
	//rpc:read
	ListAddresses(ctx context.Context, r ListAddressesRequest) (ListAddressesReply, error)

	// EnsureGuest makes a person without credentials, or finds the guest that has the
	// address. The system only.
	EnsureGuest(ctx context.Context, r EnsureGuestRequest) (PersonReply, error)

	// GetPeople reads people in batch; what is not there is left out. Oneself; operators and
	// the system: anyone.
	//
	//rpc:read
	GetPeople(ctx context.Context, r GetPeopleRequest) (GetPeopleReply, error)

	// FindPeople pages through people by e-mail. Operators only.
	//
	//rpc:read
	FindPeople(ctx context.Context, r FindPeopleRequest) (FindPeopleReply, error)

	// GrantRole gives a role: operators and the system any, a seller's owner staff of its seller.
	GrantRole(ctx context.Context, r GrantRoleRequest) (PersonReply, error)

	// RevokeRole takes a role away. ErrLastOperator for the last one.
	RevokeRole(ctx context.Context, r RevokeRoleRequest) (PersonReply, error)

	// ListStaff reads who may act for a seller. Its staff and operators only.
	//
	//rpc:read
	ListStaff(ctx context.Context, r ListStaffRequest) (ListStaffReply, error)

	// Audit streams nothing but what accounts finds wrong within itself.
	//
	//rpc:read
	Audit(ctx context.Context, r audit.Request) (AuditReply, error)
}

// RoleKind is what a person may act as, beside buyer, which everyone is.
//
//rpc:fallback none
type RoleKind string

// The roles.
const (
	RoleNone     RoleKind = "none"
	RoleOperator RoleKind = "operator"
	RoleOwner    RoleKind = "owner" // staff of a seller who may appoint others
	RoleStaff    RoleKind = "staff" // staff of a seller
)

// Role is something a person may act as.
type Role struct {
	Kind   RoleKind         `json:"kind"`
	Seller catalog.SellerID `json:"seller"` // of owner and staff
}

// Person is someone.
type Person struct {
	ID        PersonID   `json:"id"`
	Email     string     `json:"email" pii:"true"`
	Name      string     `json:"name" pii:"true"`
	Guest     bool       `json:"guest"` // has no credentials
	Roles     []Role     `json:"roles"`
	CreatedAt clock.Time `json:"created_at"`
	Version   int64      `json:"version"`
}

// PersonReply is a person after a change.
type PersonReply struct {
	Person Person `json:"person"`
}

// Session is a signed-in browser. Its secret is known to that browser alone.
type Session struct {
	ID        SessionID  `json:"id"`
	Person    PersonID   `json:"person"`
	CreatedAt clock.Time `json:"created_at"`
	UsedAt    clock.Time `json:"used_at"`
	ExpiresAt clock.Time `json:"expires_at"`
	RotateAt  clock.Time `json:"rotate_at"` // when its secret should be replaced
	Agent     string     `json:"agent" pii:"true"`
}

// SessionReply is a session and whose it is.
type SessionReply struct {
	Session Session     `json:"session"`
	Person  Person      `json:"person"`
	Actor   actor.Actor `json:"actor"`
}

// RegisterRequest makes a person.
type RegisterRequest struct {
	Key      string `json:"key"`
	Email    string `json:"email" pii:"true"`
	Name     string `json:"name" pii:"true"`
	Password string `json:"password" pii:"true"`
	Session  string `json:"session" pii:"true"` // SHA-256 of the session's secret, in hex
	Agent    string `json:"agent" pii:"true"`
	Address  string `json:"address" pii:"true"` // of the client, for limits
}

// SignInRequest proves who one is.
type SignInRequest struct {
	Key      string `json:"key"`
	Email    string `json:"email" pii:"true"`
	Password string `json:"password" pii:"true"`
	Session  string `json:"session" pii:"true"` // SHA-256 of the session's secret, in hex
	Agent    string `json:"agent" pii:"true"`
	Address  string `json:"address" pii:"true"` // of the client, for limits
}

// RotateSessionRequest replaces a session's secret.
type RotateSessionRequest struct {
	Key string `json:"key"`
	Old string `json:"old" pii:"true"` // hashes
	New string `json:"new" pii:"true"`
}

// EndSessionsRequest signs out.
type EndSessionsRequest struct {
	By     actor.Actor `json:"by"`
	Key    string      `json:"key"`
	ID     SessionID   `json:"id"`                // this one; or
	Hash   string      `json:"hash" pii:"true"`   // the one with this hash; or
	Except string      `json:"except" pii:"true"` // all but the one with this hash
}

// EndSessionsReply says how many ended.
type EndSessionsReply struct {
	Ended int64 `json:"ended"`
}

// ListSessionsRequest asks for the caller's sessions.
type ListSessionsRequest struct {
	By actor.Actor `json:"by"`
}

// ListSessionsReply has them.
type ListSessionsReply struct {
	Sessions []Session `json:"sessions"`
}

// ResolveRequest asks who holds a secret.
type ResolveRequest struct {
	Session string           `json:"session" pii:"true"` // hash of a session's secret; or
	Token   string           `json:"token" pii:"true"`   // of a token's
	Seller  catalog.SellerID `json:"seller"`             // act as staff of this one; "" for the first
}

// ResolveReply is the caller.
type ResolveReply struct {
	Actor   actor.Actor `json:"actor"`
	Person  Person      `json:"person"`
	Session *Session    `json:"session"` // of a session
}

// ChangePasswordRequest sets another password.
type ChangePasswordRequest struct {
	By   actor.Actor `json:"by"`
	Key  string      `json:"key"`
	Old  string      `json:"old" pii:"true"`
	New  string      `json:"new" pii:"true"`
	Keep string      `json:"keep" pii:"true"` // hash of the session that stays
}

// EditPersonRequest changes a name or address.
type EditPersonRequest struct {
	By      actor.Actor `json:"by"`
	Key     string      `json:"key"`
	Version int64       `json:"version"`
	Name    string      `json:"name" pii:"true"`
}

// Token lets a program act as a person.
type Token struct {
	ID        TokenID       `json:"id"`
	Name      string        `json:"name"`
	Hint      string        `json:"hint"` // the last four characters of the secret
	Scopes    []actor.Scope `json:"scopes"`
	CreatedAt clock.Time    `json:"created_at"`
	ExpiresAt clock.Time    `json:"expires_at"` // zero for never
	UsedAt    clock.Time    `json:"used_at"`    // zero for never; to the minute
	RevokedAt clock.Time    `json:"revoked_at"`
}

// CreateTokenRequest makes a token.
type CreateTokenRequest struct {
	By        actor.Actor   `json:"by"`
	Key       string        `json:"key"`
	Name      string        `json:"name"`
	Scopes    []actor.Scope `json:"scopes"`
	ExpiresAt clock.Time    `json:"expires_at"`
	Hash      string        `json:"hash" pii:"true"` // SHA-256 of the secret, in hex
	Hint      string        `json:"hint"`
}

// RevokeTokenRequest ends a token.
type RevokeTokenRequest struct {
	By  actor.Actor `json:"by"`
	Key string      `json:"key"`
	ID  TokenID     `json:"id"`
}

// TokenReply is a token after a change.
type TokenReply struct {
	Token Token `json:"token"`
}

// ListTokensRequest asks for the caller's tokens.
type ListTokensRequest struct {
	By actor.Actor `json:"by"`
}

// ListTokensReply has them.
type ListTokensReply struct {
	Tokens []Token `json:"tokens"`
}

// Postal is where something can be sent.
type Postal struct {
	Name       string `json:"name" pii:"true"`
	Line1      string `json:"line1" pii:"true"`
	Line2      string `json:"line2" pii:"true"`
	PostalCode string `json:"postal_code" pii:"true"`
	City       string `json:"city" pii:"true"`
	Region     string `json:"region" pii:"true"` // ISO 3166-2 without the country, "" where there is none
	Country    string `json:"country"`           // ISO 3166-1 alpha-2
	Phone      string `json:"phone" pii:"true"`
}

// Address is an entry of an address book.
type Address struct {
	ID      AddressID `json:"id"`
	Label   string    `json:"label" pii:"true"` // "Home"
	Postal  Postal    `json:"postal"`
	Default bool      `json:"default"`
}

// PutAddressRequest adds or replaces an entry.
type PutAddressRequest struct {
	By      actor.Actor `json:"by"`
	Key     string      `json:"key"`
	Address Address     `json:"address"` // without an id it is added
}

// RemoveAddressRequest takes an entry out.
type RemoveAddressRequest struct {
	By  actor.Actor `json:"by"`
	Key string      `json:"key"`
	ID  AddressID   `json:"id"`
}

// AddressReply is an entry after a change.
type AddressReply struct {
	Address Address `json:"address"`
}

// ListAddressesRequest asks for the caller's address book.
type ListAddressesRequest struct {
	By actor.Actor `json:"by"`
}

// ListAddressesReply has it.
type ListAddressesReply struct {
	Addresses []Address `json:"addresses"`
}

// EnsureGuestRequest makes a guest a person.
type EnsureGuestRequest struct {
	By    actor.Actor `json:"by"`
	Key   string      `json:"key"`
	Email string      `json:"email" pii:"true"`
	Name  string      `json:"name" pii:"true"`
}

// GetPeopleRequest names people, at most 200.
type GetPeopleRequest struct {
	By  actor.Actor `json:"by"`
	IDs []PersonID  `json:"ids"`
}

// GetPeopleReply has those that there are.
type GetPeopleReply struct {
	People []Person `json:"people"`
}

// FindPeopleRequest filters people.
type FindPeopleRequest struct {
	By   actor.Actor  `json:"by"`
	Text string       `json:"text" pii:"true"` // the e-mail begins with it
	Page page.Request `json:"page"`
}

// FindPeopleReply is a page of people.
type FindPeopleReply struct {
	People []Person `json:"people"`
	Next   string   `json:"next"`
}

// GrantRoleRequest gives a role to a person, named by id or e-mail.
type GrantRoleRequest struct {
	By     actor.Actor `json:"by"`
	Key    string      `json:"key"`
	Person PersonID    `json:"person"`
	Email  string      `json:"email" pii:"true"`
	Role   Role        `json:"role"`
}

// RevokeRoleRequest takes a role away.
type RevokeRoleRequest struct {
	By     actor.Actor `json:"by"`
	Key    string      `json:"key"`
	Person PersonID    `json:"person"`
	Role   Role        `json:"role"`
}

// ListStaffRequest names a seller.
type ListStaffRequest struct {
	By     actor.Actor      `json:"by"`
	Seller catalog.SellerID `json:"seller"`
}

// ListStaffReply has its people.
type ListStaffReply struct {
	People []Person `json:"people"`
}

// AuditReply is accounts' report on itself.
type AuditReply struct {
	Problems []audit.Problem `json:"problems"`
	Standing audit.Standing  `json:"standing"`
	Next     string          `json:"next"`
}
