package storefront

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"souk/internal/accounts"
	"souk/internal/cart"
	"souk/internal/orders"
	"souk/internal/payments"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/httpx"
	"souk/internal/platform/money"
	"souk/internal/storefront/views"
)

// checkoutFields are the fields of the checkout in the order of its form.
var checkoutFields = slices.Concat(
	[]fieldName{{"contact.email", "email", "The e-mail address"}, {"email", "email", "The e-mail address"}, {"contact.name", "name", "The name"}},
	postalNames("delivery", ""), postalNames("invoice", "invoice_"),
	[]fieldName{{"method", "method", "The way to pay"}},
)

// till is everything that a checkout page is made of.
type till struct {
	cart     cart.Cart
	quote    cart.Quote
	saved    []accounts.Address
	chosen   *accounts.Address // of those; nil for the one typed
	methods  payments.MethodsReply
	problem  string // why it cannot be paid for just now
	delivery accounts.Postal
}

// checkoutPage asks for what an order needs, with the quote in sight.
func (v *visit) checkoutPage() error {
	c, err := v.loadCart()
	if err != nil {
		return err
	}
	if len(c.Lines) == 0 || c.Status != cart.StatusOpen {
		return v.see(views.PathCart)
	}
	values := map[string]string{}
	v.resolve()
	if v.person != nil {
		values["email"], values["name"] = v.person.Email, v.person.Name
	}
	t, err := v.till(c, nil)
	if err != nil {
		return err
	}
	return v.showCheckout(http.StatusOK, t, views.Form{Values: values, Problem: t.problem}, nil)
}

// quoteAgain computes the quote for the address in the form.
func (v *visit) quoteAgain() error {
	c, err := v.loadCart()
	if err != nil {
		return err
	}
	if len(c.Lines) == 0 || c.Status != cart.StatusOpen {
		return v.see(views.PathCart)
	}
	t, err := v.till(c, v.r.PostForm)
	if err != nil {
		return err
	}
	form := v.typedCheckout()
	form.Problem = t.problem
	return v.showCheckout(http.StatusOK, t, form, nil)
}

// typedCheckout is the form as it was sent.
func (v *visit) typedCheckout() views.Form {
	values := v.fields("email", "method", "invoice_other")
	for _, f := range postalFields {
		values[f.form], values["invoice_"+f.form] = v.field(f.form), v.field("invoice_"+f.form)
	}
	return views.Form{Values: values, Key: v.field("key")}
}

// till reads what the page needs for the address that was chosen: from the form, else the
// first of the address book.
func (v *visit) till(c cart.Cart, typed map[string][]string) (till, error) {
	t := till{cart: c}
	if v.by.SignedIn() {
		book, err := v.Accounts.ListAddresses(v.ctx(), accounts.ListAddressesRequest{By: v.by})
		if err != nil {
			v.warn(err, "checkout shown without the address book")
		}
		t.saved = book.Addresses
	}
	_, asked := typed["address"]
	for i, a := range t.saved {
		if asked && string(a.ID) == v.field("address") || !asked && i == 0 {
			t.chosen = &t.saved[i]
		}
	}
	t.delivery = v.postal("")
	if t.chosen != nil {
		t.delivery = t.chosen.Postal
	}
	reply, err := v.Cart.Quote(v.ctx(), cart.QuoteRequest{By: v.by, Destination: destinationOf(t.delivery)})
	if err != nil {
		return t, err
	}
	t.quote = reply.Quote
	t.methods, err = v.Payments.Methods(v.ctx(), payments.MethodsRequest{Currency: c.Currency})
	switch {
	case err != nil:
		v.warn(err, "checkout shown without ways to pay")
		t.problem = "Payments are not answering just now. Your cart is kept; try again in a moment."
	case len(t.methods.Methods) == 0 && t.quote.Sums.Total.Minor > 0:
		t.problem = "There is no way to pay in " + string(c.Currency) + " at present. Your cart is kept."
	}
	return t, nil
}

// destinationOf is what shipping and tax depend on of an address; what cannot be a country
// yet counts as not known.
func destinationOf(a accounts.Postal) cart.Destination {
	if _, known := countryNames[a.Country]; !known || len(a.Region) > 10 || len(a.PostalCode) > 20 {
		return cart.Destination{}
	}
	return cart.Destination{Country: a.Country, Region: a.Region, PostalCode: a.PostalCode}
}

// ready says whether the total is final and can be paid.
func (t till) ready() bool {
	return t.problem == "" && len(t.quote.Problems) == 0 && t.quote.Destination.Country != ""
}

