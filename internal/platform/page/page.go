// Package page is keyset paging: a list is read in its sort order, and the cursor of a page
// is the key of its last row, so that the thousandth page costs what the first does and
// nothing is skipped or repeated while rows come and go.
//
// Cursors are opaque to clients. They carry a hash of the filter they were made for and
// are refused with another, since a position in one list says nothing about another.
package page

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"

	"souk/internal/platform/errs"
)

// ErrCursor says that a cursor was not made by this list with this filter.
var ErrCursor = errs.Refusal(errs.Invalid, "page.cursor").
	With("this page address belongs to another list; start again from the first page")

// Request asks for one page. Limit 0 means the list's own default.
type Request struct {
	Cursor string `json:"cursor"` // of the page before; "" for the first
	Limit  int32  `json:"limit"`  // rows at most
}

// Size is the limit to use: Limit within 1 to most, or usual when none was asked for.
func (r Request) Size(usual, most int32) int {
	switch {
	case r.Limit <= 0:
		return int(usual)
	case r.Limit > most:
		return int(most)
	default:
		return int(r.Limit)
	}
}

type cursor struct {
	Filter []byte          `json:"f"`
	Key    json.RawMessage `json:"k"`
}

// Cursor makes the cursor that continues after the row with this key, in the list that
// filter describes. Both are plain values that marshal to JSON.
func Cursor(filter, key any) (string, error) {
	k, err := json.Marshal(key)
	if err != nil {
		return "", err
	}
	h, err := hash(filter)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(cursor{Filter: h, Key: k})
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(text), nil
}

// After reads the cursor into key and says whether there was one; ErrCursor if it is not of
// the list that filter describes.
func (r Request) After(filter, key any) (bool, error) {
	if r.Cursor == "" {
		return false, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(r.Cursor)
	if err != nil {
		return false, ErrCursor.Because(err)
	}
	var c cursor
	if err := json.Unmarshal(text, &c); err != nil {
		return false, ErrCursor.Because(err)
	}
	h, err := hash(filter)
	if err != nil {
		return false, err
	}
	if string(h) != string(c.Filter) {
		return false, ErrCursor
	}
	if err := json.Unmarshal(c.Key, key); err != nil {
		return false, ErrCursor.Because(err)
	}
	return true, nil
}

// hash is 48 bits of SHA-256: against mix-ups, not against forgery, since a cursor
// only says where to go on reading what its reader may read anyway.
func hash(filter any) ([]byte, error) {
	text, err := json.Marshal(filter)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	return sum[:6], nil
}
