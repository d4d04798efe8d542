package strictyaml

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// A builder turns the parser's tree into ours: positions set right, repeated
// keys complained about, and none of the parser's guesses about types.
type builder struct {
	file  *file
	nodes int
	full  bool // A limit was met and complained about; the rest is refused.
}

// build returns the tree of a document, or nil where a limit was met.
func (f *file) build(body ast.Node) *node {
	b := &builder{file: f}
	root := &node{keyLine: 1, keyColumn: 1}
	b.fill(root, body, 1)
	if b.full || root.kind == refused {
		return nil
	}
	root.keyLine, root.keyColumn = root.line, root.column
	return root
}

// fill sets a node, whose place among its parent is known, from the parser's.
func (b *builder) fill(n *node, from ast.Node, depth int) {
	b.nodes++
	n.line, n.column = n.keyLine, n.keyColumn
	switch {
	case b.full:
		n.kind = refused
		return
	case depth > MaxDepth:
		b.full = true
		b.file.complain(n.line, n.column, "", tooDeep, "")
		n.kind = refused
		return
	case b.nodes > MaxNodes:
		b.full = true
		b.file.complainLimit(&token.Position{Line: n.line, Column: n.column})
		n.kind = refused
		return
	}
	switch from := from.(type) {
	case *ast.MappingNode:
		b.fillMapping(n, from, from.Values, depth)
	case *ast.MappingValueNode:
		b.fillMapping(n, from, []*ast.MappingValueNode{from}, depth)
	case *ast.SequenceNode:
		b.fillList(n, from, depth)
	case *ast.TagNode:
		b.nodes--
		b.fill(n, from.Value, depth)
	case *ast.AnchorNode:
		b.nodes--
		b.fill(n, from.Value, depth)
	case *ast.NullNode:
		b.fillNull(n, from)
	case ast.Node:
		b.fillScalar(n, from)
	default: // No node at all: the value of a tag that has none.
		n.kind = Null
	}
}

func (b *builder) fillNull(n *node, from *ast.NullNode) {
	n.kind = Null
	if t := from.Token; t != nil && t.Type == token.NullType {
		n.text = t.Value
		b.place(n, t)
	}
}

func (b *builder) fillScalar(n *node, from ast.Node) {
	if literal, ok := from.(*ast.LiteralNode); ok {
		n.kind, n.quoted = Scalar, true
		if literal.Value != nil {
			n.text = literal.Value.Value
		}
		b.place(n, literal.Start)
		return
	}
	t := from.GetToken()
	switch from.(type) {
	case *ast.StringNode, *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		n.kind, n.text = Scalar, t.Value
		n.quoted = t.Type == token.SingleQuoteType || t.Type == token.DoubleQuoteType
	default: // An alias or a merge key, complained about among the tokens.
		n.kind = refused
	}
	b.place(n, t)
}

// place sets the position of a value from its token.
func (b *builder) place(n *node, t *token.Token) {
	if t != nil && t.Position != nil {
		n.line, n.column = b.file.locate(t)
	}
}

func (b *builder) fillList(n *node, from *ast.SequenceNode, depth int) {
	n.kind = List
	b.place(n, from.Start)
	n.children = make([]*node, 0, len(from.Values))
	for i, value := range from.Values {
		item := &node{parent: n, index: i, keyLine: n.line, keyColumn: n.column}
		if !from.IsFlowStyle && i < len(from.Entries) && from.Entries[i].Start != nil {
			item.keyLine, item.keyColumn = b.file.locate(from.Entries[i].Start)
		}
		b.fill(item, value, depth+1)
		if from.IsFlowStyle {
			item.keyLine, item.keyColumn = item.line, item.column
		}
		n.children = append(n.children, item)
	}
}

func (b *builder) fillMapping(n *node, from ast.Node, entries []*ast.MappingValueNode, depth int) {
	n.kind = Mapping
	m, ok := from.(*ast.MappingNode)
	flow := ok && m.IsFlowStyle
	if flow {
		b.place(n, m.Start)
	}
	if len(entries) > MaxKeys {
		b.full = true
		b.file.complain(n.line, n.column, n.path(), tooManyKeys, splitHint)
		return
	}
	seen := make(map[string]*node, len(entries))
	for i, entry := range entries {
		child := b.entry(n, entry)
		if i == 0 && !flow {
			n.line, n.column = child.keyLine, child.keyColumn
		}
		if child.kind == refused {
			n.partial = true
			continue
		}
		first, repeated := seen[child.key]
		b.fill(child, entry.Value, depth+1)
		if repeated {
			b.file.complain(child.keyLine, child.keyColumn, child.path(),
				fmt.Sprintf("key %q is given twice", child.key),
				fmt.Sprintf("first given at line %d, column %d; remove one", first.keyLine, first.keyColumn))
			continue
		}
		seen[child.key] = child
		n.children = append(n.children, child)
	}
}

// entry makes the node of a mapping's entry with its key, still without value.
// Keys that are no scalars are complained about and refused.
func (b *builder) entry(parent *node, from *ast.MappingValueNode) *node {
	child := &node{parent: parent, keyLine: parent.line, keyColumn: parent.column}
	var key ast.Node = from.Key
	for {
		switch wrapped := key.(type) {
		case *ast.AnchorNode:
			key = wrapped.Value
			continue
		case *ast.TagNode:
			key = wrapped.Value
			continue
		}
		break
	}
	if key == nil || key.GetToken() == nil {
		child.kind = refused
		return child
	}
	t := key.GetToken()
	child.keyLine, child.keyColumn = b.file.locate(t)
	switch key.(type) {
	case *ast.StringNode, *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode, *ast.NullNode:
		child.key = t.Value
		child.keyQuoted = t.Type == token.SingleQuoteType || t.Type == token.DoubleQuoteType
	case *ast.MergeKeyNode, *ast.MappingKeyNode, *ast.AliasNode:
		child.kind = refused
	default:
		b.file.complain(child.keyLine, child.keyColumn, child.path(), "a key must be text on one line", "")
		child.kind = refused
	}
	return child
}
