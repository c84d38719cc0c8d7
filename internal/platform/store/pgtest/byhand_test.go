package pgtest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"souk/internal/platform/store/pgtest"
)

func TestStatementsAreReadFromTheServersLog(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		line pgtest.Recorded
		want pgtest.Statement
		ok   bool
	}{
		"without arguments": {
			pgtest.Recorded{Message: "statement: COMMIT"}, pgtest.Statement{SQL: "COMMIT"}, true,
		},
		"with arguments": {
			pgtest.Recorded{Message: "execute stmtcache_1: INSERT INTO a VALUES ($1, $2, $3)", Detail: "parameters: $1 = 'it''s, $2 = NULL', $2 = NULL, $3 = ''"},
			pgtest.Statement{SQL: "INSERT INTO a VALUES ($1, $2, $3)", Args: []any{"it's, $2 = NULL", nil, ""}},
			true,
		},
		"something else": {
			pgtest.Recorded{Message: "could not serialize access", Detail: "parameters: none"}, pgtest.Statement{}, false,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := tt.line.Statement()
			assert.Equal(t, tt.ok, ok)
			assert.Equal(t, tt.want, got)
		})
	}
}
