package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"

	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/reqid"
	"souk/internal/platform/rpc"
	"souk/internal/platform/rpc/contract/testdata/shop"
	"souk/internal/platform/rpc/contract/testdata/shop/shoprpc"
)

// shelf is a shop whose methods are set by each test.
type shelf struct {
	put  func(ctx context.Context, r shop.PutRequest) (shop.PutReply, error)
	get  func(ctx context.Context, r shop.GetRequest) (shop.GetReply, error)
	puts atomic.Int64
}

func (s *shelf) Put(ctx context.Context, r shop.PutRequest) (shop.PutReply, error) {
	s.puts.Add(1)
	if s.put == nil {
		return shop.PutReply{ID: r.Thing.ID}, nil
	}
	return s.put(ctx, r)
}

func (s *shelf) Get(ctx context.Context, r shop.GetRequest) (shop.GetReply, error) {
	if s.get == nil {
		return shop.GetReply{}, nil
	}
	return s.get(ctx, r)
}

func (s *shelf) List(context.Context, shop.ListRequest) (shop.Page[shop.Thing], error) {
	return shop.Page[shop.Thing]{Items: []shop.Thing{full()}, Next: "n"}, nil
}

// failure is what OnFailure heard.
type failure struct {
	method string
	err    error
}

func hear(heard *[]failure) func(context.Context, rpc.Method, error) {
	return func(_ context.Context, m rpc.Method, err error) { *heard = append(*heard, failure{m.Name, err}) }
}

func TestNothingIsSharedAcrossTheWire(t *testing.T) {
	t.Parallel()
	kept := &shop.Thing{Name: "kept", Tags: shop.Tags{"a"}, Stock: map[shop.ThingID]int64{"x": 1}}
	var got shop.PutRequest
	s := &shelf{
		put: func(_ context.Context, r shop.PutRequest) (shop.PutReply, error) {
			got = r
			r.Thing.Tags[0], r.Thing.Twin.Name, r.Thing.Stock["x"] = "changed", "changed", 9
			return shop.PutReply{}, nil
		},
		get: func(context.Context, shop.GetRequest) (shop.GetReply, error) { return shop.GetReply{Thing: *kept}, nil },
	}
	strict := shoprpc.Strict(s, rpc.StrictOptions{})

	sent := shop.PutRequest{Key: "k", Thing: shop.Thing{Tags: shop.Tags{"a"}, Twin: &shop.Thing{Name: "twin"}, Stock: map[shop.ThingID]int64{"x": 1}}}
	_, err := strict.Put(t.Context(), sent)
	require.NoError(t, err)
	assert.Equal(t, "a", sent.Thing.Tags[0], "the callee changed the caller's slice")
	assert.Equal(t, "twin", sent.Thing.Twin.Name, "the callee changed what the caller points to")
	assert.Equal(t, int64(1), sent.Thing.Stock["x"], "the callee changed the caller's map")
	assert.Equal(t, "changed", got.Thing.Tags[0])

	reply, err := strict.Get(t.Context(), shop.GetRequest{})
	require.NoError(t, err)
	assert.Equal(t, *kept, reply.Thing)
	reply.Thing.Tags[0] = "changed"
	assert.Equal(t, "a", kept.Tags[0], "the caller changed the callee's slice")

	page, err := strict.List(t.Context(), shop.ListRequest{})
	require.NoError(t, err)
	assert.Equal(t, "n", page.Next)
	assert.Equal(t, "fragile", *page.Items[0].Note)
}

func TestOfTheContextOnlyTraceAndRequestIDArrive(t *testing.T) {
	t.Parallel()
	type key struct{}
	span := trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled,
	})
	arrived := make(chan context.Context, 1)
	s := &shelf{get: func(ctx context.Context, _ shop.GetRequest) (shop.GetReply, error) {
		arrived <- ctx
		return shop.GetReply{}, ctx.Err()
	}}
	ctx := context.WithValue(t.Context(), key{}, "who may do what")
	ctx = reqid.With(trace.ContextWithSpanContext(ctx, span), "r1")
	_, err := shoprpc.Strict(s, rpc.StrictOptions{}).Get(ctx, shop.GetRequest{})
	require.NoError(t, err)

	inner := <-arrived
	assert.Nil(t, inner.Value(key{}))
	assert.Equal(t, "r1", reqid.From(inner))
	assert.Equal(t, span.TraceID(), trace.SpanContextFromContext(inner).TraceID())
	assert.Equal(t, span.SpanID(), trace.SpanContextFromContext(inner).SpanID())
	assert.True(t, trace.SpanContextFromContext(inner).IsRemote())
	require.ErrorIs(t, inner.Err(), context.Canceled, "the callee's context ends with the call")
}

