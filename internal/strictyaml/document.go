package strictyaml

import (
	"fmt"
	"strings"
)

// A Document is a parsed file together with everything that is wrong in it. It
// stays of use after decoding: checks of meaning add their complaints to the
// same list, at the position of a path.
//
// A Document is not safe for use by several goroutines at once.
type Document struct {
	file *file
	root *node  // Nil where the file could not be read at all.
	base string // The path of root within its file.
}

// A Position is a place in a file, counted from one, columns in characters.
type Position struct {
	Line, Column int
	// Exact is false where the path asked for is not in the file and the position
	// is that of the nearest parent that is.
	Exact bool
}

// Parse reads one YAML or JSON document. The name is that shown in complaints.
// It always returns a Document; where data could not be read, Err says why and
// Decode does nothing.
func Parse(name string, data []byte) *Document {
	f := &file{name: name, settled: map[string]bool{}}
	d := &Document{file: f}
	if text, ok := f.accept(data); ok {
		d.root = f.parse(text)
	}
	if d.root == nil {
		f.settled[""] = true
	}
	return d
}

// Err returns every complaint so far as [Complaints], sorted by line and column,
// or nil where there is none.
func (d *Document) Err() error {
	if len(d.file.complaints) == 0 {
		return nil
	}
	return d.file.report()
}

// Root returns the whole document as a Node, absent where it could not be read.
func (d *Document) Root() Node { return Node{d.root} }

// Within returns a view of the document in which paths begin at a node: an
// inline FleetPolicy is checked by the same code as one in a file of its own.
// Complaints go to the same list and show the whole path.
func (d *Document) Within(n Node) *Document {
	return &Document{file: d.file, root: n.n, base: n.Path()}
}

// Has says whether the file gives a value at a path.
func (d *Document) Has(path string) bool {
	n, exact := d.root.find(path)
	return exact && n.kind != Null && n.kind != refused
}

// Keys returns the keys of the mapping at a path in the order of the file, and
// nothing where there is no mapping.
func (d *Document) Keys(path string) []string {
	n, exact := d.root.find(path)
	if !exact || n.kind != Mapping {
		return nil
	}
	keys := make([]string, len(n.children))
	for i, c := range n.children {
		keys[i] = c.key
	}
	return keys
}

// At returns the position of the value at a path, or, where there is none, of
// the key of its nearest parent.
func (d *Document) At(path string) Position {
	n, exact := d.root.find(path)
	switch {
	case n == nil:
		return Position{Line: 1, Column: 1}
	case !exact:
		return Position{Line: n.keyLine, Column: n.keyColumn}
	default:
		return Position{Line: n.line, Column: n.column, Exact: true}
	}
}

// KeyAt returns the position of the key of the value at a path (of its dash, for
// an item of a list), or of its nearest parent's.
func (d *Document) KeyAt(path string) Position {
	n, exact := d.root.find(path)
	if n == nil {
		return Position{Line: 1, Column: 1}
	}
	return Position{Line: n.keyLine, Column: n.keyColumn, Exact: exact}
}

// Complain adds a complaint about the meaning of the value at a path. Where
// decoding has already complained about that value or a parent of it, the
// complaint is dropped: the Go value that was checked is not what the file says.
func (d *Document) Complain(path, format string, args ...any) *Remark {
	r := &Remark{document: d, path: path}
	at, full := d.At(path), join(d.base, path)
	message := fmt.Sprintf(format, args...)
	if d.file.isSettled(full) {
		r.complaint = &Complaint{}
		return r
	}
	r.complaint = d.file.complain(at.Line, at.Column, full, message, "")
	return r
}

// Sound says whether decoding found nothing to complain about in the value at a
// path, its parents, and all below it. A check that needs the whole of a list
// (is there a class of that name?) asks before it blames others for what is
// missing there.
func (d *Document) Sound(path string) bool {
	full := join(d.base, path)
	if d.file.isSettled(full) {
		return false
	}
	for settled := range d.file.settled {
		rest, below := strings.CutPrefix(settled, full)
		if below && (full == "" || rest[0] == '.' || rest[0] == '[') {
			return false
		}
	}
	return true
}

// A Remark is a complaint that was just added and can still be made more
// helpful.
type Remark struct {
	document  *Document
	path      string
	complaint *Complaint
}

// Hint says how the fault may be mended.
func (r *Remark) Hint(format string, args ...any) *Remark {
	r.complaint.Hint = fmt.Sprintf(format, args...)
	return r
}

// Suggest sets the hint to the name among those known that got was likely meant
// to be, or to the known names where none is near.
func (r *Remark) Suggest(got string, among []string) *Remark {
	r.complaint.Hint = didYouMean(got, among, "known")
	return r
}

// OnKey moves the caret from the value to its key.
func (r *Remark) OnKey() *Remark {
	at := r.document.KeyAt(r.path)
	r.complaint.Line, r.complaint.Column = at.Line, at.Column
	return r
}

// join puts a path below another.
func join(base, path string) string {
	switch {
	case base == "" || path == "":
		return base + path
	case path[0] == '[':
		return base + path
	default:
		return base + "." + path
	}
}

// isSettled says whether decoding has complained about the value at a path or
// about one of its parents.
func (f *file) isSettled(path string) bool {
	for {
		if f.settled[path] {
			return true
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			return path != "" && f.settled[""]
		}
		path = path[:cut]
	}
}
