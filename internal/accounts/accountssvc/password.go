package accountssvc

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"souk/internal/platform/errs"
)

// Hashing is how passwords are hashed. The zero value is OWASP's first choice: argon2id with
// 19 MiB, two passes, one lane.
type Hashing struct {
	KiB    uint32 // memory of one hash; default 19456
	Passes uint32 // default 2
	Lanes  uint8  // default 1
	AtOnce int    // hashes computed at the same time; default 4
}

func (h Hashing) withDefaults() Hashing {
	if h.KiB == 0 {
		h.KiB = 19 * 1024
	}
	if h.Passes == 0 {
		h.Passes = 2
	}
	if h.Lanes == 0 {
		h.Lanes = 1
	}
	if h.AtOnce <= 0 {
		h.AtOnce = 4
	}
	return h
}

// Lengths in bytes, and bounds of what a stored hash may ask for: a damaged row must not
// take the machine's memory.
const (
	saltLength  = 16
	keyLength   = 32
	maxKiB      = 1 << 20
	maxPasses   = 64
	maxPHCField = 64
)

// phc is a hashed password with all that is needed to compute it again.
type phc struct {
	kib, passes uint32
	lanes       uint8
	salt, key   []byte
}

// String is the PHC string format: $argon2id$v=19$m=19456,t=2,p=1$salt$key.
func (p phc) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, p.kib, p.passes, p.lanes, b64.EncodeToString(p.salt), b64.EncodeToString(p.key))
}

// parsePHC reads what String writes.
func parsePHC(s string) (phc, error) {
	bad := func(what string) (phc, error) { return phc{}, fmt.Errorf("a stored password has %s", what) }
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return bad("another form than argon2id's")
	}
	if parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return bad("another version of argon2")
	}
	var p phc
	numbers := strings.Split(parts[3], ",")
	if len(numbers) != 3 {
		return bad("other parameters")
	}
	for i, target := range []struct {
		name string
		most uint64
		set  func(uint64)
	}{
		{"m=", maxKiB, func(n uint64) { p.kib = uint32(n) }},       //nolint:gosec // bounded above
		{"t=", maxPasses, func(n uint64) { p.passes = uint32(n) }}, //nolint:gosec // bounded above
		{"p=", 255, func(n uint64) { p.lanes = uint8(n) }},         //nolint:gosec // bounded above
	} {
		digits, ok := strings.CutPrefix(numbers[i], target.name)
		n, err := strconv.ParseUint(digits, 10, 32)
		if !ok || err != nil || n == 0 || n > target.most || strconv.FormatUint(n, 10) != digits {
			return bad("parameters out of bounds")
		}
		target.set(n)
	}
	var err error
	if p.salt, err = decodeField(parts[4]); err != nil {
		return bad("a salt that cannot be read")
	}
	if p.key, err = decodeField(parts[5]); err != nil {
		return bad("a key that cannot be read")
	}
	return p, nil
}

func decodeField(s string) ([]byte, error) {
	if s == "" || len(s) > 2*maxPHCField {
		return nil, fmt.Errorf("%d characters", len(s))
	}
	if strings.ContainsAny(s, "\r\n") { // which the decoder would pass over
		return nil, errors.New("a line break")
	}
	return base64.RawStdEncoding.Strict().DecodeString(s)
}

// hasher hashes passwords, only so many at once.
type hasher struct {
	how   Hashing
	turns chan struct{}
	dummy phc // for addresses that nobody has: it costs the same and nothing matches
}

func newHasher(how Hashing) *hasher {
	how = how.withDefaults()
	h := &hasher{how: how, turns: make(chan struct{}, how.AtOnce)}
	h.dummy = h.fresh()
	h.dummy.key = random(keyLength)
	return h
}

// fresh has today's parameters and a salt of its own.
func (h *hasher) fresh() phc {
	return phc{kib: h.how.KiB, passes: h.how.Passes, lanes: h.how.Lanes, salt: random(saltLength)}
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program instead
	return b
}

// hash is a password's PHC string.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	p := h.fresh()
	var err error
	p.key, err = h.compute(ctx, p, password, keyLength)
	if err != nil {
		return "", err
	}
	return p.String(), nil
}

// matches says whether stored is of this password. "" is of none, and takes as long to say.
func (h *hasher) matches(ctx context.Context, stored, password string) (bool, error) {
	p := h.dummy
	if stored != "" {
		var err error
		if p, err = parsePHC(stored); err != nil {
			return false, err
		}
	}
	key, err := h.compute(ctx, p, password, uint32(len(p.key))) //nolint:gosec // bounded by parsePHC
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(key, p.key) == 1 && stored != "", nil
}

// outdated says whether stored was made with other parameters than today's.
func (h *hasher) outdated(stored string) bool {
	p, err := parsePHC(stored)
	return err == nil && (p.kib != h.how.KiB || p.passes != h.how.Passes || p.lanes != h.how.Lanes || len(p.key) != keyLength)
}

// compute waits for a turn, and hashes. Passwords are compared in Unicode's composed form,
// since keyboards differ in how they write the same letter.
func (h *hasher) compute(ctx context.Context, p phc, password string, length uint32) ([]byte, error) {
	select {
	case h.turns <- struct{}{}:
		defer func() { <-h.turns }()
	case <-ctx.Done():
		return nil, errBusy.Because(ctx.Err())
	}
	return argon2.IDKey([]byte(norm.NFC.String(password)), p.salt, p.passes, p.kib, p.lanes, length), nil
}

// errBusy says that too many want to sign in: nothing has been done.
var errBusy = errs.Refusal(errs.Unavailable, "accounts.busy").With("many people are signing in just now; try again in a moment")
