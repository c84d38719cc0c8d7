package actor_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"souk/internal/platform/actor"
	"souk/internal/platform/id"
)

const (
	ann    = id.Ref("per_01k5xk3v8dtq6c9m4j0e7r2a1b")
	seller = id.Ref("slr_01k5xk3v8dtq6c9m4j0e7r2a1b")
	other  = id.Ref("slr_01k5xk3v8dtq6c9m4j0e7r2a1c")
)

func TestOwner(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		who  actor.Actor
		want string
	}{
		"a person":                {who: actor.Actor{Kind: actor.KindPerson, Person: ann}, want: string(ann)},
		"an operator":             {who: actor.Actor{Kind: actor.KindOperator, Person: ann}, want: string(ann)},
		"a guest":                 {who: actor.Guest("abc"), want: "guest:abc"},
		"the system for someone":  {who: actor.System(ann), want: "system:" + string(ann)},
		"the system":              {who: actor.System(""), want: "system:"},
		"nobody":                  {who: actor.Nobody(), want: ""},
		"the zero value":          {want: ""},
		"a guest without a token": {who: actor.Guest(""), want: ""},
		"a kind not known":        {who: actor.Actor{Kind: "god", Person: ann}, want: ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, tt.who.Owner())
		})
	}
}

func TestWhatEachMayDo(t *testing.T) {
	t.Parallel()
	all := []actor.Scope{actor.ScopeRead, actor.ScopeShop, actor.ScopeSell, actor.ScopeOperate, actor.ScopeAccount}
	tests := map[string]struct {
		who                                actor.Actor
		signedIn, operator, sells, systems bool
	}{
		"nobody":                    {who: actor.Nobody()},
		"the zero value":            {},
		"a guest":                   {who: actor.Guest("abc")},
		"a guest with every scope":  {who: actor.Actor{Kind: actor.KindGuest, Guest: "abc", Seller: seller, Scopes: all}},
		"a person":                  {who: actor.Actor{Kind: actor.KindPerson, Person: ann, Scopes: all}, signedIn: true},
		"a person without id":       {who: actor.Actor{Kind: actor.KindPerson, Seller: seller, Scopes: all}},
		"staff of the seller":       {who: actor.Actor{Kind: actor.KindPerson, Person: ann, Seller: seller, Scopes: all}, signedIn: true, sells: true},
		"staff of another":          {who: actor.Actor{Kind: actor.KindPerson, Person: ann, Seller: other, Scopes: all}, signedIn: true},
		"staff with a read token":   {who: actor.Actor{Kind: actor.KindPerson, Person: ann, Seller: seller, Scopes: []actor.Scope{actor.ScopeRead}}, signedIn: true},
		"an operator":               {who: actor.Actor{Kind: actor.KindOperator, Person: ann, Scopes: all}, signedIn: true, operator: true},
		"an operator's shop token":  {who: actor.Actor{Kind: actor.KindOperator, Person: ann, Scopes: []actor.Scope{actor.ScopeShop}}, signedIn: true},
		"a person with that scope":  {who: actor.Actor{Kind: actor.KindPerson, Person: ann, Scopes: []actor.Scope{actor.ScopeOperate}}, signedIn: true},
		"the system":                {who: actor.System(ann), systems: true},
		"the system for the seller": {who: actor.Actor{Kind: actor.KindSystem, Seller: seller, Scopes: all}, systems: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.signedIn, tt.who.SignedIn(), "signed in")
			assert.Equal(t, tt.operator, tt.who.IsOperator(), "operator")
			assert.Equal(t, tt.sells, tt.who.Sells(seller), "sells")
			assert.Equal(t, tt.systems, tt.who.IsSystem(), "system")
			assert.False(t, tt.who.Sells(""), "nobody sells for no seller")
		})
	}
}

func TestAnActorCrossesAWireWhole(t *testing.T) {
	t.Parallel()
	who := actor.Actor{
		Kind: actor.KindPerson, Person: ann, Guest: "abc", Seller: seller,
		Scopes: []actor.Scope{actor.ScopeRead, actor.ScopeSell}, OnBehalfOf: ann,
	}
	data, err := json.Marshal(who)
	require.NoError(t, err)
	var read actor.Actor
	require.NoError(t, json.Unmarshal(data, &read))
	assert.Equal(t, who, read)
}
