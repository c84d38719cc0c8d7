package storefront

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/platform/errs"
	"souk/internal/platform/httpx"
	"souk/internal/platform/money"
	"souk/internal/storefront/views"
)

// zonesMost is how many zones a form takes.
const zonesMost = 100

func (v *visit) sellerShipping() error {
	return v.at(v.sellerDesk(views.PathSellerShipping), v.shipping)
}

func (v *visit) saveSellerShipping() error {
	return v.at(v.sellerDesk(views.PathSellerShipping), v.saveShipping)
}

func (v *visit) withdrawShipping() error {
	return v.at(v.sellerDesk(views.PathSellerShipping), v.endShipping)
}

func (v *visit) operatorShipping() error {
	return v.at(v.operatorDesk(views.PathOpShipping), v.shipping)
}

func (v *visit) saveOperatorShipping() error {
	return v.at(v.operatorDesk(views.PathOpShipping), v.saveShipping)
}

// tables are the desk's shipping table and the marketplace's, which applies where there is none.
func (v *visit) tables(d desk) (own, market cart.ShippingTable, err error) {
	reply, err := v.Cart.GetShipping(v.ctx(), cart.GetShippingRequest{Sellers: []catalog.SellerID{d.seller, ""}})
	if err != nil {
		return own, market, err
	}
	if len(reply.Tables) != 2 {
		return own, market, fmt.Errorf("cart answers with %d shipping tables for 2", len(reply.Tables))
	}
	return reply.Tables[0], reply.Tables[1], nil
}

// shipping is the desk's shipping table, to be read and changed.
func (v *visit) shipping(d desk) error {
	own, market, err := v.tables(d)
	if err != nil {
		return err
	}
	return v.showShipping(http.StatusOK, d, own, market, zoneForm{typed: zoneValues(own, d), rows: len(own.Zones)}, views.Form{})
}

func (v *visit) showShipping(status int, d desk, own, market cart.ShippingTable, f zoneForm, form views.Form) error {
	if form.Values == nil {
		form.Values = f.typed
	}
	out := views.ShippingTable{
		Page: v.frame("Shipping", d.area, d.path), Form: form, Action: d.path, Version: own.Version, AnyCurrency: d.seller == "",
		Borrowed: d.seller != "" && reflect.DeepEqual(own.Zones, market.Zones),
	}
	if d.area == views.AreaOperator {
		out.Work = v.operatorWork()
	}
	if d.seller != "" && !out.Borrowed {
		out.Acts = []views.Act{{Text: "Withdraw my table and ship as the marketplace does", URL: d.path + "/withdraw", Values: map[string]string{
			"version": strconv.FormatInt(own.Version, 10), "for": string(d.seller),
		}}}
	}
	for _, z := range own.Zones {
		out.Zones = append(out.Zones, zoneRow(z))
	}
	for i := range f.rows {
		index := strconv.Itoa(i)
		field := views.ZoneField{Index: index, Label: form.Value("label." + index)}
		field.Kinds = kindChoices(form.Value("kind." + index))
		field.Currencies = append([]views.Choice{{Text: "any, and free"}}, currencyChoices(form.Value("currency."+index))...)
		if field.Label == "" {
			field.Label = "New zone"
		}
		out.Fields = append(out.Fields, field)
	}
	return v.show(status, out)
}

func kindChoices(chosen string) []views.Choice {
	out := []views.Choice{
		{Value: string(cart.ShippingFlat), Text: "One price"},
		{Value: string(cart.ShippingByWeight), Text: "By weight"},
		{Value: string(cart.ShippingByPrice), Text: "By what the goods cost"},
	}
	for i := range out {
		out[i].Chosen = out[i].Value == chosen
	}
	return out
}

// anyWeight is from how many grams on a step of a table is one without an end: a thousand tonnes.
const anyWeight = 1_000_000_000

