package storefront

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"souk/internal/platform/actor"
	"souk/internal/platform/httpx"
	"souk/internal/storefront/views"
)

// route is one address: which method, for whom, and what answers.
type route struct {
	method, path string
	who          httpx.Who
	serve        func(*visit) error
}

// routes is every address of the storefront. Whether a thing is the caller's own is for the
// module that keeps it; here stands only what sort of caller is asked for.
func (s *Storefront) routes() []route {
	var all []route
	all = append(all, shopRoutes()...)
	all = append(all, accountRoutes()...)
	all = append(all, sellerRoutes()...)
	return append(all, operatorRoutes()...)
}

const (
	get  = http.MethodGet
	post = http.MethodPost
)

func shopRoutes() []route {
	return []route{
		{get, views.PathHome, httpx.Anyone, (*visit).home},
		{get, views.PathSearch, httpx.Anyone, (*visit).search},
		{get, views.PathSuggest, httpx.Anyone, (*visit).suggest},
		{get, "/c/*", httpx.Anyone, (*visit).category},
		{get, "/s/{shop}", httpx.Anyone, (*visit).shop},
		{get, "/l/{listing}", httpx.Anyone, (*visit).listing},

		{get, views.PathCart, httpx.Anyone, (*visit).cartPage},
		{post, views.PathCartAdd, httpx.Anyone, (*visit).addToCart},
		{post, "/cart/lines/{variant}", httpx.Shoppers, (*visit).setLine},
		{post, "/cart/lines/{variant}/remove", httpx.Shoppers, (*visit).removeLine},
		{post, views.PathAccept, httpx.Shoppers, (*visit).acceptChanges},
		{post, views.PathCoupon, httpx.Shoppers, (*visit).applyCoupon},
		{post, "/cart/coupon/{code}/remove", httpx.Shoppers, (*visit).removeCoupon},

		{get, views.PathCheckout, httpx.Anyone, (*visit).checkoutPage},
		{post, views.PathCheckout, httpx.Shoppers, (*visit).placeOrder},
		{post, views.PathQuote, httpx.Shoppers, (*visit).quoteAgain},
		{get, "/checkout/{order}", httpx.Anyone, (*visit).checkoutState},
	}
}

func accountRoutes() []route {
	return []route{
		{get, views.PathSignIn, httpx.Anyone, (*visit).signInPage},
		{post, views.PathSignIn, httpx.Anyone, (*visit).signIn},
		{get, views.PathSignUp, httpx.Anyone, (*visit).signUpPage},
		{post, views.PathSignUp, httpx.Anyone, (*visit).signUp},
		{post, views.PathSignOut, httpx.Anyone, (*visit).signOut},

		{get, views.PathOrders, httpx.People, (*visit).orders},
		{get, "/orders/{order}", httpx.Anyone, (*visit).order},
		{get, "/orders/{order}/summary", httpx.Anyone, (*visit).summary},
		{post, "/orders/{order}/cancel", httpx.Anyone, (*visit).cancelOrder},
		{post, "/orders/{order}/parts/{part}/cancel", httpx.Anyone, (*visit).cancelPart},

		{get, views.PathAccount, httpx.People, (*visit).account},
		{post, views.PathAccount, httpx.People, (*visit).editPerson},
		{post, views.PathPassword, httpx.People, (*visit).changePassword},
		{post, views.PathSessions, httpx.People, (*visit).endOtherSessions},
		{post, "/account/sessions/{session}/end", httpx.People, (*visit).endSession},
		{post, views.PathTokens, httpx.People, (*visit).makeToken},
		{post, "/account/tokens/{token}/revoke", httpx.People, (*visit).revokeToken},

		{get, views.PathAddresses, httpx.People, (*visit).addresses},
		{get, views.PathAddress, httpx.People, (*visit).newAddress},
		{post, views.PathAddress, httpx.People, (*visit).addAddress},
		{get, "/account/addresses/{address}", httpx.People, (*visit).editAddress},
		{post, "/account/addresses/{address}", httpx.People, (*visit).putAddress},
		{post, "/account/addresses/{address}/default", httpx.People, (*visit).defaultAddress},
		{post, "/account/addresses/{address}/remove", httpx.People, (*visit).removeAddress},
	}
}

