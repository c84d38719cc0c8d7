package catalogsvc

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"maps"
	"strings"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogsvc/internal/feed"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
	"souk/internal/platform/money"
	"souk/internal/platform/store"
	"souk/internal/platform/telemetry"
)

// ImportOptions say how a product feed is taken in.
type ImportOptions struct {
	By            actor.Actor
	Seller        catalog.SellerID // whose feed it is; "" goes by external_seller_id, for operators and souk itself
	CreateSellers bool             // make the sellers that rows name and souk does not know, approved at once
	DryRun        bool             // find out everything, change nothing
	Currency      money.Currency   // of prices that name none; otherwise such rows are rejected
	CountedAt     clock.Time       // the moment that the feed's quantities are of; zero is now
	Alone         bool             // nobody else writes: transactions may be larger, and fewer
	Progress      func(ImportResult)
	Pace          func(ctx context.Context) error // called between transactions; may wait, and ends the import by its error
	Report        io.Writer                       // gets every rejected row, and what was left out of others, as TSV
}

// ImportResult says what came of an import, or how far it has come.
type ImportResult struct {
	ID         string   // of the import; "" in a dry run
	Format     string   // tsv, csv or xml
	Bytes      int64    // read so far, as the input had them
	Rows       int64    // read, rejected ones among them
	Rejected   int64    // left out, each in the report
	Notes      int64    // values left out of rows that were taken, each in the report
	Created    int64    // variants
	Updated    int64    // variants of which anything changed, the quantity too
	Unchanged  int64    // variants
	Sellers    int64    // made
	Categories int64    // made
	Ignored    []string // columns that nobody reads, and why
}

// The states of an import.
const (
	importRunning = "running"
	importDone    = "done"
	importStopped = "stopped"
)

// importBatch is how many rows one transaction takes. It is bounded by what a checkout would
// wait for behind it: some ten milliseconds. An import that is alone takes aloneBatch, which
// changes fewer pages of the indexes twice.
const (
	importBatch = 256
	aloneBatch  = 512
)

// maxSeen is of how many rows an import remembers the names, to reject one that comes twice.
// It bounds memory at some 30 MB; past it, the later row wins.
const maxSeen = 1_000_000

