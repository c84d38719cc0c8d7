package catalogsvc

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogsvc/internal/feed"
	"souk/internal/platform/actor"
	"souk/internal/platform/store"
)

// ExportOptions say what is written as a product feed.
type ExportOptions struct {
	By       actor.Actor
	Seller   catalog.SellerID // "" for all, for operators and souk itself
	All      bool             // also drafts and archived listings, and sellers that are not approved
	Format   string           // tsv (the default), csv or xml
	Gzip     bool
	BaseURL  string // of souk, for the links: "https://souk.example"; "" leaves them out
	Progress func(ExportResult)
}

// ExportResult says what was written.
type ExportResult struct {
	Listings int64
	Rows     int64 // variants
}

// exportPage is how many listings are read at once.
const exportPage = 200

// Export writes listings as a product feed that Import reads back the same: a row for each
// variant that is not withdrawn, oldest listings first. quantity is what is on hand, so that
// reading it back is a count. It is read in pages, each of its own moment, and takes memory
// for one of them.
func (s *Service) Export(ctx context.Context, w io.Writer, o ExportOptions) (ExportResult, error) {
	if !seesAll(o.By) {
		if o.Seller == "" {
			return ExportResult{}, catalog.ErrForbidden.With("only operators export all sellers' listings")
		}
		if err := manages(o.By, o.Seller); err != nil {
			return ExportResult{}, err
		}
	}
	if !o.Gzip {
		return s.export(ctx, w, o)
	}
	packed := gzip.NewWriter(w)
	result, err := s.export(ctx, packed, o)
	return result, errors.Join(err, packed.Close())
}

func (s *Service) export(ctx context.Context, w io.Writer, o ExportOptions) (ExportResult, error) {
	var result ExportResult
	out, err := feed.NewWriter(w, feed.WriterOptions{Format: feed.Format(o.Format)})
	if err != nil {
		return result, catalog.ErrInvalid.With("there is no format %q; take tsv, csv or xml", o.Format).Because(err)
	}
	names := exportNames{sellers: map[catalog.SellerID]string{}, shelves: map[string]string{}}
	for after := (exportKey{}); ; {
		var page []*listing
		err := s.db.Read(ctx, func(q store.Queryer) error {
			var err error
			if page, err = selectExport(q, o.Seller, o.All, after, exportPage); err != nil {
				return err
			}
			return names.learn(q, page)
		})
		if err != nil {
			return result, err
		}
		for _, l := range page {
			n, err := names.write(out, l, o.BaseURL)
			if err != nil {
				return result, fmt.Errorf("export listing %s: %w", l.ID, err)
			}
			result.Listings, result.Rows = result.Listings+1, result.Rows+n
			after = exportKey{CreatedAt: l.CreatedAt, ID: l.ID}
		}
		if o.Progress != nil {
			o.Progress(result)
		}
		if len(page) < exportPage {
			return result, out.Close()
		}
	}
}

// exportNames are what feeds call sellers and shelves.
type exportNames struct {
	sellers map[catalog.SellerID]string
	shelves map[string]string // name by path
}

// learn reads the names that the page needs and that are not known yet.
func (n exportNames) learn(q store.Queryer, page []*listing) error {
	var sellers []catalog.SellerID
	var paths []string
	for _, l := range page {
		if _, ok := n.sellers[l.Seller]; !ok {
			sellers = append(sellers, l.Seller)
		}
		if _, ok := n.shelves[l.Path]; !ok && l.Path != "" {
			paths = append(paths, ancestors(l.Path)...)
		}
	}
	found, err := selectSellers(q, sellers, nil)
	if err != nil {
		return err
	}
	for _, s := range found {
		n.sellers[s.ID] = s.Slug
		if s.ExternalID != "" {
			n.sellers[s.ID] = s.ExternalID
		}
	}
	if len(paths) == 0 {
		return nil
	}
	at, err := selectCategories(q, paths)
	for path, row := range at {
		n.shelves[path] = row.Name
	}
	return err
}

// write writes a listing's variants.
func (n exportNames) write(out *feed.Writer, l *listing, base string) (rows int64, err error) {
	var shelf []string
	if l.Path != "" {
		for _, path := range ancestors(l.Path) {
			shelf = append(shelf, n.shelves[path])
		}
	}
	link := ""
	if base != "" {
		link = base + "/listings/" + string(l.ID)
	}
	for _, v := range l.Variants {
		if v.Withdrawn {
			continue
		}
		if err := out.Write(rowOf(l, v, n.sellers[l.Seller], shelf, link)); err != nil {
			return rows, err
		}
		rows++
	}
	return rows, nil
}
