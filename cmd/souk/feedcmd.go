package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"souk/internal/catalog"
	"souk/internal/catalog/catalogsvc"
	"souk/internal/platform/config"
	"souk/internal/platform/control"
	"souk/internal/platform/money"
)

// importIn names the feed by its path: the running souk reads it itself.
type importIn struct {
	Path     string         `json:"path"`
	Report   string         `json:"report"`
	Seller   string         `json:"seller"` // id or slug
	Create   bool           `json:"create"`
	DryRun   bool           `json:"dry_run"`
	Currency money.Currency `json:"currency"`
}

// heldBackFor is how long an import waits, while a souk serves, for what it has published to be heard: what sellers
// change meanwhile would be seen that much later if all of it lay in the log before. It is patience with who
// does not move; who does is waited for.
const heldBackFor = 250 * time.Millisecond

// shownProblems is how many lines of the report are shown without a file to write it to.
const shownProblems = 10

func importing() deed[importIn, catalogsvc.ImportResult] {
	return deed[importIn, catalogsvc.ImportResult]{name: "import", begins: true, about: of[importIn]("catalog"), do: importFeed}
}

func importFeed(ctx context.Context, a *app, in importIn, say control.Say) (result catalogsvc.ImportResult, err error) {
	seller, err := a.sellerNamed(ctx, in.Seller)
	if err != nil {
		return result, err
	}
	file, err := os.Open(in.Path)
	if err != nil {
		return result, fmt.Errorf("open the feed: %w", err)
	}
	defer closing(&err, file.Close)
	info, err := file.Stat()
	if err != nil {
		return result, fmt.Errorf("open the feed: %w", err)
	}
	var report io.Writer = &firstLines{say: say, left: shownProblems + 1}
	if in.Report != "" {
		out, err := os.OpenFile(in.Report, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			return result, fmt.Errorf("write the report: %w", err)
		}
		buffered := bufio.NewWriter(out)
		defer closing(&err, func() error { return errors.Join(buffered.Flush(), out.Close()) })
		report = buffered
	}
	rest := func() error { return nil }
	alone := !a.serving.Load()
	var pace func(context.Context) error
	if !alone {
		pace = func(ctx context.Context) error { return a.bus.Abreast(ctx, catalog.Log, heldBackFor) }
	}
	if alone { // a process of its own that makes much garbage and ends: collect it less often
		defer debug.SetGCPercent(debug.SetGCPercent(400))
	}
	if !in.DryRun && alone { // else the running souk follows what is published, or there is nothing
		rest = a.follow(ctx)
	}
	last := time.Now()
	result, err = a.catalog.Import(ctx, file, catalogsvc.ImportOptions{
		By: byCommandLine(), Seller: seller, CreateSellers: in.Create, DryRun: in.DryRun, Currency: in.Currency, Report: report, Alone: alone && a.db == "", Pace: pace,
		Progress: func(r catalogsvc.ImportResult) {
			if now := time.Now(); now.Sub(last) >= 200*time.Millisecond {
				last = now
				say("%s%d %d %d", progressMark, r.Bytes, info.Size(), r.Rows)
			}
		},
	})
	if err == nil && alone && !in.DryRun {
		say("bringing the search index up to date")
		err = a.bus.Drain(ctx)
	}
	return result, errors.Join(err, rest())
}

// follow has events heard while they are published, as a running souk does, until rest is
// called.
func (a *app) follow(ctx context.Context) (rest func() error) {
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- a.bus.Run(ctx) }()
	return func() error {
		stop()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			return fmt.Errorf("follow what is imported: %w", err)
		}
		return nil
	}
}

// progressMark begins a line that says how far an import is: bytes read, bytes in all, rows.
const progressMark = "progress "

// sellerNamed finds a seller by id or slug; "" is none.
func (a *app) sellerNamed(ctx context.Context, name string) (catalog.SellerID, error) {
	if name == "" {
		return "", nil
	}
	ask := catalog.GetSellersRequest{By: byCommandLine(), Slugs: []string{name}}
	if sid, err := catalog.SellerIDs.Parse(name); err == nil {
		ask = catalog.GetSellersRequest{By: byCommandLine(), IDs: []catalog.SellerID{sid}}
	}
	reply, err := a.ask.catalog.GetSellers(ctx, ask)
	if err != nil {
		return "", err
	}
	if len(reply.Sellers) == 0 {
		return "", fmt.Errorf("there is no seller %s", name)
	}
	return reply.Sellers[0].ID, nil
}

