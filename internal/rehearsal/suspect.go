package rehearsal

import (
	"slices"
	"strings"

	"souk/internal/platform/audit"
	"souk/internal/platform/clock"
)

// maxKept is how many suspects of one invariant a reading keeps. Further ones are said to be
// there, so that a marketplace with every order broken is checked in as much memory.
const maxKept = 10_000

// suspect is something that looks broken.
type suspect struct {
	audit.Problem
	due clock.Time // until when a saga may still mend it; zero when none will
}

// name is the same for the same thing in another reading, however its detail has changed.
func (s suspect) name() string { return s.Invariant + "\x00" + strings.Join(s.Subjects, "\x00") }

// suspects are what one reading found.
type suspects struct {
	kept  []suspect
	found map[string]int64 // how many of each invariant, kept or not
}

func (s *suspects) add(due clock.Time, invariant, detail string, subjects ...string) {
	s.keep(suspect{Problem: audit.Problem{Invariant: invariant, Subjects: subjects, Detail: detail}, due: due})
}

// own takes over what a module found wrong within itself.
func (s *suspects) own(problems []audit.Problem) {
	for _, p := range problems {
		s.keep(suspect{Problem: p})
	}
}

func (s *suspects) keep(one suspect) {
	if s.found == nil {
		s.found = map[string]int64{}
	}
	if s.found[one.Invariant]++; s.found[one.Invariant] <= maxKept {
		s.kept = append(s.kept, one)
	}
}

// onlyThoseOf forgets what was not there in an earlier reading.
func (s *suspects) onlyThoseOf(before suspects) {
	seen := make(map[string]bool, len(before.kept))
	for _, b := range before.kept {
		seen[b.name()] = true
	}
	s.kept = slices.DeleteFunc(s.kept, func(one suspect) bool { return !seen[one.name()] })
}
