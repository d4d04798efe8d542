package archtest

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Check reads every Go file of the module whose root is fsys and returns what
// breaks the table, ordered by file and line. Folders with a go.mod of their own
// are other modules and not read, nor is anything the go command ignores. The
// error is for files that cannot be read or parsed.
func Check(fsys fs.FS, t Table) ([]Complaint, error) {
	c := checker{table: t, fsys: fsys, fset: token.NewFileSet(), folders: map[string]*folder{}}
	if err := fs.WalkDir(fsys, ".", c.visit); err != nil {
		return nil, fmt.Errorf("reading the module: %w", err)
	}
	c.closeFolders()
	slices.SortStableFunc(c.found, func(a, b Complaint) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.What, b.What))
	})
	return c.found, nil
}

// checker carries the state of one Check.
type checker struct {
	table   Table
	fsys    fs.FS
	fset    *token.FileSet
	folders map[string]*folder
	found   []Complaint
}

// folder is what is remembered of one package until all its files are read.
type folder struct {
	first      string // a file to point at
	ships      bool   // has a file that is not a test
	documented bool
}

// visit is called for each file and folder below the root.
func (c *checker) visit(name string, d fs.DirEntry, err error) error {
	if err != nil {
		return err
	}
	if d.IsDir() {
		if name != "." && c.foreign(name) {
			return fs.SkipDir
		}
		return nil
	}
	if path.Ext(name) != ".go" || strings.HasPrefix(path.Base(name), "_") || strings.HasPrefix(path.Base(name), ".") {
		return nil
	}
	src, err := fs.ReadFile(c.fsys, name)
	if err != nil {
		return err
	}
	return c.file(name, src)
}

// foreign tells whether a folder is not part of this module's packages.
func (c *checker) foreign(dir string) bool {
	base := path.Base(dir)
	if base == "testdata" || base == "node_modules" || base == "vendor" ||
		strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return true
	}
	_, err := fs.Stat(c.fsys, path.Join(dir, "go.mod"))
	return err == nil
}

// file checks one Go file. Tests are held to the fences alone.
func (c *checker) file(name string, src []byte) error {
	test := strings.HasSuffix(name, "_test.go")
	mode := parser.ParseComments | parser.SkipObjectResolution
	if test {
		mode |= parser.ImportsOnly
	}
	f, err := parser.ParseFile(c.fset, name, src, mode)
	if err != nil {
		return err
	}

	dir := path.Dir(name)
	room, known := c.table.room(dir)
	here := c.remember(dir, name, f, test)
	c.fences(dir, f)
	if test {
		return nil
	}
	if !known {
		if !here.ships { // once a folder is enough
			c.say(name, 0, dir+" is a package tree the table does not know",
				"say in internal/archtest/rooms.go what it may import, and why not more")
		}
		here.ships = true
		return nil
	}
	here.ships = true
	c.imports(dir, room, f)
	for _, u := range room.Uses {
		if !slices.Contains(u.Except, name) {
			c.uses(dir, u, f)
		}
	}
	if n := bytes.Count(src, []byte("\n")); n > MaxLines && !ast.IsGenerated(f) {
		c.say(name, 0, fmt.Sprintf("%s is %d lines long, over %d", path.Base(name), n, MaxLines),
			"a file has one subject; find the second one and give it a file")
	}
	return nil
}

// remember keeps what the folder's closing check needs.
func (c *checker) remember(dir, name string, f *ast.File, test bool) *folder {
	here := c.folders[dir]
	if here == nil {
		here = &folder{first: name}
		c.folders[dir] = here
	}
	if !test && f.Doc != nil {
		text := f.Doc.Text()
		here.documented = here.documented ||
			strings.HasPrefix(text, "Package "+f.Name.Name+" ") || f.Name.Name == "main" && text != ""
	}
	return here
}

// closeFolders complains of packages that ship without a doc comment.
func (c *checker) closeFolders() {
	for dir, here := range c.folders { // the complaints are sorted afterwards
		if here.ships && !here.documented {
			c.say(here.first, 0, dir+" has no package comment",
				`a reader meets a package by its first sentence; begin one file with "// Package name ..."`)
		}
	}
}

// imports holds a file's imports against its room.
func (c *checker) imports(dir string, room Room, f *ast.File) {
	for _, spec := range f.Imports {
		p := importPath(spec)
		what := dir + " imports " + p
		if rel, ours := strings.CutPrefix(p, c.table.Module+"/"); ours {
			other, known := c.table.room(rel)
			if !known {
				continue // the unknown tree itself is complained of
			}
			if why := room.whyNot(other); why != "" {
				c.at(spec, what, why)
			}
			continue
		}
		if i := slices.IndexFunc(room.Bans, func(b Ban) bool { return b.matches(p) }); i >= 0 {
			c.at(spec, what, room.Bans[i].Why)
			continue
		}
		if !standard(p) && !allowed(room.Modules, p) && !c.fenced(p) {
			c.at(spec, what, room.WhyMod)
		}
	}
}

// fences holds a file's imports, a test's too, against the fences.
func (c *checker) fences(dir string, f *ast.File) {
	for _, spec := range f.Imports {
		p := importPath(spec)
		for _, fence := range c.table.Fences {
			if covers(fence.Path, p) && !covers(fence.Inside, dir) {
				c.at(spec, dir+" imports "+p, fence.Why)
			}
		}
	}
}

// fenced tells whether a fence already speaks about this import.
func (c *checker) fenced(p string) bool {
	return slices.ContainsFunc(c.table.Fences, func(f Fence) bool { return covers(f.Path, p) })
}

// uses looks for banned names of a package, under whatever name it is imported.
func (c *checker) uses(dir string, u Use, f *ast.File) {
	local := ""
	for _, spec := range f.Imports {
		if importPath(spec) != u.Package {
			continue
		}
		local = defaultName(u.Package)
		if spec.Name != nil {
			local = spec.Name.Name
		}
		if local == "." {
			c.at(spec, dir+" imports "+u.Package+" without a name", "banned names could then be used unseen; "+u.Why)
		}
	}
	if local == "" {
		return
	}
	ast.Inspect(f, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); ok && x.Name == local && slices.Contains(u.Names, sel.Sel.Name) {
			c.at(sel, dir+" uses "+defaultName(u.Package)+"."+sel.Sel.Name, u.Why)
		}
		return true
	})
}

// at records a complaint about a node of a parsed file.
func (c *checker) at(n ast.Node, what, why string) {
	pos := c.fset.Position(n.Pos())
	c.say(pos.Filename, pos.Line, what, why)
}

// say records a complaint.
func (c *checker) say(file string, line int, what, why string) {
	c.found = append(c.found, Complaint{File: file, Line: line, What: what, Why: why})
}

// importPath unquotes an import; the parser has accepted it, so it is quoted.
func importPath(spec *ast.ImportSpec) string {
	p, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return spec.Path.Value
	}
	return p
}

// standard tells whether a path belongs to the standard library: only there has
// the first element no dot.
func standard(p string) bool {
	first, _, _ := strings.Cut(p, "/")
	return !strings.Contains(first, ".")
}

// allowed tells whether a module's package is on the list; * allows all.
func allowed(modules []string, p string) bool {
	return slices.ContainsFunc(modules, func(m string) bool { return m == "*" || covers(m, p) })
}

// defaultName is the name a package has where the import gives none; a last
// element such as v2 is a version and not a name.
func defaultName(p string) string {
	base := path.Base(p)
	if len(base) > 1 && base[0] == 'v' && strings.Trim(base[1:], "0123456789") == "" {
		return path.Base(path.Dir(p))
	}
	return base
}
