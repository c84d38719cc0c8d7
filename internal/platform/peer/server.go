package peer

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/rs/zerolog"
)

// ServerConfig is what a private listener is made of.
type ServerConfig struct {
	Handler http.Handler   // under Require
	TLS     *tls.Config    // nil: none, for a private network
	Log     zerolog.Logger // of broken connections
}

const headerTimeout = 5 * time.Second

// Server is an http.Server for peers. It bounds headers, and what may take long bounds itself: a
// call by its caller's deadline, its body by Require, its answer by rpc.Server. What is no call goes over HTTP/2,
// where pings find the connections that are dead; of calls, over HTTP/1.1, those bounds do.
func Server(o ServerConfig) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true) // calls, and people with curl
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(o.TLS == nil)
	return &http.Server{
		Handler: o.Handler, TLSConfig: o.TLS, Protocols: protocols, HTTP2: http2(),
		ReadHeaderTimeout: headerTimeout, IdleTimeout: 2 * idleTimeout, MaxHeaderBytes: maxHeaders,
		ErrorLog: log.New(o.Log, "", 0),
	}
}

// Files name a process's certificate (with the URIs souk://MODULE that it speaks for), its key, and the
// authority that signs everyone's.
type Files struct{ Cert, Key, CA string }

// ServerTLS demands of every client a certificate of the authority.
func ServerTLS(f Files) (*tls.Config, error) {
	cert, authority, err := f.load()
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{cert},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authority,
	}, nil
}

// ClientTLS shows the certificate, and trusts servers of the authority alone.
func ClientTLS(f Files) (*tls.Config, error) {
	cert, authority, err := f.load()
	if err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{cert}, RootCAs: authority}, nil
}

func (f Files) load() (tls.Certificate, *x509.CertPool, error) {
	cert, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil {
		return tls.Certificate{}, nil, fmt.Errorf("read the certificate for peers: %w", err)
	}
	pem, err := os.ReadFile(f.CA)
	if err != nil {
		return tls.Certificate{}, nil, fmt.Errorf("read the authority for peers: %w", err)
	}
	authority := x509.NewCertPool()
	if !authority.AppendCertsFromPEM(pem) {
		return tls.Certificate{}, nil, fmt.Errorf("read the authority for peers: %s holds no certificate", f.CA)
	}
	return cert, authority, nil
}
