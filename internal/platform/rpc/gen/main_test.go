package main

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRun(t *testing.T) {
	t.Parallel()
	shop := filepath.Join("..", "contract", "testdata", "shop")
	tests := map[string]struct {
		args   []string
		status int
		stderr string
	}{
		"up to date":               {args: []string{"-check", shop}, status: 0},
		"others are passed over":   {args: []string{"-check", shop, "."}, status: 0},
		"alone it must be one":     {args: []string{"-check", "."}, status: 1, stderr: "main.go:14: package main has no type Service"},
		"a violation":              {args: []string{filepath.Join("..", "contract", "testdata", "bad", "structservice")}, status: 1, stderr: "structservice.go:4: Service is not an interface"},
		"an unknown flag":          {args: []string{"-force"}, status: 2, stderr: "-force"},
		"a version that is none":   {args: []string{"-freeze", "next", shop}, status: 1, stderr: `"next" is not a version`},
		"a folder that is not one": {args: []string{"nowhere"}, status: 1, stderr: "load nowhere"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			assert.Equal(t, tt.status, run(tt.args, &stdout, &stderr), stderr.String())
			assert.Contains(t, stderr.String(), tt.stderr)
			assert.Empty(t, stdout.String())
		})
	}
}
