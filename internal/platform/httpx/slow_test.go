package httpx_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/actor"
	"souk/internal/platform/httpx"
)

// pipes is a listener whose connections are pipes in memory, so that a bubble's clock moves
// their deadlines.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// dial sends text over a new connection and gives back the rest of it.
func (p *pipes) dial(t *testing.T, text string) net.Conn {
	t.Helper()
	mine, theirs := net.Pipe()
	p.conns <- theirs
	_, err := io.WriteString(mine, text)
	require.NoError(t, err)
	return mine
}

func inBubble(t *testing.T, test func(t *testing.T, w *world, p *pipes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		httpx.Route(w.api, httpx.Op{Method: "POST", Path: "/api/v1/shop/slow", Who: httpx.Anyone, Summary: "Be slow"},
			func(ctx context.Context, _ actor.Actor, in orderIn) (textOut, error) {
				time.Sleep(25 * time.Second) // the bubble's time: longer than a body may take
				return say(in.Body.Name), ctx.Err()
			})
		w.server.Pages(w.door, func(r chi.Router) {
			r.Post("/slow", func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(25 * time.Second)
				if r.Context().Err() != nil {
					w.WriteHeader(http.StatusGatewayTimeout)
				}
			})
		})
		p := newPipes()
		server := httpx.HTTPServer(w.server.Handler())
		go server.Serve(p)
		test(t, w, p)
		require.NoError(t, server.Close())
	})
}

const (
	postHead = "POST /api/v1/shop/slow HTTP/1.1\r\nHost: souk\r\nIdempotency-Key: key-of-test\r\n"
	goodBody = `{"name":"Ada","lines":[{"sku":"a","quantity":1}]}`
)

func TestAHeadThatNeverEndsIsCutOff(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, _ *world, p *pipes) {
		begun := time.Now()
		_, err := io.ReadAll(p.dial(t, "GET /api/v1/shop HTTP/1.1\r\nX-Slow: "))
		require.NoError(t, err, "the server closes")
		assert.LessOrEqual(t, time.Since(begun), 11*time.Second)
	})
}

func TestABodyThatNeverEndsIsCutOffAndTakesNobodysPlace(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world, p *pipes) {
		conn := p.dial(t, postHead+"Content-Length: 49\r\n\r\n{\"na")
		synctest.Wait()
		assert.Zero(t, w.door.Stats().InFlight, "it has not come through the module's door")
		begun := time.Now()
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		assert.Equal(t, 408, res.StatusCode)
		assert.LessOrEqual(t, time.Since(begun), 16*time.Second)
		conn.Close()
	})
}

func TestTheTimeForABodyIsNotTheTimeOfTheHandler(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, _ *world, p *pipes) {
		for _, request := range []string{
			postHead + "Content-Length: 49\r\n\r\n" + goodBody,
			"POST /slow HTTP/1.1\r\nHost: souk\r\nContent-Length: 3\r\n\r\na=b",
		} {
			conn := p.dial(t, request)
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			require.NoError(t, err)
			assert.Equal(t, 200, res.StatusCode, request)
			conn.Close()
		}
	})
}
