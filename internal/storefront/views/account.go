package views

import "souk/internal/platform/clock"

// SignIn asks for e-mail and password.
type SignIn struct {
	Page
	Form Form   // email, password
	Back string // where to go then
	Why  string // why it is asked: "Sign in to see your orders."
}

// Template says which template shows it.
func (SignIn) Template() string { return "sign-in" }

// SignUp makes an account.
type SignUp struct {
	Page
	Form Form // name, email, password
	Back string
}

// Template says which template shows it.
func (SignUp) Template() string { return "sign-up" }

// Account is the viewer's own account.
type Account struct {
	Page
	Name     string
	Email    string
	Profile  Form // name
	Password Form // current, password
	Token    Form // name, scope
	Scopes   []Choice
	Sessions []Session
	Tokens   []Token
	NewToken string // shown once, right after it was made
}

// Template says which template shows it.
func (Account) Template() string { return "account" }

// Session is one place where the viewer is signed in.
type Session struct {
	Device   string
	SignedIn clock.Time
	LastUsed clock.Time
	This     bool
	EndURL   string // POST
}

// Token is an API token; the secret itself is never shown again.
type Token struct {
	Name      string
	Hint      string // the end of its secret
	Scopes    string
	Created   clock.Time
	LastUsed  clock.Time // zero for never
	Expires   clock.Time
	RevokeURL string // POST
}

// Addresses is the viewer's address book.
type Addresses struct {
	Page
	Addresses []Address
	Empty     Empty
}

// Template says which template shows it.
func (Addresses) Template() string { return "addresses" }

// Address is one entry of an address book.
type Address struct {
	Label      string // "Home"; may be empty
	Lines      []string
	Default    bool
	EditURL    string
	DefaultURL string // POST
	RemoveURL  string // POST; can be undone
}

// AddressForm writes or changes an address: label, name, line1, line2, postal_code, city, region,
// country, phone.
type AddressForm struct {
	Page
	Form      Form
	Action    string // where it posts to
	New       bool
	Countries []Choice
}

// Template says which template shows it.
func (AddressForm) Template() string { return "address" }

// Failure is a page that could not be shown, said kindly.
type Failure struct {
	Page
	Status  int    // 404 …
	Heading string // empty for the usual words of the status
	Text    string // what happened and what to do
	Request string // id of the request, to quote to whoever runs the shop
	Retry   int    // seconds after which trying again makes sense; 0 for unknown
	Actions []Link
}

// Template says which template shows it.
func (Failure) Template() string { return "failure" }
