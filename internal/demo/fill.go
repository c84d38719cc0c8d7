// Package demo fills an empty marketplace with a dozen sellers, a few hundred listings with
// drawn pictures, and people to sign in as. It acts through the contracts alone, as any
// client would; all of it is made up here.
package demo

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"souk/internal/accounts"
	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
)

// Services are the modules that are filled.
type Services struct {
	Accounts accounts.Service
	Catalog  catalog.Service
	Cart     cart.Service
}

// Account is someone to sign in as.
type Account struct {
	Role     string // "operator", "buyer", "seller North Lamp Works"
	Email    string
	Password string
}

// currency is what the demo's prices are in.
const currency = "EUR"

// Fill makes the demo marketplace and says whom one can sign in as. Passwords are random and
// nowhere else. Progress is told as listings are made. Repeating it on a marketplace
// that has these people already is refused with accounts.ErrEmailTaken.
func Fill(ctx context.Context, s Services, progress func(done, of int)) ([]Account, error) {
	f := filler{services: s, progress: progress}
	for _, shop := range shops {
		f.of += countListings(shop)
	}
	operator, err := f.person(ctx, "operator", "operator@demo.example", "Olive Operator")
	if err != nil {
		return nil, err
	}
	if _, err := s.Accounts.GrantRole(ctx, accounts.GrantRoleRequest{
		By: actor.System(""), Key: "demo:operator", Person: accounts.PersonID(operator.Person), Role: accounts.Role{Kind: accounts.RoleOperator},
	}); err != nil {
		return nil, fmt.Errorf("make the demo operator: %w", err)
	}
	operator.Kind = actor.KindOperator
	operator.Scopes = append(operator.Scopes, actor.ScopeOperate)
	if _, err := f.person(ctx, "buyer", "buyer@demo.example", "Bea Buyer"); err != nil {
		return nil, err
	}
	for _, shop := range shops {
		if err := f.open(ctx, shop, operator); err != nil {
			return nil, fmt.Errorf("open %s: %w", shop.name, err)
		}
	}
	return f.accounts, f.coupons(ctx, operator)
}

type filler struct {
	services Services
	accounts []Account
	progress func(done, of int)
	done, of int
}

// person registers someone with a random password.
func (f *filler) person(ctx context.Context, role, email, name string) (actor.Actor, error) {
	password := rand.Text()[:16]
	session := sha256.Sum256([]byte(rand.Text())) // nobody has its secret: it is never used
	reply, err := f.services.Accounts.Register(ctx, accounts.RegisterRequest{
		Key: "demo:" + email, Email: email, Name: name, Password: password, Session: hex.EncodeToString(session[:]),
		Agent: "souk demo",
	})
	if err != nil {
		return actor.Actor{}, fmt.Errorf("register the demo's %s: %w", role, err)
	}
	f.accounts = append(f.accounts, Account{Role: role, Email: email, Password: password})
	return actor.Actor{
		Kind: actor.KindPerson, Person: id.RefOf(reply.Person.ID),
		Scopes: []actor.Scope{actor.ScopeRead, actor.ScopeShop, actor.ScopeSell, actor.ScopeAccount},
	}, nil
}

// open makes one shop, approved, with everything that it sells.
func (f *filler) open(ctx context.Context, s shop, operator actor.Actor) error {
	slug := strings.ToLower(strings.NewReplacer(" & ", "-", " ", "-").Replace(s.name))
	owner, err := f.person(ctx, "seller "+s.name, slug+"@demo.example", "Owner of "+s.name)
	if err != nil {
		return err
	}
	legal := catalog.LegalParty{
		Name: s.name, Line1: s.street, PostalCode: s.zip, City: s.city, Country: s.country,
		TaxID: s.country + strconv.FormatUint(uint64(seed(s.name))%900000000+100000000, 10), Email: slug + "@demo.example",
	}
	applied, err := f.services.Catalog.ApplySeller(ctx, catalog.ApplySellerRequest{
		By: owner, Key: "demo:apply:" + slug, Name: s.name, About: s.about, Currency: currency, Legal: legal,
	})
	if err != nil {
		return err
	}
	seller := applied.Seller.ID
	if _, err := f.services.Catalog.ChangeSellerStatus(ctx, catalog.ChangeSellerStatusRequest{
		By: operator, Key: "demo:approve:" + slug, Seller: seller, Status: catalog.SellerApproved, Why: "part of the demo",
	}); err != nil {
		return err
	}
	owner.Seller = id.RefOf(seller)
	for _, l := range s.lines {
		hue, err := strconv.ParseInt(s.hue, 10, 32)
		if err != nil {
			return fmt.Errorf("hue of %s: %w", s.name, err)
		}
		names := append([]string{s.root}, l.path...)
		category, err := f.services.Catalog.PutCategory(ctx, catalog.PutCategoryRequest{
			By: operator, Key: "demo:category:" + strings.Join(names, "/"), Names: names, Hue: int32(hue),
		})
		if err != nil {
			return err
		}
		for i, series := range l.series {
			if err := f.list(ctx, s, l, i, series, owner, seller, category.Category.ID); err != nil {
				return fmt.Errorf("list %s %s: %w", series, l.noun, err)
			}
		}
	}
	return nil
}

