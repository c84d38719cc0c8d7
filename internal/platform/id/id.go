// Package id makes the names of things: prefixed, unguessable, ordered by the time they
// were made.
//
//	var IDs = id.Maker[Order]{Prefix: "ord_"} // in package orders
//	orders.IDs.New()                          // ord_01k5xk3v8dtq6c9m4j0e7r2a1b
//
// An id is its prefix and 26 characters of Crockford's base 32 in lower case: 48 bits of
// Unix milliseconds and 80 random bits, as in ULID (github.com/ulid/spec). The order
// is for locality in an index; nothing may be concluded from it, since ids are made in
// several places and commit late.
package id

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// ID is the name of a T; the parameter only keeps kinds apart.
type ID[T any] string

// Ref is the name of a thing that the holder's module may not import. On a wire its
// shape is checked: a prefix, an underscore, 26 characters; empty stands for none.
type Ref string

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

var shape = regexp.MustCompile(`^[a-z]{2,8}_[0-9a-hjkmnp-tv-z]{26}$`)

// Maker makes and reads the ids of one kind of thing.
type Maker[T any] struct {
	Prefix string // with its underscore: "ord_"
}

// New is a fresh id.
func (m Maker[T]) New() ID[T] { return ID[T](New(m.Prefix)) }

// Parse reads an id, or says what is wrong with it.
func (m Maker[T]) Parse(s string) (ID[T], error) {
	if !m.Valid(ID[T](s)) {
		return "", fmt.Errorf("%q is not an id of the form %s…", s, m.Prefix)
	}
	return ID[T](s), nil
}

// Valid says whether i has the prefix and shape of this kind.
func (m Maker[T]) Valid(i ID[T]) bool {
	return strings.HasPrefix(string(i), m.Prefix) && shape.MatchString(string(i))
}

// New is a fresh id with the given prefix. Modules use their Maker.
func New(prefix string) string {
	var raw [16]byte
	ms := uint64(time.Now().UnixMilli()) //nolint:gosec // after 1970
	for i := range 6 {
		raw[i] = byte(ms >> (40 - 8*i))
	}
	_, _ = rand.Read(raw[6:]) // never fails: crypto/rand ends the program instead
	return prefix + encode(raw)
}

// encode writes 128 bits as 26 characters of five bits, the first of three.
func encode(raw [16]byte) string {
	var out [26]byte
	var acc uint64
	bits, at := 2, 0 // two leading zero bits make 130
	for _, b := range raw {
		acc = acc<<8 | uint64(b)
		bits += 8
		for bits >= 5 {
			bits -= 5
			out[at] = alphabet[acc>>bits&31]
			at++
		}
	}
	return string(out[:])
}

// RefOf is a typed id as a Ref.
func RefOf[T any](i ID[T]) Ref { return Ref(i) }

// UnmarshalJSON reads a Ref and checks its shape.
func (r *Ref) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	if !Ref(s).Valid() {
		return fmt.Errorf("%q is not an id", s)
	}
	*r = Ref(s)
	return nil
}

// Valid says whether r has the shape of an id, or is none.
func (r Ref) Valid() bool { return r == "" || shape.MatchString(string(r)) }

// HasPrefix says whether r names a thing of the kind with this prefix.
func (r Ref) HasPrefix(prefix string) bool { return strings.HasPrefix(string(r), prefix) }
