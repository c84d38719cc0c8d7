package rpc

// Contract describes a module's contract at run time: what `souk modules` prints and what
// two processes compare before they speak. It is generated; nothing changes it.
type Contract struct {
	Module   string   `json:"module"`
	Hash     string   `json:"hash"`     // of this binary's contract
	Previous string   `json:"previous"` // of the last release's, "" before the first
	Methods  []Method `json:"methods"`
	Events   []Event  `json:"events"` // what it publishes
	Codes    []Code   `json:"codes"`  // what it refuses with
	Text     string   `json:"text"`   // all of it, as it is frozen with a release
}

// Method is one method of a contract. A command changes something and has a key; what is
// not a command is a read.
type Method struct {
	Name    string `json:"name"`
	Command bool   `json:"command"`
	Request string `json:"request"`
	Reply   string `json:"reply"`
}

// Event is one event that a module publishes.
type Event struct {
	Name string `json:"name"` // "orders.placed.v1"
	Type string `json:"type"` // "Placed"
}

// Code is one declared refusal.
type Code struct {
	Code string `json:"code"`
	Kind string `json:"kind"`
}

// Matches says whether two processes may speak: what either holds, as its own or as the last
// release's, is held by the other too.
func (c Contract) Matches(other Contract) bool {
	if c.Module != other.Module {
		return false
	}
	for _, mine := range []string{c.Hash, c.Previous} {
		if mine != "" && (mine == other.Hash || mine == other.Previous) {
			return true
		}
	}
	return false
}
