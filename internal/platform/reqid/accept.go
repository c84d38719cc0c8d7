package reqid

import (
	"crypto/rand"
	"encoding/hex"
)

// Header is the HTTP header that brings an id and takes it back.
const Header = "X-Request-Id"

// New is a fresh id.
func New() string {
	var raw [12]byte
	_, _ = rand.Read(raw[:]) // never fails: crypto/rand ends the program instead
	return hex.EncodeToString(raw[:])
}

// Accept is the id that a client sent if it is fit for logs, else a fresh one.
func Accept(sent string) string {
	if Valid(sent) {
		return sent
	}
	return New()
}

// Valid says whether id is 8 to 64 letters, digits, dots, dashes or underscores.
func Valid(id string) bool {
	if len(id) < 8 || len(id) > 64 {
		return false
	}
	for _, c := range []byte(id) {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}
