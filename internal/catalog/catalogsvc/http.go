package catalogsvc

import (
	"context"
	"net/http"
	"strings"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/httpx"
)

const base = "/api/v1/catalog/"

// maxListing bounds the body of a listing, which may have many attributes.
const maxListing = 1 << 20

func (s *Service) routes(api httpx.API) {
	s.listingRoutes(api)
	s.stockRoutes(api)
	s.sellerRoutes(api)
	s.categoryRoutes(api)
}

func (s *Service) listingRoutes(api httpx.API) {
	httpx.Route(api, httpx.Op{
		Method: http.MethodGet, Path: base + "listings/{id}", Who: httpx.Anyone, Summary: "Read a listing",
		Description: "Everyone reads active listings of approved sellers; staff also their own, with what lies on the shelf.",
	}, s.getListing)
	httpx.Route(api, httpx.Op{
		Method: http.MethodGet, Path: base + "listings", Who: httpx.Anyone, Summary: "List listings, newest first",
		Description: "To find something, ask search instead.",
	}, s.listListings)
	httpx.Route(api, httpx.Op{
		Method: http.MethodPost, Path: base + "listings", Who: httpx.Sellers, Summary: "Make a listing",
		Status: http.StatusCreated, MaxBody: maxListing,
	}, s.postListing)
	httpx.Route(api, httpx.Op{
		Method: http.MethodPut, Path: base + "listings/{id}", Who: httpx.Sellers, Summary: "Replace what a listing says",
		Description: "Variants are matched by id, then by SKU. Those left out are withdrawn: nobody can buy them, and their journal stays.",
		MaxBody:     maxListing,
	}, s.putListing)
	httpx.Route(api, httpx.Op{
		Method: http.MethodPost, Path: base + "listings/{id}/status", Who: httpx.Sellers, Summary: "Publish, archive or restore a listing",
	}, s.postListingStatus)
	httpx.Route(api, httpx.Op{
		Method: http.MethodGet, Path: base + "offers", Who: httpx.Anyone, Summary: "Read variants as something to buy",
		Description: "Price, seller and whether it can be bought now, also when it cannot. What never existed is left out.",
	}, s.getOffers)
}

type getListingIn struct {
	ID catalog.ListingID `path:"id" maxLength:"40"`
	httpx.IfNoneMatch
}

type listingOut struct{ Body listingWire }

type encodedListingOut struct {
	httpx.ETag
	Body httpx.Encoded[listingWire]
}

// encodedListing is what everyone is answered who may not see more: kept with the snapshot.
type encodedListing struct {
	tag  string
	body httpx.Encoded[listingWire]
}

// getListing answers from the kept snapshot. A tag stands for the very bytes of the body.
func (s *Service) getListing(ctx context.Context, by actor.Actor, in getListingIn) (encodedListingOut, error) {
	snap := s.cache.get(in.ID, s.now())
	if snap == nil {
		found, err := s.load(ctx, []catalog.ListingID{in.ID})
		if err != nil {
			return encodedListingOut{}, err
		}
		if snap = found[in.ID]; snap == nil {
			return encodedListingOut{}, noListing(in.ID)
		}
	}
	e, err := snap.encode(by)
	if err != nil {
		return encodedListingOut{}, err
	}
	if in.Has(e.tag) {
		return encodedListingOut{}, httpx.NotModified(e.tag)
	}
	return encodedListingOut{ETag: httpx.Tagged(e.tag), Body: e.body}, nil
}

func noListing(lid catalog.ListingID) error {
	return catalog.ErrNotFound.With("there is no listing %s", lid)
}

// encode is the listing as by may see it, encoded once for all who see no more than everyone.
func (s *snapshot) encode(by actor.Actor) (*encodedListing, error) {
	all := seesAllOf(by, s.Seller)
	switch {
	case !all && !s.public():
		return nil, noListing(s.ID)
	case !all:
		if kept := s.encoded.Load(); kept != nil {
			return kept, nil
		}
	}
	body, err := httpx.Encode(toListing(s.copied(all)))
	if err != nil {
		return nil, err
	}
	e := &encodedListing{body: body, tag: body.Tag()}
	if !all {
		s.encoded.Store(e)
	}
	return e, nil
}

