//go:build !linux

package main

import (
	"io"
	"net"
	"syscall"
)

// childOf has a child be in a process group of its own, so that Ctrl-C reaches the parent alone.
func childOf() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// hold finds an address that nobody has just now; only Linux keeps it for who will listen there.
func hold(address *net.TCPAddr) (at *net.TCPAddr, held io.Closer, err error) {
	ln, err := net.ListenTCP("tcp", address)
	if err != nil {
		return nil, nil, err
	}
	at, _ = ln.Addr().(*net.TCPAddr)
	return at, io.NopCloser(nil), ln.Close()
}
