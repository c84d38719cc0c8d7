package feed

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// Reader reads a feed row by row.
type Reader struct {
	format  Format
	counter *countingReader
	source  source
	table   *table
	max     int
}

// source gives the rows of one layout as named or numbered fields.
type source interface {
	// next puts one row into b, or returns a *RowError for one that cannot be told apart
	// from its neighbours, io.EOF, or why the feed ends here.
	next(b *builder) error
}

// NewReader finds out what r holds and reads up to the first row. It fails when that is no
// feed: no header with an id, no text, a damaged archive.
func NewReader(r io.Reader, o Options) (*Reader, error) {
	if o.MaxRow == 0 {
		o.MaxRow = DefaultMaxRow
	}
	o.MaxRow = max(o.MaxRow, 1<<10)
	counter := &countingReader{r: r}
	in := bufio.NewReaderSize(counter, sniffed)
	if magic, err := in.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		unpacked, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("unpack the feed: %w", err)
		}
		in = bufio.NewReaderSize(unpacked, sniffed)
	}
	text, repaired, err := decode(in)
	if err != nil {
		return nil, fmt.Errorf("read the feed: %w", err)
	}
	f := &Reader{format: o.Format, counter: counter, max: o.MaxRow, table: newTable(o.Currency)}
	if f.format == Auto {
		f.format = sniff(text)
	}
	if f.format == XML {
		f.source, err = newItems(text, o.MaxRow, repaired, f.table)
	} else {
		f.source, err = newLines(text, f.format, o.MaxRow, f.table)
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// sniff tells XML from text by its first mark, and TSV from CSV by the header.
func sniff(text *bufio.Reader) Format {
	head, _ := text.Peek(sniffed) // a short feed is shorter, and an error comes again on reading
	for _, c := range head {
		switch c {
		case ' ', '\t', '\r', '\n':
			continue
		case '<':
			return XML
		}
		break
	}
	if separator(head) == '\t' {
		return TSV
	}
	return CSV
}

// Next returns the next usable row; a *RowError for one that is left out, after which it can
// be called again; io.EOF at the end; or why the feed cannot be read on.
func (r *Reader) Next() (Row, error) {
	b := &builder{table: r.table}
	if err := r.source.next(b); err != nil {
		var bad *RowError
		if errors.As(err, &bad) || errors.Is(err, io.EOF) {
			return Row{}, err
		}
		return Row{}, fmt.Errorf("read the feed: %w", err)
	}
	return b.finish()
}

// Format is what the feed turned out to be.
func (r *Reader) Format() Format { return r.format }

// Ignored lists the columns that are left out, each once, with the reason. For XML it grows
// as elements are met.
func (r *Reader) Ignored() []Problem { return r.table.ignored }

// Offset is how many bytes of the input have been read, before unpacking: for a progress bar.
func (r *Reader) Offset() int64 { return r.counter.n }

type countingReader struct {
	r io.Reader
	n int64
}

// Read counts what it passes on.
func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
