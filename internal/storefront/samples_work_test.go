package storefront_test

import (
	"fmt"

	"souk/internal/platform/clock"
	"souk/internal/storefront/views"
)

// samples are every page in every state worth looking at, by name.
func samples() map[string]views.View {
	all := shopSamples()
	for name, v := range accountSamples() {
		all[name] = v
	}
	for name, v := range sellerSamples() {
		all[name] = v
	}
	for name, v := range operatorSamples() {
		all[name] = v
	}
	return all
}

func shopSamples() map[string]views.View {
	home := views.Home{Page: samplePage("", views.AreaShop, "/"), Listings: 342, Sellers: 12}
	for i, d := range home.Departments {
		home.Tiles = append(home.Tiles, views.Department{Link: views.Link{Text: d.Text, URL: d.URL, Count: 20 + i*17}, Tile: views.Tile{Hue: 32 + i*47, Title: d.Text}})
	}
	home.Shelves = []views.Shelf{{Title: "New this week", Link: &views.Link{Text: "All new things", URL: "/search?sort=newest"}, Cards: sampleCards(10)}}
	for _, thing := range sampleThings {
		home.Shops = append(home.Shops, views.Link{Text: thing.seller, URL: "/s/x", Count: 28})
	}

	search := sampleResults(views.ResultsSearch, "“lamp”")
	search.Search = "lamp"
	search.Cards[0].Highlight = []views.Run{{Text: "Brass desk "}, {Text: "lamp", Marked: true}, {Text: " with linen shade"}}
	category := sampleResults(views.ResultsCategory, "Lighting")
	category.Intro = "Lamps to read by, lamps to look at."
	category.Crumbs = []views.Link{{Text: "Home", URL: "/c/home"}}
	category.Children = []views.Link{{Text: "Desk lamps", URL: "/c/home/lighting/desk", Count: 31}, {Text: "Pendants", URL: "/c/home/lighting/pendants", Count: 12}}
	category.Chips, category.ClearURL = nil, ""
	nothing := sampleResults(views.ResultsSearch, "“lammp”")
	nothing.Cards, nothing.Facets, nothing.Sorts = nil, nil, nil
	nothing.Pager = views.Pager{Noun: "listing", Nouns: "listings"}
	nothing.DidYouMean = &views.Link{Text: "lamp", URL: "/search?q=lamp"}
	nothing.Empty = views.Empty{Title: "Nothing fits all of that", Text: "Take a filter away, or search with fewer words.", Links: []views.Link{{Text: "Without filters", URL: "/search?q=lammp"}, {Text: "See everything", URL: "/search"}}}

	nothing.Offers = []views.Offer{
		{Before: "Search for", Link: views.Link{Text: "lamp", URL: "/search?q=lamp", Count: 1214}},
		{Before: "Everything in", Link: views.Link{Text: "Lighting", URL: "/search?category=home%2Flighting", Count: 214}},
	}
	then := sampleResults(views.ResultsSearch, "“memory car”")
	then.Then = &views.Then{First: views.Link{Text: "memory car", URL: "/search?exact=1&q=memory+car"}, Then: views.Link{Text: "memory card", URL: "/search?q=memory+card"}}
	instead := sampleResults(views.ResultsSearch, "“lmap”")
	instead.Instead = &views.Instead{Text: "lamp", Shown: "/search?q=lamp", Typed: views.Link{Text: "lmap", URL: "/search?exact=1&q=lmap"}}

	added := sampleListing()
	added.Flash = &views.Flash{Text: "Added to the cart.", Tone: views.Good, Link: &views.Link{Text: "Go to the cart", URL: "/cart"}, Undo: &views.Act{Text: "Take it out again", URL: "/cart/lines/var_2/remove"}}
	long := sampleListing()
	long.Heading, long.Options, long.Pictures = sampleThings[1].title, nil, []views.Picture{{Tile: views.Tile{Hue: 215, Title: "HP Pavilion"}}}
	long.Buyable, long.Was, long.Brand, long.Stock = false, nil, nil, views.Status{Text: "Sold out", Tone: views.Bad}
	withdrawn := sampleListing()
	withdrawn.Withdrawn = true

	empty := views.Cart{Page: samplePage("Cart", views.AreaShop, "/cart"), Empty: views.Empty{Title: "Your cart is empty", Text: "What you put into it stays for thirty days.", Links: []views.Link{{Text: "Look around", URL: "/"}}}}
	coupon := sampleCart()
	coupon.Coupon = views.NewForm(map[string]string{"code": "SPRNG"}, map[string]string{"code": "There is no coupon with this code."})
	coupon.Groups[1].Lines[0].Blocked = true
	coupon.Flash = &views.Flash{Text: "The coupon was not used.", Tone: views.Bad}
	coupon.Ready, coupon.Why = false, "Take out what is sold out, then you can check out."

	wrong := sampleCheckout()
	wrong.Form = views.NewForm(map[string]string{"email": "ines@", "name": ""}, map[string]string{"email": "This is no e-mail address.", "name": "A name is needed for the parcel.", "line1": "A street and number are needed."}, "email", "name", "line1")
	wrong.Ready, wrong.Shipping = false, nil
	wrong.Quote.Changed, wrong.Quote.Changes = "The total changed from €231.20 to €235.20.", []string{"Linen shirt: €70.00 is now €72.00"}
	saved := sampleCheckout()
	saved.Page = signedIn(saved.Page)
	saved.Saved = []views.SavedAddress{{ID: "adr_1", Lines: []string{"Ines Roux", "12 rue des Lilas", "14000 Caen", "France"}, Chosen: true}, {ID: "adr_2", Lines: []string{"Office, Ines Roux", "1 quai Vendeuvre", "14000 Caen", "France"}}}

	waiting := views.Waiting{Page: samplePage("Payment", views.AreaCheckout, "/checkout/ord_1"), Number: "S-2605-4F7K", Amount: eur(23520), Since: sampleTime, Until: sampleTime + sampleHour, URL: "/checkout/ord_1"}
	waiting.Refresh = 3
	approve := waiting
	approve.Approve = &views.Link{Text: "Approve €235.20", URL: "/pay/approve/x"}

	return map[string]views.View{
		"home": home, "search": search, "category": category, "search-empty": nothing, "search-instead": instead, "search-then": then,
		"suggestions": sampleSuggestions(),
		"listing":     sampleListing(), "listing-added": added, "listing-sold-out": long, "listing-withdrawn": withdrawn,
		"cart": sampleCart(), "cart-empty": empty, "cart-coupon": coupon,
		"checkout": sampleCheckout(), "checkout-wrong": wrong, "checkout-saved": saved, "waiting": waiting, "waiting-approve": approve,
		"confirmation": views.Confirmation{Page: samplePage("Thank you", views.AreaShop, "/orders/ord_1/thanks"), Order: sampleOrder(), Email: "ines@example.com", GuestURL: "http://localhost:8080/orders/ord_1?k=9f8e7d6c5b4a39281706f5e4d3c2b1a0", Register: true},
		"rejected": views.Rejected{
			Page: samplePage("Not placed", views.AreaShop, "/checkout/ord_1"), Number: "S-2605-4F7K", Heading: "Your bank declined the payment",
			Text: "Nothing was charged, and your cart is as it was. Another card often works.", Actions: []views.Link{{Text: "Try another way to pay", URL: "/checkout"}, {Text: "Back to the cart", URL: "/cart"}},
		},
		"failure-404": views.Failure{Page: samplePage("Not found", views.AreaShop, "/nowhere"), Status: 404, Request: "req_01jx"},
		"failure-503": views.Failure{Page: samplePage("Back in a moment", views.AreaShop, "/search"), Status: 503, Retry: 2, Request: "req_01jx"},
	}
}

