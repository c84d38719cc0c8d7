package storefront_test

import (
	"fmt"
	"strconv"

	"souk/internal/platform/clock"
	"souk/internal/platform/money"
	"souk/internal/storefront/views"
)

// sampleTime is a moment in the sample pages.
var sampleTime = func() clock.Time {
	t, err := clock.Parse("2026-05-04T14:05:00Z")
	if err != nil {
		panic(err)
	}
	return t
}()

const sampleHour = 3600 * 1000 // milliseconds

func eur(minor int64) money.Money { return money.Money{Minor: minor, Currency: "EUR"} }

// sampleThings are titles and categories as real as those of a feed, long ones included.
var sampleThings = []struct {
	title, kind, seller string
	hue                 int
	minor               int64
}{
	{"Brass desk lamp with linen shade", "home/lighting", "North Lamp Works", 32, 8900},
	{"HP Pavilion dv7-1211ea Notebook Silver 43.2 cm (17\") 1440 x 900 pixels Intel® Core™2 Duo 4 GB DDR2-SDRAM 250 GB HDD", "electronics/notebooks", "Second Byte", 215, 10995},
	{"Stoneware bowl, ash glaze", "home/table", "Casa Lume", 32, 2450},
	{"Xerox 006R90321 toner cartridge Original Black 6 pc(s)", "electronics/toner", "Office Attic", 215, 4995},
	{"Linen shirt", "clothing/shirts", "Atelier Nord", 340, 7200},
	{"Walnut serving board", "home/table", "Casa Lume", 32, 3900},
	{"Field notes, pack of three", "paper/notebooks", "Papier & Fils", 150, 1290},
	{"Merino socks, two pairs", "clothing/socks", "Atelier Nord", 340, 1850},
	{"Enamel coffee pot, 1.2 l", "home/kitchen", "Blue Kettle", 32, 4200},
	{"Rye sourdough starter, dried", "food/baking", "Mill & Daughter", 80, 690},
	{"Cedar bird box", "garden/birds", "Hedge Row", 110, 2600},
	{"Cycling cap, wool", "sport/cycling", "Col & Co", 265, 3300},
}

func samplePage(title string, area views.Area, here string) views.Page {
	return views.Page{
		Title: title, Area: area, Here: here, CartCount: 3, Demo: true,
		Departments: []views.Link{
			{Text: "Home", URL: "/c/home", Current: true},
			{Text: "Clothing", URL: "/c/clothing"},
			{Text: "Electronics", URL: "/c/electronics"},
			{Text: "Paper", URL: "/c/paper"},
			{Text: "Food", URL: "/c/food"},
			{Text: "Garden", URL: "/c/garden"},
			{Text: "Sport", URL: "/c/sport"},
		},
		Work: views.WorkList{views.PathSellerOrders: 4, views.PathOpSellers: 2, views.PathOpEvents: 1},
	}
}

func signedIn(p views.Page) views.Page {
	p.Viewer = views.Viewer{SignedIn: true, Name: "Ines", Seller: "Atelier Nord", Operator: true}
	return p
}

func samplePicture(i int) views.Picture {
	thing := sampleThings[i%len(sampleThings)]
	p := views.Picture{Tile: views.Tile{Hue: thing.hue, Kind: thing.kind, Title: thing.title}}
	if i%3 == 1 { // does not load: the tile must show
		p.URL = fmt.Sprintf("/broken/%d.jpg", i)
	}
	if i%5 == 2 {
		p.URL = "/picture.svg"
	}
	return p
}

func sampleCards(n int) []views.Card {
	cards := make([]views.Card, n)
	for i := range cards {
		thing := sampleThings[i%len(sampleThings)]
		cards[i] = views.Card{
			URL: fmt.Sprintf("/l/lst_%d", i), Title: thing.title, Picture: samplePicture(i),
			Price: eur(thing.minor), From: i%4 == 0,
			Seller: views.Link{Text: thing.seller, URL: "/s/" + thing.kind},
		}
		switch i % 6 {
		case 2:
			cards[i].Why = "/operator/search/why?q=lamp"
			cards[i].Reasons = &views.Reasons{Score: "+1.81", Parts: []views.WhyPart{{Text: "Having “lamp” next to the word before", Points: "+1.91"}, {Text: "Being in stock", Points: "-0.10"}}, Rules: []views.Link{{Text: "In “lamp” at place 3", URL: "/operator/search/rules/rul_1"}}}
		case 3:
			cards[i].Stock = views.Status{Text: "Only 2 left", Tone: views.Warn}
		case 4:
			cards[i].Options = "4 sizes, 3 colours"
		case 5:
			cards[i].Stock = views.Status{Text: "Sold out", Tone: views.Bad}
		}
	}
	return cards
}

