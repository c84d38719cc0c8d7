package storefront

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"souk/internal/catalog"
	"souk/internal/platform/errs"
	"souk/internal/platform/httpx"
	"souk/internal/platform/money"
	"souk/internal/storefront/views"
)

// draftForm is the form of a listing as it was sent: what it says as a draft, what was
// typed, and what of it could not be read.
type draftForm struct {
	draft  catalog.Draft
	typed  map[string]string
	wrong  map[string]string
	rows   int         // variants in the form
	indexs []string    // of the draft's variants: the i of their fields
	names  []fieldName // of the request's fields, in the order of the form
}

// readListing reads the form. was is the listing that it changes, nil for a new one: what the
// form has no field for stays as it is.
func (v *visit) readListing(was *catalog.Listing, currency money.Currency) draftForm {
	f := draftForm{typed: map[string]string{}, wrong: map[string]string{}}
	for name := range v.r.PostForm {
		f.typed[name] = v.field(name)
	}
	d := catalog.Draft{
		Title: f.typed["title"], Description: f.typed["description"], Brand: f.typed["brand"], Category: catalog.CategoryID(f.typed["category"]),
		Condition: catalog.Condition(f.typed["condition"]), TaxClass: catalog.TaxClass(f.typed["tax"]),
	}
	known := catalog.Listing{}
	if was != nil {
		known = *was
		d.ExternalID = was.ExternalID
	}
	d.Attributes = f.attributes(known.Attributes)
	d.Images = imagesWith(known.Images, f.typed["image"])
	f.names = []fieldName{
		{"draft.title", "title", "The title"},
		{"draft.description", "description", "The description"},
		{"draft.category", "category", "The category"},
		{"draft.brand", "brand", "The brand"},
		{"draft.images[0].url", "image", "The picture"},
		{"draft.attributes", "attributes", "The attributes"},
		{"draft.condition", "condition", "The condition"},
		{"draft.tax_class", "tax", "The tax class"},
	}
	for ; f.rows < catalog.MaxVariants; f.rows++ {
		i := strconv.Itoa(f.rows)
		if _, there := f.typed["price."+i]; !there {
			break
		}
		if one, use := f.variant(i, known.Variants, currency); use {
			at := fmt.Sprintf("draft.variants[%d]", len(d.Variants))
			d.Variants, f.indexs = append(d.Variants, one), append(f.indexs, i)
			f.names = append(
				f.names, fieldName{at + ".options", "options." + i, "The options"}, fieldName{at + ".sku", "sku." + i, "The SKU"},
				fieldName{at + ".gtin", "gtin." + i, "The GTIN"}, fieldName{at + ".price", "price." + i, "The price"},
				fieldName{at + ".grams", "grams." + i, "The weight"}, fieldName{at + ".quantity", "stock." + i, "The count"},
			)
		}
	}
	f.draft = d
	return f
}

// attributes reads one "name: value" a line. Those that were there keep their section.
func (f *draftForm) attributes(known []catalog.Attribute) []catalog.Attribute {
	var out []catalog.Attribute
	for line := range strings.SplitSeq(f.typed["attributes"], "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok || name == "" || value == "" {
			f.wrong["attributes"] = "Write each line as “Material: linen”; this one is not: " + line
			continue
		}
		one := catalog.Attribute{Name: name, Value: value}
		if i := slices.IndexFunc(known, func(a catalog.Attribute) bool { return a.Name == name }); i >= 0 {
			one.Section = known[i].Section
		}
		out = append(out, one)
	}
	return out
}

// imagesWith is the pictures with another first one, or without the first.
func imagesWith(known []catalog.Image, first string) []catalog.Image {
	rest := known
	if len(known) > 0 {
		if known[0].URL == first {
			return known
		}
		rest = known[1:]
	}
	if first == "" {
		return rest
	}
	return append([]catalog.Image{{URL: first}}, rest...)
}