func accountSamples() map[string]views.View {
	page := func(title, here string) views.Page { return signedIn(samplePage(title, views.AreaAccount, here)) }
	orders := views.Orders{
		Page: page("Orders", "/orders"), States: []views.Choice{{Text: "All", URL: "/orders", Chosen: true}, {Text: "On their way", URL: "/orders?state=open", Count: 2}, {Text: "Delivered", URL: "/orders?state=completed"}},
		Rows: sampleOrderRows(), Pager: views.Pager{First: "/orders", Next: "/orders?cursor=x", Shown: 5, Total: 41, Noun: "order", Nouns: "orders"},
	}
	none := views.Orders{Page: page("Orders", "/orders?number=X"), Number: "X", Chips: []views.Chip{{Label: "Number", Text: "X", URL: "/orders"}}, Empty: views.Empty{Title: "No order with this number", Text: "The number stands in the receipt, as S-2605-4F7K.", Links: []views.Link{{Text: "All orders", URL: "/orders"}}}}
	account := views.Account{
		Page: page("Account", "/account"), Name: "Ines Roux", Email: "ines@example.com",
		Profile:  views.Form{ID: "profile", Values: map[string]string{"name": "Ines Roux"}},
		Password: views.Form{ID: "change", Errors: []views.FieldError{{Field: "current", Text: "This is not your password now."}}},
		Token:    views.Form{ID: "token"}, NewToken: "souk_pat_5m7q2v8x4z6b9n1c3k5j7h9g",
		Scopes:   []views.Choice{{Value: "read", Text: "Read", Help: "See what you see.", Chosen: true}, {Value: "shop", Text: "Shop", Help: "Fill carts, check out, cancel."}, {Value: "sell", Text: "Sell"}},
		Sessions: []views.Session{{Device: "Firefox on Linux", SignedIn: sampleTime, LastUsed: sampleTime, This: true}, {Device: "Safari on iPhone", SignedIn: sampleTime, LastUsed: sampleTime, EndURL: "/account/sessions/ses_2/end"}},
		Tokens:   []views.Token{{Name: "stock sync", Hint: "9g4h", Scopes: "read, sell", Created: sampleTime, RevokeURL: "/account/tokens/tok_1/revoke"}},
	}
	signIn := views.SignIn{Page: samplePage("Sign in", views.AreaAccount, "/sign-in"), Back: "/orders", Why: "Sign in to see your orders.", Form: views.Form{Problem: "The e-mail address or the password is not right.", Values: map[string]string{"email": "ines@example.com"}}}
	return map[string]views.View{
		"orders": orders, "orders-empty": none, "order": views.OrderPage{Page: page("Order S-2605-4F7K", "/orders/ord_1"), Order: sampleOrder()},
		"summary": views.Summary{Page: page("Order S-2605-4F7K", "/orders/ord_1/summary"), Order: sampleOrder(), Printed: sampleTime, Operator: []string{"Souk Markets SAS", "Caen, France"}},
		"sign-in": signIn, "sign-up": views.SignUp{Page: samplePage("Make an account", views.AreaAccount, "/sign-up")},
		"account": account,
		"addresses": views.Addresses{Page: page("Addresses", "/account/addresses"), Addresses: []views.Address{
			{Label: "Home", Lines: []string{"Ines Roux", "12 rue des Lilas", "14000 Caen", "France"}, Default: true, EditURL: "/account/addresses/adr_1", RemoveURL: "/account/addresses/adr_1/remove"},
			{Lines: []string{"Ines Roux", "1 quai Vendeuvre", "14000 Caen", "France"}, EditURL: "/account/addresses/adr_2", DefaultURL: "/account/addresses/adr_2/default", RemoveURL: "/account/addresses/adr_2/remove"},
		}},
		"address": views.AddressForm{Page: page("New address", "/account/addresses/new"), New: true, Action: "/account/addresses/new", Countries: sampleCountries()},
	}
}

