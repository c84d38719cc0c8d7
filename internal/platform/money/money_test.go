package money_test

import (
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"souk/internal/platform/money"
)

func eur(minor int64) money.Money { return money.Money{Minor: minor, Currency: "EUR"} }
func usd(minor int64) money.Money { return money.Money{Minor: minor, Currency: "USD"} }
func jpy(minor int64) money.Money { return money.Money{Minor: minor, Currency: "JPY"} }
func kwd(minor int64) money.Money { return money.Money{Minor: minor, Currency: "KWD"} }

func TestAdd(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		a, b    money.Money
		want    money.Money
		wantErr error
	}{
		"same currency":              {a: eur(1250), b: eur(50), want: eur(1300)},
		"nothing":                    {a: eur(1250), b: eur(0), want: eur(1250)},
		"below zero":                 {a: eur(50), b: eur(-80), want: eur(-30)},
		"up to the largest":          {a: eur(math.MaxInt64 - 1), b: eur(1), want: eur(math.MaxInt64)},
		"down to the smallest":       {a: eur(-math.MaxInt64 + 1), b: eur(-1), want: eur(-math.MaxInt64)},
		"currencies differ":          {a: eur(1), b: usd(1), wantErr: money.ErrCurrencyMismatch},
		"nothing of another":         {a: eur(1), b: usd(0), wantErr: money.ErrCurrencyMismatch},
		"beyond the largest":         {a: eur(math.MaxInt64), b: eur(1), wantErr: money.ErrOverflow},
		"an amount without opposite": {a: eur(-math.MaxInt64), b: eur(-1), wantErr: money.ErrOverflow},
		"beyond the smallest":        {a: eur(math.MinInt64), b: eur(-1), wantErr: money.ErrOverflow},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := tt.a.Add(tt.b)
			require.ErrorIs(t, err, tt.wantErr)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestSub(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		a, b    money.Money
		want    money.Money
		wantErr error
	}{
		"less":               {a: eur(1250), b: eur(50), want: eur(1200)},
		"below zero":         {a: eur(50), b: eur(80), want: eur(-30)},
		"currencies differ":  {a: eur(1), b: usd(1), wantErr: money.ErrCurrencyMismatch},
		"beyond the largest": {a: eur(math.MaxInt64), b: eur(-1), wantErr: money.ErrOverflow},
		"of the smallest":    {a: eur(-5), b: eur(math.MinInt64), wantErr: money.ErrOverflow},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := tt.a.Sub(tt.b)
			require.ErrorIs(t, err, tt.wantErr)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestMul(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		m       money.Money
		n       int64
		want    money.Money
		wantErr error
	}{
		"several":             {m: eur(1250), n: 3, want: eur(3750)},
		"none":                {m: eur(1250), n: 0, want: eur(0)},
		"backwards":           {m: eur(1250), n: -2, want: eur(-2500)},
		"beyond the largest":  {m: eur(math.MaxInt64/2 + 1), n: 2, wantErr: money.ErrOverflow},
		"down to no opposite": {m: eur(math.MinInt64 / 2), n: 2, wantErr: money.ErrOverflow},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := tt.m.Mul(tt.n)
			require.ErrorIs(t, err, tt.wantErr)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestSumIsOfOneCurrency(t *testing.T) {
	t.Parallel()
	none, err := money.Sum("EUR")
	require.NoError(t, err)
	assert.Equal(t, eur(0), none)

	three, err := money.Sum("EUR", eur(1), eur(2), eur(-7))
	require.NoError(t, err)
	assert.Equal(t, eur(-4), three)

	_, err = money.Sum("EUR", eur(1), usd(2))
	require.ErrorIs(t, err, money.ErrCurrencyMismatch)
}

func TestParse(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text     string
		currency money.Currency
		want     money.Money
		wantErr  error
	}{
		"two decimals":           {text: "12.50", currency: "EUR", want: eur(1250)},
		"one decimal":            {text: "12.5", currency: "EUR", want: eur(1250)},
		"no decimals":            {text: "12", currency: "EUR", want: eur(1200)},
		"blanks around":          {text: " 12.50\t", currency: "EUR", want: eur(1250)},
		"negative":               {text: "-0.01", currency: "EUR", want: eur(-1)},
		"negative nothing":       {text: "-0.00", currency: "EUR", want: eur(0)},
		"leading zeros":          {text: "0012.50", currency: "EUR", want: eur(1250)},
		"zeros too many":         {text: "12.5000", currency: "EUR", want: eur(1250)},
		"yen":                    {text: "1250", currency: "JPY", want: jpy(1250)},
		"yen with empty decimal": {text: "1250.00", currency: "JPY", want: jpy(1250)},
		"dinars":                 {text: "1.005", currency: "KWD", want: kwd(1005)},
		"the largest":            {text: "92233720368547758.07", currency: "EUR", want: eur(math.MaxInt64)},

		"too fine":             {text: "12.505", currency: "EUR", wantErr: money.ErrSyntax},
		"too fine for yen":     {text: "12.5", currency: "JPY", wantErr: money.ErrSyntax},
		"empty":                {text: "", currency: "EUR", wantErr: money.ErrSyntax},
		"a sign alone":         {text: "-", currency: "EUR", wantErr: money.ErrSyntax},
		"two signs":            {text: "--1", currency: "EUR", wantErr: money.ErrSyntax},
		"a plus":               {text: "+1", currency: "EUR", wantErr: money.ErrSyntax},
		"a sign in the middle": {text: "1.-5", currency: "EUR", wantErr: money.ErrSyntax},
		"a point alone":        {text: ".", currency: "EUR", wantErr: money.ErrSyntax},
		"nothing before":       {text: ".50", currency: "EUR", wantErr: money.ErrSyntax},
		"nothing after":        {text: "12.", currency: "EUR", wantErr: money.ErrSyntax},
		"two points":           {text: "1.2.3", currency: "EUR", wantErr: money.ErrSyntax},
		"a comma":              {text: "12,50", currency: "EUR", wantErr: money.ErrSyntax},
		"an exponent":          {text: "1e3", currency: "EUR", wantErr: money.ErrSyntax},
		"an underscore":        {text: "1_000", currency: "EUR", wantErr: money.ErrSyntax},
		"other digits":         {text: "١٢", currency: "EUR", wantErr: money.ErrSyntax},
		"words":                {text: "free", currency: "EUR", wantErr: money.ErrSyntax},
		"too large":            {text: "92233720368547758.08", currency: "EUR", wantErr: money.ErrOverflow},
		"unknown currency":     {text: "1", currency: "XXX", wantErr: money.ErrCurrency},
		"currency in small":    {text: "1", currency: "eur", wantErr: money.ErrCurrency},
		"no currency":          {text: "1", currency: "", wantErr: money.ErrCurrency},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := money.Parse(tt.text, tt.currency)
			require.ErrorIs(t, err, tt.wantErr)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestString(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		m    money.Money
		want string
	}{
		"euros":         {m: eur(1250), want: "12.50 EUR"},
		"cents":         {m: eur(5), want: "0.05 EUR"},
		"less than one": {m: eur(-5), want: "-0.05 EUR"},
		"nothing":       {m: eur(0), want: "0.00 EUR"},
		"yen":           {m: jpy(-1250), want: "-1250 JPY"},
		"dinars":        {m: kwd(5), want: "0.005 KWD"},
		"the smallest":  {m: eur(math.MinInt64), want: "-92233720368547758.08 EUR"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, tt.m.String())
		})
	}
}

func TestCmp(t *testing.T) {
	t.Parallel()
	for want, pair := range map[int][2]money.Money{-1: {eur(1), eur(2)}, 0: {eur(2), eur(2)}, 1: {eur(3), eur(-2)}} {
		got, err := pair[0].Cmp(pair[1])
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	_, err := eur(1).Cmp(usd(1))
	require.ErrorIs(t, err, money.ErrCurrencyMismatch)
}

func TestRatio(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		m        money.Money
		num, den int64
		how      money.Rounding
		want     money.Money
		wantErr  error
	}{
		"exact":                 {m: eur(1000), num: 19, den: 100, want: eur(190)},
		"half goes up":          {m: eur(5), num: 1, den: 2, want: eur(3)},
		"half goes from zero":   {m: eur(-5), num: 1, den: 2, want: eur(-3)},
		"below half stays":      {m: eur(10), num: 1, den: 3, want: eur(3)},
		"half to even, down":    {m: eur(5), num: 1, den: 2, how: money.HalfEven, want: eur(2)},
		"half to even, up":      {m: eur(7), num: 1, den: 2, how: money.HalfEven, want: eur(4)},
		"half to even, minus":   {m: eur(-7), num: 1, den: 2, how: money.HalfEven, want: eur(-4)},
		"past half to even":     {m: eur(8), num: 1, den: 3, how: money.HalfEven, want: eur(3)},
		"down":                  {m: eur(199), num: 1, den: 100, how: money.Down, want: eur(1)},
		"down is toward zero":   {m: eur(-199), num: 1, den: 100, how: money.Down, want: eur(-1)},
		"a negative ratio":      {m: eur(5), num: -1, den: 2, want: eur(-3)},
		"small beside half":     {m: eur(-1), num: 1, den: 2, want: eur(-1)},
		"large in between":      {m: eur(math.MaxInt64), num: 7, den: 7, want: eur(math.MaxInt64)},
		"too large in the end":  {m: eur(math.MaxInt64), num: 2, den: 1, wantErr: money.ErrOverflow},
		"nothing to divide by":  {m: eur(1), num: 1, den: 0, wantErr: money.ErrWeights},
		"negative to divide by": {m: eur(1), num: 1, den: -1, wantErr: money.ErrWeights},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := tt.m.Ratio(tt.num, tt.den, tt.how)
			require.ErrorIs(t, err, tt.wantErr)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestAllocate(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		m       money.Money
		weights []int64
		want    []money.Money
		wantErr error
	}{
		"even":                   {m: eur(100), weights: []int64{1, 1}, want: []money.Money{eur(50), eur(50)}},
		"ties go to the earlier": {m: eur(100), weights: []int64{1, 1, 1}, want: []money.Money{eur(34), eur(33), eur(33)}},
		"larger remainder first": {m: eur(10), weights: []int64{1, 5, 1}, want: []money.Money{eur(2), eur(7), eur(1)}},
		"zero weight is nothing": {m: eur(1), weights: []int64{0, 1, 0}, want: []money.Money{eur(0), eur(1), eur(0)}},
		"negative":               {m: eur(-100), weights: []int64{1, 1, 1}, want: []money.Money{eur(-34), eur(-33), eur(-33)}},
		"nothing":                {m: eur(0), weights: []int64{3, 4}, want: []money.Money{eur(0), eur(0)}},
		"huge weights":           {m: eur(3), weights: []int64{math.MaxInt64, math.MaxInt64}, want: []money.Money{eur(2), eur(1)}},
		"the smallest":           {m: eur(math.MinInt64), weights: []int64{1}, want: []money.Money{eur(math.MinInt64)}},
		"no weights":             {m: eur(1), wantErr: money.ErrWeights},
		"only zeros":             {m: eur(1), weights: []int64{0, 0}, wantErr: money.ErrWeights},
		"a negative weight":      {m: eur(1), weights: []int64{2, -1}, wantErr: money.ErrWeights},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := tt.m.Allocate(tt.weights)
			require.ErrorIs(t, err, tt.wantErr)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestSplitRefusesNoParts(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, -1} {
		_, err := eur(1).Split(n)
		require.ErrorIs(t, err, money.ErrWeights)
	}
}

func TestCurrencies(t *testing.T) {
	t.Parallel()
	for c, want := range map[money.Currency]int{"EUR": 2, "JPY": 0, "KWD": 3, "ISK": 0, "TND": 3} {
		assert.True(t, c.Valid(), c)
		assert.Equal(t, want, c.Exponent(), c)
	}
	for _, c := range []money.Currency{"", "eur", "XXX", "EURO", "CLF"} {
		assert.False(t, c.Valid(), c)
	}
}

// Every digit counts: the arithmetic of Money is that of whole numbers wherever it answers.
func TestArithmeticAgreesWithWholeNumbers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64().Draw(t, "a"), rapid.Int64().Draw(t, "b")
		exact := func(op func(z, x, y *big.Int) *big.Int) *big.Int {
			return op(new(big.Int), big.NewInt(a), big.NewInt(b))
		}
		check := func(name string, want *big.Int, got money.Money, err error) {
			fits := want.IsInt64() && want.Int64() != math.MinInt64
			switch {
			case err == nil && (!fits || got.Minor != want.Int64()):
				t.Fatalf("%s: got %d, want %s", name, got.Minor, want)
			case err != nil && fits && b != math.MinInt64:
				t.Fatalf("%s: refused %s: %v", name, want, err)
			}
		}
		sum, err := eur(a).Add(eur(b))
		check("add", exact((*big.Int).Add), sum, err)
		difference, err := eur(a).Sub(eur(b))
		check("sub", exact((*big.Int).Sub), difference, err)
		product, err := eur(a).Mul(b)
		check("mul", exact((*big.Int).Mul), product, err)
	})
}

