package store

import (
	"errors"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// giveUpLost has the system give up a connection on which nothing is acknowledged any more; by itself it would go on
// sending for a quarter of an hour.
func giveUpLost(network, _ string, c syscall.RawConn) error {
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	var failed error
	err := c.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(lostAfter.Milliseconds())) //nolint:gosec // a descriptor
	})
	return errors.Join(err, failed)
}