func sellerSamples() map[string]views.View {
	page := func(title, here string) views.Page { return signedIn(samplePage(title, views.AreaSeller, here)) }
	columns := func(base string, texts ...string) []views.Column {
		out := make([]views.Column, len(texts))
		for i, text := range texts {
			out[i] = views.Column{Text: text, URL: base + "?sort=" + fmt.Sprint(i), Number: i >= len(texts)-2}
		}
		out[1].Sorted = "descending"
		return out
	}
	listings := views.SellerListings{
		Page: page("Listings", "/sell/listings"), States: []views.Choice{{Text: "All", URL: "/sell/listings", Chosen: true}, {Text: "Active", URL: "/sell/listings?state=active", Count: 40}, {Text: "Drafts", URL: "/sell/listings?state=draft", Count: 8}},
		Columns: []views.Column{{Text: "Listing", URL: "/sell/listings?sort=title"}, {Text: "State"}, {Text: "Price", Number: true}, {Text: "Available", URL: "/sell/listings?sort=stock", Number: true}, {Text: "Changed", URL: "/sell/listings?sort=changed", Sorted: "descending"}},
		Bulk:    []views.Choice{{Value: "archive", Text: "Archive"}, {Value: "activate", Text: "Put on offer"}}, CSV: "/sell/listings.csv",
		Pager: views.Pager{Next: "/sell/listings?cursor=x", Shown: 12, Total: 48, Noun: "listing", Nouns: "listings"},
	}
	for i, thing := range sampleThings {
		row := views.SellerListingRow{ID: fmt.Sprintf("lst_%d", i), Title: thing.title, URL: fmt.Sprintf("/sell/listings/lst_%d", i), SKU: fmt.Sprintf("AN-%03d", i), Variants: 1 + i%4, Picture: samplePicture(i), Status: views.Status{Text: "On offer", Tone: views.Good}, Price: eur(thing.minor), Available: i * 3 % 7, ChangedAt: sampleTime - clock.Time(i*sampleHour)}
		if i%5 == 3 {
			row.Status = views.Status{Text: "Draft"}
		}
		listings.Rows = append(listings.Rows, row)
	}
	rows := sampleOrderRows()
	for i := range rows {
		rows[i].Sellers, rows[i].Buyer = "", "Ines Roux, Caen"
	}
	edit := views.SellerListing{
		Page: page("Linen shirt", "/sell/listings/lst_4"), Action: "/sell/listings/lst_4", Status: views.Status{Text: "On offer", Tone: views.Good}, PublicURL: "/l/lst_4", Version: 7, Currency: "EUR",
		Form: views.NewForm(map[string]string{"title": "Linen shirt", "description": "Cut wide and worn soft.", "sku.0": "LS-M-NAT", "options.0": "Size: M, Colour: natural", "price.0": "72.00", "stock.0": "14", "price.1": "7,2"},
			map[string]string{"price.1": "Write the price as 72.00."}, "title", "price.1"),
		Categories: []views.Choice{{Value: "cat_1", Text: "Clothing › Shirts", Chosen: true}, {Value: "cat_2", Text: "Clothing › Socks"}},
		States:     []views.Choice{{Value: "active", Text: "On offer", Chosen: true}, {Value: "draft", Text: "Draft"}}, Taxes: []views.Choice{{Value: "standard", Text: "Standard", Chosen: true}},
		Conditions: []views.Choice{{Value: "new", Text: "New", Chosen: true}, {Value: "used", Text: "Used"}},
		Rows:       []views.VariantRow{{ID: "var_1", Index: "0", Label: "Size M, natural", OnHand: 14, Held: 2, Available: 12}, {Index: "1", Label: "New variant", New: true}},
		Journal:    []views.StockMove{{At: sampleTime, Text: "Sold, order S-2605-4F7K-1", SKU: "LS-M-NAT", Change: "−2", After: 12}, {At: sampleTime - sampleHour, Text: "Received", SKU: "LS-M-NAT", Change: "+14", After: 14}},
		Acts:       []views.Act{{Text: "Archive this listing", URL: "/sell/listings/lst_4/archive"}},
	}
	part := sampleOrder().Parts[0]
	several := page("Selling", "/sell")
	several.Viewer.SellerID, several.Viewer.Shops = "sel_1", []views.Choice{{Value: "sel_1", Text: "Atelier Nord", Chosen: true}, {Value: "sel_2", Text: "Casa Lume"}}
	return map[string]views.View{
		"seller-home": views.SellerHome{
			Page: several, Name: "Atelier Nord",
			Needs:  []views.Need{{Count: 4, Text: "orders to ship", Note: "the oldest since 2 May", URL: "/sell/orders?state=to_ship", Tone: views.Warn}, {Count: 2, Text: "variants sold out", URL: "/sell/listings?state=sold_out", Tone: views.Bad}, {Count: 8, Text: "drafts", URL: "/sell/listings?state=draft"}, {Count: 0, Text: "rejected imports", URL: "/sell/listings"}},
			Orders: rows[:3], Low: []views.StockRow{{Link: views.Link{Text: "Linen shirt, L", URL: "/sell/listings/lst_4"}, SKU: "LS-L-NAT"}, {Link: views.Link{Text: "Merino socks", URL: "/sell/listings/lst_7"}, SKU: "MS-2", Available: 2}},
		},
		"seller-listings": listings, "seller-listing": edit,
		"seller-orders": views.SellerOrders{Page: page("Orders", "/sell/orders"), Columns: columns("/sell/orders", "Order", "Placed", "State", "Buyer", "Items", "Total"), Rows: rows, CSV: "/sell/orders.csv", Pager: views.Pager{Shown: 5, Total: -1, Next: "/sell/orders?cursor=x", Noun: "order", Nouns: "orders"}},
		"seller-order": views.SellerOrder{
			Page: page("Order S-2605-4F7K-1", "/sell/orders/sor_1"), Part: part, PlacedAt: sampleTime, Delivery: sampleOrder().Delivery, Contact: sampleOrder().Contact, Timeline: sampleOrder().Timeline,
			Ship: &views.ShipForm{Form: views.Form{ID: "ship"}, Action: "/sell/orders/sor_1/ship", Lines: []views.ShipLine{{ID: "lin_1", Title: "Linen shirt", Options: "Size M, natural", SKU: "LS-M-NAT", Left: 2}, {ID: "lin_2", Title: "Merino socks, two pairs", SKU: "MS-2", Left: 1}}},
		},
		"coupons": views.SellerCoupons{
			Page: page("Coupons", "/sell/coupons"), Action: "/sell/coupons", Currency: "EUR", Funder: "Atelier Nord",
			Columns: []views.Column{{Text: "Code", URL: "/sell/coupons?sort=code_up"}, {Text: "Takes off"}, {Text: "When", URL: "/sell/coupons?sort=when_up"}, {Text: "Used", URL: "/sell/coupons?sort=used_up", Sorted: "descending", Number: true}, {Text: "State"}, {Text: "Acts"}},
			CSV:     "/sell/coupons.csv", Pager: views.Pager{Shown: 1, Total: 1, Noun: "coupon", Nouns: "coupons"},
			Rows: []views.CouponRow{{Code: "SPRING10", URL: "/sell/coupons/cpn_1", Text: "10 % off from €50.00", Period: "until 31 May 2026 UTC", Used: 14, Limit: 100, Status: views.Status{Text: "Running", Tone: views.Good}, StopURL: "/sell/coupons/cpn_1/end"}},
		},
		"coupon":   views.Coupon{Page: page("Coupon SPRING10", "/sell/coupons"), Action: "/sell/coupons/cpn_1", Code: "SPRING10", Currency: "EUR", Funder: "Atelier Nord", Used: 14, Version: 2, Status: views.Status{Text: "Running", Tone: views.Good}, Form: views.Form{Values: map[string]string{"percent": "10", "minimum": "50.00", "ends": "2026-05-31"}}},
		"shipping": sampleShipping(page("Shipping", "/sell/shipping")),
		"apply":    views.Apply{Page: signedIn(samplePage("Sell on souk", views.AreaShop, "/sell/apply")), Asks: true, Countries: sampleCountries()},
		"apply-declined": views.Apply{Page: signedIn(samplePage("Your shop application", views.AreaShop, "/sell/apply")), Another: "/sell/apply?again=new", Applications: []views.Application{
			{Name: "Blue Kettle", Applied: sampleTime, Status: views.Status{Text: "Pending: a person is reading it", Tone: views.Warn}},
			{Name: "Kettle Shop", Applied: sampleTime - sampleHour, Status: views.Status{Text: "Declined", Tone: views.Bad}, Why: "The legal name does not match the tax number.", Link: &views.Link{Text: "Apply again", URL: "/sell/apply?again=sel_1"}},
			{Name: "Atelier Nord", Applied: sampleTime - 2*sampleHour, Status: views.Status{Text: "Approved: it may sell", Tone: views.Good}, Link: &views.Link{Text: "The shop as buyers see it", URL: "/s/atelier-nord"}},
		}},
	}
}

