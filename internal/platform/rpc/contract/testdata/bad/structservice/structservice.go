// Package structservice has behaviour in place of a contract.
package structservice

type Service struct{} // want "is not an interface"
