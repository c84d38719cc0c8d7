package cartsvc

import (
	"context"
	"net/http"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/httpx"
	"souk/internal/platform/module"
	"souk/internal/platform/money"
)

// Module is cart for the program.
func (s *Service) Module() module.Module {
	return module.Module{Name: string(cart.Log), DB: s.db, Routes: s.routes, Jobs: s.jobs, Start: s.Start}
}

const base = "/api/v1/cart/"

func (s *Service) routes(api httpx.API) {
	httpx.Route(api, httpx.Op{
		Method: http.MethodPost, Path: base + "tokens", Who: httpx.Anyone, Summary: "Make a token for a guest's cart",
		Description: "Send it as " + httpx.CartHeader + " with every request. Whoever has it has the cart.", Status: http.StatusCreated,
	}, s.postToken)
	httpx.Route(api, httpx.Op{Method: http.MethodGet, Path: base + "cart", Who: httpx.Shoppers, Summary: "Read one's cart"}, s.getCart)
	httpx.Route(api, httpx.Op{
		Method: http.MethodPost, Path: base + "lines", Who: httpx.Shoppers, Summary: "Add to the cart",
		Description: "Adds to the quantity that is there already.",
	}, s.postLine)
	httpx.Route(api, httpx.Op{
		Method: http.MethodPut, Path: base + "lines/{variant}", Who: httpx.Shoppers, Summary: "Set the quantity of a line",
		Description: "A quantity of 0 removes the line.",
	}, s.putLine)
	httpx.Route(api, httpx.Op{
		Method: http.MethodPost, Path: base + "acceptances", Who: httpx.Shoppers, Summary: "Take note of changed prices",
	}, s.postAcceptance)
	httpx.Route(api, httpx.Op{Method: http.MethodPost, Path: base + "coupons", Who: httpx.Shoppers, Summary: "Put a coupon's code on the cart", Limit: guesses}, s.postCode)
	httpx.Route(api, httpx.Op{Method: http.MethodDelete, Path: base + "coupons/{code}", Who: httpx.Shoppers, Summary: "Take a code off the cart"}, s.deleteCode)
	httpx.Route(api, httpx.Op{
		Method: http.MethodPost, Path: base + "merges", Who: httpx.People, Summary: "Take over a guest's cart after signing in",
		Description: "Of a thing in both carts the larger quantity stays. What cannot be taken over stays in the guest's cart and is said in kept.",
	}, s.postMerge)
	httpx.Route(api, httpx.Op{
		Method: http.MethodGet, Path: base + "quote", Who: httpx.Shoppers, Summary: "Compute what the cart costs at a destination",
		Description: "Its hash and the cart's version are what a checkout wants.",
	}, s.getQuote)
	s.termRoutes(api)
}

type noIn struct{}

type tokenOut struct {
	Body struct {
		Token string `json:"token" doc:"Keep it: it is not shown again."`
	}
}

func (s *Service) postToken(context.Context, actor.Actor, noIn) (out tokenOut, err error) {
	out.Body.Token = httpx.NewCartToken()
	return out, nil
}

type moneyWire struct {
	Minor    int64          `json:"minor" example:"1250" doc:"Whole minor units: 1250 is 12.50 of a currency with two decimals."`
	Currency money.Currency `json:"currency" example:"EUR" maxLength:"3" doc:"ISO 4217; empty while the cart is."`
}

type optionWire struct {
	Name  string `json:"name" example:"Colour"`
	Value string `json:"value" example:"Sage"`
}

type noticeWire struct {
	Kind      cart.NoticeKind `json:"kind" enum:"changed,price_up,price_down,short,sold_out,not_for_sale"`
	Was       *moneyWire      `json:"was,omitempty" doc:"The price before, of a changed one."`
	Available int64           `json:"available" doc:"How many there are, of a shortage."`
}

type lineWire struct {
	Variant   catalog.VariantID `json:"variant" example:"var_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Listing   catalog.ListingID `json:"listing" example:"lst_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Seller    catalog.SellerID  `json:"seller" example:"sel_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Title     string            `json:"title"`
	Options   []optionWire      `json:"options"`
	Price     moneyWire         `json:"price" doc:"Of one, now."`
	Quantity  int64             `json:"quantity" example:"2"`
	Total     moneyWire         `json:"total"`
	Available int64             `json:"available"`
	ForSale   bool              `json:"for_sale"`
	Notices   []noticeWire      `json:"notices" doc:"What changed since it was added."`
}

type cartWire struct {
	ID       cart.CartID `json:"id" example:"crt_01k5xk3v8dtq6c9m4j0e7r2a1b" doc:"Empty when there is no cart yet."`
	Status   cart.Status `json:"status" enum:"open,claimed,closed"`
	Version  int64       `json:"version"`
	Lines    []lineWire  `json:"lines"`
	Codes    []string    `json:"codes" doc:"Coupons, in the order in which they apply."`
	Count    int64       `json:"count" doc:"Pieces."`
	Goods    moneyWire   `json:"goods" doc:"At today's prices, before discounts, shipping and tax."`
	Modified clock.Time  `json:"changed_at,omitempty" doc:"Left out when there is no cart yet."`
}