// Import reads a product feed and makes listings of it. A row is known by its seller and id:
// what is there already is updated, what has not changed is left alone and published to nobody,
// and nothing that the feed does not name is touched. Rows with one item_group_id become
// variants of one listing, wherever in the feed they are; the listing's own texts are those of
// the first of them.
//
// The feed is read once, row by row, and written in small transactions: an import that is
// stopped, by ctx or by a crash, has taken in the rows up to some point, and running it again
// goes on from there by finding those unchanged. The error of a feed that breaks off comes
// with what was done until then.
//
// A goroutine reads ahead. It ends when r does, so whoever cancels also closes r.
func (s *Service) Import(ctx context.Context, r io.Reader, o ImportOptions) (ImportResult, error) {
	im, err := s.newImporter(ctx, o)
	if err != nil {
		return ImportResult{}, err
	}
	reader, err := feed.NewReader(r, feed.Options{Currency: o.Currency})
	if err != nil {
		return ImportResult{}, catalog.ErrInvalid.With("this is no product feed: %v", err).Because(err)
	}
	im.result.Format = string(reader.Format())
	if err := im.report.begin(); err != nil {
		return im.result, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	rows := importBatch
	if o.Alone {
		rows = aloneBatch
	}
	err = im.takeAll(ctx, readAhead(ctx, reader, rows, im.now))
	return im.finish(ctx, err)
}

// importer is one import under way.
type importer struct {
	s            *Service
	o            ImportOptions
	id           string
	at           clock.Time // of the quantities
	now          clock.Time // of the import: what sales are on
	only         feedSeller // of a feed of one seller
	makesShelves bool
	begun        bool // its row is written

	sellers map[string]feedSeller
	shelves map[string]catalog.CategoryID
	paths   map[string]string // of shelves by their names
	seed    maphash.Seed
	seen    map[uint64]struct{}
	report  *importReport
	result  ImportResult
}

func (s *Service) newImporter(ctx context.Context, o ImportOptions) (*importer, error) {
	now := s.now()
	im := &importer{
		s: s, o: o, at: o.CountedAt, now: now, makesShelves: seesAll(o.By), sellers: map[string]feedSeller{},
		shelves: map[string]catalog.CategoryID{}, paths: map[string]string{}, seed: maphash.MakeSeed(), seen: map[uint64]struct{}{},
		report: &importReport{w: o.Report},
	}
	if im.at.IsZero() {
		im.at = now
	}
	if !o.DryRun {
		im.id = id.New("imp_")
		im.result.ID = im.id
	}
	switch {
	case im.at.After(now):
		return nil, oneField("counted_at", "is in the future")
	case o.Currency != "" && !o.Currency.Valid():
		return nil, oneField("currency", "is not a currency that souk knows")
	case o.Seller == "":
		if !seesAll(o.By) {
			return nil, catalog.ErrForbidden.With("only operators import feeds of many sellers")
		}
		return im, nil
	}
	if !seesAll(o.By) {
		if err := manages(o.By, o.Seller); err != nil {
			return nil, err
		}
	}
	err := s.db.Read(ctx, func(q store.Queryer) error {
		seller, err := selectSeller(q, o.Seller)
		im.only = feedSeller{seller.ID, seller.Currency}
		return err
	})
	return im, err
}

// newSeller is a seller made of nothing but its name in a feed.
func (im *importer) newSeller(name string, currency money.Currency, now clock.Time) catalog.Seller {
	return catalog.Seller{
		ID: im.s.ids.seller(), Name: name, Status: catalog.SellerApproved, Why: "came with a product feed", ExternalID: name,
		Legal: catalog.LegalParty{Name: name}, Currency: currency, Commission: im.s.commission, CreatedAt: now, Version: 1,
	}
}

// pathOf is the path of a shelf; names come again and again, and slugs cost something.
func (im *importer) pathOf(names []string) string {
	key := strings.Join(names, "\x00")
	path, ok := im.paths[key]
	if !ok {
		path = catalog.CategoryPath(names)
		im.paths[key] = path
	}
	return path
}

// rowBatch is some rows as they were read.
type rowBatch struct {
	rows     []goods
	rejected []*feed.RowError
	notes    []feed.Problem
	ignored  []string
	read     int64
	offset   int64
	err      error // why the feed ends here; io.EOF for its end
}

// readAhead reads a feed in batches while the one before is being written.
func readAhead(ctx context.Context, reader *feed.Reader, rows int, now clock.Time) <-chan rowBatch {
	batches := make(chan rowBatch, 1)
	go func() {
		defer close(batches)
		for {
			b := readBatch(reader, rows, now)
			select {
			case batches <- b:
			case <-ctx.Done():
				return
			}
			if b.err != nil {
				return
			}
		}
	}()
	return batches
}

// readBatch reads the next rows, at most so many.
func readBatch(reader *feed.Reader, rows int, now clock.Time) rowBatch {
	b := rowBatch{rows: make([]goods, 0, rows)}
	for b.err == nil && b.read < int64(rows) {
		row, err := reader.Next()
		var bad *feed.RowError
		switch {
		case errors.As(err, &bad):
			b.read++
			b.rejected = append(b.rejected, bad)
			continue
		case err != nil:
			b.err = err
			continue
		}
		b.read++
		g, bad := goodsOf(&row, now)
		if bad != nil {
			b.rejected = append(b.rejected, bad)
			continue
		}
		b.rows = append(b.rows, g)
		b.notes = append(b.notes, row.Warnings...)
	}
	for _, p := range reader.Ignored() {
		b.ignored = append(b.ignored, p.Column+": "+p.Reason)
	}
	b.offset = reader.Offset()
	return b
}

// takeAll takes one batch after the other.
func (im *importer) takeAll(ctx context.Context, batches <-chan rowBatch) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case b, ok := <-batches:
			if !ok {
				return ctx.Err()
			}
			if err := im.take(ctx, b); err != nil {
				return err
			}
			switch {
			case errors.Is(b.err, io.EOF):
				return nil
			case b.err != nil:
				return catalog.ErrInvalid.With("the feed cannot be read on: %v", b.err).Because(b.err)
			}
		}
	}
}

// take brings in one batch.
func (im *importer) take(ctx context.Context, b rowBatch) error {
	rows := im.unseen(&b)
	made, err := im.bring(ctx, rows, b)
	if err != nil {
		return err
	}
	r := &im.result
	rejected := append(b.rejected, made.rejected...)
	im.addUp(r, b, made)
	r.Bytes, r.Ignored, r.Notes = b.offset, b.ignored, r.Notes+int64(len(b.notes))
	r.Sellers, r.Categories = r.Sellers+int64(len(made.newSellers)), r.Categories+int64(len(made.newShelves))
	maps.Copy(im.sellers, made.sellers)
	maps.Copy(im.shelves, made.shelves)
	im.count(made, int64(len(rejected)))
	if err := im.report.write(rejected, b.notes); err != nil {
		return err
	}
	if im.o.Progress != nil {
		im.o.Progress(*r)
	}
	if im.o.Pace != nil {
		return im.o.Pace(ctx)
	}
	return nil
}

// addUp adds a batch to what was counted.
func (im *importer) addUp(r *ImportResult, b rowBatch, made *plan) {
	r.Rows += b.read
	r.Rejected += int64(len(b.rejected) + len(made.rejected))
	r.Created, r.Updated, r.Unchanged = r.Created+made.created, r.Updated+made.updated, r.Unchanged+made.unchanged
}

