package peer_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/peer"
	"souk/internal/platform/peer/peertest"
)

func TestACertificateNamesWhoMayCall(t *testing.T) {
	t.Parallel()
	ours := peertest.NewAuthority(t)
	serverTLS, err := peer.ServerTLS(ours.Files("server"))
	require.NoError(t, err)
	for proto, pools := range map[string]func(peer.PoolConfig) *http.Transport{"HTTP/2.0": peer.Pool, "HTTP/1.1": peer.Calls} {
		certificates(t, ours, serverTLS, proto, pools)
	}
}

// certificates tries them over one kind of connections: alone, and beside a secret.
func certificates(t *testing.T, ours *peertest.Authority, serverTLS *tls.Config, proto string, pools func(peer.PoolConfig) *http.Transport) {
	t.Helper()
	for _, demands := range []string{"", oldSecret} {
		rules := peer.Rules{TLS: true, Callers: []string{"orders", "cart", "search"}}
		if demands != "" {
			rules.Secrets = secrets(t, demands)
		}
		mux := peer.NewMux()
		mux.RPC("payments", nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(peer.From(r.Context()) + " " + r.Proto))
		}))
		at := serve(t, peer.Server(peer.ServerConfig{Handler: peer.Require(rules)(mux), TLS: serverTLS}))
		ask := func(config *tls.Config, caller string, signs []peer.Secret) (string, error) {
			pool := pools(peer.PoolConfig{TLS: config})
			t.Cleanup(pool.CloseIdleConnections)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+at+peer.RPCPath("payments", "Get"), nil)
			require.NoError(t, err)
			client := peer.Client(peer.Transport(pool, peer.Signer{Caller: caller, Secrets: signs}))
			if res, err := client.Do(r.Clone(t.Context())); err != nil {
				return "", err
			} else if err := res.Body.Close(); err != nil {
				return "", err
			}
			return say(t, client, r)
		}
		shop, err := peer.ClientTLS(ours.Files("shop", "souk://orders", "souk://cart"))
		require.NoError(t, err)
		for _, module := range []string{"orders", "cart"} {
			got, err := ask(shop, module, secrets(t, oldSecret))
			require.NoError(t, err)
			assert.Equal(t, module+" "+proto, got)
		}
		_, err = ask(shop, "search", secrets(t, oldSecret))
		require.ErrorIs(t, err, peer.ErrBadSignature, "a module that the certificate does not name")
		_, err = ask(shop, "orders", nil)
		if demands == "" {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, peer.ErrBadSignature, "the secret is demanded as well")
		}

		theirs := peertest.NewAuthority(t)
		stranger, err := peer.ClientTLS(theirs.Files("shop", "souk://orders"))
		require.NoError(t, err)
		stranger.RootCAs = shop.RootCAs
		_, err = ask(stranger, "orders", secrets(t, oldSecret))
		require.Error(t, err, "a certificate of another authority")
		trusting, err := peer.ClientTLS(ours.Files("shop", "souk://orders"))
		require.NoError(t, err)
		trusting.RootCAs = x509.NewCertPool()
		_, err = ask(trusting, "orders", secrets(t, oldSecret))
		require.Error(t, err, "a server that the client's authority has not signed")
	}
}

func TestACertificateDoesNotHelpWithoutTLS(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(r *peer.Rules) { r.TLS = true })
	_, err := say(t, w.orders(), w.request(""))
	require.ErrorIs(t, err, peer.ErrBadSignature)
}

func TestFilesThatAreNotThereAreNamed(t *testing.T) {
	t.Parallel()
	f := peertest.NewAuthority(t).Files("shop", "souk://orders")
	for _, spoil := range []func(*peer.Files){
		func(f *peer.Files) { f.Cert = "nowhere.pem" },
		func(f *peer.Files) { f.CA = "nowhere.pem" },
		func(f *peer.Files) { f.CA = f.Key },
	} {
		bad := f
		spoil(&bad)
		_, err := peer.ServerTLS(bad)
		require.Error(t, err)
		_, err = peer.ClientTLS(bad)
		require.Error(t, err)
	}
}
