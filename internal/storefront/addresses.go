package storefront

import (
	"maps"
	"net/http"
	"slices"

	"souk/internal/accounts"
	"souk/internal/platform/httpx"
	"souk/internal/storefront/views"
)

// addressFields are the fields of an entry of the address book.
var addressFields = append([]fieldName{{"address.label", "label", "What you call it"}}, postalNames("address.postal", "")...)

// addresses is the caller's address book.
func (v *visit) addresses() error { return v.showAddresses(nil) }

func (v *visit) showAddresses(flash *views.Flash) error {
	book, err := v.Accounts.ListAddresses(v.ctx(), accounts.ListAddressesRequest{By: v.by})
	if err != nil {
		return err
	}
	out := views.Addresses{
		Page: v.frame("Addresses", views.AreaAccount, views.PathAddresses),
		Empty: views.Empty{
			Title: "No addresses yet", Text: "With an address here, a checkout is one click shorter.",
			Links: []views.Link{{Text: "Add an address", URL: views.PathAddress}},
		},
	}
	if flash != nil {
		out.Flash = flash
	}
	for _, a := range book.Addresses {
		base := views.PathAddresses + "/" + string(a.ID)
		out.Addresses = append(out.Addresses, views.Address{
			Label: a.Label, Lines: postalLines(a.Postal), Default: a.Default,
			EditURL: base, DefaultURL: base + "/default", RemoveURL: base + "/remove",
		})
	}
	return v.show(http.StatusOK, out)
}

func (v *visit) newAddress() error {
	return v.showAddress(http.StatusOK, "", views.Form{})
}

func (v *visit) editAddress() error {
	a, err := v.ownAddress()
	if err != nil {
		return err
	}
	values := postalValues(a.Postal)
	values["label"] = a.Label
	return v.showAddress(http.StatusOK, a.ID, views.Form{Values: values})
}

// ownAddress is the entry that the address of the page names.
func (v *visit) ownAddress() (accounts.Address, error) {
	book, err := v.Accounts.ListAddresses(v.ctx(), accounts.ListAddressesRequest{By: v.by})
	if err != nil {
		return accounts.Address{}, err
	}
	wanted := accounts.AddressID(v.param("address"))
	i := slices.IndexFunc(book.Addresses, func(a accounts.Address) bool { return a.ID == wanted })
	if i < 0 {
		return accounts.Address{}, accounts.ErrNotFound.With("there is no such address")
	}
	return book.Addresses[i], nil
}

func (v *visit) showAddress(status int, aid accounts.AddressID, form views.Form) error {
	out := views.AddressForm{Form: form, Action: views.PathAddress, New: aid == "", Countries: countryChoices(form.Value("country"))}
	title := "New address"
	if aid != "" {
		title, out.Action = "Address", views.PathAddresses+"/"+string(aid)
	}
	out.Page = v.frame(title, views.AreaAccount, out.Action)
	out.Crumbs = []views.Link{{Text: "Addresses", URL: views.PathAddresses}}
	return v.show(status, out)
}

func (v *visit) addAddress() error { return v.saveAddress(accounts.Address{}) }

// putAddress changes an entry, or puts back one that was removed: that is what the notice
// after removing asks for.
func (v *visit) putAddress() error {
	aid := accounts.AddressID(v.param("address"))
	if v.field("restore") != "" {
		return v.saveAddress(accounts.Address{ID: aid, Default: v.field("default") != ""})
	}
	was, err := v.ownAddress()
	if err != nil {
		return err
	}
	return v.saveAddress(was)
}

// saveAddress puts what was typed into the entry.
func (v *visit) saveAddress(a accounts.Address) error {
	a.Label, a.Postal = v.field("label"), v.postal("")
	_, err := v.Accounts.PutAddress(v.ctx(), accounts.PutAddressRequest{By: v.by, Key: v.key(), Address: a})
	if err == nil {
		return v.done(views.PathAddresses, views.Flash{Text: "The address is saved.", Tone: views.Good})
	}
	if !formFails(err) {
		return err
	}
	values := postalValues(a.Postal)
	values["label"] = a.Label
	return v.showAddress(httpx.Status(err), a.ID, v.refusedForm(err, values, addressFields))
}

// defaultAddress makes an entry the one that a checkout begins with.
func (v *visit) defaultAddress() error {
	a, err := v.ownAddress()
	if err != nil {
		return err
	}
	a.Default = true
	if _, err := v.Accounts.PutAddress(v.ctx(), accounts.PutAddressRequest{By: v.by, Key: v.key(), Address: a}); err != nil {
		return err
	}
	return v.done(views.PathAddresses, views.Flash{Text: "A checkout begins with this address now.", Tone: views.Good})
}

// removeAddress takes an entry out. The answer is the page itself and not a redirect: the way
// to undo has the address in it, which is not for a cookie.
func (v *visit) removeAddress() error {
	a, err := v.ownAddress()
	if err != nil {
		return err
	}
	if _, err := v.Accounts.RemoveAddress(v.ctx(), accounts.RemoveAddressRequest{By: v.by, Key: v.key(), ID: a.ID}); err != nil {
		return err
	}
	values := map[string]string{"restore": "yes", "label": a.Label}
	if a.Default {
		values["default"] = "yes"
	}
	maps.Copy(values, postalValues(a.Postal))
	return v.showAddresses(&views.Flash{
		Text: "The address is removed.",
		Undo: &views.Act{Text: "Put it back", URL: views.PathAddresses + "/" + string(a.ID), Values: values},
	})
}