// zoneRow is a zone in words.
func zoneRow(z cart.ShippingZone) views.ZoneRow {
	row := views.ZoneRow{Label: z.Label, Countries: "Everywhere else"}
	if len(z.Countries) > 0 {
		var names []string
		for _, c := range z.Countries {
			names = append(names, countryName(c))
		}
		row.Countries = listed(names)
	}
	for i, step := range z.Steps {
		price := "free"
		if step.Price.Minor > 0 {
			price = FormatMoney(step.Price)
		}
		switch z.Kind {
		case cart.ShippingByWeight:
			upto := "up to " + group(strconv.FormatInt(step.Grams, 10)) + " g"
			if step.Grams >= anyWeight {
				upto = "any weight"
				if i > 0 {
					upto += " above"
				}
			}
			price = upto + ": " + price
		case cart.ShippingByPrice:
			if step.From.Minor > 0 {
				price = "goods from " + FormatMoney(step.From) + ": " + price
			}
		default:
		}
		row.Prices = append(row.Prices, price)
	}
	if z.Kind == cart.ShippingByWeight && z.GramsUnknown > 0 {
		row.Prices = append(row.Prices, "goods that say no weight count "+group(strconv.FormatInt(z.GramsUnknown, 10))+" g")
	}
	return row
}

// zoneValues is a table as the form has it.
func zoneValues(t cart.ShippingTable, d desk) map[string]string {
	typed := map[string]string{}
	for i, z := range t.Zones {
		at := "." + strconv.Itoa(i)
		typed["label"+at], typed["countries"+at], typed["kind"+at] = z.Label, strings.Join(z.Countries, " "), string(z.Kind)
		typed["currency"+at] = string(z.Currency)
		if d.seller != "" && z.Currency == "" {
			typed["currency"+at] = string(d.currency)
		}
		if z.GramsUnknown > 0 {
			typed["grams"+at] = strconv.FormatInt(z.GramsUnknown, 10)
		}
		var lines []string
		for _, step := range z.Steps {
			price := step.Price.Decimal()
			if step.Price.Currency == "" {
				price = "0"
			}
			switch z.Kind {
			case cart.ShippingByWeight:
				price = strconv.FormatInt(step.Grams, 10) + ": " + price
			case cart.ShippingByPrice:
				from := "0"
				if step.From.Minor > 0 {
					from = step.From.Decimal()
				}
				price = from + ": " + price
			default:
			}
			lines = append(lines, price)
		}
		typed["steps"+at] = strings.Join(lines, "\n")
	}
	return typed
}

// zoneForm is the form of a table as it was sent.
type zoneForm struct {
	zones   []cart.ShippingZone
	typed   map[string]string
	wrong   map[string]string
	rows    int         // zones in the form
	names   []fieldName // of the request's fields
	version int64
}

// readZones reads the form of a table.
func (v *visit) readZones(d desk) zoneForm {
	f := zoneForm{typed: map[string]string{}, wrong: map[string]string{}}
	for name := range v.r.PostForm {
		f.typed[name] = v.field(name)
	}
	f.version, _ = strconv.ParseInt(f.typed["version"], 10, 64) // nonsense is version 0, which is refused as stale
	for ; f.rows < zonesMost; f.rows++ {
		at := "." + strconv.Itoa(f.rows)
		if _, there := f.typed["label"+at]; !there {
			break
		}
		if f.typed["drop"+at] != "" || f.typed["label"+at]+f.typed["countries"+at]+f.typed["steps"+at] == "" {
			continue // taken away, or never filled in
		}
		in := fmt.Sprintf("zones[%d].", len(f.zones))
		f.names = append(f.names, fieldName{in + "label", "label" + at, "The name"}, fieldName{in + "countries", "countries" + at, "A country"},
			fieldName{in + "kind", "kind" + at, "How it is priced"}, fieldName{in + "currency", "currency" + at, "The currency"},
			fieldName{in + "grams_unknown", "grams" + at, "The weight"}, fieldName{in + "steps", "steps" + at, "The prices"})
		f.zones = append(f.zones, f.zone(at, d))
	}
	return f
}

// zone reads one zone; at is what the names of its fields end with.
func (f *zoneForm) zone(at string, d desk) cart.ShippingZone {
	z := cart.ShippingZone{
		Label: f.typed["label"+at], Kind: cart.ShippingKind(f.typed["kind"+at]), Currency: d.currency,
		Countries: strings.FieldsFunc(strings.ToUpper(f.typed["countries"+at]), func(r rune) bool { return r == ' ' || r == ',' || r == ';' || r == '\n' || r == '\r' }),
	}
	slices.Sort(z.Countries)
	z.Countries = slices.Compact(z.Countries)
	if d.seller == "" {
		z.Currency = money.Currency(f.typed["currency"+at])
	}
	if text := f.typed["grams"+at]; text != "" {
		grams, err := strconv.ParseInt(text, 10, 64)
		if err != nil || grams < 0 {
			f.wrong["grams"+at] = "Write the weight in grams, as 500."
		}
		z.GramsUnknown = max(grams, 0)
	}
	for line := range strings.Lines(f.typed["steps"+at]) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		step, ok := readStep(line, z)
		if !ok {
			f.wrong["steps"+at] = stepExample(z.Kind)
			break
		}
		z.Steps = append(z.Steps, step)
	}
	return z
}

