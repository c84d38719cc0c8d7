package searchsvc

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/errs"
	"souk/internal/platform/id"
	"souk/internal/platform/page"
	"souk/internal/platform/store"
	"souk/internal/search"
)

// Rebuild builds the index again from catalog beside the one in use.
func (s *Service) Rebuild(ctx context.Context, r search.RebuildRequest) (search.RebuildReply, error) {
	return s.RebuildWith(ctx, r, func(int64) {})
}

// RebuildWith is Rebuild that says now and then how many listings are done.
func (s *Service) RebuildWith(ctx context.Context, r search.RebuildRequest, progress func(listings int64)) (_ search.RebuildReply, err error) {
	defer s.done("rebuild", &err)
	var p errs.Problems
	p.Check(r.Key != "" && len(r.Key) <= catalog.MaxKey, "key", "should have 1 to %d characters", catalog.MaxKey)
	if err := p.Err(search.ErrInvalid); err != nil {
		return search.RebuildReply{}, err
	}
	if !r.By.IsOperator() && !r.By.IsSystem() {
		return search.RebuildReply{}, search.ErrForbidden.With("only operators may do this")
	}
	row, err := s.begin(ctx, r)
	if err != nil || row.Status == rebuildDone {
		return search.RebuildReply{Listings: row.Listings, Millis: row.Millis}, err
	}
	select {
	case s.building <- struct{}{}:
		defer func() { <-s.building }()
	default:
		return search.RebuildReply{}, search.ErrRebuilding.With("the index is being rebuilt already")
	}
	began := s.now()
	listings, err := s.build(ctx, progress, func(tx *store.Tx, listings int64) error {
		row.Status, row.Listings, row.Millis = rebuildDone, listings, s.now().Sub(began).Milliseconds()
		if err := updateRebuild(tx, row); err != nil {
			return err
		}
		return tx.Audit(store.Audit{By: r.By, Action: "search.rebuild", Subject: row.ID, After: fmt.Sprintf("%d listings", listings)})
	})
	if err != nil {
		return search.RebuildReply{}, fmt.Errorf("rebuild the index: %w", err)
	}
	return search.RebuildReply{Listings: listings, Millis: row.Millis}, nil
}

// The states of a rebuild.
const (
	rebuildBegun = "begun" // under way, or broken off: repeating its key does it
	rebuildDone  = "done"
)

type rebuildRow struct {
	ID       string     `db:"id"`
	Status   string     `db:"status"`
	Listings int64      `db:"listings"`
	Millis   int64      `db:"millis"`
	BegunAt  clock.Time `db:"begun_at"`
}

// keysLive is how long the keys of clients are remembered.
const keysLive = 14 * 24 * time.Hour

// begin notes that a rebuild was asked for, or finds the one asked for under the same key.
func (s *Service) begin(ctx context.Context, r search.RebuildRequest) (rebuildRow, error) {
	var row rebuildRow
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		rid, _, err := tx.Once(store.Command{
			Owner: r.By.Owner(), Operation: "search.rebuild", Key: r.Key, Body: store.Hash("rebuild"), Until: tx.Now().Add(keysLive),
		}, func() (string, error) {
			made := id.New("rbd_")
			_, err := tx.Exec(`INSERT INTO rebuilds (id, status, listings, millis, begun_at) VALUES (?, ?, 0, 0, ?)`, made, rebuildBegun, int64(tx.Now()))
			return made, err
		})
		if err != nil {
			return err
		}
		row = rebuildRow{}
		return tx.Get(&row, `SELECT id, status, listings, millis, begun_at FROM rebuilds WHERE id = ?`, rid)
	})
	return row, err
}

func updateRebuild(tx *store.Tx, row rebuildRow) error {
	_, err := tx.Exec(`UPDATE rebuilds SET status = ?, listings = ?, millis = ? WHERE id = ?`, row.Status, row.Listings, row.Millis, row.ID)
	if err != nil {
		return fmt.Errorf("update rebuild %s: %w", row.ID, err)
	}
	return nil
}

// placeGone builds the index anew when the place in catalog's log is lost. A rebuild
// under way will not do: it may have begun to read before.
func (s *Service) placeGone(ctx context.Context) error {
	select {
	case s.building <- struct{}{}:
		defer func() { <-s.building }()
	case <-ctx.Done():
		return ctx.Err()
	}
	_, err := s.build(ctx, func(int64) {}, func(*store.Tx, int64) error { return nil })
	return err
}