// unseen takes out rows whose names have come before in the same feed.
func (im *importer) unseen(b *rowBatch) []goods {
	rows := b.rows[:0]
	for _, g := range b.rows {
		seller := g.seller
		if im.o.Seller != "" {
			seller = ""
		}
		var h maphash.Hash
		h.SetSeed(im.seed)
		_, _ = h.WriteString(seller + "\x00" + g.external) // a hash never fails
		name := h.Sum64()
		if _, again := im.seen[name]; again {
			b.rejected = append(b.rejected, &feed.RowError{Line: g.line, Column: "id", Value: g.external, ID: g.external, Reason: "came before in this feed"})
			continue
		}
		if len(im.seen) < maxSeen {
			im.seen[name] = struct{}{}
		}
		rows = append(rows, g)
	}
	return rows
}

// bring plans a batch and, unless it is a dry run, writes it in the same transaction.
func (im *importer) bring(ctx context.Context, rows []goods, b rowBatch) (*plan, error) {
	var made *plan
	if im.o.DryRun {
		err := im.s.db.Read(ctx, func(q store.Queryer) error {
			var err error
			made, err = im.plan(q, rows, im.now)
			return err
		})
		return made, err
	}
	begins := false
	err := im.s.write(ctx, func(w *work) error {
		p, err := im.plan(w, rows, im.now)
		if err != nil {
			return err
		}
		made, begins = p, !p.empty()
		if p.empty() {
			return nil
		}
		if err := p.write(w); err != nil {
			return err
		}
		so := im.result
		im.addUp(&so, b, p)
		return im.keep(w, importRunning, so)
	})
	if err != nil {
		return nil, fmt.Errorf("import rows before line %d: %w", lastLine(rows), err)
	}
	im.begun = im.begun || begins
	return made, nil
}

func lastLine(rows []goods) int {
	if len(rows) == 0 {
		return 0
	}
	return rows[len(rows)-1].line
}

// keep writes how far the import has come, and the first time who makes it.
func (im *importer) keep(w *work, status string, so ImportResult) error {
	if err := storeImport(w.Tx, im.id, im.o.Seller, status, so, im.now); err != nil || im.begun {
		return err
	}
	return w.Audit(store.Audit{
		By: im.o.By, Action: "catalog.import", Subject: im.id,
		After: auditText(map[string]any{"seller": im.o.Seller, "format": so.Format, "create_sellers": im.o.CreateSellers, "counted_at": im.at}),
	})
}

// finish writes how the import ended, also when ctx has.
func (im *importer) finish(ctx context.Context, outcome error) (ImportResult, error) {
	status := importDone
	if outcome != nil {
		status = importStopped
	}
	var err error
	if !im.o.DryRun {
		err = im.s.write(context.WithoutCancel(ctx), func(w *work) error { return im.keep(w, status, im.result) })
	}
	return im.result, unjoined(errors.Join(outcome, err, im.report.err))
}

// count shows rows as figures.
func (im *importer) count(p *plan, rejected int64) {
	for name, n := range map[string]int64{"created": p.created, "updated": p.updated, "unchanged": p.unchanged, "rejected": rejected} {
		im.s.telemetry.Counter("souk.catalog.import_rows", "Rows of product feeds by what came of them.",
			telemetry.Label{Name: "outcome", Value: name}).Add(n)
	}
}

// importReport is what was not taken over, a line each.
type importReport struct {
	w   io.Writer
	err error
}

func (r *importReport) begin() error {
	return r.line("line", "column", "what", "reason", "value", "id")
}

func (r *importReport) write(rejected []*feed.RowError, notes []feed.Problem) error {
	for _, bad := range rejected {
		for _, p := range bad.Problems() {
			if err := r.line(fmt.Sprint(p.Line), p.Column, "rejected", p.Reason, p.Value, bad.ID); err != nil {
				return err
			}
		}
	}
	for _, p := range notes {
		if err := r.line(fmt.Sprint(p.Line), p.Column, "note", p.Reason, p.Value, ""); err != nil {
			return err
		}
	}
	return nil
}

func (r *importReport) line(cells ...string) error {
	if r.w == nil || r.err != nil {
		return r.err
	}
	for i, cell := range cells {
		cells[i] = strings.Join(strings.Fields(cell), " ") // no tab or line end within
	}
	if _, err := io.WriteString(r.w, strings.Join(cells, "\t")+"\n"); err != nil {
		r.err = fmt.Errorf("write the report: %w", err)
	}
	return r.err
}

// unjoined is the only error in err, if it is one that errors.Join made of one.
func unjoined(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok && len(joined.Unwrap()) == 1 {
		return joined.Unwrap()[0]
	}
	return err
}
