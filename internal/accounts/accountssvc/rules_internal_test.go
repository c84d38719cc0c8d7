package accountssvc

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"souk/internal/accounts"
	"souk/internal/catalog"
	"souk/internal/platform/actor"
	"souk/internal/platform/clock"
	"souk/internal/platform/id"
)

func TestWaitsDoubleUpToAQuarterOfAnHour(t *testing.T) {
	t.Parallel()
	for failed, want := range map[int]time.Duration{
		0: 0, 4: 0, 5: time.Second, 6: 2 * time.Second, 10: 32 * time.Second, 14: 512 * time.Second, 15: longestWait, 1_000_000: longestWait,
	} {
		assert.Equal(t, want, waitAfter(failed, 5), failed)
	}
}

// However somebody spreads the tries, no more are let through in a day than the free ones and
// what waits of a quarter of an hour allow.
func TestTriesAreFewHoweverTheyAreSpread(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := accountSubject("bea@people.example")
		var row triesRow
		now := clock.Time(1_700_000_000_000)
		end := now.Add(24 * time.Hour)
		through := 0
		for i := 0; i < 2000 && now.Before(end); i++ {
			next, wait := row.counted(s, now)
			if wait == 0 {
				through++
			} else {
				assert.LessOrEqual(t, wait, longestWait)
			}
			row = next
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(20*time.Minute)).Draw(t, "pause")))
		}
		assert.LessOrEqual(t, through, freeTriesAccount+10+24*4+1)
	})
}

func TestADayWithoutATryForgetsAll(t *testing.T) {
	t.Parallel()
	s := accountSubject("bea@people.example")
	row, _ := triesRow{Failed: 50, LastAt: 1, Until: 2}.counted(s, clock.Time(1).Add(triesForgotten))
	assert.Equal(t, 1, row.Failed)
	row, _ = triesRow{Failed: 50, LastAt: 1, Until: 2}.counted(s, clock.Time(1).Add(triesForgotten-time.Second))
	assert.Equal(t, 51, row.Failed)
}

// Whatever is done to an address book, it keeps to its limit and has exactly one default
// while there is anything in it.
func TestABookAlwaysHasOneDefault(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var b book
		var ids []accounts.AddressID
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			var next book
			var err error
			before := b.list()
			a := accounts.Address{ID: accounts.AddressIDs.New(), Default: rapid.Bool().Draw(t, "default")}
			if len(ids) > 0 && rapid.Bool().Draw(t, "known") {
				a.ID = rapid.SampledFrom(ids).Draw(t, "id")
			}
			if rapid.IntRange(0, 3).Draw(t, "what") == 0 {
				next, err = b.remove(a.ID)
			} else {
				next, err = b.put(a)
				ids = append(ids, a.ID)
			}
			assert.Equal(t, before, b.list(), "the book that was is not touched")
			if err != nil {
				continue
			}
			b = next
			list := b.list()
			if len(list) > accounts.MaxAddresses {
				t.Fatalf("%d entries", len(list))
			}
			for i, e := range list {
				if e.Default != (i == 0) {
					t.Fatalf("entry %d of %d: default is %v", i, len(list), e.Default)
				}
			}
		}
	})
}

func TestWhoAPersonIs(t *testing.T) {
	t.Parallel()
	one, two := catalog.SellerIDs.New(), catalog.SellerIDs.New()
	staff := []accounts.Role{{Kind: accounts.RoleStaff, Seller: one}, {Kind: accounts.RoleOwner, Seller: two}}
	everything := append([]accounts.Role{operatorRole}, staff...)
	tests := map[string]struct {
		roles  []accounts.Role
		seller catalog.SellerID
		scopes []actor.Scope
		want   actor.Actor
	}{
		"a buyer": {want: actor.Actor{Kind: actor.KindPerson, Scopes: []actor.Scope{actor.ScopeRead, actor.ScopeShop, actor.ScopeAccount}}},
		"staff, of the first": {roles: staff, want: actor.Actor{
			Kind: actor.KindPerson, Seller: id.RefOf(one), Scopes: []actor.Scope{actor.ScopeRead, actor.ScopeShop, actor.ScopeAccount, actor.ScopeSell},
		}},
		"staff, of the one asked for": {roles: staff, seller: two, scopes: []actor.Scope{actor.ScopeSell}, want: actor.Actor{
			Kind: actor.KindPerson, Seller: id.RefOf(two), Scopes: []actor.Scope{actor.ScopeSell},
		}},
		"asking for another's seller": {roles: staff, seller: catalog.SellerIDs.New(), scopes: []actor.Scope{}, want: actor.Actor{
			Kind: actor.KindPerson, Seller: id.RefOf(one), Scopes: []actor.Scope{},
		}},
		"an operator's token never changes the account": {
			roles: everything, seller: one, scopes: []actor.Scope{actor.ScopeOperate, actor.ScopeAccount},
			want: actor.Actor{Kind: actor.KindOperator, Seller: id.RefOf(one), Scopes: []actor.Scope{actor.ScopeOperate}},
		},
		"a token has no more than its person": {scopes: []actor.Scope{actor.ScopeRead, actor.ScopeOperate, actor.ScopeSell}, want: actor.Actor{
			Kind: actor.KindPerson, Scopes: []actor.Scope{actor.ScopeRead},
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.want.Person = "per_x"
			assert.Equal(t, tt.want, actorOf("per_x", tt.roles, tt.seller, tt.scopes))
		})
	}
}

func TestDerivedSecretsDependOnEverything(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, s := range []string{
		derive([]byte("k"), "a", "b"), derive([]byte("k"), "ab", ""), derive([]byte("k"), "a", "b", ""),
		derive([]byte("l"), "a", "b"), derive([]byte("k"), "b", "a"),
	} {
		assert.Len(t, s, 43)
		assert.False(t, seen[s])
		seen[s] = true
	}
	assert.True(t, seen[derive([]byte("k"), "a", "b")])
}