// build fills the idle set and makes it the active one, in the transaction that finish is
// part of. If the active one has nothing that could be found meanwhile, they change places before:
// what has been read so far is found, and search says that it is not ready. The caller has s.building.
func (s *Service) build(ctx context.Context, progress func(int64), finish func(tx *store.Tx, listings int64) error) (_ int64, err error) {
	// The words of a listing are its category's too, so these are there before the first event comes.
	categories, err := s.catalog.ListCategories(ctx, catalog.ListCategoriesRequest{})
	if err != nil {
		return 0, fmt.Errorf("read categories: %w", err)
	}
	g, early, mark, err := s.clear(ctx, categories.Categories)
	if err != nil {
		return 0, err
	}
	former, to := g.Active, s.sets[idle(g.Active)]
	if early {
		former, to = idle(g.Active), s.sets[g.Active]
	}
	b := &builder{Service: s, to: to, mark: mark, progress: progress}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.giveUp(context.WithoutCancel(ctx))) // also when ctx has ended
			select {
			case s.broken <- struct{}{}:
			default:
			}
		}
	}()
	for _, part := range []func(context.Context) error{b.sellers, b.categories, b.listings} {
		if err := part(ctx); err != nil {
			return 0, err
		}
	}
	if !early {
		g = generations{Active: to.name, Generation: g.Generation + 1}
		if err := s.prepareShelf(ctx, to, g.Generation); err != nil {
			return 0, err
		}
	}
	g.Analyser = analyser
	var listings int64
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		if err := tx.Get(&listings, to.count); err != nil {
			return err
		}
		if err := updateGenerations(tx, g); err != nil {
			return err
		}
		return finish(tx, listings)
	})
	if err != nil {
		return 0, err
	}
	s.emptyFormer(ctx, former)
	progress(listings)
	return listings, nil
}

// unfinished stands for the analyser while the first index is being built.
const unfinished = "unfinished"

// clear empties the idle set but for categories, and has events go to it; or, if the active set is empty, makes it
// the active one at once: then early is true. Categories that are changed later have a later number than mark.
func (s *Service) clear(ctx context.Context, categories []catalog.Category) (g generations, early bool, mark int64, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		if g, err = selectGenerations(tx); err != nil {
			return err
		}
		var listings int64
		if err := tx.Get(&listings, s.sets[g.Active].count); err != nil {
			return err
		}
		from, to := s.sets[g.Active], s.sets[idle(g.Active)]
		if err := to.empty(tx); err != nil {
			return err
		}
		heard, err := from.knownCategories(tx)
		if err != nil {
			return err
		}
		for _, some := range [][]catalog.Category{heard, categories} {
			if err := to.addCategories(tx, some, math.MaxInt64); err != nil {
				return err
			}
		}
		if err := tx.Get(&mark, to.newestCategory); err != nil {
			return err
		}
		g.Builder = s.process
		if early = listings == 0; early {
			g = generations{Active: idle(g.Active), Generation: g.Generation + 1, Analyser: unfinished}
		}
		return updateGenerations(tx, g)
	})
	return g, early, mark, err
}

// renew builds the index anew if its words come from another analyser than this one's, or
// numbers that are given up are more than those in use. It tries until ctx ends.
func (s *Service) renew(ctx context.Context) error {
	for pause := time.Second; ; pause = min(2*pause, time.Minute) {
		old, err := s.outdated(ctx)
		if err == nil && !old || s.catalog == nil {
			return err
		}
		if err == nil {
			err = s.buildOutdated(ctx)
		}
		if err == nil || ctx.Err() != nil {
			return nil //nolint:nilerr // who stops wants no rebuild
		}
		s.telemetry.Log.Warn().Err(err).Dur("pause", pause).Msg("index not rebuilt")
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
	}
}

// buildOutdated builds the index anew, unless another has done so while this one waited for its turn.
func (s *Service) buildOutdated(ctx context.Context) error {
	select {
	case s.building <- struct{}{}:
		defer func() { <-s.building }()
	case <-ctx.Done():
		return ctx.Err()
	}
	old, err := s.outdated(ctx)
	if err != nil || !old {
		return err
	}
	s.telemetry.Log.Info().Msg("index is rebuilt: it was made by another version, or not to the end")
	_, err = s.build(ctx, func(int64) {}, func(*store.Tx, int64) error { return nil })
	return err
}

// Finish builds to its end, until ctx ends, what another has begun to build and could not: search is not ready while
// the index has a part of the catalogue only, and nobody may come to ask for it again.
func (s *Service) Finish(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.broken:
		}
		if err := s.renew(ctx); err != nil && ctx.Err() == nil {
			s.telemetry.Log.Warn().Err(err).Msg("index not finished")
		}
	}
}

// fewFormer are so few numbers given up that they do not matter.
const fewFormer = 50_000

// outdated says whether the index should be built anew.
func (s *Service) outdated(ctx context.Context) (old bool, err error) {
	err = s.db.Read(ctx, func(q store.Queryer) error {
		g, err := selectGenerations(q)
		if err != nil {
			return err
		}
		if old = g.Analyser != analyser && g.Analyser != ""; old {
			return nil
		}
		var former, listings int64
		if err := q.Get(&former, s.sets[g.Active].countFormer); err != nil || former <= fewFormer {
			return err
		}
		err = q.Get(&listings, s.sets[g.Active].count)
		old = former > listings
		return err
	})
	return old, err
}

