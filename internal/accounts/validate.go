package accounts

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
)

// Bounds of what accounts keeps. Lengths are in characters.
const (
	MaxKey       = 200
	MaxName      = 200
	MinPassword  = 10
	MaxPassword  = 200
	MaxAddresses = 50 // in one address book
	MaxTokens    = 50 // of one person, not ended
	MaxLabel     = 60
	MaxToken     = 100 // the name of a token
	MaxBatch     = 200
	hashLength   = 64
)

// TokenScopes are what a token can be given.
func TokenScopes() []actor.Scope {
	return []actor.Scope{actor.ScopeRead, actor.ScopeShop, actor.ScopeSell, actor.ScopeOperate}
}

// Validate says everything that is wrong with the request at once.
func (r RegisterRequest) Validate() error {
	var p errs.Problems
	checkKey(&p, r.Key)
	email := checkEmail(&p, r.Email)
	checkText(&p, "name", r.Name, 1, MaxName)
	CheckPassword(&p, "password", r.Password, email)
	checkHash(&p, "session", r.Session)
	return p.Err(ErrInvalid)
}

// Validate says everything that is wrong with the request at once. Of the password it asks
// no more than that it could be one: the rest would tell which passwords are not.
func (r SignInRequest) Validate() error {
	var p errs.Problems
	checkKey(&p, r.Key)
	checkEmail(&p, r.Email)
	checkGivenPassword(&p, "password", r.Password)
	checkHash(&p, "session", r.Session)
	return p.Err(ErrInvalid)
}

// Validate says everything that is wrong with the request at once.
func (r RotateSessionRequest) Validate() error {
	var p errs.Problems
	checkKey(&p, r.Key)
	checkHash(&p, "old", r.Old)
	checkHash(&p, "new", r.New)
	p.Check(r.Old != r.New, "new", "should be another secret")
	return p.Err(ErrInvalid)
}

// Validate says everything that is wrong with the request at once.
func (r EndSessionsRequest) Validate() error {
	var p errs.Problems
	checkKey(&p, r.Key)
	named := 0
	for _, s := range []string{string(r.ID), r.Hash, r.Except} {
		if s != "" {
			named++
		}
	}
	p.Check(named == 1, "id", "name one session by id or hash, or the one to keep")
	p.Check(r.ID == "" || SessionIDs.Valid(r.ID), "id", "is not the id of a session")
	p.Check(r.Hash == "" || isHash(r.Hash), "hash", "is not a SHA-256 in hex")
	p.Check(r.Except == "" || isHash(r.Except), "except", "is not a SHA-256 in hex")
	return p.Err(ErrInvalid)
}

// Validate says everything that is wrong with the request at once.
func (r ResolveRequest) Validate() error {
	var p errs.Problems
	p.Check((r.Session == "") != (r.Token == ""), "session", "is asked for, or a token, and not both")
	p.Check(r.Session == "" || isHash(r.Session), "session", "is not a SHA-256 in hex")
	p.Check(r.Token == "" || isHash(r.Token), "token", "is not a SHA-256 in hex")
	return p.Err(ErrInvalid)
}

// Validate says what is wrong with the request, but for what the person's address says about it.
func (r ChangePasswordRequest) Validate() error {
	var p errs.Problems
	checkKey(&p, r.Key)
	checkGivenPassword(&p, "old", r.Old)
	CheckPassword(&p, "new", r.New, "")
	p.Check(r.New != r.Old, "new", "should be another password")
	p.Check(r.Keep == "" || isHash(r.Keep), "keep", "is not a SHA-256 in hex")
	return p.Err(ErrInvalid)
}

// Validate says everything that is wrong with the request at once.
func (r EditPersonRequest) Validate() error {
	var p errs.Problems
	checkKey(&p, r.Key)
	p.Check(r.Version > 0, "version", "should be the version that was read")
	checkText(&p, "name", r.Name, 1, MaxName)
	return p.Err(ErrInvalid)
}

// Validate says everything that is wrong with the request at once.
func (r CreateTokenRequest) Validate(now clock.Time) error {
	var p errs.Problems
	checkKey(&p, r.Key)
	checkText(&p, "name", r.Name, 1, MaxToken)
	p.Check(len(r.Scopes) > 0, "scopes", "should have at least one")
	for i, scope := range r.Scopes {
		at := fmt.Sprintf("scopes[%d]", i)
		p.Check(slices.Contains(TokenScopes(), scope), at, "is not a scope that a token can have")
		p.Check(slices.Index(r.Scopes, scope) == i, at, "comes twice")
	}
	p.Check(r.ExpiresAt.IsZero() || r.ExpiresAt.After(now), "expires_at", "has passed already")
	checkHash(&p, "hash", r.Hash)
	p.Check(len(r.Hint) == 4 && strings.IndexFunc(r.Hint, func(c rune) bool { return c <= ' ' || c > '~' }) < 0,
		"hint", "should be the last four characters of the secret")
	return p.Err(ErrInvalid)
}

// Validate says everything that is wrong with the request at once.
func (r RevokeTokenRequest) Validate() error {
	var p errs.Problems
	checkKey(&p, r.Key)
	p.Check(TokenIDs.Valid(r.ID), "id", "is not the id of a token")
	return p.Err(ErrInvalid)
}

// Validate says everything that is wrong with the request at once.
func (r PutAddressRequest) Validate() error {
	var p errs.Problems
	checkKey(&p, r.Key)
	p.Check(r.Address.ID == "" || AddressIDs.Valid(r.Address.ID), "address.id", "is not the id of an address")
	checkText(&p, "address.label", r.Address.Label, 0, MaxLabel)
	r.Address.Postal.Check(&p, "address.postal")
	return p.Err(ErrInvalid)
}

