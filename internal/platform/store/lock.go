package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// fileLock is the right to open a database: an flock on a file beside it, which also says
// who has it. The kernel gives it back when the process ends, however it ends; the file
// itself stays, since removing it would let two processes lock two files of one name.
type fileLock struct{ file *os.File }

// How often and how long the lock is tried for.
const (
	lockTries = 5
	lockPause = 20 * time.Millisecond
)

func lockPath(path string) string { return path + ".lock" }

func takeLock(path string) (*fileLock, error) {
	file, err := os.OpenFile(lockPath(path), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, ErrReadOnly.With("storage cannot be opened").Because(
			fmt.Errorf("the lock file cannot be opened; check that the folder exists and can be written: %w", err))
	}
	for range lockTries { // Holder has it for an instant, and so has a souk that is just ending
		if err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
			break
		}
		time.Sleep(lockPause)
	}
	if err != nil {
		holder := readHolder(path)
		_ = file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			if holder == "" {
				holder = "another process"
			}
			return nil, ErrLocked.With("storage is in use by %s", holder).Because(
				fmt.Errorf("%s is open in %s; end it, or use it through its control socket", path, holder))
		}
		return nil, ErrLocked.With("storage cannot be locked").Because(fmt.Errorf("%s: %w", lockPath(path), err))
	}
	text := fmt.Sprintf("process %d (%s)\n", os.Getpid(), filepath.Base(os.Args[0]))
	if err := errors.Join(file.Truncate(0), writeAt(file, text)); err != nil {
		_ = file.Close()
		return nil, ErrFull.With("storage cannot be written").Because(fmt.Errorf("%s: %w", lockPath(path), err))
	}
	return &fileLock{file: file}, nil
}

func writeAt(file *os.File, text string) error {
	_, err := file.WriteAt([]byte(text), 0)
	return err
}

// release gives the lock back.
func (l *fileLock) release() {
	_ = l.file.Truncate(0)
	_ = l.file.Close()
}

// readHolder is what the lock file says about who has the database: "process 4711 (souk)".
func readHolder(path string) string {
	text, err := os.ReadFile(lockPath(path))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// Holder says who has the database at path open for writing: "process 4711 (souk)", or ""
// when nobody has. It asks the lock itself, not only the text in its file.
func Holder(path string) string {
	file, err := os.Open(lockPath(path))
	if err != nil {
		return ""
	}
	defer func() { _ = file.Close() }()
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); err == nil {
		return ""
	}
	if holder := readHolder(path); holder != "" {
		return holder
	}
	return "another process"
}
