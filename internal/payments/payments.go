// Package payments takes money, gives it back, and accounts for every unit of it.
//
// A payment is made for one order and moves by attempts at a provider, each recorded
// before it is made:
//
//	authorising → authorised → captured → (refunded in parts)
//	     ├→ declined   └→ voided
//	     └→ action required or pending → authorised, declined or voided
//
// refunded ≤ captured ≤ authorised, always. Where money went is kept in a double-entry
// ledger: every transaction is a set of postings that sums to zero per currency, and
// nothing in it is ever changed.
package payments

import (
	"context"

	"souk/internal/platform/actor"
	"souk/internal/platform/audit"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
	"souk/internal/platform/page"
)

//go:generate go run souk/internal/platform/rpc/gen

// PaymentID names a payment.
type PaymentID = id.ID[Payment]

// RefundID names a refund.
type RefundID = id.ID[Refund]

// TransactionID names a transaction of the ledger.
type TransactionID = id.ID[Transaction]

// Makers of ids.
var (
	PaymentIDs     = id.Maker[Payment]{Prefix: "pay_"}
	RefundIDs      = id.Maker[Refund]{Prefix: "rfd_"}
	TransactionIDs = id.Maker[Transaction]{Prefix: "txn_"}
)

// Service is what other modules may ask of payments. Its commands are the system's and,
// where said, an operator's.
type Service interface {
	// Methods lists the ways to pay that can be offered now.
	//
	//rpc:read
	Methods(ctx context.Context, r MethodsRequest) (MethodsReply, error)

	// Authorize reserves r.Amount for r.Order under r.Key. A second call with the same key
	// and body reserves nothing more and answers with where the payment stands now; with
	// another body it is ErrKeyReused; after Undo it is ErrKeyUndone. A zero amount is
	// recorded as nothing due. A decline is an answer, not an error.
	Authorize(ctx context.Context, r AuthorizeRequest) (PaymentReply, error)

	// Undo gives up the authorisation made, or perhaps made, or still to arrive, under
	// r.Key: it is voided as soon as it is known, and what arrives later is returned by
	// itself. It succeeds for a key never seen. ErrStatus once captured: that is undone
	// by Refund.
	Undo(ctx context.Context, r UndoRequest) (UndoReply, error)

	// Capture takes an authorised amount. Its shares say for whom it is held in escrow and
	// sum to the amount. ErrStatus unless authorised; ErrAmount when more than authorised.
	// ErrCaptureRefused when the provider refuses for good; that key is answered so for ever, and
	// the provider is asked once more under another one.
	Capture(ctx context.Context, r CaptureRequest) (PaymentReply, error)

	// Settle moves a seller's captured share out of escrow: to the seller, fees and tax. It
	// is called when the seller has fulfilled its part. ErrAmount when escrow has less.
	Settle(ctx context.Context, r SettleRequest) (SettleReply, error)

	// Refund gives back some of what was captured, from the shares named. ErrAmount when
	// more would be refunded than was captured, or than a share still has.
	Refund(ctx context.Context, r RefundRequest) (RefundReply, error)

	// ListRefusedRefunds pages through the refunds that the provider has refused for good and that
	// nobody has seen to yet. Operators, and the system.
	//
	//rpc:read
	ListRefusedRefunds(ctx context.Context, r ListRefusedRefundsRequest) (ListRefusedRefundsReply, error)

	// RetryRefund has the provider asked once more for a refund that it refused: the refund is
	// pending again, and what comes of it is heard as of any. ErrStatus unless it was refused; ErrAmount
	// when its shares have less by now. Operators alone.
	RetryRefund(ctx context.Context, r RetryRefundRequest) (RefundReply, error)

	// CloseRefund says that the money of a refused refund went back another way, by a bank transfer
	// perhaps: it is done, and what the shares had of it is the marketplace's, which paid. ErrStatus
	// and ErrAmount are as in RetryRefund. Operators alone.
	CloseRefund(ctx context.Context, r CloseRefundRequest) (RefundReply, error)

	// ListReturns pages through the money that came after its order had ended and is not back yet.
	// A provider that refuses to take it back is asked again for some days; after that the
	// return is failed, and someone must look. Operators, and the system.
	//
	//rpc:read
	ListReturns(ctx context.Context, r ListReturnsRequest) (ListReturnsReply, error)

	// RetryReturn has the provider asked now. ErrStatus when nothing of the payment is to be
	// returned. Operators alone.
	RetryReturn(ctx context.Context, r RetryReturnRequest) (RetryReturnReply, error)

	// GetPayments reads payments by id or by order, in batch. What is not there is left out,
	// which proves nothing of a request that may still be on its way.
	//
	//rpc:read
	GetPayments(ctx context.Context, r GetPaymentsRequest) (GetPaymentsReply, error)

	// Balances reads accounts of the ledger: sums of postings. Operators see all, a seller's
	// staff its own.
	//
	//rpc:read
	Balances(ctx context.Context, r BalancesRequest) (BalancesReply, error)

	// ListTransactions pages through the ledger, newest first. Who sees what is as in Balances.
	//
	//rpc:read
	ListTransactions(ctx context.Context, r ListTransactionsRequest) (ListTransactionsReply, error)

	// Audit streams every payment with its refunds, in the order of its order's id and then its
	// own, and with the pages what payments finds wrong within itself. The system only.
	//
	//rpc:read
	Audit(ctx context.Context, r audit.Request) (AuditReply, error)
}