// Check notes what is wrong with an address, under the name that it has in a request.
func (a Postal) Check(p *errs.Problems, at string) {
	checkText(p, at+".name", a.Name, 1, 200)
	checkText(p, at+".line1", a.Line1, 1, 200)
	checkText(p, at+".line2", a.Line2, 0, 200)
	checkText(p, at+".postal_code", a.PostalCode, 0, 20)
	checkText(p, at+".city", a.City, 1, 100)
	checkText(p, at+".region", a.Region, 0, 10)
	checkText(p, at+".phone", a.Phone, 0, 40)
	c := a.Country
	p.Check(len(c) == 2 && c[0] >= 'A' && c[0] <= 'Z' && c[1] >= 'A' && c[1] <= 'Z', at+".country",
		"should be two capital letters of ISO 3166, like DE")
}

// Validate says everything that is wrong with the request at once.
func (r RemoveAddressRequest) Validate() error {
	var p errs.Problems
	checkKey(&p, r.Key)
	p.Check(AddressIDs.Valid(r.ID), "id", "is not the id of an address")
	return p.Err(ErrInvalid)
}

// Validate says everything that is wrong with the request at once.
func (r EnsureGuestRequest) Validate() error {
	var p errs.Problems
	checkKey(&p, r.Key)
	checkEmail(&p, r.Email)
	checkText(&p, "name", r.Name, 0, MaxName)
	return p.Err(ErrInvalid)
}

// Validate says everything that is wrong with the request at once.
func (r GetPeopleRequest) Validate() error {
	var p errs.Problems
	p.Check(len(r.IDs) <= MaxBatch, "ids", "may be %d", MaxBatch)
	return p.Err(ErrInvalid)
}

// Validate says everything that is wrong with the request at once.
func (r FindPeopleRequest) Validate() error {
	var p errs.Problems
	checkText(&p, "text", r.Text, 0, MaxEmail)
	return p.Err(ErrInvalid)
}

// Validate says everything that is wrong with the request at once.
func (r GrantRoleRequest) Validate() error {
	var p errs.Problems
	checkKey(&p, r.Key)
	p.Check((r.Person == "") != (r.Email == ""), "person", "is asked for, or an e-mail, and not both")
	p.Check(r.Person == "" || PersonIDs.Valid(r.Person), "person", "is not the id of a person")
	if r.Email != "" {
		checkEmail(&p, r.Email)
	}
	r.Role.check(&p)
	return p.Err(ErrInvalid)
}

// Validate says everything that is wrong with the request at once.
func (r RevokeRoleRequest) Validate() error {
	var p errs.Problems
	checkKey(&p, r.Key)
	p.Check(PersonIDs.Valid(r.Person), "person", "is not the id of a person")
	r.Role.check(&p)
	return p.Err(ErrInvalid)
}

// Validate says everything that is wrong with the request at once.
func (r ListStaffRequest) Validate() error {
	var p errs.Problems
	p.Check(catalog.SellerIDs.Valid(r.Seller), "seller", "is not the id of a seller")
	return p.Err(ErrInvalid)
}

func (r Role) check(p *errs.Problems) {
	switch r.Kind {
	case RoleOperator:
		p.Check(r.Seller == "", "role.seller", "is nothing that operators have")
	case RoleOwner, RoleStaff:
		p.Check(catalog.SellerIDs.Valid(r.Seller), "role.seller", "is not the id of a seller")
	default:
		p.Add("role.kind", "should be operator, owner or staff")
	}
}

// CheckPassword notes what is wrong with a password that someone wants who has that address.
func CheckPassword(p *errs.Problems, field, password, email string) {
	n := utf8.RuneCountInString(password)
	p.Check(utf8.ValidString(password), field, "has characters that are not text")
	p.Check(n >= MinPassword, field, "should have at least %d characters", MinPassword)
	p.Check(n <= MaxPassword, field, "may have %d characters", MaxPassword)
	same := email != "" && EmailKey(norm.NFC.String(strings.TrimSpace(password))) == EmailKey(email)
	p.Check(!same, field, "should not be the e-mail address")
}

// checkGivenPassword is for one that is to be compared: any that somebody could have set.
func checkGivenPassword(p *errs.Problems, field, password string) {
	p.Check(password != "", field, "is required")
	p.Check(utf8.ValidString(password) && utf8.RuneCountInString(password) <= MaxPassword, field,
		"may have %d characters", MaxPassword)
}

func checkKey(p *errs.Problems, key string) {
	p.Check(key != "", "key", "is required")
	p.Check(len(key) <= MaxKey, "key", "may have %d characters", MaxKey)
}

func checkHash(p *errs.Problems, field, s string) {
	p.Check(isHash(s), field, "is not a SHA-256 in hex")
}

func isHash(s string) bool {
	return len(s) == hashLength && strings.Trim(s, "0123456789abcdef") == ""
}

// checkText says whether s is one line of text with that many characters.
func checkText(p *errs.Problems, field, s string, least, most int) {
	n := utf8.RuneCountInString(s)
	p.Check(utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0, field, "has characters that are not text")
	p.Check(least == 0 || strings.TrimSpace(s) != "", field, "is required")
	p.Check(n >= least, field, "should have at least %d characters", least)
	p.Check(n <= most, field, "may have %d characters", most)
}

// checkEmail adds what is wrong with an address that has to be there, and gives it as CleanEmail does.
func checkEmail(p *errs.Problems, typed string) string {
	email, ok := CleanEmail(typed)
	if strings.TrimSpace(typed) == "" {
		p.Check(false, "email", "is required")
		return email
	}
	p.Check(ok, "email", "is not an e-mail address")
	return email
}
