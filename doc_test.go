package understudy_test

import (
	"fmt"
	"go/ast"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What `go doc -all` shows of the packages for users is whole: every exported name has a comment of its own, none is an alias of
// what stands in another package, the package's comment leads to every type and function, its code stands in an example, and an
// example calls each function.
func TestDocs(t *testing.T) {
	for dir, name := range map[string]string{".": "understudy", "client": "client"} {
		t.Run(name, func(t *testing.T) {
			p := parsePackage(t, dir)
			if len(p.exported) < 10 || len(p.wrong) > 0 {
				t.Errorf("%d names; without a comment of their own, or an alias:\n%s", len(p.exported), strings.Join(p.wrong, "\n"))
			}
			for _, n := range p.exported {
				if !strings.Contains(p.comment, "["+n+"]") && !strings.Contains(p.comment, "["+n+".") {
					t.Errorf("the package's comment has no link to %s", n)
				}
			}
			for _, code := range p.code() {
				if !strings.Contains(p.examples, code) {
					t.Errorf("no example has what stands in the package's comment:\n%s", code)
				}
			}
			for _, n := range p.functions {
				if !p.called[name+"."+n] {
					t.Errorf("no example calls %s", n)
				}
			}
		})
	}
}

// parsed is what was found in a package.
type parsed struct {
	comment   string
	examples  string          // the text of their files, without indentation
	exported  []string        // types and functions
	functions []string        // of these
	called    map[string]bool // what examples name of packages, as package.name
	wrong     []string
}

func parsePackage(t *testing.T, dir string) *parsed {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	p := &parsed{called: make(map[string]bool)}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments|parser.SkipObjectResolution)
		switch {
		case err != nil:
			t.Fatal(err)
		case strings.HasPrefix(filepath.Base(name), "example_"):
			p.calls(file)
			p.examples += flush(string(text))
		case !strings.HasSuffix(name, "_test.go"):
			p.comment += file.Doc.Text()
			for _, d := range file.Decls {
				p.declared(d)
			}
		}
	}
	return p
}

// code returns the blocks of code in the package's comment, without indentation.
func (p *parsed) code() (all []string) {
	for _, b := range new(comment.Parser).Parse(p.comment).Content {
		if c, ok := b.(*comment.Code); ok {
			all = append(all, flush(c.Text))
		}
	}
	return all
}

// flush returns a text without the indentation of its lines.
func flush(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimLeft(line, "\t"))
	}
	return b.String()
}

func (p *parsed) calls(file *ast.File) {
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok {
				p.called[x.Name+"."+s.Sel.Name] = true
			}
		}
		return true
	})
}

// documented notes a name unless one of the comments is there, and has every name of those that share it.
func (p *parsed) documented(what string, names []*ast.Ident, comments ...*ast.CommentGroup) {
	text := ""
	for _, c := range comments {
		text += c.Text()
	}
	for _, n := range names {
		if n.IsExported() && (text == "" || len(names) > 1 && !strings.Contains(text, n.Name)) {
			p.wrong = append(p.wrong, what+n.Name)
		}
	}
}

func (p *parsed) declared(d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		receiver := receiverOf(d)
		if receiver != "" && !ast.IsExported(receiver) {
			return
		}
		p.documented("func "+receiver+" ", []*ast.Ident{d.Name}, d.Doc)
		if receiver == "" && d.Name.IsExported() {
			p.exported, p.functions = append(p.exported, d.Name.Name), append(p.functions, d.Name.Name)
		}
	case *ast.GenDecl:
		group := d.Doc // of a group, each name has a comment of its own besides
		if d.Lparen.IsValid() {
			group = nil
		}
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.ValueSpec:
				p.documented(d.Tok.String()+" ", s.Names, group, s.Doc, s.Comment)
			case *ast.TypeSpec:
				p.documented("type ", []*ast.Ident{s.Name}, group, s.Doc)
				if s.Name.IsExported() {
					p.exported = append(p.exported, s.Name.Name)
					p.members(s)
				}
			}
		}
	}
}

// members looks at the fields of a struct and the methods of an interface.
func (p *parsed) members(s *ast.TypeSpec) {
	var list *ast.FieldList
	switch x := s.Type.(type) {
	case *ast.StructType:
		list = x.Fields
	case *ast.InterfaceType:
		list = x.Methods
	case *ast.SelectorExpr:
		if s.Assign.IsValid() {
			p.wrong = append(p.wrong, fmt.Sprintf("alias %s = %s.%s", s.Name.Name, x.X, x.Sel.Name))
		}
	}
	if list == nil {
		return
	}
	for _, f := range list.List {
		p.documented("field "+s.Name.Name+".", f.Names, f.Doc, f.Comment)
	}
}

// receiverOf returns the name of a method's type, or "".
func receiverOf(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	x := d.Recv.List[0].Type
	for {
		switch y := x.(type) {
		case *ast.StarExpr:
			x = y.X
		case *ast.IndexExpr:
			x = y.X
		case *ast.IndexListExpr:
			x = y.X
		case *ast.Ident:
			return y.Name
		default:
			return ""
		}
	}
}

// Every exported name of package supervisor has a comment of its own.
func TestDocsOfSupervisor(t *testing.T) {
	p := parsePackage(t, "supervisor")
	if len(p.exported) < 10 || len(p.wrong) > 0 {
		t.Errorf("%d names; without a comment of their own, or an alias:\n%s", len(p.exported), strings.Join(p.wrong, "\n"))
	}
}