// Status is where a payment stands.
//
//rpc:fallback pending
type Status string

// The states of a payment.
const (
	StatusAuthorising    Status = "authorising"     // an attempt is under way or its outcome unknown
	StatusActionRequired Status = "action_required" // the buyer must approve at ActionURL
	StatusPending        Status = "pending"         // the provider will say later
	StatusAuthorised     Status = "authorised"
	StatusDeclined       Status = "declined"
	StatusVoided         Status = "voided"
	StatusCaptured       Status = "captured"
	StatusNothingDue     Status = "nothing_due"
)

// Payment is money for one order.
type Payment struct {
	ID            PaymentID   `json:"id"`
	Order         id.Ref      `json:"order"`
	Amount        money.Money `json:"amount"`
	Method        string      `json:"method"`
	Status        Status      `json:"status"`
	DeclineReason string      `json:"decline_reason"` // for the buyer, when declined
	ActionURL     string      `json:"action_url"`     // where to approve, when action is required
	Until         clock.Time  `json:"until"`          // when action or waiting ends; zero if neither
	Authorised    money.Money `json:"authorised"`
	Captured      money.Money `json:"captured"`
	Refunded      money.Money `json:"refunded"`
	Undone        bool        `json:"undone"` // its key was undone
	CreatedAt     clock.Time  `json:"created_at"`
	ChangedAt     clock.Time  `json:"changed_at"`
}

// Method is a way to pay.
type Method struct {
	ID    string `json:"id"`    // "sandbox_ok"
	Label string `json:"label"` // "Card that is always accepted"
	Help  string `json:"help"`
}

// MethodsRequest asks for the ways to pay.
type MethodsRequest struct {
	Currency money.Currency `json:"currency"`
}

// MethodsReply has them, the usual one first.
type MethodsReply struct {
	Methods []Method `json:"methods"`
	Sandbox bool     `json:"sandbox"` // no real money moves
}

// AuthorizeRequest reserves an amount.
type AuthorizeRequest struct {
	By        actor.Actor `json:"by"`
	Key       string      `json:"key"`
	Order     id.Ref      `json:"order"`
	Amount    money.Money `json:"amount"`
	Method    string      `json:"method"`
	ReturnURL string      `json:"return_url"` // where the buyer goes after approving; a path of this site
	Until     clock.Time  `json:"until"`      // no outcome is wanted later than this
}

// PaymentReply is a payment after a command.
type PaymentReply struct {
	Payment Payment `json:"payment"`
}

