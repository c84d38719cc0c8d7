package catalogsvc

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/page"
	"souk/internal/platform/store"
)

// ApplySeller asks for a new seller.
func (s *Service) ApplySeller(ctx context.Context, r catalog.ApplySellerRequest) (_ catalog.SellerReply, err error) {
	defer s.done("apply_seller", &err)
	if err := r.Validate(); err != nil {
		return catalog.SellerReply{}, err
	}
	if !r.By.SignedIn() {
		return catalog.SellerReply{}, catalog.ErrForbidden.With("sign in to apply")
	}
	by, key := r.By, r.Key
	r.By, r.Key = actor.Actor{}, ""
	return once(ctx, s, command{By: by, Operation: "catalog.apply_seller", Key: key, Body: r}, func(w *work) (string, error) {
		made := catalog.Seller{
			ID: s.ids.seller(), Name: strings.TrimSpace(r.Name), About: strings.TrimSpace(r.About), Status: catalog.SellerApplied,
			Legal: r.Legal, Currency: r.Currency, Commission: s.commission, AppliedBy: by.Person, CreatedAt: w.Now(), Version: 1,
		}
		if err := w.addSeller(&made); err != nil {
			return "", err
		}
		return string(made.ID), w.auditSeller(by, "catalog.apply_seller", catalog.Seller{}, made)
	}, sellerReply(by))
}

// addSeller gives a new seller its slug and stores it.
func (w *work) addSeller(s *catalog.Seller) error {
	taken, err := nameTaken(w, s.Name, "")
	if err != nil {
		return err
	}
	if taken {
		return catalog.ErrNameTaken.With("another seller is called %s", s.Name).WithField("name", "is taken")
	}
	slugs, err := slugsLike(w, catalog.Slug(s.Name))
	if err != nil {
		return err
	}
	s.Slug = freeSlug(s.Name, slugs)
	if err := insertSeller(w.Tx, *s); err != nil {
		return err
	}
	return w.sellerChanged(*s)
}

// sellerChanged tells everyone who hears it.
func (w *work) sellerChanged(s catalog.Seller) error {
	w.sellers = true
	return w.Publish(catalog.SellerChanged{
		SellerID: s.ID, Slug: s.Slug, Name: s.Name, Status: s.Status, AppliedBy: s.AppliedBy, At: w.Now(),
	})
}

// auditSeller leaves a row of what changed, without anyone's personal data.
func (w *work) auditSeller(by actor.Actor, action string, before, after catalog.Seller) error {
	text := func(s catalog.Seller) string {
		if s.ID == "" {
			return ""
		}
		return fmt.Sprintf("%s, %s, version %d", s.Slug, s.Status, s.Version)
	}
	return w.Audit(store.Audit{By: by, Action: action, Subject: string(after.ID), Before: text(before), After: text(after), Why: after.Why})
}

// sellerReply makes the reply to a command about a seller.
func sellerReply(by actor.Actor) func(w *work, sid string) (catalog.SellerReply, error) {
	return func(w *work, sid string) (catalog.SellerReply, error) {
		found, err := selectSeller(w, catalog.SellerID(sid))
		return catalog.SellerReply{Seller: sellerFor(by, found)}, err
	}
}

// ChangeSellerStatus approves, suspends or reinstates a seller.
func (s *Service) ChangeSellerStatus(ctx context.Context, r catalog.ChangeSellerStatusRequest) (_ catalog.SellerReply, err error) {
	defer s.done("change_seller_status", &err)
	if err := r.Validate(); err != nil {
		return catalog.SellerReply{}, err
	}
	if !seesAll(r.By) {
		return catalog.SellerReply{}, catalog.ErrForbidden.With("only operators may do this")
	}
	by, key := r.By, r.Key
	r.By, r.Key = actor.Actor{}, ""
	return once(ctx, s, command{By: by, Operation: "catalog.change_seller_status", Key: key, Body: r}, func(w *work) (string, error) {
		return w.changeSeller(by, "catalog.change_seller_status", r.Seller, func(changed *catalog.Seller) error {
			return moveSeller(changed, r.Status, strings.TrimSpace(r.Why))
		})
	}, sellerReply(by))
}

// changeSeller loads a seller, changes it, stores it and says so.
func (w *work) changeSeller(by actor.Actor, action string, sid catalog.SellerID, change func(*catalog.Seller) error) (string, error) {
	before, err := selectSeller(w, sid)
	if err != nil {
		return "", err
	}
	after := before
	if err := change(&after); err != nil {
		return "", err
	}
	after.Version++
	if err := updateSeller(w.Tx, after); err != nil {
		return "", err
	}
	if err := w.sellerChanged(after); err != nil {
		return "", err
	}
	return string(sid), w.auditSeller(by, action, before, after)
}

