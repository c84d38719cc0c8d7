package orderssvc

import (
	"souk/internal/accounts"
	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/payments"
	"souk/internal/platform/clock"
	"souk/internal/platform/money"
)

type moneyWire struct {
	Minor    int64          `json:"minor" example:"1250" doc:"Whole minor units: 1250 is 12.50 of a currency with two decimals."`
	Currency money.Currency `json:"currency" example:"EUR" maxLength:"3" doc:"ISO 4217; empty until the order is quoted."`
}

type sumsWire struct {
	Goods       moneyWire `json:"goods"`
	Discount    moneyWire `json:"discount" doc:"Positive: it comes off."`
	Shipping    moneyWire `json:"shipping"`
	TaxAdded    moneyWire `json:"tax_added"`
	TaxIncluded moneyWire `json:"tax_included" doc:"Contained in the amounts above."`
	Total       moneyWire `json:"total" doc:"goods - discount + shipping + tax_added"`
}

func toSums(s cart.Sums) sumsWire {
	return sumsWire{
		Goods: moneyWire(s.Goods), Discount: moneyWire(s.Discount), Shipping: moneyWire(s.Shipping),
		TaxAdded: moneyWire(s.TaxAdded), TaxIncluded: moneyWire(s.TaxIncluded), Total: moneyWire(s.Total),
	}
}

type optionWire struct {
	Name  string `json:"name" example:"Colour"`
	Value string `json:"value" example:"Sage"`
}

type adjustmentWire struct {
	Code   string      `json:"code"`
	Label  string      `json:"label"`
	Funder cart.Funder `json:"funder" enum:"platform,seller"`
	Amount moneyWire   `json:"amount"`
}

type lineWire struct {
	ID          orders.LineID     `json:"id" example:"oln_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Variant     catalog.VariantID `json:"variant"`
	Listing     catalog.ListingID `json:"listing"`
	Title       string            `json:"title"`
	Options     []optionWire      `json:"options"`
	SKU         string            `json:"sku"`
	Image       string            `json:"image"`
	UnitPrice   moneyWire         `json:"unit_price"`
	Sums        sumsWire          `json:"sums"`
	Adjustments []adjustmentWire  `json:"adjustments"`
	TaxRate     int32             `json:"tax_rate" doc:"Basis points: 1900 is 19%." example:"1900"`
	TaxIncluded bool              `json:"tax_included"`
	Commission  *moneyWire        `json:"commission,omitempty" doc:"For the seller and operators."`
	Quantity    int64             `json:"quantity" doc:"What is still to ship + shipped + cancelled."`
	Shipped     int64             `json:"shipped"`
	Delivered   int64             `json:"delivered"`
	Cancelled   int64             `json:"cancelled"`
	Refunded    moneyWire         `json:"refunded"`
}

type parcelWire struct {
	ID          orders.ParcelID `json:"id"`
	Carrier     string          `json:"carrier"`
	Tracking    string          `json:"tracking"`
	TrackingURL string          `json:"tracking_url"`
	Items       []itemWire      `json:"items"`
	ShippedAt   clock.Time      `json:"shipped_at"`
	DeliveredAt clock.Time      `json:"delivered_at,omitempty" doc:"Left out until it has arrived."`
}

type entryWire struct {
	At          clock.Time           `json:"at"`
	What        orders.What          `json:"what" enum:"noted,created,placed,rejected,paid,shipped,delivered,cancelled,refunded,completed,case"`
	SellerOrder orders.SellerOrderID `json:"seller_order" doc:"If it is about one part alone."`
	Who         string               `json:"who" enum:"buyer,seller,operator,souk"`
	Detail      string               `json:"detail"`
}

func toEntry(e orders.Entry) entryWire { return entryWire(e) }

type legalWire struct {
	Name       string `json:"name"`
	Line1      string `json:"line1"`
	Line2      string `json:"line2"`
	PostalCode string `json:"postal_code"`
	City       string `json:"city"`
	Country    string `json:"country"`
	TaxID      string `json:"tax_id"`
	Email      string `json:"email"`
}

type shippingWire struct {
	Label string `json:"label" example:"Standard, 2 to 4 days"`
	Rule  string `json:"rule" doc:"How it was computed, in words."`
}

type sellerOrderWire struct {
	ID         orders.SellerOrderID `json:"id" example:"sor_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Order      orders.OrderID       `json:"order"`
	Number     string               `json:"number" example:"K7F3-9Q2M-1"`
	Seller     catalog.SellerID     `json:"seller"`
	SellerName string               `json:"seller_name"`
	Legal      legalWire            `json:"legal" doc:"The seller's legal party, as it was when the order was placed."`
	Fulfilment orders.Fulfilment    `json:"fulfilment" enum:"open,partly_shipped,shipped,delivered,cancelled"`
	Sums       sumsWire             `json:"sums"`
	Shipping   shippingWire         `json:"shipping"`
	Commission *moneyWire           `json:"commission,omitempty" doc:"For the seller and operators."`
	Refunded   moneyWire            `json:"refunded"`
	Paid       bool                 `json:"paid" doc:"It may ship."`
	PlacedAt   clock.Time           `json:"placed_at,omitempty" doc:"Left out until it was."`
	Buyer      string               `json:"buyer" doc:"Name for the label."`
	Delivery   postalWire           `json:"delivery" doc:"For the label."`
	Lines      []lineWire           `json:"lines"`
	Parcels    []parcelWire         `json:"parcels"`
	Timeline   []entryWire          `json:"timeline" doc:"Oldest first."`
	Version    int64                `json:"version"`
	Case       bool                 `json:"case" doc:"The charge was refused for good: nothing ships until an operator has decided."`
}

