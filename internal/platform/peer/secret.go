package peer

import (
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

const (
	minSecret   = 32 // bytes
	minDistinct = 8  // different bytes in it: less was typed, not drawn
	maxSecrets  = 2  // the one that signs and one that is on its way in or out
)

// Secret is what souk's processes share. It prints as nothing of itself.
type Secret struct{ key [sha256.Size]byte }

// Format writes a placeholder, whatever the verb: a secret does not belong into any text.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "(secret)") }

// MarshalText gives the same placeholder, for JSON and logs.
func (Secret) MarshalText() ([]byte, error) { return []byte("(secret)"), nil }

// ParseSecrets reads one secret, or two while one replaces the other: words of at least 32
// bytes, in lines or with spaces between. The first signs, each is accepted. To rotate, add
// the new one as second everywhere, then put it first everywhere, then drop the old one.
func ParseSecrets(text string) ([]Secret, error) {
	words := strings.Fields(text)
	switch {
	case len(words) == 0:
		return nil, errors.New("there is no secret in it")
	case len(words) > maxSecrets:
		return nil, fmt.Errorf("it holds %d secrets; one is used, and a second one while they are rotated", len(words))
	}
	secrets := make([]Secret, len(words))
	for i, word := range words {
		if len(word) < minSecret {
			return nil, fmt.Errorf("secret %d has %d bytes and needs %d: openssl rand -base64 48 makes a good one", i+1, len(word), minSecret)
		}
		if distinct(word) < minDistinct {
			return nil, fmt.Errorf("secret %d is easily guessed: openssl rand -base64 48 makes a good one", i+1)
		}
		key, err := hkdf.Key(sha256.New, []byte(word), nil, "souk peer "+version, sha256.Size)
		if err != nil {
			return nil, fmt.Errorf("derive the key of secret %d: %w", i+1, err)
		}
		secrets[i] = Secret{key: [sha256.Size]byte(key)}
	}
	return secrets, nil
}

// LoadSecrets reads secrets from a file, or where no file is named from text, which the
// environment brings. Both together are refused: which one counts must not need thought.
func LoadSecrets(file, text string) ([]Secret, error) {
	switch {
	case file != "" && text != "":
		return nil, errors.New("the peers' secret is given by a file and by the environment: leave one out")
	case file != "":
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read the peers' secret: %w", err)
		}
		secrets, err := ParseSecrets(string(data))
		if err != nil {
			return nil, fmt.Errorf("read the peers' secret in %s: %w", file, err)
		}
		return secrets, nil
	case text != "":
		secrets, err := ParseSecrets(text)
		if err != nil {
			return nil, fmt.Errorf("read the peers' secret in the environment: %w", err)
		}
		return secrets, nil
	}
	return nil, nil
}

func distinct(word string) int {
	seen := map[byte]bool{}
	for _, b := range []byte(word) {
		seen[b] = true
	}
	return len(seen)
}
