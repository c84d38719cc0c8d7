package views

import (
	"slices"
	"strings"
)

// Form is what the reader typed and what is wrong with it. Labels and help stand in the
// templates; names of fields are those of the request, so that the Fields of an errs.Error
// can be given to NewForm as they are.
type Form struct {
	ID     string            // prefix of the fields' ids; needed when a page has several forms
	Key    string            // idempotency key; kept while the same attempt is shown again
	Values map[string]string // by field
	Errors []FieldError      // in the order of the fields
	// Problem is what is wrong with the whole, if it is not one field's: "The e-mail address
	// or the password is not right."
	Problem string
}

// FieldError is what is wrong with one field, said so that it can stand by itself.
type FieldError struct{ Field, Text string }

// NewForm is a form with values and the errors of fields, which are put into the order given;
// fields that it does not name come last, by name.
func NewForm(values, errors map[string]string, order ...string) Form {
	f := Form{Values: values}
	for field, text := range errors {
		f.Errors = append(f.Errors, FieldError{Field: field, Text: text})
	}
	rank := func(field string) int {
		if i := slices.Index(order, field); i >= 0 {
			return i
		}
		return len(order)
	}
	slices.SortFunc(f.Errors, func(a, b FieldError) int {
		if d := rank(a.Field) - rank(b.Field); d != 0 {
			return d
		}
		return strings.Compare(a.Field, b.Field)
	})
	return f
}

// Value is what was typed into a field.
func (f Form) Value(field string) string { return f.Values[field] }

// Error is what is wrong with a field, or "".
func (f Form) Error(field string) string {
	for _, e := range f.Errors {
		if e.Field == field {
			return e.Text
		}
	}
	return ""
}

// Failed says whether there is anything to correct.
func (f Form) Failed() bool { return f.Problem != "" || len(f.Errors) > 0 }

// FieldID is the id of the element of a field.
func (f Form) FieldID(field string) string {
	prefix := f.ID
	if prefix == "" {
		prefix = "f"
	}
	return prefix + "-" + strings.NewReplacer(".", "-", "[", "-", "]", "").Replace(field)
}
