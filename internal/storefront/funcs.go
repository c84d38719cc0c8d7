package storefront

import (
	"encoding/json"
	"fmt"
	"html/template"
	"regexp"
	"strconv"
	"strings"
	"time"

	"souk/internal/platform/clock"
	"souk/internal/platform/money"
	"souk/internal/storefront/tile"
	"souk/internal/storefront/views"
)

// funcs are what templates may call.
func (r *Renderer) funcs() template.FuncMap {
	return template.FuncMap{
		"asset":  r.assets.URL,
		"key":    r.key,
		"money":  moneyHTML,
		"day":    func(t clock.Time) template.HTML { return timeHTML(t, "2 January 2006", r.options.Zone) },
		"moment": func(t clock.Time) template.HTML { return timeHTML(t, "2 January 2006, 15:04 MST", r.options.Zone) },
		"tile":   func(t views.Tile) template.HTML { return template.HTML(tile.Inline(tile.Hue(t.Hue, t.Kind), t.Title)) },
		"count":  Count,
		"number": func(n any) (string, error) { return number(n) },
		"field":  newField,
		"choice": newChoice,
		"dict":   dict,
		"status": func(code int) failureWords { return wordsFor(code) },
		"hxconf": func() string { return htmxConfig },
		"add":    func(a, b int) int { return a + b },
		"half":   func(n int) int { return n / 2 },
		"width":  func(p views.Picture) int { return orElse(p.Width, 480) },
		"height": func(p views.Picture) int { return orElse(p.Height, 480) },
	}
}

// htmxConfig turns off what the content policy forbids (styles and code made by htmx), keeps
// pages out of the browser's storage, and shows answers to forms that were refused.
var htmxConfig = func() string {
	text, err := json.Marshal(map[string]any{
		"includeIndicatorStyles": false,
		"allowEval":              false,
		"allowScriptTags":        false,
		"historyCacheSize":       0,
		"refreshOnHistoryMiss":   true,
		"scrollIntoViewOnBoost":  false,
		"selfRequestsOnly":       true,
		"timeout":                30000,
		"responseHandling": []map[string]any{
			{"code": "204", "swap": false},
			{"code": "[23]..", "swap": true},
			{"code": "4(00|09|22)", "swap": true},
			{"code": "[45]..", "swap": false, "error": true},
		},
	})
	if err != nil {
		panic(err) // constants
	}
	return string(text)
}()

// key is the key that a form already has, or a new one.
func (r *Renderer) key(has ...string) string {
	for _, k := range has {
		if k != "" {
			return k
		}
	}
	return r.options.NewKey()
}

