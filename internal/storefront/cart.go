package storefront

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/platform/errs"
	"souk/internal/platform/httpx"
	"souk/internal/platform/money"
	"souk/internal/platform/page"
	"souk/internal/storefront/views"
)

// cartTime is how long a browser keeps the token of a guest's cart: as long as cart keeps
// carts that nobody touches.
const cartTime = 60 * 24 * time.Hour

// cartPage is what the caller means to buy.
func (v *visit) cartPage() error { return v.showCart(http.StatusOK, nil) }

// showCart shows the cart as it is now, changed by with.
func (v *visit) showCart(status int, with func(*views.Cart)) error {
	out, err := v.cartView()
	if err != nil {
		return err
	}
	if with != nil {
		with(&out)
	}
	return v.show(status, out)
}

// afterCart answers a change of the cart: with the part that htmx swaps, else with the page.
func (v *visit) afterCart(c cart.Cart, flash *views.Flash) error {
	v.basket = &c
	if v.htmx() {
		return v.showCart(http.StatusOK, func(out *views.Cart) { out.Flash = flash })
	}
	to := views.PathCart
	if back := v.field("back"); back != "" {
		to = local(back)
	}
	if flash == nil {
		return v.see(to)
	}
	return v.done(to, *flash)
}

// cartFails shows the cart with what could not be done to it.
func (v *visit) cartFails(err error) error {
	if !formFails(err) {
		return err
	}
	return v.showCart(httpx.Status(err), func(out *views.Cart) {
		out.Flash = &views.Flash{Text: problemText(errs.As(err)), Tone: views.Bad}
	})
}

func (v *visit) cartView() (views.Cart, error) {
	out := views.Cart{
		Page: v.frame("Cart", views.AreaShop, views.PathCart),
		Empty: views.Empty{
			Title: "Your cart is empty", Text: "What you put into it stays for sixty days.",
			Links: []views.Link{{Text: "Look around", URL: views.PathHome}, {Text: "See everything", URL: views.PathSearch}},
		},
	}
	out.Hidden = true
	c, err := v.loadCart()
	if err != nil || len(c.Lines) == 0 {
		return out, err
	}
	reply, err := v.Cart.Quote(v.ctx(), cart.QuoteRequest{By: v.by})
	if err != nil {
		return out, err
	}
	seen := v.look()
	out.Units, out.Groups = int(c.Count), cartGroups(seen, c)
	out.Quote = quoteView(reply.Quote)
	out.Quote.Estimate = "Shipping and tax follow from your address."
	out.Coupons = couponViews(reply.Quote)
	for _, line := range c.Lines {
		for _, n := range line.Notices {
			out.Changed = out.Changed || n.Kind == cart.NoticePriceUp || n.Kind == cart.NoticePriceDown || n.Kind == cart.NoticeChanged
		}
	}
	out.Why = whyNotReady(c, reply.Quote)
	out.Ready = out.Why == ""
	if c.Status == cart.StatusClaimed {
		out.Flash = v.openCheckout()
	}
	return out, nil
}

// whyNotReady is why the cart cannot be checked out as it is; "" when it can.
func whyNotReady(c cart.Cart, q cart.Quote) string {
	if c.Status == cart.StatusClaimed {
		return "A checkout of this cart is under way. It gives the cart back when it comes to nothing."
	}
	var why []string
	for _, p := range q.Problems {
		if p.Code != "no_destination" && p.Code != "no_shipping" {
			why = append(why, p.Message)
		}
	}
	if len(why) == 0 {
		return ""
	}
	return strings.Join(append(why, "Change that line, then you can check out."), " ")
}

