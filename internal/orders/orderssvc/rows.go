package orderssvc

import (
	"encoding/json"
	"fmt"

	"souk/internal/accounts"
	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/payments"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
)

// sumsRow is cart.Sums as columns, in the currency beside them.
type sumsRow struct {
	Currency     money.Currency `db:"currency"`
	Goods        int64          `db:"goods"`
	Discount     int64          `db:"discount"`
	Shipping     int64          `db:"shipping"`
	TaxAdded     int64          `db:"tax_added"`
	TaxContained int64          `db:"tax_contained"`
	Total        int64          `db:"total"`
}

func (r sumsRow) amount(minor int64) money.Money {
	return money.Money{Minor: minor, Currency: r.Currency}
}

func (r sumsRow) sums() cart.Sums {
	return cart.Sums{
		Goods: r.amount(r.Goods), Discount: r.amount(r.Discount), Shipping: r.amount(r.Shipping),
		TaxAdded: r.amount(r.TaxAdded), TaxIncluded: r.amount(r.TaxContained), Total: r.amount(r.Total),
	}
}

type orderRow struct {
	sumsRow
	ID           orders.OrderID     `db:"id"`
	Buyer        accounts.PersonID  `db:"buyer_id"`
	Number       string             `db:"number"`
	Guest        bool               `db:"guest"`
	Status       orders.Status      `db:"status"`
	Reason       orders.Reason      `db:"reason"`
	Message      string             `db:"message"`
	ContactEmail string             `db:"contact_email"`
	ContactName  string             `db:"contact_name"`
	Delivery     string             `db:"delivery"`
	Invoice      string             `db:"invoice"`
	Refunded     int64              `db:"refunded"`
	Pieces       int64              `db:"pieces"`
	Shown        string             `db:"shown"`
	Method       string             `db:"method"`
	Payment      payments.PaymentID `db:"payment_id"`
	Captured     bool               `db:"captured"`
	CreatedAt    clock.Time         `db:"created_at"`
	PlacedAt     clock.Time         `db:"placed_at"`
	Version      int64              `db:"version"`
}

const orderColumns = `id, buyer_id, number, guest, status, reason, message, contact_email, contact_name, delivery, invoice,
	currency, goods, discount, shipping, tax_added, tax_contained, total, refunded, pieces, shown, method, payment_id, captured,
	created_at, placed_at, version`

func (r orderRow) order() (*orders.Order, error) {
	o := &orders.Order{
		ID: r.ID, Number: r.Number, Buyer: r.Buyer, Guest: r.Guest, Status: r.Status, Reason: r.Reason, Message: r.Message,
		Contact: orders.Contact{Email: r.ContactEmail, Name: r.ContactName},
		Sums:    r.sums(), Refunded: r.amount(r.Refunded), Method: r.Method, Payment: r.Payment, Captured: r.Captured,
		CreatedAt: r.CreatedAt, PlacedAt: r.PlacedAt, Version: r.Version,
	}
	if err := fromJSON(r.Delivery, &o.Delivery); err != nil {
		return nil, fmt.Errorf("read order %s: %w", r.ID, err)
	}
	if err := fromJSON(r.Invoice, &o.Invoice); err != nil {
		return nil, fmt.Errorf("read order %s: %w", r.ID, err)
	}
	return o, nil
}

// shown is what a list shows of an order beside its amounts.
type shown struct {
	Titles  []string `json:"titles"`
	Image   string   `json:"image"`
	Sellers []string `json:"sellers"`
}

// maxTitles is how many titles a list shows of an order.
const maxTitles = 3

func shownOf(o *orders.Order) (s shown, pieces int64) {
	for _, so := range o.SellerOrders {
		s.Sellers = append(s.Sellers, so.SellerName)
		for _, l := range so.Lines {
			pieces += l.Quantity
			if len(s.Titles) < maxTitles {
				s.Titles = append(s.Titles, l.Title)
			}
			if s.Image == "" {
				s.Image = l.Image
			}
		}
	}
	return s, pieces
}

