package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/config"
)

// FuzzFile: a settings file is taken, or refused by one line that is the user's mistake.
func FuzzFile(f *testing.F) {
	f.Add("# souk.conf\nlisten = 0.0.0.0:8080\nwait=5s\n", "")
	f.Add("", "7x")
	f.Add("#"+strings.Repeat("x", 1<<16), "") // longer than a line may be
	path := filepath.Join(f.TempDir(), "souk.conf")
	f.Fuzz(func(t *testing.T, text, wait string) {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
		flags.String("listen", "", "")
		flags.Duration("wait", 0, "")
		flags.Bool("demo", false, "")
		flags.StringSlice("modules", nil, "")
		from := config.Sources{
			File: path, Known: func(name string) bool { return flags.Lookup(name) != nil },
			Getenv: func(name string) string {
				if name == "SOUK_WAIT" {
					return wait
				}
				return ""
			},
		}
		if err := from.Fill(flags); err != nil {
			assert.True(t, config.IsMistake(err), "%v", err)
			assert.NotContains(t, strings.TrimSpace(err.Error()), "\n")
			assert.NotEmpty(t, err.Error())
		}
	})
}
