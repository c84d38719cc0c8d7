package feed

import (
	"math/big"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"souk/internal/platform/clock"
	"souk/internal/platform/money"
)

// clean trims a value and takes out control characters and what XML cannot hold; with
// oneLine, line ends and tabs become blanks, else line ends become \n.
func clean(s string, oneLine bool) string {
	if plainText(s) {
		return strings.TrimSpace(s)
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029' || r == '\u0085':
			if oneLine {
				return ' '
			}
			return '\n'
		case r == '\t':
			if oneLine {
				return ' '
			}
			return r
		case unicode.IsControl(r), r == '\ufffe', r == '\uffff', r == '\ufeff':
			return -1
		}
		return r
	}, s)
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\ufffd")
	}
	return strings.TrimSpace(s)
}

// plainText says whether s is printable ASCII.
func plainText(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// line sets a text of one line.
func line(of func(*Row) *string) func(*builder, *column, string) {
	return func(b *builder, _ *column, value string) { *of(&b.row) = clean(value, true) }
}

// address sets a link, or leaves it out with a warning.
func address(of func(*Row) *string) func(*builder, *column, string) {
	return func(b *builder, c *column, value string) {
		if a, ok := b.link(c.name, clean(value, true)); ok {
			*of(&b.row) = a
		}
	}
}

func (b *builder) link(column, value string) (string, bool) {
	if value == "" {
		return "", false
	}
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || len(value) > 2000 || strings.ContainsAny(value, " \"<>") {
		b.warn(column, value, "is not an http address, and left out")
		return "", false
	}
	return value, true
}

// oneOf sets one of a few words, or leaves it out with a warning.
func oneOf(of func(*Row) *string, words ...string) func(*builder, *column, string) {
	return func(b *builder, c *column, value string) {
		word := strings.ToLower(clean(value, true))
		if word == "" || slices.Contains(words, word) {
			*of(&b.row) = word
			return
		}
		b.warn(c.name, value, "is none of %s, and left out", strings.Join(words, ", "))
	}
}

func (b *builder) id(c *column, value string) {
	b.row.ID = clean(value, true)
	if len(b.row.ID) > maxID {
		b.problem(c.name, value, "is longer than %d bytes", maxID)
	}
}

func (b *builder) description(_ *column, value string) { b.row.Description = clean(value, false) }

func (b *builder) attribute(c *column, value string) {
	value = clean(value, false)
	if value != "" && len(b.row.Attributes) < maxListed {
		b.row.Attributes = append(b.row.Attributes, Attribute{Name: c.name, Value: value})
	}
}

// word is a value as Google writes it: "In Stock" and "https://schema.org/InStock" are in_stock.
func word(value string) string {
	value = clean(value, true)
	if i := strings.LastIndexByte(value, '/'); i >= 0 {
		value = value[i+1:]
	}
	return strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(value), " ", "_"), "-", "_")
}

var availabilities = map[string]Availability{
	"in_stock": InStock, "instock": InStock, "available": InStock, "limitedavailability": InStock,
	"out_of_stock": OutOfStock, "outofstock": OutOfStock, "soldout": OutOfStock, "sold_out": OutOfStock,
	"preorder": Preorder, "pre_order": Preorder, "backorder": Backorder, "back_order": Backorder,
}

func (b *builder) availability(c *column, value string) {
	w := word(value)
	if w == "" {
		return
	}
	a, ok := availabilities[w]
	if !ok {
		b.problem(c.name, value, "is none of in_stock, out_of_stock, preorder, backorder")
	}
	b.row.Availability = a
}

var conditions = map[string]Condition{
	"new": New, "newcondition": New, "refurbished": Refurbished, "refurbishedcondition": Refurbished,
	"used": Used, "usedcondition": Used,
}

func (b *builder) condition(c *column, value string) {
	w := word(value)
	if w == "" {
		return
	}
	condition, ok := conditions[w]
	if !ok {
		b.problem(c.name, value, "is none of new, refurbished, used")
	}
	b.row.Condition = condition
}

