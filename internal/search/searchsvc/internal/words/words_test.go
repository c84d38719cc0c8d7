package words_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"souk/internal/search/searchsvc/internal/words"
)

// terms are the terms of a text, glued ones in brackets.
func terms(text string) string {
	var all []string
	for _, t := range words.Tokens(nil, text) {
		if t.Glued {
			all = append(all, "["+t.Term+"]")
		} else {
			all = append(all, t.Term)
		}
	}
	return strings.ReplaceAll(strings.Join(all, " "), "ˑ", ".")
}

// asked is what a query asks for: alternatives with |, in a row with +, a prefix with *.
func asked(text string) string {
	var all []string
	for _, t := range words.Parse(text).Terms {
		all = append(all, shown(t))
	}
	return strings.ReplaceAll(strings.Join(all, " "), "ˑ", ".")
}

func shown(t words.Term) string {
	var any []string
	for _, a := range t.Any {
		any = append(any, strings.Join(a.Terms, "+"))
	}
	s := strings.Join(any, "|")
	if t.Prefix {
		s += "*"
	}
	return s
}

func TestTokens(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ text, want string }{
		"nothing":               {"", ""},
		"signs alone":           {" -- ®™ … !?", ""},
		"case and plural":       {"Laptop LAPTOPS laptops", "laptop laptop laptop"},
		"plurals":               {"batteries battery boxes switches watches", "batteri batteri box switch watch"},
		"plurals of their own":  {"Mice mouse, men's women teeth shelves lenses lens", "mous mous man woman tooth shelf lens lens"},
		"s that is no plural":   {"GPS iOS NAS bus", "gps ios nas bus"},
		"possessive":            {"kid's men’s L'Oréal", "kid man l [loreal] oreal"},
		"accents":               {"Café Ångström naïve Übergröße", "cafe angstrom naiv ubergross"},
		"accents put together":  {"Cafe\u0301 A\u030angstro\u0308m", "cafe angstrom"},
		"letters of their own":  {"Søren Łódź Æsir ĳs œuvre", "soren lodz aesir ij oeuvr"},
		"full width":            {"ＡＢＣ１６ＧＢ", "abc16gb"},
		"Greek and Cyrillic":    {"ΟΔΟΣ Йогурт", "οδοσ иогурт"},
		"Hebrew and Arabic":     {"שָׁלוֹם كِتَاب ٣٢", "שלום كتاب 32"},
		"Hindi keeps its signs": {"हिन्दी", "हिन्दी"},
		"trade marks":           {"Intel® Core™2 Duo", "intel core 2 duo"},
		"emoji":                 {"🎧 headphones ❤️ 👩‍💻", "headphon"},
		"soft hyphen":           {"key\u00adboard", "keyboard"},
		"controls":              {"a\x00b\x1bc\u0085d", "a b c d"},
		"not UTF-8":             {"ab\xffcd", "ab cd"},
		"memory":                {"16GB 16 GB 16-GB 16gb", "16 [16gb] 16 [16gb] gb 16 [16gb] gb 16 [16gb]"},
		"inches":                {`14" 14 inch 14in 14'' 14″ 14-inch 14 inches`, "14 [14in] 14 [14in] inch 14 [14in] 14 [14in] 14 [14in] 14 [14in] inch 14 [14in] inch"},
		"in that is no inch":    {"2 in 1", "2 in 1"},
		"decimals":              {`35.6 cm 35,6cm 15.60"`, "35.6 [35.6cm] cm 35.6 [35.6cm] 15.6 [15.6in]"},
		"no decimals":           {"1.2.3 and 1,2,3", "1 2 3 and 1 2 3"},
		"whole numbers":         {"17.0 and 1,024,000 and 1,000", "17 [17.0] and 1024000 and 1000"},
		"versions":              {"USB 3.0, USB-3.00/2,0 3.0 m 2.0\" 2.0GB 1.0.0", "usb 3 [3.0] usb [usb3] 3 [3.0] 2 [2.0] 3 [3m] m 2 [2in] 2 [2gb] 1 0 0"},
		"frequency":             {"2.4GHz 2.4 GHz", "2.4 [2.4ghz] 2.4 [2.4ghz] ghz"},
		"a norm":                {"802.11b/g/n", "802.11b [802.11bg] g n"},
		"resolution":            {"1440x900 1440 x 900 1440×900 1440 X 900", "1440 [1440x900] 900 1440 [1440x900] 900 1440 [1440x900] 900 1440 [1440x900] 900"},
		"three of them":         {"10 x 20.5 x 30 cm", "10 [10x20.5x30] 20.5 30 [30cm] cm"},
		"modules":               {"2x8GB", "2 [2x8] 8 [8gb]"},
		"an x that is none":     {"Xbox x 2x 3 x", "xbox x 2x 3 x"},
		"model number":          {"HP dv7-1211ea", "hp dv7 [dv71211ea] 1211ea"},
		"longer model number":   {"TL-WR841N-V9", "tl [tlwr841nv9] [tlwr841n] wr841n [wr841nv9] v9"},
		"model with a stroke":   {"MD101LL/A", "md101ll [md101lla] a"},
		"short model":           {"V14 Mark-4", "v14 mark [mark4] 4"},
		"hyphens":               {"Wi-Fi T-shirts USB-C tooth-brush", "wi [wifi] fi t [tshirt] shirt usb [usbc] c tooth [toothbrush] brush"},
		"hyphen of its own":     {"lamp - brass", "lamp brass"},
		"range and book":        {"10-20 978-3-16-148410-0", "10 20 978 [9783161484100] [9783] 3 [316] 16 [16148410] 148410 [1484100] 0"},
		"pieces":                {"6 pc(s)", "6 pc s"},
		"Chinese":               {"苹果手机", "苹果 果手 手机 机"},
		"Japanese with Latin":   {"ソニーPS5本体", "ソニ ニー ー ps5 本体 体"},
		"Thai":                  {"กาแฟ", "กา าแ แฟ ฟ"},
		"a very long word":      {strings.Repeat("x", 300), strings.Repeat("x", 64)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, terms(tt.text))
		})
	}
}

