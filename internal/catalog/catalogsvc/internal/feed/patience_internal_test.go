package feed

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A feed of nothing but broken quotes costs so many times its size, however many columns its
// header has, and what comes after it is read.
func TestBrokenQuotesAreLookedAtABoundedNumberOfTimes(t *testing.T) {
	t.Parallel()
	header := []string{"id", "title", "price"}
	for i := len(header); i < 400; i++ {
		header = append(header, fmt.Sprint("c", i))
	}
	good := `"ok","two` + "\n" + `lines","1.00 EUR"` + strings.Repeat(",", 397) + "\n"
	for name, broken := range map[string]string{
		"a separator between quotes on each line": "\",\"\n",
		"doubled quotes":            "\"\"\",\"\n",
		"fields over the line ends": "a\",\"\n",
		"a quote that never ends":   "\"\"a\n",
		"quotes and text":           "\"a\",\"b\n",
		"one quote on each line":    "\"\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			size := 300_000
			text := strings.Join(header, ",") + "\n" + strings.Repeat(broken, size/len(broken)) + "plain\n" + strings.Repeat("x\n", 200) + good
			r, err := NewReader(strings.NewReader(text), Options{Format: CSV, MaxRow: 64 << 10})
			require.NoError(t, err)
			read := 0
			for {
				row, err := r.Next()
				var bad *RowError
				if errors.As(err, &bad) {
					continue
				}
				if errors.Is(err, io.EOF) {
					break
				}
				require.NoError(t, err)
				read++
				assert.Equal(t, "ok", row.ID)
			}
			assert.Equal(t, 1, read, "the good row at the end")
			l, ok := r.source.(*lines)
			require.True(t, ok)
			assert.LessOrEqual(t, l.looked, int64((2+patientGain)*len(text)+2*patientRows*r.max))
		})
	}
}
