package id_test

import (
	"encoding/json"
	"math/big"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/id"
)

type order struct{}

var orders = id.Maker[order]{Prefix: "ord_"}

func TestNewIsReadBackByItsMaker(t *testing.T) {
	t.Parallel()
	shape := regexp.MustCompile(`^ord_[0-7][0-9abcdefghjkmnpqrstvwxyz]{25}$`)
	seen := map[id.ID[order]]bool{}
	for range 1000 {
		made := orders.New()
		require.Regexp(t, shape, string(made))
		require.False(t, seen[made], "%s was made twice", made)
		seen[made] = true
		read, err := orders.Parse(string(made))
		require.NoError(t, err)
		require.Equal(t, made, read)
	}
}

func TestLaterIDsSortLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		last := id.New("ord_")
		for range 100 {
			time.Sleep(time.Millisecond) // of the bubble's clock
			next := id.New("ord_")
			require.Less(t, last, next)
			last = next
		}
	})
}

func TestAnIDBeginsWithItsMilliseconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		made := strings.TrimPrefix(id.New("ord_"), "ord_")
		value := new(big.Int)
		for _, r := range made {
			digit := strings.IndexRune("0123456789abcdefghjkmnpqrstvwxyz", r)
			value.Add(value.Lsh(value, 5), big.NewInt(int64(digit)))
		}
		assert.Equal(t, time.Now().UnixMilli(), value.Rsh(value, 80).Int64())
	})
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	good := string(orders.New())
	for name, s := range map[string]string{
		"nothing":            "",
		"the prefix alone":   "ord_",
		"another prefix":     "usr_" + good[4:],
		"too short":          good[:29],
		"too long":           good + "0",
		"capitals":           strings.ToUpper(good),
		"a letter left out":  good[:29] + "u",
		"a line after it":    good + "\n",
		"something before":   " " + good,
		"quotes in the id":   "ord_' OR 1=1 --0000000000000",
		"a prefix within":    "xord_" + good[4:],
		"two prefixes in it": "ord_" + good,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := orders.Parse(s)
			require.Error(t, err)
			assert.False(t, orders.Valid(id.ID[order](s)))
		})
	}
}

func TestRefChecksItsShapeOnTheWire(t *testing.T) {
	t.Parallel()
	made := id.RefOf(orders.New())
	assert.True(t, made.HasPrefix("ord_"))
	assert.False(t, made.HasPrefix("usr_"))
	data, err := json.Marshal(made)
	require.NoError(t, err)
	var read id.Ref
	require.NoError(t, json.Unmarshal(data, &read))
	assert.Equal(t, made, read)

	require.NoError(t, json.Unmarshal([]byte(`""`), &read), "empty stands for none")
	assert.Empty(t, read)
	for _, bad := range []string{`"ord_1"`, `"` + string(made)[4:] + `"`, `1`, `{}`, `"` + string(made) + ` "`} {
		require.Error(t, json.Unmarshal([]byte(bad), &read), bad)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(string(orders.New()))
	f.Add("ord_")
	f.Fuzz(func(t *testing.T, s string) {
		read, err := orders.Parse(s)
		if err != nil {
			require.Empty(t, read)
			return
		}
		require.Equal(t, s, string(read))
		require.Len(t, s, 30)
		require.True(t, strings.HasPrefix(s, "ord_"))
	})
}
