package views

// The addresses that stand in templates as they are; the storefront has a route for each. A
// test holds the templates to this list. Every other address comes from a view.
const (
	PathHome     = "/"
	PathSearch   = "/search"         // GET q, and whatever the facets say
	PathSuggest  = "/search/suggest" // GET q: the part "suggestions"
	PathCart     = "/cart"           // GET
	PathCartAdd  = "/cart/lines"     // POST variant, quantity, key
	PathAccept   = "/cart/accept"    // POST: takes note of changed prices
	PathCoupon   = "/cart/coupon"    // POST code
	PathCheckout = "/checkout"       // GET; POST places the order (fields: see Checkout)
	PathQuote    = "/checkout/quote" // POST the same fields: quotes again and shows the checkout page

	PathSignIn    = "/sign-in"  // GET back; POST email, password, back
	PathSignUp    = "/sign-up"  // GET back; POST name, email, password, back
	PathSignOut   = "/sign-out" // POST
	PathOrders    = "/orders"   // GET number, state, cursor
	PathAccount   = "/account"
	PathPassword  = "/account/password" // POST current, password
	PathSessions  = "/account/sessions" // POST: ends every session but this one
	PathTokens    = "/account/tokens"   // POST name, scope (several), key
	PathAddresses = "/account/addresses"
	PathAddress   = "/account/addresses/new" // GET; POST label, name, line1, line2, postal_code, city, region, country, phone

	PathSell           = "/sell" // GET: what needs the seller, or how to become one
	PathApply          = "/sell/apply"
	PathActAs          = "/sell/as"       // POST seller: which of several one acts for
	PathSellerListings = "/sell/listings" // POST action, id (several): bulk
	PathNewListing     = "/sell/listings/new"
	PathSellerOrders   = "/sell/orders"
	PathSellerCoupons  = "/sell/coupons" // see SellerCoupons
	PathSellerShipping = "/sell/shipping"

	PathOperator    = "/operator"
	PathOpSellers   = "/operator/sellers"
	PathOpOrders    = "/operator/orders"
	PathOpSearch    = "/operator/search"       // GET from, until, q, only, sort, cursor
	PathOpWhy       = "/operator/search/why"   // GET listing, and what results are asked for
	PathOpRules     = "/operator/search/rules" // GET show, q, and kind, query, listing that a new rule begins with
	PathOpRefunds   = "/operator/refunds"
	PathOpCoupons   = "/operator/coupons"
	PathOpShipping  = "/operator/shipping"
	PathOpTaxes     = "/operator/taxes"
	PathOpEvents    = "/operator/events"
	PathOpJobs      = "/operator/jobs"
	PathOpModules   = "/operator/modules"
	PathOpAudit     = "/operator/audit"
	PathAPIDocs     = "/api/docs"
	PathAssetPrefix = "/assets/"
)
