package searchtest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"

	"souk/internal/catalog"
	"souk/internal/orders"
	"souk/internal/orders/orderstest"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/page"
	"souk/internal/search"
)

// searched is a search, or a choice or order line that followed one, as the fake remembers it: one by one.
type searched struct {
	at        clock.Time
	kind      string // "search", "choice", "order"
	text      string // "" for one that is not kept
	empty     bool
	corrected bool
	chosen    catalog.ListingID // of a choice
	position  int32
	bought    int64
}

// leastShown is how often a text is searched for before it is shown.
const leastShown = 3

// keptText is a text as it is counted; "" for one that may be about somebody.
func keptText(text string) string {
	text = strings.Join(strings.Fields(strings.ToLower(text)), " ")
	digits := 0
	for _, r := range text {
		if unicode.IsDigit(r) {
			digits++
		}
	}
	if strings.Contains(text, "@") || digits > 6 || len(text) > 64 {
		return ""
	}
	return text
}

func nameOf(text string) string {
	if text == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:6])
}

// Sells has the fake hear what orders publish.
func (f *Fake) Sells(sales *orderstest.Fake) *Fake {
	f.sales = sales
	return f
}

// HearOrders takes events of orders in.
func (f *Fake) HearOrders(_ context.Context, events []orderstest.Event) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hearOrders(events)
	return nil
}

// count counts a search that a person has made.
func (f *Fake) count(r search.QueryRequest, reply *search.QueryReply) {
	if r.Count == nil || *r.Count == "" || strings.TrimSpace(r.Text) == "" {
		return
	}
	reply.Search = nameOf(keptText(r.Text))
	c := r.Filter
	if r.Page.Cursor != "" || c.Path != "" || len(c.Brands)+len(c.Sellers)+len(c.ByAttributes()) > 0 || c.PriceMin != nil || c.PriceMax != nil || c.InStock || r.Sort != search.SortRelevance || r.Exact != nil && *r.Exact {
		return
	}
	if f.noted[*r.Count] {
		return
	}
	f.noted[*r.Count] = true
	f.searches = append(f.searches, searched{kind: "search", at: f.goods.Now(), text: keptText(r.Text), empty: reply.Total == 0, corrected: reply.Corrected != ""})
}

// Note implements search.Service.
func (f *Fake) Note(_ context.Context, r search.NoteRequest) (search.NoteReply, error) {
	var p errs.Problems
	p.Check(r.Key != "", "key", "is required")
	p.Check(r.Search != "", "search", "is required")
	p.Check(catalog.ListingIDs.Valid(r.Listing), "listing", "is no id")
	p.Check(r.Position >= 0, "position", "is negative")
	if err := p.Err(search.ErrInvalid); err != nil {
		return search.NoteReply{}, err
	}
	defer f.now()()
	text, now := "", f.goods.Now()
	for _, s := range f.searches {
		if nameOf(s.text) == r.Search && s.kind == "search" && day(s.at) >= day(now)-1 {
			text = s.text
		}
	}
	if text == "" {
		return search.NoteReply{}, nil
	}
	if !f.noted[r.Key] {
		f.noted[r.Key] = true
		f.searches = append(f.searches, searched{kind: "choice", at: now, text: text, chosen: r.Listing, position: r.Position})
	}
	return search.NoteReply{Counted: true}, nil
}

func day(t clock.Time) int64 { return t.Std().Unix() / 86400 }

func (s searched) add(f *search.SearchFigures) {
	switch {
	case s.kind == "search":
		f.Searches++
		if s.empty {
			f.Empty++
		}
		if s.corrected {
			f.Corrected++
		}
		return
	case s.kind == "order":
		f.Bought += s.bought
		return
	case s.position == 1:
		f.First++
	case s.position == 2 || s.position == 3:
		f.Third++
	case s.position >= 4 && s.position <= 10:
		f.Tenth++
	}
	f.Clicks++
}

