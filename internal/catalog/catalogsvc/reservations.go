package catalogsvc

import (
	"context"
	"errors"
	"maps"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/errs"
	"souk/internal/platform/job"
	"souk/internal/platform/store"
)

// onlySystem refuses everyone but souk itself.
func onlySystem(by actor.Actor) error {
	if by.IsSystem() {
		return nil
	}
	return catalog.ErrForbidden.With("only souk itself may do this")
}

// Reserve holds all items, or none. The request's key is the reservation's name, whoever the
// system acts for: an undo may come from another saga step.
func (s *Service) Reserve(ctx context.Context, r catalog.ReserveRequest) (_ catalog.ReservationReply, err error) {
	defer s.done("reserve", &err)
	if err := r.Validate(); err != nil {
		return catalog.ReservationReply{}, err
	}
	if err := onlySystem(r.By); err != nil {
		return catalog.ReservationReply{}, err
	}
	r.By = actor.Actor{}
	hash := store.Hash(r)
	var reply catalog.Reservation
	var refusal error
	err = s.write(ctx, func(w *work) error {
		reply, refusal = catalog.Reservation{}, nil // an earlier run's
		made := reservation{BodyHash: hash[:], Reservation: catalog.Reservation{
			Key: r.Key, For: r.For, Status: catalog.ReservationHeld, Until: r.Until, Items: r.Items,
		}}
		first, err := insertReservation(w.Tx, &made)
		switch {
		case err != nil:
			return err
		case !first:
			reply, refusal, err = w.reserveAgain(r.Key, hash)
			return err
		}
		err = w.reserve(&made)
		if reply = made.Reservation; made.Refusal != nil {
			refusal = made.Refusal
		}
		return err
	})
	if err == nil {
		err = refusal
	}
	return answer(reply, err)
}

// answer is the reply, or the error alone.
func answer(r catalog.Reservation, err error) (catalog.ReservationReply, error) {
	if err != nil {
		return catalog.ReservationReply{}, err
	}
	return catalog.ReservationReply{Reservation: r}, nil
}

// reserveAgain answers a key that was seen before.
func (w *work) reserveAgain(key string, hash [32]byte) (catalog.Reservation, error, error) {
	old, err := selectReservation(w, key)
	switch {
	case err != nil:
		return catalog.Reservation{}, nil, err
	case old.Undone:
		return catalog.Reservation{}, catalog.ErrKeyUndone.With("the reservation %s was undone", key), nil
	case string(old.BodyHash) != string(hash[:]):
		return catalog.Reservation{}, catalog.ErrKeyReused.With("the key %s was used for another reservation", key), nil
	case old.Refusal != nil:
		return catalog.Reservation{}, old.Refusal, nil
	}
	if old.over(w.Now()) {
		err = w.giveBack(old, catalog.ReservationExpired)
	}
	return old.Reservation, nil, err
}

// reserve holds what r asks for, or makes r a refused one. It is a checkout's hottest
// transaction: insert, read the stock, book, insert the items, and look at the timer.
func (w *work) reserve(r *reservation) error {
	shelves, refusal, err := w.look(r)
	if err != nil {
		return err
	}
	if refusal != nil {
		r.Status, r.Until, r.Items, r.Refusal = statusRefused, 0, nil, errs.As(refusal)
		return updateReservation(w.Tx, r)
	}
	if err := w.move(r.hold(), shelves); err != nil {
		return err
	}
	if err := insertItems(w.Tx, r); err != nil {
		return err
	}
	return w.setTimer(r)
}

// look reads the stock that r wants and says why it cannot have it. What is in the way only
// because a term has ended unnoticed is given back first.
func (w *work) look(r *reservation) (map[catalog.VariantID]shelf, error, error) {
	if !r.Until.After(w.Now()) {
		return nil, catalog.ErrExpired.With("the term was over before the reservation came"), nil
	}
	shelves, err := selectShelves(w, r.Items)
	if err != nil {
		return nil, nil, err
	}
	refusal := refuse(r.Items, shelves)
	if !errors.Is(refusal, catalog.ErrOutOfStock) || !anyHeld(shelves) {
		return shelves, refusal, nil
	}
	over, err := selectOver(w, w.Now(), r.Items, 0)
	if err != nil || len(over) == 0 {
		return shelves, refusal, err
	}
	for _, hold := range over {
		if err := w.giveBack(hold, catalog.ReservationExpired); err != nil {
			return nil, nil, err
		}
	}
	if shelves, err = selectShelves(w, r.Items); err != nil {
		return nil, nil, err
	}
	return shelves, refuse(r.Items, shelves), nil
}

