package store

import "sync/atomic"

// Stats are counts since the database was opened. They are exact: a test may hold a use
// case to them.
type Stats struct {
	Writes        int64 // Writes that returned nil
	Refused       int64 // Writes that returned an error after their turn had begun
	Runs          int64 // times that a function was run: more than Writes + Refused when run again
	Reruns        int64 // of these, again because a neighbour's error ended the shared transaction, or it could not be serialised
	Batches       int64 // transactions begun
	Commits       int64 // transactions committed
	FailedCommits int64 // commits that failed, their writes unknown
	Reads         int64 // Reads begun
	Statements    int64 // statements of modules and platform, in Write and Read
	Control       int64 // BEGIN, SAVEPOINT, RELEASE, ROLLBACK, COMMIT
	Events        int64 // events published, also by what was undone later
	Jobs          int64 // jobs enqueued, also by what was undone later
	Checkpoints   int64 // checkpoints run
	Reconnects    int64 // times that the writer's connection was replaced
	Queued        int64 // Writes waiting for their turn, now
	WALPages      int64 // pages in the write-ahead log after the last batch
	Numbered      int64 // on PostgreSQL, events that this process has given their positions
	HeldBack      int64 // on PostgreSQL, times that an old transaction was found to hold events back
}

// Sub is what has happened from u to s.
func (s Stats) Sub(u Stats) Stats {
	return Stats{
		Writes: s.Writes - u.Writes, Refused: s.Refused - u.Refused,
		Runs: s.Runs - u.Runs, Reruns: s.Reruns - u.Reruns,
		Batches: s.Batches - u.Batches, Commits: s.Commits - u.Commits,
		FailedCommits: s.FailedCommits - u.FailedCommits, Reads: s.Reads - u.Reads,
		Statements: s.Statements - u.Statements, Control: s.Control - u.Control,
		Events: s.Events - u.Events, Jobs: s.Jobs - u.Jobs,
		Checkpoints: s.Checkpoints - u.Checkpoints, Reconnects: s.Reconnects - u.Reconnects,
		Queued: s.Queued, WALPages: s.WALPages,
		Numbered: s.Numbered - u.Numbered, HeldBack: s.HeldBack - u.HeldBack,
	}
}

type counters struct {
	writes, refused, runs, reruns, batches, commits, failedCommits, reads   atomic.Int64
	statements, control, events, jobs, checkpoints, reconnects, queued, wal atomic.Int64
	numbered, heldBack                                                      atomic.Int64
}

// Stats are the counts now.
func (db *DB) Stats() Stats {
	c := &db.count
	return Stats{
		Writes: c.writes.Load(), Refused: c.refused.Load(), Runs: c.runs.Load(), Reruns: c.reruns.Load(),
		Batches: c.batches.Load(), Commits: c.commits.Load(), FailedCommits: c.failedCommits.Load(),
		Reads: c.reads.Load(), Statements: c.statements.Load(), Control: c.control.Load(),
		Events: c.events.Load(), Jobs: c.jobs.Load(), Checkpoints: c.checkpoints.Load(),
		Reconnects: c.reconnects.Load(), Queued: c.queued.Load(), WALPages: c.wal.Load(),
		Numbered: c.numbered.Load(), HeldBack: c.heldBack.Load(),
	}
}
