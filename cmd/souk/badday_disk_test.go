//go:build linux

package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// onSmallDisk moves a module's database to a disk of its own of a few megabytes, or skips and says so.
func onSmallDisk(t *testing.T, dir, module string) (disk string) {
	t.Helper()
	disk = t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("SKIPPED: a small tmpfs cannot be mounted here (%v); what a full disk does is not tested in this run", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	name := module + ".db"
	content, err := os.ReadFile(filepath.Join(dir, name)) // closed, so its log is part of it
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(disk, name), content, 0o600))
	require.NoError(t, os.Remove(filepath.Join(dir, name)))
	require.NoError(t, os.Symlink(filepath.Join(disk, name), filepath.Join(dir, name)))
	return disk
}

// fill takes all space that is left, and gives it back when it is told to.
func fill(t *testing.T, disk string) (giveBack func()) {
	t.Helper()
	rest, err := os.Create(filepath.Join(disk, "rest"))
	require.NoError(t, err)
	for err == nil {
		_, err = rest.Write(make([]byte, 4096))
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoError(t, rest.Close())
	return func() { require.NoError(t, os.Remove(rest.Name())) }
}

// TestADiskThatIsFullStopsOneModuleOnly: what payments would have to write down is unavailable and says why,
// what others do goes on, and when there is space again so does payments, without a restart.
func TestADiskThatIsFullStopsOneModuleOnly(t *testing.T) {
	t.Parallel()
	s := filled(t, mustTopology(t, "payments-out"))
	disk := onSmallDisk(t, s.dir, "payments")
	log := &safeText{}
	s.serveOverLanes(t, s.dir, log, nil)
	s.ready(t)
	giveBack := fill(t, disk)

	var g *shopper
	var q quoteSeen
	var k string
	var c checkoutSeen
	full := func() bool {
		for line := range strings.Lines(log.String()) {
			if strings.Contains(line, `"module":"payments"`) && strings.Contains(line, "the disk is full; free space there, nothing needs to be restarted") {
				return true
			}
		}
		return false
	}
	// A few payments fit into what the log's file has already, and one that is only slow is under way for a while too.
	until(t, "there is no space left", func() bool {
		g, k = s.withCart(t), key()
		var err error
		q, err = g.quote(t.Context())
		require.NoError(t, err)
		var a answer
		c, a, err = g.checkout(t.Context(), q, "sandbox_ok", k)
		require.NoError(t, err)
		require.Less(t, a.status, 300, string(a.body))
		return a.status == http.StatusAccepted && full()
	})
	require.Equal(t, "pending", c.Status)
	s.othersWork(t)
	assert.NotContains(t, tillOf(t, s, s.withCart(t)), paymentsSilent, "it can still be read")

	giveBack()
	settled, _ := g.follow(t, q, "sandbox_ok", k)
	assert.Equal(t, c.Order, settled.Order)
	assert.Equal(t, "placed", settled.Status, settled.Message)
	assert.Len(t, s.paymentsOf(t, c.Order), 1)
	s.sound(t)
}