func anyHeld(shelves map[catalog.VariantID]shelf) bool {
	for _, s := range shelves {
		if s.Held > 0 {
			return true
		}
	}
	return false
}

// setTimer makes sure that the job which ends holds runs no later than r's term. While
// another hold ends before r does, the timer stands already: whoever made that hold set it,
// and the job sets it to the next term whenever it has run. A term that is over and still
// held says that the job is late or dead, and then it is asked for again.
func (w *work) setTimer(r *reservation) error {
	next, err := nextTerm(w, r.Key)
	if err != nil {
		return err
	}
	if !next.IsZero() && next.After(w.Now()) && !next.After(r.Until) {
		return nil
	}
	return w.Enqueue(jobExpire, "", r.Until)
}

// giveBack ends a hold and gives its goods back for sale.
func (w *work) giveBack(r taken, status catalog.ReservationStatus) error {
	back := r.end(status)
	if err := updateReservation(w.Tx, r.reservation); err != nil {
		return err
	}
	if err := replaceItems(w.Tx, r.reservation); err != nil {
		return err
	}
	return w.move(back, r.shelves)
}

// Release undoes Reserve by its key.
func (s *Service) Release(ctx context.Context, r catalog.ReleaseRequest) (_ catalog.ReservationReply, err error) {
	defer s.done("release", &err)
	if err := r.Validate(); err != nil {
		return catalog.ReservationReply{}, err
	}
	if err := onlySystem(r.By); err != nil {
		return catalog.ReservationReply{}, err
	}
	var reply catalog.Reservation
	err = s.write(ctx, func(w *work) error {
		tombstone := reservation{Undone: true, Reservation: catalog.Reservation{Key: r.Key, Status: catalog.ReservationReleased}}
		first, err := insertReservation(w.Tx, &tombstone)
		if err != nil || first {
			reply = tombstone.Reservation
			return err
		}
		old, err := selectReservation(w, r.Key)
		if err != nil {
			return err
		}
		err = w.release(old)
		reply = old.Reservation
		return err
	})
	return answer(reply, err)
}

// release undoes a reservation that was made, as far as it was.
func (w *work) release(r taken) error {
	if r.Undone {
		return nil
	}
	switch r.Status {
	case catalog.ReservationHeld, catalog.ReservationConfirmed:
		status := catalog.ReservationReleased
		if r.over(w.Now()) {
			status = catalog.ReservationExpired
		}
		r.Undone = true
		return w.giveBack(r, status)
	case statusRefused:
		r.Status = catalog.ReservationReleased
	case catalog.ReservationExpired, catalog.ReservationReleased:
	default:
		return r.can(catalog.ReservationHeld)
	}
	r.Undone = true
	return updateReservation(w.Tx, r.reservation)
}

// take does a later step of a reservation, once per key. A refusal is remembered with the
// step; what was given back on the way because a term was over stays given back.
func (s *Service) take(ctx context.Context, st step, do func(w *work, r taken) error) (catalog.ReservationReply, error) {
	var reply catalog.Reservation
	var refusal error
	err := s.write(ctx, func(w *work) error {
		reply, refusal = catalog.Reservation{}, nil
		first, err := insertStep(w.Tx, st)
		if err != nil {
			return err
		}
		if !first {
			if refusal = pastStep(w, st); refusal != nil {
				return justErrors(refusal)
			}
		}
		r, err := selectReservation(w, st.Reservation)
		if err == nil && r.over(w.Now()) {
			if err := w.giveBack(r, catalog.ReservationExpired); err != nil {
				return err
			}
		}
		if err == nil && first {
			err = do(w, r)
		}
		if errs.Refused(err) {
			refusal = err
			return refuseStep(w.Tx, st, errs.As(err))
		}
		if err == nil {
			reply = r.Reservation
		}
		return err
	})
	if err == nil {
		err = refusal
	}
	return answer(reply, err)
}

// justErrors is err unless it is a refusal, which is an answer.
func justErrors(err error) error {
	if errs.Refused(err) {
		return nil
	}
	return err
}

