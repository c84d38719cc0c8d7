package storefront

import (
	"souk/internal/search"
	"souk/internal/storefront/views"
)

// forgiven says of results what they are for, when that is not what was typed.
func (a asked) forgiven(out *views.Results, reply search.QueryReply) {
	if reply.Corrected != "" {
		out.Instead = &views.Instead{Text: reply.Corrected, Shown: a.meaning(reply.Corrected, false), Typed: views.Link{Text: a.text, URL: a.meaning(a.text, true)}}
	}
	if reply.Also != "" && reply.Total > 0 { // of which of both, once filters narrow them, the reply does not say
		first := a.text
		if reply.Corrected != "" {
			first = reply.Corrected
		}
		out.Then = &views.Then{
			First: views.Link{Text: first, URL: a.meaning(first, true)}, Then: views.Link{Text: reply.Also, URL: a.meaning(reply.Also, false)},
		}
	}
	if reply.Meant != "" {
		out.DidYouMean = &views.Link{Text: reply.Meant, URL: a.meaning(reply.Meant, false)}
	}
}

// meaning is the address of the same filters with another text, or with the text as it is.
func (a asked) meaning(text string, exact bool) string {
	a.text, a.exact = text, exact
	return a.url()
}

// offers are ways to go on from a list that has nothing in it.
func (a asked) offers(all []search.Offer) []views.Offer {
	var out []views.Offer
	for _, o := range all {
		offer := views.Offer{Link: views.Link{Text: o.Label, Count: int(o.Count)}}
		switch o.Kind {
		case search.OfferQuery:
			other := a.bare()
			other.text, other.exact = o.Text, false
			offer.Before, offer.URL = "Search for", other.url()
		case search.OfferFewerWords:
			offer.Before, offer.URL = "With fewer words:", a.meaning(o.Text, false)
		case search.OfferUnfiltered:
			other := a.bare()
			other.text = o.Text
			offer.Before, offer.URL = "Without filters:", other.url()
		case search.OfferCategory:
			other := asked{base: views.PathSearch, currency: a.currency, text: o.Text, category: o.Path}
			offer.Before, offer.URL = "Everything in", other.url()
			if o.Text != "" {
				offer.Before = "“" + o.Text + "” in"
			}
		default: // of a later release
			continue
		}
		out = append(out, offer)
	}
	return out
}