// UndoRequest gives up an authorisation by the key that Authorize was called with.
type UndoRequest struct {
	By  actor.Actor `json:"by"`
	Key string      `json:"key"`
	Why string      `json:"why"`
}

// UndoReply says what there was to undo.
type UndoReply struct {
	Known   bool     `json:"known"` // the key had been seen
	Payment *Payment `json:"payment"`
}

// Beneficiary is for whom money is held or to whom it goes.
//
//rpc:fallback escrow
type Beneficiary string

// The accounts of the ledger. Those of a seller are named with it.
const (
	ToProvider Beneficiary = "provider" // what the provider holds for us
	ToEscrow   Beneficiary = "escrow"   // captured, not yet earned
	ToSeller   Beneficiary = "seller"   // earned by a seller, not yet paid out
	ToFees     Beneficiary = "fees"     // the marketplace's commission
	ToTax      Beneficiary = "tax"      // to be remitted
	ToRefunds  Beneficiary = "refunds"  // on its way back to a buyer
	ToPlatform Beneficiary = "platform" // what the marketplace itself funds or bears
)

// Share is a part of an amount, by seller order.
type Share struct {
	Seller      id.Ref      `json:"seller"`
	SellerOrder id.Ref      `json:"seller_order"`
	Amount      money.Money `json:"amount"`
}

// CaptureRequest takes an authorised amount.
type CaptureRequest struct {
	By      actor.Actor `json:"by"`
	Key     string      `json:"key"`
	Payment PaymentID   `json:"payment"`
	Amount  money.Money `json:"amount"`
	Shares  []Share     `json:"shares"` // sum to Amount
}

// SettleRequest moves a fulfilled share out of escrow. Seller + Fee + Tax − Platform is what
// leaves escrow: Platform is what the marketplace adds for a discount that it funds.
type SettleRequest struct {
	By          actor.Actor `json:"by"`
	Key         string      `json:"key"`
	Payment     PaymentID   `json:"payment"`
	Seller      id.Ref      `json:"seller"`
	SellerOrder id.Ref      `json:"seller_order"`
	Earned      money.Money `json:"earned"`   // to the seller
	Fee         money.Money `json:"fee"`      // commission
	Tax         money.Money `json:"tax"`      // to remit
	Platform    money.Money `json:"platform"` // funded by the marketplace
}

// SettleReply is the ledger transaction that was booked.
type SettleReply struct {
	Transaction Transaction `json:"transaction"`
}

// RefundRequest gives money back. Its shares sum to the amount; each is taken from escrow,
// and what is no longer there from what the seller earned.
type RefundRequest struct {
	By      actor.Actor `json:"by"`
	Key     string      `json:"key"`
	Payment PaymentID   `json:"payment"`
	Amount  money.Money `json:"amount"`
	Shares  []Share     `json:"shares"`
	Why     string      `json:"why"`
}

// RefundStatus is how far a refund has come.
//
//rpc:fallback pending
type RefundStatus string

// The states of a refund.
const (
	RefundPending RefundStatus = "pending"
	RefundDone    RefundStatus = "done"
	RefundFailed  RefundStatus = "failed"
)

// Refund is money on its way back.
type Refund struct {
	ID        RefundID     `json:"id"`
	Payment   PaymentID    `json:"payment"`
	Amount    money.Money  `json:"amount"`
	Status    RefundStatus `json:"status"`
	Why       string       `json:"why"`
	CreatedAt clock.Time   `json:"created_at"`
}

// RefundReply is a refund after a command.
type RefundReply struct {
	Refund Refund `json:"refund"`
}

// Return is money that came after its order had ended, on its way back.
type Return struct {
	Payment  PaymentID    `json:"payment"`
	Order    id.Ref       `json:"order"`
	Amount   money.Money  `json:"amount"`
	Status   RefundStatus `json:"status"`   // failed: someone must look
	Refusals int32        `json:"refusals"` // how often the provider has refused
	Reason   string       `json:"reason"`   // of the last refusal
	NextTry  clock.Time   `json:"next_try"` // while pending; zero while payments are paused
	At       clock.Time   `json:"at"`       // when it came
}

