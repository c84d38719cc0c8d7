package peer_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/peer"
)

// authority signs certificates for the tests.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	a.key = newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	require.NoError(t, err)
	a.cert, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	a.write("ca.pem", "CERTIFICATE", der)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return key
}

func (a *authority) write(name, kind string, der []byte) string {
	a.t.Helper()
	path := filepath.Join(a.dir, name)
	require.NoError(a.t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
	return path
}

// files are a certificate that names the URIs.
func (a *authority) files(name string, uris ...string) peer.Files {
	a.t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	for _, s := range uris {
		uri, err := url.Parse(s)
		require.NoError(a.t, err)
		template.URIs = append(template.URIs, uri)
	}
	key := newKey(a.t)
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	require.NoError(a.t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(a.t, err)
	return peer.Files{
		Cert: a.write(name+".pem", "CERTIFICATE", der), Key: a.write(name+".key", "PRIVATE KEY", pkcs8), CA: filepath.Join(a.dir, "ca.pem"),
	}
}

func TestACertificateNamesWhoMayCall(t *testing.T) {
	t.Parallel()
	ours := newAuthority(t)
	serverTLS, err := peer.ServerTLS(ours.files("server"))
	require.NoError(t, err)
	for proto, pools := range map[string]func(peer.PoolConfig) *http.Transport{"HTTP/2.0": peer.Pool, "HTTP/1.1": peer.Calls} {
		certificates(t, ours, serverTLS, proto, pools)
	}
}

// certificates tries them over one kind of connections: alone, and beside a secret.
func certificates(t *testing.T, ours *authority, serverTLS *tls.Config, proto string, pools func(peer.PoolConfig) *http.Transport) {
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
		shop, err := peer.ClientTLS(ours.files("shop", "souk://orders", "souk://cart"))
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

		theirs := newAuthority(t)
		stranger, err := peer.ClientTLS(theirs.files("shop", "souk://orders"))
		require.NoError(t, err)
		stranger.RootCAs = shop.RootCAs
		_, err = ask(stranger, "orders", secrets(t, oldSecret))
		require.Error(t, err, "a certificate of another authority")
		trusting, err := peer.ClientTLS(ours.files("shop", "souk://orders"))
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
	f := newAuthority(t).files("shop", "souk://orders")
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
