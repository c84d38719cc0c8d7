package paymentssvc

import (
	"context"
	"net/http"

	"github.com/go-chi/chi/v5"

	"souk/internal/payments"
	"souk/internal/payments/paymentssvc/internal/sandbox"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/httpx"
	"souk/internal/platform/id"
	"souk/internal/platform/module"
	"souk/internal/platform/money"
)

// Module is payments for the program.
func (s *Service) Module() module.Module {
	return module.Module{Name: string(payments.Log), DB: s.db, Routes: s.routes, Pages: s.pages, Jobs: s.jobs}
}

func (s *Service) pages(r chi.Router) {
	if s.sandbox != nil {
		s.sandbox.Pages(r, s.cfg.Stylesheet)
	}
}

const base = "/api/v1/payments/"

func (s *Service) routes(api httpx.API) {
	httpx.Route(api, httpx.Op{Method: http.MethodGet, Path: base + "methods", Who: httpx.Anyone, Summary: "List the ways to pay"}, s.getMethods)
	httpx.Route(api, httpx.Op{Method: http.MethodGet, Path: base + "payments/{id}", Who: httpx.Operators, Summary: "Read a payment and its refunds"}, s.getPayment)
	httpx.Route(api, httpx.Op{Method: http.MethodGet, Path: base + "orders/{order}/payments", Who: httpx.Operators, Summary: "Read the payments of an order"}, s.getOrderPayments)
	httpx.Route(api, httpx.Op{
		Method: http.MethodGet, Path: base + "balances", Who: httpx.People, Summary: "Read the balances of the ledger",
		Description: "Operators read all accounts or one seller's, a seller's staff its own.",
	}, s.getBalances)
	httpx.Route(api, httpx.Op{
		Method: http.MethodGet, Path: base + "transactions", Who: httpx.People, Summary: "Page through the ledger, newest first",
		Description: "Operators read everything, a seller's staff the lines of its own shares.",
	}, s.getTransactions)
	httpx.Route(api, httpx.Op{
		Method: http.MethodGet, Path: base + "refused-refunds", Who: httpx.Operators, Summary: "Page through refunds that the provider refused for good",
		Description: "Their buyers wait for the money, and nothing more is tried by itself.",
	}, s.getRefused)
	httpx.Route(api, httpx.Op{
		Method: http.MethodPost, Path: base + "refunds/{id}/retry", Who: httpx.Operators, Summary: "Try a refused refund once more",
	}, s.postRefundRetry)
	httpx.Route(api, httpx.Op{
		Method: http.MethodPost, Path: base + "refunds/{id}/close", Who: httpx.Operators, Summary: "Say that a refused refund was paid back another way",
		Description: "The refund is done then. What the seller's share had of it is booked to the marketplace, which paid.",
	}, s.postRefundClose)
	httpx.Route(api, httpx.Op{
		Method: http.MethodGet, Path: base + "returns", Who: httpx.Operators, Summary: "Page through late money that is not back yet",
		Description: "Money that came after its order had ended. A provider that refuses to take it back is asked again for some days; then the return is failed, and waits for an operator.",
	}, s.getReturns)
	httpx.Route(api, httpx.Op{
		Method: http.MethodPost, Path: base + "payments/{id}/return", Who: httpx.Operators, Summary: "Try to return late money once more",
	}, s.postReturn)
	httpx.Route(api, httpx.Op{Method: http.MethodGet, Path: base + "state", Who: httpx.Operators, Summary: "Say whether payments are paused"}, s.getState)
	httpx.Route(api, httpx.Op{
		Method: http.MethodPut, Path: base + "state", Who: httpx.Operators, Summary: "Pause or resume payments",
		Description: "While paused nothing is authorised, captured or refunded. It is set as it is sent, so sending it twice changes nothing.",
	}, s.putState)
	if s.sandbox != nil {
		httpx.Route(api, httpx.Op{
			Method: http.MethodPost, Path: base + "notifications/" + sandbox.Name, Who: httpx.Anyone, Summary: "Take a notification of the sandbox provider",
			Description: "For the provider, which signs it. What it says is looked up at the provider before it counts.",
			Status:      http.StatusNoContent, MaxBody: 4 << 10,
		}, s.postNotification)
	}
}