type sellerOrderRow struct {
	sumsRow
	ID            orders.SellerOrderID `db:"id"`
	Order         orders.OrderID       `db:"order_id"`
	Seller        catalog.SellerID     `db:"seller_id"`
	Number        string               `db:"number"`
	SellerName    string               `db:"seller_name"`
	Legal         string               `db:"legal"`
	Fulfilment    orders.Fulfilment    `db:"fulfilment"`
	Commission    int64                `db:"commission"`
	Refunded      int64                `db:"refunded"`
	ShippingLabel string               `db:"shipping_label"`
	ShippingRule  string               `db:"shipping_rule"`
	Paid          bool                 `db:"paid"`
	PlacedAt      clock.Time           `db:"placed_at"`
	Pieces        int64                `db:"pieces"`
	ToShip        int64                `db:"to_ship"`
	Titles        string               `db:"titles"`
	Country       string               `db:"country"`
	Version       int64                `db:"version"`
}

const sellerOrderColumns = `id, order_id, seller_id, number, seller_name, legal, fulfilment,
	currency, goods, discount, shipping, tax_added, tax_contained, total, commission, refunded, shipping_label, shipping_rule,
	paid, placed_at, pieces, to_ship, titles, country, version`

func (r sellerOrderRow) sellerOrder(o *orders.Order) (orders.SellerOrder, error) {
	so := orders.SellerOrder{
		ID: r.ID, Order: r.Order, Number: r.Number, Seller: r.Seller, SellerName: r.SellerName, Fulfilment: r.Fulfilment,
		Sums: r.sums(), Commission: r.amount(r.Commission), Refunded: r.amount(r.Refunded),
		Shipping: cart.ShippingQuote{Label: r.ShippingLabel, Rule: r.ShippingRule},
		Paid:     r.Paid, PlacedAt: r.PlacedAt, Buyer: o.Contact.Name, Delivery: o.Delivery, Version: r.Version,
	}
	if err := fromJSON(r.Legal, &so.Legal); err != nil {
		return so, fmt.Errorf("read seller order %s: %w", r.ID, err)
	}
	return so, nil
}

type lineRow struct {
	sumsRow
	ID             orders.LineID        `db:"id"`
	SellerOrder    orders.SellerOrderID `db:"seller_order_id"`
	Variant        catalog.VariantID    `db:"variant_id"`
	Listing        catalog.ListingID    `db:"listing_id"`
	Title          string               `db:"title"`
	Options        string               `db:"options"`
	SKU            string               `db:"sku"`
	Image          string               `db:"image"`
	UnitPrice      int64                `db:"unit_price"`
	Adjustments    string               `db:"adjustments"`
	TaxRate        int32                `db:"tax_rate"`
	TaxIncluded    bool                 `db:"tax_included"`
	TaxGoods       int64                `db:"tax_goods"`
	TaxShipping    int64                `db:"tax_shipping"`
	CommissionRate int32                `db:"commission_rate"`
	CommissionBase int64                `db:"commission_base"`
	Commission     int64                `db:"commission"`
	Quantity       int64                `db:"quantity"`
	Shipped        int64                `db:"shipped"`
	Delivered      int64                `db:"delivered"`
	Cancelled      int64                `db:"cancelled"`
	Refunded       int64                `db:"refunded"`
}

const lineColumns = `id, seller_order_id, variant_id, listing_id, title, options, sku, image,
	currency, goods, discount, shipping, tax_added, tax_contained, total, unit_price, adjustments, tax_rate, tax_included,
	tax_goods, tax_shipping, commission_rate, commission_base, commission, quantity, shipped, delivered, cancelled, refunded`

