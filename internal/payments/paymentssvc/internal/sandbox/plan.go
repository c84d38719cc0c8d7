package sandbox

import (
	"math/rand/v2"
	"sync"
	"time"
)

// Op is one of the sandbox's verbs.
type Op string

// The verbs.
const (
	OpAuthorise Op = "authorise"
	OpCapture   Op = "capture"
	OpVoid      Op = "void"
	OpRefund    Op = "refund"
	OpLookup    Op = "lookup"
)

// Fault is what goes wrong with one call. The zero value is nothing.
type Fault struct {
	Unavailable bool // nothing is done, and the caller knows
	LoseRequest bool // nothing is done, and the caller does not know
	LoseReply   bool // it is done, and the caller does not know
	Refuse      bool // of a capture or refund: refused for good
}

// Plan decides what goes wrong. Implementations are safe for concurrent use.
type Plan interface {
	// Fault is what goes wrong with the next call of that verb.
	Fault(op Op) Fault
	// Notify is after how long each copy of the next notification is sent.
	Notify() []time.Duration
}

// Calm goes wrong in nothing. Notifications come at once, and again later, as they do.
type Calm struct{}

// Fault is none.
func (Calm) Fault(Op) Fault { return Fault{} }

// Notify is at once, and once more.
func (Calm) Notify() []time.Duration { return []time.Duration{0, 20 * time.Second} }

// Script deals with the calls of each verb in order, and lets those after its end pass.
type Script struct {
	mu     sync.Mutex
	faults map[Op][]Fault
	notify []time.Duration
}

// NewScript is a script whose notifications are sent after the given times.
func NewScript(notify ...time.Duration) *Script {
	return &Script{faults: map[Op][]Fault{}, notify: notify}
}

// Then adds to what happens to a verb's calls.
func (s *Script) Then(op Op, faults ...Fault) *Script {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[op] = append(s.faults[op], faults...)
	return s
}

// Fault takes a verb's next fault.
func (s *Script) Fault(op Op) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := s.faults[op]
	if len(rest) == 0 {
		return Fault{}
	}
	s.faults[op] = rest[1:]
	return rest[0]
}

// Notify is the same each time.
func (s *Script) Notify() []time.Duration { return s.notify }

// Rates are how often each fault happens, from 0 to 1, each by itself.
type Rates struct {
	Unavailable, LoseRequest, LoseReply float64
	MaxNotifyDelay                      time.Duration // notifications are spread up to this, one to three copies each
}

// Random makes faults at the given rates, the same for the same seed.
type Random struct {
	mu    sync.Mutex
	dice  *rand.Rand
	rates Rates
}

// NewRandom is a plan of random faults. Tests print the seed.
func NewRandom(seed uint64, rates Rates) *Random {
	return &Random{dice: rand.New(rand.NewPCG(seed, seed)), rates: rates} //nolint:gosec // chance, not secrecy
}

// Fault draws the next fault.
func (r *Random) Fault(Op) Fault {
	r.mu.Lock()
	defer r.mu.Unlock()
	return Fault{
		Unavailable: r.dice.Float64() < r.rates.Unavailable,
		LoseRequest: r.dice.Float64() < r.rates.LoseRequest,
		LoseReply:   r.dice.Float64() < r.rates.LoseReply,
	}
}

// Notify draws one to three moments: late, repeated, and so out of order with others.
func (r *Random) Notify() []time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]time.Duration, 1+r.dice.IntN(3))
	for i := range out {
		out[i] = time.Duration(r.dice.Int64N(int64(r.rates.MaxNotifyDelay) + 1))
	}
	return out
}
