package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/jmoiron/sqlx"
)

// place is one schema of one PostgreSQL database, and who may see it.
type place struct {
	config *pgx.ConnConfig // of the URL's user
	schema string
	role   string // what every connection becomes; it sees its own schema only
	lines  *lines // that are open
}

// String names the place in messages, without a password.
func (p place) String() string {
	if p.config == nil {
		return "schema " + p.schema
	}
	return fmt.Sprintf("schema %s of the database %s at %s", p.schema, p.config.Database, p.server())
}

func (p place) server() string {
	if strings.HasPrefix(p.config.Host, "/") {
		return p.config.Host
	}
	return net.JoinHostPort(p.config.Host, strconv.Itoa(int(p.config.Port)))
}

func placeOf(o Options) (place, error) {
	at := place{schema: o.Schema, lines: &lines{silence: o.pgSilence}}
	config, err := pgx.ParseConfig(o.URL)
	if err != nil {
		// What pgx says has the password blotted out.
		return at, fmt.Errorf("the address of the database is not one like postgres://user:password@host/souk: %w", err)
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 5 * time.Second
	}
	config.DialFunc = at.lines.dial
	at.config = config
	// Roles belong to the whole server, so that two souks on one server must not share them.
	at.role = config.Database + "_" + o.Schema
	if len(at.role) > 63 || len(at.schema) > 63 {
		return at, fmt.Errorf("the name %s is longer than PostgreSQL's 63 bytes; use a database with a shorter name", at.role)
	}
	return at, nil
}

// What a connection is for.
type pgUse string

const (
	pgWrites pgUse = "write"
	pgReads  pgUse = "read"
	pgAux    pgUse = "sequencer"
	pgNews   pgUse = "listen"
	pgOwner  pgUse = "migrate"
	pgCopies pgUse = "copy"
)

// How long the server lets a transaction of a Write stand idle before it ends it: a process
// that was stopped in the middle of one holds its locks, and the numbering of everyone's
// events. Functions in a Write wait for nothing, so only a stopped process is that slow.
const idleInWrite = 10 * time.Second

// lockPatience is how long a statement waits for another transaction's lock.
const lockPatience = 15 * time.Second

// settings is the configuration of a connection.
func (p place) settings(o Options, use pgUse) *pgx.ConnConfig {
	c := p.config.Copy()
	set := c.RuntimeParams
	set["application_name"] = "souk " + p.schema + " " + string(use)
	set["search_path"] = quoteName(p.schema) + ", pg_temp"
	set["timezone"] = "UTC"
	set["standard_conforming_strings"] = "on"
	set["lock_timeout"] = millis(lockPatience)
	if p.role != c.User {
		set["role"] = p.role
	}
	switch use {
	case pgReads:
		set["default_transaction_read_only"] = "on"
	case pgWrites, pgAux:
		c.DialFunc = p.lines.dialHasty
		set["idle_in_transaction_session_timeout"] = millis(idleInWrite)
		if o.NoSync {
			set["synchronous_commit"] = "off"
		}
	case pgCopies:
		// The source's transaction stands for as long as the copy takes, and keeps others from writing.
		set["idle_in_transaction_session_timeout"], set["statement_timeout"] = "0", "0"
	case pgOwner:
		set["lock_timeout"] = millis(time.Minute)
	case pgNews:
		return c // waiting is ended by closing: the server would have nothing to cancel
	}
	// A caller who goes away has the server told, and the connection stays.
	c.BuildContextWatcherHandler = func(pc *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: pc, DeadlineDelay: 2 * time.Second}
	}
	return c
}