// openCheckout leads back to the caller's checkout that has not ended: a person's is known,
// a guest's by the link that its browser keeps. nil when there is none to be found.
func (v *visit) openCheckout() *views.Flash {
	back := func(oid orders.OrderID) *views.Flash {
		return &views.Flash{Text: "A checkout of this cart is under way.", Tone: views.Warn, Link: &views.Link{Text: "Go on with it", URL: checkoutURL(oid)}}
	}
	if v.by.SignedIn() {
		reply, err := v.Orders.ListOrders(v.ctx(), orders.ListOrdersRequest{By: v.by, Status: orders.StatusPending, Page: page.Request{Limit: 1}})
		if err != nil || len(reply.Orders) == 0 {
			return nil
		}
		return back(reply.Orders[0].ID)
	}
	for _, c := range v.r.Cookies() {
		oid, ours := orderOfCookie(c.Name)
		if !ours {
			continue
		}
		reply, err := v.Orders.GetCheckout(v.ctx(), orders.GetOrderRequest{By: v.by, Order: oid, Link: c.Value})
		if err == nil && reply.Status == orders.StatusPending {
			return back(oid)
		}
	}
	return nil
}

// cartGroups are the lines by seller, in the order in which they were added.
func cartGroups(seen *sight, c cart.Cart) []views.CartGroup {
	var groups []views.CartGroup
	at := map[catalog.SellerID]int{}
	for _, line := range c.Lines {
		i, known := at[line.Offer.Seller]
		if !known {
			i = len(groups)
			at[line.Offer.Seller] = i
			group := views.CartGroup{Seller: views.Link{Text: line.Offer.SellerName}, Goods: money.Zero(c.Currency)}
			if line.Offer.SellerSlug != "" {
				group.Seller.URL = shopURL(line.Offer.SellerSlug)
			}
			if group.Seller.Text == "" {
				group.Seller.Text = "No longer offered"
			}
			groups = append(groups, group)
		}
		groups[i].Lines = append(groups[i].Lines, cartLine(seen, line))
		if sum, err := groups[i].Goods.Add(line.Total); err == nil {
			groups[i].Goods = sum
		}
	}
	return groups
}

func cartLine(seen *sight, line cart.Line) views.CartLine {
	variant := string(line.Offer.Variant)
	out := views.CartLine{
		ID: variant, URL: variantURL(line.Offer.Listing, line.Offer.Variant), Title: line.Offer.Title, Options: optionText(line.Offer.Options),
		Picture: seen.picture(line.Offer.Image, line.Offer.Path, line.Offer.Title), Unit: line.Offer.Price, Quantity: int(line.Quantity),
		Max: int(max(min(line.Offer.Available, cart.MaxQuantity), line.Quantity)), Total: line.Total,
		UpdateURL: "/cart/lines/" + variant, RemoveURL: "/cart/lines/" + variant + "/remove",
	}
	if out.Title == "" {
		out.Title, out.URL = "Something no longer offered", views.PathCart
	}
	for _, n := range line.Notices {
		status, blocks := noticeStatus(n, line.Offer.Price)
		out.Notices, out.Blocked = append(out.Notices, status), out.Blocked || blocks
	}
	return out
}

// noticeStatus says what changed of a line, and whether it can no longer be bought as it is.
func noticeStatus(n cart.Notice, now money.Money) (status views.Status, blocks bool) {
	price := func(how string, tone views.Tone) (views.Status, bool) {
		if n.Was == nil {
			return views.Status{Text: "The price " + how + ".", Tone: tone}, false
		}
		return views.Status{Text: "The price " + how + " from " + FormatMoney(*n.Was) + " to " + FormatMoney(now) + " since you added it.", Tone: tone}, false
	}
	switch n.Kind {
	case cart.NoticePriceUp:
		return price("rose", views.Warn)
	case cart.NoticePriceDown:
		return price("fell", views.Good)
	case cart.NoticeShort:
		return views.Status{Text: fmt.Sprintf("Only %d left.", n.Available), Tone: views.Bad}, true
	case cart.NoticeSoldOut:
		return views.Status{Text: "Sold out.", Tone: views.Bad}, true
	case cart.NoticeNotForSale:
		return views.Status{Text: "No longer for sale.", Tone: views.Bad}, true
	default:
		return views.Status{Text: "Something about it changed since you added it.", Tone: views.Warn}, false
	}
}

