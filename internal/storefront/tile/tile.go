// Package tile draws the picture of what has no picture: a square in the colour of its
// category with the initials of its title. The same hue and title always give the same drawing.
package tile

import (
	"fmt"
	"hash/fnv"
	"html"
	"strings"
	"unicode"
)

// shapes are drawn over the ground in the second colour, on a square of 96.
var shapes = [...]string{
	`<circle cx="78" cy="20" r="34" fill="%[1]s"/>`,
	`<path d="M0 96V60l48-30 48 30v36z" fill="%[1]s"/>`,
	`<path d="M0 72C24 56 40 88 64 72s24-8 32-12v36H0z" fill="%[1]s"/>`,
	`<path d="M18 96V48a30 30 0 0 1 60 0v48z" fill="%[1]s"/>`,
	`<path d="M0 0h96L0 96z" fill="%[1]s"/>`,
	`<path d="M0 64h96v14H0zM0 18h96v14H0z" fill="%[1]s"/>`,
	`<circle cx="48" cy="48" r="40" fill="%[1]s"/>`,
	`<path d="M48 4l44 44-44 44L4 48z" fill="%[1]s"/>`,
}

// Hue is the hue of a tile: the category's own, or where that is 0 one that follows from kind.
func Hue(own int, kind string) int {
	if own > 0 {
		return own % 360
	}
	return int(sum(kind)%24) * 15
}

// paint is the colours of a drawing: ground, shape and letters.
type paint struct{ ground, shape, letters string }

func light(hue int) paint {
	return paint{hsl(hue, 38, 86), hsl(hue, 38, 80), hsl(hue, 45, 27)}
}

func dark(hue int) paint {
	return paint{hsl(hue, 20, 21), hsl(hue, 20, 26), hsl(hue, 45, 80)}
}

func hsl(hue, saturation, lightness int) string {
	return fmt.Sprintf("hsl(%d,%d%%,%d%%)", hue, saturation, lightness)
}

// Inline is the drawing to stand within a page, light or dark as the page is: hidden from
// assistive technology, for what it stands for is said in words beside it.
func Inline(hue int, title string) string {
	day, night := light(hue), dark(hue)
	both := func(a, b string) string { return "light-dark(" + a + "," + b + ")" }
	return `<svg class="tile" viewBox="0 0 96 96" aria-hidden="true" focusable="false">` + body(paint{
		both(day.ground, night.ground), both(day.shape, night.shape), both(day.letters, night.letters),
	}, title) + `</svg>`
}

// File is the drawing as an image of its own.
func File(hue int, title string) string {
	return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96" width="480" height="480" role="img">` +
		`<title>` + html.EscapeString(title) + `</title>` + body(light(hue), title) + `</svg>`
}

// body draws letters on a ground with a shape that follows from the title, so that
// neighbours of one colour differ.
func body(p paint, title string) string {
	shape := fmt.Sprintf(shapes[sum(title)%uint32(len(shapes))], p.shape)
	return `<path d="M0 0h96v96H0z" fill="` + p.ground + `"/>` + shape +
		`<text x="48" y="57" fill="` + p.letters + `" font-size="26" font-weight="600" font-family="system-ui,sans-serif" text-anchor="middle">` +
		html.EscapeString(Initials(title)) + `</text>`
}

// Initials are the first letters of the first two words of a title, "·" for one without any.
func Initials(title string) string {
	words := strings.FieldsFunc(title, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	var out []rune
	for _, word := range words {
		out = append(out, unicode.ToUpper([]rune(word)[0]))
		if len(out) == 2 {
			break
		}
	}
	if len(out) == 0 {
		return "·"
	}
	return string(out)
}

func sum(s string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(s))
	return h.Sum32()
}