type moneyWire struct {
	Minor    int64          `json:"minor" example:"1250" doc:"Whole minor units: 1250 is 12.50 of a currency with two decimals."`
	Currency money.Currency `json:"currency" example:"EUR" minLength:"3" maxLength:"3" doc:"ISO 4217."`
}

type paymentWire struct {
	ID            payments.PaymentID `json:"id" example:"pay_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Order         id.Ref             `json:"order" example:"ord_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Amount        moneyWire          `json:"amount"`
	Method        string             `json:"method" example:"sandbox_ok"`
	Status        payments.Status    `json:"status" enum:"authorising,action_required,pending,authorised,declined,voided,captured,nothing_due" example:"captured"`
	DeclineReason string             `json:"decline_reason" doc:"For the buyer, when declined."`
	Until         clock.Time         `json:"until,omitempty" doc:"When the waiting for the buyer or the provider ends; left out if nobody waits."`
	Authorised    moneyWire          `json:"authorised"`
	Captured      moneyWire          `json:"captured"`
	Refunded      moneyWire          `json:"refunded"`
	Undone        bool               `json:"undone" doc:"Its checkout was given up."`
	CreatedAt     clock.Time         `json:"created_at"`
	ChangedAt     clock.Time         `json:"changed_at"`
}

func toPayment(p payments.Payment) paymentWire {
	return paymentWire{
		ID: p.ID, Order: p.Order, Amount: moneyWire(p.Amount), Method: p.Method, Status: p.Status, DeclineReason: p.DeclineReason,
		Until: p.Until, Authorised: moneyWire(p.Authorised), Captured: moneyWire(p.Captured), Refunded: moneyWire(p.Refunded),
		Undone: p.Undone, CreatedAt: p.CreatedAt, ChangedAt: p.ChangedAt,
	}
}

