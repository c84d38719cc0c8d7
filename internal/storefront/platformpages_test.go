package storefront

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"souk/internal/storefront/views"
)

func TestSubscriberStatus(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]SubscriberState{
		"Following":                           {State: "following"},
		"Catching up":                         {State: "following", Lag: farBehind},
		"Behind":                              {State: "following", Lag: farBehind + 1},
		"Nothing heard yet":                   {State: "new"},
		"The log cannot be read":              {State: "following", Head: -1, Lag: -1},
		"Retrying: no title":                  {State: "retrying", Error: "no title", Lag: 3},
		"Lost its place; it is being rebuilt": {State: "gone", Error: "trimmed"},
	} {
		got := subscriberStatus(s)
		assert.Equal(t, want, got.Text)
		assert.Equal(t, want == "Behind" || want == "Retrying: no title", got.Tone == views.Warn, want)
	}
}