// ListReturnsRequest asks for a page of returns.
type ListReturnsRequest struct {
	By    actor.Actor  `json:"by"`
	Page  page.Request `json:"page"`
	Order *id.Ref      `json:"order"` // nil: of every order
}

// ListReturnsReply is a page of returns that are not done, by payment.
type ListReturnsReply struct {
	Returns []Return `json:"returns"`
	Next    string   `json:"next"`
}

// RetryReturnRequest names the payment whose money is to go back.
type RetryReturnRequest struct {
	By      actor.Actor `json:"by"`
	Key     string      `json:"key"`
	Payment PaymentID   `json:"payment"`
	Why     string      `json:"why"`
}

// RetryReturnReply is where the return stands.
type RetryReturnReply struct {
	Return Return `json:"return"`
}

// GetPaymentsRequest names payments, at most 200 in all.
type GetPaymentsRequest struct {
	By     actor.Actor `json:"by"` // the system or an operator
	IDs    []PaymentID `json:"ids"`
	Orders []id.Ref    `json:"orders"`
}

// GetPaymentsReply has those that there are.
type GetPaymentsReply struct {
	Payments []Payment `json:"payments"`
	Refunds  []Refund  `json:"refunds"` // of these payments, oldest first
}

// Account is one account of the ledger.
type Account struct {
	Of     Beneficiary `json:"of"`
	Seller id.Ref      `json:"seller"` // of a seller's accounts
}

// Balance is the sum of an account's postings in one currency. Credits are positive: what
// souk owes; the provider account is what is owed to souk, and negative.
type Balance struct {
	Account Account     `json:"account"`
	Amount  money.Money `json:"amount"`
}

// BalancesRequest asks for balances.
type BalancesRequest struct {
	By     actor.Actor `json:"by"`
	Seller id.Ref      `json:"seller"` // only this seller's; "" for all
}

// BalancesReply has every account that ever had a posting.
type BalancesReply struct {
	Balances []Balance `json:"balances"`
}

// Posting is one line of a ledger transaction.
type Posting struct {
	Account Account     `json:"account"`
	Amount  money.Money `json:"amount"`
}

// TransactionKind is what a ledger transaction books.
//
//rpc:fallback adjustment
type TransactionKind string

// The kinds of ledger transactions.
const (
	BookCapture    TransactionKind = "capture"
	BookSettle     TransactionKind = "settle"
	BookRefund     TransactionKind = "refund"
	BookReturn     TransactionKind = "return" // money that came after its order had ended
	BookAdjustment TransactionKind = "adjustment"
)

// Transaction is a set of postings that sums to zero per currency.
type Transaction struct {
	ID          TransactionID   `json:"id"`
	Kind        TransactionKind `json:"kind"`
	Payment     PaymentID       `json:"payment"`
	Order       id.Ref          `json:"order"`
	SellerOrder id.Ref          `json:"seller_order"`
	Postings    []Posting       `json:"postings"`
	At          clock.Time      `json:"at"`
}

// ListTransactionsRequest filters the ledger.
type ListTransactionsRequest struct {
	By     actor.Actor  `json:"by"`
	Seller id.Ref       `json:"seller"`
	Order  id.Ref       `json:"order"`
	Page   page.Request `json:"page"`
}

// ListTransactionsReply is a page of the ledger.
type ListTransactionsReply struct {
	Transactions []Transaction `json:"transactions"`
	Next         string        `json:"next"`
}

// AuditReply is a page of payments' facts.
type AuditReply struct {
	Payments []Payment       `json:"payments"`
	Refunds  []Refund        `json:"refunds"` // of these payments
	Problems []audit.Problem `json:"problems"`
	Standing audit.Standing  `json:"standing"`
	Next     string          `json:"next"`
}
