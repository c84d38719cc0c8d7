package rpc

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"souk/internal/platform/peer"
)

// ErrContracts says that two processes may not speak: neither holds a contract of the other's.
type ErrContracts struct {
	Module      string
	Difference  []string // lines of the contract: "- " here alone, "+ " there alone
	Here, There Contract
}

// Error says what differs.
func (e *ErrContracts) Error() string {
	return fmt.Sprintf("the contract of %s there (%s) is neither this program's (%s) nor that of the release before;\n"+
		"run the same release, or the next one, on both sides. What only this side has begins with -, what only that side has with +:\n%s",
		e.Module, short(e.There.Hash), short(e.Here.Hash), strings.Join(e.Difference, "\n"))
}

func short(hash string) string { return hash[:min(len(hash), 8)] }

// hashes are what a process sends to say which contracts it holds.
func (c Contract) hashes() string { return strings.TrimSpace(c.Hash + " " + c.Previous) }

// described is a contract ready to be compared with a caller's.
type described struct {
	contract Contract
	seen     string // what all callers of the same release send
}

func describe(c Contract) described { return described{contract: c, seen: c.hashes()} }

func (d described) matches(hashes string) bool {
	if hashes == d.seen {
		return true
	}
	own, previous, _ := strings.Cut(hashes, " ")
	return d.contract.Matches(Contract{Module: d.contract.Module, Hash: own, Previous: previous})
}

// ContractsHandler says what the contracts of this process's modules are, under
// peer.ContractsPath.
func ContractsHandler(contracts ...Contract) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, peer.ContractsPath(""))
		i := slices.IndexFunc(contracts, func(c Contract) bool { return c.Module == name })
		if i < 0 {
			peer.WriteError(w, peer.ErrNotHere.With("this process does not hold %s", name))
			return
		}
		w.Header().Set(headerAnswer, answeredReply)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(contracts[i]) // the caller notices when it is cut off
	})
}

// Connect asks the other process for its contract and compares. It returns *ErrContracts when they
// do not match, and ErrUnavailable while the process cannot be asked.
func (r *Remote) Connect(ctx context.Context) error {
	target := *r.base
	target.Path = strings.TrimSuffix(target.Path, "/") + peer.ContractsPath(r.contract.Module)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return r.unavailable(err)
	}
	response, err := r.o.HTTP.Do(request)
	if err != nil {
		return r.unavailable(err)
	}
	defer response.Body.Close() //nolint:errcheck // nothing is written to it
	body, err := io.ReadAll(io.LimitReader(response.Body, maxReply))
	if err != nil {
		return r.unavailable(err)
	}
	if response.Header.Get(headerAnswer) != answeredReply {
		return r.unavailable(fmt.Errorf("ask for its contract: %w", r.notLetIn(response, body)))
	}
	var there Contract
	if err := json.Unmarshal(body, &there); err != nil {
		return r.unavailable(fmt.Errorf("read its contract: %w", err))
	}
	if r.contract.Matches(there) {
		return nil
	}
	return &ErrContracts{
		Module: r.contract.Module, Here: r.contract, There: there,
		Difference: difference(strings.Split(r.contract.Text, "\n"), strings.Split(there.Text, "\n")),
	}
}

// difference names the lines that only one side has, with the heading that each stands under: a
// contract's text has a heading per type, its fields indented.
func difference(here, there []string) []string {
	mine, theirs := under(here), under(there)
	var out []string
	for _, line := range mine {
		if !slices.Contains(theirs, line) {
			out = append(out, "- "+line)
		}
	}
	for _, line := range theirs {
		if !slices.Contains(mine, line) {
			out = append(out, "+ "+line)
		}
	}
	return out
}

func under(lines []string) []string {
	var heading string
	var out []string
	for _, line := range lines {
		switch {
		case line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "hash "):
		case strings.HasPrefix(line, "\t"):
			out = append(out, heading+": "+strings.TrimSpace(line))
		default:
			heading = line
			out = append(out, line)
		}
	}
	return out
}
