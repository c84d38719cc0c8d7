package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/mattn/go-sqlite3"

	"souk/internal/platform/errs"
)

// What store itself refuses or reports. The messages are for clients and name no file; the
// cause, for the log and the command line, says which file it is and what to do.
var (
	// ErrNotBegun says that the write was given up before it did anything: the caller's
	// context ended, or the database is closing.
	ErrNotBegun = errs.Refusal(errs.Unavailable, "store.not_begun")
	// ErrUnknown says that the commit failed: the write is perhaps there, perhaps not.
	ErrUnknown = errs.Refusal(errs.Unknown, "store.commit_unknown")
	// ErrFull says that the disk is full; nothing was done.
	ErrFull = errs.Refusal(errs.Unavailable, "store.full")
	// ErrLocked says that another process has the file; nothing was done.
	ErrLocked = errs.Refusal(errs.Unavailable, "store.locked")
	// ErrIO says that reading or writing the file failed; nothing was done.
	ErrIO = errs.Refusal(errs.Unavailable, "store.io")
	// ErrReadOnly says that the file, its folder or this DB cannot be written.
	ErrReadOnly = errs.Refusal(errs.Unavailable, "store.read_only")
	// ErrCorrupt says that the file is damaged or is no database.
	ErrCorrupt = errs.Refusal(errs.Internal, "store.corrupt")
	// ErrNewer says that a newer souk has written the database.
	ErrNewer = errs.Refusal(errs.Unavailable, "store.newer")
	// ErrChanged says that a migration was changed after it had run.
	ErrChanged = errs.Refusal(errs.Internal, "store.migration_changed")
	// ErrBehind says that migrations wait, and this DB may not apply them.
	ErrBehind = errs.Refusal(errs.Unavailable, "store.behind")
	// ErrBusy says that too many writes are waiting already; this one was not begun.
	ErrBusy = errs.Refusal(errs.Unavailable, "store.busy")
	// ErrContended says that others wrote the same at the same time, again and again, until
	// this one was given up; nothing was done.
	ErrContended = errs.Refusal(errs.Unavailable, "store.contended")
	// ErrUnreachable says that the database server does not answer, or was lost before the
	// commit was asked for; nothing was done.
	ErrUnreachable = errs.Refusal(errs.Unavailable, "store.unreachable")
	// ErrDenied says that the database server refuses the password or lacks a right.
	ErrDenied = errs.Refusal(errs.Unavailable, "store.denied")
	// ErrText says that a text has a character that the database cannot keep.
	ErrText = errs.Refusal(errs.Invalid, "store.text")
	// ErrNested says that a Write was called inside a Write. It is a defect.
	ErrNested = errs.Refusal(errs.Internal, "store.write_inside_write")
	// ErrPanicked says that the function given to Write panicked or ended its goroutine.
	ErrPanicked = errs.Refusal(errs.Internal, "store.panicked")
	// ErrStatement says that a statement is not one that a module may run. It is a defect.
	ErrStatement = errs.Refusal(errs.Internal, "store.statement")
)

// explain gives an error of SQLite its kind, the file that it is about and what to do. Any
// other error passes unchanged, sql.ErrNoRows among them.
func (db *DB) explain(err error) error {
	if db.pg != nil {
		return pgExplain(db.path, err)
	}
	return explain(db.path, db.holder, err)
}

func explain(path string, holder func() string, err error) error {
	var e sqlite3.Error
	if err == nil || errors.Is(err, sql.ErrNoRows) || !errors.As(err, &e) {
		return err
	}
	var known *errs.Error
	if errors.As(err, &known) {
		return err // explained already
	}
	say := func(as *errs.Error, client, advice string) error {
		return as.With("%s", client).Because(fmt.Errorf("%s: %s: %w", path, advice, err))
	}
	// An interruption by the reader's own context is that context's error, made by the driver.
	switch e.Code {
	case sqlite3.ErrFull:
		return say(ErrFull, "storage is full", "the disk is full; free space there, nothing needs to be restarted")
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return say(ErrLocked, "storage is busy", "another process has locked it"+suffix(holder())+"; end it, or wait")
	case sqlite3.ErrCorrupt, sqlite3.ErrNotADB:
		return say(ErrCorrupt, "stored data cannot be read",
			"the file is damaged or is not a database; stop souk, keep the file, and restore a backup (souk restore)")
	case sqlite3.ErrReadonly, sqlite3.ErrPerm, sqlite3.ErrAuth:
		return say(ErrReadOnly, "storage cannot be written",
			"the file or its folder cannot be written; check owner and permissions, and that the disk is not mounted read-only")
	case sqlite3.ErrCantOpen:
		return say(ErrReadOnly, "storage cannot be opened",
			"the file cannot be opened; check that its folder exists and belongs to the user that runs souk")
	case sqlite3.ErrNomem:
		return say(ErrIO, "out of memory", "memory ran out")
	case sqlite3.ErrIoErr:
		if e.SystemErrno == syscall.ENOSPC || e.SystemErrno == syscall.EDQUOT {
			return say(ErrFull, "storage is full", "the disk is full; free space there, nothing needs to be restarted")
		}
		return say(ErrIO, "storage failed",
			"reading or writing failed ("+e.SystemErrno.Error()+"); look at the disk and the system's log, and check with souk verify")
	default:
		return err
	}
}

func suffix(holder string) string {
	if holder == "" {
		return ""
	}
	return " (the lock file names " + holder + ")"
}

// notBegun is the end of a write that did nothing, because of ctx.
func notBegun(ctx context.Context) error {
	return ErrNotBegun.With("the request was given up before anything was done").Because(context.Cause(ctx))
}

// IsDuplicate says whether err is a row refused because its like is there already: a
// UNIQUE or PRIMARY KEY constraint.
func IsDuplicate(err error) bool {
	if pgCode(err) == pgUnique {
		return true
	}
	var e sqlite3.Error
	return errors.As(err, &e) && (e.ExtendedCode == sqlite3.ErrConstraintUnique ||
		e.ExtendedCode == sqlite3.ErrConstraintPrimaryKey || e.ExtendedCode == sqlite3.ErrConstraintRowID)
}

// IsConstraint says whether err is a row refused by any constraint: CHECK, NOT NULL, a
// foreign key, a duplicate, a type.
func IsConstraint(err error) bool {
	if strings.HasPrefix(pgCode(err), pgConstraints) {
		return true
	}
	var e sqlite3.Error
	return errors.As(err, &e) && e.Code == sqlite3.ErrConstraint
}
