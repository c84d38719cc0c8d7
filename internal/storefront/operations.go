package storefront

import (
	"context"

	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
)

// Operations is what operators' pages show and do that belongs to no module but to the
// platform that all stand on. The program implements it over the modules that it has wired.
// Callers are operators: that has been checked when a method is called, and by is whom the
// audit row names.
type Operations interface {
	// Modules says how each module is, in the order in which they are wired.
	Modules(ctx context.Context) ([]ModuleHealth, error)

	// Subscribers says where each subscriber is in the log that it hears, by name.
	Subscribers(ctx context.Context) ([]SubscriberState, error)

	// ParkedEvents reads parked events of all subscribers, of each key the first alone: the
	// one that stops those behind it. At most limit, the longest parked first.
	ParkedEvents(ctx context.Context, limit int) ([]ParkedEvent, error)

	// RetryParked applies the parked events of a key, in order, until one fails again.
	RetryParked(ctx context.Context, by actor.Actor, subscriber, key, why string) (Drained, error)

	// SkipParked forgets the first parked event of a key for good and goes on with the rest.
	SkipParked(ctx context.Context, by actor.Actor, subscriber, key, why string) (Drained, error)

	// DeadJobs reads the jobs that gave up, of all modules. At most limit.
	DeadJobs(ctx context.Context, limit int) ([]DeadJob, error)

	// RetryJob makes a dead job due now.
	RetryJob(ctx context.Context, by actor.Actor, module, kind, key, why string) error

	// DropJob forgets a dead job for good.
	DropJob(ctx context.Context, by actor.Actor, module, kind, key, why string) error

	// AuditTrail pages through the audit rows of all modules, or of one, newest first.
	AuditTrail(ctx context.Context, f AuditFilter) (AuditPage, error)
}

// ModuleHealth is how one module is.
type ModuleHealth struct {
	Name     string
	Ready    bool
	Problem  string // why it is not ready; a code
	InFlight int64
	Max      int64 // in flight at most
	Refused  int64 // turned away at that bound since the start
	Panics   int64 // caught since the start
	Dead     int64 // jobs that gave up; -1 if that is not known
}

// SubscriberState is one subscriber's place in the log that it hears.
type SubscriberState struct {
	Name     string // "search.index"
	Module   string // whose subscriber it is
	Log      string
	Position int64
	Head     int64 // -1 if the log could not be read
	Lag      int64 // -1 if that is not known
	Parked   int64
	State    string // "following", "retrying", "waiting", "gone", or "new" before its first event
	Error    string // why it does not follow; "" when it does
}

// ParkedEvent is an event that a subscriber could not apply.
type ParkedEvent struct {
	Subscriber string
	Module     string
	Position   int64
	Name       string // of the event: "catalog.listing_changed.v1"
	Key        string // order holds per key
	Tries      int64
	Error      string
	ParkedAt   clock.Time
	Behind     int64 // later events of the same key that wait behind it
	Body       string
}

// Drained is what became of the parked events of a key.
type Drained struct {
	Applied int64
	Skipped int64
	Left    int64  // still parked
	Error   string // why, if any is
}

// DeadJob is work that was tried often enough.
type DeadJob struct {
	Module   string
	Kind     string
	Key      string
	Tries    int64
	Error    string
	At       clock.Time // of the last try
	Periodic bool       // it comes round by itself, and DropJob refuses it
}

// AuditFilter narrows the audit trail.
type AuditFilter struct {
	Module  string // "" for all
	Subject string // exactly; "" for all
	Cursor  string // of the page before; "" for the first. Of another filter it is page.ErrCursor
	Limit   int
}

// AuditPage is a page of the audit trail.
type AuditPage struct {
	Rows []AuditEntry
	Next string // cursor; "" at the end
}

// AuditEntry is one row of a module's audit log.
type AuditEntry struct {
	Module     string
	At         clock.Time
	Kind       actor.Kind
	Person     string // id, "" for the system
	OnBehalfOf string // id
	Action     string
	Subject    string
	Before     string
	After      string
	Why        string
}
