package catalogsvc

import (
	"souk/internal/catalog"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
)

type moneyWire struct {
	Minor    int64          `json:"minor" example:"1250" doc:"Whole minor units: 1250 is 12.50 of a currency with two decimals."`
	Currency money.Currency `json:"currency" minLength:"3" maxLength:"3" example:"EUR" doc:"ISO 4217."`
}

type attributeWire struct {
	Section string `json:"section" required:"false" maxLength:"100" example:"Body"`
	Name    string `json:"name" minLength:"1" maxLength:"200" example:"Colour"`
	Value   string `json:"value" maxLength:"4000" example:"sage"`
}

type imageWire struct {
	URL    string `json:"url" minLength:"1" maxLength:"2048" example:"https://pictures.example/lamp.svg"`
	Alt    string `json:"alt" required:"false" maxLength:"500" example:"A green desk lamp"`
	Width  int32  `json:"width" required:"false" minimum:"0" doc:"Pixels; 0 when not known."`
	Height int32  `json:"height" required:"false" minimum:"0"`
}

type optionWire struct {
	Name  string `json:"name" minLength:"1" maxLength:"50" example:"Size"`
	Value string `json:"value" minLength:"1" maxLength:"200" example:"M"`
}

type stockWire struct {
	OnHand    int64 `json:"on_hand" doc:"For staff and operators, as held and allocated; otherwise 0."`
	Held      int64 `json:"held"`
	Allocated int64 `json:"allocated"`
	Available int64 `json:"available" example:"3" doc:"How many can be bought now."`
}

type variantWire struct {
	ID        catalog.VariantID `json:"id" example:"var_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	SKU       string            `json:"sku" example:"LAMP-1"`
	GTIN      string            `json:"gtin" example:"4006381333931"`
	Options   []optionWire      `json:"options"`
	Price     moneyWire         `json:"price"`
	WasPrice  *moneyWire        `json:"was_price,omitempty" doc:"Before a sale, if it is on sale."`
	Grams     int64             `json:"grams" doc:"Shipping weight; 0 when not known."`
	Withdrawn bool              `json:"withdrawn" doc:"Not for sale any more; shown to staff only."`
	Stock     stockWire         `json:"stock"`
}

type listingWire struct {
	ID          catalog.ListingID     `json:"id" example:"lst_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Seller      catalog.SellerID      `json:"seller" example:"sel_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	SellerName  string                `json:"seller_name" example:"North Lamp Works"`
	SellerSlug  string                `json:"seller_slug" example:"north-lamp-works"`
	ExternalID  string                `json:"external_id" doc:"The seller's own id in feeds."`
	Title       string                `json:"title" example:"Desk lamp"`
	Description string                `json:"description" doc:"Plain text."`
	Brand       string                `json:"brand"`
	Category    catalog.CategoryID    `json:"category" example:"cat_01k5xk3v8dtq6c9m4j0e7r2a1b" doc:"Empty when it has none."`
	Path        string                `json:"path" example:"home/lighting" doc:"Of the category."`
	Condition   catalog.Condition     `json:"condition" enum:"new,refurbished,used"`
	TaxClass    catalog.TaxClass      `json:"tax_class" enum:"standard,reduced,zero"`
	Attributes  []attributeWire       `json:"attributes"`
	Images      []imageWire           `json:"images"`
	Status      catalog.ListingStatus `json:"status" enum:"draft,active,archived"`
	Variants    []variantWire         `json:"variants"`
	CreatedAt   clock.Time            `json:"created_at"`
	ChangedAt   clock.Time            `json:"changed_at"`
	Version     int64                 `json:"version" doc:"What an edit is made from."`
}

func toListing(l catalog.Listing) listingWire {
	return listingWire{
		ID: l.ID, Seller: l.Seller, SellerName: l.SellerName, SellerSlug: l.SellerSlug, ExternalID: l.ExternalID, Title: l.Title,
		Description: l.Description, Brand: l.Brand, Category: l.Category, Path: l.Path, Condition: l.Condition, TaxClass: l.TaxClass,
		Attributes: mapped(l.Attributes, func(a catalog.Attribute) attributeWire { return attributeWire(a) }),
		Images:     mapped(l.Images, func(i catalog.Image) imageWire { return imageWire(i) }),
		Status:     l.Status, Variants: mapped(l.Variants, toVariant), CreatedAt: l.CreatedAt, ChangedAt: l.ChangedAt, Version: l.Version,
	}
}

