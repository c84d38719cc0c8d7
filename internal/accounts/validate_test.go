package accounts_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"souk/internal/accounts"
	"souk/internal/platform/errs"
)

func TestAnAddressThatIsNotTypedIsAskedFor(t *testing.T) {
	t.Parallel()
	requests := map[string]func(email string) error{
		"register": func(email string) error { return accounts.RegisterRequest{Email: email}.Validate() },
		"sign in":  func(email string) error { return accounts.SignInRequest{Email: email}.Validate() },
		"guest":    func(email string) error { return accounts.EnsureGuestRequest{Email: email}.Validate() },
	}
	for name, validate := range requests {
		for email, want := range map[string]string{
			"":                   "is required",
			" \t":                "is required",
			"bea":                "is not an e-mail address",
			"bea@people.example": "",
		} {
			assert.Equal(t, want, errs.As(validate(email)).Fields["email"], "%s with %q", name, email)
		}
	}
}