func TestRatioIsWithinHalfAUnit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.Int64Range(-1e12, 1e12).Draw(t, "minor")
		num := rapid.Int64Range(-1e5, 1e5).Draw(t, "num")
		den := rapid.Int64Range(1, 1e5).Draw(t, "den")
		for _, how := range []money.Rounding{money.HalfUp, money.HalfEven} {
			got, err := eur(m).Ratio(num, den, how)
			require.NoError(t, err)
			if off := 2 * (got.Minor*den - m*num); off > den || off < -den {
				t.Fatalf("%d×%d/%d = %d", m, num, den, got.Minor)
			}
		}
		down, err := eur(m).Ratio(num, den, money.Down)
		require.NoError(t, err)
		require.Equal(t, m*num/den, down.Minor)
	})
}

func TestTextReadsBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := money.Money{
			Minor:    rapid.Int64Min(-math.MaxInt64).Draw(t, "minor"),
			Currency: rapid.SampledFrom([]money.Currency{"EUR", "JPY", "KWD"}).Draw(t, "currency"),
		}
		got, err := money.Parse(m.Decimal(), m.Currency)
		require.NoError(t, err)
		require.Equal(t, m, got)
	})
}

// checkParts is what holds of every division: nothing lost, no part of another sign, and
// each within one unit of its exact share.
func checkParts(t testing.TB, m money.Money, weights []int64, parts []money.Money) {
	t.Helper()
	require.Len(t, parts, len(weights))
	total := new(big.Int)
	for _, w := range weights {
		total.Add(total, big.NewInt(w))
	}
	sum := new(big.Int)
	for i, p := range parts {
		sum.Add(sum, big.NewInt(p.Minor))
		require.Equal(t, m.Currency, p.Currency)
		require.False(t, p.Minor < 0 && m.Minor > 0 || p.Minor > 0 && m.Minor < 0, "sign of part %d", i)
		require.False(t, weights[i] == 0 && p.Minor != 0, "part %d weighs nothing", i)
		// |part·total − minor·weight| < total
		off := new(big.Int).Mul(big.NewInt(p.Minor), total)
		off.Sub(off, new(big.Int).Mul(big.NewInt(m.Minor), big.NewInt(weights[i])))
		require.Negative(t, off.Abs(off).Cmp(total), "part %d is a unit or more from its share", i)
	}
	require.Equal(t, m.Minor, sum.Int64(), "the parts sum to the whole")
}

