package cartsvc

import (
	"context"
	"net/http"
	"time"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/httpx"
	"souk/internal/platform/money"
)

// guesses bounds how often codes can be tried.
var guesses = httpx.Limit{Max: 30, Per: time.Minute}

// termRoutes are those of coupons, shipping and tax tables.
func (s *Service) termRoutes(api httpx.API) {
	httpx.Route(api, httpx.Op{Method: http.MethodGet, Path: base + "sellers/{seller}/coupons", Who: httpx.Sellers, Summary: "Page through a seller's coupons, newest first"}, s.getSellerCoupons)
	httpx.Route(api, httpx.Op{Method: http.MethodPost, Path: base + "sellers/{seller}/coupons", Who: httpx.Sellers, Summary: "Make or change a coupon of a seller"}, s.postSellerCoupon)
	httpx.Route(api, httpx.Op{Method: http.MethodGet, Path: base + "admin/coupons", Who: httpx.Operators, Summary: "Page through all coupons, newest first"}, s.getCoupons)
	httpx.Route(api, httpx.Op{Method: http.MethodPost, Path: base + "admin/coupons", Who: httpx.Operators, Summary: "Make or change a coupon"}, s.postCoupon)
	httpx.Route(api, httpx.Op{Method: http.MethodGet, Path: base + "sellers/{seller}/shipping", Who: httpx.Anyone, Summary: "Read how a seller ships"}, s.getShipping)
	httpx.Route(api, httpx.Op{Method: http.MethodPut, Path: base + "sellers/{seller}/shipping", Who: httpx.Sellers, Summary: "Replace a seller's shipping table"}, s.putShipping)
	httpx.Route(api, httpx.Op{Method: http.MethodPut, Path: base + "admin/shipping", Who: httpx.Operators, Summary: "Replace the marketplace's shipping table"}, s.putOwnShipping)
	httpx.Route(api, httpx.Op{Method: http.MethodGet, Path: base + "taxes", Who: httpx.Anyone, Summary: "Read the tax tables"}, s.getTaxes)
	httpx.Route(api, httpx.Op{Method: http.MethodPut, Path: base + "admin/taxes", Who: httpx.Operators, Summary: "Replace the tax table of a country"}, s.putTaxes)
}

type couponWire struct {
	ID          cart.CouponID    `json:"id,omitempty" maxLength:"40" doc:"Leave out for a new one."`
	Code        string           `json:"code" minLength:"3" maxLength:"40" example:"SPRING10"`
	Label       string           `json:"label" minLength:"1" maxLength:"200" example:"10% off in spring"`
	Seller      catalog.SellerID `json:"seller,omitempty" maxLength:"40" doc:"Only on this seller's goods; empty is site-wide."`
	Funder      cart.Funder      `json:"funder" enum:"platform,seller"`
	Percent     int32            `json:"percent,omitempty" minimum:"0" maximum:"10000" doc:"Basis points, unless amount." example:"1000"`
	Amount      *moneyWire       `json:"amount,omitempty" doc:"Unless percent."`
	Minimum     *moneyWire       `json:"minimum,omitempty" doc:"Goods that it applies to cost at least this."`
	From        clock.Time       `json:"from,omitempty" doc:"Left out: at once."`
	Until       clock.Time       `json:"until,omitempty" doc:"Left out: without end."`
	Limit       int64            `json:"limit,omitempty" minimum:"0" doc:"Uses in all; 0 is without limit."`
	LimitPerson int64            `json:"limit_person,omitempty" minimum:"0" doc:"Uses by one person; 0 is without limit."`
	Used        int64            `json:"used,omitempty" readOnly:"true"`
	Ended       bool             `json:"ended,omitempty"`
	CreatedAt   clock.Time       `json:"created_at,omitempty" readOnly:"true"`
	Version     int64            `json:"version,omitempty" doc:"As read, to change one."`
}

func toCoupon(c cart.Coupon) couponWire {
	w := couponWire{
		ID: c.ID, Code: c.Code, Label: c.Label, Seller: c.Seller, Funder: c.Funder, Percent: c.Percent, From: c.From, Until: c.Until,
		Limit: c.Limit, LimitPerson: c.LimitPerson, Used: c.Used, Ended: c.Ended, CreatedAt: c.CreatedAt, Version: c.Version,
	}
	if !c.Amount.IsZero() {
		amount := moneyWire(c.Amount)
		w.Amount = &amount
	}
	if !c.Minimum.IsZero() {
		minimum := moneyWire(c.Minimum)
		w.Minimum = &minimum
	}
	return w
}

