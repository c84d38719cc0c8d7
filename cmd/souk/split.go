package main

import (
	"net"
	"time"

	"github.com/spf13/pflag"

	"souk/internal/platform/config"
	"souk/internal/platform/peer"
)

// splitFlags are the settings of a souk that is more than one process.
type splitFlags struct {
	modules, remotes   *[]string
	private            *string
	secret             *string
	cert, key, caFiles *string
	bus, busPrefix     *string
	busReplicas        *int
	hedge              *time.Duration
}

// secretVariable is where the secret may be instead of in a file.
const secretVariable = "SOUK_PEER_SECRET" //nolint:gosec // a name, not a secret

func addSplit(flags *pflag.FlagSet) splitFlags {
	return splitFlags{
		modules:     flags.StringSlice("modules", nil, "`MODULES` of this process, by comma; default: all that are not --remote"),
		remotes:     flags.StringSlice("remote", nil, "`MODULE=URL` of the private side of another process that has it; MODULE+MODULE=URL for several"),
		private:     flags.String("private", "", "`ADDR`ess for other processes of this souk, host:port; never open it to the public"),
		secret:      flags.String("peer-secret-file", "", "`FILE` with the secret that all processes share, or two while one replaces the other; else "+secretVariable),
		cert:        flags.String("peer-cert", "", "`FILE` with this process's certificate (PEM), with URIs souk://MODULE, for TLS between processes"),
		key:         flags.String("peer-key", "", "`FILE` with its key (PEM)"),
		bus:         flags.String("bus", "", "`URL` of NATS with JetStream, nats://host:4222, to carry events between processes; default: they read each other's logs over HTTP"),
		busPrefix:   flags.String("bus-prefix", "souk", "`PREFIX` of this marketplace's names in NATS"),
		busReplicas: flags.Int("bus-replicas", 1, "copies of each log that NATS keeps: 3 in a cluster of three"),
		hedge:       flags.Duration("hedge", 0, "ask a module in another process a second time when a read has no answer after this `DURATION`, and take what comes first; default: never"),
		caFiles:     flags.String("peer-ca", "", "`FILE` with the authority of all processes' certificates (PEM)"),
	}
}

// read takes them into o, or says which of them make no sense together.
func (s splitFlags) read(getenv func(string) string, o *serveOptions) (err error) {
	if o.layout, err = newLayout(*s.modules, *s.remotes); err != nil {
		return err
	}
	if o.demo && !o.layout.whole() {
		return config.Mistakef("--demo fills one process that has everything; fill the folder first, then serve it in parts")
	}
	o.private = *s.private
	o.broker = brokerOptions{url: *s.bus, prefix: *s.busPrefix, replicas: *s.busReplicas}
	if o.hedge = *s.hedge; o.hedge < 0 {
		return config.Mistakef("--hedge %s is before the first try", o.hedge)
	}
	if o.private != "" {
		if _, _, err := net.SplitHostPort(o.private); err != nil {
			return config.Mistakef("--private %s is not host:port", o.private)
		}
	}
	if o.private == "" && len(o.layout.remote) == 0 {
		if !o.layout.whole() {
			return config.Mistakef("this process has only %s and no --private ADDR at which others could ask it", o.layout)
		}
		return nil
	}
	if o.proofs, err = s.proofs(getenv); err != nil {
		return err
	}
	if len(o.proofs.secrets) == 0 && o.proofs.client == nil {
		return config.Mistakef("processes must know each other: give all of them the same --peer-secret-file, or certificates (--peer-cert, --peer-key, --peer-ca)")
	}
	return nil
}

func (s splitFlags) proofs(getenv func(string) string) (p proofs, err error) {
	if *s.secret != "" || getenv(secretVariable) != "" {
		if p.secrets, err = peer.LoadSecrets(*s.secret, getenv(secretVariable)); err != nil {
			return p, err
		}
	}
	files := peer.Files{Cert: *s.cert, Key: *s.key, CA: *s.caFiles}
	switch {
	case files == peer.Files{}:
		return p, nil
	case files.Cert == "" || files.Key == "" || files.CA == "":
		return p, config.Mistakef("--peer-cert, --peer-key and --peer-ca belong together")
	}
	if p.client, err = peer.ClientTLS(files); err != nil {
		return p, err
	}
	p.server, err = peer.ServerTLS(files)
	return p, err
}
