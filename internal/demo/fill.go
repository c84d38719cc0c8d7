// Package demo fills an empty marketplace with a dozen sellers, a few hundred listings with
// drawn pictures, and people to sign in as. It acts through the contracts alone, as any
// client would; all of it is made up here. What is for sale is in goods.go, what it looks
// like in picture.go, and what else goes on (coupons, shipping, applicants) in terms.go.
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
	f.operator = operator
	buyer, err := f.person(ctx, "buyer", "buyer@demo.example", "Bea Buyer")
	if err != nil {
		return nil, err
	}
	if err := f.addresses(ctx, buyer); err != nil {
		return nil, err
	}
	var shelves [][]listing
	for _, shop := range shops {
		opened, err := f.open(ctx, shop)
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", shop.name, err)
		}
		shelves = append(shelves, opened...)
	}
	// By turns, so that what is new is not all of one kind; all come to their end together.
	longest := 0
	for _, shelf := range shelves {
		longest = max(longest, len(shelf))
	}
	for turn := range longest {
		for _, shelf := range shelves {
			at := turn - (longest - len(shelf))
			if at < 0 {
				continue
			}
			if err := shelf[at](); err != nil {
				return nil, err
			}
		}
	}
	if err := f.newcomers(ctx); err != nil {
		return nil, err
	}
	return f.accounts, f.siteCoupon(ctx)
}

type filler struct {
	services Services
	operator actor.Actor
	accounts []Account
	progress func(done, of int)
	done, of int
}

// person registers someone with a random password.
func (f *filler) person(ctx context.Context, role, email, name string) (actor.Actor, error) {
	password := rand.Text()[:16]
	session := sha256.Sum256([]byte(rand.Text())) // nobody has its secret: it is never used
	reply, err := f.services.Accounts.Register(ctx, accounts.RegisterRequest{
		Key: id.New("key_"), Email: email, Name: name, Password: password, Session: hex.EncodeToString(session[:]),
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

// apply asks for a seller in the name of a new person.
func (f *filler) apply(ctx context.Context, s shop) (owner actor.Actor, seller catalog.SellerID, err error) {
	slug := strings.ToLower(strings.NewReplacer(" & ", "-", " ", "-").Replace(s.name))
	owner, err = f.person(ctx, "seller "+s.name, slug+"@demo.example", "Owner of "+s.name)
	if err != nil {
		return owner, "", err
	}
	legal := catalog.LegalParty{
		Name: s.name, Line1: s.street, PostalCode: s.zip, City: s.city, Country: s.country,
		TaxID: s.country + strconv.FormatUint(uint64(seed(s.name))%900000000+100000000, 10), Email: slug + "@demo.example",
	}
	applied, err := f.services.Catalog.ApplySeller(ctx, catalog.ApplySellerRequest{
		By: owner, Key: "demo:apply:" + slug, Name: s.name, About: s.about, Currency: currency, Legal: legal,
	})
	if err != nil {
		return owner, "", err
	}
	seller = applied.Seller.ID
	owner.Seller = id.RefOf(seller)
	return owner, seller, nil
}

// put has the operator say where a seller stands.
func (f *filler) put(ctx context.Context, seller catalog.SellerID, status catalog.SellerStatus, why string) error {
	_, err := f.services.Catalog.ChangeSellerStatus(ctx, catalog.ChangeSellerStatusRequest{
		By: f.operator, Key: "demo:" + string(status) + ":" + string(seller), Seller: seller, Status: status, Why: why,
	})
	return err
}

// listing makes a listing.
type listing func() error

// open makes one shop, approved, with its categories, and says what to list in each.
func (f *filler) open(ctx context.Context, s shop) ([][]listing, error) {
	owner, seller, err := f.apply(ctx, s)
	if err != nil {
		return nil, err
	}
	if err := f.put(ctx, seller, catalog.SellerApproved, "part of the demo"); err != nil {
		return nil, err
	}
	if err := f.sellersTerms(ctx, s, owner, seller); err != nil {
		return nil, err
	}
	var shelves [][]listing
	for _, l := range s.lines {
		hue, err := strconv.ParseInt(s.hue, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("hue of %s: %w", s.name, err)
		}
		names := append([]string{s.root}, l.path...)
		category, err := f.services.Catalog.PutCategory(ctx, catalog.PutCategoryRequest{
			By: f.operator, Key: "demo:category:" + strings.Join(names, "/"), Names: names, Hue: int32(hue),
		})
		if err != nil {
			return nil, err
		}
		var shelf []listing
		for e := len(l.editions()) - 1; e >= 0; e-- { // the plain ones last, so that they are the newest
			for at := range l.series {
				shelf = append(shelf, func() error { return f.list(ctx, s, l, at, e, owner, seller, category.Category.ID) })
			}
		}
		shelves = append(shelves, shelf)
	}
	return shelves, nil
}

// edition sets the two listings of one series apart, so that there is something to compare.
type edition struct {
	name    string
	percent int64 // of the plain one's price and weight
	words   string
}

var (
	plain = edition{"", 100, "The one that most people take home."}
	grand = edition{"grand", 145, "Larger in every direction, for rooms that can bear it."}
)

// editions are the plain one and another, which is grand unless its line says otherwise.
func (l line) editions() []edition {
	if l.other.name == "" {
		return []edition{plain, grand}
	}
	return []edition{plain, l.other}
}

// title of an edition: "Skerry desk lamp, grand".
func (l line) title(series string, e edition) string {
	title := series + " " + strings.ToLower(l.noun)
	if l.titled != "" {
		title = series + l.titled
	}
	if e.name != "" {
		title += ", " + e.name
	}
	return title
}

func countListings(s shop) int {
	n := 0
	for _, l := range s.lines {
		n += len(l.series) * len(l.editions())
	}
	return n
}

// list makes the listing of one edition of a series. e is its place among the line's editions.
func (f *filler) list(ctx context.Context, s shop, l line, at, e int, owner actor.Actor, seller catalog.SellerID, category catalog.CategoryID) error {
	series, edition := l.series[at], l.editions()[e]
	title := l.title(series, edition)
	colour := s.colours[(at+e)%len(s.colours)]
	key := fmt.Sprintf("%s/%s/%d", s.name, title, e)
	draft := catalog.Draft{
		ExternalID: fmt.Sprintf("demo-%x", seed(key)), Title: title, Brand: s.name, Category: category, TaxClass: l.tax,
		Description: fmt.Sprintf("%s. Made of %s. %s %s", title, l.made, edition.words, l.care),
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
		return fmt.Errorf("list %s: %w", title, err)
	}
	f.done++
	f.progress(f.done, f.of)
	return nil
}

// rounded is a price that is whole, or for every other of whatever odd is ends in 90 cents.
func rounded(cents int64, odd string) int64 { return cents/100*100 + 90*int64(seed(odd)%2) }

// variants of a listing: by colour, by size, or one.
func variants(s shop, l line, at int, percent int64, key, colour string) []catalog.VariantDraft {
	price := l.cents * percent / 100 * int64(100+at*6) / 100
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
			Price: money.Money{Minor: rounded(cents, key), Currency: currency}, Grams: grams * percent / 100, Quantity: &stock,
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
