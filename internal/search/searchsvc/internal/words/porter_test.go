package words

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestStem has the examples of Porter's paper, step by step as they end there, and words of his
// published vocabulary; those in -er and -ator keep that.
func TestStem(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		// step 1a
		"caresses": "caress", "ponies": "poni", "ties": "ti", "caress": "caress", "cats": "cat",
		// step 1b
		"feed": "feed", "plastered": "plaster", "bled": "bled", "motoring": "motor", "sing": "sing", "conflated": "conflat",
		"troubled": "troubl", "sized": "size", "hopping": "hop", "tanned": "tan", "falling": "fall", "hissing": "hiss", "fizzed": "fizz",
		"failing": "fail", "filing": "file",
		// step 1c
		"happy": "happi", "sky": "sky",
		// step 2
		"relational": "relat", "conditional": "condit", "rational": "ration", "valenci": "valenc", "digitizer": "digitizer", "conformabli": "conform",
		"radicalli": "radic", "differentli": "differ", "vileli": "vile", "analogousli": "analog", "vietnamization": "vietnam",
		"predication": "predic", "operator": "operator", "feudalism": "feudal", "decisiveness": "decis", "hopefulness": "hope",
		"callousness": "callous", "formaliti": "formal", "sensitiviti": "sensit", "sensibiliti": "sensibl",
		// step 3
		"triplicate": "triplic", "formative": "form", "formalize": "formal", "electriciti": "electr", "electrical": "electr", "hopeful": "hope",
		"goodness": "good",
		// step 4
		"revival": "reviv", "allowance": "allow", "inference": "infer", "airliner": "airliner", "gyroscopic": "gyroscop", "adjustable": "adjust",
		"defensible": "defens", "irritant": "irrit", "replacement": "replac", "adjustment": "adjust", "dependent": "depend",
		"adoption": "adopt", "communism": "commun", "activate": "activ", "angulariti": "angular", "homologous": "homolog",
		"effective": "effect", "bowdlerize": "bowdler",
		// step 5
		"probate": "probat", "rate": "rate", "cease": "ceas", "roll": "roll",
		// of the vocabulary
		"abandonment": "abandon", "abilities": "abil", "absolutely": "absolut", "generalizations": "gener", "oscillators": "oscillator",
		"yesterday": "yesterdai", "youthful": "youth", "yellowing": "yellow", "crying": "cry", "dying": "dy", "skies": "ski", "news": "new",
		"a": "a", "is": "is", "by": "by",
	} {
		assert.Equal(t, want, stem(word), word)
	}
}

// TestStemOfKin holds words together that one would look for by each other, and apart that
// mean different goods.
func TestStemOfKin(t *testing.T) {
	t.Parallel()
	for _, kin := range [][]string{
		{"mouse", "mice"},
		{"battery", "batteries"},
		{"charger", "chargers"},
		{"watch", "watches"},
		{"shelf", "shelves"},
		{"knife", "knives"},
		{"lens", "lenses"},
		{"bus", "buses"},
		{"box", "boxes"},
		{"headphone", "headphones"},
		{"man", "men", "mens"},
		{"woman", "women", "womens"},
		{"colour", "color", "colors"},
		{"grey", "gray"},
		{"accessory", "accessories"},
		{"case", "cases"},
		{"foot", "feet"},
		{"goose", "geese"},
		{"controller", "controllers"},
		{"adapter", "adapters", "adaptor", "adaptors"},
		{"calculator", "calculators"},
	} {
		for _, word := range kin[1:] {
			assert.Equal(t, stem(kin[0]), stem(word), kin)
		}
	}
	for _, strangers := range [][2]string{
		{"printer", "print"},
		{"gps", "gp"},
		{"charger", "charge"},
		{"scanner", "scan"},
		{"bus", "bu"},
		{"controller", "control"},
		{"controller", "controlled"},
		{"receiver", "receive"},
		{"computer", "computing"},
		{"organizer", "organic"},
		{"equalizer", "equal"},
		{"calculator", "calculated"},
		{"replicator", "replicate"},
	} {
		assert.NotEqual(t, stem(strangers[0]), stem(strangers[1]), strangers)
	}
}