// variant reads the fields with that index. A new one of which nothing is filled in, and one
// that is to be withdrawn, are left out.
func (f *draftForm) variant(i string, known []catalog.Variant, currency money.Currency) (catalog.VariantDraft, bool) {
	one := catalog.VariantDraft{
		ID: catalog.VariantID(f.typed["variant."+i]), SKU: f.typed["sku."+i], GTIN: f.typed["gtin."+i], Price: money.Zero(currency),
	}
	price := strings.ReplaceAll(f.typed["price."+i], ",", ".")
	if f.typed["drop."+i] != "" {
		return one, false
	}
	if one.ID == "" && i != "0" && price+one.SKU+one.GTIN+f.typed["options."+i]+f.typed["grams."+i]+f.typed["stock."+i] == "" {
		return one, false
	}
	if at := slices.IndexFunc(known, func(k catalog.Variant) bool { return k.ID == one.ID }); at >= 0 {
		one.WasPrice = known[at].WasPrice
	}
	amount, err := money.Parse(price, currency)
	if err != nil || amount.Minor < 0 {
		f.wrong["price."+i] = "Write the price as " + money.Money{Minor: 7200, Currency: currency}.Decimal() + "."
	} else {
		one.Price = amount
	}
	if one.WasPrice != nil && one.WasPrice.Minor <= one.Price.Minor {
		one.WasPrice = nil // no longer a reduction
	}
	for part := range strings.SplitSeq(f.typed["options."+i], ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, value, ok := strings.Cut(part, ":")
		if name, value = strings.TrimSpace(name), strings.TrimSpace(value); !ok || name == "" || value == "" {
			f.wrong["options."+i] = "Write the options as “Size: M, Colour: blue”."
			continue
		}
		one.Options = append(one.Options, catalog.Option{Name: name, Value: value})
	}
	one.Grams = f.whole("grams."+i, "Write the weight in grams, as a whole number.")
	if counted := f.whole("stock."+i, "Write what you have counted, as a whole number."); f.typed["stock."+i] != "" && f.typed["stock."+i] != f.typed["was."+i] {
		one.Quantity = &counted
	}
	return one, true
}

// whole reads a whole number; an empty field is none.
func (f *draftForm) whole(name, problem string) int64 {
	if f.typed[name] == "" {
		return 0
	}
	n, err := strconv.ParseInt(f.typed[name], 10, 64)
	if err != nil || n < 0 {
		f.wrong[name] = problem
		return 0
	}
	return n
}

// newListing asks for what a listing needs.
func (v *visit) newListing() error {
	form := views.Form{Values: map[string]string{"state": string(catalog.ListingActive), "condition": string(catalog.ConditionNew), "tax": string(catalog.TaxStandard)}}
	return v.showListingForm(http.StatusOK, nil, form, 1)
}

// createListing makes a listing, or adds one more variant to the form.
func (v *visit) createListing() error {
	seller, err := v.ownSeller()
	if err != nil {
		return err
	}
	f := v.readListing(nil, seller.Currency)
	if again, err := v.formAgain(nil, f); again {
		return err
	}
	reply, err := v.Catalog.CreateListing(v.ctx(), catalog.CreateListingRequest{
		By: v.by, Key: v.key(), Seller: seller.ID, Draft: f.draft, Publish: f.typed["state"] == string(catalog.ListingActive),
	})
	if err != nil {
		return v.listingFails(nil, f, err)
	}
	said := "The draft is saved. Nobody sees it until you put it on offer."
	if reply.Listing.Status == catalog.ListingActive {
		said = "The listing is on offer."
	}
	return v.done(editURL(reply.Listing.ID), views.Flash{Text: said, Tone: views.Good})
}

// formAgain shows the form again when one more variant is wanted or something in it cannot be
// read.
func (v *visit) formAgain(was *catalog.Listing, f draftForm) (bool, error) {
	form := views.Form{Values: f.typed, Key: v.field("key")}
	if f.typed["add"] != "" {
		return true, v.showListingForm(http.StatusOK, was, form, f.rows+1)
	}
	if len(f.wrong) == 0 {
		return false, nil
	}
	if err := f.draft.Validate(); err != nil { // what else catalog would say, so that it is all said at once
		for _, e := range v.refusedForm(err, f.typed, f.names).Errors {
			if f.wrong[e.Field] == "" {
				f.wrong[e.Field] = e.Text
			}
		}
	}
	var order []string
	for _, name := range f.names {
		order = append(order, name.form)
	}
	form = views.NewForm(f.typed, f.wrong, order...)
	form.Key = v.field("key")
	return true, v.showListingForm(http.StatusBadRequest, was, form, f.rows)
}

