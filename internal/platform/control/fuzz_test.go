package control_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/errs"
)

// FuzzCommand: whatever is sent as a command, the answer is lines of what is said, and then one that ends it.
func FuzzCommand(f *testing.F) {
	f.Add("/count", `{"to":3}`)
	h := counting().Handler(func(string) bool { return true })
	f.Fuzz(func(t *testing.T, path, body string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
		r.URL.Path = path
		out := httptest.NewRecorder()
		h.ServeHTTP(out, r)
		require.Equal(t, http.StatusOK, out.Code)
		lines := bytes.Split(bytes.TrimSuffix(out.Body.Bytes(), []byte("\n")), []byte("\n"))
		for i, line := range lines {
			var one struct {
				Said   *string     `json:"said"`
				Result *countOut   `json:"result"`
				Failed *errs.Error `json:"failed"`
			}
			require.NoError(t, json.Unmarshal(line, &one), "%s", line)
			assert.Equal(t, i == len(lines)-1, one.Result != nil || one.Failed != nil, "%s", out.Body)
		}
	})
}