func (v *visit) showCheckout(status int, t till, form views.Form, with func(*views.Checkout)) error {
	out := views.Checkout{
		Page: v.frame("Checkout", views.AreaCheckout, views.PathCheckout), Form: form, Cart: cartField(t.cart),
		Quote: quoteView(t.quote), Units: int(t.cart.Count), Countries: countryChoices(form.Value("country")),
		Sandbox: t.methods.Sandbox, Ready: t.ready(), Due: t.quote.Sums.Total.Minor > 0,
	}
	if !out.Ready {
		out.Quote.ID = "" // nothing that could be agreed to
	}
	if t.quote.Destination.Country == "" {
		out.Quote.Estimate = "Shipping and tax follow from your address."
	} else {
		out.Shipping = shippingGroups(t.quote)
	}
	var wrong []string
	for _, p := range t.quote.Problems {
		if p.Code != "no_destination" {
			wrong = append(wrong, p.Message)
		}
	}
	if len(wrong) > 0 && out.Form.Problem == "" {
		out.Form.Problem = strings.Join(wrong, " ")
	}
	for _, a := range t.saved {
		out.Saved = append(out.Saved, views.SavedAddress{ID: string(a.ID), Lines: postalLines(a.Postal), Chosen: t.chosen != nil && t.chosen.ID == a.ID})
	}
	chosen := t.method(form.Value("method"))
	for _, m := range t.methods.Methods {
		out.Methods = append(out.Methods, views.Choice{Value: m.ID, Text: m.Label, Help: m.Help, Chosen: m.ID == chosen})
	}
	if with != nil {
		with(&out)
	}
	return v.show(status, out)
}

// method is the way to pay: the one wanted, if there is such a one, else the usual.
func (t till) method(wanted string) string {
	for _, m := range t.methods.Methods {
		if m.ID == wanted {
			return wanted
		}
	}
	if len(t.methods.Methods) == 0 {
		return ""
	}
	return t.methods.Methods[0].ID
}

func shippingGroups(q cart.Quote) []views.ShippingGroup {
	out := make([]views.ShippingGroup, 0, len(q.Sellers))
	for _, s := range q.Sellers {
		var pieces int64
		for _, l := range s.Lines {
			pieces += l.Quantity
		}
		group := views.ShippingGroup{Seller: s.Name, Goods: Count(int(pieces), "item", "items"), Text: strings.TrimPrefix(shippingNote(s.Shipping)+", "+FormatMoney(s.Sums.Shipping), ", ")}
		for _, p := range q.Problems {
			if p.Code == "no_shipping" && p.Seller == s.Seller {
				group.Text = p.Message
			}
		}
		out = append(out, group)
	}
	return out
}

// cartField is which cart, in which state, the form is for: "7 crt_…".
func cartField(c cart.Cart) string { return strconv.FormatInt(c.Version, 10) + " " + string(c.ID) }

func parseCartField(text string) (cid cart.CartID, version int64, ok bool) {
	number, name, _ := strings.Cut(text, " ")
	version, err := strconv.ParseInt(number, 10, 64)
	return cart.CartID(name), version, err == nil && cart.CartIDs.Valid(cart.CartID(name))
}

// placeOrder turns the cart into an order. Whatever stands in its way is said on the same
// page, with everything that was typed.
//
// The quote that the buyer saw goes along, once there was one that could be agreed to. If it is not what the cart costs now, nothing is
// begun and the new one is shown. Orders would find that out too, but its buyer would wait for it.
func (v *visit) placeOrder() error {
	c, err := v.loadCart()
	if err != nil {
		return err
	}
	t, err := v.till(c, v.r.PostForm)
	if err != nil {
		return err
	}
	form := v.typedCheckout()
	cid, version, ok := parseCartField(v.field("cart"))
	if seen := v.field("quote"); !ok || seen == "" || open(c) && (seen != t.quote.Hash || version != c.Version || !t.ready()) {
		if !open(c) {
			return v.see(views.PathCart)
		}
		return v.lookAgain(t, form, seen != "" && seen != t.quote.Hash)
	}
	r := v.whoAndWhere(t)
	r.By, r.Key, r.WaitMillis = v.by, v.key(), v.WaitMillis
	r.Cart, r.CartVersion, r.QuoteHash, r.Method = cid, version, v.field("quote"), cmp.Or(v.field("method"), t.method(""), "none")
	reply, err := v.Orders.Checkout(v.ctx(), r)
	if err != nil {
		return v.checkoutFails(t, err)
	}
	return v.afterCheckout(t, reply)
}

// whoAndWhere is what the form says of who buys and where it goes.
func (v *visit) whoAndWhere(t till) orders.CheckoutRequest {
	r := orders.CheckoutRequest{Contact: orders.Contact{Email: v.field("email"), Name: t.delivery.Name}, Delivery: t.delivery}
	if v.field("invoice_other") != "" {
		invoice := v.postal("invoice_")
		r.Invoice = &invoice
	}
	return r
}

