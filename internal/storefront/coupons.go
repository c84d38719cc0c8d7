package storefront

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/httpx"
	"souk/internal/platform/money"
	"souk/internal/platform/page"
	"souk/internal/storefront/views"
)

// desk is where coupons are made: a seller's, or the marketplace's.
type desk struct {
	area     views.Area
	path     string
	seller   catalog.SellerID // "" for the marketplace's own
	funder   cart.Funder
	paidBy   string
	currency money.Currency
}

func (v *visit) sellerDesk() (desk, error) {
	seller, err := v.ownSeller()
	return desk{
		area: views.AreaSeller, path: views.PathSellerCoupons, seller: seller.ID, funder: cart.FunderSeller,
		paidBy: seller.Name, currency: seller.Currency,
	}, err
}

func (v *visit) operatorDesk() (desk, error) {
	return desk{
		area: views.AreaOperator, path: views.PathOpCoupons, funder: cart.FunderPlatform, paidBy: "the marketplace, on the goods of every seller",
		currency: v.Currency,
	}, nil
}

func (v *visit) sellerCoupons() error   { return v.at(v.sellerDesk, v.coupons) }
func (v *visit) operatorCoupons() error { return v.at(v.operatorDesk, v.coupons) }

func (v *visit) makeSellerCoupon() error   { return v.at(v.sellerDesk, v.makeCoupon) }
func (v *visit) makeOperatorCoupon() error { return v.at(v.operatorDesk, v.makeCoupon) }

func (v *visit) endSellerCoupon() error   { return v.at(v.sellerDesk, v.endCoupon) }
func (v *visit) endOperatorCoupon() error { return v.at(v.operatorDesk, v.endCoupon) }

func (v *visit) resumeSellerCoupon() error   { return v.at(v.sellerDesk, v.resumeCoupon) }
func (v *visit) resumeOperatorCoupon() error { return v.at(v.operatorDesk, v.resumeCoupon) }

func (v *visit) at(where func() (desk, error), act func(desk) error) error {
	d, err := where()
	if err != nil {
		return err
	}
	return act(d)
}

// coupons is the desk's coupons and the form for a new one.
func (v *visit) coupons(d desk) error { return v.showCoupons(http.StatusOK, d, views.Form{}) }

func (v *visit) showCoupons(status int, d desk, form views.Form) error {
	list, err := v.Cart.ListCoupons(v.ctx(), cart.ListCouponsRequest{By: v.by, Seller: d.seller, Page: page.Request{Limit: 100}})
	if err != nil {
		return err
	}
	out := views.SellerCoupons{
		Page: v.frame("Coupons", d.area, d.path), Form: form, Action: d.path, Currency: d.currency, Funder: d.paidBy,
		Empty: views.Empty{Title: "No coupons yet", Text: "A coupon takes something off for whoever has its code."},
	}
	if d.area == views.AreaOperator {
		out.Work = v.operatorWork()
	}
	for _, c := range list.Coupons {
		if d.seller == c.Seller {
			out.Rows = append(out.Rows, v.couponRow(d, c))
		}
	}
	return v.show(status, out)
}

func (v *visit) couponRow(d desk, c cart.Coupon) views.CouponRow {
	row := views.CouponRow{
		Code: c.Code, Text: takesOff(c), Period: v.period(c), Used: int(c.Used), Limit: int(c.Limit),
		Status: views.Status{Text: "Running", Tone: views.Good}, StopURL: d.path + "/" + string(c.ID) + "/end",
	}
	now := v.Now()
	switch {
	case c.Ended:
		row.Status, row.StopURL = views.Status{Text: "Stopped"}, ""
	case !c.Until.IsZero() && !now.Before(c.Until):
		row.Status, row.StopURL = views.Status{Text: "Over"}, ""
	case c.Limit > 0 && c.Used >= c.Limit:
		row.Status = views.Status{Text: "Used up", Tone: views.Warn}
	case !c.From.IsZero() && now.Before(c.From):
		row.Status = views.Status{Text: "Not begun yet"}
	}
	return row
}

// takesOff is what a coupon does, in words.
func takesOff(c cart.Coupon) string {
	text := FormatMoney(c.Amount) + " off"
	if c.Percent > 0 {
		text = percent(c.Percent) + " off"
	}
	if c.Minimum.Minor > 0 {
		text += " from " + FormatMoney(c.Minimum)
	}
	return text
}

func (v *visit) period(c cart.Coupon) string {
	var parts []string
	if !c.From.IsZero() {
		parts = append(parts, "from "+c.From.Std().Format("2 January 2006")+" UTC")
	}
	if !c.Until.IsZero() {
		parts = append(parts, "until "+c.Until.Add(-time.Millisecond).Std().Format("2 January 2006")+" UTC")
	}
	if len(parts) == 0 {
		return "always"
	}
	return strings.Join(parts, " ")
}

