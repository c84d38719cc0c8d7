package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/template"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/config"
	"souk/internal/platform/peer"
)

var update = flag.Bool("update", false, "write the golden files anew")

const deployDocs = "../../docs/deploy"

// deployed is a topology as docs/deploy shows it.
type deployed struct {
	topology

	Split     bool
	Processes []deployedProcess
	Process   deployedProcess // of a file that is about one
}

type deployedProcess struct {
	Name          string
	Args          []string // in a container
	Settings      []setting
	Pages, Stores bool
}

type setting struct{ Name, Value string }

// deploy says what each process of a topology is told, in containers that find each other by these names,
// or side by side on one machine.
func deploy(as topology, prefix string) deployed {
	d := deployed{topology: as, Split: len(as.Processes) > 1}
	names, ports := make([]string, len(as.Processes)), make([]string, len(as.Processes))
	for i := range as.Processes {
		names[i], ports[i] = prefix+as.processName(i)+":9000", fmt.Sprintf("127.0.0.1:%d", 9000+i)
	}
	for i, modules := range as.Processes {
		p := deployedProcess{
			Name: as.processName(i), Pages: i == 0, Stores: !slices.Equal(modules, []string{pagesModule}),
			Args:     []string{"serve", "--data=/data", "--listen=:8080"},
			Settings: []setting{{"data", "/var/lib/souk"}, {"listen", fmt.Sprintf("127.0.0.1:%d", 8080+i)}},
		}
		for name, value := range flagsOf(as.arguments(i, names)) {
			if name == "private" {
				value = ":9000"
			}
			p.Args = append(p.Args, "--"+name+"="+value)
		}
		for name, value := range flagsOf(as.arguments(i, ports)) {
			if last := len(p.Settings) - 1; p.Settings[last].Name == name {
				p.Settings[last].Value += "," + value // a file has one line for each setting
				continue
			}
			p.Settings = append(p.Settings, setting{name, value})
		}
		if d.Split {
			p.Args = append(p.Args, "--peer-secret-file=/run/secrets/peer-secret")
		}
		d.Processes = append(d.Processes, p)
	}
	return d
}

// flagsOf are the flags of a command line, each with its value.
func flagsOf(args []string) func(func(name, value string) bool) {
	return func(yield func(name, value string) bool) {
		for pair := range slices.Chunk(args, 2) {
			if !yield(strings.TrimPrefix(pair[0], "--"), pair[1]) {
				return
			}
		}
	}
}

// TestDeployFiles holds the files of docs/deploy to the topologies that souk is tried in. With -update it
// writes them.
func TestDeployFiles(t *testing.T) {
	t.Parallel()
	templates := template.Must(template.ParseGlob("testdata/deploy/*.tmpl"))
	want := map[string]string{}
	write := func(path, name string, d deployed) {
		var text bytes.Buffer
		require.NoError(t, templates.ExecuteTemplate(&text, name, d))
		want[filepath.Join(deployDocs, path)] = text.String()
	}
	for _, as := range topologies() {
		as.Says = strings.ToUpper(as.Says[:1]) + as.Says[1:]
		write(as.Name+"/compose.yaml", "compose.yaml.tmpl", deploy(as, ""))
		write(as.Name+"/kubernetes.yaml", "kubernetes.yaml.tmpl", deploy(as, "souk-"))
		for i, p := range deploy(as, "").Processes {
			d := deploy(as, "")
			d.Process = p
			write(as.Name+"/"+as.processName(i)+".conf", "process.conf.tmpl", d)
		}
	}
	balanced, err := haproxySettings{Servers: []haproxyServer{{"a", "127.0.0.1:8081"}, {"b", "127.0.0.1:8082"}, {"c", "127.0.0.1:8083"}}}.text()
	require.NoError(t, err)
	want[filepath.Join(deployDocs, "replicas/haproxy.cfg")] = string(balanced)
	if *update {
		for path, text := range want {
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		}
	}
	for path, text := range want {
		have, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, text, string(have), "%s is stale: go test -run TestDeployFiles -update ./cmd/souk", path)
	}
	for _, pattern := range []string{"*/*.yaml", "*/*.conf"} {
		found, err := filepath.Glob(filepath.Join(deployDocs, pattern))
		require.NoError(t, err)
		for _, path := range found {
			if filepath.Base(filepath.Dir(path)) == "replicas" {
				continue // no grouping of modules, and written by hand
			}
			assert.Contains(t, want, path, "nothing makes %s", path)
		}
	}
}

// TestDeployedProcessesCanServe: souk takes what docs/deploy has it told.
func TestDeployedProcessesCanServe(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "peer-secret")
	require.NoError(t, os.WriteFile(secret, []byte(key()+key()), 0o600))
	takes := func(t *testing.T, fill func(flags *pflag.FlagSet) error, as topology, i int) {
		t.Helper()
		flags := pflag.NewFlagSet("serve", pflag.ContinueOnError)
		flags.String("data", "", "")
		flags.String("listen", "", "")
		split := addSplit(flags)
		require.NoError(t, fill(flags))
		if len(as.Processes) > 1 {
			require.NoError(t, flags.Set("peer-secret-file", secret))
		}
		var o serveOptions
		require.NoError(t, split.read(func(string) string { return "" }, &o))
		assert.ElementsMatch(t, as.Processes[i], o.layout.here)
		for _, name := range moduleNames {
			assert.Equal(t, o.layout.has(name) || as.asks(i, name), o.layout.knows(name), name)
		}
	}
	for _, as := range topologies() {
		d := deploy(as, "souk-")
		for i, p := range d.Processes {
			t.Run(as.Name+"/"+p.Name, func(t *testing.T) {
				t.Parallel()
				takes(t, func(flags *pflag.FlagSet) error { return flags.Parse(p.Args[1:]) }, as, i)
				path := filepath.Join(deployDocs, as.Name, p.Name+".conf")
				takes(t, config.Sources{
					File: path, Getenv: func(string) string { return "" }, Known: func(string) bool { return true },
				}.Fill, as, i)
			})
		}
	}
	_, err := peer.ParseSecrets("replace-me")
	require.Error(t, err, "the secret in the manifests must not do")
}
