// Package config finds the value of every setting: the flag, else the environment
// (SOUK_LISTEN for --listen), else a file, else the default. The flags of a command are the
// whole list of what can be set, so help, environment and file never disagree.
//
// The file has one setting a line, and # begins a comment:
//
//	# souk.conf
//	listen = 0.0.0.0:8080
//	data   = /var/lib/souk
package config

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/pflag"
)

// Mistake is a setting or an argument that makes no sense. It is told in one line, and the
// program ends with status 2.
type Mistake struct{ what string }

// Mistakef is a Mistake with that text.
func Mistakef(format string, args ...any) error { return &Mistake{what: fmt.Sprintf(format, args...)} }

// Error is what does not make sense.
func (m *Mistake) Error() string { return m.what }

// IsMistake says whether err is the user's and not the program's.
func IsMistake(err error) bool {
	var m *Mistake
	return errors.As(err, &m)
}

// Variable is the environment variable of the setting with that name.
func Variable(name string) string {
	return "SOUK_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// Sources is where settings come from besides the flags.
type Sources struct {
	Getenv func(string) string
	File   string            // "" for none
	Known  func(string) bool // every setting of any command: the file serves them all
}

// Fill sets each flag that was not given from the environment, else from the file.
func (s Sources) Fill(flags *pflag.FlagSet) error {
	file, err := s.readFile()
	if err != nil {
		return err
	}
	var first error
	flags.VisitAll(func(f *pflag.Flag) {
		if first != nil || f.Changed || f.Name == "help" {
			return
		}
		if value := s.Getenv(Variable(f.Name)); value != "" {
			first = set(flags, f, value, Variable(f.Name))
		} else if line, ok := file[f.Name]; ok {
			first = set(flags, f, line.value, fmt.Sprintf("%s:%d", s.File, line.number))
		}
	})
	return first
}

func set(flags *pflag.FlagSet, f *pflag.Flag, value, from string) error {
	if err := flags.Set(f.Name, value); err != nil {
		return Mistakef("%s: %q is no good for %s (a %s): %s", from, value, f.Name, f.Value.Type(), cause(err))
	}
	return nil
}

// cause is what the flag itself had to say.
func cause(err error) string {
	var bad *pflag.InvalidValueError
	if errors.As(err, &bad) {
		return bad.Unwrap().Error()
	}
	return err.Error()
}

type line struct {
	value  string
	number int
}

func (s Sources) readFile() (map[string]line, error) {
	if s.File == "" {
		return nil, nil //nolint:nilnil // a nil map reads as an empty one
	}
	f, err := os.Open(s.File)
	if err != nil {
		why := err
		var path *fs.PathError
		if errors.As(err, &path) {
			why = path.Err
		}
		return nil, Mistakef("the settings file %s cannot be read: %v", s.File, why)
	}
	defer f.Close() //nolint:errcheck // only read

	settings := map[string]line{}
	lines := bufio.NewScanner(f)
	for number := 1; lines.Scan(); number++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		name, value, ok := strings.Cut(text, "=")
		name, value = strings.TrimSpace(name), strings.Trim(strings.TrimSpace(value), `"`)
		switch _, twice := settings[name]; {
		case !ok:
			return nil, Mistakef("%s:%d: a line reads name = value", s.File, number)
		case s.Known != nil && !s.Known(name):
			return nil, Mistakef("%s:%d: there is no setting %q", s.File, number, name)
		case twice:
			return nil, Mistakef("%s:%d: %q is set twice", s.File, number, name)
		}
		settings[name] = line{value: value, number: number}
	}
	if err := lines.Err(); err != nil {
		return nil, Mistakef("the settings file %s cannot be read: %v", s.File, err)
	}
	return settings, nil
}