func TestDeadlineAndCancellationArrive(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(time.Hour))
	defer cancel()
	s := &shelf{get: func(inner context.Context, _ shop.GetRequest) (shop.GetReply, error) {
		want, _ := ctx.Deadline()
		got, ok := inner.Deadline()
		assert.True(t, ok)
		assert.Equal(t, want, got)
		cancel()
		<-inner.Done()
		return shop.GetReply{}, fmt.Errorf("get: %w", inner.Err())
	}}
	_, err := shoprpc.Strict(s, rpc.StrictOptions{}).Get(ctx, shop.GetRequest{})
	require.Error(t, err)
	assert.Equal(t, errs.Unknown, errs.KindOf(err), "it may have been done")

	_, err = shoprpc.Strict(s, rpc.StrictOptions{}).Get(ctx, shop.GetRequest{})
	require.ErrorIs(t, err, rpc.ErrUnavailable, "a call that is over before it begins is never sent")
	require.ErrorIs(t, err, context.Canceled)
}

func TestOfAnErrorTheCauseStaysBehind(t *testing.T) {
	t.Parallel()
	cause := errors.New("secret")
	tests := map[string]struct {
		err  error
		want *errs.Error
	}{
		"a refusal":         {err: shop.ErrNotFound, want: &errs.Error{Kind: errs.NotFound, Code: "shop.not_found", Message: "not found"}},
		"wrapped":           {err: fmt.Errorf("get: %w", shop.ErrNotFound.With("no %s", "x")), want: &errs.Error{Kind: errs.NotFound, Code: "shop.not_found", Message: "no x"}},
		"with fields":       {err: shop.ErrNotFound.WithField("id", "gone").Because(cause), want: &errs.Error{Kind: errs.NotFound, Code: "shop.not_found", Message: "not found", Fields: map[string]string{"id": "gone"}}},
		"without kind":      {err: cause, want: &errs.Error{Kind: errs.Internal, Code: "souk.internal", Message: "something went wrong on our side"}},
		"with another kind": {err: &errs.Error{Kind: "sideways", Code: "shop.odd", Message: "odd"}, want: &errs.Error{Kind: errs.Internal, Code: "shop.odd", Message: "odd"}},
		"not UTF-8":         {err: shop.ErrNotFound.With("no \xff").WithField("\xff", "\xff"), want: &errs.Error{Kind: errs.NotFound, Code: "shop.not_found", Message: "no \ufffd", Fields: map[string]string{"\ufffd": "\ufffd"}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &shelf{get: func(context.Context, shop.GetRequest) (shop.GetReply, error) { return shop.GetReply{}, tt.err }}
			_, err := shoprpc.Strict(s, rpc.StrictOptions{}).Get(t.Context(), shop.GetRequest{})
			var got *errs.Error
			require.ErrorAs(t, err, &got)
			assert.Equal(t, tt.want, got)
			require.NotErrorIs(t, err, cause)
		})
	}
}

func TestTheCausesThatStayBehindAreHeard(t *testing.T) {
	t.Parallel()
	var heard []failure
	cause := errors.New("secret")
	s := &shelf{get: func(_ context.Context, r shop.GetRequest) (shop.GetReply, error) {
		switch r.ID {
		case "panic":
			panic("boom")
		case "refuse":
			return shop.GetReply{}, shop.ErrNotFound
		default:
			return shop.GetReply{}, cause
		}
	}}
	strict := shoprpc.Strict(s, rpc.StrictOptions{OnFailure: hear(&heard)})

	_, err := strict.Get(t.Context(), shop.GetRequest{ID: "panic"})
	require.ErrorIs(t, err, rpc.ErrInternal)
	assert.NotContains(t, err.Error(), "boom")
	_, err = strict.Get(t.Context(), shop.GetRequest{ID: "fail"})
	require.ErrorIs(t, err, rpc.ErrInternal)
	_, err = strict.Get(t.Context(), shop.GetRequest{ID: "refuse"})
	require.ErrorIs(t, err, shop.ErrNotFound)

	require.Len(t, heard, 2, "a refusal is an answer")
	var panicked *rpc.Panic
	require.ErrorAs(t, heard[0].err, &panicked)
	assert.Equal(t, "Get", heard[0].method)
	assert.Equal(t, "boom", panicked.Value)
	assert.Contains(t, string(panicked.Stack), "strict_test.go")
	require.ErrorIs(t, heard[1].err, cause)
}

