//go:build !linux

package main

import "syscall"

// childOf has a child be in a process group of its own, so that Ctrl-C reaches the parent alone.
func childOf() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
