package searchsvc_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/clock"
	"souk/internal/platform/store/storetest"
	"souk/internal/search"
)

// TestWhatOneListingAloneSaysIsOffered types the name of the only one of its kind.
func TestWhatOneListingAloneSaysIsOffered(t *testing.T) {
	t.Parallel()
	goods := catalogtest.NewFake(clock.Now)
	by := goods.AddSeller(catalog.Seller{Name: "North"})
	for _, title := range []string{"Microwave", "Wool rug", "Oak table"} {
		goods.AddListing(by.ID, catalogtest.Draft(title, 1000, 1))
	}
	b := newBench(t, goods)
	require.NoError(t, b.hear(t.Context(), goods.Events()))
	for text, want := range map[string]string{"Microwvae": "microwave", "woool": "", "microwave": ""} {
		for _, exact := range []bool{false, true} {
			reply, err := b.Query(t.Context(), search.QueryRequest{Text: text, Exact: &exact})
			require.NoError(t, err)
			assert.Empty(t, reply.Corrected, text)
			offered := ""
			for _, o := range reply.Offers {
				if o.Kind == search.OfferQuery {
					offered = o.Text
					assert.EqualValues(t, 1, o.Count)
				}
			}
			assert.Equal(t, want, offered, text)
		}
	}
}

// TestAWordNearNothingIsNotLookedForByItsSpellings types words that nobody has, and nothing like them.
func TestAWordNearNothingIsNotLookedForByItsSpellings(t *testing.T) {
	t.Parallel()
	goods := catalogtest.NewFake(clock.Now)
	by := goods.AddSeller(catalog.Seller{Name: "North"})
	for i := range 3 {
		d := catalogtest.Draft(fmt.Sprintf("Clock %d", i), 1000, 1)
		d.Description = "wakes with a kangaroo, or with a zitter"
		goods.AddListing(by.ID, d)
	}
	b := newBench(t, goods, storetest.Once())
	require.NoError(t, b.hear(t.Context(), goods.Events()))
	ask := func(text string) (corrected string, statements int64) {
		before := b.db.Stats()
		reply, err := b.Query(t.Context(), search.QueryRequest{Text: text})
		require.NoError(t, err)
		return reply.Corrected, b.db.Stats().Sub(before).Statements
	}
	_, plain := ask("clock")
	for text, want := range map[string]string{"sombrero": "", "marmalade trombone cellist": "", "zither": "zitter", "kangarooo clock": "kangaroo clock"} {
		corrected, statements := ask(text)
		assert.Equal(t, want, corrected, text)
		assert.LessOrEqual(t, statements, plain+12, "%s has some 400 spellings a word", text)
	}
}

