package cartsvc

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/platform/clock"
	"souk/internal/platform/money"
	"souk/internal/platform/store"
)

// keysLive is how long a client's idempotency key is remembered.
const keysLive = 8 * 24 * time.Hour

type cartRow struct {
	ID        cart.CartID `db:"id"`
	Owner     string      `db:"owner"`
	Status    cart.Status `db:"status"`
	Version   int64       `db:"version"`
	CreatedAt clock.Time  `db:"created_at"`
	ChangedAt clock.Time  `db:"changed_at"`
}

type lineRow struct {
	Variant      catalog.VariantID `db:"variant_id"`
	Seller       catalog.SellerID  `db:"seller_id"`
	Quantity     int64             `db:"quantity"`
	SeenAmount   int64             `db:"seen_amount"`
	SeenCurrency money.Currency    `db:"seen_currency"`
	Place        int64             `db:"place"`
	AddedAt      clock.Time        `db:"added_at"`
}

// kept is a cart as it is stored. Its row has no status when there is none.
type kept struct {
	row   cartRow
	lines []lineRow // in the order added
	codes []string

	storedLines []lineRow // as read: storeCart writes what differs
	storedCodes []string

	storedVersion int64
	fresh         bool // not stored yet
}

func (k kept) variants() []catalog.VariantID {
	out := make([]catalog.VariantID, len(k.lines))
	for i, l := range k.lines {
		out[i] = l.Variant
	}
	return out
}

func (k kept) line(v catalog.VariantID) int {
	return slices.IndexFunc(k.lines, func(l lineRow) bool { return l.Variant == v })
}

func (k kept) hasCode(code string) bool { return slices.Contains(k.codes, code) }

func (k *kept) removeCode(code string) {
	k.codes = slices.DeleteFunc(slices.Clone(k.codes), func(c string) bool { return c == code })
}

// currency is that of the cart's goods, "" while it is empty.
func (k kept) currency() money.Currency {
	if len(k.lines) == 0 {
		return ""
	}
	return k.lines[0].SeenCurrency
}

const cartColumns = `id, owner, status, version, created_at, changed_at`

// selectCurrent reads the owner's cart that is not closed; none is an empty one without a status.
func selectCurrent(q store.Queryer, owner string) (kept, error) {
	var k kept
	err := q.Get(&k.row, `SELECT `+cartColumns+` FROM carts WHERE owner = ? AND status <> 'closed'`, owner)
	if errors.Is(err, sql.ErrNoRows) {
		return kept{row: cartRow{Owner: owner}}, nil
	}
	if err != nil {
		return kept{}, fmt.Errorf("select the cart of an owner: %w", err)
	}
	if err := q.Select(&k.lines, `
		SELECT variant_id, seller_id, quantity, seen_amount, seen_currency, place, added_at
		FROM cart_lines WHERE cart_id = ? ORDER BY place`, k.row.ID); err != nil {
		return kept{}, fmt.Errorf("select lines of cart %s: %w", k.row.ID, err)
	}
	if err := q.Select(&k.codes, `SELECT code FROM cart_codes WHERE cart_id = ? ORDER BY place`, k.row.ID); err != nil {
		return kept{}, fmt.Errorf("select codes of cart %s: %w", k.row.ID, err)
	}
	k.storedLines, k.storedCodes, k.storedVersion = slices.Clone(k.lines), slices.Clone(k.codes), k.row.Version
	return k, nil
}

func insertCart(tx *store.Tx, r cartRow) error {
	_, err := tx.Exec(`INSERT INTO carts (`+cartColumns+`) VALUES (?, ?, ?, ?, ?, ?)`,
		r.ID, r.Owner, r.Status, r.Version, r.CreatedAt, r.ChangedAt)
	if err != nil {
		return fmt.Errorf("insert cart %s: %w", r.ID, err)
	}
	return nil
}

// storeCart stores what differs from what was read; nothing if nothing does. Another thing or
// quantity, and another code, make it another version; prices taken note of do not.
func storeCart(tx *store.Tx, k *kept, at clock.Time) error {
	if slices.Equal(k.lines, k.storedLines) && slices.Equal(k.codes, k.storedCodes) {
		return nil
	}
	if k.differs() {
		k.row.Version++
	}
	if err := storeRow(tx, k, at); err != nil {
		return err
	}
	if err := storeLines(tx, k); err != nil {
		return err
	}
	if slices.Equal(k.codes, k.storedCodes) {
		return nil
	}
	return storeCodes(tx, k)
}

// differs says whether something else is to be bought than what was read.
func (k kept) differs() bool {
	return !slices.Equal(k.codes, k.storedCodes) || !slices.EqualFunc(k.lines, k.storedLines, func(a, b lineRow) bool {
		return a.Variant == b.Variant && a.Quantity == b.Quantity
	})
}

func storeRow(tx *store.Tx, k *kept, at clock.Time) error {
	if k.fresh {
		k.fresh, k.row.ChangedAt = false, at
		return insertCart(tx, k.row)
	}
	n, err := tx.Exec(`UPDATE carts SET version = ?, changed_at = ? WHERE id = ? AND version = ? AND status = 'open'`,
		k.row.Version, at, k.row.ID, k.storedVersion)
	if err != nil {
		return fmt.Errorf("update cart %s: %w", k.row.ID, err)
	}
	if n == 0 {
		return cart.ErrVersion.With("the cart has changed meanwhile")
	}
	return nil
}

func storeLines(tx *store.Tx, k *kept) error {
	for _, was := range k.storedLines {
		if k.line(was.Variant) < 0 {
			if _, err := tx.Exec(`DELETE FROM cart_lines WHERE cart_id = ? AND variant_id = ?`, k.row.ID, was.Variant); err != nil {
				return fmt.Errorf("remove %s from cart %s: %w", was.Variant, k.row.ID, err)
			}
		}
	}
	for _, l := range k.lines {
		if slices.Contains(k.storedLines, l) {
			continue
		}
		if _, err := tx.Exec(`
			INSERT INTO cart_lines (cart_id, variant_id, seller_id, quantity, seen_amount, seen_currency, place, added_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (cart_id, variant_id) DO UPDATE SET quantity = excluded.quantity,
				seen_amount = excluded.seen_amount, seen_currency = excluded.seen_currency, place = excluded.place`,
			k.row.ID, l.Variant, l.Seller, l.Quantity, l.SeenAmount, l.SeenCurrency, l.Place, l.AddedAt); err != nil {
			return fmt.Errorf("store %s in cart %s: %w", l.Variant, k.row.ID, err)
		}
	}
	return nil
}

func storeCodes(tx *store.Tx, k *kept) error {
	if _, err := tx.Exec(`DELETE FROM cart_codes WHERE cart_id = ?`, k.row.ID); err != nil {
		return fmt.Errorf("remove codes of cart %s: %w", k.row.ID, err)
	}
	for i, code := range k.codes {
		if _, err := tx.Exec(`INSERT INTO cart_codes (cart_id, code, place) VALUES (?, ?, ?)`, k.row.ID, code, i); err != nil {
			return fmt.Errorf("store codes of cart %s: %w", k.row.ID, err)
		}
	}
	return nil
}
