package clock_test

import (
	"encoding/json"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"souk/internal/platform/clock"
)

func TestNowHasNothingFinerThanAMillisecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(1234567 * time.Nanosecond) // of the bubble's clock
		assert.Equal(t, time.Now().Truncate(time.Millisecond).UTC(), clock.Now().Std())
	})
}

func TestParse(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ text, want string }{
		"whole seconds":       {text: "2025-03-01T12:00:00Z", want: "2025-03-01T12:00:00.000Z"},
		"another zone":        {text: "2025-03-01T12:00:00+02:00", want: "2025-03-01T10:00:00.000Z"},
		"finer is cut":        {text: "2025-03-01T12:00:00.1239Z", want: "2025-03-01T12:00:00.123Z"},
		"finer before 1970":   {text: "1969-12-31T23:59:59.9995Z", want: "1969-12-31T23:59:59.999Z"},
		"the first moment":    {text: "0001-01-01T00:00:00.001Z", want: "0001-01-01T00:00:00.001Z"},
		"the last moment":     {text: "9999-12-31T23:59:59.999Z", want: "9999-12-31T23:59:59.999Z"},
		"the beginning: none": {text: "1970-01-01T00:00:00Z", want: ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := clock.Parse(tt.text)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got.String())
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing":                  "",
		"a day":                    "2025-03-01",
		"no zone":                  "2025-03-01T12:00:00",
		"a day that is not":        "2025-02-30T12:00:00Z",
		"milliseconds":             "1740830400000",
		"after the years in UTC":   "9999-12-31T23:59:59-01:00",
		"before the years in UTC":  "0001-01-01T00:00:00+01:00",
		"a year before the others": "0000-06-01T00:00:00Z",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := clock.Parse(text)
			require.Error(t, err)
		})
	}
}

func TestNoneIsEmptyEverywhere(t *testing.T) {
	t.Parallel()
	none := clock.Of(time.Time{})
	assert.True(t, none.IsZero())
	assert.True(t, none.Std().IsZero())
	assert.Empty(t, none.String())
	data, err := json.Marshal(none)
	require.NoError(t, err)
	assert.JSONEq(t, `""`, string(data))
	read := clock.Time(5)
	require.NoError(t, json.Unmarshal(data, &read))
	assert.True(t, read.IsZero())
}

func TestUnmarshalRefusesWhatIsNoText(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{`1`, `{}`, `"yesterday"`, `true`} {
		read := clock.Time(5)
		require.Error(t, json.Unmarshal([]byte(bad), &read), bad)
		assert.Equal(t, clock.Time(5), read, "left as it was")
	}
}

func TestComparing(t *testing.T) {
	t.Parallel()
	early, late := clock.Time(1000), clock.Time(2500)
	assert.True(t, early.Before(late))
	assert.False(t, late.Before(early))
	assert.True(t, late.After(early))
	assert.False(t, early.After(early))
	assert.Equal(t, 1500*time.Millisecond, late.Sub(early))
	assert.Equal(t, late, early.Add(1500*time.Millisecond))
	assert.Equal(t, early, late.Add(-1500*time.Millisecond))
	assert.Equal(t, early, early.Add(999*time.Microsecond))
}

func TestATimeEqualsItselfAfterAnyWire(t *testing.T) {
	t.Parallel()
	first := clock.Of(time.Date(1, 1, 1, 0, 0, 0, 1e6, time.UTC))
	last := clock.Of(time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC))
	rapid.Check(t, func(t *rapid.T) {
		moment := clock.Time(rapid.Int64Range(int64(first), int64(last)).Draw(t, "moment"))
		data, err := json.Marshal(moment)
		require.NoError(t, err)
		var read clock.Time
		require.NoError(t, json.Unmarshal(data, &read))
		require.Equal(t, moment, read)
		require.Equal(t, moment, clock.Of(moment.Std()))
	})
}

func TestManualMovesOnlyWhenTold(t *testing.T) {
	t.Parallel()
	m := clock.NewManual(1000)
	assert.Equal(t, clock.Time(1000), m.Now())
	assert.Equal(t, clock.Time(3000), m.Advance(2*time.Second))
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { m.Advance(time.Millisecond) })
	}
	all.Wait()
	assert.Equal(t, clock.Time(3050), m.Now())
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"2025-03-01T12:00:00Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+00:01", "2025-03-01T12:00:00,5+14:00", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		read, err := clock.Parse(s)
		if err != nil || read.IsZero() {
			return
		}
		again, err := clock.Parse(read.String())
		require.NoError(t, err)
		require.Equal(t, read, again)
	})
}