func TestTokensSayWhereTheyStand(t *testing.T) {
	t.Parallel()
	text := `Café dv7-1211ea, 14" and 16 GB`
	var got []string
	at := []int{}
	for _, token := range words.Tokens(nil, text) {
		got = append(got, text[token.From:token.To])
		at = append(at, token.At)
	}
	assert.Equal(t, []string{"Café", "dv7", "dv7-1211ea", "1211ea", "14", `14"`, "and", "16", "16 GB", "GB"}, got)
	assert.Equal(t, []int{0, 1, 1, 2, 3, 3, 4, 5, 5, 6}, at)
}

func TestParse(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ text, want string }{
		"nothing":                  {" !", ""},
		"words":                    {"Red Lamps", "red lamp"},
		"each once":                {"lamp lamps the lamp", "lamp the"},
		"versions":                 {"usb 3.0 cable 3.0 m", "usb 3.0 cabl 3m"},
		"memory":                   {"16 GB", "16gb"},
		"memory, together":         {"16gb", "16gb"},
		"inches and centimetres":   {`14" monitor`, "14in|35.6cm monitor"},
		"inches in words":          {"14 inches", "14in|35.6cm"},
		"centimetres":              {"35,6 cm", "35.6cm|14in"},
		"2 in 1":                   {"2 in 1 laptop", "2 in 1 laptop"},
		"resolution":               {"1440 x 900", "1440x900"},
		"model number":             {"dv7-1211ea", "dv71211ea|dv7+1211ea"},
		"part of a model number":   {"dv7", "dv7"},
		"hyphens":                  {"wi-fi", "wifi|wi+fi"},
		"hyphen between words":     {"laptop-bag", "laptop|laptopbag bag|laptopbag"},
		"phrase":                   {`"desk lamps" red`, "desk+lamp red"},
		"phrase that never ends":   {`"desk lamp`, "desk lamp"},
		"inch mark in a phrase":    {`"iphone 7" case`, "iphon+7 case"},
		"phrase of one":            {`"desk"`, "desk"},
		"prefix":                   {"lap* bag", "lap* bag"},
		"prefix beyond the stem":   {"battery*", "batter*"},
		"prefix of a letter":       {"l*", "l"},
		"Chinese":                  {"苹果手机", "苹果 果手 手机"},
		"one Chinese letter":       {"茶", "茶*"},
		"syntax is only signs":     {`title:(lamp AND "x") NEAR/2 -red ^y`, "titl lamp and x near 2 red y"},
		"more than is asked":       {strings.Repeat("a b c d e f g h i j k l m n o p q r s t u v w x y z ", 9), "a b c d e f g h i j k l m n o p q r s t u v w x"},
		"emoji are not looked for": {"🎧", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, asked(tt.text))
		})
	}
}

func TestParseKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	q := words.Parse(`Batteries "Desk Lamps" 14"`)
	var typed []string
	for _, term := range q.Terms {
		typed = append(typed, term.Word)
	}
	assert.Equal(t, []string{"batteries", "desk lamps", "14in"}, typed)
	assert.Equal(t, []string{"desk", "lamp"}, q.Terms[1].Phrase)
	assert.InDelta(t, 1, q.Terms[0].Any[0].Weight, 0)
}

func TestCompounds(t *testing.T) {
	t.Parallel()
	listings := map[string]int{"toothbrush": 9, "tooth": 20, "brush": 30, "iphon": 50, "7": 90, "ps4": 5, "lap": 3, "laptop": 100, "top": 8, "pow": 1, "er": 1}
	known := func(term string) int { return listings[term] }
	tests := map[string]struct{ text, want string }{
		"written together":         {"toothbrush", "toothbrush|tooth+brush"},
		"written apart":            {"tooth brush", "tooth|toothbrush brush|toothbrush"},
		"plural":                   {"toothbrushes", "toothbrush|tooth+brush"},
		"a number behind":          {"iphone7", "iphone7|iphon+7"},
		"a number apart":           {"ps 4", "ps|ps4 4|ps4"},
		"parts that nobody has":    {"power", "power"},
		"quoted is as typed":       {`"tooth brush"`, "tooth+brush"},
		"nothing that is too rare": {"desk lamp", "desk lamp"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := words.Parse(tt.text)
			words.Compounds(&q, known)
			var all []string
			for _, term := range q.Terms {
				all = append(all, shown(term))
			}
			assert.Equal(t, tt.want, strings.Join(all, " "))
		})
	}
}