// mapped is each of in through fn; never nil.
func mapped[In, Out any](in []In, fn func(In) Out) []Out {
	out := make([]Out, 0, len(in))
	for _, v := range in {
		out = append(out, fn(v))
	}
	return out
}

// shownMoney is an amount that some callers see as nothing at all.
func shownMoney(m money.Money) *moneyWire {
	if m.IsZero() {
		return nil
	}
	w := moneyWire(m)
	return &w
}

func toLine(l orders.Line) lineWire {
	return lineWire{
		ID: l.ID, Variant: l.Variant, Listing: l.Listing, Title: l.Title, SKU: l.SKU, Image: l.Image, UnitPrice: moneyWire(l.UnitPrice),
		Options: mapped(l.Options, func(o catalog.Option) optionWire { return optionWire(o) }), Sums: toSums(l.Sums),
		Adjustments: mapped(l.Adjustments, func(a cart.Adjustment) adjustmentWire {
			return adjustmentWire{Code: a.Code, Label: a.Label, Funder: a.Funder, Amount: moneyWire(a.Amount)}
		}),
		TaxRate: l.TaxRate, TaxIncluded: l.TaxIncluded, Commission: shownMoney(l.Commission), Quantity: l.Quantity, Shipped: l.Shipped,
		Delivered: l.Delivered, Cancelled: l.Cancelled, Refunded: moneyWire(l.Refunded),
	}
}

func toParcel(p orders.Parcel) parcelWire {
	return parcelWire{
		ID: p.ID, Carrier: p.Carrier, Tracking: p.Tracking, TrackingURL: p.TrackingURL, ShippedAt: p.ShippedAt, DeliveredAt: p.DeliveredAt,
		Items: mapped(p.Items, func(i orders.ParcelItem) itemWire { return itemWire(i) }),
	}
}

func toSellerOrder(so orders.SellerOrder) sellerOrderWire {
	return sellerOrderWire{
		ID: so.ID, Order: so.Order, Number: so.Number, Seller: so.Seller, SellerName: so.SellerName, Legal: legalWire(so.Legal),
		Fulfilment: so.Fulfilment, Sums: toSums(so.Sums), Shipping: shippingWire(so.Shipping), Commission: shownMoney(so.Commission),
		Refunded: moneyWire(so.Refunded), Paid: so.Paid, PlacedAt: so.PlacedAt, Buyer: so.Buyer, Delivery: postalWire(so.Delivery),
		Lines: mapped(so.Lines, toLine), Parcels: mapped(so.Parcels, toParcel), Timeline: mapped(so.Timeline, toEntry), Version: so.Version, Case: so.Case,
	}
}