// open says whether c can be checked out at all.
func open(c cart.Cart) bool { return c.Status == cart.StatusOpen && len(c.Lines) > 0 }

// lookAgain shows the checkout with the quote as it is now, and all that is wrong with the fields already: who
// has not agreed to a quote yet has sent nothing to orders, which would say so.
func (v *visit) lookAgain(t till, form views.Form, changed bool) error {
	status := http.StatusOK
	if changed || !t.ready() {
		status = http.StatusConflict
	}
	if v.field("quote") != "" {
		form.Key = "" // it was for another quote
	}
	form.Problem = t.problem
	var wrong errs.Problems
	if _, known := countryNames[t.delivery.Country]; !known {
		wrong.Add("delivery.country", "is needed to say what shipping costs")
	}
	v.whoAndWhere(t).CheckWhoAndWhere(&wrong)
	if err := wrong.Err(orders.ErrInvalid); err != nil {
		key := form.Key
		form = v.refusedForm(err, form.Values, checkoutFields)
		if form.Key = key; !changed {
			status = http.StatusBadRequest
		}
	}
	return v.showCheckout(status, t, form, func(out *views.Checkout) {
		if changed {
			out.Quote.Changed = changedText(v.field("seen"), t.quote.Sums.Total)
		}
	})
}

// changedText says what became of the total; seen is what stood on the page, "235.20 EUR".
func changedText(seen string, now money.Money) string {
	amount, currency, _ := strings.Cut(seen, " ")
	was, err := money.Parse(amount, money.Currency(currency))
	if err != nil || was == now {
		return "The quote changed while you were looking. The total is " + FormatMoney(now) + "."
	}
	return "The total changed from " + FormatMoney(was) + " to " + FormatMoney(now) + "."
}

// checkoutFails shows the checkout with what orders refused at once.
func (v *visit) checkoutFails(t till, err error) error {
	if !formFails(err) {
		return err
	}
	if !open(t.cart) {
		return v.done(views.PathCart, views.Flash{Text: problemText(errs.As(err)), Tone: views.Bad})
	}
	form := v.refusedForm(err, v.typedCheckout().Values, checkoutFields)
	if errors.Is(err, orders.ErrCheckoutOpen) {
		form.Problem = "A checkout of this cart is under way already, perhaps in another window. Finish that one, or wait until it gives the cart back."
	}
	return v.showCheckout(httpx.Status(err), t, form, nil)
}

// afterCheckout sends the buyer on: to the confirmation, to the provider, to the page that
// waits, or back to the checkout with what went wrong.
func (v *visit) afterCheckout(t till, reply orders.CheckoutReply) error {
	if reply.Link != "" {
		v.setCookie(linkCookie(reply.Order), reply.Link, linkTime)
	}
	if reply.Status == orders.StatusRejected && canRepeat(reply.Reason) {
		return v.backToCheckout(reply)
	}
	if reply.Status == orders.StatusPending && reply.ActionURL != "" {
		return v.see(reply.ActionURL)
	}
	return v.see(checkoutURL(reply.Order))
}

// canRepeat says whether the same page, corrected, may do.
func canRepeat(why orders.Reason) bool {
	switch why {
	case orders.ReasonQuoteChanged, orders.ReasonCoupon, orders.ReasonDeclined, orders.ReasonCartTaken:
		return true
	default:
		return false
	}
}

// backToCheckout shows the checkout again after its order came to nothing. The cart is open
// again by then, unless another checkout has it.
func (v *visit) backToCheckout(reply orders.CheckoutReply) error {
	v.basket = nil
	c, err := v.loadCart()
	if err != nil {
		return err
	}
	if !open(c) {
		return v.see(checkoutURL(reply.Order))
	}
	t, err := v.till(c, v.r.PostForm)
	if err != nil {
		return err
	}
	form := v.typedCheckout()
	form.Key = ""
	_, text := rejection(reply.Reason, reply.Message)
	if reply.Reason != orders.ReasonQuoteChanged {
		form.Problem = text
	}
	return v.showCheckout(http.StatusConflict, t, form, func(out *views.Checkout) {
		if reply.Reason == orders.ReasonQuoteChanged {
			out.Quote.Changed = changedText(v.field("seen"), t.quote.Sums.Total)
		}
	})
}

// isSlow is after how long a page that waits says that it takes longer than usual.
const isSlow = 20_000 // milliseconds

func slow(since, now clock.Time) bool { return !since.IsZero() && int64(now-since) > isSlow }