// Insights implements search.Service.
func (f *Fake) Insights(_ context.Context, r search.InsightsRequest) (search.InsightsReply, error) {
	if !r.By.IsOperator() && !r.By.IsSystem() {
		return search.InsightsReply{}, search.ErrForbidden
	}
	defer f.now()()
	until := day(f.goods.Now())
	if !r.Until.IsZero() {
		until = min(until, day(r.Until))
	}
	from := until - 29
	if !r.From.IsZero() {
		from = max(day(r.From), until-89)
	}
	if from > until {
		return search.InsightsReply{}, search.ErrInvalid.WithField("from", "is later than until")
	}
	reply := search.InsightsReply{Least: leastShown, Kept: 90}
	for d := from; d <= until; d++ {
		reply.Days = append(reply.Days, search.SearchDay{Day: clock.Of(time.Unix(d*86400, 0))})
	}
	texts := map[string]*search.SearchedText{}
	for _, s := range f.searches {
		if day(s.at) < from || day(s.at) > until {
			continue
		}
		s.add(&reply.Days[day(s.at)-from].Figures)
		if s.text == "" {
			continue
		}
		if texts[s.text] == nil {
			texts[s.text] = &search.SearchedText{Text: s.text}
		}
		s.add(&texts[s.text].Figures)
	}
	for _, t := range texts {
		fits := r.Only == search.InsightEmpty && t.Figures.Empty > 0 || r.Only == search.InsightUnchosen && t.Figures.Clicks == 0 && t.Figures.Searches > t.Figures.Empty ||
			r.Only != search.InsightEmpty && r.Only != search.InsightUnchosen
		if t.Figures.Searches >= leastShown && fits && strings.Contains(t.Text, strings.ToLower(r.Text)) {
			reply.Texts = append(reply.Texts, *t)
		}
	}
	slices.SortFunc(reply.Texts, func(a, b search.SearchedText) int {
		x, y := a.Figures, b.Figures
		by := map[search.InsightSort]int{
			search.InsightByEmpty: cmp.Compare(y.Empty, x.Empty), search.InsightByBought: cmp.Compare(y.Bought, x.Bought), search.InsightByText: 0,
			search.InsightByClicks: cmp.Compare(y.Clicks*x.Searches, x.Clicks*y.Searches),
		}
		first, known := by[r.Sort]
		if !known {
			first = cmp.Compare(y.Searches, x.Searches)
		}
		if first = cmp.Or(first, cmp.Compare(a.Text, b.Text)); r.Reverse {
			return -first
		}
		return first
	})
	reply.Total = int64(len(reply.Texts))
	return reply, pageTexts(r, from, until, &reply)
}

func pageTexts(r search.InsightsRequest, from, until int64, reply *search.InsightsReply) error {
	hash := []any{from, until, r.Text, r.Only, r.Sort, r.Reverse}
	var last string
	after, err := r.Page.After(hash, &last)
	if err != nil {
		return err
	}
	if after {
		reply.Texts = reply.Texts[1+slices.IndexFunc(reply.Texts, func(t search.SearchedText) bool { return t.Text == last }):]
	}
	if size := r.Page.Size(50, 500); len(reply.Texts) > size {
		reply.Texts = reply.Texts[:size]
		reply.Next, err = page.Cursor(hash, reply.Texts[size-1].Text)
	}
	return err
}

// hearOrders takes in what was sold: of a listing, by when, and for which searches.
func (f *Fake) hearOrders(events []orderstest.Event) {
	for _, e := range events {
		switch e := e.(type) {
		case orders.Placed:
			if f.placed[e.OrderID] {
				continue
			}
			f.placed[e.OrderID] = true
			for _, l := range e.Lines {
				f.sold[l.ListingID] = append(f.sold[l.ListingID], sale{day: day(e.At), pieces: l.Quantity})
				f.bought(l.ListingID, e.At)
			}
		case orders.Cancelled:
			for _, l := range e.Lines {
				if key := string(e.SellerOrderID) + string(l.VariantID); f.taken[key] < l.Cancelled {
					f.sold[l.ListingID] = append(f.sold[l.ListingID], sale{day: day(e.At), pieces: f.taken[key] - l.Cancelled})
					f.taken[key] = l.Cancelled
				}
			}
		}
	}
}

// bought shares an order line out among the searches that led to the listing, like search.
func (f *Fake) bought(listing catalog.ListingID, at clock.Time) {
	clicks, texts := map[string]int64{}, []string{}
	for _, s := range f.searches {
		if s.kind == "choice" && s.chosen == listing && s.at >= at.Add(-24*time.Hour) && s.at <= at {
			if clicks[s.text] == 0 {
				texts = append(texts, s.text)
			}
			clicks[s.text]++
		}
	}
	all := int64(0)
	for _, n := range clicks {
		all += n
	}
	for _, text := range texts {
		f.searches = append(f.searches, searched{kind: "order", at: at, text: text, bought: 1000 * clicks[text] / all})
	}
}

type sale struct{ day, pieces int64 }

// sells is how much of a listing was sold, where a piece counts half after 30 days.
func (f *Fake) sells(listing catalog.ListingID) float64 {
	sum, today := 0.0, day(f.goods.Now())
	for _, s := range f.sold[listing] {
		sum += float64(s.pieces) * math.Exp2(float64(s.day-today)/30)
	}
	return sum
}
