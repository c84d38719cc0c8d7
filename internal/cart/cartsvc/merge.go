package cartsvc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"souk/internal/cart"
	"souk/internal/catalog"
	"souk/internal/platform/store"
)

// titles are what a guest's cart has, for sentences about what could not be merged.
func (s *Service) titles(ctx context.Context, guest string) (map[catalog.VariantID]string, error) {
	reply, err := s.reply(ctx, guest)
	if err != nil {
		return nil, err
	}
	out := map[catalog.VariantID]string{}
	for _, l := range reply.Cart.Lines {
		out[l.Offer.Variant] = l.Offer.Title
	}
	return out, nil
}

// merge does it in one Write, and says what stayed.
func (s *Service) merge(ctx context.Context, owner, guest string, r cart.MergeRequest, titles map[catalog.VariantID]string) ([]string, error) {
	var stayed []string
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		c := store.Command{Owner: owner, Operation: "cart.merge", Key: r.Key, Body: store.Hash(r.Guest), Until: s.now().Add(keysLive)}
		result, _, err := tx.Once(c, func() (string, error) {
			left, err := s.mergeIn(tx, owner, guest, titles)
			if err != nil {
				return "", err
			}
			text, err := json.Marshal(left)
			return string(text), err
		})
		if err != nil {
			return err
		}
		stayed = nil
		return json.Unmarshal([]byte(result), &stayed)
	})
	if err != nil {
		return nil, fmt.Errorf("merge a guest's cart: %w", err)
	}
	return stayed, nil
}

func (s *Service) mergeIn(tx *store.Tx, owner, guest string, titles map[catalog.VariantID]string) ([]string, error) {
	from, err := selectCurrent(tx, guest)
	if err != nil {
		return nil, err
	}
	switch {
	case len(from.lines) == 0 && len(from.codes) == 0:
		return []string{}, nil
	case from.row.Status == cart.StatusClaimed:
		return []string{"A checkout is under way with the cart from before you signed in; it goes on by itself."}, nil
	}
	to, err := s.openCart(tx, owner)
	if errors.Is(err, cart.ErrClaimed) {
		return []string{"A checkout is under way with your cart. What you had before signing in is kept until it ends."}, nil
	}
	if err != nil {
		return nil, err
	}
	left := mergeCarts(&to, &from, titles)
	if err := storeCart(tx, &to, s.now()); err != nil {
		return nil, err
	}
	return left, storeCart(tx, &from, s.now())
}

// mergeCarts moves what it can from one cart to another: of a variant in both the larger
// quantity stays, codes of both are kept with those of to first. What cannot be moved stays
// in from, and is said.
func mergeCarts(to, from *kept, titles map[catalog.VariantID]string) []string {
	said := []string{}
	var stay []lineRow
	for _, l := range from.lines {
		if at := to.line(l.Variant); at >= 0 {
			to.lines[at].Quantity = max(to.lines[at].Quantity, l.Quantity)
			continue
		}
		title := titles[l.Variant]
		if title == "" {
			title = "Something that is no longer for sale"
		}
		switch {
		case to.currency() != "" && to.currency() != l.SeenCurrency:
			said = append(said, fmt.Sprintf("%s is sold in %s and your cart is in %s: it waits until you have checked out.", title, l.SeenCurrency, to.currency()))
			stay = append(stay, l)
		case len(to.lines) >= cart.MaxLines:
			said = append(said, fmt.Sprintf("Your cart is full: %s waits until you have checked out.", title))
			stay = append(stay, l)
		default:
			l.Place = 0
			for _, other := range to.lines {
				l.Place = max(l.Place, other.Place+1)
			}
			to.lines = append(to.lines, l)
		}
	}
	var codes []string
	for _, code := range from.codes {
		switch {
		case to.hasCode(code):
		case len(to.codes) >= cart.MaxCodes:
			codes = append(codes, code)
			said = append(said, "Your cart has its full number of codes: "+code+" was not added.")
		default:
			to.codes = append(to.codes, code)
		}
	}
	from.lines, from.codes = stay, codes
	return said
}
