package rpc

import (
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"
)

// Fault is what goes wrong with one call. The zero value is nothing.
type Fault struct {
	Delay       time.Duration // the request is this long on its way
	Unavailable bool          // it never arrives: nothing is done, and the caller knows
	Repeat      bool          // it arrives twice, as when a client tries again
	LoseReply   bool          // it is done, and the caller hears unknown
}

// Faults decides what goes wrong with each call. Implementations are safe for concurrent use.
type Faults interface {
	Next(m Method) Fault
}

// Always does the same to every call.
type Always Fault

// Next is always the same.
func (a Always) Next(Method) Fault { return Fault(a) }

// Script deals with the calls of each method in order, and lets those after its end pass.
type Script struct {
	mu    sync.Mutex
	plans map[string][]Fault
}

// NewScript is a script by method name.
func NewScript(plans map[string][]Fault) *Script {
	s := &Script{plans: make(map[string][]Fault, len(plans))}
	for method, faults := range plans {
		s.Then(method, faults...)
	}
	return s
}

// Then adds to what happens to a method's calls.
func (s *Script) Then(method string, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plans[method] = append(s.plans[method], faults...)
}

// Next takes a method's next fault.
func (s *Script) Next(m Method) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	plan := s.plans[m.Name]
	if len(plan) == 0 {
		return Fault{}
	}
	s.plans[m.Name] = plan[1:]
	return plan[0]
}

// Left is how many faults have not happened yet.
func (s *Script) Left() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, plan := range s.plans {
		n += len(plan)
	}
	return n
}

// Rates are how often each fault happens, from 0 to 1, each by itself.
type Rates struct {
	Delay       float64
	MaxDelay    time.Duration // delays are spread evenly up to this
	Unavailable float64
	Repeat      float64
	LoseReply   float64
}

// Random makes faults at the given rates. The n-th call of a method always meets the same
// fault for the same seed, however the calls of different methods interleave.
type Random struct {
	seed  uint64
	rates Rates
	mu    sync.Mutex
	calls map[string]uint64
}

// NewRandom is a plan of random faults. Tests print the seed.
func NewRandom(seed uint64, rates Rates) *Random {
	return &Random{seed: seed, rates: rates, calls: map[string]uint64{}}
}

// Next draws a method's next fault.
func (r *Random) Next(m Method) Fault {
	r.mu.Lock()
	n := r.calls[m.Name]
	r.calls[m.Name] = n + 1
	r.mu.Unlock()

	h := fnv.New64a()
	_, _ = h.Write([]byte(m.Name))                     // a hash never fails
	dice := rand.New(rand.NewPCG(r.seed^h.Sum64(), n)) //nolint:gosec // chance, not secrecy
	var f Fault
	if d := dice.Float64(); d < r.rates.Delay && r.rates.MaxDelay > 0 {
		f.Delay = time.Duration(dice.Int64N(int64(r.rates.MaxDelay)) + 1)
	}
	f.Unavailable = dice.Float64() < r.rates.Unavailable
	f.Repeat = dice.Float64() < r.rates.Repeat
	f.LoseReply = dice.Float64() < r.rates.LoseReply
	return f
}
