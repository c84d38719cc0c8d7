package orders

import (
	"net/mail"

	"souk/internal/accounts"
	"souk/internal/platform/errs"
)

// CheckWhoAndWhere adds what is wrong with who buys and where it goes, as Checkout refuses it: the fields
// of a buyer's form, which may be looked at before there is a quote to agree to.
func (r CheckoutRequest) CheckWhoAndWhere(p *errs.Problems) {
	parsed, err := mail.ParseAddress(r.Contact.Email)
	p.Check(r.Contact.Email != "", "contact.email", "is needed")
	p.Check(err == nil && parsed.Address == r.Contact.Email && len(r.Contact.Email) <= 254, "contact.email", "is not an e-mail address")
	p.Check(r.Contact.Name != "" && len(r.Contact.Name) <= 200, "contact.name", "must have 1 to 200 characters")
	checkPostal(p, "delivery", r.Delivery)
	if r.Invoice != nil {
		checkPostal(p, "invoice", *r.Invoice)
	}
}

func checkPostal(p *errs.Problems, at string, a accounts.Postal) {
	for _, field := range []struct {
		name, value string
		required    bool
		most        int
	}{
		{"name", a.Name, true, 200},
		{"line1", a.Line1, true, 200},
		{"line2", a.Line2, false, 200},
		{"postal_code", a.PostalCode, false, 20},
		{"city", a.City, true, 100},
		{"region", a.Region, false, 10},
		{"phone", a.Phone, false, 40},
	} {
		p.Check(!field.required || field.value != "", at+"."+field.name, "is needed")
		p.Check(len(field.value) <= field.most, at+"."+field.name, "must have at most %d characters", field.most)
	}
	c := a.Country
	p.Check(len(c) == 2 && c[0] >= 'A' && c[0] <= 'Z' && c[1] >= 'A' && c[1] <= 'Z', at+".country", "must be two capitals, as in DE")
}
