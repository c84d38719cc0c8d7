package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/rs/zerolog"
)

// longestLine is what a line may have; more is cut into several.
const longestLine = 1 << 20

// lines cuts what is written into whole lines.
type lines struct {
	take func(line []byte) // without its end; not to be kept
	rest []byte
}

// Write takes in some more.
func (l *lines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	from := 0
	for {
		n := bytes.IndexByte(l.rest[from:], '\n')
		if n < 0 {
			break
		}
		l.take(bytes.TrimSuffix(l.rest[from:from+n], []byte("\r")))
		from += n + 1
	}
	l.rest = append(l.rest[:0], l.rest[from:]...)
	if len(l.rest) >= longestLine {
		l.end()
	}
	return len(p), nil
}

// end gives what has no end of line yet.
func (l *lines) end() {
	if len(l.rest) > 0 {
		l.take(l.rest)
		l.rest = l.rest[:0]
	}
}

// logsFolder is where `souk up` keeps what its processes log.
const logsFolder = "logs"

// mostLog is how long a log may become before a new one is begun; the one before is kept.
const mostLog = 64 << 20

// logFile is the log of one process: NAME.log, and NAME.log.1 from before.
type logFile struct {
	path string
	most int64

	mu     sync.Mutex
	file   *os.File
	size   int64
	failed bool
}

// openLog begins a new log.
func openLog(dir, name string) (*logFile, error) {
	folder := filepath.Join(dir, logsFolder)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for logs: %w", err)
	}
	f := &logFile{path: filepath.Join(folder, name+".log"), most: mostLog}
	return f, f.rotate()
}

func (f *logFile) rotate() error {
	if f.file != nil {
		if err := f.file.Close(); err != nil {
			return fmt.Errorf("end a log: %w", err)
		}
		f.file = nil
	}
	if err := os.Rename(f.path, f.path+".1"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("put the log before aside: %w", err)
	}
	file, err := os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("begin a log: %w", err)
	}
	f.file, f.size = file, 0
	return nil
}

// write keeps a line. Of failures in a row only the first is told.
func (f *logFile) write(line []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := f.keep(line)
	told := f.failed
	f.failed = err != nil
	if told {
		return nil
	}
	return err
}

func (f *logFile) keep(line []byte) error {
	if f.file == nil || f.size >= f.most {
		if err := f.rotate(); err != nil {
			return err
		}
	}
	n, err := f.file.Write(append(slices.Clip(line), '\n'))
	f.size += int64(n)
	return err
}

func (f *logFile) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}

// levels are those of log lines, the least important first.
var levels = []string{"debug", "info", "warn", "error"}

var levelBegins = []byte(`{"level":"`)

// levelOf is the level of a line of a log, "" for anything else.
func levelOf(line []byte) string {
	rest, ok := bytes.CutPrefix(line, levelBegins)
	if !ok {
		return ""
	}
	level, _, ok := bytes.Cut(rest, []byte(`"`))
	if !ok {
		return ""
	}
	return string(level)
}

// important says whether a line of that level is to be shown. What is no line of a log always is.
func important(level, least string) bool {
	i := slices.Index(levels, level)
	return i < 0 || i >= slices.Index(levels, least)
}

// palette are the colours of processes, as terminals number them.
var palette = []int{36, 33, 32, 35, 34, 96, 93}

// show is where lines of several processes are shown: for people on a terminal, as they are anywhere else.
type show struct {
	terminal, colours bool
	width             int // of names

	mu  sync.Mutex
	out io.Writer
}

func newShow(w *world) *show {
	f, ok := w.stdout.(*os.File)
	terminal := ok && isatty.IsTerminal(f.Fd())
	return &show{out: w.stdout, terminal: terminal, colours: terminal && w.getenv("NO_COLOR") == ""}
}

// line shows one line of a process with its name before it.
func (s *show) line(name string, colour int, line []byte) {
	text := append(s.name(name, colour), s.readable(line)...)
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = s.out.Write(append(text, '\n')) // a terminal that has gone must not end souk; the log is kept
}

func (s *show) name(name string, colour int) []byte {
	text := fmt.Appendf(nil, "%-*s | ", s.width, name)
	if s.colours {
		text = fmt.Appendf(nil, "\x1b[%dm%-*s |\x1b[0m ", colour, s.width, name)
	}
	return text
}

// readable is a line of a log for people, where they look.
func (s *show) readable(line []byte) []byte {
	if !s.terminal || levelOf(line) == "" {
		return line
	}
	var b bytes.Buffer
	console := zerolog.ConsoleWriter{Out: &b, NoColor: !s.colours, TimeFormat: time.TimeOnly}
	if _, err := console.Write(line); err != nil {
		return line // it is no JSON after all
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// note shows what `souk up` itself has to say.
func (s *show) note(format string, args ...any) {
	s.line("up", 1, fmt.Appendf(nil, format, args...))
}

// plain shows text as it is.
func (s *show) plain(text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := io.WriteString(s.out, text)
	return err
}
