package accountssvc_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/accounts"
	"souk/internal/accounts/accountstest"
	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/door"
	"souk/internal/platform/httpx"
)

var update = flag.Bool("update", false, "write the golden files anew")

// site is accounts on a real port.
type site struct {
	*world
	url  string
	logs *bytes.Buffer
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{world: newWorld(t), logs: &bytes.Buffer{}}
	log := zerolog.New(zerolog.SyncWriter(s.logs))
	server := httpx.New(httpx.Config{Log: log, Now: s.clock.Now, Resolver: s.Resolver()})
	s.Module().Routes(server.API(door.New("accounts", 0, log)))
	ts := httptest.NewServer(server.Handler())
	t.Cleanup(ts.Close)
	s.url = ts.URL + "/api/v1/accounts/"
	return s
}

type answer struct {
	status  int
	header  http.Header
	body    string
	session string // the cookie it set
}

// do sends a request; headers come in pairs, and the key is fresh unless one is among them.
func (s *site) do(method, path, body string, headers ...string) answer {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), method, s.url+path, strings.NewReader(body))
	require.NoError(s, err)
	r.Header.Set("Idempotency-Key", accountstest.Key())
	r.Header.Set("User-Agent", "Lynx")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(s, err)
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	require.NoError(s, err)
	a := answer{status: res.StatusCode, header: res.Header, body: string(data)}
	for _, c := range res.Cookies() {
		if c.Name == httpx.SessionCookie {
			a.session = c.Value
			assert.True(s, c.HttpOnly)
			assert.Equal(s, http.SameSiteLaxMode, c.SameSite)
		}
	}
	return a
}

func cookie(session string) string { return httpx.SessionCookie + "=" + session }

func (a answer) field(t *testing.T, path ...string) any {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal([]byte(a.body), &v), a.body)
	for _, name := range path {
		m, ok := v.(map[string]any)
		require.True(t, ok, "%s in %s", name, a.body)
		v = m[name]
	}
	return v
}

const bea = `{"email":"bea@people.example","name":"Bea Buyer","password":"correct horse battery"}`

var changing = regexp.MustCompile(`((?:per|ses|tok|adr|sel)_)[0-9a-z]{26}|(souk_)[\w-]{43}|("(?:request_id|hint)": ")[^"]*`)

// golden compares what clients see, but for what differs each time.
func (a answer) golden(t *testing.T, name string) {
	t.Helper()
	var indented bytes.Buffer
	require.NoError(t, json.Indent(&indented, []byte(a.body), "", "  "), a.body)
	got := changing.ReplaceAllString(strings.TrimSpace(indented.String()), "${1}${2}${3}…") + "\n"
	path := filepath.Join("testdata", name+".json")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

func TestABrowserRegistersSignsInAndOut(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	registered := s.do("POST", "register", bea, "Idempotency-Key", "key-of-registering")
	require.Equal(t, http.StatusCreated, registered.status, registered.body)
	registered.golden(t, "register")
	again := s.do("POST", "register", bea, "Idempotency-Key", "key-of-registering")
	assert.Equal(t, registered.body, again.body)
	assert.Equal(t, registered.session, again.session)

	me := s.do("GET", "me", "", "Cookie", cookie(registered.session))
	require.Equal(t, http.StatusOK, me.status)
	me.golden(t, "me")
	same := s.do("GET", "me", "", "Cookie", cookie(registered.session), "If-None-Match", me.header.Get("ETag"))
	assert.Equal(t, http.StatusNotModified, same.status)

	s.clock.Advance(time.Second)
	in := s.do("POST", "sign-in", `{"email":"BEA@people.example","password":"correct horse battery"}`)
	require.Equal(t, http.StatusOK, in.status, in.body)
	sessions := s.do("GET", "sessions", "", "Cookie", cookie(in.session))
	sessions.golden(t, "sessions")
	others := s.do("DELETE", "sessions", "", "Cookie", cookie(in.session))
	assert.EqualValues(t, 1, others.field(t, "ended"))
	assert.Equal(t, http.StatusUnauthorized, s.do("GET", "me", "", "Cookie", cookie(registered.session)).status)

	out := s.do("POST", "sign-out", "", "Cookie", cookie(in.session))
	assert.Equal(t, http.StatusNoContent, out.status, out.body)
	assert.Contains(t, out.header.Get("Set-Cookie"), "Max-Age=0")
	assert.Equal(t, http.StatusUnauthorized, s.do("GET", "me", "", "Cookie", cookie(in.session)).status)
	for _, secret := range []string{in.session, registered.session, "correct horse", "bea@people", "Lynx", "127.0.0.1"} {
		assert.NotContains(t, s.logs.String(), secret, "what is personal or secret is not logged")
	}
}

func TestAWrongPasswordAndWhatIsMissing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.do("POST", "register", bea)
	wrong := s.do("POST", "sign-in", `{"email":"bea@people.example","password":"wrong password"}`)
	assert.Equal(t, http.StatusUnauthorized, wrong.status)
	wrong.golden(t, "wrong-password")
	assert.Empty(t, wrong.session)
	bad := s.do("POST", "register", `{"email":"bea","name":"B","password":"bea bea bea"}`)
	assert.Equal(t, http.StatusBadRequest, bad.status)
	bad.golden(t, "bad-address")
	taken := s.do("POST", "register", bea)
	assert.Equal(t, http.StatusConflict, taken.status)
	for range 5 {
		wrong = s.do("POST", "sign-in", `{"email":"bea@people.example","password":"wrong password"}`)
	}
	assert.Equal(t, http.StatusTooManyRequests, wrong.status)
	assert.Equal(t, "accounts.too_many_tries", wrong.field(t, "code"))
	assert.Equal(t, wrong.field(t, "fields", "retry_after"), wrong.header.Get("Retry-After"))
}

