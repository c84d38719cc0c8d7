package paymentssvc

import (
	"context"

	"souk/internal/payments"
	"souk/internal/platform/audit"
	"souk/internal/platform/audit/sweep"
	"souk/internal/platform/bus"
	"souk/internal/platform/page"
	"souk/internal/platform/store"
)

// Sizes of pages.
const (
	usualPage, mostPage   = 20, 100
	usualFacts, mostFacts = 200, 1000
)

// GetPayments reads payments and their refunds.
func (s *Service) GetPayments(ctx context.Context, r payments.GetPaymentsRequest) (payments.GetPaymentsReply, error) {
	if err := validateGet(r); err != nil {
		return payments.GetPaymentsReply{}, err
	}
	var reply payments.GetPaymentsReply
	err := s.db.Read(ctx, func(q store.Queryer) (err error) {
		if reply.Payments, err = selectPayments(q, r.IDs, r.Orders); err != nil {
			return err
		}
		reply.Refunds, err = selectRefunds(q, reply.Payments)
		return err
	})
	return reply, err
}

// Balances reads accounts of the ledger.
func (s *Service) Balances(ctx context.Context, r payments.BalancesRequest) (payments.BalancesReply, error) {
	seller, _, err := view(r.By, r.Seller)
	if err != nil {
		return payments.BalancesReply{}, err
	}
	var reply payments.BalancesReply
	err = s.db.Read(ctx, func(q store.Queryer) (err error) {
		reply.Balances, err = selectBalances(q, seller)
		return err
	})
	return reply, err
}

// ListTransactions pages through the ledger.
func (s *Service) ListTransactions(ctx context.Context, r payments.ListTransactionsRequest) (payments.ListTransactionsReply, error) {
	seller, own, err := view(r.By, r.Seller)
	if err != nil {
		return payments.ListTransactionsReply{}, err
	}
	filter := []string{string(seller), string(r.Order)}
	f := ledgerFilter{seller: seller, own: own, order: r.Order, limit: r.Page.Size(usualPage, mostPage) + 1}
	var after ledgerPlace
	more, err := r.Page.After(filter, &after)
	if err != nil {
		return payments.ListTransactionsReply{}, err
	}
	if more {
		f.after = &after
	}
	var reply payments.ListTransactionsReply
	err = s.db.Read(ctx, func(q store.Queryer) (err error) {
		reply.Transactions, err = selectTransactions(q, f)
		return err
	})
	if err == nil && len(reply.Transactions) == f.limit {
		reply.Transactions = reply.Transactions[:f.limit-1]
		last := reply.Transactions[f.limit-2]
		reply.Next, err = page.Cursor(filter, ledgerPlace{last.At, last.ID})
	}
	return reply, err
}

// Audit streams every payment, by its order, and with each page what is wrong within payments.
func (s *Service) Audit(ctx context.Context, r audit.Request) (payments.AuditReply, error) {
	size := page.Request{Limit: r.Limit}.Size(usualFacts, mostFacts)
	var reply payments.AuditReply
	err := s.db.Read(ctx, func(q store.Queryer) error {
		reply = payments.AuditReply{}
		in, err := sweep.Page(q, sections, r, size)
		if err != nil {
			return err
		}
		reply.Next = in.Next
		if reply.Problems, err = in.Problems(q); err != nil {
			return err
		}
		if in.Section.Name == "payments" {
			if reply.Payments, err = selectPage(q, in); err != nil {
				return err
			}
			if reply.Refunds, err = selectRefunds(q, reply.Payments); err != nil {
				return err
			}
		}
		if sweep.First(r.Cursor) {
			reply.Standing, err = bus.Standing(q, s.now())
		}
		return err
	})
	return reply, err
}
