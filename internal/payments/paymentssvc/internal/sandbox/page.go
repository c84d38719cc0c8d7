package sandbox

import (
	"context"
	"database/sql"
	_ "embed" // of the page
	"errors"
	"html/template"
	"net/http"

	"github.com/go-chi/chi/v5"

	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/httpx"
	"souk/internal/platform/money"
	"souk/internal/platform/store"
)

// PagePrefix is where the pages to approve on lie.
const PagePrefix = "/sandbox/approve/"

//go:embed approve.html
var approveHTML string

var approvePage = template.Must(template.New("approve").Parse(approveHTML))

var (
	errNoPage   = errs.Refusal(errs.NotFound, "payments.no_page").With("there is no payment to approve at this address")
	errDecision = errs.Refusal(errs.Invalid, "payments.invalid").With("approve or decline")
)

// Pages mounts the page to approve on. Its address is the buyer's credential: 160 random bits
// that only the merchant was told. That no other site posts the form is seen to by httpx.
func (s *Sandbox) Pages(r chi.Router, stylesheet string) {
	r.Get(PagePrefix+"{page}", func(w http.ResponseWriter, r *http.Request) { s.show(w, r, stylesheet) })
	r.Post(PagePrefix+"{page}", s.decided)
}

type approveView struct {
	Title, Stylesheet, Amount, Until, UntilText, ReturnURL, Message string
	Waiting                                                         bool
}

func (s *Sandbox) show(w http.ResponseWriter, r *http.Request, stylesheet string) {
	row, err := s.byPage(r.Context(), chi.URLParam(r, "page"))
	if err != nil {
		httpx.PageError(w, r, err)
		return
	}
	view := approveView{
		Title: "Approve your payment", Stylesheet: stylesheet, Waiting: row.State == stateAction && !row.late(s.now()),
		Amount: money.Money{Minor: row.Amount, Currency: row.Currency}.String(), ReturnURL: row.back(),
		Until: row.Until.String(), UntilText: row.Until.Std().Format("15:04 on 2 January 2006, UTC"),
	}
	if !view.Waiting {
		view.Title, view.Message = "Nothing to approve", row.ended(s.now())
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "same-origin")
	_ = approvePage.Execute(w, view) // the buyer may be gone
}

func (s *Sandbox) decided(w http.ResponseWriter, r *http.Request) {
	decision := r.PostFormValue("decision")
	if decision != "approve" && decision != "decline" {
		httpx.PageError(w, r, errDecision)
		return
	}
	back, err := s.Decide(r.Context(), chi.URLParam(r, "page"), decision == "approve")
	if err != nil {
		httpx.PageError(w, r, err)
		return
	}
	http.Redirect(w, r, back, http.StatusSeeOther)
}

// Decide is what the buyer does on the page, and says where the buyer goes then. Deciding a
// second time changes nothing.
func (s *Sandbox) Decide(ctx context.Context, page string, approve bool) (back string, err error) {
	copies := s.plan.Notify()
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		row, err := selectByPage(tx, page)
		if err != nil {
			return err
		}
		back = row.back()
		switch {
		case row.State != stateAction:
			return nil
		case row.late(s.now()):
			return s.change(tx, row, stateDeclined, reasonLate, copies)
		case approve:
			return s.change(tx, row, stateAuthorised, "", copies)
		default:
			return s.change(tx, row, stateDeclined, reasonNotApproved, copies)
		}
	})
	return back, err
}

func (s *Sandbox) byPage(ctx context.Context, page string) (row chargeRow, err error) {
	err = s.db.Read(ctx, func(q store.Queryer) (err error) {
		row, err = selectByPage(q, page)
		return err
	})
	return row, err
}

func selectByPage(q store.Queryer, page string) (chargeRow, error) {
	var row chargeRow
	if page == "" {
		return row, errNoPage
	}
	err := q.Get(&row, `SELECT `+chargeColumns+` FROM sandbox_charges WHERE page = ? AND page <> ''`, page)
	if errors.Is(err, sql.ErrNoRows) {
		return row, errNoPage
	}
	return row, err
}

func (c chargeRow) late(now clock.Time) bool { return c.Until != 0 && !now.Before(c.Until) }

// back is where the buyer goes. The merchant has said so, and only a path of its own site.
func (c chargeRow) back() string {
	if c.ReturnURL == "" {
		return "/"
	}
	return c.ReturnURL
}

// ended says to the buyer why there is nothing to do.
func (c chargeRow) ended(now clock.Time) string {
	switch {
	case c.State == stateAction && c.late(now):
		return reasonLate
	case c.State == stateAuthorised, c.State == stateCaptured:
		return "You have approved this payment."
	case c.State == stateDeclined:
		return c.Reason
	default:
		return "The shop has withdrawn this payment."
	}
}
