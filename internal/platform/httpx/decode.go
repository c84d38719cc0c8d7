package httpx

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth bounds how deep JSON may nest: no request of souk's needs more.
const maxDepth = 32

// strictJSON is the format that huma decodes and encodes with. Unknown fields and other
// spellings of a field's name are refused by the schema; here falls what a schema does not
// see: what follows the value, a name that comes twice, invalid UTF-8, and depth.
var strictJSON = huma.Format{
	// A nil list or map is written as an empty one, as everywhere in souk.
	Marshal: func(w io.Writer, v any) error {
		if done, err := writeEncoded(w, v); done {
			return err
		}
		return json.MarshalWrite(w, v, json.Deterministic(true))
	},
	Unmarshal: func(data []byte, v any) error {
		if _, again := v.(*any); again { // huma decodes twice, first for the schema
			if err := checkJSON(data); err != nil {
				return err
			}
		}
		return fieldError(json.Unmarshal(data, v))
	},
}

// atField begins the text of an error that concerns one field; huma hands on no more than text.
const atField = "\x00field "

// inField is a problem of the field at that path.
func inField(path, problem string) error { return errors.New(atField + path + nul + problem) }

// pathOf is where a JSON value is, as the bad fields of a request are named: lines[0].sku.
func pathOf(at jsontext.Pointer) string {
	var path strings.Builder
	for name := range at.Tokens() {
		if _, err := strconv.Atoi(name); err == nil {
			path.WriteString("[" + name + "]")
			continue
		}
		if path.Len() > 0 {
			path.WriteByte('.')
		}
		path.WriteString(name)
	}
	return path.String()
}

// fieldError says which field it is that has the right JSON type and still cannot be read: a
// number out of range, an id of the wrong shape. What stood there is not repeated.
func fieldError(err error) error {
	var bad *json.SemanticError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &bad) && bad.JSONPointer != "":
		return inField(pathOf(bad.JSONPointer), "has a value that cannot be read")
	default:
		return errors.New("the body has a value that cannot be read")
	}
}

// checkJSON says what is wrong with data as one JSON value, without repeating any of it.
func checkJSON(data []byte) error {
	d := jsontext.NewDecoder(bytes.NewReader(data))
	suspect := mayHaveNUL(data)
	for {
		token, err := d.ReadToken()
		if errors.Is(err, io.EOF) {
			return errors.New("the body is not complete")
		}
		if err != nil {
			return syntaxProblem(err, d.InputOffset())
		}
		if d.StackDepth() > maxDepth {
			return fmt.Errorf("the body nests deeper than %d", maxDepth)
		}
		if suspect {
			if err := textProblem(d, token); err != nil {
				return err
			}
		}
		if d.StackDepth() == 0 {
			break
		}
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return errors.New("there is something after the JSON value")
	}
	return nil
}

func syntaxProblem(err error, at int64) error {
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return fmt.Errorf("a field comes twice, near byte %d of the body", at)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the body is not complete")
	default:
		return fmt.Errorf("the body is not JSON, near its byte %d", at)
	}
}

// readBody takes the whole body in, bounded in size and time, and puts it where huma reads.
// It happens before the module's door, so that slow senders take nobody's place.
func (rt *route) readBody(w http.ResponseWriter, r *http.Request) error {
	if !rt.hasBody {
		return nil
	}
	if err := rt.checkMediaType(r.Header); err != nil {
		return err
	}
	_, err := takeBody(w, r, rt.MaxBody)
	return err
}

func (rt *route) checkMediaType(h http.Header) error {
	if e := h.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return ErrMediaType
	}
	sent := h.Get("Content-Type")
	if sent == "" || rt.raw {
		return nil
	}
	media, params, err := mime.ParseMediaType(sent)
	if err != nil || media != "application/json" {
		return ErrMediaType
	}
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		return ErrMediaType
	}
	return nil
}

// takeBody reads r's body whole and replaces it by what was read. The time for it began at the
// edge, and net/http ends it when the body is in: the handler's own time is another.
func takeBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength == 0 || r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	tooLarge := ErrTooLarge.With("the body may have %d bytes at most", limit)
	if r.ContentLength > limit {
		return nil, tooLarge
	}
	var buf bytes.Buffer
	if r.ContentLength > 0 {
		buf.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	_, err := buf.ReadFrom(http.MaxBytesReader(w, r.Body, limit))
	var over *http.MaxBytesError
	var slow net.Error
	switch {
	case errors.As(err, &over):
		return nil, tooLarge
	case errors.As(err, &slow) && slow.Timeout():
		return nil, ErrTooSlow
	case err != nil:
		return nil, ErrMalformed.With("the body did not arrive whole").Because(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(buf.Bytes()))
	return buf.Bytes(), nil
}
