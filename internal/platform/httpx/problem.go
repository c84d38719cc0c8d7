package httpx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"souk/internal/platform/errs"
)

// What httpx itself has to say. All are declared here, so that clients can rely on them.
var (
	ErrInvalid     = errs.Refusal(errs.Invalid, "souk.invalid")
	ErrMalformed   = errs.Refusal(errs.Invalid, "souk.malformed")
	ErrTooLarge    = errs.Refusal(errs.Invalid, "souk.too_large")
	ErrTooSlow     = errs.Refusal(errs.Invalid, "souk.too_slow").With("the body did not arrive in time")
	ErrMediaType   = errs.Refusal(errs.Invalid, "souk.media_type").With("send the body as application/json, not compressed")
	ErrNoRoute     = errs.Refusal(errs.NotFound, "souk.no_route").With("there is nothing at this address")
	ErrMethod      = errs.Refusal(errs.Invalid, "souk.method").With("this address does not take that method")
	ErrCrossOrigin = errs.Refusal(errs.Forbidden, "souk.cross_origin").With("another site may not do this for you")
	ErrTooMany     = errs.Refusal(errs.Exhausted, "souk.too_many")
)

// statuses is what each kind is in HTTP. A test says that every kind has one.
var statuses = map[errs.Kind]int{
	errs.Invalid:         http.StatusBadRequest,
	errs.Mismatch:        http.StatusUnprocessableEntity,
	errs.Unauthenticated: http.StatusUnauthorized,
	errs.Forbidden:       http.StatusForbidden,
	errs.NotFound:        http.StatusNotFound,
	errs.Conflict:        http.StatusConflict,
	errs.Exhausted:       http.StatusTooManyRequests,
	errs.Unavailable:     http.StatusServiceUnavailable,
	errs.Unknown:         http.StatusGatewayTimeout,
	errs.Internal:        http.StatusInternalServerError,
}

// finer is where HTTP has a word of its own for what went wrong before any handler.
var finer = map[errs.Code]int{
	ErrTooLarge.Code:  http.StatusRequestEntityTooLarge,
	ErrTooSlow.Code:   http.StatusRequestTimeout,
	ErrMediaType.Code: http.StatusUnsupportedMediaType,
	ErrMethod.Code:    http.StatusMethodNotAllowed,
}

// Status is the HTTP status of err: its kind's.
func Status(err error) int {
	e := errs.As(err)
	if status, ok := finer[e.Code]; ok {
		return status
	}
	if status, ok := statuses[e.Kind]; ok {
		return status
	}
	return http.StatusInternalServerError
}

// Problem is an error as clients see it: RFC 9457 with the stable code, what kind of failure
// it is, the bad fields, and the request's id.
type Problem struct {
	Title     string            `json:"title" doc:"The status in words." example:"Conflict"`
	Status    int               `json:"status" doc:"The HTTP status." example:"409"`
	Detail    string            `json:"detail" doc:"What happened, for people." example:"this key was used for another amount"`
	Code      string            `json:"code" doc:"What happened, for programs; it never changes." example:"payments.key_reused"`
	Kind      string            `json:"kind" enum:"invalid,mismatch,unauthenticated,forbidden,not_found,conflict,exhausted,unavailable,unknown,internal" doc:"The class of failure: whether trying again can help." example:"mismatch"`
	Fields    map[string]string `json:"fields" doc:"Problems by field of the request."`
	RequestID string            `json:"request_id" doc:"To be named when asking for help."`

	headers http.Header
}

// Error is the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders are the headers that go with the problem.
func (p *Problem) GetHeaders() http.Header { return p.headers }

// ContentType is application/problem+json.
func (p *Problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

// problemOf is err as clients see it.
func problemOf(requestID string, err error) *Problem {
	e := errs.As(err)
	status := Status(e)
	p := &Problem{
		Title: http.StatusText(status), Status: status, Detail: readable(e.Message), Code: string(e.Code), Kind: string(e.Kind),
		Fields: make(map[string]string, len(e.Fields)), RequestID: requestID, headers: http.Header{},
	}
	for name, what := range e.Fields {
		p.Fields[readable(name)] = readable(what)
	}
	p.headers.Set("Cache-Control", "no-store")
	if status == http.StatusUnauthorized {
		p.headers.Set("WWW-Authenticate", "Bearer")
	}
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		p.headers.Set("Retry-After", retryAfter(err))
	}
	return p
}

// readable is text with what is no UTF-8 mended: a field may be named as the client wrote it, and no JSON could say that.
func readable(text string) string { return strings.ToValidUTF8(text, instead) }

