package storefront

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"souk/internal/platform/actor"
	"souk/internal/platform/errs"
	"souk/internal/storefront/views"
)

// operatorEvents is the events that were parked, of each key the one that stops the others.
func (v *visit) operatorEvents() error {
	parked, err := v.Operations.ParkedEvents(v.ctx(), countMost)
	if err != nil {
		return err
	}
	out := views.OperatorEvents{
		Page:  v.operatorFrame("Parked events", views.PathOpEvents),
		Pager: views.Pager{Shown: len(parked), Total: len(parked), More: len(parked) == countMost, Noun: "key waits", Nouns: "keys wait"},
		Empty: views.Empty{Title: "No parked events", Text: "Every subscriber has applied what it heard, or is about to."},
	}
	for i, p := range parked {
		values := map[string]string{"subscriber": p.Subscriber, "key_parked": p.Key}
		out.Rows = append(out.Rows, views.ParkedRow{
			ID: fmt.Sprintf("parked-%d", i), Module: p.Module, Subscriber: p.Subscriber, Position: p.Position, Name: p.Name, Key: p.Key,
			Tries: int(p.Tries), Error: p.Error, ParkedAt: p.ParkedAt, Behind: int(p.Behind), Body: indented(p.Body),
			Acts: []views.Act{
				{Text: "Try again", URL: views.PathOpEvents + "/retry", Values: values},
				{Text: "Skip this event for good", URL: views.PathOpEvents + "/skip", Values: values},
			},
		})
	}
	return v.show(http.StatusOK, out)
}

// indented is JSON as people read it; anything else as it is.
func indented(text string) string {
	var out bytes.Buffer
	if json.Indent(&out, []byte(text), "", "  ") != nil {
		return text
	}
	return out.String()
}

func (v *visit) retryParked() error {
	did, err := v.Operations.RetryParked(v.ctx(), v.by, v.field("subscriber"), v.field("key_parked"), "tried again on the operator's page")
	return v.drained(did, err)
}

func (v *visit) skipParked() error {
	did, err := v.Operations.SkipParked(v.ctx(), v.by, v.field("subscriber"), v.field("key_parked"), "skipped on the operator's page")
	return v.drained(did, err)
}

func (v *visit) drained(did Drained, err error) error {
	if err != nil {
		return v.operationFails(views.PathOpEvents, err)
	}
	flash := views.Flash{Text: fmt.Sprintf("%d applied, %d skipped, %d still parked.", did.Applied, did.Skipped, did.Left), Tone: views.Good}
	if did.Error != "" {
		flash.Text, flash.Tone = flash.Text+" It failed again: "+did.Error, views.Bad
		if runes := []rune(flash.Text); len(runes) > 400 {
			flash.Text = string(runes[:400]) + "…"
		}
	}
	return v.done(views.PathOpEvents, flash)
}

// operationFails says what was refused on the page where it was asked for.
func (v *visit) operationFails(path string, err error) error {
	if errs.Refused(err) {
		return v.done(path, views.Flash{Text: problemText(errs.As(err)), Tone: views.Bad})
	}
	return err
}

// operatorJobs is the jobs that gave up.
func (v *visit) operatorJobs() error {
	jobs, err := v.Operations.DeadJobs(v.ctx(), countMost)
	if err != nil {
		return err
	}
	out := views.OperatorJobs{
		Page:  v.operatorFrame("Dead jobs", views.PathOpJobs),
		Pager: views.Pager{Shown: len(jobs), Total: len(jobs), More: len(jobs) == countMost, Noun: "job", Nouns: "jobs"},
		Empty: views.Empty{Title: "No dead jobs", Text: "Everything that was begun is done or still being tried."},
	}
	for _, j := range jobs {
		values := map[string]string{"module": j.Module, "kind": j.Kind, "job": j.Key}
		row := views.JobRow{
			Module: j.Module, Kind: j.Kind, Key: j.Key, Tries: int(j.Tries), Error: j.Error, At: j.At,
			Acts: []views.Act{{Text: "Run it again", URL: views.PathOpJobs + "/retry", Values: values}},
		}
		if j.Periodic {
			row.Note = "It comes round by itself, and nothing else would ask for it again: it cannot be dropped."
		} else {
			row.Acts = append(row.Acts, views.Act{Text: "Drop it for good", URL: views.PathOpJobs + "/drop", Values: values})
		}
		out.Rows = append(out.Rows, row)
	}
	return v.show(http.StatusOK, out)
}

func (v *visit) retryJob() error {
	err := v.Operations.RetryJob(v.ctx(), v.by, v.field("module"), v.field("kind"), v.field("job"), "run again on the operator's page")
	if err != nil {
		return v.operationFails(views.PathOpJobs, err)
	}
	return v.done(views.PathOpJobs, views.Flash{Text: "The job runs again.", Tone: views.Good})
}