type refundWire struct {
	ID        payments.RefundID     `json:"id" example:"rfd_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Amount    moneyWire             `json:"amount"`
	Status    payments.RefundStatus `json:"status" enum:"pending,done,failed" example:"done"`
	Why       string                `json:"why"`
	CreatedAt clock.Time            `json:"created_at"`
}

// mapped is each of in through fn; never nil.
func mapped[In, Out any](in []In, fn func(In) Out) []Out {
	out := make([]Out, 0, len(in))
	for _, v := range in {
		out = append(out, fn(v))
	}
	return out
}

func toRefund(r payments.Refund) refundWire {
	return refundWire{ID: r.ID, Amount: moneyWire(r.Amount), Status: r.Status, Why: r.Why, CreatedAt: r.CreatedAt}
}

type methodsIn struct {
	Currency string `query:"currency" minLength:"3" maxLength:"3" example:"EUR" doc:"Of the amount to be paid."`
}

type methodWire struct {
	ID    string `json:"id" example:"sandbox_ok"`
	Label string `json:"label" example:"Test card, always accepted"`
	Help  string `json:"help" example:"Pays at once. No real money moves."`
}

type methodsOut struct {
	Body struct {
		Methods []methodWire `json:"methods" doc:"The usual one first."`
		Sandbox bool         `json:"sandbox" doc:"No real money moves."`
	}
}

func (s *Service) getMethods(ctx context.Context, _ actor.Actor, in methodsIn) (out methodsOut, err error) {
	reply, err := s.Methods(ctx, payments.MethodsRequest{Currency: money.Currency(in.Currency)})
	if err != nil {
		return out, err
	}
	out.Body.Sandbox = reply.Sandbox
	out.Body.Methods = mapped(reply.Methods, func(m payments.Method) methodWire { return methodWire(m) })
	return out, nil
}

type paymentIn struct {
	httpx.IfNoneMatch
	ID payments.PaymentID `path:"id" maxLength:"40" example:"pay_01k5xk3v8dtq6c9m4j0e7r2a1b"`
}

type paymentOut struct {
	httpx.ETag
	Body struct {
		Payment paymentWire  `json:"payment"`
		Refunds []refundWire `json:"refunds" doc:"Oldest first."`
	}
}

func (s *Service) getPayment(ctx context.Context, by actor.Actor, in paymentIn) (out paymentOut, err error) {
	reply, err := s.GetPayments(ctx, payments.GetPaymentsRequest{By: by, IDs: []payments.PaymentID{in.ID}})
	if err != nil {
		return out, err
	}
	if len(reply.Payments) == 0 {
		return out, payments.ErrNotFound.With("there is no payment %s", in.ID)
	}
	tag := httpx.Tag(reply.Payments[0], reply.Refunds)
	if in.Has(tag) {
		return out, httpx.NotModified(tag)
	}
	out.ETag = httpx.Tagged(tag)
	out.Body.Payment = toPayment(reply.Payments[0])
	out.Body.Refunds = mapped(reply.Refunds, toRefund)
	return out, nil
}

type orderPaymentsIn struct {
	Order id.Ref `path:"order" maxLength:"40" example:"ord_01k5xk3v8dtq6c9m4j0e7r2a1b"`
}

type orderPaymentsOut struct {
	Body struct {
		Payments []paymentWire `json:"payments" doc:"Oldest first. None, for an order that payments has not heard of."`
	}
}

func (s *Service) getOrderPayments(ctx context.Context, by actor.Actor, in orderPaymentsIn) (out orderPaymentsOut, err error) {
	reply, err := s.GetPayments(ctx, payments.GetPaymentsRequest{By: by, Orders: []id.Ref{in.Order}})
	if err != nil {
		return out, err
	}
	out.Body.Payments = mapped(reply.Payments, toPayment)
	return out, nil
}

type accountWire struct {
	Of     payments.Beneficiary `json:"of" enum:"provider,escrow,seller,fees,tax,refunds,platform" example:"escrow"`
	Seller id.Ref               `json:"seller" example:"sel_01k5xk3v8dtq6c9m4j0e7r2a1b" doc:"Of a seller's account; else empty."`
}

type postingWire struct {
	Account accountWire `json:"account"`
	Amount  moneyWire   `json:"amount" doc:"Credits are positive: what the marketplace owes."`
}

type balancesIn struct {
	Seller id.Ref `query:"seller" maxLength:"40" doc:"Only this seller's accounts."`
}

type balancesOut struct {
	Body struct {
		Balances []postingWire `json:"balances"`
	}
}

func (s *Service) getBalances(ctx context.Context, by actor.Actor, in balancesIn) (out balancesOut, err error) {
	reply, err := s.Balances(ctx, payments.BalancesRequest{By: by, Seller: in.Seller})
	if err != nil {
		return out, err
	}
	out.Body.Balances = mapped(reply.Balances, func(b payments.Balance) postingWire {
		return postingWire{Account: accountWire(b.Account), Amount: moneyWire(b.Amount)}
	})
	return out, nil
}

type transactionsIn struct {
	httpx.Page
	Seller id.Ref `query:"seller" maxLength:"40" doc:"Only what concerns this seller."`
	Order  id.Ref `query:"order" maxLength:"40" doc:"Only what concerns this order."`
}

type transactionWire struct {
	ID          payments.TransactionID   `json:"id" example:"txn_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Kind        payments.TransactionKind `json:"kind" enum:"capture,settle,refund,return,adjustment" example:"capture"`
	Payment     payments.PaymentID       `json:"payment"`
	Order       id.Ref                   `json:"order"`
	SellerOrder id.Ref                   `json:"seller_order" doc:"If it is about one alone."`
	Postings    []postingWire            `json:"postings" doc:"They sum to zero in every currency; of another seller's share, a seller sees none."`
	At          clock.Time               `json:"at"`
}

type transactionsOut struct {
	Body struct {
		Transactions []transactionWire `json:"transactions"`
		NextCursor   string            `json:"next_cursor" doc:"Empty on the last page."`
	}
}

