package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"souk/internal/platform/config"
)

// process is one child of `souk up`: the program that runs again each time that it dies.
type process struct {
	name            string
	modules         []string
	args            []string
	env             []string
	program         string         // "" for souk itself
	stopBy          syscall.Signal // 0 for SIGTERM
	public, private string
	colour          int
	pid             atomic.Int64
	kept            *logFile
	why             string // in its own words, if it could say why it ended
}

// How long a process that died is left before it is started again, doubled each time, and after how long
// it counts as having run well.
const (
	firstRestart = 250 * time.Millisecond
	lastRestart  = 15 * time.Second
	ranWell      = time.Minute
	killAfter    = replicaNotice + stopTime + 2*time.Second // told to stop
)

// keep runs p, again and again, until ctx ends. A process that has made a mistake, or does not come up
// at the first start, would only do it again: that ends it all.
func (u *upping) keep(ctx context.Context, p *process) error {
	// Where the child is to end with its parent, the kernel means the thread that began it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	pause := firstRestart
	for {
		began := time.Now()
		state, err := u.runOnce(ctx, p)
		switch {
		case err != nil && ctx.Err() == nil:
			return err
		case ctx.Err() != nil:
			if state == nil || state.Success() || !u.opened.Load() { // told to stop before it was open, it may call that a failure
				return nil
			}
			return fmt.Errorf("%s did not stop well: %s", p.name, state)
		case state.ExitCode() == exitMistake && p.why != "": // a panic ends with the same status
			return config.Mistakef("%s: %s", p.name, p.why)
		case !u.opened.Load():
			return fmt.Errorf("%s did not come up: %s", p.name, cmp.Or(p.why, state.String()))
		case time.Since(began) >= ranWell:
			pause = firstRestart
		}
		u.show.note("%s has ended (%s) and is started again in %s", p.name, state, pause)
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
		pause = min(2*pause, lastRestart)
	}
}

// runOnce runs p until it ends. When ctx ends it is told to stop, and killed if it takes too long over it.
func (u *upping) runOnce(ctx context.Context, p *process) (*os.ProcessState, error) {
	cmd, err := u.command(ctx, p)
	if err != nil {
		return nil, err
	}
	cmd.SysProcAttr = childOf()
	cmd.Cancel = func() error { return cmd.Process.Signal(cmp.Or(p.stopBy, syscall.SIGTERM)) }
	cmd.WaitDelay = killAfter
	p.why = ""
	out := &lines{take: func(line []byte) { u.heard(p, line) }}
	cmd.Stdout, cmd.Stderr = out, out // the same, so that lines of both come one at a time
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	if old := p.pid.Swap(int64(cmd.Process.Pid)); old != 0 {
		u.show.note("%s runs again, as process %d", p.name, cmd.Process.Pid)
	}
	err = cmd.Wait()
	out.end()
	if cmd.ProcessState == nil {
		return nil, fmt.Errorf("wait for %s: %w", p.name, err)
	}
	return cmd.ProcessState, nil // says all that err says
}

// command is what p runs.
func (u *upping) command(ctx context.Context, p *process) (*exec.Cmd, error) {
	if p.program != "" {
		return exec.CommandContext(ctx, p.program, p.args...), nil //nolint:gosec // haproxy, where it is installed
	}
	cmd, err := u.w.itself(ctx, p.args)
	if err != nil {
		return nil, err
	}
	cmd.Env = append(slices.DeleteFunc(cmd.Env, unfit), p.env...)
	return cmd, nil
}

// heard takes in one line of p: it is kept, and shown if it is important enough.
func (u *upping) heard(p *process, line []byte) {
	if err := p.kept.write(line); err != nil {
		u.show.note("the log of %s cannot be kept: %v", p.name, err)
	}
	level := levelOf(line)
	if level == "" {
		if why, ok := strings.CutPrefix(string(line), "souk: "); ok {
			p.why = why
		}
		if strings.HasPrefix(string(line), "souk is open at ") {
			return // where the whole is open is said once
		}
	}
	if important(level, u.o.logLevel) {
		u.show.line(p.name, p.colour, line)
	}
}

// itself is this program once more, with other arguments.
func (w *world) itself(ctx context.Context, args []string) (*exec.Cmd, error) {
	if w.again != nil {
		return w.again(ctx, args)
	}
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = os.Environ()
	return cmd, nil
}

// unfit says whether a variable is not for children: it would have one be something else than a part of
// this topology.
func unfit(variable string) bool {
	name, _, _ := strings.Cut(variable, "=")
	return name == secretVariable || slices.Contains([]string{
		config.Variable("modules"), config.Variable("remote"), config.Variable("private"),
		config.Variable("peer-cert"), config.Variable("peer-key"), config.Variable("peer-ca"),
	}, name)
}