func TestATokenActsForItsMaker(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	session := cookie(s.do("POST", "register", bea).session)
	made := s.do("POST", "tokens", `{"name":"Reader","scopes":["read"]}`, "Cookie", session, "Idempotency-Key", "key-of-the-token")
	require.Equal(t, http.StatusCreated, made.status, made.body)
	made.golden(t, "token")
	again := s.do("POST", "tokens", `{"name":"Reader","scopes":["read"]}`, "Cookie", session, "Idempotency-Key", "key-of-the-token")
	assert.Equal(t, made.body, again.body)
	bearer := "Bearer " + made.field(t, "secret").(string)

	me := s.do("GET", "me", "", "Authorization", bearer)
	require.Equal(t, http.StatusOK, me.status)
	assert.Equal(t, []any{"read"}, me.field(t, "scopes"))
	for _, denied := range [][3]string{
		{"PUT", "me", `{"version":1,"name":"X"}`},
		{"POST", "tokens", `{"name":"More","scopes":["read"]}`},
		{"POST", "sign-out", ""},
		{"DELETE", "sessions", ""},
		{"POST", "sessions/rotate", ""},
		{"PUT", "password", `{"old":"correct horse battery","new":"another password"}`},
	} {
		assert.Equal(t, http.StatusForbidden, s.do(denied[0], denied[1], denied[2], "Authorization", bearer).status, denied)
	}
	revoked := s.do("DELETE", "tokens/"+made.field(t, "token", "id").(string), "", "Cookie", session)
	assert.Equal(t, http.StatusOK, revoked.status)
	assert.Equal(t, http.StatusUnauthorized, s.do("GET", "me", "", "Authorization", bearer).status)
	assert.Len(t, s.do("GET", "tokens", "", "Cookie", session).field(t, "tokens"), 1)
}

func TestASessionIsRotated(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	old := s.do("POST", "register", bea).session
	turned := s.do("POST", "sessions/rotate", "", "Cookie", cookie(old), "Idempotency-Key", "key-of-rotating")
	require.Equal(t, http.StatusOK, turned.status, turned.body)
	assert.NotEqual(t, old, turned.session)
	again := s.do("POST", "sessions/rotate", "", "Cookie", cookie(old), "Idempotency-Key", "key-of-rotating")
	assert.Equal(t, turned.session, again.session)
	s.clock.Advance(time.Minute)
	assert.Equal(t, http.StatusUnauthorized, s.do("GET", "me", "", "Cookie", cookie(old)).status)
	assert.Equal(t, http.StatusOK, s.do("GET", "me", "", "Cookie", cookie(turned.session)).status)
}

