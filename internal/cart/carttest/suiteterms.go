package carttest

import (
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/catalog/catalogtest"
	"souk/internal/platform/actor"
)

func flat(price int64) []cart.ShippingZone {
	return []cart.ShippingZone{{
		Label: "Parcel", Currency: "EUR", Kind: cart.ShippingFlat, Steps: []cart.ShippingStep{{Price: catalogtest.Euro(price)}},
	}}
}

var termTests = map[string]func(*world){
	"a seller without a shipping table has the marketplace's": func(w *world) {
		a, b := w.shop("A"), w.shop("B")
		w.ship(a, flat(123)...)
		reply, err := w.GetShipping(w.Context(), cart.GetShippingRequest{Sellers: []catalog.SellerID{b.ID, a.ID, ""}})
		require.NoError(w, err)
		require.Len(w, reply.Tables, 3)
		assert.Equal(w, b.ID, reply.Tables[0].Seller)
		assert.Zero(w, reply.Tables[0].Version)
		assert.Equal(w, reply.Tables[2].Zones, reply.Tables[0].Zones)
		assert.EqualValues(w, 1, reply.Tables[1].Version)
		assert.Equal(w, catalogtest.Euro(123), reply.Tables[1].Zones[0].Steps[0].Price)
		_, err = w.GetShipping(w.Context(), cart.GetShippingRequest{Sellers: make([]catalog.SellerID, 201)})
		w.invalid(err, "sellers")
	},
	"shipping tables are put by whose they are, and by version": func(w *world) {
		s := w.shop("A")
		put := func(by actor.Actor, seller catalog.SellerID, version, price int64) error {
			_, err := w.PutShipping(w.Context(), cart.PutShippingRequest{
				By: by, Key: Key(), Table: cart.ShippingTable{Seller: seller, Zones: flat(price), Version: version},
			})
			return err
		}
		for _, by := range []actor.Actor{actor.Nobody(), Guest(), catalogtest.Person()} {
			w.refused(cart.ErrForbidden, put(by, s.ID, 0, 1))
		}
		w.refused(cart.ErrForbidden, put(catalogtest.Staff(s.ID), "", 0, 1))
		w.refused(cart.ErrNotFound, put(catalogtest.Staff(w.shop("B").ID), s.ID, 0, 1))
		require.NoError(w, put(catalogtest.Staff(s.ID), s.ID, 0, 1))
		w.refused(cart.ErrVersion, put(catalogtest.Staff(s.ID), s.ID, 0, 2))
		require.NoError(w, put(catalogtest.Operator(), s.ID, 1, 2))
		require.NoError(w, put(System(), "", 0, 3))
		_, err := w.PutShipping(w.Context(), cart.PutShippingRequest{By: System(), Table: cart.ShippingTable{Seller: s.ID}})
		w.invalid(err, "key", "zones")
	},
	"a seller withdraws its shipping table": func(w *world) {
		s := w.shop("A")
		put := func(t cart.ShippingTable) (cart.ShippingTable, error) {
			reply, err := w.PutShipping(w.Context(), cart.PutShippingRequest{By: catalogtest.Staff(s.ID), Key: Key(), Table: t})
			return reply.Table, err
		}
		market, err := w.GetShipping(w.Context(), cart.GetShippingRequest{Sellers: []catalog.SellerID{""}})
		require.NoError(w, err)
		_, err = put(cart.ShippingTable{Seller: s.ID})
		w.invalid(err, "zones")
		own, err := put(cart.ShippingTable{Seller: s.ID, Zones: flat(1)})
		require.NoError(w, err)
		none, err := put(cart.ShippingTable{Seller: s.ID, Version: own.Version})
		require.NoError(w, err)
		assert.Equal(w, market.Tables[0].Zones, none.Zones, "the marketplace's applies again")
		_, err = put(cart.ShippingTable{Seller: s.ID, Zones: flat(2), Version: own.Version})
		w.refused(cart.ErrVersion, err)
		again, err := put(cart.ShippingTable{Seller: s.ID, Zones: flat(2), Version: none.Version})
		require.NoError(w, err)
		assert.Equal(w, flat(2), again.Zones)
		_, err = w.PutShipping(w.Context(), cart.PutShippingRequest{By: System(), Key: Key(), Table: cart.ShippingTable{Version: 1}})
		w.invalid(err, "zones")
	},
	"a table is put once per key": func(w *world) {
		r := cart.PutShippingRequest{By: System(), Key: Key(), Table: cart.ShippingTable{Seller: w.shop("A").ID, Zones: flat(1)}}
		first, err := w.PutShipping(w.Context(), r)
		require.NoError(w, err)
		again, err := w.PutShipping(w.Context(), r)
		require.NoError(w, err)
		assert.Equal(w, first, again)
		r.Table.Zones = flat(2)
		_, err = w.PutShipping(w.Context(), r)
		w.refused(cart.ErrKeyReused, err)

		t := cart.PutTaxesRequest{By: System(), Key: Key(), Table: cart.TaxTable{Country: "US"}}
		one, err := w.PutTaxes(w.Context(), t)
		require.NoError(w, err)
		two, err := w.PutTaxes(w.Context(), t)
		require.NoError(w, err)
		assert.Equal(w, one, two)
		t.Table.Included = true
		_, err = w.PutTaxes(w.Context(), t)
		w.refused(cart.ErrKeyReused, err)
	},
	"tax tables are put by operators, and read by anyone": func(w *world) {
		table := cart.TaxTable{Country: "CH", Included: true, Rates: []cart.TaxRate{{Class: catalog.TaxStandard, BasisPoints: 810}}}
		for _, by := range []actor.Actor{actor.Nobody(), Guest(), catalogtest.Person(), catalogtest.Staff(w.shop("A").ID)} {
			_, err := w.PutTaxes(w.Context(), cart.PutTaxesRequest{By: by, Key: Key(), Table: table})
			w.refused(cart.ErrForbidden, err)
		}
		reply, err := w.PutTaxes(w.Context(), cart.PutTaxesRequest{By: catalogtest.Operator(), Key: Key(), Table: table})
		require.NoError(w, err)
		assert.EqualValues(w, 1, reply.Table.Version)
		_, err = w.PutTaxes(w.Context(), cart.PutTaxesRequest{By: catalogtest.Operator(), Key: Key(), Table: table})
		w.refused(cart.ErrVersion, err)
		list, err := w.ListTaxes(w.Context(), cart.ListTaxesRequest{})
		require.NoError(w, err)
		assert.Contains(w, list.Tables, reply.Table)
		_, err = w.PutTaxes(w.Context(), cart.PutTaxesRequest{By: System(), Table: cart.TaxTable{
			Country: "Swiss", Rates: []cart.TaxRate{{Class: catalog.TaxStandard, BasisPoints: -1}},
		}})
		w.invalid(err, "key", "country", "rates[0].basis_points")
	},
}