func sampleShipping(page views.Page) views.View {
	kinds := []views.Choice{{Value: "flat", Text: "One price", Chosen: true}, {Value: "by_weight", Text: "By weight"}, {Value: "by_price", Text: "By what the goods cost"}}
	return views.ShippingTable{
		Page: page, Action: "/sell/shipping", Version: 3, AnyCurrency: true,
		Zones: []views.ZoneRow{
			{Label: "Standard, 2 to 4 days", Countries: "Germany and Austria", Prices: []string{"€4.90", "goods from €50.00: free"}},
			{Label: "Parcel", Countries: "Everywhere else", Prices: []string{"up to 1,000 g: €9.90", "up to 5,000 g: €19.90", "goods that say no weight count 500 g"}},
		},
		Form:   views.NewForm(map[string]string{"label.0": "Standard, 2 to 4 days", "countries.0": "AT DE", "steps.0": "0: 4.90\n50: 0", "steps.1": "about five"}, map[string]string{"steps.1": "Write the price, as 4.90."}, "steps.1"),
		Fields: []views.ZoneField{{Index: "0", Label: "Standard, 2 to 4 days", Kinds: kinds, Currencies: []views.Choice{{Text: "any, and free"}, {Value: "EUR", Text: "EUR", Chosen: true}}}, {Index: "1", Label: "New zone", Kinds: kinds, Currencies: []views.Choice{{Text: "any, and free"}}}},
		Acts:   []views.Act{{Text: "Withdraw my table and ship as the marketplace does", URL: "/sell/shipping/withdraw"}},
	}
}