// firstLines says the first few lines written to it.
type firstLines struct {
	say  control.Say
	left int
	part string
}

// Write takes whole reports in any pieces.
func (f *firstLines) Write(p []byte) (int, error) {
	f.part += string(p)
	for {
		line, rest, ok := strings.Cut(f.part, "\n")
		if !ok {
			return len(p), nil
		}
		f.part = rest
		if f.left > 0 {
			f.say("  %s", strings.ReplaceAll(line, "\t", "  "))
		}
		f.left--
	}
}

func importCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use: "import FEED", Short: "Take in a product feed",
		Long: "Reads a product feed in the Google Merchant column convention: TSV, CSV or XML/RSS, gzipped or not\n" +
			"(- is standard input). A row is known by its seller and id, so that importing again updates and\n" +
			"doubles nothing. Rows that cannot be taken are reported with line, column and reason.\n" +
			"A feed of which every row is rejected is a failure (exit status 1), in a dry run too.",
		Example: "  souk import products.tsv.gz --create-sellers --report rejected.tsv\n  souk import feed.xml --seller north-lamp-works --dry-run", Args: exactly(1),
	}
	data := addData(cmd)
	f := cmd.Flags()
	seller := f.String("seller", "", "whose goods they are: id or `SLUG`; without, each row's external_seller_id says")
	create := f.Bool("create-sellers", false, "make sellers that the feed names and souk does not know")
	dry := f.Bool("dry-run", false, "find out everything, change nothing")
	currency := f.String("currency", "", "of prices that name none, as in EUR")
	report := f.String("report", "", "write every rejected row to this `FILE` (TSV)")
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		in := importIn{Seller: *seller, Create: *create, DryRun: *dry, Currency: money.Currency(strings.ToUpper(*currency))}
		if in.Currency != "" && !in.Currency.Valid() {
			return config.Mistakef("--currency %s is not a currency souk knows", *currency)
		}
		if *report != "" {
			if in.Report, err = filepath.Abs(*report); err != nil {
				return fmt.Errorf("find %s: %w", *report, err)
			}
		}
		path, done, err := w.feedFile(args[0])
		if err != nil {
			return err
		}
		defer closing(&err, done)
		in.Path = path
		began := time.Now()
		result, err := importing().asking(cmd.Context(), w, *data, in, w.progressBar())
		if result.Rows > 0 || err == nil {
			err = errors.Join(err, w.printImport(result, time.Since(began), in))
		}
		if err == nil && result.Rows > 0 && result.Rejected == result.Rows {
			err = fmt.Errorf("not one of the feed's %d rows could be taken", result.Rows)
		}
		return err
	}
	return cmd
}

// feedFile is the path of a feed; standard input is written to a temporary file first, which
// done removes.
func (w *world) feedFile(arg string) (path string, done func() error, err error) {
	if arg != "-" {
		path, err = filepath.Abs(arg)
		if err == nil {
			_, err = os.Stat(path)
		}
		if err != nil {
			return "", nil, fmt.Errorf("find the feed: %w", err)
		}
		return path, func() error { return nil }, nil
	}
	f, err := os.CreateTemp("", "souk-feed-*")
	if err != nil {
		return "", nil, fmt.Errorf("keep standard input: %w", err)
	}
	_, err = io.Copy(f, w.stdin)
	if err := errors.Join(err, f.Close()); err != nil {
		return "", nil, errors.Join(fmt.Errorf("keep standard input: %w", err), os.Remove(f.Name()))
	}
	return f.Name(), func() error { return os.Remove(f.Name()) }, nil
}

// progressBar draws an import's progress on a terminal; elsewhere it leaves it out.
func (w *world) progressBar() func(line string) {
	out, isFile := w.stderr.(*os.File)
	terminal := isFile && isatty.IsTerminal(out.Fd())
	drawn := false
	return func(line string) {
		var read, all, rows int64
		if _, err := fmt.Sscanf(line, progressMark+"%d %d %d", &read, &all, &rows); err == nil {
			if terminal && all > 0 {
				filled := int(30 * min(read, all) / all)
				_, _ = fmt.Fprintf(w.stderr, "\r  [%-30s] %3d%%  %d rows", strings.Repeat("=", filled), 100*min(read, all)/all, rows)
				drawn = true
			}
			return
		}
		if drawn {
			_, _ = fmt.Fprintln(w.stderr)
			drawn = false
		}
		_, _ = fmt.Fprintln(w.stderr, line)
	}
}

