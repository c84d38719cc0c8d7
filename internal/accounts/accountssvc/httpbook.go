package accountssvc

import (
	"context"
	"net/http"

	"souk/internal/accounts"
	"souk/internal/platform/actor"
	"souk/internal/platform/httpx"
)

func (s *Service) bookRoutes(api httpx.API) {
	httpx.Route(api, httpx.Op{Method: http.MethodGet, Path: base + "addresses", Who: httpx.People, Summary: "Read one's address book, the default first"}, s.getAddresses)
	httpx.Route(api, httpx.Op{
		Method: http.MethodPost, Path: base + "addresses", Who: httpx.People, Summary: "Add to one's address book",
		Description: "The first entry is the default; another becomes it by saying so.",
		Scope:       actor.ScopeAccount, Status: http.StatusCreated, Limit: writeLimit,
	}, s.postAddress)
	httpx.Route(api, httpx.Op{
		Method: http.MethodPut, Path: base + "addresses/{id}", Who: httpx.People, Summary: "Replace an entry, or put a removed one back",
		Scope: actor.ScopeAccount,
	}, s.putAddress)
	httpx.Route(api, httpx.Op{
		Method: http.MethodDelete, Path: base + "addresses/{id}", Who: httpx.People, Summary: "Take an entry out",
		Description: "For 30 days it can be put back.", Scope: actor.ScopeAccount, Status: http.StatusOK,
	}, s.deleteAddress)
}

type postalWire struct {
	Name       string `json:"name" minLength:"1" maxLength:"200" example:"Bea Buyer"`
	Line1      string `json:"line1" minLength:"1" maxLength:"200" example:"Lindenweg 3"`
	Line2      string `json:"line2" required:"false" maxLength:"200"`
	PostalCode string `json:"postal_code" required:"false" maxLength:"20" example:"10115"`
	City       string `json:"city" minLength:"1" maxLength:"100" example:"Berlin"`
	Region     string `json:"region" required:"false" maxLength:"10" doc:"ISO 3166-2 without the country, where there is one." example:"BE"`
	Country    string `json:"country" pattern:"^[A-Z]{2}$" doc:"ISO 3166-1 alpha-2." example:"DE"`
	Phone      string `json:"phone" required:"false" maxLength:"40" example:"+49 30 1234567"`
}

type addressWire struct {
	ID      accounts.AddressID `json:"id" example:"adr_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Label   string             `json:"label" example:"Home"`
	Postal  postalWire         `json:"postal"`
	Default bool               `json:"default" example:"true"`
}

func toAddress(a accounts.Address) addressWire {
	return addressWire{ID: a.ID, Label: a.Label, Postal: postalWire(a.Postal), Default: a.Default}
}

type addressBody struct {
	Label   string     `json:"label" required:"false" maxLength:"60" example:"Home"`
	Postal  postalWire `json:"postal"`
	Default bool       `json:"default" required:"false" example:"true"`
}

func (b addressBody) address(with accounts.AddressID) accounts.Address {
	return accounts.Address{ID: with, Label: b.Label, Postal: accounts.Postal(b.Postal), Default: b.Default}
}

type newAddressIn struct {
	httpx.Keyed
	Body addressBody
}

type addressIn struct {
	httpx.Keyed
	ID accounts.AddressID `path:"id" maxLength:"40" example:"adr_01k5xk3v8dtq6c9m4j0e7r2a1b"`
}

type putAddressIn struct {
	httpx.Keyed
	ID   accounts.AddressID `path:"id" maxLength:"40" example:"adr_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Body addressBody
}

type addressOut struct{ Body addressWire }

type addressesOut struct {
	Body struct {
		Addresses []addressWire `json:"addresses"`
	}
}

func (s *Service) getAddresses(ctx context.Context, by actor.Actor, _ noIn) (addressesOut, error) {
	reply, err := s.ListAddresses(ctx, accounts.ListAddressesRequest{By: by})
	var out addressesOut
	for _, a := range reply.Addresses {
		out.Body.Addresses = append(out.Body.Addresses, toAddress(a))
	}
	return out, err
}

func (s *Service) postAddress(ctx context.Context, by actor.Actor, in newAddressIn) (addressOut, error) {
	reply, err := s.PutAddress(ctx, accounts.PutAddressRequest{By: by, Key: in.Key, Address: in.Body.address("")})
	return addressOut{Body: toAddress(reply.Address)}, err
}

func (s *Service) putAddress(ctx context.Context, by actor.Actor, in putAddressIn) (addressOut, error) {
	if !accounts.AddressIDs.Valid(in.ID) {
		return addressOut{}, accounts.ErrNotFound.With("there is no such address")
	}
	reply, err := s.PutAddress(ctx, accounts.PutAddressRequest{By: by, Key: in.Key, Address: in.Body.address(in.ID)})
	return addressOut{Body: toAddress(reply.Address)}, err
}

func (s *Service) deleteAddress(ctx context.Context, by actor.Actor, in addressIn) (addressOut, error) {
	if !accounts.AddressIDs.Valid(in.ID) {
		return addressOut{}, accounts.ErrNotFound.With("there is no such address")
	}
	reply, err := s.RemoveAddress(ctx, accounts.RemoveAddressRequest{By: by, Key: in.Key, ID: in.ID})
	return addressOut{Body: toAddress(reply.Address)}, err
}
