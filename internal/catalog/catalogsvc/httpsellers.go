package catalogsvc

import (
	"context"
	"net/http"
	"strings"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/httpx"
	"souk/internal/platform/money"
)

type postStockIn struct {
	ID catalog.VariantID `path:"id" maxLength:"40"`
	httpx.Keyed
	Body struct {
		Kind      catalog.MovementKind `json:"kind" enum:"receive,count,restock,write_off"`
		Quantity  int64                `json:"quantity" minimum:"0" maximum:"1000000000" example:"12" doc:"Counted, or moved."`
		CountedAt clock.Time           `json:"counted_at,omitempty" doc:"When it was counted; leave out for now."`
		Why       string               `json:"why,omitempty" maxLength:"500" example:"stocktaking"`
	}
}

type stockOut struct {
	Body struct {
		Variant catalog.VariantID `json:"variant"`
		Stock   stockWire         `json:"stock"`
	}
}

func (s *Service) postStock(ctx context.Context, by actor.Actor, in postStockIn) (out stockOut, err error) {
	reply, err := s.AdjustStock(ctx, catalog.AdjustStockRequest{
		By: by, Key: in.Key, Variant: in.ID, Kind: in.Body.Kind, Quantity: in.Body.Quantity, CountedAt: in.Body.CountedAt, Why: in.Body.Why,
	})
	out.Body.Variant, out.Body.Stock = reply.Variant, stockWire(reply.Stock)
	return out, err
}

type listMovementsIn struct {
	ID catalog.VariantID `path:"id" maxLength:"40"`
	httpx.Page
}

type movementsOut struct {
	Body struct {
		Movements []movementWire `json:"movements"`
		Next      string         `json:"next_cursor" doc:"Where to go on; empty at the end."`
	}
}

func (s *Service) listMovements(ctx context.Context, by actor.Actor, in listMovementsIn) (out movementsOut, err error) {
	reply, err := s.ListMovements(ctx, catalog.ListMovementsRequest{By: by, Variant: in.ID, Page: in.Page.Request()})
	out.Body.Movements, out.Body.Next = mapped(reply.Movements, toMovement), reply.Next
	return out, err
}

// Nobody has the scope sell before an application was approved, and what is for staff and for
// operators needs one of two scopes, at which the module looks.
func (s *Service) sellerRoutes(api httpx.API) {
	httpx.Route(api, httpx.Op{
		Method: http.MethodGet, Path: base + "sellers/{id}", Who: httpx.Anyone, Summary: "Read a seller by its id or slug",
	}, s.getSeller)
	httpx.Route(api, httpx.Op{
		Method: http.MethodGet, Path: base + "sellers", Who: httpx.Anyone, Summary: "List sellers by name",
		Description: "Approved ones; operators see all.",
	}, s.listSellers)
	httpx.Route(api, httpx.Op{
		Method: http.MethodPost, Path: base + "sellers", Who: httpx.People, Scope: actor.ScopeAccount, Summary: "Apply to sell here",
		Description: "An operator looks at the application. Who applied becomes the seller's first staff. It is done from a session: no token can.",
		Status:      http.StatusCreated,
	}, s.postSeller)
	httpx.Route(api, httpx.Op{
		Method: http.MethodPut, Path: base + "sellers/{id}", Who: httpx.People, Scope: actor.ScopeRead, Summary: "Change what a seller says of itself",
		Description: "For its staff and operators.",
	}, s.putSeller)
	httpx.Route(api, httpx.Op{
		Method: http.MethodPost, Path: base + "sellers/{id}/status", Who: httpx.Operators, Summary: "Approve, decline, suspend or reinstate a seller",
		Description: "Declining ends an application and gives its name free; its applicant reads the reason and may apply again.",
	}, s.postSellerStatus)
	httpx.Route(api, httpx.Op{
		Method: http.MethodGet, Path: base + "applications", Who: httpx.People, Scope: actor.ScopeRead, Summary: "List one's own applications to sell",
		Description: "Newest first, wherever they stand, with the reason of an operator's decision.",
	}, s.listApplications)
}

type getSellerIn struct {
	ID string `path:"id" maxLength:"100" example:"north-lamp-works"`
	httpx.IfNoneMatch
}

type sellerOut struct{ Body sellerWire }

type taggedSellerOut struct {
	httpx.ETag
	Body sellerWire
}

func (s *Service) getSeller(ctx context.Context, by actor.Actor, in getSellerIn) (taggedSellerOut, error) {
	r := catalog.GetSellersRequest{By: by}
	if sid := catalog.SellerID(in.ID); catalog.SellerIDs.Valid(sid) {
		r.IDs = []catalog.SellerID{sid}
	} else {
		r.Slugs = []string{in.ID}
	}
	reply, err := s.GetSellers(ctx, r)
	if err != nil {
		return taggedSellerOut{}, err
	}
	if len(reply.Sellers) == 0 {
		return taggedSellerOut{}, catalog.ErrNotFound.With("there is no seller %s", in.ID)
	}
	body := toSeller(reply.Sellers[0])
	tag := httpx.Tag(body)
	if in.Has(tag) {
		return taggedSellerOut{}, httpx.NotModified(tag)
	}
	return taggedSellerOut{ETag: httpx.Tagged(tag), Body: body}, nil
}

type listSellersIn struct {
	httpx.Page
	Status catalog.SellerStatus `query:"status" enum:"applied,approved,suspended,declined" doc:"Operators may ask for others than approved."`
	Text   string               `query:"q" maxLength:"80" doc:"In the name."`
	Sort   catalog.SellerSort   `query:"sort" enum:"name_up,name_down,applied_up,applied_down" doc:"By name without it."`
}

