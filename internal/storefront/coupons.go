package storefront

import (
	"cmp"
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

// errTwoCurrencies answers who would change a coupon that this form has too few fields for.
var errTwoCurrencies = errs.Refusal(errs.Conflict, "storefront.two_currencies").
	With("this coupon takes off an amount of one currency from a minimum in another; it can be changed through the API only")

// in is the desk with the coupon's own currency, in which what is typed about it is meant.
func (d desk) in(c cart.Coupon) (desk, error) {
	switch {
	case c.Amount.Minor > 0 && c.Minimum.Minor > 0 && c.Amount.Currency != c.Minimum.Currency:
		return d, errTwoCurrencies
	case c.Amount.Minor > 0:
		d.currency = c.Amount.Currency
	case c.Minimum.Minor > 0:
		d.currency = c.Minimum.Currency
	}
	return d, nil
}

func (v *visit) sellerDesk(path string) func() (desk, error) {
	return func() (desk, error) {
		seller, err := v.ownSeller()
		return desk{
			area: views.AreaSeller, path: path, seller: seller.ID, funder: cart.FunderSeller, paidBy: seller.Name, currency: seller.Currency,
		}, err
	}
}

func (v *visit) operatorDesk(path string) func() (desk, error) {
	return func() (desk, error) {
		return desk{
			area: views.AreaOperator, path: path, funder: cart.FunderPlatform, paidBy: "the marketplace, on the goods of every seller",
			currency: v.Currency,
		}, nil
	}
}

// at does act at a desk.
func (v *visit) at(where func() (desk, error), act func(desk) error) error {
	d, err := where()
	if err != nil {
		return err
	}
	return act(d)
}

// atSellers and atOperators are coupons of a seller, and of the marketplace.
func atSellers(act func(*visit, desk) error) func(*visit) error {
	return func(v *visit) error {
		return v.at(v.sellerDesk(views.PathSellerCoupons), func(d desk) error { return act(v, d) })
	}
}

func atOperators(act func(*visit, desk) error) func(*visit) error {
	return func(v *visit) error {
		return v.at(v.operatorDesk(views.PathOpCoupons), func(d desk) error { return act(v, d) })
	}
}

// coupons is the desk's coupons and the form for a new one.
func (v *visit) coupons(d desk) error { return v.showCoupons(http.StatusOK, d, views.Form{}) }

// couponsMost is how many coupons a list shows: the newest.
const couponsMost = 1000

// listCoupons are the newest of the desk's coupons, and whether there are more.
func (v *visit) listCoupons(d desk) (all []cart.Coupon, more bool, err error) {
	r := cart.ListCouponsRequest{By: v.by, Seller: d.seller, Page: page.Request{Limit: 100}}
	for len(all) < couponsMost {
		reply, err := v.Cart.ListCoupons(v.ctx(), r)
		if err != nil {
			return nil, false, err
		}
		for _, c := range reply.Coupons {
			if c.Seller == d.seller {
				all = append(all, c)
			}
		}
		if reply.Next == "" {
			return all, false, nil
		}
		r.Page.Cursor = reply.Next
	}
	return all, true, nil
}

// couponOrders are how a list of coupons is sorted, by column.
var couponOrders = map[string]func(a, b cart.Coupon) int{
	"code": func(a, b cart.Coupon) int { return cmp.Compare(a.Code, b.Code) },
	"when": func(a, b cart.Coupon) int { return cmp.Compare(uint64(a.Until-1), uint64(b.Until-1)) }, //nolint:gosec // without end comes last
	"used": func(a, b cart.Coupon) int { return cmp.Compare(a.Used, b.Used) },
}

func (v *visit) showCoupons(status int, d desk, form views.Form) error {
	list, more, err := v.listCoupons(d)
	if err != nil {
		return err
	}
	by := v.sortedBy("sort", d.path, ups("code", "when", "used")...)
	sortRows(by, list, couponOrders)
	out := views.SellerCoupons{
		Page: v.frame("Coupons", d.area, d.path), Form: form, Action: d.path, Currency: d.currency, Funder: d.paidBy,
		Columns: []views.Column{
			by.column("Code", "code", "up"), {Text: "Takes off"}, by.column("When", "when", "up"), by.column("Used", "used", "down").Right(), {Text: "State"}, {Text: "Acts"},
		},
		CSV:   d.path + ".csv",
		Pager: views.Pager{Shown: len(list), Total: len(list), More: more, Noun: "coupon", Nouns: "coupons"},
		Empty: views.Empty{Title: "No coupons yet", Text: "A coupon takes something off for whoever has its code."},
	}
	if d.area == views.AreaOperator {
		out.Work = v.operatorWork()
	}
	for _, c := range list {
		out.Rows = append(out.Rows, v.couponRow(d, c))
	}
	return v.show(status, out)
}

func (v *visit) couponRow(d desk, c cart.Coupon) views.CouponRow {
	row := views.CouponRow{
		Code: c.Code, URL: d.path + "/" + string(c.ID), Text: takesOff(c), Period: v.period(c), Used: int(c.Used), Limit: int(c.Limit),
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

// couponFields are the fields of a coupon's form.
var couponFields = []string{"code", "percent", "amount", "minimum", "starts", "ends", "uses", "per_person"}

// makeCoupon makes a coupon of what was typed.
func (v *visit) makeCoupon(d desk) error {
	typed := v.fields(couponFields...)
	c, wrong := readCoupon(typed, d)
	again := func(status int, form views.Form) error { return v.showCoupons(status, d, form) }
	return v.putCoupon(d, c, typed, wrong, "is made", again)
}

// putCoupon keeps a coupon; again shows its form once more.
func (v *visit) putCoupon(d desk, c cart.Coupon, typed, wrong map[string]string, said string, again func(int, views.Form) error) error {
	if len(wrong) > 0 {
		form := views.NewForm(typed, wrong, couponFields...)
		form.Key = v.field("key")
		return again(http.StatusBadRequest, form)
	}
	reply, err := v.Cart.PutCoupon(v.ctx(), cart.PutCouponRequest{By: v.by, Key: v.key(), Coupon: c})
	if err == nil {
		return v.done(d.path, views.Flash{Text: "The coupon " + reply.Coupon.Code + " " + said + ".", Tone: views.Good})
	}
	if !formFails(err) {
		return err
	}
	return again(httpx.Status(err), v.refusedForm(err, typed, []fieldName{
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

// editCoupon is one coupon, to be changed.
func (v *visit) editCoupon(d desk) error {
	c, err := v.coupon(d, cart.CouponID(v.param("coupon")))
	if err != nil {
		return err
	}
	if d, err = d.in(c); err != nil {
		return err
	}
	return v.showCoupon(http.StatusOK, d, c, views.Form{Values: couponValues(c)})
}

func (v *visit) showCoupon(status int, d desk, c cart.Coupon, form views.Form) error {
	out := views.Coupon{
		Page: v.frame("Coupon "+c.Code, d.area, d.path), Form: form, Action: d.path + "/" + string(c.ID), Code: c.Code, Currency: d.currency,
		Version: c.Version, Funder: d.paidBy, Status: v.couponRow(d, c).Status, Used: int(c.Used),
	}
	if d.area == views.AreaOperator {
		out.Work = v.operatorWork()
	}
	out.Crumbs = []views.Link{{Text: "Coupons", URL: d.path}}
	return v.show(status, out)
}

// couponValues is a coupon as its form has it.
func couponValues(c cart.Coupon) map[string]string {
	typed := map[string]string{}
	put := func(name, text string, given bool) {
		if given {
			typed[name] = text
		}
	}
	put("percent", strings.TrimSuffix(percent(c.Percent), " %"), c.Percent > 0)
	put("amount", c.Amount.Decimal(), c.Amount.Minor > 0)
	put("minimum", c.Minimum.Decimal(), c.Minimum.Minor > 0)
	put("starts", c.From.Std().UTC().Format(time.DateOnly), !c.From.IsZero())
	put("ends", c.Until.Add(-time.Millisecond).Std().UTC().Format(time.DateOnly), !c.Until.IsZero())
	put("uses", strconv.FormatInt(c.Limit, 10), c.Limit > 0)
	put("per_person", strconv.FormatInt(c.LimitPerson, 10), c.LimitPerson > 0)
	return typed
}

// saveCoupon changes a coupon to what was typed. Its code stays, and whether it is stopped.
func (v *visit) saveCoupon(d desk) error {
	was, err := v.coupon(d, cart.CouponID(v.param("coupon")))
	if err != nil {
		return err
	}
	if d, err = d.in(was); err != nil {
		return err
	}
	typed := v.fields(couponFields...)
	typed["code"] = was.Code
	d.funder = was.Funder
	c, wrong := readCoupon(typed, d)
	c.ID, c.Ended = was.ID, was.Ended
	keepUntouched(&c, was, typed)
	c.Version, _ = strconv.ParseInt(v.field("version"), 10, 64) // nonsense is version 0, which is refused as stale
	again := func(status int, form views.Form) error {
		if status != http.StatusConflict {
			was.Version = c.Version // the form goes on from where it was opened
		}
		return v.showCoupon(status, d, was, form)
	}
	return v.putCoupon(d, c, typed, wrong, "is changed", again)
}

// keepUntouched leaves in c what was there and the form says too little about: it knows days, not times, and
// no label.
func keepUntouched(c *cart.Coupon, was cart.Coupon, typed map[string]string) {
	shown := couponValues(was)
	if typed["starts"] == shown["starts"] {
		c.From = was.From
	}
	if typed["ends"] == shown["ends"] {
		c.Until = was.Until
	}
	if was.Label != takesOff(was) { // somebody's words, not made from what it takes off
		c.Label = was.Label
	}
}

// couponsCSV is all of the desk's coupons as a table.
func (v *visit) couponsCSV(d desk) error {
	when := func(t clock.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.String()
	}
	sum := func(m money.Money) (amount, currency string) {
		if m.Minor == 0 {
			return "", ""
		}
		return m.Decimal(), string(m.Currency)
	}
	r := cart.ListCouponsRequest{By: v.by, Seller: d.seller, Page: page.Request{Limit: 100}}
	return v.csv("coupons.csv", []string{
		"code", "label", "percent", "amount", "amount_currency", "minimum", "minimum_currency", "from", "until", "limit", "limit_person", "used", "stopped",
	}, func(write func(...string) error) (bool, error) {
		reply, err := v.Cart.ListCoupons(v.ctx(), r)
		if err != nil {
			return false, err
		}
		for _, c := range reply.Coupons {
			if c.Seller != d.seller {
				continue
			}
			amount, amountIn := sum(c.Amount)
			minimum, minimumIn := sum(c.Minimum)
			err := write(c.Code, c.Label, strings.TrimSuffix(percent(c.Percent), " %"), amount, amountIn, minimum, minimumIn,
				when(c.From), when(c.Until), strconv.FormatInt(c.Limit, 10), strconv.FormatInt(c.LimitPerson, 10), strconv.FormatInt(c.Used, 10), strconv.FormatBool(c.Ended))
			if err != nil {
				return false, err
			}
		}
		r.Page.Cursor = reply.Next
		return reply.Next != "", nil
	})
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
