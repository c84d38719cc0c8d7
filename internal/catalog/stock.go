package catalog

import (
	"souk/internal/platform/actor"
	"souk/internal/platform/audit"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
	"souk/internal/platform/page"
)

// MovementKind is why stock changed.
//
//rpc:fallback count
type MovementKind string

// The movements of the stock journal, and what each changes.
const (
	MoveReceive    MovementKind = "receive"    // on hand up
	MoveCount      MovementKind = "count"      // on hand to what was counted
	MoveReserve    MovementKind = "reserve"    // held up
	MoveRelease    MovementKind = "release"    // held down
	MoveAllocate   MovementKind = "allocate"   // held down, allocated up
	MoveDeallocate MovementKind = "deallocate" // allocated down
	MoveShip       MovementKind = "ship"       // allocated down, on hand down
	MoveRestock    MovementKind = "restock"    // on hand up: it came back
	MoveWriteOff   MovementKind = "write_off"  // on hand down
)

// Movement is one entry of the journal.
type Movement struct {
	Seq       int64        `json:"seq"`
	Variant   VariantID    `json:"variant"`
	Kind      MovementKind `json:"kind"`
	OnHand    int64        `json:"on_hand"` // change of each quantity
	Held      int64        `json:"held"`
	Allocated int64        `json:"allocated"`
	For       id.Ref       `json:"for"` // the order, if one
	By        id.Ref       `json:"by"`  // the person, if one
	Why       string       `json:"why"`
	At        clock.Time   `json:"at"`
}

// AdjustStockRequest books a receipt, a count or a write-off.
type AdjustStockRequest struct {
	By        actor.Actor  `json:"by"`
	Key       string       `json:"key"`
	Variant   VariantID    `json:"variant"`
	Kind      MovementKind `json:"kind"`       // receive, count, restock or write_off
	Quantity  int64        `json:"quantity"`   // counted, or moved; never negative
	CountedAt clock.Time   `json:"counted_at"` // of a count; zero is now
	Why       string       `json:"why"`
}

// StockReply is a variant's stock after a change.
type StockReply struct {
	Variant VariantID `json:"variant"`
	Stock   Stock     `json:"stock"`
}

// ListMovementsRequest pages through a variant's journal.
type ListMovementsRequest struct {
	By      actor.Actor  `json:"by"`
	Variant VariantID    `json:"variant"`
	Page    page.Request `json:"page"`
}

// ListMovementsReply is a page of the journal.
type ListMovementsReply struct {
	Movements []Movement `json:"movements"`
	Next      string     `json:"next"`
}

// Item is a quantity of a variant.
type Item struct {
	Variant  VariantID `json:"variant"`
	Quantity int64     `json:"quantity"`
}

// ReservationStatus is how far a reservation has come.
//
//rpc:fallback released
type ReservationStatus string

// The states of a reservation.
const (
	ReservationHeld      ReservationStatus = "held"      // with a term
	ReservationConfirmed ReservationStatus = "confirmed" // without
	ReservationAllocated ReservationStatus = "allocated" // set aside for a placed order
	ReservationReleased  ReservationStatus = "released"  // given back by its owner
	ReservationExpired   ReservationStatus = "expired"   // given back by its term
	ReservationDone      ReservationStatus = "done"      // everything shipped or given back
)

// ReserveRequest holds items for an order.
type ReserveRequest struct {
	By    actor.Actor `json:"by"`
	Key   string      `json:"key"`
	For   id.Ref      `json:"for"` // the order
	Items []Item      `json:"items"`
	Until clock.Time  `json:"until"`
}

// ConfirmRequest takes the term off.
type ConfirmRequest struct {
	By          actor.Actor `json:"by"`
	Key         string      `json:"key"`
	Reservation string      `json:"reservation"` // the key it was made under
}

// ReleaseRequest undoes a reservation.
type ReleaseRequest struct {
	By  actor.Actor `json:"by"`
	Key string      `json:"key"` // the key that Reserve was called with
}

// AllocateRequest sets the held goods aside.
type AllocateRequest struct {
	By          actor.Actor `json:"by"`
	Key         string      `json:"key"`
	Reservation string      `json:"reservation"`
}

// MoveAllocatedRequest ships or gives back some of what is allocated.
type MoveAllocatedRequest struct {
	By          actor.Actor `json:"by"`
	Key         string      `json:"key"`
	Reservation string      `json:"reservation"`
	Items       []Item      `json:"items"`
}

// ReservationReply is a reservation after a change.
type ReservationReply struct {
	Reservation Reservation `json:"reservation"`
}

// Reservation is goods held or set aside for an order. Items are what it holds or has
// allocated now.
type Reservation struct {
	Key    string            `json:"key"`
	For    id.Ref            `json:"for"`
	Status ReservationStatus `json:"status"`
	Until  clock.Time        `json:"until"` // zero without a term
	Items  []Item            `json:"items"`
}

// AuditReply is a page of catalog's facts.
type AuditReply struct {
	Reservations []Reservation   `json:"reservations"`
	Problems     []audit.Problem `json:"problems"`
	Standing     audit.Standing  `json:"standing"`
	Next         string          `json:"next"`
}
