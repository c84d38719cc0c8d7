package peer_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/peer"
)

func TestSecretsThatCannotBeGuessedAreDemanded(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"none":               " \n",
		"short":              oldSecret[:31],
		"short beside long":  newSecret + " " + oldSecret[:31],
		"one letter":         strings.Repeat("x", 64),
		"three":              oldSecret + "\n" + newSecret + "\n" + oldSecret,
		"a few letters only": strings.Repeat("1234567", 9),
	} {
		_, err := peer.ParseSecrets(text)
		require.Error(t, err, name)
		for word := range strings.FieldsSeq(text) {
			assert.NotContains(t, err.Error(), word, name)
		}
	}
}

func TestSecretsComeFromAFileOrTheEnvironment(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(file, []byte(oldSecret+"\n"), 0o600))
	fromFile, err := peer.LoadSecrets(file, "")
	require.NoError(t, err)
	fromText, err := peer.LoadSecrets("", oldSecret)
	require.NoError(t, err)
	assert.Equal(t, fromFile, fromText)
	_, err = peer.LoadSecrets(file, oldSecret)
	require.Error(t, err, "both")
	_, err = peer.LoadSecrets(file+".not", "")
	require.Error(t, err, "a file that is not there is not no secret")
	none, err := peer.LoadSecrets("", "")
	require.NoError(t, err)
	assert.Empty(t, none)
}

func TestASecretPrintsAsNothingOfItself(t *testing.T) {
	t.Parallel()
	s := secrets(t, oldSecret)
	encoded, err := json.Marshal(s)
	require.NoError(t, err)
	assert.JSONEq(t, `["(secret)"]`, string(encoded))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		assert.Equal(t, "(secret)", fmt.Sprintf(verb, s[0]), verb)
	}
}