// EditSeller changes what a seller says of itself.
func (s *Service) EditSeller(ctx context.Context, r catalog.EditSellerRequest) (_ catalog.SellerReply, err error) {
	defer s.done("edit_seller", &err)
	if err := r.Validate(); err != nil {
		return catalog.SellerReply{}, err
	}
	if !r.By.IsOperator() {
		if err := manages(r.By, r.Seller); err != nil {
			return catalog.SellerReply{}, err
		}
	}
	by, key := r.By, r.Key
	r.By, r.Key = actor.Actor{}, ""
	return once(ctx, s, command{By: by, Operation: "catalog.edit_seller", Key: key, Body: r}, func(w *work) (string, error) {
		return w.changeSeller(by, "catalog.edit_seller", r.Seller, func(changed *catalog.Seller) error {
			if changed.Status == catalog.SellerDeclined {
				return catalog.ErrSellerStatus.With("the application was declined; its applicant may apply again")
			}
			if changed.Version != r.Version {
				return catalog.ErrVersion.With("the seller was changed in the meantime; load it again")
			}
			taken, err := nameTaken(w, r.Name, r.Seller)
			if err != nil {
				return err
			}
			if taken {
				return catalog.ErrNameTaken.With("another seller is called %s", r.Name).WithField("name", "is taken")
			}
			changed.Name, changed.About, changed.Legal = strings.TrimSpace(r.Name), strings.TrimSpace(r.About), r.Legal
			return nil
		})
	}, sellerReply(by))
}

// GetSellers reads sellers in batch.
func (s *Service) GetSellers(ctx context.Context, r catalog.GetSellersRequest) (catalog.GetSellersReply, error) {
	if err := r.Validate(); err != nil {
		return catalog.GetSellersReply{}, err
	}
	var found []catalog.Seller
	err := s.db.Read(ctx, func(q store.Queryer) error {
		var err error
		found, err = selectSellers(q, r.IDs, r.Slugs)
		return err
	})
	if err != nil {
		return catalog.GetSellersReply{}, err
	}
	reply := catalog.GetSellersReply{Sellers: make([]catalog.Seller, 0, len(found))}
	for _, one := range found {
		if one.Status == catalog.SellerApproved || sellerIsOpen(r.By, one) {
			reply.Sellers = append(reply.Sellers, sellerFor(r.By, one))
		}
	}
	return reply, nil
}

// ListSellers pages through sellers by name.
func (s *Service) ListSellers(ctx context.Context, r catalog.ListSellersRequest) (catalog.ListSellersReply, error) {
	if err := r.Validate(); err != nil {
		return catalog.ListSellersReply{}, err
	}
	status, all := r.Status, seesAll(r.By)
	if !all && status == "" {
		status = catalog.SellerApproved
	}
	if !all && status != catalog.SellerApproved {
		return catalog.ListSellersReply{}, nil
	}
	order := catalog.SellersByName
	if r.Sort != nil {
		order = *r.Sort
	}
	filter := []any{"sellers", status, r.Text}
	if order != catalog.SellersByName {
		filter = append(filter, order)
	}
	var after sellerKey
	more, err := r.Page.After(filter, &after)
	if err != nil {
		return catalog.ListSellersReply{}, err
	}
	size := r.Page.Size(20, catalog.MaxPage)
	var found []catalog.Seller
	err = s.db.Read(ctx, func(q store.Queryer) error {
		var err error
		found, err = listSellers(q, sellerQuery{status: status, text: r.Text, order: order, more: more, after: after}, size)
		return err
	})
	if err != nil {
		return catalog.ListSellersReply{}, err
	}
	found, next, err := cut(found, size, filter, func(last catalog.Seller) any {
		return sellerKey{Name: keyOf(last), At: last.CreatedAt, ID: last.ID}
	})
	if err != nil {
		return catalog.ListSellersReply{}, err
	}
	for i := range found {
		found[i] = sellerFor(r.By, found[i])
	}
	return catalog.ListSellersReply{Sellers: found, Next: next}, nil
}

// ListApplications pages through what the caller has applied for.
func (s *Service) ListApplications(ctx context.Context, r catalog.ListApplicationsRequest) (catalog.ListApplicationsReply, error) {
	if !r.By.SignedIn() || !r.By.Has(actor.ScopeRead) {
		return catalog.ListApplicationsReply{}, catalog.ErrForbidden.With("sign in to see your applications")
	}
	filter := []any{"applications", r.By.Person}
	var after applicationKey
	more, err := r.Page.After(filter, &after)
	if err != nil {
		return catalog.ListApplicationsReply{}, err
	}
	size := r.Page.Size(20, catalog.MaxPage)
	var found []catalog.Seller
	err = s.db.Read(ctx, func(q store.Queryer) error {
		var err error
		found, err = selectApplications(q, r.By.Person, more, after, size)
		return err
	})
	if err != nil {
		return catalog.ListApplicationsReply{}, err
	}
	found, next, err := cut(found, size, filter, func(last catalog.Seller) any { return applicationKey{CreatedAt: last.CreatedAt, ID: last.ID} })
	return catalog.ListApplicationsReply{Sellers: found, Next: next}, err
}

// cut takes what is one too many off a page, and makes the cursor that goes on after it.
func cut[T any](rows []T, size int, filter any, key func(T) any) ([]T, string, error) {
	if len(rows) <= size {
		return rows, "", nil
	}
	next, err := page.Cursor(filter, key(rows[size-1]))
	return rows[:size], next, err
}

// auditText is v as an audit row has it.
func auditText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%T", v)
	}
	return string(text)
}