type sellersOut struct {
	Body struct {
		Sellers []sellerWire `json:"sellers"`
		Next    string       `json:"next_cursor" doc:"Where to go on; empty at the end."`
	}
}

func (s *Service) listSellers(ctx context.Context, by actor.Actor, in listSellersIn) (out sellersOut, err error) {
	reply, err := s.ListSellers(ctx, catalog.ListSellersRequest{By: by, Status: in.Status, Text: in.Text, Page: in.Page.Request(), Sort: given(in.Sort)})
	out.Body.Sellers, out.Body.Next = mapped(reply.Sellers, toSeller), reply.Next
	return out, err
}

type listApplicationsIn struct{ httpx.Page }

func (s *Service) listApplications(ctx context.Context, by actor.Actor, in listApplicationsIn) (out sellersOut, err error) {
	reply, err := s.ListApplications(ctx, catalog.ListApplicationsRequest{By: by, Page: in.Page.Request()})
	out.Body.Sellers, out.Body.Next = mapped(reply.Sellers, toSeller), reply.Next
	return out, err
}

type postSellerIn struct {
	httpx.Keyed
	Body struct {
		SellerIn
		Currency money.Currency `json:"currency" minLength:"3" maxLength:"3" example:"EUR" doc:"Of all its prices, for good."`
	}
}

func (s *Service) postSeller(ctx context.Context, by actor.Actor, in postSellerIn) (sellerOut, error) {
	reply, err := s.ApplySeller(ctx, catalog.ApplySellerRequest{
		By: by, Key: in.Key, Name: in.Body.Name, About: in.Body.About, Legal: catalog.LegalParty(in.Body.Legal), Currency: in.Body.Currency,
	})
	return sellerOut{Body: toSeller(reply.Seller)}, err
}

type putSellerIn struct {
	ID catalog.SellerID `path:"id" maxLength:"40"`
	httpx.Keyed
	Body struct {
		SellerIn
		Version int64 `json:"version" minimum:"1" doc:"The version that the edit was made from."`
	}
}

func (s *Service) putSeller(ctx context.Context, by actor.Actor, in putSellerIn) (sellerOut, error) {
	reply, err := s.EditSeller(ctx, catalog.EditSellerRequest{
		By: by, Key: in.Key, Seller: in.ID, Version: in.Body.Version, Name: in.Body.Name, About: in.Body.About, Legal: catalog.LegalParty(in.Body.Legal),
	})
	return sellerOut{Body: toSeller(reply.Seller)}, err
}

type postSellerStatusIn struct {
	ID catalog.SellerID `path:"id" maxLength:"40"`
	httpx.Keyed
	Body struct {
		Status catalog.SellerStatus `json:"status" enum:"approved,suspended,declined"`
		Why    string               `json:"why,omitempty" maxLength:"500" example:"papers are in order" doc:"Required to suspend and to decline; its staff and who applied read it."`
	}
}

func (s *Service) postSellerStatus(ctx context.Context, by actor.Actor, in postSellerStatusIn) (sellerOut, error) {
	reply, err := s.ChangeSellerStatus(ctx, catalog.ChangeSellerStatusRequest{
		By: by, Key: in.Key, Seller: in.ID, Status: in.Body.Status, Why: in.Body.Why,
	})
	return sellerOut{Body: toSeller(reply.Seller)}, err
}

func (s *Service) categoryRoutes(api httpx.API) {
	httpx.Route(api, httpx.Op{
		Method: http.MethodGet, Path: base + "categories", Who: httpx.Anyone, Summary: "Read the tree of categories",
		Description: "Parents come before children, siblings by name.",
	}, s.getCategories)
	httpx.Route(api, httpx.Op{
		Method: http.MethodPut, Path: base + "categories", Who: httpx.Operators, Summary: "Make a category with all above it, or rename it",
	}, s.putCategories)
}

type getCategoriesIn struct{ httpx.IfNoneMatch }

type categoriesOut struct {
	httpx.ETag
	Body struct {
		Categories []categoryWire `json:"categories"`
	}
}

func (s *Service) getCategories(ctx context.Context, _ actor.Actor, in getCategoriesIn) (out categoriesOut, err error) {
	reply, err := s.ListCategories(ctx, catalog.ListCategoriesRequest{})
	if err != nil {
		return out, err
	}
	out.Body.Categories = mapped(reply.Categories, toCategory)
	tag := httpx.Tag(out.Body.Categories)
	if in.Has(tag) {
		return out, httpx.NotModified(tag)
	}
	out.ETag = httpx.Tagged(tag)
	return out, nil
}

type putCategoryIn struct {
	httpx.Keyed
	Body struct {
		Names []string `json:"names" minItems:"1" maxItems:"8" example:"[\"Home\",\"Lighting\"]" doc:"From the root."`
		Hue   int32    `json:"hue,omitempty" minimum:"0" maximum:"359" doc:"Of its tiles; 0 inherits."`
	}
}

type categoryOut struct{ Body categoryWire }

func (s *Service) putCategories(ctx context.Context, by actor.Actor, in putCategoryIn) (categoryOut, error) {
	reply, err := s.PutCategory(ctx, catalog.PutCategoryRequest{By: by, Key: in.Key, Names: in.Body.Names, Hue: in.Body.Hue})
	return categoryOut{Body: toCategory(reply.Category)}, err
}

// given is v, or nil when it was left out.
func given[T ~string](v T) *T {
	if v == "" {
		return nil
	}
	return &v
}

// mapped is each of in through fn; never nil.
func mapped[In, Out any](in []In, fn func(In) Out) []Out {
	out := make([]Out, 0, len(in))
	for _, v := range in {
		out = append(out, fn(v))
	}
	return out
}

// fieldOf is a field of a draft as the API has it: not under "draft.".
func fieldOf(field string) string { return strings.TrimPrefix(field, "draft.") }