// editions set the listings of one series apart, so that there is something to compare.
var editions = []struct {
	name    string
	percent int64
	words   string
}{
	{"", 100, "The one that most people take home."},
	{"Grand", 145, "Larger in every direction, for rooms that can bear it."},
}

func countListings(s shop) int {
	n := 0
	for _, l := range s.lines {
		n += len(l.series) * len(editions)
	}
	return n
}

func (f *filler) list(ctx context.Context, s shop, l line, at int, series string, owner actor.Actor, seller catalog.SellerID, category catalog.CategoryID) error {
	for e, edition := range editions {
		title := strings.Join(strings.Fields(series+" "+strings.ToLower(l.noun)+" "+strings.ToLower(edition.name)), " ")
		colour := s.colours[(at+e)%len(s.colours)]
		key := fmt.Sprintf("%s/%s/%d", s.name, title, e)
		draft := catalog.Draft{
			ExternalID: fmt.Sprintf("demo-%x", seed(key)), Title: title, Brand: s.name, Category: category, TaxClass: l.tax,
			Description: fmt.Sprintf("%s %s made of %s. %s %s", series, strings.ToLower(l.noun), l.made, edition.words, l.care),
			Attributes: []catalog.Attribute{
				{Section: "Details", Name: "Material", Value: l.made},
				{Section: "Details", Name: "Series", Value: series},
				{Section: "Details", Name: "Made in", Value: s.city},
				{Section: "Shipping", Name: "Weight", Value: fmt.Sprintf("%d g", l.grams*edition.percent/100)},
			},
			Images: []catalog.Image{{URL: PictureURL(l.form, colour, title), Alt: title + " in " + colour, Width: 400, Height: 400}},
		}
		draft.Variants = variants(s, l, at, edition.percent, key, colour)
		if _, err := f.services.Catalog.CreateListing(ctx, catalog.CreateListingRequest{
			By: owner, Key: "demo:" + key, Seller: seller, Draft: draft, Publish: true,
		}); err != nil {
			return err
		}
		f.done++
		f.progress(f.done, f.of)
	}
	return nil
}

// variants of a listing: by colour, by size, or one. Prices end in 90 cents or are whole.
func variants(s shop, l line, at int, percent int64, key, colour string) []catalog.VariantDraft {
	price := l.cents * percent / 100 * int64(100+at*6) / 100
	price = price/100*100 + 90*int64(seed(key)%2)
	each := func(n int, options []catalog.Option, cents, grams int64) catalog.VariantDraft {
		// About one variant in twelve is sold out, one in eight nearly.
		stock := int64(seed(key+fmt.Sprint(n)) % 48)
		if stock < 4 {
			stock = 0
		} else if stock < 10 {
			stock = stock%3 + 1
		}
		return catalog.VariantDraft{
			SKU: strings.ToUpper(fmt.Sprintf("%.3s-%x-%d", l.form, seed(key)&0xfffff, n+1)), Options: options,
			Price: money.Money{Minor: cents, Currency: currency}, Grams: grams * percent / 100, Quantity: &stock,
		}
	}
	switch {
	case l.byColour:
		colours := slices.DeleteFunc(slices.Clone(s.colours), func(c string) bool { return c == colour })
		out := []catalog.VariantDraft{}
		for i, c := range append([]string{colour}, colours[:2]...) {
			name := strings.ToUpper(c[:1]) + c[1:]
			out = append(out, each(i, []catalog.Option{{Name: "Colour", Value: name}}, price, l.grams))
		}
		return out
	case len(l.sizes) > 0:
		out := make([]catalog.VariantDraft, len(l.sizes))
		for i, size := range l.sizes {
			out[i] = each(i, []catalog.Option{{Name: "Size", Value: size}}, price*int64(10+6*i)/10, l.grams*int64(10+6*i)/10)
		}
		return out
	default:
		return []catalog.VariantDraft{each(0, nil, price, l.grams)}
	}
}

// coupons makes one site-wide code that the marketplace pays for.
func (f *filler) coupons(ctx context.Context, operator actor.Actor) error {
	_, err := f.services.Cart.PutCoupon(ctx, cart.PutCouponRequest{
		By: operator, Key: "demo:coupon", Coupon: cart.Coupon{
			Code: "WELCOME10", Label: "10% off to try the demo", Funder: cart.FunderPlatform, Percent: 1000,
			Amount: money.Zero(currency), Minimum: money.Money{Minor: 2000, Currency: currency},
		},
	})
	if err != nil {
		return fmt.Errorf("make the demo's coupon: %w", err)
	}
	return nil
}