func (s *Service) getTransactions(ctx context.Context, by actor.Actor, in transactionsIn) (out transactionsOut, err error) {
	reply, err := s.ListTransactions(ctx, payments.ListTransactionsRequest{By: by, Seller: in.Seller, Order: in.Order, Page: in.Request()})
	if err != nil {
		return out, err
	}
	out.Body.NextCursor = reply.Next
	out.Body.Transactions = mapped(reply.Transactions, func(t payments.Transaction) transactionWire {
		return transactionWire{
			ID: t.ID, Kind: t.Kind, Payment: t.Payment, Order: t.Order, SellerOrder: t.SellerOrder, At: t.At,
			Postings: mapped(t.Postings, func(p payments.Posting) postingWire {
				return postingWire{Account: accountWire(p.Account), Amount: moneyWire(p.Amount)}
			}),
		}
	})
	return out, nil
}

type returnWire struct {
	Payment  payments.PaymentID    `json:"payment" example:"pay_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Order    id.Ref                `json:"order"`
	Amount   moneyWire             `json:"amount"`
	Status   payments.RefundStatus `json:"status" enum:"pending,done,failed" example:"pending" doc:"Failed: it is tried no more until an operator says so."`
	Refusals int32                 `json:"refusals" doc:"How often the provider has refused."`
	Reason   string                `json:"reason" doc:"Of the last refusal."`
	NextTry  clock.Time            `json:"next_try,omitempty" doc:"Left out when none is planned."`
	At       clock.Time            `json:"at" doc:"When the money came."`
}

func toReturn(r payments.Return) returnWire {
	return returnWire{
		Payment: r.Payment, Order: r.Order, Amount: moneyWire(r.Amount), Status: r.Status, Refusals: r.Refusals, Reason: r.Reason,
		NextTry: r.NextTry, At: r.At,
	}
}

type returnsOut struct {
	Body struct {
		Returns    []returnWire `json:"returns"`
		NextCursor string       `json:"next_cursor" doc:"Empty on the last page."`
	}
}

func (s *Service) getReturns(ctx context.Context, by actor.Actor, in ofOrderIn) (out returnsOut, err error) {
	reply, err := s.ListReturns(ctx, payments.ListReturnsRequest{By: by, Page: in.Request(), Order: in.order()})
	out.Body.Returns, out.Body.NextCursor = mapped(reply.Returns, toReturn), reply.Next
	return out, err
}

type returnIn struct {
	httpx.Keyed
	ID   payments.PaymentID `path:"id" maxLength:"40" example:"pay_01k5xk3v8dtq6c9m4j0e7r2a1b"`
	Body struct {
		Why string `json:"why" minLength:"1" maxLength:"500" example:"the bank has lifted the block" doc:"For the audit log."`
	}
}

type returnOut struct{ Body returnWire }

func (s *Service) postReturn(ctx context.Context, by actor.Actor, in returnIn) (returnOut, error) {
	reply, err := s.RetryReturn(ctx, payments.RetryReturnRequest{By: by, Key: in.Key, Payment: in.ID, Why: in.Body.Why})
	return returnOut{Body: toReturn(reply.Return)}, err
}

type stateOut struct {
	Body struct {
		Paused bool `json:"paused" doc:"Nothing is authorised, captured or refunded."`
	}
}

func (s *Service) getState(ctx context.Context, _ actor.Actor, _ struct{}) (out stateOut, err error) {
	out.Body.Paused, err = s.Paused(ctx)
	return out, err
}

type stateIn struct {
	Body struct {
		Paused bool   `json:"paused" example:"false"`
		Why    string `json:"why" minLength:"1" maxLength:"500" example:"reconciled after the restore" doc:"For the audit log."`
	}
}

func (s *Service) putState(ctx context.Context, by actor.Actor, in stateIn) (out stateOut, err error) {
	set := s.Resume
	if in.Body.Paused {
		set = s.Pause
	}
	if err := set(ctx, by, in.Body.Why); err != nil {
		return out, err
	}
	out.Body.Paused = in.Body.Paused
	return out, nil
}

type notificationIn struct {
	Signature string `header:"Souk-Sandbox-Signature" required:"true" maxLength:"100" doc:"v1= and the HMAC-SHA256 of the body in hex, by the secret of this installation."`
	RawBody   []byte
}

func (s *Service) postNotification(ctx context.Context, _ actor.Actor, in notificationIn) (struct{}, error) {
	return struct{}{}, s.hearNotification(ctx, in.RawBody, in.Signature)
}