// pool opens connections as they are wanted, no more than max at once.
func (p place) pool(o Options, use pgUse, most int) *sqlx.DB {
	pool := stdlib.OpenDB(*p.settings(o, use))
	pool.SetMaxOpenConns(most)
	pool.SetMaxIdleConns(most)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	return sqlx.NewDb(pool, "pgx")
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

func quoteName(name string) string { return pgx.Identifier{name}.Sanitize() }

// standing is what the URL's user finds and may do.
type standing struct {
	User     string `db:"me"`
	Standby  bool   `db:"standby"`
	Role     bool   `db:"role_there"`
	Member   bool   `db:"member"`
	Schema   bool   `db:"schema_there"`
	MayRoles bool   `db:"may_roles"`
	MayMake  bool   `db:"may_make"`
	Version  int    `db:"version"`
	Encoding string `db:"encoding"`
}

// oldestServer is the first version that is still looked after by its makers.
const oldestServer = 140000

// prepare makes the schema and its role, or finds that an administrator has made them.
func (p place) prepare(ctx context.Context, readOnly bool) error {
	config := p.config.Copy()
	config.RuntimeParams["application_name"] = "souk " + p.schema + " prepare"
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close(context.WithoutCancel(ctx)) }()
	s, err := p.look(ctx, c)
	if err != nil {
		return err
	}
	switch {
	case s.Version < oldestServer:
		return fmt.Errorf("%s: PostgreSQL %d is too old; souk needs 14 or newer", p, s.Version/10000)
	case s.Encoding != "UTF8":
		return fmt.Errorf("%s: the database keeps texts as %s; make one with ENCODING 'UTF8'", p, s.Encoding)
	case s.Standby && !readOnly:
		return ErrReadOnly.With("storage cannot be written").Because(
			fmt.Errorf("%s: the server is a standby that only repeats another; give souk the address of the primary", p))
	case s.Schema && (s.User == p.role || s.Role && s.Member):
		return nil
	case readOnly:
		return ErrBehind.With("there are no stored data yet").Because(fmt.Errorf("%s: souk serve makes it", p))
	}
	if (!s.Role || !s.Member) && !s.MayRoles && s.User != p.role || !s.Schema && !s.MayMake {
		return ErrDenied.With("storage cannot be opened").Because(p.askAdministrator(s))
	}
	return p.make(ctx, c)
}

func (p place) look(ctx context.Context, c *pgx.Conn) (s standing, err error) {
	err = c.QueryRow(ctx, `
		SELECT current_user, pg_is_in_recovery(),
			EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = $1),
			EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = $1 AND pg_has_role(current_user, oid, 'MEMBER')),
			EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $2),
			EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = current_user AND (rolsuper OR rolcreaterole)),
			has_database_privilege(current_database(), 'CREATE'),
			CAST(current_setting('server_version_num') AS integer), current_setting('server_encoding')`,
		p.role, p.schema).Scan(&s.User, &s.Standby, &s.Role, &s.Member, &s.Schema, &s.MayRoles, &s.MayMake, &s.Version, &s.Encoding)
	return s, err
}

// make makes what is missing. Several processes may begin at once: one makes, the others wait.
func (p place) make(ctx context.Context, c *pgx.Conn) error {
	return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('souk roles'))`); err != nil {
			return err
		}
		s, err := p.look(ctx, c)
		if err != nil {
			return err
		}
		var todo []string
		if s.User != p.role {
			if !s.Role {
				todo = append(todo, "CREATE ROLE "+quoteName(p.role)+" NOLOGIN")
			}
			if !s.Member || !s.Role {
				todo = append(todo, "GRANT "+quoteName(p.role)+" TO "+quoteName(s.User))
			}
		}
		if !s.Schema {
			todo = append(todo, "CREATE SCHEMA "+quoteName(p.schema)+" AUTHORIZATION "+quoteName(p.role))
		}
		for _, statement := range todo {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		return nil
	})
}

// askAdministrator says what somebody with more rights has to run.
func (p place) askAdministrator(s standing) error {
	role, user := quoteName(p.role), quoteName(s.User)
	return fmt.Errorf("%s: %s may not make the role and the schema; have an administrator run in that database: "+
		"CREATE ROLE %s NOLOGIN; GRANT %s TO %s; CREATE SCHEMA %s AUTHORIZATION %s;",
		p, s.User, role, role, user, quoteName(p.schema), role)
}

// errNoPgConn is a connection that is not what it should be.
var errNoPgConn = errors.New("not a PostgreSQL connection")
