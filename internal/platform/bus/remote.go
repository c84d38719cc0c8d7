package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"souk/internal/platform/peer"
)

// RemoteConfig says where a log is that another process holds.
type RemoteConfig struct {
	Client *http.Client         // peer.Client: it proves who asks
	URL    string               // of that process's private listener
	Log    Log                  // its name
	Tracer trace.TracerProvider // default: OpenTelemetry's global one
}

const (
	remotePage   = 15 * time.Second // for a page to arrive
	remoteGrace  = 10 * time.Second // beyond a wait's own length
	remoteAnswer = 64 << 20         // bytes; one event alone may be long
)

// RemoteSource is the log that Feed serves in another process. Whatever goes wrong between here and there is
// unavailable: the subscriber, which keeps its cursor, rests and asks again.
func RemoteSource(o RemoteConfig) Source {
	if o.Tracer == nil {
		o.Tracer = otel.GetTracerProvider()
	}
	return &remote{
		RemoteConfig: o, tracer: o.Tracer.Tracer("souk/internal/platform/bus"),
		at: strings.TrimRight(o.URL, "/") + peer.EventsPath(string(o.Log)),
	}
}

type remote struct {
	RemoteConfig
	tracer trace.Tracer
	at     string
}

// Page asks for one.
func (r *remote) Page(ctx context.Context, after int64, limit int) (Page, error) {
	ctx, span := r.tracer.Start(ctx, "read events of "+string(r.Log), trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.String("souk.log", string(r.Log)), attribute.Int64("souk.position", after)))
	defer span.End()
	ctx, cancel := context.WithTimeout(ctx, remotePage)
	defer cancel()
	var page Page
	err := r.get(ctx, url.Values{"after": {strconv.FormatInt(after, 10)}, "limit": {strconv.Itoa(limit)}}, &page)
	if err == nil && page.Epoch == "" {
		err = lostAnswer(r.Log, errors.New("the page does not say of which epoch it is"))
	}
	if err != nil {
		span.SetStatus(codes.Error, "the page did not come")
		return Page{}, err
	}
	return page, nil
}

// Wait asks to be told, again and again.
func (r *remote) Wait(ctx context.Context, seen State) error {
	query := url.Values{
		"epoch": {seen.Epoch}, "head": {strconv.FormatInt(seen.Head, 10)}, "wait": {strconv.FormatInt(feedWait.Milliseconds(), 10)},
	}
	for {
		var answer news
		if err := r.poll(ctx, query, &answer); err != nil || answer.News {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

func (r *remote) poll(ctx context.Context, query url.Values, into *news) error {
	ctx, cancel := context.WithTimeout(ctx, feedWait+remoteGrace)
	defer cancel()
	return r.get(ctx, query, into)
}

func (r *remote) get(ctx context.Context, query url.Values, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.at+"?"+query.Encode(), nil)
	if err != nil {
		return lostAnswer(r.Log, err)
	}
	response, err := r.Client.Do(request)
	if err != nil {
		return lostAnswer(r.Log, err)
	}
	defer func() { _ = response.Body.Close() }() // it was read as far as it was wanted
	if response.StatusCode != http.StatusOK {
		return lostAnswer(r.Log, peer.ReadError(response))
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, remoteAnswer))
	if err != nil {
		return lostAnswer(r.Log, fmt.Errorf("read the answer: %w", err))
	}
	if err := json.Unmarshal(body, into); err != nil {
		return lostAnswer(r.Log, fmt.Errorf("understand the answer: %w", err))
	}
	return nil
}
