// Package audit holds the words in which modules report on themselves. Every contract has an
// Audit method that streams the module's facts as pages; internal/rehearsal compares the
// facts of different modules and opens nobody's tables.
package audit

import "souk/internal/platform/clock"

// Problem is a broken invariant that a module found within itself.
type Problem struct {
	Invariant string   `json:"invariant"` // its fixed name: "stock.oversold"
	Subjects  []string `json:"subjects"`  // the ids concerned
	Detail    string   `json:"detail"`    // what was found, in a sentence
}

// Request asks for a page of facts, of which some may have none: each page also carries the problems
// of the rows that it looked at, and the first the module's standing in events and jobs. Facts come
// in the order of their ids, as each contract says.
type Request struct {
	Cursor string `json:"cursor"`
	Limit  int32  `json:"limit"`
}

// Standing is where a module is in its own event log, in the logs that it hears, and in its jobs.
type Standing struct {
	Epoch    string   `json:"epoch"`
	Head     int64    `json:"head"`    // position of the last event published
	Trimmed  int64    `json:"trimmed"` // position up to which events were trimmed
	Cursors  []Cursor `json:"cursors"`
	JobsDue  int64    `json:"jobs_due"`
	JobsDead int64    `json:"jobs_dead"`
}

// Cursor is one subscriber's place in one log. Position − Start = Applied + Skipped + Parked.
type Cursor struct {
	Subscriber string     `json:"subscriber"`
	Log        string     `json:"log"`
	Epoch      string     `json:"epoch"`
	Start      int64      `json:"start"`
	Position   int64      `json:"position"`
	Applied    int64      `json:"applied"`
	Skipped    int64      `json:"skipped"`
	Parked     int64      `json:"parked"`
	MovedAt    clock.Time `json:"moved_at"`
}
