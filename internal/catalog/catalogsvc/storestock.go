package catalogsvc

import (
	"encoding/json"
	"fmt"

	"souk/internal/catalog"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
	"souk/internal/platform/store"
)

// stockRow is the running row of a variant.
type stockRow struct {
	Variant   catalog.VariantID `db:"variant_id"`
	OnHand    int64             `db:"on_hand"`
	Held      int64             `db:"held"`
	Allocated int64             `db:"allocated"`
	CountedAt clock.Time        `db:"counted_at"`
}

// Stock is the row as the contract has it.
func (r stockRow) Stock() catalog.Stock {
	s := catalog.Stock{OnHand: r.OnHand, Held: r.Held, Allocated: r.Allocated}
	s.Available = available(s)
	return s
}

// book writes movements to the journal; the database adds them to the running rows.
func book(tx *store.Tx, moves []catalog.Movement) error {
	rows := make([][]any, 0, len(moves))
	for _, m := range moves {
		rows = append(rows, []any{m.Variant, m.Kind, m.OnHand, m.Held, m.Allocated, m.For, m.By, m.Why, tx.Now()})
	}
	err := bulk(tx, `INSERT INTO movements (variant_id, kind, on_hand, held, allocated, order_id, person, why, at)`,
		`(?, ?, ?, ?, ?, ?, ?, ?, ?)`, "", rows)
	if err != nil {
		return fmt.Errorf("book movements: %w", err)
	}
	return nil
}

// noteCount remembers when a variant was last counted.
func noteCount(tx *store.Tx, v catalog.VariantID, at clock.Time) error {
	if _, err := tx.Exec(`UPDATE stock SET counted_at = max(counted_at, ?) WHERE variant_id = ?`, at, v); err != nil {
		return fmt.Errorf("note the count of %s: %w", v, err)
	}
	return nil
}

// changedSince is what has changed on hand since then otherwise than by counts, by variant.
func changedSince(q store.Queryer, variants []catalog.VariantID, at clock.Time) (map[catalog.VariantID]int64, error) {
	query, args, err := store.In(`SELECT variant_id, sum(on_hand) AS on_hand FROM movements
		WHERE variant_id IN (?) AND at > ? AND kind <> 'count' GROUP BY variant_id`, variants, at)
	if err != nil {
		return nil, err
	}
	var rows []stockRow
	if err := q.Select(&rows, query, args...); err != nil {
		return nil, fmt.Errorf("add up movements since %s: %w", at, err)
	}
	since := make(map[catalog.VariantID]int64, len(rows))
	for _, row := range rows {
		since[row.Variant] = row.OnHand
	}
	return since, nil
}

type ownStockRow struct {
	stockRow
	Listing catalog.ListingID `db:"listing_id"`
	Seller  catalog.SellerID  `db:"seller_id"`
}

// selectOwnStock reads a variant's stock, if the seller has the variant; anyone's when the
// seller is "".
func selectOwnStock(q store.Queryer, v catalog.VariantID, seller catalog.SellerID) (ownStockRow, error) {
	var row ownStockRow
	err := q.Get(&row, `SELECT t.variant_id, t.on_hand, t.held, t.allocated, t.counted_at, v.listing_id, v.seller_id
		FROM variants v JOIN stock t ON t.variant_id = v.id WHERE v.id = ? AND (v.seller_id = ? OR ? = '')`, v, seller, seller)
	if isNone(err) {
		return row, catalog.ErrNotFound.With("there is no variant %s among yours", v)
	}
	if err != nil {
		return row, fmt.Errorf("select stock of %s: %w", v, err)
	}
	return row, nil
}

// selectShelves reads what Reserve looks at: the stock of each item, whether it is for sale.
func selectShelves(q store.Queryer, items []catalog.Item) (map[catalog.VariantID]shelf, error) {
	query, args, err := store.In(`SELECT t.variant_id, t.on_hand, t.held, t.allocated, t.counted_at, v.listing_id,
			v.withdrawn = 0 AND l.status = 'active' AND s.status = 'approved' AS for_sale
		FROM variants v JOIN stock t ON t.variant_id = v.id JOIN listings l ON l.id = v.listing_id JOIN sellers s ON s.id = v.seller_id
		WHERE v.id IN (?)`, variantsOf(items))
	if err != nil {
		return nil, err
	}
	var rows []shelf
	if err := q.Select(&rows, query, args...); err != nil {
		return nil, fmt.Errorf("select stock to reserve: %w", err)
	}
	at := make(map[catalog.VariantID]shelf, len(rows))
	for _, row := range rows {
		at[row.Variant] = row
	}
	return at, nil
}

