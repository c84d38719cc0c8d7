// Package money is amounts in whole minor units with a currency: no float ever, no silent
// conversion, no unit lost when an amount is divided.
//
//	price := money.Money{Minor: 1250, Currency: "EUR"} // €12.50
//	parts, err := total.Allocate([]int64{2, 1, 1})     // parts always sum to total
package money

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// What can go wrong with amounts.
var (
	ErrCurrencyMismatch = errors.New("amounts have different currencies")
	ErrOverflow         = errors.New("amount is too large")
	ErrCurrency         = errors.New("not a currency souk knows")
	ErrSyntax           = errors.New("not an amount")
	ErrWeights          = errors.New("weights must not be negative, and one must be positive")
)

// Currency is an ISO 4217 code in capitals.
type Currency string

// exponents of ISO 4217 that differ from 2 (list one, 2024): currencies with four digits or
// none of the usual kind (CLF, UYW, precious metals) are left out on purpose.
var exponents = map[Currency]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0,
	"RWF": 0, "UGX": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}

var twoDigits = strings.Fields(`AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND
	BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR
	FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD
	KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO
	NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD
	SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW
	ZWG`)

// Valid says whether c is a currency that souk knows.
func (c Currency) Valid() bool {
	_, known := exponents[c]
	return known || slices.Contains(twoDigits, string(c))
}

// Exponent is the number of decimals of c: 0, 2 or 3.
func (c Currency) Exponent() int {
	if e, ok := exponents[c]; ok {
		return e
	}
	return 2
}

// Money is an amount in the currency's smallest unit: {1250, "EUR"} is €12.50.
type Money struct {
	Minor    int64    `json:"minor"`
	Currency Currency `json:"currency"`
}

// Zero is nothing of a currency.
func Zero(c Currency) Money { return Money{Currency: c} }

// Parse reads "12.50" as an amount of c. Decimals beyond those of the currency must be
// zeros: "12.500" euros is 12.50, "12.505" is refused, for nothing is rounded unseen.
func Parse(s string, c Currency) (Money, error) {
	if !c.Valid() {
		return Money{}, fmt.Errorf("%w: %q", ErrCurrency, string(c))
	}
	text := strings.TrimSpace(s)
	digits, negative := strings.CutPrefix(text, "-")
	whole, fraction, point := strings.Cut(digits, ".")
	if point && fraction == "" { // "12." is more likely cut off than meant
		return Money{}, fmt.Errorf("%w in %s: %q", ErrSyntax, c, s)
	}
	exp := c.Exponent()
	for len(fraction) > exp && strings.HasSuffix(fraction, "0") {
		fraction = fraction[:len(fraction)-1]
	}
	if whole == "" || len(fraction) > exp || !allDigits(whole) || !allDigits(fraction) {
		return Money{}, fmt.Errorf("%w in %s: %q", ErrSyntax, c, s)
	}
	minor, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", exp-len(fraction)), 10, 64)
	if err != nil {
		return Money{}, fmt.Errorf("%w: %q", ErrOverflow, s)
	}
	if negative {
		minor = -minor
	}
	return Money{Minor: minor, Currency: c}, nil
}

func allDigits(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// Decimal is the amount without its currency: "12.50".
func (m Money) Decimal() string {
	exp := m.Currency.Exponent()
	sign, digits := "", strconv.FormatUint(magnitude(m.Minor), 10)
	if m.Minor < 0 {
		sign = "-"
	}
	if exp == 0 {
		return sign + digits
	}
	for len(digits) <= exp {
		digits = "0" + digits
	}
	return sign + digits[:len(digits)-exp] + "." + digits[len(digits)-exp:]
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return uint64(-(n + 1)) + 1
	}
	return uint64(n)
}

// String is the amount with its currency: "12.50 EUR", as in product feeds.
func (m Money) String() string { return m.Decimal() + " " + string(m.Currency) }

// IsZero says whether the amount is nothing, of whatever currency.
func (m Money) IsZero() bool { return m.Minor == 0 }

// Add is m and n together.
func (m Money) Add(n Money) (Money, error) {
	if m.Currency != n.Currency {
		return Money{}, fmt.Errorf("add %s to %s: %w", n.Currency, m.Currency, ErrCurrencyMismatch)
	}
	sum := m.Minor + n.Minor
	if (sum > m.Minor) != (n.Minor > 0) || sum == math.MinInt64 {
		return Money{}, ErrOverflow
	}
	return Money{Minor: sum, Currency: m.Currency}, nil
}

// Sub is m less n.
func (m Money) Sub(n Money) (Money, error) {
	if n.Minor == math.MinInt64 {
		return Money{}, ErrOverflow
	}
	return m.Add(n.Neg())
}