func (v *visit) dropJob() error {
	err := v.Operations.DropJob(v.ctx(), v.by, v.field("module"), v.field("kind"), v.field("job"), "dropped on the operator's page")
	if err != nil {
		return v.operationFails(views.PathOpJobs, err)
	}
	return v.done(views.PathOpJobs, views.Flash{Text: "The job is dropped for good.", Tone: views.Good})
}

// moduleRows is how each module is, with what its subscribers have still to do.
func (v *visit) moduleRows() ([]views.ModuleRow, error) {
	modules, err := v.Operations.Modules(v.ctx())
	if err != nil {
		return nil, err
	}
	subscribers, err := v.Operations.Subscribers(v.ctx())
	if err != nil {
		return nil, err
	}
	out := make([]views.ModuleRow, 0, len(modules))
	for _, m := range modules {
		row := views.ModuleRow{Name: m.Name, InFlight: int(m.InFlight), Limit: int(m.Max), Panics: m.Panics, Dead: int(max(m.Dead, 0))}
		stopped := ""
		for _, s := range subscribers {
			if s.Module != m.Name {
				continue
			}
			row.Lag += max(s.Lag, 0)
			row.Parked += int(s.Parked)
			if s.Error != "" {
				stopped = s.Name
			}
		}
		switch {
		case !m.Ready:
			row.Status = views.Status{Text: "Not ready: " + m.Problem, Tone: views.Bad}
		case stopped != "":
			row.Status = views.Status{Text: stopped + " does not follow", Tone: views.Warn}
		case row.Parked > 0 || row.Dead > 0:
			row.Status = views.Status{Text: "Ready, with work for you", Tone: views.Warn}
		default:
			row.Status = views.Status{Text: "Ready", Tone: views.Good}
		}
		out = append(out, row)
	}
	return out, nil
}

// operatorModules is how the modules are, and who hears whom.
func (v *visit) operatorModules() error {
	rows, err := v.moduleRows()
	if err != nil {
		return err
	}
	subscribers, err := v.Operations.Subscribers(v.ctx())
	if err != nil {
		return err
	}
	by, heads := v.sortedBy("sort", views.PathOpModules, ups(moduleColumns...)...), v.sortedBy("logs", views.PathOpModules, ups("subscriber", "log", "lag", "parked")...)
	by.base, heads.base = heads.here(), by.here() // each table keeps the order of the other
	out := views.OperatorModules{
		Page: v.operatorFrame("Modules", views.PathOpModules), Columns: moduleHeads(by), Modules: rows,
		Heads: []views.Column{
			heads.column("Subscriber", "subscriber", "up"), heads.column("Log", "log", "up"),
			{Text: "State"},
			{Text: "Position", Number: true},
			{Text: "Head", Number: true},
			heads.column("Lag", "lag", "down").Right(), heads.column("Parked", "parked", "down").Right(),
		},
	}
	sortRows(by, out.Modules, map[string]func(a, b views.ModuleRow) int{
		"module": func(a, b views.ModuleRow) int { return cmp.Compare(a.Name, b.Name) },
		"flight": func(a, b views.ModuleRow) int { return cmp.Compare(a.InFlight, b.InFlight) },
		"lag":    func(a, b views.ModuleRow) int { return cmp.Compare(a.Lag, b.Lag) },
		"parked": func(a, b views.ModuleRow) int { return cmp.Compare(a.Parked, b.Parked) },
		"dead":   func(a, b views.ModuleRow) int { return cmp.Compare(a.Dead, b.Dead) },
		"panics": func(a, b views.ModuleRow) int { return cmp.Compare(a.Panics, b.Panics) },
	})
	for _, s := range subscribers {
		out.Logs = append(out.Logs, views.LogRow{
			Subscriber: s.Name, Log: s.Log, Position: s.Position, Head: max(s.Head, 0), Lag: max(s.Lag, 0), Parked: int(s.Parked), Status: subscriberStatus(s),
		})
	}
	sortRows(heads, out.Logs, map[string]func(a, b views.LogRow) int{
		"subscriber": func(a, b views.LogRow) int { return cmp.Compare(a.Subscriber, b.Subscriber) },
		"log":        func(a, b views.LogRow) int { return cmp.Compare(a.Log, b.Log) },
		"lag":        func(a, b views.LogRow) int { return cmp.Compare(a.Lag, b.Lag) },
		"parked":     func(a, b views.LogRow) int { return cmp.Compare(a.Parked, b.Parked) },
	})
	return v.show(http.StatusOK, out)
}

