package searchsvc

import (
	"strings"

	"souk/internal/search"
)

// The marks around matches. Nothing that is indexed has them: clean takes them out.
const (
	markOpen  = "\x02"
	markClose = "\x03"
)

// piecesOf cuts a marked text into pieces, none of them empty.
func piecesOf(marked string) []search.Piece {
	var pieces []search.Piece
	add := func(s string, match bool) {
		if s != "" {
			pieces = append(pieces, search.Piece{Text: s, Match: match})
		}
	}
	for marked != "" {
		before, rest, found := strings.Cut(marked, markOpen)
		add(before, false)
		if !found {
			break
		}
		match, after, _ := strings.Cut(rest, markClose)
		add(match, true)
		marked = after
	}
	return pieces
}

// maxLead is how much of a description stands for it when nothing in it was searched for.
const maxLead = 160

// lead is the beginning of a text, cut between words.
func lead(s string) string {
	letters := []rune(s)
	if len(letters) <= maxLead {
		return s
	}
	cut := string(letters[:maxLead])
	if i := strings.LastIndexByte(cut, ' '); i > 0 {
		cut = cut[:i]
	}
	return strings.TrimRight(cut, " ,;:.-–") + "…"
}