type cartOut struct{ Body cartWire }

// mapped is each of in through fn; never nil.
func mapped[In, Out any](in []In, fn func(In) Out) []Out {
	out := make([]Out, 0, len(in))
	for _, v := range in {
		out = append(out, fn(v))
	}
	return out
}

func toOption(o catalog.Option) optionWire { return optionWire(o) }

func toCartOut(r cart.CartReply, err error) (cartOut, error) {
	if err != nil {
		return cartOut{}, err
	}
	return cartOut{Body: toCart(r.Cart)}, nil
}

func toCart(c cart.Cart) cartWire {
	return cartWire{
		ID: c.ID, Status: c.Status, Version: c.Version, Codes: append([]string{}, c.Codes...), Count: c.Count,
		Goods: moneyWire(c.Goods), Modified: c.ChangedAt, Lines: mapped(c.Lines, toLine),
	}
}

func toLine(l cart.Line) lineWire {
	return lineWire{
		Variant: l.Offer.Variant, Listing: l.Offer.Listing, Seller: l.Offer.Seller, Title: l.Offer.Title,
		Options: mapped(l.Offer.Options, toOption), Price: moneyWire(l.Offer.Price), Quantity: l.Quantity, Total: moneyWire(l.Total),
		Available: l.Offer.Available, ForSale: l.Offer.ForSale,
		Notices: mapped(l.Notices, func(n cart.Notice) noticeWire {
			w := noticeWire{Kind: n.Kind, Available: n.Available}
			if n.Was != nil {
				was := moneyWire(*n.Was)
				w.Was = &was
			}
			return w
		}),
	}
}

func (s *Service) getCart(ctx context.Context, by actor.Actor, _ noIn) (cartOut, error) {
	return toCartOut(s.GetCart(ctx, cart.GetCartRequest{By: by}))
}

type lineIn struct {
	httpx.Keyed
	Body struct {
		Variant  catalog.VariantID `json:"variant" maxLength:"40" example:"var_01k5xk3v8dtq6c9m4j0e7r2a1b"`
		Quantity int64             `json:"quantity" minimum:"1" maximum:"999" example:"1"`
	}
}

func (s *Service) postLine(ctx context.Context, by actor.Actor, in lineIn) (cartOut, error) {
	return toCartOut(s.ChangeLine(ctx, cart.ChangeLineRequest{
		By: by, Key: in.Key, Variant: in.Body.Variant, Quantity: in.Body.Quantity, Add: true,
	}))
}

