package rules

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"souk/internal/catalog"
	"souk/internal/platform/errs"
	"souk/internal/search"
)

// maxShown is how many wrong lines are told at once.
const maxShown = 20

// names are how kinds are called in a file.
var names = map[search.RuleKind]string{
	search.RuleSynonyms: "same", search.RuleExpansion: "also", search.RulePin: "pin", search.RuleBury: "bury", search.RuleStop: "stop",
}

// Line is a rule as a file has it.
func Line(r search.Rule) string {
	words := strings.Join(r.Words, ", ")
	switch r.Kind {
	case search.RuleSynonyms:
		return names[r.Kind] + ": " + words
	case search.RuleExpansion:
		return names[r.Kind] + ": " + r.Query + " > " + words
	case search.RulePin:
		return names[r.Kind] + ": " + r.Query + " > " + string(r.Listing) + " at " + strconv.Itoa(int(r.Place))
	case search.RuleBury:
		return names[r.Kind] + ": " + r.Query + " > " + string(r.Listing)
	default:
		return names[r.Kind] + ": " + r.Query
	}
}

// Read reads the rules of a file, each once. If lines are wrong it says which, and why.
func Read(text string) ([]search.Rule, error) {
	var all []search.Rule
	var wrong []string
	more := 0
	lines := map[string]int{} // by what is said, where
	number := 0
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) { // some editors begin a file of UTF-8 with a mark
		number++
		if line, _, _ = strings.Cut(line, "#"); strings.TrimSpace(line) == "" {
			continue
		}
		r, err := ReadLine(line)
		if err == nil {
			print := Print(r)
			if first, ok := lines[print]; ok {
				err = fmt.Errorf("says again what line %d says", first)
			} else {
				lines[print] = number
			}
		}
		switch {
		case err == nil:
			all = append(all, r)
		case len(wrong) < maxShown:
			wrong = append(wrong, fmt.Sprintf("line %d: %s", number, err))
		default:
			more++
		}
	}
	if more > 0 {
		wrong = append(wrong, fmt.Sprintf("and %d more", more))
	}
	if len(wrong) > 0 {
		return nil, search.ErrInvalid.With("%s", strings.Join(wrong, "\n"))
	}
	return all, nil
}

// readable says what is not text in a line, since that would be left out of a word unseen. On its way to a souk that serves,
// what is not UTF-8 has become the sign that stands for it.
func readable(line string) error {
	if !utf8.ValidString(line) || strings.ContainsRune(line, utf8.RuneError) {
		return errors.New("is not UTF-8; save the file as UTF-8")
	}
	if i := strings.IndexFunc(strings.TrimSpace(line), func(r rune) bool { return unicode.IsControl(r) && r != '\t' }); i >= 0 {
		return fmt.Errorf("has the control character %q", []rune(strings.TrimSpace(line)[i:])[0])
	}
	return nil
}

// ReadLine reads a rule as a file has it.
func ReadLine(line string) (search.Rule, error) {
	if err := readable(line); err != nil {
		return search.Rule{}, err
	}
	name, rest, found := strings.Cut(line, ":")
	r := search.Rule{Kind: kindOf(strings.ToLower(strings.TrimSpace(name)))}
	if !found || r.Kind == "" {
		return r, fmt.Errorf("should begin with same:, also:, pin:, bury: or stop:, and begins %q", cut(strings.TrimSpace(line)))
	}
	left, right, arrow := strings.Cut(rest, ">")
	needsArrow := r.Kind == search.RuleExpansion || r.Kind == search.RulePin || r.Kind == search.RuleBury
	switch {
	case needsArrow && !arrow:
		return r, fmt.Errorf("%s: needs a > between the search and what it is to find", names[r.Kind])
	case !needsArrow && arrow:
		return r, fmt.Errorf("%s: has no >", names[r.Kind])
	case strings.Contains(right, ">"):
		return r, fmt.Errorf("%s: has one > only; write a line for each", names[r.Kind])
	}
	switch r.Kind {
	case search.RuleSynonyms:
		r.Words = strings.Split(left, ",")
	case search.RuleExpansion:
		r.Query, r.Words = left, strings.Split(right, ",")
	case search.RuleStop:
		r.Query = left
	default:
		r.Query = left
		if err := readPlace(&r, right); err != nil {
			return r, err
		}
	}
	if r.Kind != search.RuleSynonyms && strings.Contains(left, ",") {
		return r, fmt.Errorf("%s: is about one search; write a line for each", names[r.Kind])
	}
	r = Clean(r)
	var p errs.Problems
	Check(r, &p)
	if err := p.Err(search.ErrInvalid); err != nil {
		return r, fmt.Errorf("%s", told(errs.As(err)))
	}
	return r, nil
}

// readPlace reads "lst_… at 2".
func readPlace(r *search.Rule, text string) error {
	words := strings.Fields(text)
	if len(words) == 0 {
		return fmt.Errorf("%s: needs the id of a listing after the >", names[r.Kind])
	}
	r.Listing = catalog.ListingID(words[0])
	if len(words) == 1 {
		return nil
	}
	place, err := strconv.ParseInt(words[len(words)-1], 10, 32)
	if r.Kind != search.RulePin || len(words) != 3 || words[1] != "at" || err != nil || place < 1 {
		return fmt.Errorf("%s: cannot read %q after the id of the listing", names[r.Kind], cut(strings.Join(words[1:], " ")))
	}
	r.Place = int32(place)
	return nil
}

func kindOf(name string) search.RuleKind {
	for kind, called := range names {
		if called == name {
			return kind
		}
	}
	return ""
}

// told is what is wrong with a rule, in the order of its fields.
func told(e *errs.Error) string {
	var out []string
	for _, field := range []string{"kind", "query", "words", "listing", "place"} {
		if problem := e.Fields[field]; problem != "" {
			out = append(out, field+" "+problem)
		}
	}
	for i := range search.MaxRuleWords + 1 {
		if problem := e.Fields[fmt.Sprintf("words[%d]", i)]; problem != "" {
			out = append(out, fmt.Sprintf("word %d %s", i+1, problem))
		}
	}
	if len(out) == 0 {
		return e.Message
	}
	return strings.Join(out, "; ")
}

// cut is the beginning of a long text.
func cut(text string) string {
	letters := []rune(text)
	if len(letters) <= 40 {
		return text
	}
	return string(letters[:40]) + "…"
}