type orderWire struct {
	ID           orders.OrderID     `json:"id" example:"ord_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Number       string             `json:"number" example:"K7F3-9Q2M"`
	Buyer        accounts.PersonID  `json:"buyer"`
	Guest        bool               `json:"guest"`
	Status       orders.Status      `json:"status" enum:"pending,placed,completed,rejected"`
	Reason       orders.Reason      `json:"reason" enum:",quote_changed,out_of_stock,not_for_sale,coupon,cart_taken,declined,timeout,failed"`
	Message      string             `json:"message"`
	Contact      contactWire        `json:"contact"`
	Delivery     postalWire         `json:"delivery"`
	Invoice      postalWire         `json:"invoice"`
	Sums         sumsWire           `json:"sums"`
	Refunded     moneyWire          `json:"refunded"`
	Method       string             `json:"method"`
	Payment      payments.PaymentID `json:"payment"`
	Captured     bool               `json:"captured" doc:"The money was taken."`
	Case         bool               `json:"case" doc:"The charge was refused for good, and an operator must decide."`
	CreatedAt    clock.Time         `json:"created_at"`
	PlacedAt     clock.Time         `json:"placed_at,omitempty" doc:"Left out until it was."`
	SellerOrders []sellerOrderWire  `json:"seller_orders"`
	Timeline     []entryWire        `json:"timeline" doc:"Oldest first."`
	Version      int64              `json:"version"`
}

func toOrder(o orders.Order) orderWire {
	return orderWire{
		ID: o.ID, Number: o.Number, Buyer: o.Buyer, Guest: o.Guest, Status: o.Status, Reason: o.Reason, Message: o.Message,
		Contact: contactWire(o.Contact), Delivery: postalWire(o.Delivery), Invoice: postalWire(o.Invoice), Sums: toSums(o.Sums),
		Refunded: moneyWire(o.Refunded), Method: o.Method, Payment: o.Payment, Captured: o.Captured, Case: o.Case, CreatedAt: o.CreatedAt, PlacedAt: o.PlacedAt,
		SellerOrders: mapped(o.SellerOrders, toSellerOrder), Timeline: mapped(o.Timeline, toEntry), Version: o.Version,
	}
}

type summaryWire struct {
	ID         orders.OrderID      `json:"id" example:"ord_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Number     string              `json:"number" example:"K7F3-9Q2M"`
	Status     orders.Status       `json:"status" enum:"pending,placed,completed,rejected"`
	Reason     orders.Reason       `json:"reason" enum:",quote_changed,out_of_stock,not_for_sale,coupon,cart_taken,declined,timeout,failed"`
	Total      moneyWire           `json:"total"`
	Refunded   moneyWire           `json:"refunded"`
	CreatedAt  clock.Time          `json:"created_at"`
	PlacedAt   clock.Time          `json:"placed_at,omitempty" doc:"Left out until it was."`
	Pieces     int64               `json:"pieces"`
	Titles     []string            `json:"titles" doc:"Of the first lines."`
	Image      string              `json:"image" doc:"Of the first line."`
	Sellers    []string            `json:"sellers"`
	Fulfilment []orders.Fulfilment `json:"fulfilment" doc:"Of each seller's part."`
	Captured   bool                `json:"captured" doc:"The money was taken."`
	Case       bool                `json:"case" doc:"The charge was refused for good, and an operator must decide."`
}

func toSummary(o orders.Summary) summaryWire {
	return summaryWire{
		ID: o.ID, Number: o.Number, Status: o.Status, Reason: o.Reason, Total: moneyWire(o.Total), Refunded: moneyWire(o.Refunded),
		CreatedAt: o.CreatedAt, PlacedAt: o.PlacedAt, Pieces: o.Pieces, Titles: append([]string{}, o.Titles...), Image: o.Image,
		Sellers: append([]string{}, o.Sellers...), Fulfilment: append([]orders.Fulfilment{}, o.Fulfilment...),
		Captured: o.Captured, Case: o.Case,
	}
}

type sellerSummaryWire struct {
	ID         orders.SellerOrderID `json:"id" example:"sor_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Order      orders.OrderID       `json:"order"`
	Number     string               `json:"number" example:"K7F3-9Q2M-1"`
	Fulfilment orders.Fulfilment    `json:"fulfilment" enum:"open,partly_shipped,shipped,delivered,cancelled"`
	Paid       bool                 `json:"paid"`
	Total      moneyWire            `json:"total"`
	Pieces     int64                `json:"pieces"`
	ToShip     int64                `json:"to_ship"`
	Titles     []string             `json:"titles"`
	PlacedAt   clock.Time           `json:"placed_at"`
	Country    string               `json:"country" example:"DE"`
	Case       bool                 `json:"case" doc:"The charge was refused for good: nothing ships until an operator has decided."`
}

func toSellerSummary(o orders.SellerOrderSummary) sellerSummaryWire {
	return sellerSummaryWire{
		ID: o.ID, Order: o.Order, Number: o.Number, Fulfilment: o.Fulfilment, Paid: o.Paid, Total: moneyWire(o.Total), Pieces: o.Pieces,
		ToShip: o.ToShip, Titles: append([]string{}, o.Titles...), PlacedAt: o.PlacedAt, Country: o.Country, Case: o.Case,
	}
}

type countWire struct {
	Fulfilment orders.Fulfilment `json:"fulfilment" enum:"open,partly_shipped,shipped,delivered,cancelled"`
	Count      int64             `json:"count"`
}
