// Package accountstest holds every implementation of accounts to its contract, and has one
// in memory for the tests of the modules that ask accounts.
//
//	accountstest.Run(t, func(t *testing.T, env accountstest.Env) accounts.Service { … })
//
//	fake := accountstest.NewFake(clock.Now)
//	buyer := fake.AddPerson(accounts.Person{Name: "Bea Buyer"})
//	by := fake.Actor(buyer.ID)
package accountstest
