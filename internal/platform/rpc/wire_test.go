package rpc_test

import (
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
	"souk/internal/platform/rpc"
	"souk/internal/platform/rpc/contract/testdata/shop"
)

func codec() *rpc.Codec {
	return rpc.NewCodec(rpc.EnumOf(shop.Grey, shop.Grey, shop.Red), rpc.EnumOf(shop.MoodUnknown, shop.MoodUnknown, shop.MoodGood))
}

// full is a thing with something in every field.
func full() shop.Thing {
	note := "fragile"
	choices := []string{"a", "b"}
	return shop.Thing{
		ID: shop.ThingIDs.New(), Owner: id.Ref(id.New("per_")), Name: "Lamp \"x\" \u2028 <é>",
		Colour: shop.Red, Mood: shop.MoodGood, Size: "any", Ready: true,
		Tiny: math.MinInt8, Short: math.MinInt16, Count: math.MaxInt32, Long: math.MinInt64,
		Byte: math.MaxUint8, Port: math.MaxUint16, Mask: math.MaxUint32, Huge: math.MaxUint64,
		Raw: []byte{0, 255, 7}, At: 1_750_000_000_123, Price: money.Money{Minor: 1250, Currency: "EUR"},
		Was: &money.Money{Minor: math.MaxInt64, Currency: "JPY"}, Tags: shop.Tags{"b", "a", ""},
		Parts: []shop.Thing{{Name: "shade"}, {}}, Twin: &shop.Thing{Twin: &shop.Thing{Name: "inner"}},
		Likes: []*shop.Thing{{Name: "one"}, nil}, Stock: map[shop.ThingID]int64{"b": 1, "a": -2},
		Owners: map[id.Ref]shop.Tags{"": {"x"}}, Note: &note, Choices: &choices,
		Nested: [][]shop.Tags{{{"x"}, nil}, nil},
	}
}

func TestWhatIsEncodedComesBack(t *testing.T) {
	t.Parallel()
	empty := []string(nil)
	tests := map[string]shop.Thing{
		"everything":            full(),
		"nothing":               {},
		"a pointer to an empty": {Choices: &empty},
		"before 1970":           {At: -1},
		"the first year":        {At: clock.Time(-62135596800000 + 1)},
	}
	for name, in := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, strict := range []bool{true, false} {
				data, err := codec().Marshal(in)
				require.NoError(t, err)
				out := full() // what was there before is gone
				if strict {
					err = codec().UnmarshalStrict(data, &out)
				} else {
					err = codec().Unmarshal(data, &out)
				}
				require.NoError(t, err, string(data))
				assert.Equal(t, in, out)
			}
		})
	}
}

func TestNilAndEmptyMeanTheSame(t *testing.T) {
	t.Parallel()
	none, err := codec().Marshal(shop.Thing{})
	require.NoError(t, err)
	empty := shop.Thing{
		Raw: []byte{}, Tags: shop.Tags{}, Parts: []shop.Thing{}, Likes: []*shop.Thing{},
		Stock: map[shop.ThingID]int64{}, Owners: map[id.Ref]shop.Tags{}, Nested: [][]shop.Tags{},
	}
	same, err := codec().Marshal(empty)
	require.NoError(t, err)
	assert.Equal(t, string(none), string(same))
	assert.Contains(t, string(none), `"tags":[]`)
	assert.Contains(t, string(none), `"stock":{}`)
	assert.NotContains(t, string(none), `null`)
	for _, pointer := range []string{`"was"`, `"twin"`, `"note"`, `"choices"`} {
		assert.NotContains(t, string(none), pointer, "a nil pointer is left out")
	}
	canonical, err := rpc.Canonical(empty)
	require.NoError(t, err)
	assert.Equal(t, shop.Thing{}, canonical)
}

func TestEqualValuesHaveEqualBytes(t *testing.T) {
	t.Parallel()
	a, err := codec().Marshal(map[string]int64{"b": 1, "a": 2, "c": 3})
	require.NoError(t, err)
	assert.Equal(t, `{"a":2,"b":1,"c":3}`, string(a))
}

