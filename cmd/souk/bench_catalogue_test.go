package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"souk/internal/catalog/catalogsvc"
	"souk/internal/platform/control"
)

// imported takes a feed into a fresh marketplace in dir, search index included, as `souk import`
// does beside no running souk, and says how long it took and how large the heap became.
func imported(t testing.TB, dir, feed string) (result catalogsvc.ImportResult, took time.Duration, peak uint64) {
	t.Helper()
	setup(t, dir, func(a *app) {
		runtime.GC()
		stop := make(chan struct{})
		var watching sync.WaitGroup
		watching.Go(func() { peak = peakHeap(stop) })
		began := time.Now()
		var err error
		result, err = importFeed(t.Context(), a, importIn{Path: feed, Create: true}, control.Say(func(string, ...any) {}))
		took = time.Since(began)
		close(stop)
		watching.Wait()
		require.NoError(t, err)
	})
	return result, took, peak
}

// peakHeap is the largest heap, garbage included, that is seen until stop.
func peakHeap(stop <-chan struct{}) (peak uint64) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	for {
		metrics.Read(sample)
		peak = max(peak, sample[0].Value.Uint64())
		select {
		case <-stop:
			return peak
		case <-tick.C:
		}
	}
}

// partOf writes the first rows of a feed to a file of its own.
func partOf(t testing.TB, feed string, rows int) string {
	t.Helper()
	f, err := os.Open(feed)
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	var part bytes.Buffer
	for r := bufio.NewReader(z); rows >= 0; rows-- { // the head, too
		text, err := r.ReadBytes('\n')
		part.Write(text)
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
	}
	path := filepath.Join(t.TempDir(), "part.tsv")
	require.NoError(t, os.WriteFile(path, part.Bytes(), 0o600))
	return path
}

// BenchmarkImport is the rate at which the real catalogue comes in, search index included, and
// what a quarter of it needs of memory beside the whole.
func BenchmarkImport(b *testing.B) {
	feed := catalogueFeed(b)
	quarter := partOf(b, feed, 19_406/4)
	var rates, peaks, ratios []float64
	for b.Loop() {
		for range 3 {
			_, _, small := imported(b, b.TempDir(), quarter)
			result, took, peak := imported(b, b.TempDir(), feed)
			require.Equal(b, int64(19_406), result.Rows)
			rates = append(rates, float64(result.Rows)/took.Seconds())
			peaks = append(peaks, float64(peak)/(1<<20))
			ratios = append(ratios, float64(peak)/float64(small))
		}
	}
	f := found(b, "import of the real catalogue with its search index (medians of %d)", len(rates))
	f.atLeast("products a second", "products/s", 5000, rates...)
	f.line("%-58s   %8s %9.1f", "peak heap, MB", "", median(peaks))
	f.line("%-58s   %8s %9.2f", "peak heap of the whole / of a quarter of it", "", median(ratios))
	b.ReportMetric(median(peaks), "peak-heap-MB")
	f.print()
}

// resident is how much memory a process has in RAM now, in MB.
func resident(t testing.TB, pid int) float64 {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		t.Skipf("SKIPPED: this system does not say what a process has in memory: %v", err)
	}
	for row := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(row, "VmRSS:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			require.NoError(t, err)
			return kb / 1024
		}
	}
	t.Fatal("no VmRSS")
	return 0
}

// BenchmarkStart is how long souk takes to open on the real catalogue, from the start of the
// process to the line that says where it is.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	imported(b, dir, catalogueFeed(b))
	var took, memory []float64
	for b.Loop() {
		for range 2*benchRounds + 1 {
			began := time.Now()
			c := spawnBuilt(b, dir)
			took = append(took, float64(time.Since(began).Microseconds())/1000)
			memory = append(memory, resident(b, c.cmd.Process.Pid))
			c.kill()
			c.gone(b)
		}
	}
	f := found(b, "start on the real catalogue (medians of %d)", len(took))
	f.atMost("ms from the start of the process until it is open", "ms-to-open", 100, took...)
	f.line("%-58s   %8s %9.1f", "resident memory then, MB", "", median(memory))
	f.print()
}