func sampleQuote() views.Quote {
	line := func(text, note string, minor int64) views.QuoteLine {
		return views.QuoteLine{Text: text, Note: note, Amount: eur(minor)}
	}
	return views.Quote{
		ID: "q_8f2",
		Sellers: []views.QuoteSeller{
			{Seller: "Atelier Nord", Total: eur(13870), Lines: []views.QuoteLine{
				line("Goods", "", 14400), line("SPRING10", "10 % off, paid by the seller", -1020), line("Shipping", "Standard, 2 to 4 days; flat rate", 490),
			}},
			{Seller: "North Lamp Works", Total: eur(9650), Lines: []views.QuoteLine{
				line("Goods", "", 8900), line("Shipping", "Parcel, 3 to 5 days; by weight, 1.8 kg", 750),
			}},
		},
		Lines: []views.QuoteLine{
			line("Goods", "", 23300), line("Discount", "", -1020), line("Shipping", "", 1240),
			{Text: "VAT 20 %, included", Amount: eur(3920), Included: true},
		},
		Total: eur(23520),
	}
}

func sampleCountries() []views.Choice {
	return []views.Choice{
		{Value: "", Text: "Choose a country"},
		{Value: "FR", Text: "France", Chosen: true},
		{Value: "DE", Text: "Germany"},
		{Value: "US", Text: "United States"},
	}
}

func sampleBars() *views.Bars {
	out := views.Bars{Title: "Prices from €5.00 to €400.00, most of them from €60.00 to €79.99", Low: "€5.00", High: "€400.00", Wide: 200, Tall: 48}
	for i, high := range []int{4, 12, 30, 48, 40, 22, 12, 6, 0, 3} {
		out.Bars = append(out.Bars, views.Bar{X: 20 * i, Y: 48 - high, Width: 19, Height: high, Text: "Some listings", Out: i > 5})
	}
	return &out
}

func sampleSuggestions() views.Suggestions {
	out := views.Suggestions{Items: []views.Suggestion{
		{Text: "desk lamp", URL: "/search?q=desk+lamp"},
		{Text: "Lighting", URL: "/c/home/lighting", Note: "category in Home"},
		{Text: "Lamptec", URL: "/search?brand=Lamptec", Note: "brand"},
	}}
	for i := range 2 {
		picture, price := samplePicture(i), eur(sampleThings[i].minor)
		out.Items = append(out.Items, views.Suggestion{Text: sampleThings[i].title, URL: fmt.Sprintf("/gallery/listing?n=%d", i), Picture: &picture, Price: &price})
	}
	return out
}

