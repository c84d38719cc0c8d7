// Package accountssvc is the module accounts: people, sessions, tokens, roles, address books.
//
// Where rules live: how passwords are hashed in password.go; how often someone may guess in
// tries.go; how long sessions and tokens live in session.go and token.go; who may act as
// what in role.go; what an address book is in book.go. The rest fetches and stores.
//
// What protects a password: argon2id with parameters that are kept beside each hash, and
// renewed on the next sign-in when they are no longer today's; a bound on how many are
// computed at once, since each takes 19 MiB; the same work for an address that nobody
// has; and waits that grow with every failed try, per account and per client address,
// kept in the database so that a restart forgives nothing. Idempotency keys are kept with
// hashes of requests: no password goes into these, since they are quick to compute.
//
// Somebody who guesses at another's account makes its owner wait too, a quarter of an hour at
// most; sessions that are open already are not touched by that.
package accountssvc