// errUnfinished is why search is not ready.
var errUnfinished = errs.Refusal(errs.Unavailable, "search.unfinished").With("the index is being built: not everything is found yet")

// Ready says whether everything can be found.
func (s *Service) Ready(ctx context.Context) error {
	return s.db.Read(ctx, func(q store.Queryer) error {
		g, err := selectGenerations(q)
		if err == nil && g.Analyser == unfinished {
			return errUnfinished
		}
		return err
	})
}

// giveUp lets events go to the active set alone again.
func (s *Service) giveUp(ctx context.Context) error {
	s.mem.Lock()
	s.next = nil
	s.mem.Unlock()
	return s.db.Write(ctx, func(tx *store.Tx) error {
		g, err := selectGenerations(tx)
		if err != nil {
			return err
		}
		g.Builder = ""
		return updateGenerations(tx, g)
	})
}

// prepareShelf reads the set into memory before anyone waits for it.
func (s *Service) prepareShelf(ctx context.Context, from *set, generation int64) error {
	next := s.emptyShelf(generation)
	err := s.db.Read(ctx, func(q store.Queryer) error {
		for {
			// How far the idle set is written nobody else asks: all that there is.
			w, err := from.selectWritten(q, next.seen, marks{Listings: 1 << 62, Sellers: 1 << 62, Categories: 1 << 62}, &next.facts)
			if err != nil {
				return err
			}
			w.marks = next.seen.after(w)
			next.take(w)
			if len(w.listings) < loadRows {
				return nil
			}
		}
	})
	if err != nil {
		return err
	}
	for next.completions.tell(next, func(fn func() error) error { return fn() }) { // nobody else has it yet
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	s.keepNext(next)
	return nil
}

// keepNext makes next the shelf that is about to be used. It knows what people search for now: that may be more
// than when it was begun.
func (s *Service) keepNext(next *shelf) {
	for {
		popular := s.popular.Load()
		if popular != nil {
			next.completions.know(*popular)
		}
		s.mem.Lock()
		same := s.popular.Load() == popular // else it was learnt meanwhile, and told to the shelves that there were
		if same {
			s.next = next
		}
		s.mem.Unlock()
		if same {
			return
		}
	}
}

// emptyFormer gives back the room of the set that was active until now. If that fails the next
// rebuild does it.
func (s *Service) emptyFormer(ctx context.Context, name string) {
	err := s.db.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error { return s.sets[name].empty(tx) })
	if err != nil {
		s.telemetry.Log.Warn().Err(err).Msg("former index not emptied")
	}
}

// builder reads catalog into a set.
type builder struct {
	*Service
	to       *set
	mark     int64 // what events have changed of categories came after it
	progress func(int64)
}

// batch is how many are read and written at a time: small enough that events between two
// writes hardly wait.
const batch = 100

func (b *builder) sellers(ctx context.Context) error {
	for cursor := ""; ; {
		reply, err := b.catalog.ListSellers(ctx, catalog.ListSellersRequest{
			By: actor.System(""), Page: page.Request{Cursor: cursor, Limit: batch},
		})
		if err != nil {
			return fmt.Errorf("read sellers: %w", err)
		}
		err = b.db.Write(ctx, func(tx *store.Tx) error {
			for _, one := range reply.Sellers {
				if err := b.to.putSeller(tx, b.to.addSeller, one.ID, one.Slug, one.Name, one.Status); err != nil {
					return err
				}
			}
			return nil
		})
		if cursor = reply.Next; err != nil || cursor == "" {
			return err
		}
	}
}

func (b *builder) categories(ctx context.Context) error {
	reply, err := b.catalog.ListCategories(ctx, catalog.ListCategoriesRequest{})
	if err != nil {
		return fmt.Errorf("read categories: %w", err)
	}
	return b.db.Write(ctx, func(tx *store.Tx) error { return b.to.addCategories(tx, reply.Categories, b.mark) })
}

func (b *builder) listings(ctx context.Context) error {
	done := int64(0)
	for cursor := ""; ; {
		reply, err := b.catalog.ListListings(ctx, catalog.ListListingsRequest{
			By: actor.System(""), Status: catalog.ListingActive, Page: page.Request{Cursor: cursor, Limit: batch},
		})
		if err != nil {
			return fmt.Errorf("read listings: %w", err)
		}
		err = b.db.Write(ctx, func(tx *store.Tx) error {
			all := make([]entry, len(reply.Listings))
			for i, l := range reply.Listings {
				all[i] = entryOf(changedOf(l))
			}
			return b.to.addUnheard(tx, all)
		})
		done += int64(len(reply.Listings))
		b.progress(done)
		if cursor = reply.Next; err != nil || cursor == "" {
			return err
		}
	}
}
