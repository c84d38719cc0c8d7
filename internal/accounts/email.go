package accounts

import (
	"net/mail"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// MaxEmail is the longest e-mail address, in bytes, that mail is carried to.
const MaxEmail = 254

// CleanEmail is an e-mail address as souk keeps it (without the white space around it, in
// Unicode's composed form, the domain in lower case) and whether it is one: a name and
// a domain of at least two parts, without quotes, comments or a display name.
func CleanEmail(s string) (string, bool) {
	s = norm.NFC.String(strings.TrimSpace(s))
	if s == "" || len(s) > MaxEmail {
		return "", false
	}
	parsed, err := mail.ParseAddress(s)
	if err != nil || parsed.Address != s || strings.ContainsAny(s, "\"<>()[]") {
		return "", false
	}
	at := strings.LastIndexByte(s, '@')
	local, domain := s[:at], strings.ToLower(s[at+1:])
	if local == "" || len(local) > 64 || !strings.Contains(domain, ".") {
		return "", false
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return "", false
		}
	}
	return local + "@" + domain, true
}

// EmailKey is what two addresses of the same mailbox have in common: comparing them does
// not look at case, whatever the standard allows a mail server to do.
func EmailKey(email string) string { return strings.ToLower(email) }
