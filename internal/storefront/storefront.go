package storefront

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"

	"github.com/go-chi/chi/v5"

	"souk/internal/accounts"
	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/payments"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
	"souk/internal/platform/module"
	"souk/internal/platform/money"
	"souk/internal/search"
	"souk/internal/storefront/views"
)

// Name is the storefront's name among the modules.
const Name = "storefront"

// Config is what the storefront stands on.
type Config struct {
	Accounts accounts.Service
	Catalog  catalog.Service
	Search   search.Service
	Cart     cart.Service
	Payments payments.Service
	Orders   orders.Service

	Operations Operations // what operators see of the platform

	Renderer    RenderOptions // default: as compiled, with random keys
	Now         func() clock.Time
	NewSecret   func() string  // of sessions and API tokens; default: 192 random bits
	Currency    money.Currency // offered first to new sellers, and where nothing else says one; default EUR
	RunBy       []string       // who runs the marketplace: name and address, for what is printed
	Demo        bool           // the pages say that nothing is really sold
	WaitMillis  int64          // how long a buyer's request waits for its checkout; default 5000
	MaxInFlight int            // pages at the same time; default that of the door
}

// Storefront is souk's pages.
type Storefront struct {
	Config
	pages  *Renderer
	window window
}

// New is the storefront; a template that does not parse is found here.
func New(c Config) (*Storefront, error) {
	switch {
	case c.Accounts == nil || c.Catalog == nil || c.Search == nil || c.Cart == nil || c.Payments == nil || c.Orders == nil:
		return nil, errors.New("storefront: it asks every module, and one is missing")
	case c.Operations == nil:
		return nil, errors.New("storefront: operators' pages need Operations")
	}
	if c.Now == nil {
		c.Now = clock.Now
	}
	if c.NewSecret == nil {
		c.NewSecret = newSecret
	}
	if c.Currency == "" {
		c.Currency = "EUR"
	}
	if c.WaitMillis == 0 {
		c.WaitMillis = 5000
	}
	if len(c.RunBy) == 0 {
		c.RunBy = []string{"souk"}
	}
	if c.Renderer.NewKey == nil {
		c.Renderer.NewKey = newKey
	}
	pages, err := NewRenderer(c.Renderer)
	if err != nil {
		return nil, err
	}
	return &Storefront{Config: c, pages: pages}, nil
}

// Module is the storefront for the program.
func (s *Storefront) Module() module.Module {
	return module.Module{Name: Name, Pages: s.mountPages, Assets: s.mountAssets, MaxInFlight: s.MaxInFlight}
}

func (s *Storefront) mountAssets(r chi.Router) {
	r.Method(http.MethodGet, views.PathAssetPrefix+"*", s.pages.Assets())
}

// newKey is a fresh idempotency key.
func newKey() string { return id.New("key_") }

// newSecret is a fresh secret of a session or token.
func newSecret() string {
	var raw [24]byte
	_, _ = rand.Read(raw[:]) // never fails: crypto/rand ends the program instead
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// HashSecret is what accounts is told of a session's or token's secret: its SHA-256 in hex.
func HashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