// listingFails shows the form with what catalog refused.
func (v *visit) listingFails(was *catalog.Listing, f draftForm, err error) error {
	if !formFails(err) {
		return err
	}
	form := v.refusedForm(err, f.typed, f.names)
	if errors.Is(err, catalog.ErrVersion) {
		form.Problem = "It was changed in the meantime, perhaps in another window. Saving again replaces that with what stands here."
	}
	return v.showListingForm(httpx.Status(err), was, form, f.rows)
}

// editListing shows a listing to be changed.
func (v *visit) editListing() error {
	l, err := v.ownListing()
	if err != nil {
		return err
	}
	values := map[string]string{
		"title": l.Title, "description": l.Description, "category": string(l.Category), "brand": l.Brand, "state": string(l.Status),
		"image": firstImage(l), "condition": string(l.Condition), "tax": string(l.TaxClass),
	}
	var lines []string
	for _, a := range l.Attributes {
		lines = append(lines, a.Name+": "+a.Value)
	}
	values["attributes"] = strings.Join(lines, "\n")
	rows := 0
	for _, one := range l.Variants {
		if one.Withdrawn {
			continue
		}
		i := strconv.Itoa(rows)
		var options []string
		for _, o := range one.Options {
			options = append(options, o.Name+": "+o.Value)
		}
		values["variant."+i], values["options."+i] = string(one.ID), strings.Join(options, ", ")
		values["sku."+i], values["gtin."+i], values["price."+i] = one.SKU, one.GTIN, one.Price.Decimal()
		values["stock."+i] = strconv.FormatInt(one.Stock.OnHand, 10)
		values["was."+i] = values["stock."+i]
		if one.Grams > 0 {
			values["grams."+i] = strconv.FormatInt(one.Grams, 10)
		}
		rows++
	}
	return v.showListingForm(http.StatusOK, &l, views.Form{Values: values}, rows)
}

// ownListing is the listing that the address names, if it is the seller's own.
func (v *visit) ownListing() (catalog.Listing, error) {
	l, err := v.getListing(catalog.ListingID(v.param("listing")))
	if err == nil && string(l.Seller) != string(v.by.Seller) {
		err = catalog.ErrNotFound.With("there is no such listing")
	}
	return l, err
}

// saveListing replaces what a listing says, and moves it to another state if asked to.
func (v *visit) saveListing() error {
	was, err := v.ownListing()
	if err != nil {
		return err
	}
	f := v.readListing(&was, was.Variants[0].Price.Currency)
	if again, err := v.formAgain(&was, f); again {
		return err
	}
	version, err := strconv.ParseInt(f.typed["version"], 10, 64)
	if err != nil {
		version = was.Version
	}
	key := v.key()
	reply, err := v.Catalog.EditListing(v.ctx(), catalog.EditListingRequest{By: v.by, Key: key, Listing: was.ID, Version: version, Draft: f.draft})
	if err != nil {
		return v.listingFails(&was, f, err)
	}
	wanted := catalog.ListingStatus(f.typed["state"])
	if wanted != reply.Listing.Status && (wanted == catalog.ListingActive || wanted == catalog.ListingArchived) {
		_, err := v.Catalog.ChangeListingStatus(v.ctx(), catalog.ChangeListingStatusRequest{By: v.by, Key: key + ":state", Listing: was.ID, Status: wanted})
		switch {
		case err == nil:
		case errs.Refused(err):
			return v.done(editURL(was.ID), views.Flash{Text: "The changes are saved, but it stays as it was: " + errs.As(err).Message + ".", Tone: views.Warn})
		default:
			return err
		}
	}
	return v.done(editURL(was.ID), views.Flash{Text: "The changes are saved.", Tone: views.Good})
}