func toVariant(v catalog.Variant) variantWire {
	w := variantWire{
		ID: v.ID, SKU: v.SKU, GTIN: v.GTIN, Options: toOptions(v.Options), Price: moneyWire(v.Price), Grams: v.Grams,
		Withdrawn: v.Withdrawn, Stock: stockWire(v.Stock),
	}
	if v.WasPrice != nil {
		was := moneyWire(*v.WasPrice)
		w.WasPrice = &was
	}
	return w
}

func toOptions(options []catalog.Option) []optionWire {
	return mapped(options, func(o catalog.Option) optionWire { return optionWire(o) })
}

// DraftIn is what a seller says of a listing. It is exported only to be embedded.
type DraftIn struct {
	ExternalID  string             `json:"external_id,omitempty" maxLength:"100" doc:"The seller's own id in feeds."`
	Title       string             `json:"title" minLength:"1" maxLength:"300" example:"Desk lamp"`
	Description string             `json:"description,omitempty" maxLength:"20000" doc:"Plain text."`
	Brand       string             `json:"brand,omitempty" maxLength:"100" example:"Acme"`
	Category    catalog.CategoryID `json:"category,omitempty" maxLength:"40" example:"cat_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Condition   catalog.Condition  `json:"condition,omitempty" enum:"new,refurbished,used" doc:"Default new."`
	TaxClass    catalog.TaxClass   `json:"tax_class,omitempty" enum:"standard,reduced,zero" doc:"Default standard."`
	Attributes  []attributeWire    `json:"attributes,omitempty" maxItems:"300"`
	Images      []imageWire        `json:"images,omitempty" maxItems:"30"`
	Variants    []variantDraftWire `json:"variants" minItems:"1" maxItems:"200"`
}

type variantDraftWire struct {
	ID       catalog.VariantID `json:"id,omitempty" maxLength:"40" doc:"Of one that is there; leave out for a new one."`
	SKU      string            `json:"sku,omitempty" maxLength:"100" example:"LAMP-1" doc:"One of the seller's variants has it."`
	GTIN     string            `json:"gtin,omitempty" maxLength:"14" example:"4006381333931"`
	Options  []optionWire      `json:"options,omitempty" maxItems:"8" doc:"What tells it from the others."`
	Price    moneyWire         `json:"price"`
	WasPrice *moneyWire        `json:"was_price,omitempty" doc:"Before a sale."`
	Grams    int64             `json:"grams,omitempty" minimum:"0" maximum:"1000000000"`
	Quantity *int64            `json:"quantity,omitempty" minimum:"0" maximum:"1000000000" doc:"Counted now; leave out to leave stock untouched."`
}

func (w DraftIn) draft() catalog.Draft {
	return catalog.Draft{
		ExternalID: w.ExternalID, Title: w.Title, Description: w.Description, Brand: w.Brand, Category: w.Category,
		Condition: w.Condition, TaxClass: w.TaxClass,
		Attributes: mapped(w.Attributes, func(a attributeWire) catalog.Attribute { return catalog.Attribute(a) }),
		Images:     mapped(w.Images, func(i imageWire) catalog.Image { return catalog.Image(i) }),
		Variants:   mapped(w.Variants, variantDraftWire.draft),
	}
}

func (w variantDraftWire) draft() catalog.VariantDraft {
	d := catalog.VariantDraft{
		ID: w.ID, SKU: w.SKU, GTIN: w.GTIN, Price: money.Money(w.Price), Grams: w.Grams, Quantity: w.Quantity,
		Options: mapped(w.Options, func(o optionWire) catalog.Option { return catalog.Option(o) }),
	}
	if w.WasPrice != nil {
		was := money.Money(*w.WasPrice)
		d.WasPrice = &was
	}
	return d
}

// unprefixed is err with a draft's fields by the names that the API has for them.
func unprefixed(err error) error {
	if err == nil {
		return nil
	}
	e := *errs.As(err)
	fields := make(map[string]string, len(e.Fields))
	for field, problem := range e.Fields {
		fields[fieldOf(field)] = problem
	}
	e.Fields = fields
	return &e
}

type legalWire struct {
	Name       string `json:"name" minLength:"1" maxLength:"200" example:"North Lamp Works GmbH"`
	Line1      string `json:"line1" maxLength:"200" example:"Hauptstr. 1"`
	Line2      string `json:"line2" required:"false" maxLength:"200"`
	PostalCode string `json:"postal_code" required:"false" maxLength:"20" example:"10115"`
	City       string `json:"city" maxLength:"100" example:"Berlin"`
	Country    string `json:"country" maxLength:"2" example:"DE" doc:"ISO 3166-1 alpha-2."`
	TaxID      string `json:"tax_id" required:"false" maxLength:"50" example:"DE123456789"`
	Email      string `json:"email" maxLength:"254" example:"office@lamps.example"`
}

// SellerIn is what a seller says of itself. It is exported only to be embedded.
type SellerIn struct {
	Name  string    `json:"name" minLength:"2" maxLength:"80" example:"North Lamp Works"`
	About string    `json:"about,omitempty" maxLength:"4000"`
	Legal legalWire `json:"legal" doc:"Who the seller is by law: published with every offer."`
}

type sellerWire struct {
	ID          catalog.SellerID     `json:"id" example:"sel_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Slug        string               `json:"slug" example:"north-lamp-works"`
	Name        string               `json:"name" example:"North Lamp Works"`
	About       string               `json:"about"`
	Status      catalog.SellerStatus `json:"status" enum:"applied,approved,suspended,declined"`
	Why         string               `json:"why" doc:"Reason of the last change of status; for staff, operators and who applied."`
	Legal       legalWire            `json:"legal"`
	Currency    money.Currency       `json:"currency" example:"EUR"`
	Commission  int32                `json:"commission_bp" example:"1000" doc:"Of goods, in basis points."`
	AppliedBy   id.Ref               `json:"applied_by" doc:"For staff, operators and who applied."`
	ExternalID  string               `json:"external_id" doc:"Its name in product feeds."`
	ActiveCount int64                `json:"active_count" doc:"Listings shown."`
	CreatedAt   clock.Time           `json:"created_at"`
	Version     int64                `json:"version"`
}