// TestSlipsAreMended types model numbers, names and words as hands do.
func TestSlipsAreMended(t *testing.T) {
	t.Parallel()
	goods := catalogtest.NewFake(clock.Now)
	by := goods.AddSeller(catalog.Seller{Name: "North"})
	for _, title := range []string{
		"Brother TN-2110 toner black", "Brother TN-5430 toner black", "Brother drum black", "TP-LINK TL-WN781 adapter", "TP-LINK switch",
		"Sonicare HX6730/02 toothbrush", "Oral toothbrush", "PS4 controller", "HDMI cable", "HDMI cable long", "Flat TV", "Flat TV large", "Small TV", "TV stand",
		"TV wall mount", "Wool rug",
	} {
		goods.AddListing(by.ID, catalogtest.Draft(title, 1000, 1))
	}
	for i, description := range []string{"runs google", "speaks to google", "without google", "for an umbrella", "and an umbrella", "under an umbrella"} {
		d := catalogtest.Draft(fmt.Sprintf("Clock %d", i), 1000, 1)
		d.Description = description
		goods.AddListing(by.ID, d)
	}
	b := newBench(t, goods)
	require.NoError(t, b.hear(t.Context(), goods.Events()))
	tests := map[string]struct{ text, want string }{
		"a letter for a digit":                  {"brother tn-2g10 toner", "brother tn-2110 toner"},
		"a digit left out":                      {"brother tn-210 toner", "brother tn-2110 toner"},
		"one too many":                          {"TN-21190", "tn-2110"},
		"two swapped":                           {"tn2101", "tn2110"},
		"before the hyphen":                     {"tm-2110", "tn-2110"},
		"the hyphen of a name":                  {"tp-ink switch", "tp-link switch"},
		"another digit is another product":      {"tn-2118", ""},
		"a short one":                           {"psx4", "ps4"},
		"the beginning of one is none":          {"hx6730", ""},
		"nothing near":                          {"tn-99999", ""},
		"two letters, beside what they go with": {"flat vt", "flat tv"},
		"two letters alone could be anything":   {"vt", ""},
		"what listings have stays":              {"tn-2110", ""},
		"a word of one listing is nobody's":     {"woool", ""},
		"the first letter left out":             {"oogle", "google"},
		"taken for another":                     {"tmbrella", ""},
		"as typed, between quotation marks":     {`"hdmi cabel"`, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reply, err := b.Query(t.Context(), search.QueryRequest{Text: tt.text})
			require.NoError(t, err)
			assert.Equal(t, tt.want, reply.Corrected, "%d found", reply.Total)
			exact := true
			typed, err := b.Query(t.Context(), search.QueryRequest{Text: tt.text, Exact: &exact})
			require.NoError(t, err)
			assert.Empty(t, typed.Corrected)
			if tt.want != "" {
				assert.NotEmpty(t, reply.Hits)
			}
		})
	}
}

// TestWhatIsWrittenAsOneIsTakenApart types hyphens and nothing at all where titles have words that need not even stand in a row.
func TestWhatIsWrittenAsOneIsTakenApart(t *testing.T) {
	t.Parallel()
	goods := catalogtest.NewFake(clock.Now)
	by := goods.AddSeller(catalog.Seller{Name: "North"})
	for _, title := range []string{
		"HP colour printer", "HP fast printer", "Xerox printer", "LG flat TV", "LG small TV", "LGT mount", "LGT arm", "Core mobile i7 chip", "Core slow i7 chip",
		"HP glossy Q7994A paper", "Café Gourmet HD5405/60", "HD ready radio", "Wool rug", "Canon C-EXV 23 toner", "Canon C-EXV 23 drum", "Canon C-EXV2 toner", "Canon C-EXV2 drum",
	} {
		goods.AddListing(by.ID, catalogtest.Draft(title, 1000, 1))
	}
	b := newBench(t, goods)
	require.NoError(t, b.hear(t.Context(), goods.Events()))
	tests := map[string]struct {
		text, want string
		first      string
	}{
		"a hyphen":                          {"HP-printer", "hp printer", "printer"},
		"another dash":                      {"hp–printer", "hp printer", "printer"},
		"and a slip":                        {"hp-pritner", "hp printer", "printer"},
		"not what is near to it as one":     {"lg-tv", "lg tv", "TV"},
		"nothing between":                   {"hpprinter", "hp printer", "printer"},
		"letters and digits":                {"corei7", "core i7", "i7"},
		"a short name and a number":         {"hpq7994a", "hp q7994a", "Q7994A"},
		"not what lacks a digit":            {"canon C-EXV23", "canon c-exv 23", "23"},
		"a model number is found in parts":  {"hd 5405", "", "HD5405"},
		"what no listing has both of stays": {"xerox-tv", "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reply, err := b.Query(t.Context(), search.QueryRequest{Text: tt.text})
			require.NoError(t, err)
			assert.Equal(t, tt.want, reply.Corrected)
			if tt.first != "" && assert.NotEmpty(t, reply.Hits) {
				assert.Contains(t, reply.Hits[0].Title, tt.first)
			}
		})
	}
}
