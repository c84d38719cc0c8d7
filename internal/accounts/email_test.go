package accounts_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"souk/internal/accounts"
)

func TestEmailAddresses(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		" Bea@People.EXAMPLE\n":      "Bea@people.example",
		"b.e+a@mail.people.example":  "b.e+a@mail.people.example",
		"jörg@büro.example":          "jörg@büro.example",
		"bea":                        "",
		"bea@":                       "",
		"bea@localhost":              "",
		"bea@people..example":        "",
		"bea@.example":               "",
		"bea@-people.example":        "",
		"a b@people.example":         "",
		`"a b"@people.example`:       "",
		"Bea <bea@people.example>":   "",
		"bea@people.example, a@b.ex": "",
		"bea@[192.0.2.1]":            "",
		"bea@people.example\x00":     "",
	} {
		got, ok := accounts.CleanEmail(given)
		assert.Equal(t, want, got, given)
		assert.Equal(t, want != "", ok, given)
	}
}

func TestEmailAddressesAreNotEndless(t *testing.T) {
	t.Parallel()
	for _, given := range []string{strings.Repeat("b", 65) + "@people.example", "b@" + strings.Repeat("b.", 130) + "example"} {
		_, ok := accounts.CleanEmail(given)
		assert.False(t, ok, given)
	}
}

func FuzzCleanEmail(f *testing.F) {
	f.Add("bea@people.example")
	f.Add(" \"x\"@[::1] ")
	f.Fuzz(func(t *testing.T, s string) {
		clean, ok := accounts.CleanEmail(s)
		if !ok {
			return
		}
		if len(clean) > accounts.MaxEmail || strings.ContainsAny(clean, " \r\n\t<>\"") || strings.Count(clean, "@") != 1 {
			t.Fatalf("%q became %q", s, clean)
		}
		if again, ok := accounts.CleanEmail(clean); !ok || again != clean {
			t.Fatalf("%q became %q, and then %q", s, clean, again)
		}
	})
}