func (w couponWire) coupon() cart.Coupon {
	c := cart.Coupon{
		ID: w.ID, Code: w.Code, Label: w.Label, Seller: w.Seller, Funder: w.Funder, Percent: w.Percent, From: w.From, Until: w.Until,
		Limit: w.Limit, LimitPerson: w.LimitPerson, Ended: w.Ended, Version: w.Version,
	}
	if w.Amount != nil {
		c.Amount = money.Money(*w.Amount)
	}
	if w.Minimum != nil {
		c.Minimum = money.Money(*w.Minimum)
	}
	return c
}

type couponsOut struct {
	Body struct {
		Coupons []couponWire `json:"coupons"`
		Next    string       `json:"next_cursor" doc:"Empty at the end."`
	}
}

type sellerCouponsIn struct {
	httpx.Page
	Seller catalog.SellerID `path:"seller" maxLength:"40"`
}

func (s *Service) getSellerCoupons(ctx context.Context, by actor.Actor, in sellerCouponsIn) (couponsOut, error) {
	return s.coupons(ctx, cart.ListCouponsRequest{By: by, Seller: in.Seller, Page: in.Request()})
}

type pageIn struct{ httpx.Page }

func (s *Service) getCoupons(ctx context.Context, by actor.Actor, in pageIn) (couponsOut, error) {
	return s.coupons(ctx, cart.ListCouponsRequest{By: by, Page: in.Request()})
}

func (s *Service) coupons(ctx context.Context, r cart.ListCouponsRequest) (out couponsOut, err error) {
	reply, err := s.ListCoupons(ctx, r)
	if err != nil {
		return out, err
	}
	out.Body.Coupons, out.Body.Next = mapped(reply.Coupons, toCoupon), reply.Next
	return out, nil
}

type couponOut struct{ Body couponWire }

type sellerCouponIn struct {
	httpx.Keyed
	Seller catalog.SellerID `path:"seller" maxLength:"40"`
	Body   couponWire
}

func (s *Service) postSellerCoupon(ctx context.Context, by actor.Actor, in sellerCouponIn) (couponOut, error) {
	c := in.Body.coupon()
	c.Seller = in.Seller
	return s.putCoupon(ctx, cart.PutCouponRequest{By: by, Key: in.Key, Coupon: c})
}

type couponIn struct {
	httpx.Keyed
	Body couponWire
}

func (s *Service) postCoupon(ctx context.Context, by actor.Actor, in couponIn) (couponOut, error) {
	return s.putCoupon(ctx, cart.PutCouponRequest{By: by, Key: in.Key, Coupon: in.Body.coupon()})
}

func (s *Service) putCoupon(ctx context.Context, r cart.PutCouponRequest) (couponOut, error) {
	reply, err := s.PutCoupon(ctx, r)
	if err != nil {
		return couponOut{}, err
	}
	return couponOut{Body: toCoupon(reply.Coupon)}, nil
}

type stepWire struct {
	Grams int64     `json:"grams,omitempty" minimum:"0" doc:"By weight: up to and with."`
	From  moneyWire `json:"from,omitempty" doc:"By price: for goods from this."`
	Price moneyWire `json:"price"`
}

type zoneWire struct {
	Label        string            `json:"label" minLength:"1" maxLength:"100" example:"Standard, 2 to 4 days"`
	Countries    []string          `json:"countries" maxItems:"250" doc:"ISO 3166-1 alpha-2; empty is everywhere."`
	Currency     money.Currency    `json:"currency" maxLength:"3" doc:"Of its prices; empty for any, and then all are zero."`
	Kind         cart.ShippingKind `json:"kind" enum:"flat,by_weight,by_price"`
	Steps        []stepWire        `json:"steps" minItems:"1" maxItems:"100"`
	GramsUnknown int64             `json:"grams_unknown,omitempty" minimum:"0" doc:"Weight taken for goods that say none."`
}

type shippingWire struct {
	Zones   []zoneWire `json:"zones" maxItems:"100" doc:"The first that fits applies. None at all withdraws a seller's own table: the marketplace's applies again."`
	Version int64      `json:"version" doc:"As read; 0 when there was no table of its own."`
}

type shippingOut struct{ Body shippingWire }