func TestWhatIsNotAsTheContractSays(t *testing.T) {
	t.Parallel()
	s := &shelf{get: func(_ context.Context, r shop.GetRequest) (shop.GetReply, error) {
		if r.ID == "text" {
			return shop.GetReply{Thing: shop.Thing{Name: "\xff"}}, nil
		}
		return shop.GetReply{Thing: shop.Thing{Owner: "me"}}, nil
	}}
	var heard []failure
	strict := shoprpc.Strict(s, rpc.StrictOptions{OnFailure: hear(&heard)})

	t.Run("a request that cannot be encoded is invalid and not sent", func(t *testing.T) {
		_, err := strict.Put(t.Context(), shop.PutRequest{Key: "\xff"})
		require.ErrorIs(t, err, rpc.ErrMalformed)
		assert.Equal(t, map[string]string{"key": "must be valid UTF-8"}, errs.As(err).Fields)
		assert.Zero(t, s.puts.Load())
	})
	t.Run("so is one that cannot be decoded", func(t *testing.T) {
		_, err := strict.Put(t.Context(), shop.PutRequest{Key: "k", Thing: shop.Thing{Owner: "me"}})
		require.ErrorIs(t, err, rpc.ErrMalformed)
		assert.Equal(t, map[string]string{"thing.owner": `"me" is not an id`}, errs.As(err).Fields)
		assert.Zero(t, s.puts.Load())
	})
	t.Run("a reply that cannot be encoded is internal", func(t *testing.T) {
		heard = nil
		_, err := strict.Get(t.Context(), shop.GetRequest{ID: "text"})
		require.ErrorIs(t, err, rpc.ErrInternal)
		require.Len(t, heard, 1)
		require.ErrorContains(t, heard[0].err, "thing.name: must be valid UTF-8")
	})
	t.Run("so is one that cannot be decoded", func(t *testing.T) {
		heard = nil
		reply, err := strict.Get(t.Context(), shop.GetRequest{})
		require.ErrorIs(t, err, rpc.ErrInternal)
		assert.Equal(t, shop.GetReply{}, reply)
		require.Len(t, heard, 1)
		require.ErrorContains(t, heard[0].err, `decode the reply of shop.Get: thing.owner: "me" is not an id`)
	})
}

func TestFaults(t *testing.T) {
	t.Parallel()
	thing := shop.Thing{ID: shop.ThingIDs.New()}
	var waited time.Duration
	var done []string
	keys := map[string]bool{}
	s := &shelf{put: func(_ context.Context, r shop.PutRequest) (shop.PutReply, error) {
		if !keys[r.Key] { // as a command does: once per key
			keys[r.Key] = true
			done = append(done, r.Key)
		}
		return shop.PutReply{ID: r.Thing.ID}, nil
	}}
	script := rpc.NewScript(map[string][]rpc.Fault{"Put": {
		{Delay: time.Minute}, {Unavailable: true}, {LoseReply: true}, {}, {Repeat: true},
	}})
	strict := shoprpc.Strict(s, rpc.StrictOptions{
		Faults: script,
		Wait:   func(_ context.Context, d time.Duration) error { waited += d; return nil },
	})
	put := func(key string) (shop.PutReply, error) {
		return strict.Put(t.Context(), shop.PutRequest{Key: key, Thing: thing})
	}

	reply, err := put("delayed")
	require.NoError(t, err)
	assert.Equal(t, thing.ID, reply.ID)
	assert.Equal(t, time.Minute, waited)

	_, err = put("refused")
	require.ErrorIs(t, err, rpc.ErrUnavailable)
	assert.Equal(t, errs.Unavailable, errs.KindOf(err))
	assert.Equal(t, []string{"delayed"}, done, "not done")

	_, err = put("lost")
	require.ErrorIs(t, err, rpc.ErrReplyLost)
	assert.Equal(t, errs.Unknown, errs.KindOf(err))
	assert.Equal(t, []string{"delayed", "lost"}, done, "done, though nobody heard")
	_, err = put("lost")
	require.NoError(t, err, "unknown is settled by the same key")
	assert.Equal(t, []string{"delayed", "lost"}, done)

	s.puts.Store(0)
	reply, err = put("twice")
	require.NoError(t, err)
	assert.Equal(t, thing.ID, reply.ID)
	assert.Equal(t, int64(2), s.puts.Load())
	assert.Equal(t, []string{"delayed", "lost", "twice"}, done)

	assert.Zero(t, script.Left())
	s.puts.Store(0)
	_, err = put("plain")
	require.NoError(t, err)
	assert.Equal(t, int64(1), s.puts.Load(), "after the script calls pass")
}

