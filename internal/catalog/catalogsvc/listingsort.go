package catalogsvc

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"souk/internal/catalog"
	"souk/internal/platform/store"
)

// listingScope is which listings are seen: all, or what everyone sees and those of own.
type listingScope struct {
	all bool
	own catalog.SellerID
}

// sortedKey is where a page of a sorted list ended: the text or the number that it is sorted by.
type sortedKey struct {
	ID     catalog.ListingID `db:"id" json:"i"`
	Text   string            `db:"sort_text" json:"t"`
	Number int64             `db:"sort_number" json:"n"`
}

// sortColumns are what listings are sorted by, without the direction. What is held counts as
// held until the hold is ended, as it does where stock is listed.
var sortColumns = map[string]struct {
	expression string
	text       bool
}{
	"title":   {"lower(l.title)", true},
	"state":   {"CASE l.status WHEN 'active' THEN 0 WHEN 'draft' THEN 1 ELSE 2 END", false},
	"price":   {"coalesce((SELECT min(v.price) FROM variants v WHERE v.listing_id = l.id AND v.withdrawn = 0), 0)", false},
	"changed": {"l.changed_at", false},
	"stock": {`coalesce((SELECT sum(max(0, t.on_hand - t.held - t.allocated)) FROM variants v JOIN stock t ON t.variant_id = v.id
		WHERE v.listing_id = l.id AND v.withdrawn = 0), 0)`, false},
}

// sortedListings pages through one seller's listings in another order than the newest first. What
// it costs grows with the listings of that seller, not with those of all.
func (s *Service) sortedListings(ctx context.Context, r catalog.ListListingsRequest, scope listingScope, filter []any) (catalog.ListListingsReply, error) {
	var after *sortedKey
	if _, err := r.Page.After(filter, &after); err != nil {
		return catalog.ListListingsReply{}, err
	}
	size, now := r.Page.Size(20, catalog.MaxPage), s.now()
	var found []*snapshot
	var next string
	err := s.db.Read(ctx, func(q store.Queryer) error {
		keys, err := selectSorted(q, r, scope, after, size)
		if err != nil {
			return err
		}
		if keys, next, err = cut(keys, size, filter, func(last sortedKey) any { return last }); err != nil {
			return err
		}
		ids := make([]catalog.ListingID, len(keys))
		for i, key := range keys {
			ids[i] = key.ID
		}
		read, err := selectListings(q, ids)
		if err != nil {
			return err
		}
		slices.SortFunc(read, func(a, b *listing) int { return slices.Index(ids, a.ID) - slices.Index(ids, b.ID) })
		found, err = snapshots(q, read, now)
		return err
	})
	if err != nil {
		return catalog.ListListingsReply{}, err
	}
	return listed(r, found, next), nil
}

// selectSorted reads a page of ids in the order asked for, with what they are sorted by; one
// more than asked for if there are more.
func selectSorted(q store.Queryer, r catalog.ListListingsRequest, scope listingScope, after *sortedKey, size int) ([]sortedKey, error) {
	name, down := strings.CutSuffix(string(*r.Sort), "_down")
	column := sortColumns[strings.TrimSuffix(name, "_up")]
	way, beyond := "", ">"
	if down {
		way, beyond = " DESC", "<"
	}
	where, args := listingWhere(r, scope)
	selected, ordered := `'' AS sort_text, `+column.expression+` AS sort_number`, "sort_number"
	if column.text {
		selected, ordered = column.expression+` AS sort_text, 0 AS sort_number`, "sort_text"
	}
	outer := ""
	if after != nil {
		outer = ` WHERE (` + ordered + `, id) ` + beyond + ` (?, ?)`
		if column.text {
			args = append(args, after.Text, after.ID)
		} else {
			args = append(args, after.Number, after.ID)
		}
	}
	var keys []sortedKey
	err := q.Select(&keys, `SELECT id, sort_text, sort_number FROM (SELECT l.id, `+selected+` FROM `+listingTables+where+`) AS sorted`+outer+
		` ORDER BY `+ordered+way+`, id`+way+` LIMIT ?`, append(args, size+1)...)
	if err != nil {
		return nil, fmt.Errorf("sort listings of seller %s: %w", r.Seller, err)
	}
	return keys, nil
}
