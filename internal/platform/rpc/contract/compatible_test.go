package contract_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/rpc/contract"
)

// Methods are compared by name, Get before Put, and a type is reported once per direction.
const before = `contract shop

command Put PutRequest PutReply
read Get GetRequest GetReply

event shop.sold.v1 Sold key string(e.ID)

scalar Tree []Tree
scalar Count int32
struct PutRequest
	key string
	lines []Line
	note *string
	size Size
struct Line
	sku string
	count Count
struct PutReply
	id id.ID[Thing]
	state State
	tree Tree
struct GetRequest
	filter Filter
struct Filter
	by map[string]Line
struct GetReply
	lines []Line
	closed Size
struct Sold
	id id.ID[Thing]
	state State
enum State fallback "open"
	"open"
	"shut"
enum Size
	"l"
	"s"

code shop.gone not_found
`

// parsed reads a contract's text as the golden of the same.
func parsed(t *testing.T, text string) *contract.Contract {
	t.Helper()
	_, err := contract.Parse([]byte(text))
	require.Error(t, err) // it has no hash; the error says which one
	_, hash, ok := strings.Cut(err.Error(), "and it is ")
	require.True(t, ok, err.Error())
	hash, _, _ = strings.Cut(hash, ":")
	c, err := contract.Parse([]byte("hash " + hash + "\n" + text))
	require.NoError(t, err)
	return c
}

func TestCompatible(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change []string // old, new, old, new …
		want   []string
	}{
		"nothing":                {change: []string{"x-", "x-"}},
		"a new method":           {change: []string{"read Get", "read List GetRequest GetReply\nread Get"}},
		"a new code":             {change: []string{"code shop.gone not_found", "code shop.gone not_found\ncode shop.new conflict"}},
		"a new event":            {change: []string{"event shop.sold.v1", "event shop.sold.v2 Sold key x\nevent shop.sold.v1"}},
		"a new reply field":      {change: []string{"struct GetReply\n", "struct GetReply\n\tmore int64\n"}},
		"a new event field":      {change: []string{"struct Sold\n", "struct Sold\n\tmore int64\n"}},
		"a pointer in a request": {change: []string{"struct PutRequest\n", "struct PutRequest\n\tmore *int64\n"}},
		"a pointer inside one":   {change: []string{"struct Line\n", "struct Line\n\tmore *int64\n"}},
		"a value with fallback":  {change: []string{"\t\"shut\"\n", "\t\"shut\"\n\t\"ajar\"\n"}},
		"another name of a type": {change: []string{"Count int32", "Number int32", "count Count", "count Number"}},
		"no name of a type":      {change: []string{"count Count", "count int32"}},
		"a tag":                  {change: []string{"\tsku string", "\tsku string pii"}},

		"a method gone":     {change: []string{"read Get GetRequest GetReply\n", ""}, want: []string{"method Get: the last release calls it"}},
		"a read changes":    {change: []string{"read Get", "command Get"}, want: []string{"method Get: a read became a command"}},
		"a code gone":       {change: []string{"code shop.gone not_found\n", ""}, want: []string{"code shop.gone: callers of the last release"}},
		"a code changes":    {change: []string{"gone not_found", "gone conflict"}, want: []string{"code shop.gone: it was not_found and is conflict"}},
		"an event gone":     {change: []string{"event shop.sold.v1 Sold key string(e.ID)\n", ""}, want: []string{"event shop.sold.v1: the last release listens"}},
		"an event's key":    {change: []string{"key string(e.ID)", "key string(e.Other)"}, want: []string{"event shop.sold.v1: its key was"}},
		"a field of a type": {change: []string{"\tid id.ID[Thing]\n\tstate State\n\ttree", "\tid id.ID[Other]\n\tstate State\n\ttree"}, want: []string{"Put reply: id: it was id.ID[Thing] and is id.ID[Other]"}},
		"a reply field gone": {
			change: []string{"\tclosed Size\n", ""},
			want:   []string{"Get reply: closed: it is gone, and the last release reads it as zero"},
		},
		"a request field gone": {
			change: []string{"\tnote *string\n", ""},
			want:   []string{"Put request: note: it is gone, and the last release sends it"},
		},
		"a plain field in a request": {
			change: []string{"struct PutRequest\n", "struct PutRequest\n\tmore int64\n"},
			want:   []string{"Put request: more: it is new in a request and no pointer"},
		},
		"a plain field deep in requests": {
			change: []string{"struct Line\n", "struct Line\n\tmore int64\n"},
			want:   []string{"Get request: filter.by.more: it is new in a request"},
		},
		"a pointer made plain":    {change: []string{"note *string", "note string"}, want: []string{"Put request: note: it was *string and is string"}},
		"a slice made a map":      {change: []string{"struct GetReply\n\tlines []Line", "struct GetReply\n\tlines map[string]Line"}, want: []string{"Get reply: lines: it was []Line and is map[string]Line"}},
		"a struct made a scalar":  {change: []string{"filter Filter", "filter string"}, want: []string{"Get request: filter: it was Filter and is string"}},
		"a scalar's type":         {change: []string{"Count int32", "Count int64"}, want: []string{"Get request: filter.by.count: it was int32 and is int64", "Get reply: lines.count"}},
		"a value gone":            {change: []string{"\t\"s\"\n", ""}, want: []string{`Get reply: closed: the value "s" is gone`, `Put request: size: the value "s" is gone`}},
		"a value with no way out": {change: []string{"\t\"l\"\n", "\t\"l\"\n\t\"m\"\n"}, want: []string{`Get reply: closed: the value "m" is new`}},
		"an enum made open":       {change: []string{"size Size", "size string"}, want: []string{"Put request: size: it was an enum and is any string"}},
		"a string made an enum":   {change: []string{"sku string", "sku Size"}, want: []string{"Get request: filter.by.sku: it was any string and is an enum", "Get reply: lines.sku"}},
		"another module":          {change: []string{"contract shop", "contract shed"}, want: []string{"contract: it was that of shop"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			after := before
			for i := 0; i < len(tt.change); i += 2 {
				if tt.change[i] != tt.change[i+1] {
					require.Contains(t, after, tt.change[i])
				}
				after = strings.Replace(after, tt.change[i], tt.change[i+1], 1)
			}
			got := contract.Compatible(parsed(t, before), parsed(t, after))
			require.Len(t, got, len(tt.want), "%v", got)
			for i, want := range tt.want {
				assert.Contains(t, got[i].String(), want)
			}
		})
	}
}