func toShipping(t cart.ShippingTable) shippingOut {
	return shippingOut{Body: shippingWire{Version: t.Version, Zones: mapped(t.Zones, func(z cart.ShippingZone) zoneWire {
		return zoneWire{
			Label: z.Label, Countries: append([]string{}, z.Countries...), Currency: z.Currency, Kind: z.Kind, GramsUnknown: z.GramsUnknown,
			Steps: mapped(z.Steps, func(step cart.ShippingStep) stepWire {
				return stepWire{Grams: step.Grams, From: moneyWire(step.From), Price: moneyWire(step.Price)}
			}),
		}
	})}}
}

func (w shippingWire) table(seller catalog.SellerID) cart.ShippingTable {
	return cart.ShippingTable{Seller: seller, Version: w.Version, Zones: mapped(w.Zones, func(z zoneWire) cart.ShippingZone {
		return cart.ShippingZone{
			Label: z.Label, Countries: z.Countries, Currency: z.Currency, Kind: z.Kind, GramsUnknown: z.GramsUnknown,
			Steps: mapped(z.Steps, func(step stepWire) cart.ShippingStep {
				return cart.ShippingStep{Grams: step.Grams, From: money.Money(step.From), Price: money.Money(step.Price)}
			}),
		}
	})}
}

type sellerIn struct {
	Seller catalog.SellerID `path:"seller" maxLength:"40"`
}

func (s *Service) getShipping(ctx context.Context, _ actor.Actor, in sellerIn) (shippingOut, error) {
	reply, err := s.GetShipping(ctx, cart.GetShippingRequest{Sellers: []catalog.SellerID{in.Seller}})
	if err != nil {
		return shippingOut{}, err
	}
	return toShipping(reply.Tables[0]), nil
}

type putShippingIn struct {
	httpx.Keyed
	Seller catalog.SellerID `path:"seller" maxLength:"40"`
	Body   shippingWire
}

func (s *Service) putShipping(ctx context.Context, by actor.Actor, in putShippingIn) (shippingOut, error) {
	reply, err := s.PutShipping(ctx, cart.PutShippingRequest{By: by, Key: in.Key, Table: in.Body.table(in.Seller)})
	if err != nil {
		return shippingOut{}, err
	}
	return toShipping(reply.Table), nil
}

type putOwnShippingIn struct {
	httpx.Keyed
	Body shippingWire
}

func (s *Service) putOwnShipping(ctx context.Context, by actor.Actor, in putOwnShippingIn) (shippingOut, error) {
	reply, err := s.PutShipping(ctx, cart.PutShippingRequest{By: by, Key: in.Key, Table: in.Body.table("")})
	if err != nil {
		return shippingOut{}, err
	}
	return toShipping(reply.Table), nil
}

type rateWire struct {
	Region      string           `json:"region,omitempty" maxLength:"10" doc:"Empty for the whole country."`
	Class       catalog.TaxClass `json:"class" enum:"standard,reduced,zero"`
	BasisPoints int32            `json:"basis_points" minimum:"0" maximum:"10000" example:"1900"`
}

type taxWire struct {
	Country  string     `json:"country" maxLength:"2" example:"DE" doc:"Empty applies where no other table does."`
	Included bool       `json:"included" doc:"Prices contain the tax, or it is added."`
	Rates    []rateWire `json:"rates" maxItems:"1000"`
	Version  int64      `json:"version"`
}

func toTaxes(t cart.TaxTable) taxWire {
	return taxWire{
		Country: t.Country, Included: t.Included, Version: t.Version,
		Rates: mapped(t.Rates, func(r cart.TaxRate) rateWire { return rateWire(r) }),
	}
}

type taxesOut struct {
	Body struct {
		Tables []taxWire `json:"tables"`
	}
}

func (s *Service) getTaxes(ctx context.Context, _ actor.Actor, _ noIn) (out taxesOut, err error) {
	reply, err := s.ListTaxes(ctx, cart.ListTaxesRequest{})
	if err != nil {
		return out, err
	}
	out.Body.Tables = mapped(reply.Tables, toTaxes)
	return out, nil
}

type putTaxesIn struct {
	httpx.Keyed
	Body taxWire
}

type taxOut struct{ Body taxWire }

func (s *Service) putTaxes(ctx context.Context, by actor.Actor, in putTaxesIn) (taxOut, error) {
	reply, err := s.PutTaxes(ctx, cart.PutTaxesRequest{By: by, Key: in.Key, Table: cart.TaxTable{
		Country: in.Body.Country, Included: in.Body.Included, Version: in.Body.Version,
		Rates: mapped(in.Body.Rates, func(r rateWire) cart.TaxRate { return cart.TaxRate(r) }),
	}})
	if err != nil {
		return taxOut{}, err
	}
	return taxOut{Body: toTaxes(reply.Table)}, nil
}