func sampleSearches(page views.Page) views.OperatorSearch {
	out := sampleNoSearches(page)
	out.Figures = []views.Figure{
		{Text: "Searches", Value: "12,480"},
		{Text: "Found nothing", Value: "7 %", Note: "874 searches"},
		{Text: "Corrected", Value: "4 %", Note: "499 searches"},
		{Text: "Results chosen", Value: "5,012", Note: "40 % of searches, at most"},
		{Text: "Among the first three", Value: "61 %", Note: "of what was chosen"},
		{Text: "Order lines after", Value: "311.4", Note: "within a day, at most"},
	}
	out.Plot = &views.Plot{
		Title: "12,480 searches in 7 days: 7 % of them found nothing.", Unit: "a day", Top: "2,000", First: sampleTime - 6*24*sampleHour, Last: sampleTime, Width: 600, Height: 200,
		Lines: []views.Line{
			{Text: "Searches", Points: "0,40 100,30 200,35 300,12 400,20 500,80 600,60", Ink: "ink"},
			{Text: "Found nothing", Points: "0,190 100,188 200,185 300,187 400,180 500,192 600,189", Ink: "bad", Dashes: "2 4"},
			{Text: "Results chosen", Points: "0,130 100,125 200,128 300,110 400,120 500,150 600,140", Ink: "good", Dashes: "8 4"},
		},
		Heads: []string{"Searches", "Found nothing", "Results chosen"},
	}
	for i := range 7 {
		out.Plot.Days = append(out.Plot.Days, views.PlotDay{Day: out.Plot.First + clock.Time(i)*24*sampleHour, Values: []int{1600 + 40*i, 100 + i, 700 - 9*i}})
	}
	out.Columns = []views.Column{
		{Text: "Text", URL: "/operator/search?sort=text_up"},
		{Text: "Searches", URL: "/operator/search?sort=searches_up", Sorted: "descending", Number: true},
		{Text: "Found nothing", URL: "/operator/search?sort=empty_down", Number: true},
		{Text: "Results chosen", Number: true},
		{Text: "Chosen by search", URL: "/operator/search?sort=chosen_down", Number: true},
		{Text: "Orders after", URL: "/operator/search?sort=bought_down", Number: true},
		{Text: "Help it"},
	}
	for i, text := range []string{"desk lamp", "lammp", "wireless noise cancelling headphones with microphone"} {
		out.Rows = append(out.Rows, views.SearchRow{
			Text: text, URL: "/search?q=x", Searches: 1204 / (i + 1), Empty: 430 * (i % 2), Clicks: 512 / (i + 1), Rate: "43 %", Bought: "12.5",
			Rules: []views.Link{{Text: "Synonym", URL: "/operator/search/rules?query=x"}, {Text: "Pin", URL: "/operator/search/rules?query=x"}},
		})
	}
	out.Only = []views.Choice{{Text: "All", URL: "/operator/search", Chosen: true}, {Text: "Found nothing", URL: "/operator/search?only=empty"}, {Text: "Nothing chosen", URL: "/operator/search?only=unchosen"}}
	out.Chips = []views.Chip{{Label: "With", Text: "lam", URL: "/operator/search"}}
	out.Keep = []views.Hidden{{Name: "only", Value: "empty"}}
	out.Query, out.CSV, out.Pager = "lam", "/operator/search.csv", views.Pager{Shown: 3, Total: 214, Next: "/operator/search?cursor=x", Noun: "text", Nouns: "texts"}
	return out
}

func sampleNoSearches(page views.Page) views.OperatorSearch {
	return views.OperatorSearch{
		Page: page, From: "2026-04-28", Until: "2026-05-04",
		Ranges: []views.Choice{{Text: "7 days", URL: "/operator/search", Chosen: true}, {Text: "30 days", URL: "/operator/search"}, {Text: "90 days", URL: "/operator/search"}},
		Empty:  views.Empty{Title: "Nobody has searched in these days", Text: "Here you will see what people search for and how often, what they do not find, which results they choose and what is bought after.", Links: []views.Link{{Text: "To the search", URL: "/search"}}},
		Notes:  []string{"Days are in UTC. Counts are kept for 90 days. A text is listed once it was searched for 3 times in these days; nothing is known of who searched."},
	}
}