func TestTheEncodingIsAsWrittenDown(t *testing.T) {
	t.Parallel()
	limit := int64(3)
	data, err := codec().Marshal(shop.PutRequest{
		By: actor.System(""), Key: "k", Limit: &limit, Thing: shop.Thing{At: 1_750_000_000_123, Raw: []byte("hi")},
	})
	require.NoError(t, err)
	assert.Contains(t, string(data), `{"by":{"kind":"system","person":"","guest":"","seller":"","scopes":[],"on_behalf_of":""},"key":"k",`)
	assert.Contains(t, string(data), `"raw":"aGk="`)
	assert.Contains(t, string(data), `"at":"2025-06-15T15:06:40.123Z"`)
	assert.True(t, strings.HasSuffix(string(data), `,"limit":3}`), string(data))
}

func TestWhatCannotTravelIsRefusedByItsSender(t *testing.T) {
	t.Parallel()
	loop := &shop.Thing{}
	loop.Twin = loop
	tests := map[string]struct {
		value any
		want  string
	}{
		"not UTF-8":          {value: shop.Thing{Parts: []shop.Thing{{}, {Name: "\xff"}}}, want: "parts[1].name: must be valid UTF-8"},
		"a key not UTF-8":    {value: map[string]string{"\xff": ""}, want: "[0]: must be valid UTF-8"},
		"a time too late":    {value: shop.Thing{At: 253402300800000}, want: "at: 10000-01-01T00:00:00.000Z is not a time"},
		"a loop":             {value: loop, want: "nested more than 64 deep"},
		"an interface":       {value: struct{ A any }{}, want: "cannot travel"},
		"a float":            {value: 1.5, want: "a float64 cannot travel"},
		"a plain int":        {value: 1, want: "contracts hold no int"},
		"a hidden field":     {value: struct{ a string }{}, want: "cannot travel"},
		"a map by number":    {value: map[int64]string{}, want: "only strings are keys"},
		"its own encoding":   {value: struct{ T *own }{}, want: "cannot travel"},
		"a pointer's double": {value: new(*string), want: "says nothing more"},
		"nothing at all":     {value: nil, want: "nothing to encode"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := codec().Marshal(tt.value)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

type own string

func (own) MarshalText() ([]byte, error) { return nil, nil }

func TestARequestIsReadStrictly(t *testing.T) {
	t.Parallel()
	whole := `{"by":{"kind":"","person":"","guest":"","seller":"","scopes":[],"on_behalf_of":""},"claim":`
	type claim struct {
		By    actor.Actor `json:"by"`
		Claim shop.Sold   `json:"claim"`
		Later *int64      `json:"later"`
	}
	sold := `{"thing_id":"","colour":"red","at":""}`
	tests := map[string]struct {
		body string
		want string
	}{
		"an unknown field":       {body: whole + sold + `,"limit":1}`, want: "limit: is not known here"},
		"one further in":         {body: whole + `{"thing_id":"","colour":"red","at":"","x":{}}}`, want: "claim.x: is not known here"},
		"a missing field":        {body: `{"claim":` + sold + `}`, want: "by: is missing"},
		"one missing further in": {body: whole + `{"thing_id":"","at":""}}`, want: "claim.colour: is missing"},
		"another letter's case":  {body: whole + sold + `,"Later":1}`, want: "Later: is not known here"},
		"a field twice":          {body: whole + sold + `,"later":1,"later":2}`, want: "duplicate"},
		"null for a struct":      {body: whole + `null}`, want: "claim: must be an object, not null"},
		"a float":                {body: whole + sold + `,"later":1.5}`, want: "later: must be a whole number of 64 bits"},
		"an exponent":            {body: whole + sold + `,"later":1e3}`, want: "later: must be a whole number"},
		"a number too large":     {body: whole + sold + `,"later":9223372036854775808}`, want: "later: must be a whole number of 64 bits"},
		"a string for a number":  {body: whole + sold + `,"later":"1"}`, want: "later: must be a whole number, not string"},
		"not a time":             {body: whole + `{"thing_id":"","colour":"","at":"today"}}`, want: `claim.at: "today" is not a time`},
		"not an id":              {body: strings.Replace(whole, `"person":""`, `"person":"me"`, 1) + sold + `}`, want: `by.person: "me" is not an id`},
		"not UTF-8":              {body: whole + "{\"thing_id\":\"\xff\",\"colour\":\"\",\"at\":\"\"}}", want: "UTF-8"},
		"something behind it":    {body: whole + sold + `} x`, want: "something follows the value"},
		"cut off":                {body: whole + sold, want: "ends too early"},
		"nothing":                {body: ``, want: "ends too early"},
		"no JSON":                {body: `<xml>`, want: "not valid JSON"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var c claim
			err := codec().UnmarshalStrict([]byte(tt.body), &c)
			require.ErrorContains(t, err, tt.want)
		})
	}
	t.Run("what is right passes, without what may be left out", func(t *testing.T) {
		t.Parallel()
		var c claim
		require.NoError(t, codec().UnmarshalStrict([]byte(whole+sold+`}`), &c))
		assert.Equal(t, claim{Claim: shop.Sold{Colour: shop.Red}}, c)
	})
}

func TestAReplyIsReadLeniently(t *testing.T) {
	t.Parallel()
	body := `{"tags":null,"stock":null,"note":null,"new":{"deep":[1,2.5,{"x":null}]},"name":"x","parts":[{"new":1}]}`
	var got shop.Thing
	require.NoError(t, codec().Unmarshal([]byte(body), &got))
	assert.Equal(t, shop.Thing{Name: "x", Parts: []shop.Thing{{}}}, got)
}

func TestAnUnknownValueIsReadAsTheFallback(t *testing.T) {
	t.Parallel()
	var got shop.Thing
	require.NoError(t, codec().Unmarshal([]byte(`{"colour":"mauve","mood":"","size":"xxl"}`), &got))
	assert.Equal(t, shop.Thing{Colour: shop.Grey, Mood: "", Size: "xxl"}, got, "nothing said stays so, and without a fallback anything passes")
}

func TestAnUnknownValueInARequestIsRefused(t *testing.T) {
	t.Parallel()
	in := shop.PutRequest{Key: "k", Thing: shop.Thing{Parts: []shop.Thing{{}, {Colour: "mauve"}}}}
	data, err := codec().Marshal(in)
	require.NoError(t, err)
	var got shop.PutRequest
	err = codec().UnmarshalStrict(data, &got)
	var problem *rpc.Problem
	require.ErrorAs(t, err, &problem)
	assert.Equal(t, "thing.parts[1].colour", problem.Path)
	in.Thing.Parts[1].Colour = ""
	data, err = codec().Marshal(in)
	require.NoError(t, err)
	require.NoError(t, codec().UnmarshalStrict(data, &got), "nothing said is always known")
}

func TestAHostileBodyIsRefusedBeforeTheStackIsFull(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"parts":[`, 5000) + strings.Repeat(`]}`, 5000)
	var got shop.Thing
	require.ErrorContains(t, codec().Unmarshal([]byte(deep), &got), "nested more than 64 deep")
}

func TestACodecIsUsedByManyFromTheFirstCallOn(t *testing.T) {
	t.Parallel()
	c, in := codec(), full()
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			var out shop.Thing
			data, err := c.Marshal(in)
			assert.NoError(t, err)
			assert.NoError(t, c.UnmarshalStrict(data, &out))
			assert.Equal(t, in, out)
		})
	}
	wg.Wait()
}

func TestUnmarshalNeedsSomewhereToPutIt(t *testing.T) {
	t.Parallel()
	require.ErrorContains(t, codec().Unmarshal([]byte(`{}`), shop.Thing{}), "not a pointer")
	require.ErrorContains(t, codec().Unmarshal([]byte(`{}`), (*shop.Thing)(nil)), "not a pointer")
}
