package config_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/config"
)

func flags() *pflag.FlagSet {
	f := pflag.NewFlagSet("souk", pflag.ContinueOnError)
	f.String("listen", "localhost:8080", "")
	f.Duration("drain", 10*time.Second, "")
	f.Bool("demo", false, "")
	return f
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "souk.conf")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func known(name string) bool { return name == "data" || flags().Lookup(name) != nil }

func env(pairs map[string]string) func(string) string {
	return func(name string) string { return pairs[name] }
}

func TestFlagThenEnvironmentThenFileThenDefault(t *testing.T) {
	t.Parallel()
	path := file(t, "# settings\n\nlisten = from-file\ndrain=3s\ndata = \"of another command\"\n")
	tests := map[string]struct {
		args       []string
		env        map[string]string
		file       string
		wantListen string
		wantDrain  string
	}{
		"nothing given":           {wantListen: "localhost:8080", wantDrain: "10s"},
		"a file":                  {file: path, wantListen: "from-file", wantDrain: "3s"},
		"environment before file": {file: path, env: map[string]string{"SOUK_LISTEN": "from-env"}, wantListen: "from-env", wantDrain: "3s"},
		"flag before all": {
			file: path, env: map[string]string{"SOUK_LISTEN": "from-env", "SOUK_DRAIN": "4s"},
			args: []string{"--listen", "from-flag"}, wantListen: "from-flag", wantDrain: "4s",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := flags()
			require.NoError(t, f.Parse(tt.args))
			require.NoError(t, config.Sources{Getenv: env(tt.env), File: tt.file, Known: known}.Fill(f))
			assert.Equal(t, tt.wantListen, f.Lookup("listen").Value.String())
			assert.Equal(t, tt.wantDrain, f.Lookup("drain").Value.String())
		})
	}
}

func TestNonsenseSaysWhereItStands(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		env  map[string]string
		file string
		want string
	}{
		"in the environment":   {env: map[string]string{"SOUK_DRAIN": "soon"}, want: `SOUK_DRAIN: "soon" is no good for drain (a duration): time: invalid duration "soon"`},
		"in the file":          {file: "\ndrain = soon", want: `souk.conf:2: "soon" is no good for drain`},
		"an unknown setting":   {file: "listne = x", want: `souk.conf:1: there is no setting "listne"`},
		"a line without sense": {file: "listen", want: "souk.conf:1: a line reads name = value"},
		"a setting twice":      {file: "demo=true\ndemo=false", want: `souk.conf:2: "demo" is set twice`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := ""
			if tt.file != "" {
				path = file(t, tt.file)
			}
			err := config.Sources{Getenv: env(tt.env), File: path, Known: known}.Fill(flags())
			require.ErrorContains(t, err, tt.want)
			assert.True(t, config.IsMistake(err))
		})
	}
	err := config.Sources{Getenv: env(nil), File: "no-such.conf"}.Fill(flags())
	assert.ErrorContains(t, err, "no-such.conf cannot be read: no such file")
}