func operatorSamples() map[string]views.View {
	page := func(title, here string) views.Page { return signedIn(samplePage(title, views.AreaOperator, here)) }
	modules := []views.ModuleRow{
		{Name: "accounts", Status: views.Status{Text: "Ready", Tone: views.Good}, Limit: 256, InFlight: 1},
		{Name: "catalog", Status: views.Status{Text: "Ready", Tone: views.Good}, Limit: 256, InFlight: 4},
		{Name: "search", Status: views.Status{Text: "One event parked", Tone: views.Warn}, Limit: 256, Parked: 1, Lag: 12},
		{Name: "payments", Status: views.Status{Text: "Not answering", Tone: views.Bad}, Limit: 128, InFlight: 128, Dead: 2, Panics: 1},
	}
	tabs := []views.Choice{{Text: "All", URL: "/operator/x", Chosen: true}, {Text: "Waiting", URL: "/operator/x?state=waiting", Count: 2}}
	sellers := views.OperatorSellers{
		Page: page("Sellers", "/operator/sellers"), States: tabs, CSV: "/operator/sellers.csv",
		Columns: []views.Column{{Text: "Seller", URL: "/operator/sellers?sort=name_down", Sorted: "ascending"}, {Text: "State"}, {Text: "Applied", URL: "/operator/sellers?sort=applied_up"}, {Text: "Listings", Number: true}, {Text: "Decide"}},
		Pager:   views.Pager{Shown: 2, Total: 12, Next: "/operator/sellers?cursor=x", Noun: "seller", Nouns: "sellers"}, Rows: []views.SellerRow{
			{ID: "sel_1", Name: "Blue Kettle", Legal: []string{"Blue Kettle GmbH", "Torstr. 1", "Berlin"}, Applied: sampleTime, Status: views.Status{Text: "Waits for approval", Tone: views.Warn}, Acts: []views.Act{{Text: "Approve", URL: "/operator/sellers/sel_1/approve"}, {Text: "Decline", URL: "/operator/sellers/sel_1/decline"}}},
			{ID: "sel_2", Name: "Atelier Nord", URL: "/s/atelier-nord", Legal: []string{"Atelier Nord SARL", "Caen"}, Applied: sampleTime, Status: views.Status{Text: "Approved", Tone: views.Good}, Listings: 48, Acts: []views.Act{{Text: "Suspend", URL: "/operator/sellers/sel_2/suspend"}}},
			{ID: "sel_3", Name: "Cheap Cheap", Legal: []string{"Unknown"}, Applied: sampleTime, Status: views.Status{Text: "Declined"}, Why: "The address is a parking lot."},
		},
	}
	heads := []views.Column{{Text: "Module", URL: "/operator/modules?sort=module_up"}, {Text: "State"}, {Text: "In flight", Number: true}, {Text: "Lag", Number: true, URL: "/operator/modules?sort=lag_up", Sorted: "descending"}, {Text: "Parked", Number: true}, {Text: "Dead", Number: true}, {Text: "Panics", Number: true}}
	logs := []views.Column{{Text: "Subscriber"}, {Text: "Log"}, {Text: "State"}, {Text: "Position", Number: true}, {Text: "Head", Number: true}, {Text: "Lag", Number: true}, {Text: "Parked", Number: true}}
	columns := []views.Column{{Text: "Order"}, {Text: "Placed", URL: "/operator/orders?sort=placed_up", Sorted: "descending"}, {Text: "State"}, {Text: "Sellers"}, {Text: "Items", Number: true}, {Text: "Total", Number: true}}
	one := views.Pager{Shown: 1, Total: 1, Noun: "event", Nouns: "events"}
	return map[string]views.View{
		"operator-home": views.OperatorHome{
			Page: page("Overview", "/operator"), Columns: heads, Modules: modules,
			Needs: []views.Need{{Count: 2, Text: "sellers to approve", URL: "/operator/sellers?state=applied", Tone: views.Warn}, {Count: 1, Text: "parked event", URL: "/operator/events", Tone: views.Bad}, {Count: 0, Text: "dead jobs", URL: "/operator/jobs"}, {Count: 1, Text: "stopped checkout", Note: "a capture was refused", URL: "/operator/orders?state=case", Tone: views.Bad}},
			Today: []views.Figure{{Text: "Orders today", Value: "128"}, {Text: "Taken today", Value: "€9,412.50"}, {Text: "Listings", Value: "19,406", Note: "120 sellers"}},
		},
		"operator-rules": views.SearchRules{
			Page: page("Rules of the search", "/operator/search"), Action: "/operator/search/rules/new", List: "/operator/search/rules", Kinds: []views.Choice{{Text: "Words that mean the same", Value: "synonyms", Chosen: true}, {Text: "A listing with a place in what a search finds", Value: "pin"}},
			Tabs: []views.Choice{{Text: "All", URL: "/operator/search/rules", Chosen: true}, {Text: "Pins", URL: "/operator/search/rules?show=pin"}},
			Rows: []views.RuleRow{
				{Text: "laptop = notebook = portable computer", URL: "/operator/search/rules/rul_1", ChangedAt: sampleTime, RemoveURL: "/operator/search/rules/rul_1/remove"},
				{Text: "In “desk lamp” at place 1", URL: "/operator/search/rules/rul_2", ChangedAt: sampleTime, Listing: &views.Link{Text: "lst_1", URL: "/l/lst_1"}, RemoveURL: "/operator/search/rules/rul_2/remove"},
			},
			Pager: views.Pager{Shown: 2, Total: 2, Noun: "rule", Nouns: "rules"},
			Form:  views.NewForm(map[string]string{"kind": "synonyms", "words": "sofa", "place": "1"}, map[string]string{"words": "The words should be two or more that mean the same."}, "words"),
		},
		"operator-why": views.SearchWhy{
			Page: page("Why here?", "/operator/search"), Listing: views.Link{Text: "Brass desk lamp with a swivel arm and a linen shade", URL: "/l/lst_1"}, Results: views.Link{Text: "“desk lamp torchiere” with filters", URL: "/search?q=desk+lamp"},
			Where: "Number 3 of 214.", Notes: []string{"Little or nothing has all the words, so what has only some is found too."},
			Words: []views.WhyWord{{Word: "desk", Has: true, Found: "“desk” in title, category", Ways: "table, writing table"}, {Word: "lamp", Has: true, Found: "“lamp” in title, text"}, {Word: "torchiere", Found: "missing"}},
			Parts: []views.WhyPart{{Text: "Having “desk”", Points: "+3.21"}, {Text: "Having “lamp” next to the word before", Points: "+0.40"}, {Text: "Not having “torchiere”", Points: "-1.90"}, {Text: "Being in stock", Points: "+0.10"}}, Score: "+1.81",
			Rules: []views.Link{{Text: "desk = table = writing table", URL: "/operator/search/rules/rul_1"}},
			Acts:  []views.Link{{Text: "Pin it to a place", URL: "/operator/search/rules?kind=pin"}, {Text: "Have it come last", URL: "/operator/search/rules?kind=bury"}, {Text: "Add words that mean the same", URL: "/operator/search/rules?kind=synonyms"}, {Text: "Have the search find more words", URL: "/operator/search/rules?kind=expansion"}},
		},
		"operator-rules-preview": views.SearchRules{
			Page: page("Rules of the search", "/operator/search"), Action: "/operator/search/rules/new", List: "/operator/search/rules", Kinds: []views.Choice{{Text: "A listing with a place in what a search finds", Value: "pin", Chosen: true}},
			Tabs: []views.Choice{{Text: "All", URL: "/operator/search/rules", Chosen: true}}, Empty: views.Empty{Title: "No rules yet", Text: "Most searches need none."},
			Form: views.Form{Values: map[string]string{"kind": "pin", "query": "desk lamp", "listing": "lst_4", "place": "1"}}, Preview: sampleRulePreview(),
		},
		"operator-rule": views.SearchRule{
			Page: page("A rule of the search", "/operator/search"), Action: "/operator/search/rules/rul_1", Text: "laptop = notebook",
			Kinds: []views.Choice{{Text: "Words that mean the same", Value: "synonyms", Chosen: true}}, Form: views.Form{Values: map[string]string{"kind": "synonyms", "words": "laptop\nnotebook", "version": "1", "place": "1"}},
			Preview: &views.RulePreview{Heading: "What would move without the rule", Intro: "Nothing is changed yet. Of 200 frequent searches since 2026-05-05 none has another first page.", Texts: []views.PreviewText{
				{Text: "laptop", URL: "/search?q=laptop", Note: "searched for 12 times; finds 340 listings, then 211 listings", Same: "Nothing moves on its first page."},
			}},
		},
		"taxes": views.TaxTables{Page: page("Taxes", "/operator/taxes"), New: "/operator/taxes/new", Rows: []views.TaxRow{
			{Place: "Germany", URL: "/operator/taxes/DE", How: "contained in prices", Rates: []string{"standard 19 %", "reduced 7 %"}},
			{Place: "United States", URL: "/operator/taxes/US", How: "added to prices", Rates: []string{"CA standard 7.25 %", "NY standard 8.88 %"}},
		}},
		"tax":              views.TaxTable{Page: page("New tax table", "/operator/taxes"), Action: "/operator/taxes/new", New: true, Countries: sampleCountries(), Form: views.NewForm(map[string]string{"included": "yes", "rates": "standard 19"}, map[string]string{"rates": "“standard 19” cannot be read: write each line as “standard: 19”."}, "rates")},
		"operator-sellers": sellers, "operator-orders": views.OperatorOrders{Page: page("Orders", "/operator/orders"), States: tabs, Columns: columns, Rows: sampleOrderRows(), Pager: views.Pager{Shown: 5, Total: -1, Noun: "order", Nouns: "orders"}},
		"operator-search":       sampleSearches(page("Search", "/operator/search")),
		"operator-search-empty": sampleNoSearches(page("Search", "/operator/search")),
		"operator-events":       views.OperatorEvents{Page: page("Parked events", "/operator/events"), Pager: one, Rows: []views.ParkedRow{{ID: "search-4411", Module: "search", Subscriber: "search.index", Position: 4411, Name: "catalog.listing_changed.v1", Key: "lst_01jx", Tries: 5, Error: "index lst_01jx: title is empty", ParkedAt: sampleTime, Behind: 2, Body: "{\n  \"listing\": \"lst_01jx\"\n}", Acts: []views.Act{{Text: "Try again", URL: "/operator/events/retry", Values: map[string]string{"id": "search-4411"}}, {Text: "Skip this event for good", URL: "/operator/events/skip", Values: map[string]string{"id": "search-4411"}}}}}},
		"operator-order":        sampleOperatorOrder(page("Order S-2605-4F7K", "/operator/orders/ord_1")),
		"operator-refunds": views.OperatorRefunds{
			Page: page("Refused refunds", "/operator/refunds"), Chips: []views.Chip{{Label: "Order", Text: "K7F3-9Q2M", URL: "/operator/refunds"}}, Pager: views.Pager{Shown: 2, Total: -1, Noun: "refund waits", Nouns: "refunds wait"},
			Rows: []views.RefundRow{
				{
					ID: "rfd_1", Amount: eur(24650), Order: views.Link{Text: "order K7F3-9Q2M", URL: "/operator/orders/ord_1"}, Buyer: []string{"Ada Byron", "ada@example.com"},
					Why: "Cancelled by the buyer.", Reason: "This card does not take refunds.", At: sampleTime,
					Acts: []views.Act{{Text: "Try again", URL: "/operator/refunds/rfd_1/retry"}}, Close: "/operator/refunds/rfd_1/close",
				},
				{
					ID: "pay_1", Amount: eur(1999), Order: views.Link{Text: "order K7F3-9Q2N", URL: "/operator/orders/ord_2"},
					Why: "It came on 4 May 2026, after the order had ended.", Reason: "This card does not take refunds.",
					Acts: []views.Act{{Text: "Try again", URL: "/operator/refunds/late/pay_1/retry"}},
				},
			},
		},
		"operator-refunds-empty": views.OperatorRefunds{Page: page("Refused refunds", "/operator/refunds"), Empty: views.Empty{Title: "No refused refunds", Text: "Everything that was to go back to a buyer has gone back, or is on its way."}},
		"operator-jobs":          views.OperatorJobs{Page: page("Dead jobs", "/operator/jobs"), Pager: views.Pager{Shown: 2, Total: 2, Noun: "job", Nouns: "jobs"}, Rows: []views.JobRow{{Module: "orders", Kind: "orders.capture", Key: "ord_01jx", Tries: 12, Error: "capture ord_01jx: the provider does not answer", At: sampleTime, Acts: []views.Act{{Text: "Run it again", URL: "/operator/jobs/retry"}, {Text: "Drop it for good", URL: "/operator/jobs/drop"}}}, {Module: "catalog", Kind: "catalog.expire", Tries: 12, Error: "the disk is full", At: sampleTime, Acts: []views.Act{{Text: "Run it again", URL: "/operator/jobs/retry"}}, Note: "It comes round by itself, and nothing else would ask for it again: it cannot be dropped."}}},
		"operator-jobs-empty":    views.OperatorJobs{Page: page("Dead jobs", "/operator/jobs"), Empty: views.Empty{Title: "No dead jobs", Text: "Everything that was begun is done or still being tried."}},
		"operator-modules":       views.OperatorModules{Page: page("Modules", "/operator/modules"), Columns: heads, Heads: logs, Modules: modules, Logs: []views.LogRow{{Subscriber: "search.index", Log: "catalog", Position: 4399, Head: 4411, Lag: 12, Parked: 1, Status: views.Status{Text: "Behind", Tone: views.Warn}}}},
		"operator-audit":         views.OperatorAudit{Page: page("Audit trail", "/operator/audit"), Modules: tabs, CSV: "/operator/audit.csv", Pager: one, Rows: []views.AuditRow{{At: sampleTime, Who: "Olga (operator)", Action: "catalog.seller_approved", Subject: "sel_01jx8v7", Before: "applied", After: "approved", Why: "Papers seen"}}},
	}
}

