package peer_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"souk/internal/platform/peer"
)

// What the proof costs: the same call of 1 kB over the same kind of connection, without and with it.
func BenchmarkCall(b *testing.B) {
	signs, err := peer.ParseSecrets(oldSecret)
	if err != nil {
		b.Fatal(err)
	}
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(body)
	})
	body := bytes.Repeat([]byte("x"), 1000)
	for name, signed := range map[string]bool{"plain": false, "signed": true} {
		b.Run(name, func(b *testing.B) {
			var handler http.Handler = echo
			pool := peer.Pool(peer.PoolConfig{})
			defer pool.CloseIdleConnections()
			var over http.RoundTripper = pool
			if signed {
				handler = peer.Require(peer.Rules{Secrets: signs, Callers: []string{"orders"}})(echo)
				over = peer.Transport(pool, peer.Signer{Caller: "orders", Secrets: signs})
			}
			client := peer.Client(over)
			address := "http://" + serve(b, peer.Server(peer.ServerConfig{Handler: handler})) + peer.RPCPath("payments", "Get")
			b.ReportAllocs()
			for b.Loop() {
				r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, address, bytes.NewReader(body))
				if err != nil {
					b.Fatal(err)
				}
				res, err := client.Do(r)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
					b.Fatal(res.Status, err)
				}
				_ = res.Body.Close()
			}
		})
	}
}
