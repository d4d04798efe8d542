package strictyaml

import (
	"slices"
	"strconv"
	"strings"
)

// A Kind is the kind of a value in a file.
type Kind int

// The kinds. Absent is that of a [Node] that the file does not have.
const (
	Absent Kind = iota
	Scalar
	List
	Mapping
	Null
	// refused is a value that was complained about while the tree was built
	// (an alias, say); decoding passes over it in silence.
	refused
)

// String names the kind as complaints do.
func (k Kind) String() string {
	switch k {
	case Scalar:
		return "a single value"
	case List:
		return "a list"
	case Mapping:
		return "a mapping"
	case Null:
		return "no value"
	default:
		return "nothing"
	}
}

// A node is one value of the file. It knows its parent, hence its path.
type node struct {
	kind   Kind
	parent *node
	key    string // Of an entry of a mapping.
	index  int    // Of an item of a list.
	// keyQuoted says whether the key was quoted.
	keyQuoted bool

	line, column       int // Of the value.
	keyLine, keyColumn int // Of its key, or of the dash of its item.

	text     string // Of a scalar: as written if plain, unescaped if quoted.
	quoted   bool
	partial  bool    // Of a mapping: more keys may have been meant (a merge key).
	children []*node // Entries in file order, without repeated keys, or items.
}

// child returns the entry of a mapping under a key, or nil.
func (n *node) child(key string) *node {
	if n == nil || n.kind != Mapping {
		return nil
	}
	for _, c := range n.children {
		if c.key == key {
			return c
		}
	}
	return nil
}

// path renders where the node stands below the root of its file.
func (n *node) path() string {
	var up []*node
	for ; n != nil && n.parent != nil; n = n.parent {
		up = append(up, n)
	}
	var b strings.Builder
	for _, n := range slices.Backward(up) {
		if n.parent.kind == List {
			b.WriteString("[" + strconv.Itoa(n.index) + "]")
		} else {
			writeKey(&b, n.key)
		}
	}
	return b.String()
}

// show renders the text of a scalar for a message, in quotes and cut if long.
func (n *node) show() string {
	const most = 40
	text := n.text
	if cut := stepRunes(text, 0, most); cut < len(text) {
		text = text[:cut] + cutMark
	}
	return strconv.Quote(text)
}

// A Node is a part of a file that is kept undecoded: a struct field of type
// Node takes whatever stands there, so that the program can look at it before
// it decides (a path to another file, or that file's content inline). It is
// decoded later by [Document.DecodeNode] or through [Document.Within]. The zero
// Node is absent.
type Node struct {
	n *node
}

// Kind returns the kind of the node, Absent for the zero Node.
func (n Node) Kind() Kind {
	if n.n == nil || n.n.kind == refused {
		return Absent
	}
	return n.n.kind
}

// Text returns the text of a scalar, and whether it was quoted.
func (n Node) Text() (text string, quoted bool) {
	if n.Kind() != Scalar {
		return "", false
	}
	return n.n.text, n.n.quoted
}

// Path returns where the node stands in its file.
func (n Node) Path() string { return n.n.path() }
