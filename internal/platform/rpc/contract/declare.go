package contract

import (
	"bytes"
	"go/ast"
	"go/constant"
	"go/printer"
	"go/token"
	"go/types"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"souk/internal/platform/errs"
)

var (
	idPrefix  = regexp.MustCompile(`^[a-z]{2,8}_$`)
	codeShape = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	factShape = regexp.MustCompile(`^[a-z][a-z0-9_]*\.v[1-9][0-9]*$`)
)

// declarations reads events, refusals and id makers, and refuses other variables.
func (l *loader) declarations() {
	codes, prefixes, facts := map[string]string{}, map[string]string{}, map[string]string{}
	for _, file := range l.pkg.Syntax {
		for _, decl := range file.Decls {
			d, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.ValueSpec:
					if d.Tok == token.VAR {
						l.variables(s, codes, prefixes)
					}
				case *ast.TypeSpec:
					l.event(s, facts)
				}
			}
		}
	}
}

// variables checks one var declaration: what is exported and can be assigned to is a trap.
func (l *loader) variables(s *ast.ValueSpec, codes, prefixes map[string]string) {
	for i, name := range s.Names {
		o := l.pkg.TypesInfo.Defs[name]
		if o == nil {
			continue // _
		}
		var value ast.Expr
		if i < len(s.Values) {
			value = s.Values[i]
		}
		switch {
		case isType(o.Type(), platform+"errs", "Error") || name.IsExported() && isError(o.Type()):
			l.refusal(name, value, codes)
		case isType(o.Type(), platform+"id", "Maker"):
			l.maker(name, value, prefixes)
		case name.IsExported():
			l.refuse(name.Pos(), "%s is a variable that anyone can change: make it a constant, or a function that returns it; only refusals and id makers are variables in a contract", name.Name)
		}
	}
}

func isType(t types.Type, path, name string) bool {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == path && named.Obj().Name() == name
}

// refusal checks var ErrX = errs.Refusal(errs.Kind, "module.code").
func (l *loader) refusal(name *ast.Ident, value ast.Expr, codes map[string]string) {
	const form = "declare it as var %s = errs.Refusal(errs.Conflict, \"%s.what\")"
	if file := filepath.Base(l.fset.Position(name.Pos()).Filename); file != "errors.go" {
		l.refuse(name.Pos(), "%s is declared in %s: refusals stand together in errors.go, where callers look for them", name.Name, file)
	}
	if !strings.HasPrefix(name.Name, "Err") {
		l.refuse(name.Pos(), "%s is a refusal: begin its name with Err", name.Name)
	}
	call, ok := value.(*ast.CallExpr)
	if !ok || len(call.Args) != 2 || !l.isRefusalCall(call.Fun) {
		l.refuse(name.Pos(), "%s has no kind and code of its own, so it would not be recognised after a wire: "+form, name.Name, name.Name, l.pkg.Name)
		return
	}
	kind, code := l.text(call.Args[0]), l.text(call.Args[1])
	prefix, what, _ := strings.Cut(code, ".")
	switch {
	case kind == "" || code == "":
		l.refuse(name.Pos(), "%s has a kind or code that is worked out at run time: "+form, name.Name, name.Name, l.pkg.Name)
		return
	case !slices.Contains(errs.Kinds, errs.Kind(kind)):
		l.refuse(name.Pos(), "%s has the kind %q, which there is not: choose one of errs.Kinds", name.Name, kind)
	case errs.Kind(kind) == errs.Unknown || errs.Kind(kind) == errs.Internal:
		l.refuse(name.Pos(), "%s has the kind %s, which is no answer but the lack of one: declare what was refused, or let the error through as it is", name.Name, kind)
	case prefix != l.pkg.Name || !codeShape.MatchString(what):
		l.refuse(name.Pos(), "%s has the code %q: a code of this module begins with \"%s.\" and goes on in lower case with underscores", name.Name, code, l.pkg.Name)
	}
	if other, twice := codes[code]; twice {
		l.refuse(name.Pos(), "%s has the code %q, as has %s: callers could not tell them apart; give each its own", name.Name, code, other)
		return
	}
	codes[code] = name.Name
	l.contract.Codes = append(l.contract.Codes, Code{Code: code, Kind: kind})
}

func (l *loader) isRefusalCall(fun ast.Expr) bool {
	sel, ok := fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	f, ok := l.pkg.TypesInfo.Uses[sel.Sel].(*types.Func)
	return ok && f.FullName() == platform+"errs.Refusal"
}

// text is the value of a constant string expression, "" for anything else.
func (l *loader) text(e ast.Expr) string {
	tv := l.pkg.TypesInfo.Types[e]
	if tv.Value == nil || tv.Value.Kind() != constant.String {
		return ""
	}
	return constant.StringVal(tv.Value)
}

// maker checks var IDs = id.Maker[T]{Prefix: "ord_"}.
func (l *loader) maker(name *ast.Ident, value ast.Expr, prefixes map[string]string) {
	prefix := ""
	if lit, ok := value.(*ast.CompositeLit); ok && len(lit.Elts) == 1 {
		if kv, ok := lit.Elts[0].(*ast.KeyValueExpr); ok {
			prefix = l.text(kv.Value)
		}
	}
	if !idPrefix.MatchString(prefix) {
		l.refuse(name.Pos(), "%s has no prefix of two to eight small letters and an underscore: write id.Maker[T]{Prefix: \"ord_\"}", name.Name)
		return
	}
	if other, twice := prefixes[prefix]; twice {
		l.refuse(name.Pos(), "%s makes ids that begin with %q, as does %s: give each kind of thing its own", name.Name, prefix, other)
	}
	prefixes[prefix] = name.Name
}