func (r lineRow) line() (orders.Line, error) {
	l := orders.Line{
		ID: r.ID, Variant: r.Variant, Listing: r.Listing, Title: r.Title, SKU: r.SKU, Image: r.Image,
		UnitPrice: r.amount(r.UnitPrice), Sums: r.sums(), TaxRate: r.TaxRate, TaxIncluded: r.TaxIncluded,
		TaxGoods: r.amount(r.TaxGoods), TaxShipping: r.amount(r.TaxShipping),
		CommissionRate: r.CommissionRate, CommissionBase: r.amount(r.CommissionBase), Commission: r.amount(r.Commission),
		Quantity: r.Quantity, Shipped: r.Shipped, Delivered: r.Delivered, Cancelled: r.Cancelled, Refunded: r.amount(r.Refunded),
	}
	if err := fromJSON(r.Options, &l.Options); err != nil {
		return l, fmt.Errorf("read line %s: %w", r.ID, err)
	}
	if err := fromJSON(r.Adjustments, &l.Adjustments); err != nil {
		return l, fmt.Errorf("read line %s: %w", r.ID, err)
	}
	return l, nil
}

type parcelRow struct {
	ID          orders.ParcelID      `db:"id"`
	SellerOrder orders.SellerOrderID `db:"seller_order_id"`
	Carrier     string               `db:"carrier"`
	Tracking    string               `db:"tracking"`
	TrackingURL string               `db:"tracking_url"`
	Items       string               `db:"items"`
	ShippedAt   clock.Time           `db:"shipped_at"`
	DeliveredAt clock.Time           `db:"delivered_at"`
}

const parcelColumns = `id, seller_order_id, carrier, tracking, tracking_url, items, shipped_at, delivered_at`

func (r parcelRow) parcel() (orders.Parcel, error) {
	p := orders.Parcel{
		ID: r.ID, Carrier: r.Carrier, Tracking: r.Tracking, TrackingURL: r.TrackingURL,
		ShippedAt: r.ShippedAt, DeliveredAt: r.DeliveredAt,
	}
	if err := fromJSON(r.Items, &p.Items); err != nil {
		return p, fmt.Errorf("read parcel %s: %w", r.ID, err)
	}
	return p, nil
}

// sagaRow is how far a checkout has come.
type sagaRow struct {
	Order         orders.OrderID   `db:"order_id"`
	State         orders.SagaState `db:"state"`
	Step          string           `db:"step"`
	CartOwner     string           `db:"cart_owner"`
	Cart          cart.CartID      `db:"cart_id"`
	CartVersion   int64            `db:"cart_version"`
	QuoteHash     string           `db:"quote_hash"`
	Deadline      clock.Time       `db:"deadline"`
	Reservation   string           `db:"reservation"`
	ReservedUntil clock.Time       `db:"reserved_until"`
	Until         clock.Time       `db:"until"`
	ActionURL     string           `db:"action_url"`
	Reason        orders.Reason    `db:"reason"`
	Message       string           `db:"message"`
	Captures      int64            `db:"captures"` // how often the money was asked for, this time included
}

const sagaColumns = `order_id, state, step, cart_owner, cart_id, cart_version, quote_hash, deadline, reservation,
	reserved_until, until, action_url, reason, message, captures`

type refundRow struct {
	ID          string               `db:"id"`
	Order       orders.OrderID       `db:"order_id"`
	SellerOrder orders.SellerOrderID `db:"seller_order_id"`
	Amount      int64                `db:"amount"`
	Currency    money.Currency       `db:"currency"`
	Items       string               `db:"items"`
	Why         string               `db:"why"`
	State       string               `db:"state"`
	At          clock.Time           `db:"at"`
}

// refundIDs make the ids of refunds, which are also their keys at payments and catalog.
var refundIDs = id.Maker[refundRow]{Prefix: "orf_"}

func fromJSON(text string, to any) error {
	if err := json.Unmarshal([]byte(text), to); err != nil {
		return fmt.Errorf("read a stored %T: %w", to, err)
	}
	return nil
}

func toJSON(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("store a %T: %w", v, err)
	}
	return string(b), nil
}