func sellerRoutes() []route {
	return []route{
		{get, views.PathSell, httpx.People, (*visit).sellerHome},
		{get, views.PathApply, httpx.People, (*visit).applyPage},
		{post, views.PathApply, httpx.People, (*visit).apply},
		{post, views.PathActAs, httpx.Sellers, (*visit).actAs},

		{get, views.PathSellerListings, httpx.Sellers, (*visit).sellerListings},
		{post, views.PathSellerListings, httpx.Sellers, (*visit).bulkListings},
		{get, pathListingsCSV, httpx.Sellers, (*visit).listingsCSV},
		{get, views.PathNewListing, httpx.Sellers, (*visit).newListing},
		{post, views.PathNewListing, httpx.Sellers, (*visit).createListing},
		{get, "/sell/listings/{listing}", httpx.Sellers, (*visit).editListing},
		{post, "/sell/listings/{listing}", httpx.Sellers, (*visit).saveListing},
		{post, "/sell/listings/{listing}/archive", httpx.Sellers, (*visit).archiveListing},
		{post, "/sell/listings/{listing}/activate", httpx.Sellers, (*visit).activateListing},

		{get, views.PathSellerOrders, httpx.Sellers, (*visit).sellerOrders},
		{get, pathSellerOrdersCSV, httpx.Sellers, (*visit).sellerOrdersCSV},
		{get, "/sell/orders/{part}", httpx.Sellers, (*visit).sellerOrder},
		{post, "/sell/orders/{part}/ship", httpx.Sellers, (*visit).ship},
		{post, "/sell/orders/{part}/parcels/{parcel}/deliver", httpx.Sellers, (*visit).deliver},
		{post, "/sell/orders/{part}/cancel", httpx.Sellers, (*visit).cancelAsSeller},

		{get, views.PathSellerCoupons, httpx.Sellers, atSellers((*visit).coupons)},
		{post, views.PathSellerCoupons, httpx.Sellers, atSellers((*visit).makeCoupon)},
		{get, views.PathSellerCoupons + ".csv", httpx.Sellers, atSellers((*visit).couponsCSV)},
		{get, "/sell/coupons/{coupon}", httpx.Sellers, atSellers((*visit).editCoupon)},
		{post, "/sell/coupons/{coupon}", httpx.Sellers, atSellers((*visit).saveCoupon)},
		{post, "/sell/coupons/{coupon}/end", httpx.Sellers, atSellers((*visit).endCoupon)},
		{post, "/sell/coupons/{coupon}/resume", httpx.Sellers, atSellers((*visit).resumeCoupon)},

		{get, views.PathSellerShipping, httpx.Sellers, (*visit).sellerShipping},
		{post, views.PathSellerShipping, httpx.Sellers, (*visit).saveSellerShipping},
		{post, "/sell/shipping/withdraw", httpx.Sellers, (*visit).withdrawShipping},
	}
}