// event notes a type that has EventName and EventKey.
func (l *loader) event(s *ast.TypeSpec, facts map[string]string) {
	o, ok := l.pkg.TypesInfo.Defs[s.Name].(*types.TypeName)
	if !ok || o.IsAlias() {
		return
	}
	if _, iface := o.Type().Underlying().(*types.Interface); iface {
		return
	}
	naming, keying := l.methodDecl(s.Name.Name, "EventName"), l.methodDecl(s.Name.Name, "EventKey")
	if naming == nil && keying == nil {
		return
	}
	event := s.Name.Name
	if naming == nil || keying == nil {
		l.refuse(s.Pos(), "%s has only one of EventName and EventKey: an event has both, func (%s) EventName() string and func (e %s) EventKey() string", event, event, event)
		return
	}
	named, _ := types.Unalias(o.Type()).(*types.Named)
	if _, isStruct := o.Type().Underlying().(*types.Struct); !isStruct || named == nil {
		l.refuse(s.Pos(), "event %s is not a struct: make it one, so that fields can be added later", event)
		return
	}
	for _, f := range []*ast.FuncDecl{naming, keying} {
		if _, pointer := f.Recv.List[0].Type.(*ast.StarExpr); pointer {
			l.refuse(f.Pos(), "%s of %s has a pointer receiver, so the event as published would not have it: make it (%s)", f.Name.Name, event, event)
		}
	}
	name := ""
	if e := returned(naming); e != nil {
		name = l.text(e)
	}
	what, ok := strings.CutPrefix(name, l.pkg.Name+".")
	if !ok || !factShape.MatchString(what) {
		l.refuse(naming.Pos(), "EventName of %s is %q: return a constant of the form \"%s.what_happened.v1\"", event, name, l.pkg.Name)
		return
	}
	if other, twice := facts[name]; twice {
		l.refuse(naming.Pos(), "%s has the name %q, as has %s: give each its own", event, name, other)
	}
	facts[name] = event
	noted := Event{Name: name, Type: l.typ(named, s.Pos(), "event "+event), Key: l.key(keying)}
	l.contract.Events = append(l.contract.Events, noted)
	l.noPersonal(s, noted)
}

func (l *loader) methodDecl(typeName, method string) *ast.FuncDecl {
	for _, file := range l.pkg.Syntax {
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Recv == nil || f.Name.Name != method || len(f.Recv.List) != 1 {
				continue
			}
			recv := f.Recv.List[0].Type
			if star, ok := recv.(*ast.StarExpr); ok {
				recv = star.X
			}
			if ident, ok := recv.(*ast.Ident); ok && ident.Name == typeName {
				return f
			}
		}
	}
	return nil
}

// returned is the expression that a one-line function returns, nil for a longer one.
func returned(f *ast.FuncDecl) ast.Expr {
	if f.Body == nil || len(f.Body.List) != 1 {
		return nil
	}
	ret, ok := f.Body.List[0].(*ast.ReturnStmt)
	if !ok || len(ret.Results) != 1 {
		return nil
	}
	return ret.Results[0]
}

// key is the expression that gives an event's key, as it is written.
func (l *loader) key(f *ast.FuncDecl) string {
	e := returned(f)
	if e == nil {
		l.refuse(f.Pos(), "EventKey is worked out over several lines: return one expression, since the key is part of the contract (order holds per key)")
		return "?"
	}
	var text bytes.Buffer
	if err := printer.Fprint(&text, token.NewFileSet(), e); err != nil {
		return "?"
	}
	return strings.Join(strings.Fields(text.String()), " ")
}

// noPersonal refuses an event that reaches personal data.
func (l *loader) noPersonal(s *ast.TypeSpec, e Event) {
	l.contract.sort()
	if path := l.contract.personal(e.Type, e.Type, map[string]bool{}); path != "" {
		l.refuse(s.Pos(), "event %s holds personal data in %s: events are kept for ever and read by anyone; publish the id, and let who needs it ask", s.Name.Name, path)
	}
}

// personal is the path to the first pii field that a type reaches, "" if there is none.
func (c *Contract) personal(expr, path string, seen map[string]bool) string {
	name := base(expr)
	t, ok := c.Type(name)
	if !ok || seen[name] {
		return ""
	}
	seen[name] = true
	if t.Kind == Scalar {
		return c.personal(t.Wire, path, seen)
	}
	for _, f := range t.Fields {
		at := path + "." + f.Name
		if f.PII {
			return at
		}
		if found := c.personal(f.Type, at, seen); found != "" {
			return found
		}
	}
	return ""
}

// base is the named type inside an expression: Line in "[]*Line".
func base(expr string) string {
	for {
		cut := strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(expr, "[]"), "*"), "map[string]")
		if cut == expr {
			return expr
		}
		expr = cut
	}
}
