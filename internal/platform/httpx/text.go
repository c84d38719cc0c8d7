package httpx

import (
	"bytes"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"souk/internal/platform/errs"
)

// A NUL is in nobody's text. PostgreSQL keeps none, so what came in with one would be an error there, and on SQLite
// a marketplace that cannot move. It is refused here, wherever in a request it stands; a body that is
// no text is its route's own concern.
const (
	nul     = "\x00"
	noText  = "has a NUL character, which no text has"
	instead = "\uFFFD"
)

// searched is the parameter of a text to look for. Any is good enough for that: in it, a NUL is a space.
const searched = "q"

// checkAddress refuses a NUL in the path and in what is asked for.
func checkAddress(u *url.URL) error {
	if strings.Contains(u.Path, nul) {
		return ErrMalformed.With("the address %s", noText)
	}
	if !strings.Contains(u.RawQuery, "%00") {
		return nil
	}
	parts := strings.Split(u.RawQuery, "&")
	for i, part := range parts {
		if strings.HasPrefix(part, searched+"=") {
			parts[i] = strings.ReplaceAll(part, "%00", "+")
		}
	}
	u.RawQuery = strings.Join(parts, "&")
	return checkValues(u.Query())
}

// checkForm refuses a NUL in a form.
func checkForm(h http.Header, body []byte) error {
	if !bytes.Contains(body, []byte("%00")) && !bytes.Contains(body, []byte(nul)) {
		return nil
	}
	if media, _, err := mime.ParseMediaType(h.Get("Content-Type")); err != nil || media != "application/x-www-form-urlencoded" {
		return nil //nolint:nilerr // it is no form then
	}
	values, _ := url.ParseQuery(string(body)) // what cannot be read is said by who reads it
	return checkValues(values)
}

func checkValues(values url.Values) error {
	var bad errs.Problems
	for name, all := range values {
		has := func(s string) bool { return strings.Contains(s, nul) }
		bad.Check(!has(name) && !slices.ContainsFunc(all, has), strings.ReplaceAll(name, nul, instead), noText)
	}
	return bad.Err(ErrInvalid)
}

// mayHaveNUL says whether a NUL can be in a JSON value: only written like this.
func mayHaveNUL(data []byte) bool { return bytes.Contains(data, []byte(`\u0000`)) }

// textProblem is a NUL in a string of JSON, or in a field's name, at the place where d is.
func textProblem(d *jsontext.Decoder, token jsontext.Token) error {
	if token.Kind() != '"' || !strings.Contains(token.String(), nul) {
		return nil
	}
	return inField(strings.ReplaceAll(pathOf(d.StackPointer()), nul, instead), noText)
}
