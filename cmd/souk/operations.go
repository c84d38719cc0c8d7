package main

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"souk/internal/platform/actor"
	"souk/internal/platform/control"
	"souk/internal/platform/errs"
	"souk/internal/platform/page"
	"souk/internal/platform/peer"
	"souk/internal/platform/rpc"
	"souk/internal/platform/store"
	"souk/internal/storefront"
)

// operations is what operators' pages show of the platform and do with it, over the modules of this
// process and those of its neighbours. What a neighbour has it does itself, asked over
// its private side by the names below.
type operations struct{ a *app }

var _ storefront.Operations = operations{}

// operationsPrefix begins the names of the commands that neighbours may ask for.
const operationsPrefix = "operations."

// operationsIn is what such a command is about.
type operationsIn struct {
	By         actor.Actor `json:"by"`
	Subscriber string      `json:"subscriber"`
	Module     string      `json:"module"`
	Kind       string      `json:"kind"`
	Key        string      `json:"key"`
	Why        string      `json:"why"`
	Subject    string      `json:"subject"`
	Before     int64       `json:"before"`
	Limit      int         `json:"limit"`
}

// forNeighbours registers those commands.
func forNeighbours(server *control.Server, a *app) {
	here := local{a}
	listing := func(name string) string { return operationsPrefix + name }
	control.Handle(server, listing("modules"), func(ctx context.Context, _ operationsIn, _ control.Say) ([]storefront.ModuleHealth, error) {
		return here.Modules(ctx)
	})
	control.Handle(server, listing("subscribers"), func(ctx context.Context, _ operationsIn, _ control.Say) ([]storefront.SubscriberState, error) {
		return here.Subscribers(ctx)
	})
	control.Handle(server, listing("parked"), func(ctx context.Context, in operationsIn, _ control.Say) ([]storefront.ParkedEvent, error) {
		return here.ParkedEvents(ctx, in.Limit)
	})
	control.Handle(server, listing("retry_parked"), func(ctx context.Context, in operationsIn, _ control.Say) (storefront.Drained, error) {
		return here.RetryParked(ctx, in.By, in.Subscriber, in.Key, in.Why)
	})
	control.Handle(server, listing("skip_parked"), func(ctx context.Context, in operationsIn, _ control.Say) (storefront.Drained, error) {
		return here.SkipParked(ctx, in.By, in.Subscriber, in.Key, in.Why)
	})
	control.Handle(server, listing("dead_jobs"), func(ctx context.Context, in operationsIn, _ control.Say) ([]storefront.DeadJob, error) {
		return here.DeadJobs(ctx, in.Limit)
	})
	control.Handle(server, listing("retry_job"), func(ctx context.Context, in operationsIn, _ control.Say) (none, error) {
		return none{}, here.RetryJob(ctx, in.By, in.Module, in.Kind, in.Key, in.Why)
	})
	control.Handle(server, listing("drop_job"), func(ctx context.Context, in operationsIn, _ control.Say) (none, error) {
		return none{}, here.DropJob(ctx, in.By, in.Module, in.Kind, in.Key, in.Why)
	})
	control.Handle(server, listing("audit"), func(ctx context.Context, in operationsIn, _ control.Say) ([]store.AuditRow, error) {
		return here.AuditRows(ctx, in.Module, in.Subject, in.Before, in.Limit)
	})
}

// operationsHandler serves those commands, and no other, to neighbours.
func operationsHandler(server *control.Server) http.Handler {
	return server.Handler(func(name string) bool { return strings.HasPrefix(name, operationsPrefix) })
}

// overviewTime is how long an overview waits for a neighbour. One that does not answer shows as not ready.
const overviewTime = 2 * time.Second

// neighbour asks the process that has a module for a command. Where that process does not answer, the error says
// whether the command may have been done, as for a call.
func neighbour[Out any](ctx context.Context, a *app, module, command string, in operationsIn) (Out, error) {
	n := a.neighbours
	to := n.layout.remote[module]
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
	client := control.Over(peer.Client(n.over(to, pagesModule)), to.JoinPath(peer.OperationsPath).String())
	out, err := control.Call[operationsIn, Out](ctx, client, operationsPrefix+command, in, nil)
	var said *errs.Error
	answered := errors.As(err, &said)
	switch {
	case err == nil, answered && !peer.Own(said.Code) && said.Code != peer.BadAnswer:
		return out, err
	case answered && said.Kind != errs.Unknown, !answered && !connected.Load():
		return out, rpc.ErrUnavailable.With("%s cannot be reached just now", module).Because(err)
	default:
		return out, rpc.ErrReplyLost.With("%s did not answer; look whether it was done before you try again", module).Because(err)
	}
}