// moduleColumns are the columns by which the modules are sorted.
var moduleColumns = []string{"module", "flight", "lag", "parked", "dead", "panics"}

func moduleHeads(by sorting) []views.Column {
	return []views.Column{
		by.column("Module", "module", "up"),
		{Text: "State"},
		by.column("In flight", "flight", "down").Right(), by.column("Lag", "lag", "down").Right(),
		by.column("Parked", "parked", "down").Right(), by.column("Dead", "dead", "down").Right(), by.column("Panics", "panics", "down").Right(),
	}
}

// farBehind is how many events nobody is behind for long: some take a second's worth at once.
const farBehind = 1000

func subscriberStatus(s SubscriberState) views.Status {
	switch {
	case s.State == "gone":
		return views.Status{Text: "Lost its place; it is being rebuilt", Tone: views.Bad}
	case s.Error != "":
		return views.Status{Text: capital(s.State) + ": " + s.Error, Tone: views.Warn}
	case s.Head < 0:
		return views.Status{Text: "The log cannot be read", Tone: views.Bad}
	case s.Lag > farBehind:
		return views.Status{Text: "Behind", Tone: views.Warn}
	case s.Lag > 0:
		return views.Status{Text: "Catching up"}
	case s.State == "new":
		return views.Status{Text: "Nothing heard yet"}
	default:
		return views.Status{Text: "Following", Tone: views.Good}
	}
}

// auditSize is how many rows of the audit trail a page has.
const auditSize = 50

// auditFilter is what the audit trail is asked for.
func (v *visit) auditFilter() AuditFilter {
	return AuditFilter{Module: v.query("module"), Subject: v.query("subject"), Cursor: v.query("cursor"), Limit: auditSize}
}

func auditURL(base, module, subject string) string {
	q := url.Values{}
	if module != "" {
		q.Set("module", module)
	}
	if subject != "" {
		q.Set("subject", subject)
	}
	return withParams(base, q)
}

// operatorAuditCSV is the audit trail as a table.
func (v *visit) operatorAuditCSV() error {
	f := v.auditFilter()
	f.Cursor, f.Limit = "", 500
	return v.csv("audit.csv", []string{"at", "module", "who", "for", "did", "to", "before", "after", "why"},
		func(write func(...string) error) (bool, error) {
			got, err := v.Operations.AuditTrail(v.ctx(), f)
			if err != nil {
				return false, err
			}
			for _, e := range got.Rows {
				if err := write(e.At.String(), e.Module, auditWho(e), e.OnBehalfOf, e.Action, e.Subject, e.Before, e.After, e.Why); err != nil {
					return false, err
				}
			}
			f.Cursor = got.Next
			return got.Next != "", nil
		})
}

// auditWho is who did it, as the trail shows it.
func auditWho(e AuditEntry) string {
	switch e.Kind {
	case actor.KindSystem:
		return "souk"
	case actor.KindOperator:
		return e.Person + " (operator)"
	default:
		return e.Person
	}
}

// operatorAudit is who did what, and why.
func (v *visit) operatorAudit() error {
	f := v.auditFilter()
	got, err := v.Operations.AuditTrail(v.ctx(), f)
	if err != nil {
		return err
	}
	modules, err := v.Operations.Modules(v.ctx())
	if err != nil {
		return err
	}
	out := views.OperatorAudit{
		Page: v.operatorFrame("Audit trail", views.PathOpAudit), Subject: f.Subject,
		Modules: []views.Choice{{Text: "All", URL: auditURL(views.PathOpAudit, "", f.Subject), Chosen: f.Module == ""}},
		CSV:     auditURL(pathOpAuditCSV, f.Module, f.Subject),
		Pager:   v.pagerOf(auditURL(views.PathOpAudit, f.Module, f.Subject), got.Next, len(got.Rows), "act", "acts"),
		Empty:   views.Empty{Title: "Nothing here", Text: "What operators, sellers’ staff and the command line change is written down here.", Links: []views.Link{{Text: "Everything", URL: views.PathOpAudit}}},
	}
	for _, m := range modules {
		out.Modules = append(out.Modules, views.Choice{Text: m.Name, URL: auditURL(views.PathOpAudit, m.Name, f.Subject), Chosen: m.Name == f.Module})
	}
	if f.Subject != "" {
		out.Chips = []views.Chip{{Label: "Subject", Text: f.Subject, URL: auditURL(views.PathOpAudit, f.Module, "")}}
	}
	for _, e := range got.Rows {
		out.Rows = append(out.Rows, views.AuditRow{At: e.At, Who: auditWho(e), For: e.OnBehalfOf, Action: e.Action, Subject: e.Subject, Before: e.Before, After: e.After, Why: e.Why})
	}
	return v.show(http.StatusOK, out)
}