func variantsOf(items []catalog.Item) []catalog.VariantID {
	ids := make([]catalog.VariantID, len(items))
	for i, item := range items {
		ids[i] = item.Variant
	}
	return ids
}

// insertReservation takes the key for a new reservation, or says that someone has it.
func insertReservation(tx *store.Tx, r *reservation) (bool, error) {
	var hash any
	if r.BodyHash != nil {
		hash = r.BodyHash
	}
	n, err := tx.Exec(`INSERT INTO reservations (key, body_hash, order_id, status, until, refusal, undone, created_at, changed_at)
		VALUES (?, ?, ?, ?, ?, '', ?, ?, ?) ON CONFLICT (key) DO NOTHING`,
		r.Key, hash, r.For, r.Status, r.Until, r.Undone, tx.Now(), tx.Now())
	if err != nil {
		return false, fmt.Errorf("insert reservation %s: %w", r.Key, err)
	}
	return n == 1, nil
}

// insertItems writes what r holds.
func insertItems(tx *store.Tx, r *reservation) error {
	rows := make([][]any, len(r.Items))
	for i, item := range r.Items {
		rows[i] = []any{r.Key, i, item.Variant, item.Quantity}
	}
	if err := bulk(tx, `INSERT INTO reservation_items (reservation, position, variant_id, quantity)`, `(?, ?, ?, ?)`, "", rows); err != nil {
		return fmt.Errorf("insert items of reservation %s: %w", r.Key, err)
	}
	return nil
}