func TestADelayThatOutlastsTheCallerIsNeverSent(t *testing.T) {
	t.Parallel()
	s := &shelf{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	strict := shoprpc.Strict(s, rpc.StrictOptions{Faults: rpc.Always{Delay: time.Hour}})
	_, err := strict.Put(ctx, shop.PutRequest{Key: "k"})
	require.ErrorIs(t, err, rpc.ErrUnavailable)
	assert.Zero(t, s.puts.Load())
}

func TestARepeatMustAnswerTheSame(t *testing.T) {
	t.Parallel()
	type outcome struct {
		reply shop.PutReply
		err   error
	}
	ok, other := outcome{reply: shop.PutReply{ID: "a"}}, outcome{reply: shop.PutReply{ID: "b"}}
	refused := outcome{err: shop.ErrNotFound.With("one")}
	tests := map[string]struct {
		first, second outcome
		want          error
	}{
		"the same":                  {first: ok, second: ok},
		"another reply":             {first: ok, second: other, want: rpc.ErrRepeatDiffers},
		"refused after done":        {first: ok, second: refused, want: rpc.ErrRepeatDiffers},
		"done after refused":        {first: refused, second: ok, want: rpc.ErrRepeatDiffers},
		"refused otherwise":         {first: refused, second: outcome{err: shop.ErrKeyReused}, want: rpc.ErrRepeatDiffers},
		"refused in other words":    {first: refused, second: outcome{err: shop.ErrNotFound.With("two")}, want: shop.ErrNotFound},
		"done after unavailable":    {first: outcome{err: shop.ErrBusy}, second: ok},
		"done after internal":       {first: outcome{err: errors.New("x")}, second: ok},
		"out of quota the 2nd time": {first: ok, second: outcome{err: errs.Refusal(errs.Exhausted, "shop.quota")}, want: errs.Refusal(errs.Exhausted, "shop.quota")},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			outcomes := []outcome{tt.first, tt.second}
			s := &shelf{put: func(context.Context, shop.PutRequest) (shop.PutReply, error) {
				o := outcomes[0]
				outcomes = outcomes[1:]
				return o.reply, o.err
			}}
			var heard []failure
			strict := shoprpc.Strict(s, rpc.StrictOptions{Faults: rpc.Always{Repeat: true}, OnFailure: hear(&heard)})
			reply, err := strict.Put(t.Context(), shop.PutRequest{Key: "k"})
			require.ErrorIs(t, err, tt.want)
			if tt.want == nil {
				assert.Equal(t, tt.second.reply, reply)
			}
			differs := errors.Is(err, rpc.ErrRepeatDiffers)
			last := len(heard) > 0 && errors.Is(heard[len(heard)-1].err, rpc.ErrRepeatDiffers)
			assert.Equal(t, differs, last, "a repeat that differs is told to whoever looks after the module")
		})
	}
	t.Run("a read may have changed in between", func(t *testing.T) {
		t.Parallel()
		n := clock.Time(0)
		s := &shelf{get: func(context.Context, shop.GetRequest) (shop.GetReply, error) {
			n++
			return shop.GetReply{Thing: shop.Thing{At: n}}, nil
		}}
		reply, err := shoprpc.Strict(s, rpc.StrictOptions{Faults: rpc.Always{Repeat: true}}).Get(t.Context(), shop.GetRequest{})
		require.NoError(t, err)
		assert.Equal(t, clock.Time(2), reply.Thing.At)
	})
}

func BenchmarkStrict(b *testing.B) {
	things := make([]shop.Thing, 3)
	for i := range things {
		things[i] = shop.Thing{ID: shop.ThingIDs.New(), Name: "Lamp", At: 1_750_000_000_123, Price: full().Price}
	}
	s := &shelf{get: func(context.Context, shop.GetRequest) (shop.GetReply, error) {
		return shop.GetReply{Thing: things[0]}, nil
	}}
	strict := shoprpc.Strict(s, rpc.StrictOptions{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := strict.Get(b.Context(), shop.GetRequest{ID: things[0].ID}); err != nil {
			b.Fatal(err)
		}
	}
}
