package contracttest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/rpc/contract"
	"souk/internal/platform/rpc/contract/contracttest"
	"souk/internal/platform/rpc/contract/testdata/shop/shoprpc"
)

// lastShop is the shop's contract as if it had been otherwise in the release before.
func lastShop(t *testing.T, change ...string) *contract.Contract {
	t.Helper()
	golden, err := os.ReadFile(filepath.Join("..", "testdata", "shop", "testdata", "contract.golden"))
	require.NoError(t, err)
	text := string(golden)
	for i := 0; i < len(change); i += 2 {
		require.Contains(t, text, change[i])
		text = strings.Replace(text, change[i], change[i+1], 1)
	}
	c, err := contract.Parse([]byte(text))
	if err != nil { // it has another hash now, which the error names
		_, hash, ok := strings.Cut(err.Error(), "and it is ")
		require.True(t, ok, err.Error())
		hash, _, _ = strings.Cut(hash, ":")
		c, err = contract.Parse([]byte(strings.Replace(text, "hash "+shoprpc.Contract.Hash, "hash "+hash, 1)))
		require.NoError(t, err)
	}
	return c
}

// TestTwoReleasesSpeak: each change is that from the release before to the shop as it is.
func TestTwoReleasesSpeak(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		last   []string // what it has now, what it had then
		speak  string   // what goes wrong between them; "" for nothing
		broken string   // what comparing the contracts says
	}{
		"nothing":                       {},
		"an optional field in requests": {last: []string{"\tlimit *int64\n", ""}},
		"a field in replies":            {last: []string{"\tnext string\n", ""}},
		"a method":                      {last: []string{"read List ListRequest Page[Thing]\n", ""}},
		"a value with a fallback":       {last: []string{"\t\"red\"\n", ""}},

		"a field renamed": {
			last: []string{"\ttiny int8\n", "\tsmall int8\n"}, speak: `Put request: it is refused: {"kind":"invalid","code":"souk.malformed"`,
			broken: "Put request: thing.small: it is gone, and the last release sends it",
		},
		"a field renamed in replies": {
			last: []string{"\tnext string\n", "\tcursor string\n"}, speak: "List reply.cursor: it is missing",
			broken: "List reply: cursor: it is gone",
		},
		"a field more that requests must have": {
			last: []string{"\tkey string\n", ""}, speak: "Put request.key: the last release does not know it and would refuse it",
			broken: "Put request: key: it is new in a request and no pointer",
		},
		"another type": {
			last: []string{"\tlong int64\n", "\tlong string\n"}, speak: "Get reply.thing.long: it is json.Number where the last release has a string",
			broken: "long: it was string and is int64",
		},
		"a method gone": {
			last: []string{"read Get GetRequest GetReply\n", "read Get GetRequest GetReply\nread Find GetRequest GetReply\n"}, speak: "Find: the method is gone",
			broken: "method Find: the last release calls it",
		},
		"a value gone": {
			last: []string{"\t\"red\"\n", "\t\"blue\"\n\t\"red\"\n"}, speak: `is not one of the values known here`,
			broken: `the value "blue" is gone from Colour`,
		},
		"a value without a fallback": {
			last: []string{"enum Size\n\t\"l\"\n", "enum Size\n"}, broken: `the value "l" is new in Size, and the last release has no fallback`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			last := lastShop(t, tt.last...)
			said := strings.Join(contracttest.Speak(last, shoprpc.Contract.Hash, shoprpc.Remote, shoprpc.Server), "\n")
			var broken []string
			for _, d := range contract.Compatible(last, lastShop(t)) {
				broken = append(broken, d.String())
			}
			if tt.speak == "" {
				assert.Empty(t, said)
			}
			assert.Contains(t, said, tt.speak)
			if tt.broken == "" {
				assert.Empty(t, broken)
			}
			assert.Contains(t, strings.Join(broken, "\n"), tt.broken)
		})
	}
}

// TestAnotherContractIsNotSpokenWith: a hash that neither release has ends it, whatever is asked.
func TestAnotherContractIsNotSpokenWith(t *testing.T) {
	t.Parallel()
	said := contracttest.Speak(lastShop(t), "0123", shoprpc.Remote, shoprpc.Server)
	require.NotEmpty(t, said)
	assert.Contains(t, said[0], "souk.other_contract")
}