// Confirm takes the term off a reservation.
func (s *Service) Confirm(ctx context.Context, r catalog.ConfirmRequest) (_ catalog.ReservationReply, err error) {
	defer s.done("confirm", &err)
	if err := r.Validate(); err != nil {
		return catalog.ReservationReply{}, err
	}
	if err := onlySystem(r.By); err != nil {
		return catalog.ReservationReply{}, err
	}
	st := step{Operation: "confirm", Key: r.Key, Reservation: r.Reservation, Body: store.Hash(r.Reservation)}
	return s.take(ctx, st, func(w *work, r taken) error {
		if err := r.can(catalog.ReservationHeld, catalog.ReservationConfirmed); err != nil {
			return err
		}
		r.Status, r.Until = catalog.ReservationConfirmed, 0
		w.touchAll(r)
		return updateReservation(w.Tx, r.reservation)
	})
}

// touchAll notes that the listings of r's items are held otherwise than before.
func (w *work) touchAll(r taken) {
	for s := range maps.Values(r.shelves) {
		w.touch(s.Listing)
	}
}

// Allocate turns a confirmed reservation into goods set aside.
func (s *Service) Allocate(ctx context.Context, r catalog.AllocateRequest) (_ catalog.ReservationReply, err error) {
	defer s.done("allocate", &err)
	if err := r.Validate(); err != nil {
		return catalog.ReservationReply{}, err
	}
	if err := onlySystem(r.By); err != nil {
		return catalog.ReservationReply{}, err
	}
	st := step{Operation: "allocate", Key: r.Key, Reservation: r.Reservation, Body: store.Hash(r.Reservation)}
	return s.take(ctx, st, func(w *work, r taken) error {
		moves, err := r.allocate()
		if err != nil {
			return err
		}
		if err := updateReservation(w.Tx, r.reservation); err != nil {
			return err
		}
		return w.move(moves, r.shelves)
	})
}

// ShipStock books items as having left the shelf.
func (s *Service) ShipStock(ctx context.Context, r catalog.MoveAllocatedRequest) (_ catalog.ReservationReply, err error) {
	defer s.done("ship_stock", &err)
	return s.moveAllocated(ctx, r, "ship", catalog.MoveShip)
}

// Deallocate gives items back for sale.
func (s *Service) Deallocate(ctx context.Context, r catalog.MoveAllocatedRequest) (_ catalog.ReservationReply, err error) {
	defer s.done("deallocate", &err)
	return s.moveAllocated(ctx, r, "deallocate", catalog.MoveDeallocate)
}

func (s *Service) moveAllocated(ctx context.Context, r catalog.MoveAllocatedRequest, operation string, kind catalog.MovementKind) (catalog.ReservationReply, error) {
	if err := r.Validate(); err != nil {
		return catalog.ReservationReply{}, err
	}
	if err := onlySystem(r.By); err != nil {
		return catalog.ReservationReply{}, err
	}
	st := step{Operation: operation, Key: r.Key, Reservation: r.Reservation, Body: store.Hash([]any{r.Reservation, r.Items})}
	return s.take(ctx, st, func(w *work, set taken) error {
		onHand := make(map[catalog.VariantID]int64, len(set.shelves))
		for vid, shelf := range set.shelves {
			onHand[vid] = shelf.OnHand
		}
		moves, err := set.take(kind, r.Items, onHand)
		if err != nil {
			return err
		}
		if err := updateReservation(w.Tx, set.reservation); err != nil {
			return err
		}
		if err := replaceItems(w.Tx, set.reservation); err != nil {
			return err
		}
		return w.move(moves, set.shelves)
	})
}

// jobExpire ends holds whose term is over. There is one such job; its time is that of the
// next term.
const jobExpire = "catalog.expire"

// expireBatch is how many holds one transaction ends.
const expireBatch = 100

// expire ends every hold whose term is over, and sets the timer to the next one.
func (s *Service) expire(ctx context.Context, j job.Job) error {
	for {
		ended := 0
		err := s.write(ctx, func(w *work) error {
			ended = 0
			if err := j.Fence(w.Tx); err != nil {
				return err
			}
			over, err := selectOver(w, w.Now(), nil, expireBatch)
			if err != nil {
				return err
			}
			for _, hold := range over {
				if err := w.giveBack(hold, catalog.ReservationExpired); err != nil {
					return err
				}
			}
			ended = len(over)
			return nil
		})
		if err != nil {
			return err
		}
		if ended < expireBatch {
			break
		}
	}
	return s.again(ctx)
}

// again is when the job runs next: at the next term, if there is one.
func (s *Service) again(ctx context.Context) error {
	return s.db.Read(ctx, func(q store.Queryer) error {
		next, err := nextTerm(q, "")
		if err != nil || next.IsZero() {
			return err
		}
		return job.Again(next)
	})
}
