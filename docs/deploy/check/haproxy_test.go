package check

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// certificate writes a key and a certificate of its own making, as haproxy wants them.
func certificate(t *testing.T) string {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"shop.example.com"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	require.NoError(t, err)
	key, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...)
	path := filepath.Join(t.TempDir(), "souk.pem")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	return path
}

// TestHAProxy has haproxy read the configuration, with a certificate and a user that there are.
func TestHAProxy(t *testing.T) {
	program, err := exec.LookPath("haproxy")
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/haproxy") // which is on root's path alone
	}
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("CI has no haproxy to check replicas/haproxy.cfg with")
		}
		t.Skip("there is no haproxy to check replicas/haproxy.cfg with: install Debian's package haproxy")
	}
	text, err := os.ReadFile("../replicas/haproxy.cfg")
	require.NoError(t, err)
	me, err := user.Current()
	require.NoError(t, err)
	group, err := user.LookupGroupId(me.Gid)
	require.NoError(t, err)
	config := strings.NewReplacer("/etc/haproxy/souk.pem", certificate(t), "user haproxy", "user "+me.Username, "group haproxy", "group "+group.Name).Replace(string(text))
	check := func(config string) (string, error) {
		path := filepath.Join(t.TempDir(), "haproxy.cfg")
		require.NoError(t, os.WriteFile(path, []byte(config), 0o600))
		out, err := exec.Command(program, "-c", "-f", path).CombinedOutput()
		return string(out), err
	}
	said, err := check(config)
	require.NoError(t, err, said)
	assert.NotContains(t, said, "WARNING")
	_, err = check(strings.Replace(config, "on-marked-down", "on-market-down", 1))
	require.Error(t, err, "a misspelt word is found")
}