func sampleResults(kind views.ResultsKind, heading string) views.Results {
	values := func(param string, texts ...string) []views.Choice {
		out := make([]views.Choice, len(texts))
		for i, text := range texts {
			out[i] = views.Choice{Text: text, ID: "facet-" + param + strconv.Itoa(i), URL: "/search?q=lamp&" + param + "=" + text, Count: 214 / (i + 1)}
		}
		out[0].Chosen = true
		return out
	}
	return views.Results{
		Page: samplePage(heading, views.AreaShop, "/search?q=lamp"), Kind: kind, Heading: heading,
		Facets: []views.Facet{
			{Name: "category", Label: "Category", Values: values("category", "Lighting", "Desk lamps", "Kitchen", "Notebooks")},
			{Name: "price", Label: "Price", Range: &views.Range{ID: "price", MinName: "min", MaxName: "max", Max: "200", Unit: "EUR", Keep: []views.Hidden{{Name: "q", Value: "lamp"}}}, Bars: sampleBars()},
			{Name: "brand", Label: "Brand", Values: values("brand", "Anglepoise", "Hewlett-Packard", "Xerox", "Casa Lume"), More: "/search?q=lamp&all=brand"},
			{Name: "attr", Label: "Material", Values: values("attr-m", "Brass wire", "Ebony", "Bronze"), Fewer: "/search?q=lamp", Cut: "There are more than these 500.", Find: &views.Find{Action: "/search", Text: "b", Keep: []views.Hidden{{Name: "all", Value: "attr:Colour"}, {Name: "q", Value: "lamp"}}}},
			{Name: "seller", Label: "Seller", Values: values("seller", "North Lamp Works", "Second Byte", "Papier & Fils")},
			{Name: "stock", Label: "Stock", Values: values("stock", "In stock")},
			{Name: "attr", Label: "Weight", Range: &views.Range{ID: "facet-0a1b2c3d", MinName: "from", MaxName: "to", Min: "1.5", MinHint: "0.5", MaxHint: "12", Unit: "kg", Keep: []views.Hidden{{Name: "of", Value: "Weight"}, {Name: "unit", Value: "kg"}, {Name: "q", Value: "lamp"}}}, Values: values("attr-w", "1.5 kg", "2 kg")},
			{Name: "attr", Label: "Colour", About: true, Values: values("attr", "Brass", "Black", "White")},
		},
		Chips: []views.Chip{
			{Label: "Category", Text: "Lighting", URL: "/search?q=lamp&brand=Anglepoise"},
			{Label: "Price", Text: "up to €200.00", URL: "/search?q=lamp"},
		},
		ClearURL: "/search?q=lamp",
		Sorts: []views.Choice{
			{Text: "Best match", URL: "/search?q=lamp", Chosen: true},
			{Text: "Price, low to high", URL: "/search?q=lamp&sort=price_up"},
			{Text: "Newest", URL: "/search?q=lamp&sort=newest"},
		},
		Cards: sampleCards(24),
		Pager: views.Pager{Next: "/search?q=lamp&cursor=abc", Shown: 24, Total: 1214, Noun: "listing", Nouns: "listings"},
	}
}

func sampleListing() views.Listing {
	p := samplePage("Linen shirt", views.AreaShop, "/l/lst_4?variant=var_2")
	p.Crumbs = []views.Link{{Text: "Clothing", URL: "/c/clothing"}, {Text: "Shirts", URL: "/c/clothing/shirts"}}
	was := eur(8400)
	broken := samplePicture(4)
	broken.URL, broken.Alt = "/broken/large.jpg", "A linen shirt on a hanger"
	return views.Listing{
		Page: p, URL: "/l/lst_4", Heading: "Linen shirt, garment washed, with mother-of-pearl buttons",
		Brand:    &views.Link{Text: "Atelier Nord", URL: "/search?brand=Atelier+Nord"},
		Pictures: []views.Picture{broken, samplePicture(1), samplePicture(2)},
		Description: []string{
			"Cut wide and worn soft. The linen is woven in Normandy from flax grown within sight of the mill, washed after sewing so that it neither shrinks nor needs ironing.",
			"Runs large: if in doubt take the smaller size.",
		},
		Attributes: []views.Pair{{Name: "Material", Value: "100 % linen"}, {Name: "Weight", Value: "165 g/m²"}, {Name: "Care", Value: "30 °C, line dry"}, {Name: "Made in", Value: "France"}},
		Options: []views.Option{
			{Label: "Size", Values: []views.OptionValue{
				{Text: "S", URL: "/l/lst_4?variant=var_1"},
				{Text: "M", URL: "/l/lst_4?variant=var_2", Chosen: true},
				{Text: "L", URL: "/l/lst_4?variant=var_3", SoldOut: true},
				{Text: "XXL", None: true},
			}},
			{Label: "Colour", Values: []views.OptionValue{
				{Text: "Natural", URL: "/l/lst_4?variant=var_2", Chosen: true}, {Text: "Deep blue", URL: "/l/lst_4?variant=var_9"},
			}},
		},
		Variant: "var_2", SKU: "LS-M-NAT", GTIN: "4006381333931",
		Price: eur(7200), Was: &was, TaxNote: "including VAT",
		Stock: views.Status{Text: "In stock, 12 left", Tone: views.Good}, Buyable: true, Max: 12, Quantity: 1,
		Ships:  "Delivery to France €4.90, 2 to 4 days.",
		Seller: views.Link{Text: "Atelier Nord", URL: "/s/atelier-nord"}, SellerNote: "Atelier Nord SARL, Caen, France · 48 listings",
		Similar: &views.Shelf{Title: "More from Atelier Nord", Link: &views.Link{Text: "See all 48", URL: "/s/atelier-nord"}, Cards: sampleCards(5)},
	}
}

