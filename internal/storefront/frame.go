package storefront

import (
	"strings"
	"time"

	"souk/internal/accounts"
	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/platform/httpx"
	"souk/internal/platform/id"
	"souk/internal/storefront/views"
)

// frame is what is around a page: who looks, what is in the cart, the departments. None of it
// is worth losing the page for, so whatever cannot be had is left out. here is the page's own
// address, which an answer to a form does not have.
func (v *visit) frame(title string, area views.Area, here string) views.Page {
	p := views.Page{
		Title: title, Area: area, Here: here, Hidden: area != views.AreaShop, Demo: v.Demo,
		Viewer: v.viewer(), Flash: v.flash(),
	}
	if area == views.AreaShop || area == views.AreaAccount {
		p.Departments = v.look().departments(here)
	}
	if area != views.AreaCheckout {
		p.CartCount = v.cartCount()
	}
	if area == views.AreaSeller {
		p.Work = v.sellerWork()
	}
	return p
}

// resolve finds out more about who is signed in than httpx tells: name and session. A session
// whose secret is old gets a new one.
func (v *visit) resolve() {
	if v.resolved || !v.by.SignedIn() {
		return
	}
	v.resolved = true
	proof, secret := httpx.Credential(v.r)
	if proof != httpx.BySession {
		return
	}
	reply, err := v.Accounts.Resolve(v.ctx(), accounts.ResolveRequest{
		Session: HashSecret(secret), Seller: catalog.SellerID(v.by.Seller),
	})
	if err != nil {
		v.warn(err, "page shown without who is signed in")
		return
	}
	v.person = &reply.Person
	if s := reply.Session; s != nil && !v.Now().Before(s.RotateAt) && v.r.Method == get && !v.htmx() {
		v.rotate(secret)
	}
}

// rotate replaces the session's secret. Of requests that overlap one wins; the old secret
// serves the others for a minute.
func (v *visit) rotate(old string) {
	secret := v.NewSecret()
	reply, err := v.Accounts.RotateSession(v.ctx(), accounts.RotateSessionRequest{
		Key: "rotate:" + HashSecret(secret), Old: HashSecret(old), New: HashSecret(secret),
	})
	if err != nil {
		v.warn(err, "session not rotated")
		return
	}
	v.setSession(secret, reply.Session)
}

func (v *visit) setSession(secret string, s accounts.Session) {
	v.setCookie(httpx.SessionCookie, secret, max(s.ExpiresAt.Sub(v.Now()), time.Second))
}

// viewer is who looks at the page.
func (v *visit) viewer() views.Viewer {
	if !v.by.SignedIn() {
		return views.Viewer{}
	}
	v.resolve()
	out := views.Viewer{SignedIn: true, Operator: v.by.IsOperator()}
	if v.person != nil {
		out.Name, _, _ = strings.Cut(v.person.Name, " ")
	}
	if v.by.Seller != "" {
		out.Seller, out.SellerID, out.Shops = "your shop", string(v.by.Seller), v.shopChoices()
		if seller, err := v.ownSeller(); err == nil {
			out.Seller = seller.Name
		}
	}
	return out
}

// ownSeller is the seller whose staff the caller acts as.
func (v *visit) ownSeller() (catalog.Seller, error) {
	all, err := v.shops()
	if err != nil {
		return catalog.Seller{}, err
	}
	for _, s := range all {
		if id.RefOf(s.ID) == v.by.Seller {
			return s, nil
		}
	}
	return catalog.Seller{}, catalog.ErrNotFound.With("there is no such seller")
}

// loadCart reads the caller's cart, once for each page.
func (v *visit) loadCart() (cart.Cart, error) {
	if v.basket != nil {
		return *v.basket, nil
	}
	if v.by.Owner() == "" {
		return cart.Cart{Status: cart.StatusOpen}, nil
	}
	reply, err := v.Cart.GetCart(v.ctx(), cart.GetCartRequest{By: v.by})
	if err != nil {
		return cart.Cart{}, err
	}
	v.basket = &reply.Cart
	return reply.Cart, nil
}

func (v *visit) cartCount() int {
	c, err := v.loadCart()
	if err != nil {
		v.warn(err, "page shown without the cart's count")
	}
	return int(c.Count)
}

// sellerWork is the counts beside the links of a seller's navigation.
func (v *visit) sellerWork() views.WorkList {
	if v.by.Seller == "" {
		return nil
	}
	counts, err := v.Orders.CountSellerOrders(v.ctx(), orders.CountSellerOrdersRequest{By: v.by, Seller: catalog.SellerID(v.by.Seller)})
	if err != nil {
		v.warn(err, "page shown without the count of orders")
		return nil
	}
	return views.WorkList{views.PathSellerOrders: int(counts.Shippable)}
}

func categoryURL(path string) string { return "/c/" + path }

func shopURL(slug string) string { return "/s/" + slug }

func listingURL(l catalog.ListingID) string { return "/l/" + string(l) }

func variantURL(l catalog.ListingID, variant catalog.VariantID) string {
	return listingURL(l) + "?variant=" + string(variant)
}