func toSeller(s catalog.Seller) sellerWire {
	return sellerWire{
		ID: s.ID, Slug: s.Slug, Name: s.Name, About: s.About, Status: s.Status, Why: s.Why, Legal: legalWire(s.Legal), Currency: s.Currency,
		Commission: s.Commission, AppliedBy: s.AppliedBy, ExternalID: s.ExternalID, ActiveCount: s.ActiveCount, CreatedAt: s.CreatedAt, Version: s.Version,
	}
}

type categoryWire struct {
	ID     catalog.CategoryID `json:"id" example:"cat_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Parent catalog.CategoryID `json:"parent" doc:"Empty at the root."`
	Path   string             `json:"path" example:"home/lighting"`
	Name   string             `json:"name" example:"Lighting"`
	Depth  int32              `json:"depth"`
	Hue    int32              `json:"hue"`
}

func toCategory(c catalog.Category) categoryWire { return categoryWire(c) }

type offerWire struct {
	Variant    catalog.VariantID `json:"variant" example:"var_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Listing    catalog.ListingID `json:"listing" example:"lst_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Seller     catalog.SellerID  `json:"seller" example:"sel_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	SellerName string            `json:"seller_name"`
	SellerSlug string            `json:"seller_slug"`
	Legal      legalWire         `json:"legal"`
	Title      string            `json:"title"`
	Options    []optionWire      `json:"options"`
	SKU        string            `json:"sku"`
	Image      string            `json:"image" doc:"Address; empty when there is none."`
	Path       string            `json:"path"`
	Price      moneyWire         `json:"price"`
	TaxClass   catalog.TaxClass  `json:"tax_class" enum:"standard,reduced,zero"`
	Grams      int64             `json:"grams"`
	Available  int64             `json:"available"`
	ForSale    bool              `json:"for_sale" doc:"False when it was withdrawn or its seller is not approved; sold out is for sale."`
}

func toOffer(o catalog.Offer) offerWire {
	return offerWire{
		Variant: o.Variant, Listing: o.Listing, Seller: o.Seller, SellerName: o.SellerName, SellerSlug: o.SellerSlug, Legal: legalWire(o.Legal),
		Title: o.Title, Options: toOptions(o.Options), SKU: o.SKU, Image: o.Image, Path: o.Path, Price: moneyWire(o.Price),
		TaxClass: o.TaxClass, Grams: o.Grams, Available: o.Available, ForSale: o.ForSale,
	}
}

type movementWire struct {
	Seq       int64                `json:"seq"`
	Variant   catalog.VariantID    `json:"variant"`
	Kind      catalog.MovementKind `json:"kind" enum:"receive,count,reserve,release,allocate,deallocate,ship,restock,write_off"`
	OnHand    int64                `json:"on_hand" doc:"Change of each quantity."`
	Held      int64                `json:"held"`
	Allocated int64                `json:"allocated"`
	For       id.Ref               `json:"for" doc:"The order, if one."`
	By        id.Ref               `json:"by" doc:"The person, if one."`
	Why       string               `json:"why"`
	At        clock.Time           `json:"at"`
}

func toMovement(m catalog.Movement) movementWire { return movementWire(m) }
