package control_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/control"
	"souk/internal/platform/errs"
	"souk/internal/platform/peer"
)

type countIn struct {
	To int32 `json:"to"`
}

type countOut struct {
	Sum int32 `json:"sum"`
}

var errTooFar = errs.Refusal(errs.Conflict, "test.too_far")

// serve serves dir until the test, or stop, ends it; done tells how it ended.
func serve(t *testing.T, dir string, s *control.Server) (stop func(), done chan error) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ln, err := control.Listen(ctx, dir, "souk")
	require.NoError(t, err)
	done = make(chan error, 1)
	go func() { done <- s.Serve(ctx, ln, time.Minute) }()
	t.Cleanup(stop)
	return stop, done
}

func counting() *control.Server {
	s := control.NewServer(zerolog.Nop())
	control.Handle(s, "count", func(_ context.Context, in countIn, say control.Say) (countOut, error) {
		if in.To > 10 {
			return countOut{}, errTooFar.With("not to %d", in.To)
		}
		var out countOut
		for i := range in.To {
			say("at %d", i)
			out.Sum += i
		}
		return out, nil
	})
	control.Handle(s, "panic", func(context.Context, countIn, control.Say) (countOut, error) { panic("boom") })
	return s
}

func dial(t *testing.T, dir string) *control.Client {
	t.Helper()
	c, err := control.Dial(t.Context(), dir, "souk")
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func TestACommandAnswersAndSaysHowFarItIs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	serve(t, dir, counting())
	c := dial(t, dir)
	var heard []string
	out, err := control.Call[countIn, countOut](t.Context(), c, "count", countIn{To: 3}, func(line string) { heard = append(heard, line) })
	require.NoError(t, err)
	assert.Equal(t, countOut{Sum: 3}, out)
	assert.Equal(t, []string{"at 0", "at 1", "at 2"}, heard)
}

func TestAFailureKeepsItsCode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	serve(t, dir, counting())
	c := dial(t, dir)
	_, err := control.Call[countIn, countOut](t.Context(), c, "count", countIn{To: 11}, nil)
	require.ErrorIs(t, err, errTooFar)
	assert.Equal(t, errs.Conflict, errs.KindOf(err))
	_, err = control.Call[countIn, countOut](t.Context(), c, "guess", countIn{}, nil)
	require.ErrorIs(t, err, control.ErrNoSuch)
	_, err = control.Call[countIn, countOut](t.Context(), c, "panic", countIn{}, nil)
	assert.Equal(t, errs.Internal, errs.KindOf(err))
	_, err = control.Call[countIn, countOut](t.Context(), c, "count", countIn{To: 1}, nil)
	require.NoError(t, err, "a panic ends one command, not the server")
}

// Who asks from another machine hears what a client may hear, and an operator on this one the cause too.
func TestACauseStaysOnItsMachine(t *testing.T) {
	t.Parallel()
	s := control.NewServer(zerolog.Nop())
	control.Handle(s, "refuse", func(context.Context, countIn, control.Say) (countOut, error) {
		return countOut{}, errTooFar.With("not that far").Because(errors.New("/secret/path"))
	})
	control.Handle(s, "fail", func(context.Context, countIn, control.Say) (countOut, error) {
		return countOut{}, errors.New("/secret/path is damaged")
	})
	control.Handle(s, "private", func(context.Context, countIn, control.Say) (countOut, error) { return countOut{}, nil })
	server := httptest.NewServer(s.Handler(func(name string) bool { return name != "private" }))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	serve(t, dir, s)
	there, here := control.Over(server.Client(), server.URL), dial(t, dir)
	for _, name := range []string{"refuse", "fail"} {
		_, err := control.Call[countIn, countOut](t.Context(), there, name, countIn{}, nil)
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "secret", name)
		_, local := control.Call[countIn, countOut](t.Context(), here, name, countIn{}, nil)
		assert.ErrorContains(t, local, "/secret/path")
		assert.Equal(t, errs.CodeOf(local), errs.CodeOf(err))
	}
	_, err := control.Call[countIn, countOut](t.Context(), there, "private", countIn{}, nil)
	require.ErrorIs(t, err, peer.ErrNotHere)
}

func TestTheSocketIsItsOwnersAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stop, done := serve(t, dir, counting())
	info, err := os.Stat(control.Path(dir, "souk"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	stop()
	require.NoError(t, <-done)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries, "it leaves nothing behind")
}

func TestWithoutAServerDialSaysSo(t *testing.T) {
	t.Parallel()
	_, err := control.Dial(t.Context(), t.TempDir(), "souk")
	require.ErrorIs(t, err, control.ErrNoServer)
	_, err = control.Dial(t.Context(), filepath.Join(t.TempDir(), "none"), "souk")
	require.ErrorIs(t, err, control.ErrNoServer)
}

func TestASocketLeftBehindIsNoServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ln, err := control.Listen(t.Context(), dir, "souk")
	require.NoError(t, err)
	// As after SIGKILL: the descriptor is gone, the file is not.
	path := control.Path(dir, "souk")
	kept := filepath.Join(dir, "kept")
	require.NoError(t, os.Link(path, kept))
	require.NoError(t, ln.Close())
	require.NoError(t, os.Rename(kept, path))

	_, err = control.Dial(t.Context(), dir, "souk")
	require.ErrorIs(t, err, control.ErrNoServer)
	serve(t, dir, counting())
	_, err = control.Call[countIn, countOut](t.Context(), dial(t, dir), "count", countIn{To: 1}, nil)
	require.NoError(t, err)
}

func TestASecondServerIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	serve(t, dir, counting())
	_, err := control.Listen(t.Context(), dir, "souk")
	assert.ErrorContains(t, err, "another souk is running")
}

func TestALongFolderNameWorks(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	require.NoError(t, os.Mkdir(dir, 0o700))
	serve(t, dir, counting())
	_, err := control.Call[countIn, countOut](t.Context(), dial(t, dir), "count", countIn{To: 1}, nil)
	require.NoError(t, err)
}

func TestStoppingFinishesACommandInFlight(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := control.NewServer(zerolog.Nop())
	begun, finish := make(chan struct{}), make(chan struct{})
	control.Handle(s, "slow", func(ctx context.Context, _ countIn, _ control.Say) (countOut, error) {
		close(begun)
		<-finish
		return countOut{Sum: 1}, ctx.Err()
	})
	stop, done := serve(t, dir, s)
	c := dial(t, dir)
	answer := make(chan error, 1)
	go func() {
		out, err := control.Call[countIn, countOut](context.WithoutCancel(t.Context()), c, "slow", countIn{}, nil)
		if err == nil && out.Sum != 1 {
			err = errors.New("wrong answer")
		}
		answer <- err
	}()
	<-begun
	stop()
	close(finish)
	require.NoError(t, <-answer)
	require.NoError(t, <-done)
}