func operatorRoutes() []route {
	return []route{
		{get, views.PathOperator, httpx.Operators, (*visit).operatorHome},
		{get, views.PathOpSellers, httpx.Operators, (*visit).operatorSellers},
		{post, "/operator/sellers/{seller}/approve", httpx.Operators, (*visit).approveSeller},
		{post, "/operator/sellers/{seller}/decline", httpx.Operators, (*visit).declineSeller},
		{post, "/operator/sellers/{seller}/suspend", httpx.Operators, (*visit).suspendSeller},
		{get, pathOpSellersCSV, httpx.Operators, (*visit).operatorSellersCSV},
		{get, views.PathOpOrders, httpx.Operators, (*visit).operatorOrders},
		{get, pathOpOrdersCSV, httpx.Operators, (*visit).operatorOrdersCSV},
		{get, "/operator/orders/{order}", httpx.Operators, (*visit).operatorOrder},
		{post, "/operator/orders/{order}/cancel", httpx.Operators, (*visit).cancelOrder},
		{post, "/operator/orders/{order}/parts/{part}/cancel", httpx.Operators, (*visit).cancelPart},
		{post, "/operator/orders/{order}/retry-capture", httpx.Operators, (*visit).retryCapture},
		{get, views.PathOpSearch, httpx.Operators, (*visit).operatorSearch},
		{get, views.PathOpWhy, httpx.Operators, (*visit).whyHere},
		{get, pathOpRules, httpx.Operators, (*visit).operatorRules},
		{post, pathNewRule, httpx.Operators, (*visit).makeRule},
		{get, "/operator/search/rules/{rule}", httpx.Operators, (*visit).editRule},
		{post, "/operator/search/rules/{rule}", httpx.Operators, (*visit).saveRule},
		{post, "/operator/search/rules/{rule}/remove", httpx.Operators, (*visit).removeRule},
		{get, pathOpSearchCSV, httpx.Operators, (*visit).operatorSearchCSV},
		{get, views.PathOpCoupons, httpx.Operators, atOperators((*visit).coupons)},
		{post, views.PathOpCoupons, httpx.Operators, atOperators((*visit).makeCoupon)},
		{get, views.PathOpCoupons + ".csv", httpx.Operators, atOperators((*visit).couponsCSV)},
		{get, "/operator/coupons/{coupon}", httpx.Operators, atOperators((*visit).editCoupon)},
		{post, "/operator/coupons/{coupon}", httpx.Operators, atOperators((*visit).saveCoupon)},
		{post, "/operator/coupons/{coupon}/end", httpx.Operators, atOperators((*visit).endCoupon)},
		{post, "/operator/coupons/{coupon}/resume", httpx.Operators, atOperators((*visit).resumeCoupon)},
		{get, views.PathOpShipping, httpx.Operators, (*visit).operatorShipping},
		{post, views.PathOpShipping, httpx.Operators, (*visit).saveOperatorShipping},
		{get, views.PathOpTaxes, httpx.Operators, (*visit).taxTables},
		{get, "/operator/taxes/{country}", httpx.Operators, (*visit).editTaxes},
		{post, "/operator/taxes/{country}", httpx.Operators, (*visit).saveTaxes},
		{get, views.PathOpRefunds, httpx.Operators, (*visit).operatorRefunds},
		{post, "/operator/refunds/{refund}/retry", httpx.Operators, (*visit).retryRefund},
		{post, "/operator/refunds/{refund}/close", httpx.Operators, (*visit).closeRefund},
		{post, "/operator/refunds/late/{payment}/retry", httpx.Operators, (*visit).retryLate},
		{get, views.PathOpEvents, httpx.Operators, (*visit).operatorEvents},
		{post, "/operator/events/retry", httpx.Operators, (*visit).retryParked},
		{post, "/operator/events/skip", httpx.Operators, (*visit).skipParked},
		{get, views.PathOpJobs, httpx.Operators, (*visit).operatorJobs},
		{post, "/operator/jobs/retry", httpx.Operators, (*visit).retryJob},
		{post, "/operator/jobs/drop", httpx.Operators, (*visit).dropJob},
		{get, views.PathOpModules, httpx.Operators, (*visit).operatorModules},
		{get, views.PathOpAudit, httpx.Operators, (*visit).operatorAudit},
		{get, pathOpAuditCSV, httpx.Operators, (*visit).operatorAuditCSV},
	}
}

func (s *Storefront) mountPages(r chi.Router) {
	for _, rt := range s.routes() {
		r.Method(rt.method, rt.path, s.handler(rt))
	}
}

// handler is everything between httpx and the function that answers.
func (s *Storefront) handler(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", ContentPolicy)
		v := &visit{Storefront: s, w: w, r: r, by: httpx.ActorFrom(r)}
		err := v.admit(rt.who)
		if err == nil {
			err = v.read()
		}
		if err == nil && rt.who == httpx.Sellers && rt.method == post {
			err = v.sameShop()
		}
		if err == nil {
			err = rt.serve(v)
		}
		if err != nil {
			v.fail(err)
		}
	})
}

// read reads the form, if there is one.
func (v *visit) read() error {
	if err := v.r.ParseForm(); err != nil {
		return httpx.ErrMalformed.With("the form cannot be read").Because(err)
	}
	return nil
}

// errForPeople tells a program where to go.
var errForPeople = httpx.ErrForbidden.With("pages are for browsers; programs use the API, described at /api/docs")

// admit says whether the caller is of the sort that the page is for.
func (v *visit) admit(who httpx.Who) error {
	if proof, _ := httpx.Credential(v.r); proof == httpx.ByToken {
		return errForPeople // a token may do less than its person, and pages do not ask what
	}
	switch {
	case who == httpx.Anyone:
		return nil
	case who == httpx.Shoppers:
		if v.by.Owner() == "" {
			return errNoCart
		}
		return nil
	case !v.by.SignedIn():
		return httpx.ErrUnauthenticated
	case who == httpx.Sellers && (v.by.Seller == "" || !v.by.Has(actor.ScopeSell)):
		return httpx.ErrForbidden.With("only staff of a seller may do this")
	case who == httpx.Operators && !v.by.IsOperator():
		return httpx.ErrForbidden.With("only an operator may do this")
	default:
		return nil
	}
}