// Neg is m with the other sign. The smallest int64 has none and stays; no Money that Parse,
// Add or Mul made is that small.
func (m Money) Neg() Money { return Money{Minor: -m.Minor, Currency: m.Currency} }

// Cmp is -1, 0 or 1 as m is less than, equal to or more than n.
func (m Money) Cmp(n Money) (int, error) {
	if m.Currency != n.Currency {
		return 0, fmt.Errorf("compare %s with %s: %w", m.Currency, n.Currency, ErrCurrencyMismatch)
	}
	switch {
	case m.Minor < n.Minor:
		return -1, nil
	case m.Minor > n.Minor:
		return 1, nil
	default:
		return 0, nil
	}
}

// Mul is m taken n times.
func (m Money) Mul(n int64) (Money, error) {
	product := new(big.Int).Mul(big.NewInt(m.Minor), big.NewInt(n))
	return m.with(product)
}

func (m Money) with(minor *big.Int) (Money, error) {
	if !minor.IsInt64() || minor.Int64() == math.MinInt64 {
		return Money{}, ErrOverflow
	}
	return Money{Minor: minor.Int64(), Currency: m.Currency}, nil
}

// Sum adds amounts of one currency; without any it is nothing of c.
func Sum(c Currency, amounts ...Money) (Money, error) {
	total := Zero(c)
	for _, a := range amounts {
		var err error
		if total, err = total.Add(a); err != nil {
			return Money{}, err
		}
	}
	return total, nil
}

// Rounding says what happens to a part of a minor unit.
type Rounding int

// The roundings. HalfEven is IEEE 754's, HalfUp is commercial rounding away from zero.
const (
	HalfUp Rounding = iota
	HalfEven
	Down // toward zero
)

// Ratio is m × num / den, rounded as said. den must be positive.
func (m Money) Ratio(num, den int64, how Rounding) (Money, error) {
	if den <= 0 {
		return Money{}, ErrWeights
	}
	product := new(big.Int).Mul(big.NewInt(m.Minor), big.NewInt(num))
	quotient, rest := new(big.Int).QuoRem(product, big.NewInt(den), new(big.Int))
	twice := new(big.Int).Mul(new(big.Int).Abs(rest), big.NewInt(2))
	half := twice.Cmp(big.NewInt(den))
	away := how == HalfUp && half >= 0 ||
		how == HalfEven && (half > 0 || half == 0 && quotient.Bit(0) == 1)
	if away {
		quotient.Add(quotient, big.NewInt(int64(product.Sign())))
	}
	return m.with(quotient)
}

// Split divides m into n parts that differ by at most one unit, those further from zero
// first, and sum to m. n must be positive.
func (m Money) Split(n int) ([]Money, error) {
	if n <= 0 {
		return nil, ErrWeights
	}
	weights := make([]int64, n)
	for i := range weights {
		weights[i] = 1
	}
	return m.Allocate(weights)
}

// Allocate divides m in proportion to the weights by largest remainder (Hamilton's method);
// equal remainders go to the earlier part. The parts sum to m exactly, a part of weight zero
// is nothing, and no part has another sign than m.
func (m Money) Allocate(weights []int64) ([]Money, error) {
	total := new(big.Int)
	for _, w := range weights {
		if w < 0 {
			return nil, ErrWeights
		}
		total.Add(total, big.NewInt(w))
	}
	if total.Sign() == 0 {
		return nil, ErrWeights
	}
	sign := int64(1)
	if m.Minor < 0 {
		sign = -1
	}
	whole := new(big.Int).SetUint64(magnitude(m.Minor))
	left := new(big.Int).Set(whole)
	type share struct {
		at   int
		rest *big.Int
	}
	parts, shares := make([]*big.Int, len(weights)), make([]share, len(weights))
	for i, w := range weights {
		product := new(big.Int).Mul(whole, big.NewInt(w))
		rest := new(big.Int)
		parts[i], _ = new(big.Int).QuoRem(product, total, rest)
		left.Sub(left, parts[i])
		shares[i] = share{at: i, rest: rest}
	}
	slices.SortStableFunc(shares, func(a, b share) int { return b.rest.Cmp(a.rest) })
	for i := range left.Int64() { // fewer than there are weights
		parts[shares[i].at].Add(parts[shares[i].at], big.NewInt(1))
	}
	out := make([]Money, len(weights))
	for i, p := range parts {
		p.Mul(p, big.NewInt(sign))
		if !p.IsInt64() {
			return nil, ErrOverflow
		}
		out[i] = Money{Minor: p.Int64(), Currency: m.Currency}
	}
	return out, nil
}
