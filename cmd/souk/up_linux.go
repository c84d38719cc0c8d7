package main

import "syscall"

// childOf has a child be in a process group of its own, so that Ctrl-C reaches the parent alone, and be
// told to stop when the parent is killed.
func childOf() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
