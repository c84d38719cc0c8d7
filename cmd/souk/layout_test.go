package main

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/config"
)

func TestALayoutKnowsWhatIsHereAndWhereTheRestIs(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		modules, remotes []string
		here             []string
		process          string
	}{
		"nothing said":         {here: oneProcess().here, process: "souk"},
		"one module by itself": {modules: []string{"payments"}, remotes: []string{"accounts=http://a:1"}, here: []string{"payments"}, process: "souk-payments"},
		"the rest": {
			remotes: []string{"payments=http://p:1"}, here: []string{"catalog", "accounts", "search", "cart", "orders", "storefront"},
			process: "souk-catalog-accounts-search-cart-orders-storefront",
		},
		"several in one other": {
			modules: []string{"orders"}, remotes: []string{"cart+catalog+payments+accounts=http://rest:1"}, here: []string{"orders"}, process: "souk-orders",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := newLayout(tt.modules, tt.remotes)
			require.NoError(t, err)
			assert.Equal(t, tt.here, l.here)
			assert.Equal(t, tt.process, l.process())
			for _, module := range tt.here {
				assert.True(t, holds(l.process(), module), module)
			}
			assert.Equal(t, l.whole(), holds(l.process(), ""))
		})
	}
}

func TestALayoutThatCannotWorkIsAMistake(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		modules, remotes []string
		want             string
	}{
		"no such module":          {modules: []string{"payment"}, want: `there is no module "payment"; there are catalog, accounts`},
		"no such module to ask":   {remotes: []string{"bank=http://b:1"}, want: `there is no module "bank" to ask`},
		"nobody asks the pages":   {remotes: []string{"storefront=http://b:1"}, want: `there is no module "storefront" to ask`},
		"not an address":          {remotes: []string{"payments=b:1"}, want: "--remote payments=b:1 is not MODULE=http://host:port"},
		"no address":              {remotes: []string{"payments"}, want: "is not MODULE=http://host:port"},
		"a path":                  {remotes: []string{"payments=http://b:1/x"}, want: "is not MODULE=http://host:port"},
		"here and there":          {modules: []string{"catalog", "accounts"}, remotes: []string{"catalog=http://b:1"}, want: "catalog is in --modules and in --remote"},
		"a dependency is nowhere": {modules: []string{"cart", "accounts"}, remotes: []string{"search=http://b:1"}, want: "accounts asks catalog, which is neither here nor remote: add it to --modules, or say --remote catalog=http://host:port"},
		"nobody knows who asks":   {modules: []string{"catalog"}, want: "whoever serves requests asks accounts"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newLayout(tt.modules, tt.remotes)
			require.ErrorContains(t, err, tt.want)
			assert.True(t, config.IsMistake(err))
		})
	}
}

func TestEveryTopologyHasEveryModuleOnceAndCanWork(t *testing.T) {
	t.Parallel()
	for _, as := range topologies() {
		t.Run(as.Name, func(t *testing.T) {
			t.Parallel()
			assert.ElementsMatch(t, oneProcess().here, slices.Concat(as.Processes...))
			assert.Contains(t, as.Processes[0], pagesModule)
			at := make([]string, len(as.Processes))
			for i := range at {
				at[i] = "localhost:1"
			}
			for i, modules := range as.Processes {
				if len(at) == 1 {
					continue
				}
				args := as.arguments(i, at)
				var remotes []string
				for j := range args {
					if args[j] == "--remote" {
						remotes = append(remotes, args[j+1])
					}
				}
				_, err := newLayout(modules, remotes)
				require.NoError(t, err, args)
			}
		})
	}
}
