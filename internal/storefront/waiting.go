package storefront

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"
	"time"

	"souk/internal/cart"
	"souk/internal/orders"
	"souk/internal/platform/httpx"
	"souk/internal/storefront/views"
)

// A guest reads its order by an unguessable link. On the way through the checkout the browser
// keeps it in a cookie of the order's own; the confirmation shows it, to be kept as an
// address.
const linkTime = 2 * time.Hour

const linkPrefix = "souk_order_"

func linkCookie(oid orders.OrderID) string {
	return linkPrefix + strings.TrimPrefix(string(oid), orders.OrderIDs.Prefix)
}

// orderOfCookie is the order whose link a cookie of that name keeps.
func orderOfCookie(name string) (orders.OrderID, bool) {
	rest, ours := strings.CutPrefix(name, linkPrefix)
	oid := orders.OrderID(orders.OrderIDs.Prefix + rest)
	return oid, ours && orders.OrderIDs.Valid(oid)
}

func checkoutURL(oid orders.OrderID) string { return views.PathCheckout + "/" + string(oid) }

// link is the secret by which a guest reads the order: of the form, the address or the cookie.
func (v *visit) link(oid orders.OrderID) string {
	kept := ""
	if c, err := v.r.Cookie(linkCookie(oid)); err == nil {
		kept = c.Value
	}
	return cmp.Or(v.field("link"), v.query("link"), kept)
}

// orderAsked is the order that the address names, as the caller may see it.
func (v *visit) orderAsked() (orders.GetOrderRequest, error) {
	oid := orders.OrderID(v.param("order"))
	if !orders.OrderIDs.Valid(oid) {
		return orders.GetOrderRequest{}, orders.ErrNotFound.With("there is no such order")
	}
	r := orders.GetOrderRequest{By: v.by, Order: oid, Link: v.link(oid)}
	if r.Link == "" && !v.by.SignedIn() {
		return r, httpx.ErrUnauthenticated
	}
	return r, nil
}

// orderURL is where an order is read. For a guest the address is the key.
func orderURL(oid orders.OrderID, link string) string {
	if link == "" {
		return views.PathOrders + "/" + string(oid)
	}
	return views.PathOrders + "/" + string(oid) + "?link=" + url.QueryEscape(link)
}

// checkoutState is where a checkout stands: the page to which the provider sends the buyer
// back, which waits, thanks or says why not.
func (v *visit) checkoutState() error {
	asked, err := v.orderAsked()
	if err != nil {
		return err
	}
	reply, err := v.Orders.GetCheckout(v.ctx(), asked)
	if err != nil {
		return err
	}
	switch reply.Status {
	case orders.StatusPlaced, orders.StatusCompleted:
		return v.confirmation(asked)
	case orders.StatusRejected:
		return v.rejected(reply)
	default:
		return v.waiting(asked, reply)
	}
}

func (v *visit) waiting(asked orders.GetOrderRequest, reply orders.CheckoutReply) error {
	out := views.Waiting{
		Page:   v.frame("Payment", views.AreaCheckout, checkoutURL(reply.Order)),
		Number: reply.Number, Amount: reply.Total, Until: reply.Until, URL: checkoutURL(reply.Order),
	}
	if v.query("link") != "" {
		out.URL += "?link=" + url.QueryEscape(v.query("link"))
	}
	out.Refresh = 3
	got, err := v.Orders.GetOrder(v.ctx(), asked)
	if err != nil {
		return err
	}
	out.Since, out.Slow = got.Order.CreatedAt, slow(got.Order.CreatedAt, v.Now())
	if reply.ActionURL != "" {
		out.Approve = &views.Link{Text: "Approve " + FormatMoney(reply.Total), URL: reply.ActionURL}
	}
	return v.show(http.StatusOK, out)
}

// confirmation thanks for a placed order.
func (v *visit) confirmation(asked orders.GetOrderRequest) error {
	got, err := v.Orders.GetOrder(v.ctx(), asked)
	if err != nil {
		return err
	}
	o := got.Order
	link := ""
	if o.Guest && !v.by.SignedIn() {
		link = asked.Link
	}
	out := views.Confirmation{
		Page:  v.frame("Thank you", views.AreaShop, checkoutURL(o.ID)),
		Order: v.orderView(o, orderEyes{link: link}), Register: o.Guest && !v.by.SignedIn(),
	}
	out.Hidden = true
	if c, err := v.loadCart(); err == nil && c.Status != cart.StatusOpen {
		out.CartCount = 0 // it is what was just bought, and is closed in a moment; an error the frame has logged
	}
	if link != "" {
		out.GuestURL = v.absolute(orderURL(o.ID, link))
	}
	return v.show(http.StatusOK, out)
}

// absolute is an address of this site that can be kept elsewhere.
func (v *visit) absolute(path string) string {
	scheme := "http"
	if httpx.Cookie(v.ctx(), "", "", 0).Secure {
		scheme = "https"
	}
	return scheme + "://" + v.r.Host + path
}

// rejected says why an order came to nothing, and what can be done.
func (v *visit) rejected(reply orders.CheckoutReply) error {
	out := views.Rejected{Page: v.frame("Not placed", views.AreaCheckout, checkoutURL(reply.Order)), Number: reply.Number}
	out.Heading, out.Text = rejection(reply.Reason, reply.Message)
	again := views.Link{Text: "Check out again", URL: views.PathCheckout}
	toCart := views.Link{Text: "Look at the cart", URL: views.PathCart}
	switch reply.Reason {
	case orders.ReasonOutOfStock, orders.ReasonNotForSale, orders.ReasonCartTaken, orders.ReasonCoupon:
		out.Actions = []views.Link{toCart, again}
	case orders.ReasonQuoteChanged:
		again.Text = "See the new total"
		out.Actions = []views.Link{again, toCart}
	case orders.ReasonDeclined:
		again.Text = "Pay another way"
		out.Actions = []views.Link{again, toCart}
	default:
		out.Actions = []views.Link{again, toCart}
	}
	return v.show(http.StatusOK, out)
}

// rejection is why an order was not placed, as a heading and as what became of money and goods.
func rejection(why orders.Reason, message string) (heading, text string) {
	message = sentence(message)
	say := func(heading, usual string) (string, string) {
		return heading, strings.TrimSpace(cmp.Or(message, usual) + " Nothing was charged, and your cart is as it was.")
	}
	switch why {
	case orders.ReasonQuoteChanged:
		return say("The price changed", "Something in the quote changed before the order was placed.")
	case orders.ReasonOutOfStock:
		return say("Somebody was faster", "Something in your cart was sold out in the meantime.")
	case orders.ReasonNotForSale:
		return say("Something is no longer for sale", "Its seller has taken it down.")
	case orders.ReasonCoupon:
		return say("The coupon could not be used", "It has ended or was used up.")
	case orders.ReasonCartTaken:
		return say("The cart changed", "Another checkout has it, or it changed in another window.")
	case orders.ReasonDeclined:
		return say("The payment was declined", "Your bank or card did not agree. Another way to pay may.")
	case orders.ReasonTimeout:
		return say("It took too long", "The payment was not approved in time.")
	default:
		return say("The order could not be placed", "Something went wrong on our side.")
	}
}
