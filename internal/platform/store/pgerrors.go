package store

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"souk/internal/platform/errs"
)

// The server's codes that are acted upon.
const (
	pgUnique      = "23505"
	pgConstraints = "23"
	pgCancelled   = "57014"
	pgSerialize   = "40001"
	pgDeadlock    = "40P01"
	pgNoFeature   = "0A000"
)

// pgCode is the server's code of err; "" if the server did not say it.
func pgCode(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// pgAgain says whether err is about others that were at the same rows, so that the same
// once more may go well. A statement whose plan was made stale by a migration is the same.
func pgAgain(err error) bool {
	switch pgCode(err) {
	case pgSerialize, pgDeadlock:
		return true
	case pgNoFeature:
		return strings.Contains(err.Error(), "cached plan")
	}
	return false
}

// pgAdvice is what is said of the server's codes, the longer ones first.
var pgAdvice = []struct {
	code   string
	as     *errs.Error
	client string
	advice string
}{
	{pgSerialize, ErrContended, "too many are changing the same just now", "others kept writing the same rows"},
	{pgDeadlock, ErrContended, "too many are changing the same just now", "others kept locking the same rows"},
	{"28", ErrDenied, "storage cannot be opened", "the server refuses the user or the password; check them in the address, and pg_hba.conf on the server"},
	{"3D000", ErrUnreachable, "storage cannot be opened", "there is no such database; make it (createdb), or correct the address"},
	{"42501", ErrDenied, "storage cannot be used", "the role lacks a right; it must own its schema, and the address's user must be a member of it"},
	{"53100", ErrFull, "storage is full", "the server's disk is full; free space there, nothing needs to be restarted"},
	{"53200", ErrIO, "out of memory", "the server's memory ran out"},
	{"53300", ErrBusy, "storage is busy", "the server has no connection left; raise its max_connections, or have fewer processes"},
	{"53", ErrBusy, "storage is busy", "the server has run out of something"},
	{"55P03", ErrLocked, "storage is busy", "another transaction has kept it locked for too long; look for it in pg_stat_activity"},
	{"25006", ErrReadOnly, "storage cannot be written", "the transaction may only read: a Read that writes, or a server that is a read-only standby; souk needs the primary"},
	{"57P", ErrUnreachable, "storage does not answer", "the server is starting, stopping, or has ended the connection; souk goes on by itself when it is back"},
	{"25P03", ErrUnreachable, "storage does not answer", "the server has ended a transaction in which nothing happened for too long: was this process stopped?"},
	{"08", ErrUnreachable, "storage does not answer", "the connection to the server was lost"},
	{"58", ErrIO, "storage failed", "the server could not read or write its files; look at its log"},
	{"XX001", ErrCorrupt, "stored data cannot be read", "the server reports damaged data; stop souk, and restore a backup"},
	{"XX002", ErrCorrupt, "stored data cannot be read", "the server reports a damaged index; stop souk, and reindex or restore a backup"},
	{"22021", ErrText, "a text has a character that cannot be kept", "a text has a character that PostgreSQL cannot keep"},
	{"22P05", ErrText, "a text has a character that cannot be kept", "a text has a character that PostgreSQL cannot keep"},
}

// pgExplain gives an error of the server, or of the way to it, its kind, the place that it is
// about and what to do. Any other error passes unchanged.
func pgExplain(where string, err error) error {
	if err == nil || errors.Is(err, sql.ErrNoRows) {
		return err
	}
	var known *errs.Error
	if errors.As(err, &known) {
		return err // explained already
	}
	if code := pgCode(err); code != "" {
		for _, a := range pgAdvice {
			if strings.HasPrefix(code, a.code) {
				return a.as.With("%s", a.client).Because(fmt.Errorf("%s: %s: %w", where, a.advice, err))
			}
		}
		return err
	}
	if pgLost(err) {
		return ErrUnreachable.With("storage does not answer").Because(
			fmt.Errorf("%s: the server does not answer, or the connection was lost; check that it runs and can be reached: %w", where, err))
	}
	return err
}

// pgLost says whether err is about the way to the server.
func pgLost(err error) bool {
	var connecting *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connecting) || errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || strings.Contains(err.Error(), "conn closed")
}