func (b *builder) quantity(c *column, value string) {
	value = clean(value, true)
	if value == "" {
		return
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 0 || n > maxQuantity {
		b.problem(c.name, value, "is not a whole number from 0 to %d", int64(maxQuantity))
		return
	}
	b.row.Quantity = &n
}

// maxQuantity is more than any seller has of one thing, and far from overflowing a sum.
const maxQuantity = 1_000_000_000

func (b *builder) price(c *column, value string) {
	if m, ok := b.amount(c, value); ok {
		b.row.Price = m
	}
}

func (b *builder) salePrice(c *column, value string) {
	if m, ok := b.amount(c, value); ok {
		b.row.SalePrice = &m
	}
}

func (b *builder) amount(c *column, value string) (money.Money, bool) {
	value = clean(value, true)
	if value == "" {
		return money.Money{}, false
	}
	m, reason := b.table.parseAmount(value)
	if reason != "" {
		b.problem(c.name, value, "%s", reason)
		return money.Money{}, false
	}
	return m, true
}

var (
	digitsGrouped = regexp.MustCompile(`^[0-9]{1,3}(,[0-9]{3})+\.[0-9]+$`)
	digitsGerman  = regexp.MustCompile(`^[0-9]{1,3}(\.[0-9]{3})+,[0-9]+$`)
	digitsComma   = regexp.MustCompile(`^[0-9]+,[0-9]{1,2}$`)
)

// parseAmount reads "49.95 USD". The currency may stand first, or be left to the fallback.
// A decimal comma and grouped thousands are understood where they can mean only one thing:
// "1,299 USD" might be either, and is refused, for nothing about money is guessed.
func (t *table) parseAmount(value string) (m money.Money, reason string) {
	number, currency := value, string(t.currency)
	if before, after, ok := strings.Cut(value, " "); ok {
		if number, currency = before, strings.TrimSpace(after); before != "" && (before[0] < '0' || before[0] > '9') && before[0] != '-' {
			number, currency = currency, before
		}
	} else if n := len(value) - 3; n > 0 && letters(value[n:]) {
		number, currency = value[:n], value[n:]
	}
	c := money.Currency(strings.ToUpper(currency))
	switch {
	case c == "":
		return m, "names no currency; write it as 49.95 USD"
	case !c.Valid():
		return m, "names a currency that souk does not know; write it as 49.95 USD"
	}
	switch {
	case !strings.Contains(number, ","):
	case digitsGrouped.MatchString(number):
		number = strings.ReplaceAll(number, ",", "")
	case digitsGerman.MatchString(number):
		number = strings.Replace(strings.ReplaceAll(number, ".", ""), ",", ".", 1)
	case digitsComma.MatchString(number) && c.Exponent() == 2:
		number = strings.Replace(number, ",", ".", 1)
	default:
		return m, "has a comma that can be read in two ways; write it as 1299.00 " + string(c)
	}
	m, err := money.Parse(number, c)
	switch {
	case err != nil:
		return m, "is not an amount of " + string(c) + "; write it as 49.95 USD"
	case m.Minor < 0 || strings.HasPrefix(number, "-"):
		return m, "is less than nothing"
	}
	return m, ""
}

func letters(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }) < 0
}

// saleDates reads ISO 8601's interval: 2026-02-24T11:07+01:00/2026-02-29T23:07+01:00.
func (b *builder) saleDates(c *column, value string) {
	value = clean(value, true)
	if value == "" {
		return
	}
	from, until, ok := strings.Cut(value, "/")
	f, okFrom := parseDate(from)
	u, okUntil := parseDate(until)
	if !ok || !okFrom || !okUntil || !f.Before(u) {
		b.problem(c.name, value, "is not an interval like 2026-02-24T11:07+01:00/2026-02-27T23:07+01:00")
		return
	}
	b.row.SaleFrom, b.row.SaleUntil = f, u
}

func parseDate(s string) (clock.Time, bool) {
	s = strings.TrimSpace(s)
	for _, layout := range []string{
		time.RFC3339Nano, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04Z07:00", "2006-01-02T15:04Z0700",
		"2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly,
	} {
		if t, err := time.Parse(layout, s); err == nil && t.UTC().Year() >= 1971 && t.UTC().Year() <= 9999 {
			return clock.Of(t), true
		}
	}
	return 0, false
}

// gtin checks the last digit as GS1 says (weights 3 and 1 from the right). A number that lost
// its leading zeros to a spreadsheet gets them back, since the digit still holds.
func (b *builder) gtin(c *column, value string) {
	digits := strings.ReplaceAll(strings.ReplaceAll(clean(value, true), " ", ""), "-", "")
	if digits == "" {
		return
	}
	wrong := func(reason string) { b.warn(c.name, value, "%s, and left out", reason) }
	switch {
	case len(digits) < 6 || len(digits) > 14 || strings.Trim(digits, "0123456789") != "":
		wrong("is not a GTIN of 8, 12, 13 or 14 digits")
	case strings.Trim(digits, "0") == "":
		wrong("is all zeros")
	case !gtinDigit(digits):
		wrong("has a wrong check digit")
	default:
		b.row.GTIN = digits
		for !slices.Contains([]int{8, 12, 13, 14}, len(b.row.GTIN)) {
			b.row.GTIN = "0" + b.row.GTIN
		}
		if len(b.row.GTIN) != len(digits) {
			b.warn(c.name, value, "has lost its leading zeros, read as %s", b.row.GTIN)
		}
	}
}

func gtinDigit(digits string) bool {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			d *= 3
		}
		sum += d
	}
	return sum%10 == 0
}

var weights = regexp.MustCompile(`^([0-9]{1,9})(?:\.([0-9]{1,9}))? ?(g|kg|lb|lbs|oz)$`)

// unitMicrograms are the units as international agreement has fixed the pound.
var unitMicrograms = map[string]int64{"g": 1_000_000, "kg": 1_000_000_000, "lb": 453_592_370, "lbs": 453_592_370, "oz": 28_349_523}

func (b *builder) shippingWeight(c *column, value string) {
	value = strings.ToLower(clean(value, true))
	if value == "" {
		return
	}
	m := weights.FindStringSubmatch(strings.Replace(value, ",", ".", 1))
	if m == nil {
		b.warn(c.name, value, "is not a weight like 1.5 kg, and left out")
		return
	}
	whole, _ := new(big.Int).SetString(m[1]+m[2], 10) // the pattern has only digits
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(len(m[2]))), nil)
	micro := whole.Mul(whole, big.NewInt(unitMicrograms[m[3]]))
	grams, rest := micro.QuoRem(micro, scale.Mul(scale, big.NewInt(1_000_000)), new(big.Int))
	if rest.Sign() > 0 {
		grams.Add(grams, big.NewInt(1))
	}
	g := grams.Int64() // at most 10^12
	b.row.ShippingWeight = &g
}