var symbols = map[money.Currency]string{"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}

// FormatMoney writes an amount for people: "€1,250.00", "−$5.00", "CHF 12.50".
func FormatMoney(m money.Money) string {
	digits, negative := strings.CutPrefix(m.Decimal(), "-")
	whole, fraction, hasFraction := strings.Cut(digits, ".")
	text := group(whole)
	if hasFraction {
		text += "." + fraction
	}
	if symbol, ok := symbols[m.Currency]; ok {
		text = symbol + text
	} else {
		text = string(m.Currency) + "\u00a0" + text
	}
	if negative {
		return "\u2212" + text
	}
	return text
}

// amount is one in a sentence of the modules: "70.90 EUR".
var amount = regexp.MustCompile(`\b[0-9]+(\.[0-9]+)? [A-Z]{3}\b`)

// amountsAsHere is a sentence of the modules with its amounts as pages write them.
func amountsAsHere(text string) string {
	return amount.ReplaceAllStringFunc(text, func(found string) string {
		digits, currency, _ := strings.Cut(found, " ")
		m, err := money.Parse(digits, money.Currency(currency))
		if err != nil {
			return found // three capitals that are no currency
		}
		return FormatMoney(m)
	})
}

func group(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func moneyHTML(m money.Money) template.HTML {
	return template.HTML(`<data class="money" value="` + template.HTMLEscapeString(m.String()) + `">` +
		template.HTMLEscapeString(FormatMoney(m)) + `</data>`)
}

// FormatDay writes a day with its zone left to the page: "4 May 2026".
func FormatDay(t clock.Time, zone *time.Location) string {
	return t.Std().In(zone).Format("2 January 2006")
}

// FormatMoment writes a moment with its zone: "4 May 2026, 14:05 UTC".
func FormatMoment(t clock.Time, zone *time.Location) string {
	return t.Std().In(zone).Format("2 January 2006, 15:04 MST")
}

// timeHTML is t as people write it, "never" for none; the exact moment stands in the element,
// and a day says its zone there.
func timeHTML(t clock.Time, layout string, zone *time.Location) template.HTML {
	if t.IsZero() {
		return "never"
	}
	local := t.Std().In(zone)
	return template.HTML(fmt.Sprintf(`<time datetime="%s" title="%s">%s</time>`,
		t, local.Format("2 January 2006, 15:04:05 MST"), template.HTMLEscapeString(local.Format(layout))))
}

// Count writes how many there are of something: "1 listing", "1,204 listings", "no listings".
func Count(n int, one, many string) string {
	switch n {
	case 0:
		return "no " + many
	case 1:
		return "1 " + one
	default:
		return group(strconv.Itoa(n)) + " " + many
	}
}

func number(n any) (string, error) {
	switch n := n.(type) {
	case int:
		return group(strconv.Itoa(n)), nil
	case int64:
		return group(strconv.FormatInt(n, 10)), nil
	default:
		return "", fmt.Errorf("%T is not a whole number", n)
	}
}

func orElse(n, other int) int {
	if n > 0 {
		return n
	}
	return other
}

// field is one field of a form with all that its template needs.
type field struct {
	ID, Name, Label, Value, Error, Help string
	Type, Autocomplete, InputMode       string
	Min, Max, Step, Suffix              string
	MaxLength, Rows, Placeholder        string
	Required, Optional, Narrow          bool
	Choices                             []views.Choice
}

// Describedby is the ids of the help and the error of a field.
func (f field) Describedby() string {
	var ids []string
	if f.Error != "" {
		ids = append(ids, f.ID+"-error")
	}
	if f.Help != "" {
		ids = append(ids, f.ID+"-help")
	}
	return strings.Join(ids, " ")
}

// newField is the field name of a form. What else there is to say follows as words
// ("required", "optional", "narrow") and pairs ("type=email", "help=We send the receipt here.").
func newField(form views.Form, name, label string, rest ...string) (field, error) {
	f := field{
		ID: form.FieldID(name), Name: name, Label: label,
		Value: form.Value(name), Error: form.Error(name), Type: "text",
	}
	texts := map[string]*string{
		"type": &f.Type, "help": &f.Help, "autocomplete": &f.Autocomplete, "inputmode": &f.InputMode,
		"min": &f.Min, "max": &f.Max, "step": &f.Step, "suffix": &f.Suffix, "maxlength": &f.MaxLength,
		"rows": &f.Rows, "placeholder": &f.Placeholder,
	}
	flags := map[string]*bool{"required": &f.Required, "optional": &f.Optional, "narrow": &f.Narrow}
	for _, word := range rest {
		option, value, pair := strings.Cut(word, "=")
		switch {
		case pair && option == "value":
			if f.Value == "" {
				f.Value = value
			}
		case pair && texts[option] != nil:
			*texts[option] = value
		case !pair && flags[option] != nil:
			*flags[option] = true
		default:
			return field{}, fmt.Errorf("field %s: unknown option %q", name, word)
		}
	}
	return f, nil
}

// newChoice is a field whose value is one of several.
func newChoice(form views.Form, name, label string, choices []views.Choice, rest ...string) (field, error) {
	f, err := newField(form, name, label, rest...)
	f.Choices = choices
	return f, err
}

// dict makes a map of pairs, to give a template more than one value.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict needs pairs, not %d values", len(pairs))
	}
	out := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: %v is not a name", pairs[i])
		}
		out[name] = pairs[i+1]
	}
	return out, nil
}

// failureWords are what a failure's page says unless its view says better.
type failureWords struct{ Heading, Text string }

func wordsFor(status int) failureWords {
	words := map[int]failureWords{
		400: {"That did not come through right", "Something in the address or the form is not as it should be. Go back and try once more."},
		403: {"This is not open to you", "You are signed in, but what you asked for belongs to somebody else or needs another role."},
		404: {"Nothing here", "The page may have moved, or the thing may have been sold and taken down. Searching often finds it, or something like it."},
		409: {"Something changed meanwhile", "Somebody, perhaps you in another window, changed this after you opened it. Look at it again, then repeat what still needs doing."},
		413: {"That was too much at once", "What you sent is larger than this page accepts."},
		429: {"A moment, please", "There were too many attempts in a short time. Nothing is lost; wait a little and try again."},
		500: {"That went wrong, and it was us", "The fault is noted and will be looked at. If you were buying something: no order is ever charged twice, and your order history shows what went through."},
		503: {"Back in a moment", "A part of the shop is not answering just now. Your cart is kept. Try again shortly."},
	}
	if w, ok := words[status]; ok {
		return w
	}
	if status >= 500 {
		return words[500]
	}
	return words[400]
}