// sampleRulePreview is a pin that moves a page.
func sampleRulePreview() *views.RulePreview {
	cell := func(title string, move string, tone views.Tone) *views.PreviewCell {
		return &views.PreviewCell{Title: title, URL: "/l/lst_1", Move: views.Status{Text: move, Tone: tone}}
	}
	return &views.RulePreview{
		Heading: "What would move: In “desk lamp” at place 1", Intro: "Nothing is changed yet. Of 200 frequent searches since 2026-05-05, 1 would have another first page.",
		Texts: []views.PreviewText{{Text: "desk lamp", URL: "/search?q=desk+lamp", Note: "searched for 1,204 times; finds 214 listings", Rows: []views.PreviewRow{
			{Place: 1, Now: cell("Brass desk lamp with a swivel arm and a linen shade", "", ""), Then: cell("Oak desk lamp", "comes from place 14", views.Good)},
			{Place: 2, Now: cell("Desk lamp, dimmable, 9 W", "", ""), Then: cell("Brass desk lamp with a swivel arm and a linen shade", "down from 1", views.Warn)},
			{Place: 3, Now: cell("Clamp lamp for desks", "goes out", views.Bad), Then: cell("Desk lamp, dimmable, 9 W", "down from 2", views.Warn)},
			{Place: 4, Then: cell("Reading lamp", "up from 9", views.Good)},
		}}},
	}
}
