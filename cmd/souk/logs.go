package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"souk/internal/platform/config"
	"souk/internal/platform/reqid"
)

func logsCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use: "logs", Short: "Show what the processes of `souk up` logged, in order",
		Long: "Shows what the processes of `souk up` logged, this time and the time before, in the order in which it\n" +
			"happened: everything, or with --request what was done for one request, in whichever process. Clients find\n" +
			"the id of a request in the answer's header " + reqid.Header + ", and in the text of an error.\n" +
			"Anywhere but on a terminal each line is JSON, with the process that wrote it.",
		Example:     "  souk logs --request 7d0f6c2b91e04a35c8d2e1f0\n  souk logs --data ./data | jq 'select(.process == \"payments\")'",
		Args:        cobra.NoArgs,
		Annotations: map[string]string{worksAnyway: "yes"},
	}
	data := addData(cmd)
	request := cmd.Flags().String("request", "", "only what was done for the request with this `ID`")
	cmd.RunE = func(*cobra.Command, []string) error {
		if *request != "" && !reqid.Valid(*request) {
			return config.Mistakef("--request %s is no id of a request", *request)
		}
		all, files, err := readLogs(filepath.Join(*data, logsFolder), *request)
		switch {
		case err != nil:
			return err
		case files == 0:
			return fmt.Errorf("there are no logs in %s: `souk up` keeps them there", filepath.Join(*data, logsFolder))
		case len(all) == 0 && *request != "":
			return fmt.Errorf("none of the %d logs in %s has a line of request %s", files, filepath.Join(*data, logsFolder), *request)
		}
		return showLogs(newShow(w), all)
	}
	return cmd
}

// logged is one line of a process's log.
type logged struct {
	process string
	at      time.Time
	text    []byte
}

// readLogs reads every log in a folder, and puts the lines in the order of their times. Those of one process
// keep the order in which they were written.
func readLogs(folder, request string) (all []logged, files int, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, 0, fmt.Errorf("look for logs: %w", err)
	}
	for _, suffix := range []string{".log.1", ".log"} { // the older ones first
		for _, entry := range entries {
			name, ok := strings.CutSuffix(entry.Name(), suffix)
			if !ok {
				continue
			}
			some, err := readLog(filepath.Join(folder, entry.Name()), name, request)
			if err != nil {
				return nil, 0, err
			}
			all = append(all, some...)
			files++
		}
	}
	slices.SortStableFunc(all, func(a, b logged) int { return a.at.Compare(b.at) })
	return all, files, nil
}

func readLog(path, process, request string) ([]logged, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read a log: %w", err)
	}
	defer file.Close() //nolint:errcheck // only read
	all, err := linesOf(file, process, request)
	if err != nil {
		return nil, fmt.Errorf("read the log %s: %w", path, err)
	}
	return all, nil
}

// linesOf are the lines of a log that are wanted. One without a time, like a panic's, belongs to the
// line before it.
func linesOf(in io.Reader, process, request string) ([]logged, error) {
	var all []logged
	var at time.Time
	reader := bufio.NewReader(in)
	for {
		line, err := reader.ReadBytes('\n')
		if line = bytes.TrimSuffix(line, []byte("\n")); len(line) > 0 {
			var read struct {
				Time    time.Time `json:"time"`
				Request string    `json:"request_id"`
			}
			known := json.Unmarshal(line, &read) == nil && !read.Time.IsZero()
			if known {
				at = read.Time
			}
			if request == "" || known && read.Request == request {
				all = append(all, logged{process: process, at: at, text: line})
			}
		}
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// showLogs writes the lines: with the name before each for people, within it for programs.
func showLogs(s *show, all []logged) error {
	colours := map[string]int{}
	for _, l := range all {
		if _, known := colours[l.process]; !known {
			colours[l.process] = palette[len(colours)%len(palette)]
			s.width = max(s.width, len(l.process))
		}
	}
	for _, l := range all {
		if s.terminal {
			s.line(l.process, colours[l.process], l.text)
			continue
		}
		if err := s.plain(string(l.marked()) + "\n"); err != nil {
			return fmt.Errorf("show the logs: %w", err)
		}
	}
	return nil
}

// marked is the line as JSON that says which process wrote it.
func (l logged) marked() []byte {
	name, _ := json.Marshal(l.process) // a string always can be
	if json.Valid(l.text) && bytes.HasPrefix(l.text, []byte("{")) && !bytes.HasPrefix(l.text, []byte("{}")) {
		return slices.Concat([]byte(`{"process":`), name, []byte(","), l.text[1:])
	}
	text, _ := json.Marshal(string(l.text))
	return slices.Concat([]byte(`{"process":`), name, []byte(`,"message":`), text, []byte("}"))
}