func couponViews(q cart.Quote) []views.AppliedCoupon {
	out := make([]views.AppliedCoupon, 0, len(q.Codes))
	for _, code := range q.Codes {
		one := views.AppliedCoupon{Code: code.Code, Text: code.Label, Problem: code.Why, RemoveURL: "/cart/coupon/" + code.Code + "/remove"}
		if code.Applied {
			one.Text = strings.TrimSpace(one.Text + " takes off " + FormatMoney(code.Amount))
		}
		out = append(out, one)
	}
	return out
}

// setLine sets the quantity of a line; 0 removes it.
func (v *visit) setLine() error {
	quantity, err := strconv.ParseInt(v.field("quantity"), 10, 64)
	if err != nil || quantity < 0 {
		return v.cartFails(cart.ErrInvalid.With("the quantity should be a number from 0"))
	}
	return v.changeLine(quantity)
}

// removeLine takes a line out; the notice puts it back.
func (v *visit) removeLine() error { return v.changeLine(0) }

func (v *visit) changeLine(quantity int64) error {
	variant := catalog.VariantID(v.param("variant"))
	before, err := v.loadCart()
	if err != nil {
		return err
	}
	reply, err := v.Cart.ChangeLine(v.ctx(), cart.ChangeLineRequest{By: v.by, Key: v.key(), Variant: variant, Quantity: quantity})
	if err != nil {
		return v.cartFails(err)
	}
	i := slices.IndexFunc(before.Lines, func(l cart.Line) bool { return l.Offer.Variant == variant })
	if quantity > 0 || i < 0 {
		return v.afterCart(reply.Cart, nil)
	}
	return v.afterCart(reply.Cart, &views.Flash{
		Text: "Taken out: " + before.Lines[i].Offer.Title + ".",
		Undo: &views.Act{Text: "Put it back", URL: "/cart/lines/" + string(variant), Values: map[string]string{"quantity": strconv.FormatInt(before.Lines[i].Quantity, 10)}},
	})
}

// acceptChanges takes note of changed prices.
func (v *visit) acceptChanges() error {
	reply, err := v.Cart.AcceptChanges(v.ctx(), cart.AcceptChangesRequest{By: v.by, Key: v.key()})
	if err != nil {
		return v.cartFails(err)
	}
	return v.afterCart(reply.Cart, nil)
}

// applyCoupon puts a code on the cart.
func (v *visit) applyCoupon() error {
	code := v.field("code")
	if code == "" {
		return v.couponFails(cart.ErrInvalid.WithField("code", "is needed"))
	}
	reply, err := v.Cart.ApplyCoupon(v.ctx(), cart.CouponCodeRequest{By: v.by, Key: v.key(), Code: code})
	if err != nil {
		return v.couponFails(err)
	}
	return v.afterCart(reply.Cart, &views.Flash{Text: "The coupon is on the cart.", Tone: views.Good})
}

func (v *visit) couponFails(err error) error {
	if !formFails(err) {
		return err
	}
	return v.showCart(httpx.Status(err), func(out *views.Cart) {
		form := v.refusedForm(err, v.fields("code"), []fieldName{{"code", "code", "The code"}})
		if len(form.Errors) == 0 {
			form = views.NewForm(form.Values, map[string]string{"code": form.Problem})
			form.Key = v.keyAfter(err)
		}
		out.Coupon = form
	})
}

// removeCoupon takes a code off the cart; the notice puts it back.
func (v *visit) removeCoupon() error {
	code := v.param("code")
	reply, err := v.Cart.RemoveCoupon(v.ctx(), cart.CouponCodeRequest{By: v.by, Key: v.key(), Code: code})
	if err != nil {
		return v.cartFails(err)
	}
	return v.afterCart(reply.Cart, &views.Flash{
		Text: "The coupon " + code + " is off the cart.",
		Undo: &views.Act{Text: "Use it again", URL: views.PathCoupon, Values: map[string]string{"code": code}},
	})
}
