package contract

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// directive is an //rpc: comment: its word and what follows.
type directive struct {
	pos  token.Pos
	word string
	rest string
}

func directivesIn(groups ...*ast.CommentGroup) []directive {
	var out []directive
	for _, group := range groups {
		if group == nil {
			continue
		}
		for _, c := range group.List {
			text, ok := strings.CutPrefix(c.Text, "//rpc:")
			if !ok {
				continue
			}
			word, rest, _ := strings.Cut(text, " ")
			out = append(out, directive{pos: c.Pos(), word: strings.TrimSpace(word), rest: strings.TrimSpace(rest)})
		}
	}
	return out
}

// directives refuses what looks like a directive and is none, or stands where none is read,
// for it would say nothing.
func (l *loader) directives() {
	above := l.documented()
	for _, file := range l.pkg.Syntax {
		for _, group := range file.Comments {
			for _, c := range group.List {
				said := strings.TrimLeft(strings.TrimPrefix(c.Text, "//"), " \t")
				if strings.HasPrefix(said, "rpc:") && !strings.HasPrefix(c.Text, "//rpc:") {
					l.refuse(c.Pos(), "a directive has no space before it and says nothing like this: write //%s", said)
				}
			}
			for _, d := range directivesIn(group) {
				l.directive(d, above[group])
			}
		}
	}
}

// directive checks one directive that stands above a method, an enum ("read", "fallback") or
// nothing of the kind.
func (l *loader) directive(d directive, above string) {
	switch {
	case d.word != "read" && d.word != "fallback":
		l.refuse(d.pos, "there is no directive //rpc:%s: there are //rpc:read, in a method's comment, and //rpc:fallback X, in an enum's", d.word)
	case d.word == "read" && d.rest != "":
		l.refuse(d.pos, "//rpc:read stands alone: put %q on another line", d.rest)
	case d.word == "read" && above != d.word:
		l.refuse(d.pos, "//rpc:read is not in the comment of a method of Service, so nothing reads it: put it on the line above the method")
	case d.word == "fallback" && above != d.word:
		l.refuse(d.pos, "//rpc:fallback is not in the comment of a type or its constants, so nothing reads it: put it on the line above them")
	}
}

// documented says of each comment that stands above something which directive it may hold.
func (l *loader) documented() map[*ast.CommentGroup]string {
	above := map[*ast.CommentGroup]string{}
	for _, doc := range l.methodDocs() {
		above[doc] = "read"
	}
	for _, file := range l.pkg.Syntax {
		for _, decl := range file.Decls {
			d, ok := decl.(*ast.GenDecl)
			if !ok || d.Tok != token.TYPE && d.Tok != token.CONST {
				continue
			}
			above[d.Doc] = "fallback"
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					above[s.Doc] = "fallback"
				case *ast.ValueSpec:
					above[s.Doc] = "fallback"
				}
			}
		}
	}
	return above
}

// comments finds what is written above a package-level declaration of any package: the
// comment of its own spec, and of the declaration around it.
func (l *loader) comments(o types.Object) []*ast.CommentGroup {
	at := l.fset.Position(o.Pos())
	var out []*ast.CommentGroup
	file := l.file(at.Filename, o)
	if file == nil {
		return nil
	}
	for _, decl := range file.Decls {
		d, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if s.Name.Name == o.Name() {
					out = append(out, d.Doc, s.Doc)
				}
			case *ast.ValueSpec:
				if slices.ContainsFunc(s.Names, func(n *ast.Ident) bool { return n.Name == o.Name() }) {
					out = append(out, d.Doc, s.Doc)
				}
			}
		}
	}
	return out
}

// file is the syntax of a file: of this package as loaded, of another parsed for its comments.
func (l *loader) file(name string, o types.Object) *ast.File {
	if l.own(o) {
		for _, f := range l.pkg.Syntax {
			if l.fset.Position(f.Package).Filename == name {
				return f
			}
		}
		return nil
	}
	if f, ok := l.parsed[name]; ok {
		return f
	}
	f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		f = nil // it was compiled a moment ago, so this is a file that is generated elsewhere
	}
	l.parsed[name] = f
	return f
}