func (w *world) printImport(r catalogsvc.ImportResult, took time.Duration, in importIn) error {
	var b strings.Builder
	verb, made := "imported", "made"
	if in.DryRun {
		verb, made = "would import", "would make"
	}
	fmt.Fprintf(&b, "\n%s %d rows (%s) in %s: %d new, %d changed, %d as before, %d rejected, %d with something left out\n",
		verb, r.Rows, r.Format, took.Round(time.Millisecond), r.Created, r.Updated, r.Unchanged, r.Rejected, r.Notes)
	if r.Sellers > 0 || r.Categories > 0 {
		fmt.Fprintf(&b, "%s %d sellers and %d categories\n", made, r.Sellers, r.Categories)
	}
	for _, column := range r.Ignored {
		fmt.Fprintf(&b, "ignored column %s\n", column)
	}
	switch {
	case in.Report != "":
		fmt.Fprintf(&b, "every rejected row and what was left out of others is in %s\n", in.Report)
	case r.Rejected+r.Notes > shownProblems:
		fmt.Fprintf(&b, "those were the first %d; --report FILE writes all\n", shownProblems)
	}
	_, err := io.WriteString(w.stdout, b.String())
	return err
}

type exportIn struct {
	Path   string `json:"path"`
	Seller string `json:"seller"`
	Format string `json:"format"`
	Gzip   bool   `json:"gzip"`
	All    bool   `json:"all"`
	Base   string `json:"base"`
}

func exporting() deed[exportIn, catalogsvc.ExportResult] {
	return deed[exportIn, catalogsvc.ExportResult]{name: "export", about: of[exportIn]("catalog"), do: func(ctx context.Context, a *app, in exportIn, _ control.Say) (result catalogsvc.ExportResult, err error) {
		seller, err := a.sellerNamed(ctx, in.Seller)
		if err != nil {
			return result, err
		}
		out, err := os.OpenFile(in.Path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			return result, fmt.Errorf("write the feed: %w", err)
		}
		buffered := bufio.NewWriterSize(out, 1<<16)
		defer closing(&err, func() error { return errors.Join(buffered.Flush(), out.Sync(), out.Close()) })
		return a.catalog.Export(ctx, buffered, catalogsvc.ExportOptions{
			By: byCommandLine(), Seller: seller, All: in.All, Format: in.Format, Gzip: in.Gzip, BaseURL: in.Base,
		})
	}}
}

func exportCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use: "export FILE", Short: "Write listings as a product feed",
		Long:    "Writes a feed that `souk import` reads back the same. The format goes by the file's name: .tsv, .csv\nor .xml, and .gz behind it.",
		Example: "  souk export goods.tsv.gz\n  souk export lamps.xml --seller north-lamp-works", Args: exactly(1),
	}
	data := addData(cmd)
	seller := cmd.Flags().String("seller", "", "only this seller's: id or `SLUG`")
	all := cmd.Flags().Bool("all", false, "also drafts and archived listings")
	base := cmd.Flags().String("base-url", "", "address of the marketplace, for the links")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		path, err := filepath.Abs(args[0])
		if err != nil {
			return fmt.Errorf("find %s: %w", args[0], err)
		}
		in := exportIn{Path: path, Seller: *seller, All: *all, Base: *base}
		name, gz := strings.CutSuffix(path, ".gz")
		in.Gzip, in.Format = gz, strings.TrimPrefix(filepath.Ext(name), ".")
		if in.Format != "tsv" && in.Format != "csv" && in.Format != "xml" {
			return config.Mistakef("%s ends neither in .tsv nor .csv nor .xml (with .gz or without)", args[0])
		}
		result, err := exporting().ask(cmd.Context(), w, *data, in)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w.stdout, "wrote %d listings in %d rows to %s\n", result.Listings, result.Rows, args[0])
		return err
	}
	return cmd
}
