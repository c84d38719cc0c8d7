// Package contracttest has two releases of a contract speak with each other.
//
// Of the earlier one nothing is left but its frozen golden contract, which says all that crosses: so its
// client is built from that text alone. It asks every method with every field set, and reads the answers as
// it would have. The other way round, this release's client asks a server that knows only what the text says.
package contracttest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"souk/internal/platform/peer"
	"souk/internal/platform/rpc"
	"souk/internal/platform/rpc/contract"
)

// Run holds a module to the contract of its last release: nothing of it may be broken, and both releases
// must understand each other. dir is where the golden contracts are; remote and server are the generated ones.
func Run[Client, Service any](
	t *testing.T, dir string, remote func(rpc.RemoteOptions) (Client, error), server func(Service, rpc.ServerOptions) *rpc.Server,
) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "contract.golden"))
	if err != nil {
		t.Fatal(err)
	}
	now, err := contract.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	last, ok, err := contract.LastFrozen(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		t.Fatalf("no contract of %s was frozen: run gen -freeze v0.1 there", now.Module)
	}
	for _, d := range contract.Compatible(last.Contract, now) {
		t.Errorf("the contract of %s breaks %s: %s", now.Module, last.Name, d)
	}
	for _, p := range Speak(last.Contract, last.Contract.Hash(), remote, server) {
		t.Errorf("%s of %s and this one do not understand each other: %s", last.Name, now.Module, p)
	}
}

// Speak has the earlier release's client ask this release's server, and this release's client the earlier
// release's server, every method with every field set, and says what went wrong. hash is what the earlier
// client says of its contract.
func Speak[Client, Service any](
	last *contract.Contract, hash string, remote func(rpc.RemoteOptions) (Client, error), server func(Service, rpc.ServerOptions) *rpc.Server,
) []string {
	p := &pair{last: last, hash: hash}
	stub, err := remote(rpc.RemoteOptions{URL: "http://now.test", HTTP: doer(p.full), From: "test"})
	if err != nil {
		return []string{err.Error()}
	}
	p.client = reflect.TypeOf(stub)
	service, ok := any(stub).(Service)
	if !ok {
		return []string{fmt.Sprintf("%s does not do what the server wants", p.client)}
	}
	p.server = server(service, rpc.ServerOptions{})
	asking, err := remote(rpc.RemoteOptions{URL: "http://last.test", HTTP: doer(p.lastServer), From: "test", MaxTries: 1})
	if err != nil {
		return []string{err.Error()}
	}
	for _, m := range last.Methods {
		for turn := range p.turns() {
			p.lastAsksNow(m, turn)
		}
		p.nowAsksLast(reflect.ValueOf(asking), m)
	}
	return p.problems
}

// pair is two releases of one contract.
type pair struct {
	last     *contract.Contract
	hash     string
	client   reflect.Type
	server   *rpc.Server
	strict   bool // the earlier server's reading of the request that is under way
	problems []string
}

func (p *pair) problem(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(p.problems, text) {
		p.problems = append(p.problems, text)
	}
}

// turns is how often each request is made, so that every value of every enum is sent.
func (p *pair) turns() int {
	most := 1
	for _, t := range p.last.Types {
		most = max(most, len(t.Values))
	}
	return most
}

// doer answers requests without a network.
type doer func(w http.ResponseWriter, r *http.Request)

// Do answers r.
func (d doer) Do(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	d(w, r)
	return w.Result(), nil
}

// reply writes what a module says.
func reply(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Souk-Answer", "reply")
	_, _ = w.Write(body) // a recorder
}

// methodOf is the method that r asks.
func methodOf(module string, r *http.Request) string {
	return r.URL.Path[len(peer.RPCPath(module, "")):]
}

// full answers as a module of this release would that has something to say in every field.
func (p *pair) full(w http.ResponseWriter, r *http.Request) {
	name := methodOf(p.last.Module, r)
	m, _ := p.client.MethodByName(name)
	said := reflect.New(m.Type.Out(0)).Elem()
	fill(said, true, 0)
	body, err := rpc.NewCodec().Marshal(said.Interface())
	if err != nil {
		p.problem("%s reply: it cannot be made up: %v", name, err)
	}
	reply(w, body)
}

// lastAsksNow sends the earlier release's request, and reads the answer as that release does.
func (p *pair) lastAsksNow(m contract.Method, turn int) {
	if _, ok := p.client.MethodByName(m.Name); !ok {
		p.problem("%s: the method is gone", m.Name)
		return
	}
	body, err := json.Marshal(sampler{p.last, turn}.value(m.Request, 0))
	if err != nil {
		p.problem("%s request: it cannot be made up: %v", m.Name, err)
		return
	}
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, peer.RPCPath(p.last.Module, m.Name), bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Souk-Contracts", p.hash)
	w := httptest.NewRecorder()
	p.server.ServeHTTP(w, r)
	if w.Header().Get("Souk-Answer") != "reply" {
		p.problem("%s request: it is refused: %s", m.Name, w.Body)
		return
	}
	answer, err := parse(w.Body.Bytes())
	if err != nil {
		p.problem("%s reply: %v", m.Name, err)
		return
	}
	reader{contract: p.last, say: p.problem}.value(m.Name+" reply", m.Reply, answer)
}

// nowAsksLast makes this release's requests, which the earlier server reads: strictly where nothing is set
// that could be left out.
func (p *pair) nowAsksLast(client reflect.Value, m contract.Method) {
	method := client.MethodByName(m.Name)
	if !method.IsValid() {
		return // said already
	}
	for _, everything := range []bool{false, true} {
		request := reflect.New(method.Type().In(1)).Elem()
		fill(request, everything, 0)
		p.strict = !everything
		out := method.Call([]reflect.Value{reflect.ValueOf(context.Background()), request})
		if err, _ := out[1].Interface().(error); err != nil {
			p.problem("%s reply: the last release's cannot be read: %v", m.Name, errors.Join(err, errors.Unwrap(err)))
		}
	}
}

// lastServer reads a request as the earlier release does, and answers with every field that it had.
func (p *pair) lastServer(w http.ResponseWriter, r *http.Request) {
	name := methodOf(p.last.Module, r)
	i := slices.IndexFunc(p.last.Methods, func(m contract.Method) bool { return m.Name == name })
	m := p.last.Methods[i]
	body, err := io.ReadAll(r.Body)
	if err == nil {
		var sent any
		if sent, err = parse(body); err == nil {
			reader{contract: p.last, say: p.problem, strict: p.strict}.value(name+" request", m.Request, sent)
		}
	}
	if err != nil {
		p.problem("%s request: %v", name, err)
	}
	said, err := json.Marshal(sampler{p.last, 0}.value(m.Reply, 0))
	if err != nil {
		p.problem("%s reply: it cannot be made up: %v", name, err)
	}
	reply(w, said)
}

// parse reads JSON with its numbers as they were written.
func parse(body []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("%s is not JSON: %w", body, err)
	}
	return v, nil
}