func TestAnAddressBookOverHTTP(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	session := cookie(s.do("POST", "register", bea).session)
	home := `{"label":"Home","postal":{"name":"Bea","line1":"Lindenweg 3","city":"Berlin","country":"DE"}}`
	made := s.do("POST", "addresses", home, "Cookie", session)
	require.Equal(t, http.StatusCreated, made.status, made.body)
	s.do("GET", "addresses", "", "Cookie", session).golden(t, "addresses")
	path := "addresses/" + made.field(t, "id").(string)
	moved := s.do("PUT", path, strings.Replace(home, "Berlin", "Hamburg", 1), "Cookie", session)
	assert.Equal(t, "Hamburg", moved.field(t, "postal", "city"))
	ann := cookie(s.do("POST", "register", strings.Replace(bea, "bea@", "ann@", 1)).session)
	assert.Equal(t, http.StatusNotFound, s.do("PUT", path, home, "Cookie", ann).status)
	assert.Equal(t, http.StatusNotFound, s.do("DELETE", path, "", "Cookie", ann).status)
	assert.Equal(t, http.StatusOK, s.do("DELETE", path, "", "Cookie", session).status)
	assert.Equal(t, http.StatusBadRequest, s.do("POST", "addresses", `{"postal":{"name":"Bea","line1":"x","city":"y","country":"de"}}`, "Cookie", session).status)
}

func TestStaffAndOperatorsOverHTTP(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	seller, second := catalog.SellerIDs.New(), catalog.SellerIDs.New()
	owner := s.do("POST", "register", strings.Replace(bea, "bea@", "own@", 1))
	clerk := s.do("POST", "register", bea)
	grant := func(a answer, role accounts.Role) {
		_, err := s.GrantRole(t.Context(), accounts.GrantRoleRequest{
			By: actor.System(""), Key: accountstest.Key(), Role: role, Person: accounts.PersonID(a.field(t, "person", "id").(string)),
		})
		require.NoError(t, err)
	}
	grant(owner, accounts.Role{Kind: accounts.RoleOwner, Seller: seller})
	s.clock.Advance(time.Millisecond)
	grant(owner, accounts.Role{Kind: accounts.RoleOwner, Seller: second})

	staff := "sellers/" + string(seller) + "/staff"
	assert.Equal(t, http.StatusNotFound, s.do("GET", staff, "", "Cookie", cookie(clerk.session)).status)
	hired := s.do("POST", staff, `{"email":"bea@people.example","role":"staff"}`, "Cookie", cookie(owner.session))
	require.Equal(t, http.StatusOK, hired.status, hired.body)
	assert.Len(t, s.do("GET", staff, "", "Cookie", cookie(clerk.session)).field(t, "people"), 2)
	other := s.do("GET", "me", "", "Cookie", cookie(owner.session), httpx.SellerHeader, string(second))
	assert.Equal(t, string(second), other.field(t, "seller"))
	fired := s.do("DELETE", staff+"/"+hired.field(t, "id").(string), "", "Cookie", cookie(owner.session))
	assert.Equal(t, http.StatusOK, fired.status, fired.body)
	assert.Equal(t, http.StatusNotFound, s.do("GET", staff, "", "Cookie", cookie(clerk.session)).status)

	assert.Equal(t, http.StatusForbidden, s.do("GET", "people", "", "Cookie", cookie(owner.session)).status)
	grant(owner, accounts.Role{Kind: accounts.RoleOperator})
	found := s.do("GET", "people?text=be", "", "Cookie", cookie(owner.session))
	found.golden(t, "people")
	person := "people/" + clerk.field(t, "person", "id").(string)
	assert.Equal(t, http.StatusOK, s.do("GET", person, "", "Cookie", cookie(owner.session)).status)
	assert.Equal(t, http.StatusNotFound, s.do("GET", "people/"+string(accounts.PersonIDs.New()), "", "Cookie", cookie(owner.session)).status)
	assert.Equal(t, http.StatusOK, s.do("POST", person+"/operator", "", "Cookie", cookie(owner.session)).status)
	assert.Equal(t, http.StatusOK, s.do("DELETE", person+"/operator", "", "Cookie", cookie(owner.session)).status)
}

func TestAnUnknownTokenIsRefusedAndAnUnknownCookieIsNobodys(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	token := s.do("POST", "sign-in", `{"email":"bea@people.example","password":"x"}`, "Authorization", "Bearer souk_nothing")
	assert.Equal(t, "souk.unauthenticated", token.field(t, "code"))
	signIn := s.do("POST", "sign-in", `{"email":"bea@people.example","password":"x"}`, "Cookie", cookie("nothing"))
	assert.Equal(t, "accounts.credentials", signIn.field(t, "code"))
}