type setLineIn struct {
	httpx.Keyed
	Variant catalog.VariantID `path:"variant" maxLength:"40" example:"var_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Body    struct {
		Quantity int64 `json:"quantity" minimum:"0" maximum:"999" example:"3"`
	}
}

func (s *Service) putLine(ctx context.Context, by actor.Actor, in setLineIn) (cartOut, error) {
	return toCartOut(s.ChangeLine(ctx, cart.ChangeLineRequest{By: by, Key: in.Key, Variant: in.Variant, Quantity: in.Body.Quantity}))
}

type keyedIn struct{ httpx.Keyed }

func (s *Service) postAcceptance(ctx context.Context, by actor.Actor, in keyedIn) (cartOut, error) {
	return toCartOut(s.AcceptChanges(ctx, cart.AcceptChangesRequest{By: by, Key: in.Key}))
}

type codeIn struct {
	httpx.Keyed
	Body struct {
		Code string `json:"code" minLength:"1" maxLength:"60" example:"WELCOME10"`
	}
}

func (s *Service) postCode(ctx context.Context, by actor.Actor, in codeIn) (cartOut, error) {
	return toCartOut(s.ApplyCoupon(ctx, cart.CouponCodeRequest{By: by, Key: in.Key, Code: in.Body.Code}))
}

type removeCodeIn struct {
	httpx.Keyed
	Code string `path:"code" maxLength:"60" example:"WELCOME10"`
}

func (s *Service) deleteCode(ctx context.Context, by actor.Actor, in removeCodeIn) (cartOut, error) {
	return toCartOut(s.RemoveCoupon(ctx, cart.CouponCodeRequest{By: by, Key: in.Key, Code: in.Code}))
}

type mergeIn struct {
	httpx.Keyed
	Body struct {
		Token string `json:"token" minLength:"20" maxLength:"128" doc:"Of the guest's cart."`
	}
}

type mergeOut struct {
	Body struct {
		Cart cartWire `json:"cart"`
		Kept []string `json:"kept" doc:"What stayed in the guest's cart, in words for the buyer."`
	}
}

func (s *Service) postMerge(ctx context.Context, by actor.Actor, in mergeIn) (out mergeOut, err error) {
	reply, err := s.Merge(ctx, cart.MergeRequest{By: by, Key: in.Key, Guest: httpx.GuestOf(in.Body.Token).Guest})
	if err != nil {
		return out, err
	}
	out.Body.Cart, out.Body.Kept = toCart(reply.Cart), append([]string{}, reply.Kept...)
	return out, nil
}

type quoteIn struct {
	Country    string `query:"country" pattern:"^[A-Z]{2}$" example:"DE" doc:"ISO 3166-1 alpha-2. Leave out while it is not known."`
	Region     string `query:"region" maxLength:"10"`
	PostalCode string `query:"postal_code" maxLength:"20"`
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

type adjustmentWire struct {
	Code   string      `json:"code"`
	Label  string      `json:"label"`
	Funder cart.Funder `json:"funder" enum:"platform,seller"`
	Amount moneyWire   `json:"amount"`
}

type quoteLineWire struct {
	Variant     catalog.VariantID `json:"variant"`
	Title       string            `json:"title"`
	Options     []optionWire      `json:"options"`
	Price       moneyWire         `json:"price"`
	Quantity    int64             `json:"quantity"`
	Sums        sumsWire          `json:"sums"`
	Adjustments []adjustmentWire  `json:"adjustments"`
	TaxRate     int32             `json:"tax_rate" doc:"Basis points: 1900 is 19%." example:"1900"`
	TaxIncluded bool              `json:"tax_included"`
}

type sellerQuoteWire struct {
	Seller   catalog.SellerID `json:"seller"`
	Name     string           `json:"name"`
	Shipping struct {
		Label string `json:"label"`
		Rule  string `json:"rule"`
	} `json:"shipping"`
	Lines []quoteLineWire `json:"lines"`
	Sums  sumsWire        `json:"sums"`
}

type problemWire struct {
	Code    string            `json:"code" example:"out_of_stock"`
	Variant catalog.VariantID `json:"variant"`
	Seller  catalog.SellerID  `json:"seller"`
	Message string            `json:"message"`
}

type codeWire struct {
	Code    string    `json:"code"`
	Label   string    `json:"label"`
	Amount  moneyWire `json:"amount"`
	Applied bool      `json:"applied"`
	Why     string    `json:"why" doc:"Why it did nothing."`
}

type quoteOut struct {
	Body struct {
		Hash        string            `json:"hash" doc:"Names this quote: a checkout is refused when the cart costs something else by then."`
		Cart        cart.CartID       `json:"cart"`
		CartVersion int64             `json:"cart_version"`
		Currency    money.Currency    `json:"currency"`
		Sellers     []sellerQuoteWire `json:"sellers"`
		Sums        sumsWire          `json:"sums"`
		Codes       []codeWire        `json:"codes"`
		Problems    []problemWire     `json:"problems" doc:"Why it cannot be bought as it is; empty when it can."`
	}
}

func (s *Service) getQuote(ctx context.Context, by actor.Actor, in quoteIn) (out quoteOut, err error) {
	reply, err := s.Quote(ctx, cart.QuoteRequest{
		By: by, Destination: cart.Destination{Country: in.Country, Region: in.Region, PostalCode: in.PostalCode},
	})
	if err != nil {
		return out, err
	}
	q, b := reply.Quote, &out.Body
	b.Hash, b.Cart, b.CartVersion, b.Currency, b.Sums = q.Hash, q.Cart, q.CartVersion, q.Currency, toSums(q.Sums)
	b.Sellers = mapped(q.Sellers, toSellerQuote)
	b.Codes = mapped(q.Codes, func(c cart.CodeQuote) codeWire {
		return codeWire{Code: c.Code, Label: c.Label, Amount: moneyWire(c.Amount), Applied: c.Applied, Why: c.Why}
	})
	b.Problems = mapped(q.Problems, func(p cart.Problem) problemWire { return problemWire(p) })
	return out, nil
}

func toSellerQuote(q cart.SellerQuote) sellerQuoteWire {
	w := sellerQuoteWire{Seller: q.Seller, Name: q.Name, Sums: toSums(q.Sums)}
	w.Shipping.Label, w.Shipping.Rule = q.Shipping.Label, q.Shipping.Rule
	w.Lines = mapped(q.Lines, func(l cart.LineQuote) quoteLineWire {
		return quoteLineWire{
			Variant: l.Offer.Variant, Title: l.Offer.Title, Options: mapped(l.Offer.Options, toOption), Price: moneyWire(l.Offer.Price),
			Quantity: l.Quantity, Sums: toSums(l.Sums), TaxRate: l.TaxRate, TaxIncluded: l.TaxIncluded,
			Adjustments: mapped(l.Adjustments, func(a cart.Adjustment) adjustmentWire {
				return adjustmentWire{Code: a.Code, Label: a.Label, Funder: a.Funder, Amount: moneyWire(a.Amount)}
			}),
		}
	})
	return w
}