type listListingsIn struct {
	httpx.Page
	Seller catalog.SellerID      `query:"seller" maxLength:"40" example:"sel_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Status catalog.ListingStatus `query:"status" enum:"draft,active,archived" doc:"Leave out for all that one may see."`
	Path   string                `query:"path" maxLength:"500" example:"home/lighting" doc:"A category, and all below it."`
	Text   string                `query:"q" maxLength:"300" doc:"In title, SKU or external id; needs a seller."`
	Sort   catalog.ListingSort   `query:"sort" enum:"newest,title_up,title_down,state_up,state_down,price_up,price_down,stock_up,stock_down,changed_up,changed_down" doc:"Newest first without it; another order needs a seller."`
}

type listingsOut struct {
	Body struct {
		Listings []listingWire `json:"listings"`
		Next     string        `json:"next_cursor" doc:"Where to go on; empty at the end."`
	}
}

func (s *Service) listListings(ctx context.Context, by actor.Actor, in listListingsIn) (out listingsOut, err error) {
	reply, err := s.ListListings(ctx, catalog.ListListingsRequest{
		By: by, Seller: in.Seller, Status: in.Status, Path: in.Path, Text: in.Text, Page: in.Page.Request(), Sort: given(in.Sort),
	})
	out.Body.Listings, out.Body.Next = mapped(reply.Listings, toListing), reply.Next
	return out, err
}

type postListingIn struct {
	httpx.Keyed
	Body struct {
		DraftIn
		Publish bool `json:"publish,omitempty" doc:"Show it at once; otherwise it is a draft."`
	}
}

func (s *Service) postListing(ctx context.Context, by actor.Actor, in postListingIn) (listingOut, error) {
	reply, err := s.CreateListing(ctx, catalog.CreateListingRequest{
		By: by, Key: in.Key, Seller: catalog.SellerID(by.Seller), Draft: in.Body.draft(), Publish: in.Body.Publish,
	})
	return listingOut{Body: toListing(reply.Listing)}, unprefixed(err)
}

type putListingIn struct {
	ID catalog.ListingID `path:"id" maxLength:"40"`
	httpx.Keyed
	Body struct {
		DraftIn
		Version int64 `json:"version" minimum:"1" doc:"The version that the edit was made from."`
	}
}

func (s *Service) putListing(ctx context.Context, by actor.Actor, in putListingIn) (listingOut, error) {
	reply, err := s.EditListing(ctx, catalog.EditListingRequest{
		By: by, Key: in.Key, Listing: in.ID, Version: in.Body.Version, Draft: in.Body.draft(),
	})
	return listingOut{Body: toListing(reply.Listing)}, unprefixed(err)
}

type postListingStatusIn struct {
	ID catalog.ListingID `path:"id" maxLength:"40"`
	httpx.Keyed
	Body struct {
		Status  catalog.ListingStatus `json:"status" enum:"active,archived"`
		Version *int64                `json:"version,omitempty" minimum:"1" doc:"Refuse if the listing has another version by now."`
	}
}

func (s *Service) postListingStatus(ctx context.Context, by actor.Actor, in postListingStatusIn) (listingOut, error) {
	reply, err := s.ChangeListingStatus(ctx, catalog.ChangeListingStatusRequest{
		By: by, Key: in.Key, Listing: in.ID, Status: in.Body.Status, Version: in.Body.Version,
	})
	return listingOut{Body: toListing(reply.Listing)}, err
}

type getOffersIn struct {
	Variants string `query:"variants" required:"true" maxLength:"10000" example:"var_01k5xk3v8dtq6c9m4j0e7r2a1b" doc:"Ids of variants, parted by commas."`
}

type offersOut struct {
	Body struct {
		Offers []offerWire `json:"offers"`
	}
}

func (s *Service) getOffers(ctx context.Context, _ actor.Actor, in getOffersIn) (out offersOut, err error) {
	var ids []catalog.VariantID
	for part := range strings.SplitSeq(in.Variants, ",") {
		ids = append(ids, catalog.VariantID(strings.TrimSpace(part)))
	}
	reply, err := s.GetOffers(ctx, catalog.GetOffersRequest{Variants: ids})
	out.Body.Offers = mapped(reply.Offers, toOffer)
	return out, err
}

func (s *Service) stockRoutes(api httpx.API) {
	httpx.Route(api, httpx.Op{
		Method: http.MethodPost, Path: base + "variants/{id}/stock", Who: httpx.Sellers, Summary: "Book a receipt, a count or a write-off",
		Description: "A count at an earlier time is booked less what left the shelf since; one older than the last changes nothing.",
	}, s.postStock)
	httpx.Route(api, httpx.Op{
		Method: http.MethodGet, Path: base + "variants/{id}/movements", Who: httpx.People, Summary: "Read the journal of a variant's stock",
		Description: "For staff of its seller and operators. Newest first.",
	}, s.listMovements)
}