func sampleCart() views.Cart {
	line := func(i int, notices ...views.Status) views.CartLine {
		thing := sampleThings[i]
		return views.CartLine{
			ID: fmt.Sprintf("var_%d", i), URL: fmt.Sprintf("/l/lst_%d", i), Title: thing.title, Options: "Size M, natural", Picture: samplePicture(i),
			Unit: eur(thing.minor), Quantity: 2, Max: 12, Total: eur(2 * thing.minor), Notices: notices,
			UpdateURL: fmt.Sprintf("/cart/lines/var_%d", i), RemoveURL: fmt.Sprintf("/cart/lines/var_%d/remove", i),
		}
	}
	quote := sampleQuote()
	quote.Estimate = "Shipping and tax become certain with your address."
	return views.Cart{
		Page:  samplePage("Cart", views.AreaShop, "/cart"),
		Units: 6, Ready: true, Changed: true, Quote: quote,
		Coupons: []views.AppliedCoupon{{Code: "SPRING10", Text: "10 % off everything by Atelier Nord, paid by the seller", RemoveURL: "/cart/coupon/SPRING10/remove"}},
		Groups: []views.CartGroup{
			{Seller: views.Link{Text: "Atelier Nord", URL: "/s/atelier-nord"}, Goods: eur(14400), Lines: []views.CartLine{
				line(4, views.Status{Text: "The price changed from €70.00 to €72.00 since you added it.", Tone: views.Warn}),
				line(7),
			}},
			{Seller: views.Link{Text: "Second Byte", URL: "/s/second-byte"}, Goods: eur(21990), Lines: []views.CartLine{
				line(1, views.Status{Text: "Only 1 left.", Tone: views.Bad}),
			}},
		},
	}
}

func sampleCheckout() views.Checkout {
	return views.Checkout{
		Page: samplePage("Checkout", views.AreaCheckout, "/checkout"), Cart: "7", Quote: sampleQuote(), Units: 3, Ready: true, Due: true, Sandbox: true,
		Form:      views.Form{Key: "key_checkout", Values: map[string]string{"email": "ines@example.com", "name": "Ines Roux", "line1": "12 rue des Lilas", "postal_code": "14000", "city": "Caen", "country": "FR"}},
		Countries: sampleCountries(),
		Shipping: []views.ShippingGroup{
			{Seller: "Atelier Nord", Goods: "2 items", Text: "Standard, 2 to 4 days, €4.90"},
			{Seller: "North Lamp Works", Goods: "1 item", Name: "shipping.sel_2", Choices: []views.Choice{{Value: "std", Text: "Parcel, 3 to 5 days, €7.50", Chosen: true}, {Value: "exp", Text: "Express, tomorrow, €14.00"}}},
		},
		Methods: []views.Choice{{Value: "card", Text: "Card that is always accepted", Help: "Pays at once.", Chosen: true}, {Value: "redirect", Text: "Card to approve at the bank", Help: "Leads to the provider and back."}},
	}
}

// sampleOperatorOrder is an order of whose money some does not go back.
func sampleOperatorOrder(p views.Page) views.OrderPage {
	o := sampleOrder()
	o.Troubles = []views.Link{
		{Text: "A refund of €246.50 was refused.", URL: "/operator/refunds?order=ord_1"},
		{Text: "€19.99 came after the order had ended, and the provider will not take it back.", URL: "/operator/refunds?order=ord_1"},
	}
	return views.OrderPage{Page: p, Order: o}
}