// makeCoupon makes a coupon of what was typed.
func (v *visit) makeCoupon(d desk) error {
	typed := v.fields("code", "percent", "amount", "minimum", "starts", "ends", "uses", "per_person")
	c, wrong := readCoupon(typed, d)
	if len(wrong) > 0 {
		form := views.NewForm(typed, wrong, "code", "percent", "amount", "minimum", "starts", "ends", "uses", "per_person")
		form.Key = v.field("key")
		return v.showCoupons(http.StatusBadRequest, d, form)
	}
	reply, err := v.Cart.PutCoupon(v.ctx(), cart.PutCouponRequest{By: v.by, Key: v.key(), Coupon: c})
	if err == nil {
		return v.done(d.path, views.Flash{Text: "The coupon " + reply.Coupon.Code + " is made.", Tone: views.Good})
	}
	if !formFails(err) {
		return err
	}
	return v.showCoupons(httpx.Status(err), d, v.refusedForm(err, typed, []fieldName{
		{"code", "code", "The code"},
		{"percent", "percent", "The percentage"},
		{"amount", "amount", "The amount"},
		{"minimum", "minimum", "The minimum"},
		{"from", "starts", "The beginning"},
		{"until", "ends", "The end"},
		{"limit", "uses", "The number of uses"},
		{"limit_person", "per_person", "The number of uses for each person"},
	}))
}

// readCoupon reads the form of a coupon; wrong is what cannot be read.
func readCoupon(typed map[string]string, d desk) (c cart.Coupon, wrong map[string]string) {
	wrong = map[string]string{}
	c = cart.Coupon{
		Code: strings.ToUpper(typed["code"]), Seller: d.seller, Funder: d.funder, Amount: money.Zero(d.currency), Minimum: money.Zero(d.currency),
	}
	amount := func(name, example string, unit money.Currency) money.Money {
		if typed[name] == "" {
			return money.Zero(unit)
		}
		m, err := money.Parse(strings.ReplaceAll(typed[name], ",", "."), unit)
		if err != nil || m.Minor < 0 {
			wrong[name] = "Write it as " + example + "."
			return money.Zero(unit)
		}
		return m
	}
	day := func(name string, days int) clock.Time {
		if typed[name] == "" {
			return 0
		}
		t, err := time.Parse(time.DateOnly, typed[name])
		if err != nil {
			wrong[name] = "Write the day as 2026-05-31."
			return 0
		}
		return clock.Of(t.AddDate(0, 0, days))
	}
	number := func(name string) int64 {
		if typed[name] == "" {
			return 0
		}
		n, err := strconv.ParseInt(typed[name], 10, 64)
		if err != nil || n < 0 {
			wrong[name] = "Write it as a whole number, or leave it empty for no limit."
		}
		return n
	}
	hundredths := amount("percent", "10 or 12.5", "EUR").Minor // of a percent: basis points
	if hundredths > 10_000 {
		wrong["percent"] = "It can be 100 % at most."
		hundredths = 0
	}
	c.Percent = int32(hundredths) //nolint:gosec // at most 10,000
	c.Amount, c.Minimum = amount("amount", "5.00", d.currency), amount("minimum", "50.00", d.currency)
	c.From, c.Until = day("starts", 0), day("ends", 1)
	c.Limit, c.LimitPerson = number("uses"), number("per_person")
	if (c.Percent > 0) == (c.Amount.Minor > 0) && wrong["percent"] == "" && wrong["amount"] == "" {
		wrong["percent"] = "Give either a percentage or an amount."
	}
	c.Label = takesOff(c)
	return c, wrong
}

// endCoupon stops a coupon; the notice lets it run again.
func (v *visit) endCoupon(d desk) error {
	return v.setEnded(d, true, views.Flash{
		Text: "The coupon is stopped: nobody can use it any more.",
		Undo: &views.Act{Text: "Let it run again", URL: d.path + "/" + v.param("coupon") + "/resume"},
	})
}

// resumeCoupon lets a stopped coupon run again.
func (v *visit) resumeCoupon(d desk) error {
	return v.setEnded(d, false, views.Flash{Text: "The coupon runs again.", Tone: views.Good})
}

func (v *visit) setEnded(d desk, ended bool, said views.Flash) error {
	c, err := v.coupon(d, cart.CouponID(v.param("coupon")))
	if err != nil {
		return err
	}
	c.Ended = ended
	_, err = v.Cart.PutCoupon(v.ctx(), cart.PutCouponRequest{By: v.by, Key: v.key(), Coupon: c})
	switch {
	case err == nil:
		return v.done(d.path, said)
	case errs.KindOf(err) == errs.Conflict:
		return v.done(d.path, views.Flash{Text: problemText(errs.As(err)), Tone: views.Bad})
	default:
		return err
	}
}

// coupon finds one of the desk's coupons.
func (v *visit) coupon(d desk, cid cart.CouponID) (cart.Coupon, error) {
	r := cart.ListCouponsRequest{By: v.by, Seller: d.seller, Page: page.Request{Limit: 100}}
	for {
		reply, err := v.Cart.ListCoupons(v.ctx(), r)
		if err != nil {
			return cart.Coupon{}, err
		}
		for _, c := range reply.Coupons {
			if c.ID == cid && c.Seller == d.seller {
				return c, nil
			}
		}
		if reply.Next == "" {
			return cart.Coupon{}, cart.ErrNotFound.With("there is no such coupon")
		}
		r.Page.Cursor = reply.Next
	}
}
