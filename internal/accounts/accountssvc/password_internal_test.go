package accountssvc

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/errs"
)

func TestAPasswordMatchesItselfAlone(t *testing.T) {
	t.Parallel()
	h := newHasher(Hashing{KiB: 8, Passes: 1})
	stored, err := h.hash(t.Context(), "caf\u00e9 au lait")
	require.NoError(t, err)
	for password, want := range map[string]bool{
		"caf\u00e9 au lait":  true,
		"cafe\u0301 au lait": true, // the same letter from another keyboard
		"cafe au lait":       false,
		"":                   false,
	} {
		got, err := h.matches(t.Context(), stored, password)
		require.NoError(t, err)
		assert.Equal(t, want, got, password)
	}
	again, err := h.hash(t.Context(), "caf\u00e9 au lait")
	require.NoError(t, err)
	assert.NotEqual(t, stored, again, "the salt differs")
	assert.True(t, strings.HasPrefix(stored, "$argon2id$v=19$m=8,t=1,p=1$"), stored)
}

func TestTheDefaultIsOWASPsFirstChoice(t *testing.T) {
	t.Parallel()
	p := newHasher(Hashing{}).fresh()
	assert.Equal(t, [3]uint32{19456, 2, 1}, [3]uint32{p.kib, p.passes, uint32(p.lanes)})
}

func TestNobodysPasswordCostsTheSameAndNeverMatches(t *testing.T) {
	t.Parallel()
	h := newHasher(Hashing{KiB: 8, Passes: 1})
	assert.Equal(t, []any{uint32(8), uint32(1), uint8(1), saltLength, keyLength},
		[]any{h.dummy.kib, h.dummy.passes, h.dummy.lanes, len(h.dummy.salt), len(h.dummy.key)})
	ok, err := h.matches(t.Context(), "", "correct horse battery")
	require.NoError(t, err)
	assert.False(t, ok)
}

func TestOtherParametersAreOutdated(t *testing.T) {
	t.Parallel()
	old, err := newHasher(Hashing{KiB: 8, Passes: 1}).hash(t.Context(), "correct horse")
	require.NoError(t, err)
	h := newHasher(Hashing{KiB: 16, Passes: 1})
	assert.True(t, h.outdated(old))
	ok, err := h.matches(t.Context(), old, "correct horse")
	require.NoError(t, err)
	assert.True(t, ok)
	fresh, err := h.hash(t.Context(), "correct horse")
	require.NoError(t, err)
	assert.False(t, h.outdated(fresh))
}

func TestOnlySoManyAreHashedAtOnce(t *testing.T) {
	t.Parallel()
	h := newHasher(Hashing{KiB: 8, Passes: 1, AtOnce: 2})
	h.turns <- struct{}{}
	h.turns <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := h.hash(ctx, "correct horse")
	require.ErrorIs(t, err, errBusy)
	assert.Equal(t, errs.Unavailable, errs.KindOf(err))
	<-h.turns
	_, err = h.hash(t.Context(), "correct horse")
	require.NoError(t, err)
	assert.Len(t, h.turns, 1)
}

func TestADamagedHashIsAnErrorAndTakesNoMemory(t *testing.T) {
	t.Parallel()
	for name, stored := range map[string]string{
		"another algorithm": "$2a$10$abcdefghijklmnopqrstuv",
		"another variant":   "$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$a2V5",
		"another version":   "$argon2id$v=16$m=8,t=1,p=1$c2FsdHNhbHQ$a2V5",
		"too much memory":   "$argon2id$v=19$m=4294967295,t=1,p=1$c2FsdHNhbHQ$a2V5",
		"no passes":         "$argon2id$v=19$m=8,t=0,p=1$c2FsdHNhbHQ$a2V5",
		"no salt":           "$argon2id$v=19$m=8,t=1,p=1$$a2V5",
		"no base64":         "$argon2id$v=19$m=8,t=1,p=1$!!!$a2V5",
		"something after":   "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$a2V5$",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newHasher(Hashing{KiB: 8, Passes: 1}).matches(t.Context(), stored, "x")
			require.Error(t, err)
			assert.NotContains(t, err.Error(), "a2V5", "what is stored is not told")
		})
	}
}

func FuzzParsePHC(f *testing.F) {
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2E$a2V5a2V5a2V5")
	f.Add("$argon2id$v=19$m=08,t=1,p=1$$")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parsePHC(s)
		if err != nil {
			return
		}
		if p.kib == 0 || p.kib > maxKiB || p.passes == 0 || p.passes > maxPasses || p.lanes == 0 || len(p.key) == 0 {
			t.Fatalf("%q became %+v", s, p)
		}
		if p.String() != s {
			t.Fatalf("%q is written %q", s, p)
		}
	})
}
