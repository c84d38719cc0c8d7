package accounts

import (
	"souk/internal/platform/bus"
	"souk/internal/platform/clock"
)

// Log is the name of accounts' event log.
const Log bus.Log = "accounts"

// Registered says that there is a new person with credentials.
type Registered struct {
	PersonID PersonID   `json:"person_id"`
	At       clock.Time `json:"at"`
}

// EventName is fixed for ever.
func (Registered) EventName() string { return "accounts.registered.v1" }

// EventKey keeps the events of one person in order.
func (e Registered) EventKey() string { return string(e.PersonID) }

// PasswordChanged says that a person's password is another.
type PasswordChanged struct {
	PersonID PersonID   `json:"person_id"`
	At       clock.Time `json:"at"`
}

// EventName is fixed for ever.
func (PasswordChanged) EventName() string { return "accounts.password_changed.v1" }

// EventKey keeps the events of one person in order.
func (e PasswordChanged) EventKey() string { return string(e.PersonID) }

// RolesChanged says what a person may act as now.
type RolesChanged struct {
	PersonID PersonID   `json:"person_id"`
	Roles    []Role     `json:"roles"`
	At       clock.Time `json:"at"`
}

// EventName is fixed for ever.
func (RolesChanged) EventName() string { return "accounts.roles_changed.v1" }

// EventKey keeps the events of one person in order.
func (e RolesChanged) EventKey() string { return string(e.PersonID) }