// gather puts together what this process lists and what its neighbours do. A neighbour that does not
// answer is left out: Modules says of it that it is not ready.
func gather[T any](ctx context.Context, a *app, command string, in operationsIn, here func() ([]T, error)) ([]T, error) {
	ctx, end := context.WithTimeout(ctx, overviewTime)
	defer end()
	processes := a.neighbours.layout.processes()
	found := make([][]T, len(processes))
	var asking sync.WaitGroup
	for i, module := range processes {
		asking.Go(func() {
			list, err := neighbour[[]T](ctx, a, module, command, in)
			if err != nil {
				a.tel.Log.Warn().Str("module", module).Str("command", operationsPrefix+command).Err(err).Msg("a neighbour does not say how it is")
			}
			found[i] = list
		})
	}
	own, err := here()
	asking.Wait()
	return slices.Concat(own, slices.Concat(found...)), err
}

// Modules says how each module is: of a neighbour's what it says itself, if it does.
func (o operations) Modules(ctx context.Context) ([]storefront.ModuleHealth, error) {
	all, err := gather(ctx, o.a, "modules", operationsIn{}, func() ([]storefront.ModuleHealth, error) { return local(o).Modules(ctx) })
	if err != nil {
		return nil, err
	}
	for _, name := range o.a.neighbours.layout.elsewhere() {
		if !slices.ContainsFunc(all, func(m storefront.ModuleHealth) bool { return m.Name == name }) {
			all = append(all, storefront.ModuleHealth{Name: name, Problem: "souk.unavailable", Dead: -1})
		}
	}
	slices.SortStableFunc(all, func(x, y storefront.ModuleHealth) int { return cmp.Compare(placeOf(x.Name), placeOf(y.Name)) })
	return all, nil
}

// Subscribers says where each subscriber is.
func (o operations) Subscribers(ctx context.Context) ([]storefront.SubscriberState, error) {
	out, err := gather(ctx, o.a, "subscribers", operationsIn{}, func() ([]storefront.SubscriberState, error) { return local(o).Subscribers(ctx) })
	slices.SortFunc(out, func(x, y storefront.SubscriberState) int { return cmp.Compare(x.Name, y.Name) })
	return out, err
}

// ParkedEvents reads the first parked event of each key.
func (o operations) ParkedEvents(ctx context.Context, limit int) ([]storefront.ParkedEvent, error) {
	out, err := gather(ctx, o.a, "parked", operationsIn{Limit: limit}, func() ([]storefront.ParkedEvent, error) { return local(o).ParkedEvents(ctx, limit) })
	slices.SortFunc(out, func(x, y storefront.ParkedEvent) int { return cmp.Compare(x.ParkedAt, y.ParkedAt) })
	return out[:min(limit, len(out))], err
}

// RetryParked applies the parked events of a key.
func (o operations) RetryParked(ctx context.Context, by actor.Actor, subscriber, key, why string) (storefront.Drained, error) {
	if module := subscribing(eventsIn{Subscriber: subscriber}); o.a.neighbours.layout.remote[module] != nil {
		return neighbour[storefront.Drained](ctx, o.a, module, "retry_parked", operationsIn{By: by, Subscriber: subscriber, Key: key, Why: why})
	}
	return local(o).RetryParked(ctx, by, subscriber, key, why)
}

// SkipParked forgets the first parked event of a key for good and goes on with the rest.
func (o operations) SkipParked(ctx context.Context, by actor.Actor, subscriber, key, why string) (storefront.Drained, error) {
	if module := subscribing(eventsIn{Subscriber: subscriber}); o.a.neighbours.layout.remote[module] != nil {
		return neighbour[storefront.Drained](ctx, o.a, module, "skip_parked", operationsIn{By: by, Subscriber: subscriber, Key: key, Why: why})
	}
	return local(o).SkipParked(ctx, by, subscriber, key, why)
}