// write sends the problem.
func (p *Problem) write(w http.ResponseWriter) {
	for name, values := range p.headers {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client may be gone
}

// later is an error with the time after which trying again makes sense.
type later struct {
	error
	after time.Duration
}

func (l *later) Unwrap() error             { return l.error }
func (l *later) RetryAfter() time.Duration { return l.after }

// Later is err, whose answer tells the client to come again after d.
func Later(err error, d time.Duration) error { return &later{error: err, after: d} }

// retryAfter is err's wait in whole seconds, at least one.
func retryAfter(err error) string {
	var l interface{ RetryAfter() time.Duration }
	if !errors.As(err, &l) {
		return "1"
	}
	return strconv.Itoa(max(1, int(math.Ceil(l.RetryAfter().Seconds()))))
}

// speakForHuma makes huma report its findings as Problems. huma offers variables of its
// package for that, set once here and never again.
var speakForHuma = sync.OnceFunc(func() {
	huma.ValidateStrictCasing = true
	huma.DefaultArrayNullable = false // a list may be empty, never null
	huma.NewError = func(status int, msg string, problems ...error) huma.StatusError {
		return foundByHuma("", status, msg, problems)
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, msg string, problems ...error) huma.StatusError {
		x := exchangeOf(ctx.Context())
		p := foundByHuma(x.id, status, msg, problems)
		x.code = errs.Code(p.Code)
		return p
	}
})

// foundByHuma is what is wrong with a request, every field at once and no value repeated.
func foundByHuma(requestID string, status int, msg string, found []error) *Problem {
	if status >= http.StatusInternalServerError {
		return problemOf(requestID, fmt.Errorf("huma: %s", msg))
	}
	var bad errs.Problems
	for _, f := range found {
		detailer, ok := f.(huma.ErrorDetailer)
		if !ok {
			continue
		}
		d := detailer.ErrorDetail()
		field, problem := fieldProblem(d.Location, d.Message)
		if field == "" {
			return problemOf(requestID, ErrMalformed.With("%s", problem))
		}
		bad.Add(field, "%s", problem)
	}
	err := bad.Err(ErrInvalid)
	if err == nil {
		err = ErrMalformed.With("%s", msg)
	}
	return problemOf(requestID, err)
}

// fieldProblem turns huma's "body.lines[0]", "expected required property sku to be present"
// into "lines[0].sku", "is required".
func fieldProblem(location, message string) (field, problem string) {
	if at, ok := strings.CutPrefix(message, atField); ok {
		field, problem, _ = strings.Cut(at, nul)
		return field, problem
	}
	_, field, _ = strings.Cut(location, ".")
	if name, ok := strings.CutPrefix(message, "expected required property "); ok {
		name = strings.TrimSuffix(name, " to be present")
		if field != "" {
			name = field + "." + name
		}
		return name, "is required"
	}
	switch {
	case strings.HasPrefix(message, "required ") && strings.HasSuffix(message, " parameter is missing"):
		return field, "is required"
	case message == "unexpected property", message == "unknown query parameter":
		return field, "is not known here"
	case strings.HasPrefix(message, "expected "):
		return field, "should be" + strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(message, "expected"), " string to be"), " value to be")
	default:
		return field, message
	}
}

// WriteProblem answers r with err outside of Route, for handlers that write themselves.
func WriteProblem(w http.ResponseWriter, r *http.Request, err error) {
	x := exchangeOf(r.Context())
	x.answer(r.Context(), err).write(w)
}

// answer notes err for the log and is what the client gets.
func (x *exchange) answer(_ context.Context, err error) *Problem {
	if n, ok := asNotModified(err); ok {
		return &Problem{Status: http.StatusNotModified, headers: http.Header{"Etag": {n.tag}}}
	}
	x.note(err)
	return problemOf(x.id, x.asRead(err))
}

// asRead is err, as a request that only looks has it: where nothing was to be done, an answer that never came
// leaves nothing unknown. It could not be had just now, and looking again is all there is to do.
func (x *exchange) asRead(err error) error {
	if x.request == nil || x.request.Method != http.MethodGet && x.request.Method != http.MethodHead || errs.KindOf(err) != errs.Unknown {
		return err
	}
	e := *errs.As(err)
	e.Kind, e.Err = errs.Unavailable, err
	return &e
}

// note keeps what the log line says of err: its code, and the cause if someone must look.
func (x *exchange) note(err error) {
	e := errs.As(err)
	x.code = e.Code
	if e.Kind == errs.Internal || e.Kind == errs.Unknown || e.Kind == errs.Unavailable {
		x.err = err
	}
}
