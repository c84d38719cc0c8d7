package contract

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// service reads the interface that others ask.
func (l *loader) service() {
	top := token.NoPos
	if len(l.pkg.Syntax) > 0 {
		top = l.pkg.Syntax[0].Name.Pos()
	}
	o, _ := l.pkg.Types.Scope().Lookup("Service").(*types.TypeName)
	if o == nil {
		l.refuse(top, "package %s has no type Service: declare the interface that other modules may ask", l.pkg.Name)
		return
	}
	iface, ok := o.Type().Underlying().(*types.Interface)
	if !ok || o.IsAlias() {
		l.refuse(o.Pos(), "Service is not an interface: the contract holds no behaviour; the module itself belongs in %ssvc", l.pkg.Name)
		return
	}
	if iface.NumEmbeddeds() > 0 {
		l.refuse(o.Pos(), "Service embeds another interface: write its methods out, so that the contract can be read in one place")
	}
	docs := l.methodDocs()
	for i := range iface.NumExplicitMethods() {
		l.method(iface.ExplicitMethod(i), docs)
	}
}

// methodDocs are the comments of Service's methods.
func (l *loader) methodDocs() map[string]*ast.CommentGroup {
	docs := map[string]*ast.CommentGroup{}
	for _, file := range l.pkg.Syntax {
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok || spec.Name.Name != "Service" {
				return true
			}
			if iface, ok := spec.Type.(*ast.InterfaceType); ok {
				for _, m := range iface.Methods.List {
					for _, name := range m.Names {
						docs[name.Name] = m.Doc
					}
				}
			}
			return false
		})
	}
	return docs
}

const shape = "write it as %s(ctx context.Context, r %sRequest) (%sReply, error)"

// method checks one method's shape and notes it.
func (l *loader) method(m *types.Func, docs map[string]*ast.CommentGroup) {
	name := m.Name()
	if !m.Exported() {
		l.refuse(m.Pos(), "method %s is not exported, so no other package can implement Service: export it, or take it out", name)
		return
	}
	sig := m.Signature()
	in, out := sig.Params(), sig.Results()
	if sig.Variadic() || in.Len() != 2 || out.Len() != 2 || !isContext(in.At(0).Type()) || !isError(out.At(1).Type()) {
		l.refuse(m.Pos(), "method %s has another shape than all others: "+shape, name, name, name, name)
		return
	}
	request, reply := l.message(m, in.At(1), "request"), l.message(m, out.At(0), "reply")
	if request == nil || reply == nil {
		return
	}
	noted := Method{
		Name: name, Command: true,
		Request: l.typ(request, in.At(1).Pos(), "the request of "+name),
		Reply:   l.typ(reply, m.Pos(), "the reply of "+name),
		request: inGo(request), reply: inGo(reply),
	}
	for _, d := range directivesIn(docs[name]) {
		if d.word == "read" {
			noted.Command = false
		}
	}
	if noted.Command && !hasKey(request) {
		l.refuse(m.Pos(), "%s is a command, and its request %s has no field Key: add Key string `json:\"key\"`, by which it can be repeated, or //rpc:read to the method's comment when it changes nothing", name, noted.Request)
	}
	l.contract.Methods = append(l.contract.Methods, noted)
}

// message is the struct type that a method takes or gives, nil when it is none.
func (l *loader) message(m *types.Func, v *types.Var, role string) *types.Named {
	named, ok := types.Unalias(v.Type()).(*types.Named)
	if ok {
		if _, isStruct := named.Underlying().(*types.Struct); isStruct {
			return named
		}
	}
	l.refuse(m.Pos(), "the %s of %s is %s and not a struct with a name: declare one, so that fields can be added later; "+shape,
		role, m.Name(), l.name(v.Type()), m.Name(), m.Name(), m.Name())
	return nil
}

func hasKey(request *types.Named) bool {
	s, ok := request.Underlying().(*types.Struct)
	if !ok {
		return false
	}
	for i := range s.NumFields() {
		if f := s.Field(i); f.Name() == "Key" && types.Identical(f.Type(), types.Typ[types.String]) {
			return strings.Contains(s.Tag(i), `json:"key"`)
		}
	}
	return false
}

func isContext(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "context" && named.Obj().Name() == "Context"
}

func isError(t types.Type) bool { return types.Identical(t, types.Universe.Lookup("error").Type()) }