// DeadJobs reads the jobs that gave up.
func (o operations) DeadJobs(ctx context.Context, limit int) ([]storefront.DeadJob, error) {
	out, err := gather(ctx, o.a, "dead_jobs", operationsIn{Limit: limit}, func() ([]storefront.DeadJob, error) { return local(o).DeadJobs(ctx, limit) })
	return out[:min(limit, len(out))], err
}

// RetryJob makes a dead job due now.
func (o operations) RetryJob(ctx context.Context, by actor.Actor, module, kind, key, why string) error {
	if o.a.neighbours.layout.remote[module] != nil {
		_, err := neighbour[none](ctx, o.a, module, "retry_job", operationsIn{By: by, Module: module, Kind: kind, Key: key, Why: why})
		return err
	}
	return local(o).RetryJob(ctx, by, module, kind, key, why)
}

// DropJob forgets a dead job for good.
func (o operations) DropJob(ctx context.Context, by actor.Actor, module, kind, key, why string) error {
	if o.a.neighbours.layout.remote[module] != nil {
		_, err := neighbour[none](ctx, o.a, module, "drop_job", operationsIn{By: by, Module: module, Kind: kind, Key: key, Why: why})
		return err
	}
	return local(o).DropJob(ctx, by, module, kind, key, why)
}

// AuditTrail merges the audit logs of modules by time. Its cursor says how far each is read. A log that
// cannot be read is an error: a trail with a gap would look whole.
func (o operations) AuditTrail(ctx context.Context, f storefront.AuditFilter) (storefront.AuditPage, error) {
	filter := []string{"audit", f.Module, f.Subject}
	before := map[string]int64{}
	if _, err := (page.Request{Cursor: f.Cursor}).After(filter, &before); err != nil {
		return storefront.AuditPage{}, err
	}
	var logs []auditLog
	for _, name := range moduleNames {
		if f.Module != "" && f.Module != name || !o.a.neighbours.layout.knows(name) {
			continue
		}
		rows, err := o.auditRows(ctx, name, f.Subject, before[name], f.Limit+1)
		if err != nil {
			return storefront.AuditPage{}, err
		}
		logs = append(logs, auditLog{module: name, rows: rows})
	}
	out := storefront.AuditPage{Rows: mergeAudits(logs, before, f.Limit)}
	if newest(logs) == nil {
		return out, nil
	}
	var err error
	out.Next, err = page.Cursor(filter, before)
	return out, err
}

// auditLog is what is left to be shown of a module's log, newest first.
type auditLog struct {
	module string
	rows   []store.AuditRow
}

// mergeAudits takes at most limit rows off the logs, and writes down how far each was read. A log keeps its own
// order, that of its ids, also where a clock was set back: what were sorted by time alone, a cursor by
// id would pass over.
func mergeAudits(logs []auditLog, before map[string]int64, limit int) (out []storefront.AuditEntry) {
	for len(out) < limit {
		l := newest(logs)
		if l == nil {
			break
		}
		r := l.rows[0]
		l.rows, before[l.module] = l.rows[1:], r.ID
		out = append(out, storefront.AuditEntry{
			Module: l.module, At: r.At, Kind: r.Kind, Person: string(r.Person), OnBehalfOf: string(r.OnBehalfOf), Action: r.Action,
			Subject: r.Subject, Before: r.Before, After: r.After, Why: r.Why,
		})
	}
	return out
}

// newest is the log whose next row is, nil when there is none left.
func newest(logs []auditLog) (found *auditLog) {
	for i := range logs {
		if l := &logs[i]; len(l.rows) > 0 && (found == nil || l.rows[0].At > found.rows[0].At) {
			found = l
		}
	}
	return found
}

func (o operations) auditRows(ctx context.Context, module, subject string, before int64, limit int) ([]store.AuditRow, error) {
	if o.a.neighbours.layout.remote[module] == nil {
		return local(o).AuditRows(ctx, module, subject, before, limit)
	}
	return neighbour[[]store.AuditRow](ctx, o.a, module, "audit", operationsIn{Module: module, Subject: subject, Before: before, Limit: limit})
}