func sampleOrder() views.Order {
	line := func(i int, notes ...string) views.OrderLine {
		thing := sampleThings[i]
		return views.OrderLine{Title: thing.title, Options: "Size M, natural", SKU: "LS-M-NAT", URL: fmt.Sprintf("/l/lst_%d", i), Picture: samplePicture(i), Quantity: 2, Unit: eur(thing.minor), Total: eur(2 * thing.minor), Notes: notes}
	}
	quote := sampleQuote()
	return views.Order{
		Number: "S-2605-4F7K", URL: "/orders/ord_1", SummaryURL: "/orders/ord_1/summary", PlacedAt: sampleTime,
		Status: views.Status{Text: "Partly shipped: one of two sellers has sent its parcel", Tone: views.Good},
		Quote:  quote, Contact: []string{"Ines Roux", "ines@example.com"},
		Delivery: []string{"Ines Roux", "12 rue des Lilas", "14000 Caen", "France"},
		Payments: []views.PaymentRow{{Text: "Paid by card", Amount: eur(23520), At: sampleTime, Tone: views.Good}},
		Parts: []views.OrderPart{
			{
				Number: "S-2605-4F7K-1", Seller: views.Link{Text: "Atelier Nord", URL: "/s/atelier-nord"}, Legal: []string{"Atelier Nord SARL", "3 quai Vendeuvre", "14000 Caen, France", "FR 40 303 265 045"},
				Status: views.Status{Text: "Shipped on 5 May, two parcels", Tone: views.Good}, Lines: []views.OrderLine{line(4, "2 shipped"), line(7, "1 shipped, 1 cancelled")},
				Parcels: []views.Parcel{{Number: "Parcel 1", Status: views.Status{Text: "On its way"}, Carrier: "Colissimo", Tracking: "8R44120045", TrackURL: "https://tracking.example/8R44120045", ShippedAt: sampleTime + 20*sampleHour, Lines: []string{"2 × Linen shirt, M"}}},
				Sums:    quote.Sellers[0].Lines, Total: quote.Sellers[0].Total,
			},
			{
				Number: "S-2605-4F7K-2", Seller: views.Link{Text: "North Lamp Works", URL: "/s/north-lamp-works"}, Legal: []string{"North Lamp Works Ltd", "1 Foundry Lane", "Leeds, United Kingdom"},
				Status: views.Status{Text: "Being packed"}, Lines: []views.OrderLine{line(0)}, Sums: quote.Sellers[1].Lines, Total: quote.Sellers[1].Total,
				Acts: []views.Act{{Text: "Cancel this part and refund €96.50", URL: "/orders/ord_1/parts/sor_2/cancel"}},
			},
		},
		Timeline: []views.Happening{
			{Text: "Atelier Nord shipped a parcel", At: sampleTime + 20*sampleHour, By: "Atelier Nord", Tone: views.Good},
			{Text: "Payment of €235.20 received", At: sampleTime + 2000, By: "souk", Tone: views.Good},
			{Text: "A first card was declined", At: sampleTime + 1000, By: "souk", Tone: views.Bad},
			{Text: "Order placed", At: sampleTime, By: "you"},
		},
		Acts: []views.Act{{Text: "Cancel what is not shipped and refund €96.50", URL: "/orders/ord_1/cancel"}},
	}
}

func sampleOrderRows() []views.OrderRow {
	row := func(i int, text string, tone views.Tone) views.OrderRow {
		return views.OrderRow{
			Number: fmt.Sprintf("S-2605-4F%dK", i), URL: fmt.Sprintf("/orders/ord_%d", i), PlacedAt: sampleTime - clock.Time(i*30*sampleHour), Status: views.Status{Text: text, Tone: tone},
			Total: eur(int64(23520 - i*1999)), Units: i + 1, Sellers: "Atelier Nord and Casa Lume", Pictures: []views.Picture{samplePicture(i), samplePicture(i + 2)},
		}
	}
	return []views.OrderRow{
		row(1, "Waiting for the payment provider", views.Warn), row(2, "Shipped on 4 May, two parcels", views.Good),
		row(3, "Cancelled and refunded", ""), row(4, "Delivered on 20 April", views.Good), row(5, "Not placed: the payment was declined", views.Bad),
	}
}
