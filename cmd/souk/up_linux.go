package main

import (
	"io"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// childOf has a child be in a process group of its own, so that Ctrl-C reaches the parent alone, and be
// told to stop when the parent is killed.
func childOf() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

// hold keeps an address of this machine, of which the port may be 0, for the program that will listen there, and listen again when it
// has died. Its socket is bound and does not listen: the system gives the port to nobody who wants just any, neither to
// listen nor to call from, lets who asks for this very one listen on it, and refuses calls while nobody does.
func hold(address *net.TCPAddr) (at *net.TCPAddr, held io.Closer, err error) {
	family, to := unix.AF_INET, unix.Sockaddr(nil)
	if ip := address.IP.To4(); ip != nil || address.IP == nil {
		four := &unix.SockaddrInet4{Port: address.Port}
		copy(four.Addr[:], ip)
		to = four
	} else {
		six := &unix.SockaddrInet6{Port: address.Port}
		copy(six.Addr[:], address.IP)
		family, to = unix.AF_INET6, six
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socket", err)
	}
	socket := os.NewFile(uintptr(fd), address.String())
	fail := func(what string, err error) (*net.TCPAddr, io.Closer, error) {
		_ = socket.Close() // nothing was sent
		return nil, nil, os.NewSyscallError(what, err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return fail("setsockopt", err)
	}
	if err := unix.Bind(fd, to); err != nil {
		return fail("bind", err)
	}
	bound, err := unix.Getsockname(fd)
	if err != nil {
		return fail("getsockname", err)
	}
	switch bound := bound.(type) {
	case *unix.SockaddrInet4:
		return &net.TCPAddr{IP: address.IP, Port: bound.Port}, socket, nil
	case *unix.SockaddrInet6:
		return &net.TCPAddr{IP: address.IP, Port: bound.Port}, socket, nil
	default:
		return fail("getsockname", unix.EAFNOSUPPORT)
	}
}