// updateReservation stores where r has come.
func updateReservation(tx *store.Tx, r *reservation) error {
	refusal, err := refusalText(r.Refusal)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE reservations SET status = ?, until = ?, refusal = ?, undone = ?, changed_at = ? WHERE key = ?`,
		r.Status, r.Until, refusal, r.Undone, tx.Now(), r.Key)
	if err != nil {
		return fmt.Errorf("update reservation %s: %w", r.Key, err)
	}
	return nil
}

// replaceItems makes the rows of r's items what r holds now.
func replaceItems(tx *store.Tx, r *reservation) error {
	if _, err := tx.Exec(`DELETE FROM reservation_items WHERE reservation = ?`, r.Key); err != nil {
		return fmt.Errorf("delete items of reservation %s: %w", r.Key, err)
	}
	return insertItems(tx, r)
}

func refusalText(refusal *errs.Error) (string, error) {
	if refusal == nil {
		return "", nil
	}
	text, err := json.Marshal(refusal)
	if err != nil {
		return "", fmt.Errorf("encode a refusal: %w", err)
	}
	return string(text), nil
}

func refusalOf(text string) (*errs.Error, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // no refusal is the usual case
	}
	var refusal errs.Error
	if err := json.Unmarshal([]byte(text), &refusal); err != nil {
		return nil, fmt.Errorf("decode a refusal: %w", err)
	}
	return &refusal, nil
}

// reservationRow is a reservation beside one of its items, if it has any.
type reservationRow struct {
	Key      string                    `db:"key"`
	BodyHash []byte                    `db:"body_hash"`
	For      id.Ref                    `db:"order_id"`
	Status   catalog.ReservationStatus `db:"status"`
	Until    clock.Time                `db:"until"`
	Refusal  string                    `db:"refusal"`
	Undone   bool                      `db:"undone"`
	Variant  catalog.VariantID         `db:"variant_id"`
	Quantity int64                     `db:"quantity"`
	Listing  catalog.ListingID         `db:"listing_id"`
	OnHand   int64                     `db:"on_hand"`
	Held     int64                     `db:"held"`
	Alloc    int64                     `db:"allocated"`
}

const (
	reservationColumns = `r.key, r.body_hash, r.order_id, r.status, r.until, r.refusal, r.undone, coalesce(i.variant_id, '') AS variant_id,
	coalesce(i.quantity, 0) AS quantity, coalesce(v.listing_id, '') AS listing_id,
	coalesce(t.on_hand, 0) AS on_hand, coalesce(t.held, 0) AS held, coalesce(t.allocated, 0) AS allocated`
	reservationTables = `reservations r LEFT JOIN reservation_items i ON i.reservation = r.key
	LEFT JOIN variants v ON v.id = i.variant_id LEFT JOIN stock t ON t.variant_id = i.variant_id`
)

// taken is a reservation with the stock that its items lie in.
type taken struct {
	*reservation
	shelves map[catalog.VariantID]shelf
}

// reservationsOf puts rows together; the rows of one reservation follow each other.
func reservationsOf(rows []reservationRow) ([]taken, error) {
	var all []taken
	for _, row := range rows {
		if len(all) == 0 || all[len(all)-1].Key != row.Key {
			refusal, err := refusalOf(row.Refusal)
			if err != nil {
				return nil, err
			}
			all = append(all, taken{shelves: map[catalog.VariantID]shelf{}, reservation: &reservation{
				Reservation: catalog.Reservation{Key: row.Key, For: row.For, Status: row.Status, Until: row.Until},
				BodyHash:    row.BodyHash, Refusal: refusal, Undone: row.Undone,
			}})
		}
		if row.Variant == "" {
			continue
		}
		r := all[len(all)-1]
		r.Items = append(r.Items, catalog.Item{Variant: row.Variant, Quantity: row.Quantity})
		r.shelves[row.Variant] = shelf{
			Listing: row.Listing, stockRow: stockRow{Variant: row.Variant, OnHand: row.OnHand, Held: row.Held, Allocated: row.Alloc},
		}
	}
	return all, nil
}

// selectReservation reads a reservation with its items and their stock.
func selectReservation(q store.Queryer, key string) (taken, error) {
	var rows []reservationRow
	err := q.Select(&rows, `SELECT `+reservationColumns+` FROM `+reservationTables+` WHERE r.key = ? ORDER BY i.position`, key)
	if err != nil {
		return taken{}, fmt.Errorf("select reservation %s: %w", key, err)
	}
	if len(rows) == 0 {
		return taken{}, catalog.ErrNotFound.With("there is no reservation %s", key)
	}
	all, err := reservationsOf(rows)
	if err != nil {
		return taken{}, err
	}
	return all[0], nil
}

// selectOver reads holds whose term is over: the oldest ones, or those in the way of items.
func selectOver(q store.Queryer, now clock.Time, items []catalog.Item, limit int) ([]taken, error) {
	query := `SELECT ` + reservationColumns + ` FROM ` + reservationTables + ` WHERE r.key IN (
		SELECT key FROM reservations WHERE status = 'held' AND until <= ? ORDER BY until LIMIT ?) ORDER BY r.key, i.position`
	args := []any{now, limit}
	if len(items) > 0 {
		var err error
		query, args, err = store.In(`SELECT `+reservationColumns+` FROM `+reservationTables+` WHERE r.status = 'held' AND r.until <= ? AND r.key IN (
			SELECT reservation FROM reservation_items WHERE variant_id IN (?)) ORDER BY r.key, i.position`, now, variantsOf(items))
		if err != nil {
			return nil, err
		}
	}
	var rows []reservationRow
	if err := q.Select(&rows, query, args...); err != nil {
		return nil, fmt.Errorf("select holds whose term is over: %w", err)
	}
	return reservationsOf(rows)
}

// nextTerm is when the next hold but one ends; zero when there is none.
func nextTerm(q store.Queryer, but string) (clock.Time, error) {
	var until clock.Time
	err := q.Get(&until, `SELECT until FROM reservations WHERE status = 'held' AND key <> ? ORDER BY until LIMIT 1`, but)
	if err != nil && !isNone(err) {
		return 0, fmt.Errorf("select the next term: %w", err)
	}
	return until, nil
}

// termRow is what holds with a term do to a variant.
type termRow struct {
	Variant catalog.VariantID `db:"variant_id"`
	Over    int64             `db:"over"` // of what is held, by holds whose term is over
	Next    clock.Time        `db:"next"` // when the next term ends; zero without
}

// selectTerms reads what is still counted as held though its term is over, and until when
// the answer holds.
func selectTerms(q store.Queryer, now clock.Time, variants []catalog.VariantID) (map[catalog.VariantID]termRow, error) {
	if len(variants) == 0 {
		return map[catalog.VariantID]termRow{}, nil
	}
	query, args, err := store.In(`SELECT i.variant_id, sum(CASE WHEN r.until <= ? THEN i.quantity ELSE 0 END) AS over,
			coalesce(min(CASE WHEN r.until > ? THEN r.until END), 0) AS next
		FROM reservation_items i JOIN reservations r ON r.key = i.reservation
		WHERE i.variant_id IN (?) AND r.status = 'held' GROUP BY i.variant_id`, now, now, variants)
	if err != nil {
		return nil, err
	}
	var rows []termRow
	if err := q.Select(&rows, query, args...); err != nil {
		return nil, fmt.Errorf("select terms of holds: %w", err)
	}
	at := make(map[catalog.VariantID]termRow, len(rows))
	for _, row := range rows {
		at[row.Variant] = row
	}
	return at, nil
}

// step is a later step of a reservation, by its own key.
type step struct {
	Operation, Key, Reservation string
	Body                        [32]byte
}

type stepRow struct {
	BodyHash []byte `db:"body_hash"`
	Refusal  string `db:"refusal"`
}

// insertStep takes the key for a step, or says that someone has it.
func insertStep(tx *store.Tx, s step) (bool, error) {
	n, err := tx.Exec(`INSERT INTO reservation_steps (operation, key, reservation, body_hash, refusal, at) VALUES (?, ?, ?, ?, '', ?)
		ON CONFLICT (operation, key) DO NOTHING`, s.Operation, s.Key, s.Reservation, s.Body[:], tx.Now())
	if err != nil {
		return false, fmt.Errorf("insert step %s %s: %w", s.Operation, s.Key, err)
	}
	return n == 1, nil
}

// pastStep says how a step ended that was taken before: nil when it was done.
func pastStep(q store.Queryer, s step) error {
	var row stepRow
	err := q.Get(&row, `SELECT body_hash, refusal FROM reservation_steps WHERE operation = ? AND key = ?`, s.Operation, s.Key)
	if err != nil {
		return fmt.Errorf("select step %s %s: %w", s.Operation, s.Key, err)
	}
	if string(row.BodyHash) != string(s.Body[:]) {
		return catalog.ErrKeyReused.With("the key %s was used for another request", s.Key)
	}
	refusal, err := refusalOf(row.Refusal)
	if err != nil || refusal == nil {
		return err
	}
	return refusal
}

// refuseStep remembers why a step was refused.
func refuseStep(tx *store.Tx, s step, refusal *errs.Error) error {
	text, err := refusalText(refusal)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(`UPDATE reservation_steps SET refusal = ? WHERE operation = ? AND key = ?`, text, s.Operation, s.Key); err != nil {
		return fmt.Errorf("refuse step %s %s: %w", s.Operation, s.Key, err)
	}
	return nil
}

// movementRow is an entry of the journal.
type movementRow struct {
	Seq       int64                `db:"seq"`
	Variant   catalog.VariantID    `db:"variant_id"`
	Kind      catalog.MovementKind `db:"kind"`
	OnHand    int64                `db:"on_hand"`
	Held      int64                `db:"held"`
	Allocated int64                `db:"allocated"`
	For       id.Ref               `db:"order_id"`
	By        id.Ref               `db:"person"`
	Why       string               `db:"why"`
	At        clock.Time           `db:"at"`
}

// movementKey is where a page of the journal ended.
type movementKey struct {
	At  clock.Time `json:"a"`
	Seq int64      `json:"s"`
}

// listMovements reads a page of a variant's journal, newest first, one more than asked for
// if there are more.
func listMovements(q store.Queryer, v catalog.VariantID, before *movementKey, size int) ([]catalog.Movement, error) {
	where, args := "variant_id = ?", []any{v}
	if before != nil {
		where, args = where+" AND (at, seq) < (?, ?)", append(args, before.At, before.Seq)
	}
	var rows []movementRow
	err := q.Select(&rows, `SELECT seq, variant_id, kind, on_hand, held, allocated, order_id, person, why, at FROM movements WHERE `+where+
		` ORDER BY at DESC, seq DESC LIMIT ?`, append(args, size+1)...)
	if err != nil {
		return nil, fmt.Errorf("list movements of %s: %w", v, err)
	}
	moves := make([]catalog.Movement, len(rows))
	for i, row := range rows {
		moves[i] = catalog.Movement(row)
	}
	return moves, nil
}
