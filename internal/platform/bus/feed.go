package bus

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"souk/internal/platform/errs"
	"souk/internal/platform/peer"
)

// The bounds of what a feed hands out at once: a reader who is slow has that much in hand and
// the rest stays in the log.
const (
	feedEvents = 256
	feedBytes  = 4 << 20
	feedWait   = 25 * time.Second // less than what proxies take for a dead connection
)

// ErrFeed says that a feed was asked for something that it does not understand.
var ErrFeed = errs.Refusal(errs.Invalid, "bus.feed")

// Feed serves a log to other processes, behind peer.Require:
//
//	GET …?after=17&limit=256            a Page
//	GET …?epoch=…&head=42&wait=25000    {"news": true} as soon as the log differs from
//	                                    that, {"news": false} after so many milliseconds
//
// Nothing is kept for a reader between two requests. When ctx ends every wait ends with it, and none
// begins, so that a server that shuts down does not have to break them off.
func Feed(ctx context.Context, source Source) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		var answer any
		var err error
		if query.Has("wait") {
			answer, err = feedNews(ctx, r, source, query)
		} else {
			answer, err = feedPage(r, source, query)
		}
		if err != nil {
			peer.WriteError(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_ = json.NewEncoder(w).Encode(answer) // the reader may be gone, and will ask again
	})
}

func number(query url.Values, name string) (int64, error) {
	n, err := strconv.ParseInt(query.Get(name), 10, 64)
	if err != nil || n < 0 {
		return 0, ErrFeed.With("%s is not a number of this log", name).WithField(name, "should be a whole number from 0 on")
	}
	return n, nil
}

func feedPage(r *http.Request, source Source, query url.Values) (Page, error) {
	after, err := number(query, "after")
	if err != nil {
		return Page{}, err
	}
	limit, err := number(query, "limit")
	if err != nil {
		return Page{}, err
	}
	page, err := source.Page(r.Context(), after, int(min(max(limit, 1), feedEvents)))
	if err != nil {
		return Page{}, errUnreadable(err)
	}
	page.Events = Cut(page.Events, feedBytes)
	return page, nil
}

// news is the answer to who waits.
type news struct {
	News bool `json:"news"`
}

func feedNews(ctx context.Context, r *http.Request, source Source, query url.Values) (news, error) {
	head, err := number(query, "head")
	if err != nil {
		return news{}, err
	}
	wait, err := number(query, "wait")
	if err != nil {
		return news{}, err
	}
	if ctx.Err() != nil {
		return news{}, ErrNotReachable.With("this process is ending")
	}
	patience := min(time.Duration(min(wait, feedWait.Milliseconds()))*time.Millisecond, feedWait)
	waiting, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	err = source.Wait(waiting, State{Epoch: query.Get("epoch"), Head: head}) //nolint:contextcheck // it is the request's context; ctx only ends it early
	if err != nil && waiting.Err() == nil {
		return news{}, errUnreadable(err)
	}
	return news{News: err == nil}, nil
}

// errUnreadable is why a log cannot be read, as it crosses to another process: circumstances, which
// nobody's event is to blame for.
func errUnreadable(err error) error {
	return ErrNotReachable.With("the event log cannot be read at the moment").Because(err)
}

// Cut is as many of the first events as have about so many bytes together, and at least one.
func Cut(events []Event, bytes int) []Event {
	const frame = 200 // of what is around a body
	sum := 0
	for i, e := range events {
		sum += len(e.Body) + len(e.Key) + len(e.Name) + frame
		if sum > bytes && i > 0 {
			return events[:i]
		}
	}
	return events
}

// ErrNotReachable says that a log which another process holds cannot be read now. It parks nothing: the
// subscriber rests and tries again.
var ErrNotReachable = errs.Refusal(errs.Unavailable, "bus.not_reachable")

// lostAnswer is what went wrong with a request to another process, as a circumstance.
func lostAnswer(log Log, err error) error {
	return ErrNotReachable.With("the event log of %s cannot be reached", log).Because(err)
}