func stepExample(kind cart.ShippingKind) string {
	switch kind {
	case cart.ShippingByWeight:
		return "Write one line for each weight in grams and its price, as 1000: 4.90."
	case cart.ShippingByPrice:
		return "Write one line for each amount from which a price applies, as 50.00: 0, and begin with 0."
	default:
		return "Write the price, as 4.90."
	}
}

// readStep reads a line of a price table.
func readStep(line string, z cart.ShippingZone) (step cart.ShippingStep, ok bool) {
	amount := func(text string) (money.Money, bool) {
		text = strings.ReplaceAll(strings.TrimSpace(text), ",", ".")
		if z.Currency == "" {
			return money.Money{}, strings.Trim(text, "0.") == "" && text != "" // free in any currency
		}
		m, err := money.Parse(text, z.Currency)
		return m, err == nil && m.Minor >= 0
	}
	limit, price, two := strings.Cut(line, ":")
	if z.Kind != cart.ShippingByWeight && z.Kind != cart.ShippingByPrice {
		step.Price, ok = amount(line)
		return step, ok
	}
	if !two {
		return step, false
	}
	if step.Price, ok = amount(price); !ok {
		return step, false
	}
	if z.Kind == cart.ShippingByPrice {
		step.From, ok = amount(limit)
		return step, ok
	}
	grams, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(limit), "g")), 10, 64)
	step.Grams = grams
	return step, err == nil
}

// saveShipping puts the table that was typed, or shows the form with one zone more.
func (v *visit) saveShipping(d desk) error {
	f := v.readZones(d)
	again := func(status int, form views.Form) error {
		own, market, err := v.tables(d)
		if err != nil {
			return err
		}
		if status != http.StatusConflict {
			own.Version = f.version // the form goes on from where it was opened
		}
		return v.showShipping(status, d, own, market, f, form)
	}
	if v.field("add") != "" {
		f.rows = min(f.rows+1, zonesMost)
		return again(http.StatusOK, views.Form{Key: v.field("key"), Values: f.typed})
	}
	if len(f.wrong) == 0 && len(f.zones) == 0 {
		return again(http.StatusBadRequest, views.Form{Key: v.field("key"), Values: f.typed, Problem: "A table has at least one zone."})
	}
	if len(f.wrong) > 0 {
		form := views.NewForm(f.typed, f.wrong)
		form.Key = v.field("key")
		return again(http.StatusBadRequest, form)
	}
	_, err := v.Cart.PutShipping(v.ctx(), cart.PutShippingRequest{
		By: v.by, Key: v.key(), Table: cart.ShippingTable{Seller: d.seller, Zones: f.zones, Version: f.version},
	})
	if err == nil {
		return v.done(d.path, views.Flash{Text: "The table is saved. It applies to every quote from now on.", Tone: views.Good})
	}
	if !formFails(err) {
		return err
	}
	return again(httpx.Status(err), v.refusedForm(err, f.typed, f.names))
}

// endShipping withdraws the seller's own table.
func (v *visit) endShipping(d desk) error {
	version, _ := strconv.ParseInt(v.field("version"), 10, 64) // nonsense is version 0, which is refused
	_, err := v.Cart.PutShipping(v.ctx(), cart.PutShippingRequest{By: v.by, Key: v.key(), Table: cart.ShippingTable{Seller: d.seller, Version: version}})
	switch {
	case err == nil:
		return v.done(d.path, views.Flash{Text: "Your table is withdrawn: the marketplace's applies.", Tone: views.Good})
	case errs.KindOf(err) == errs.Conflict || errs.KindOf(err) == errs.Invalid:
		return v.done(d.path, views.Flash{Text: problemText(errs.As(err)), Tone: views.Bad})
	default:
		return err
	}
}