func FuzzMoneySplit(f *testing.F) {
	f.Add(int64(100), 3)
	f.Add(int64(-100), 7)
	f.Add(int64(math.MinInt64), 2)
	f.Add(int64(math.MaxInt64), 1000)
	f.Add(int64(0), 1)
	f.Fuzz(func(t *testing.T, minor int64, n int) {
		if n > 10_000 {
			t.Skip("more parts than anyone splits into")
		}
		parts, err := eur(minor).Split(n)
		if n <= 0 {
			require.ErrorIs(t, err, money.ErrWeights)
			return
		}
		require.NoError(t, err)
		weights := make([]int64, n)
		for i := range weights {
			weights[i] = 1
		}
		checkParts(t, eur(minor), weights, parts)
		for i := 1; i < n; i++ {
			step := abs(parts[i-1].Minor) - abs(parts[i].Minor)
			require.True(t, step == 0 || step == 1, "part %d after %d", parts[i].Minor, parts[i-1].Minor)
		}
		require.LessOrEqual(t, abs(parts[0].Minor)-abs(parts[n-1].Minor), uint64(1))
	})
}

func abs(n int64) uint64 { return new(big.Int).Abs(big.NewInt(n)).Uint64() }

func FuzzMoneyAllocate(f *testing.F) {
	f.Add(int64(100), int64(1), int64(1), int64(1))
	f.Add(int64(-10), int64(1), int64(5), int64(1))
	f.Add(int64(math.MinInt64), int64(math.MaxInt64), int64(math.MaxInt64), int64(1))
	f.Add(int64(1), int64(0), int64(0), int64(0))
	f.Add(int64(7), int64(3), int64(-1), int64(4))
	f.Fuzz(func(t *testing.T, minor, a, b, c int64) {
		weights := []int64{a, b, c}
		parts, err := eur(minor).Allocate(weights)
		if a < 0 || b < 0 || c < 0 || a == 0 && b == 0 && c == 0 {
			require.ErrorIs(t, err, money.ErrWeights)
			return
		}
		require.NoError(t, err)
		checkParts(t, eur(minor), weights, parts)
	})
}

func FuzzMoneyParse(f *testing.F) {
	for _, s := range []string{"12.50", "-0.01", "12.", ".5", "1e3", "92233720368547758.08", " 1 ", "1.2.3", "+1", "0x10", "1\x00"} {
		f.Add(s, "EUR")
		f.Add(s, "JPY")
		f.Add(s, "KWD")
	}
	f.Fuzz(func(t *testing.T, s, currency string) {
		m, err := money.Parse(s, money.Currency(currency))
		if err != nil {
			require.Zero(t, m)
			return
		}
		require.True(t, m.Currency.Valid())
		// What was read is what the text says, exactly.
		want, ok := new(big.Rat).SetString(strings.TrimSpace(s))
		require.True(t, ok, "%q was read as %s", s, m)
		got, ok := new(big.Rat).SetString(m.Decimal())
		require.True(t, ok)
		require.Zero(t, want.Cmp(got), "%q was read as %s", s, m)
		again, err := money.Parse(m.Decimal(), m.Currency)
		require.NoError(t, err)
		require.Equal(t, m, again)
	})
}
