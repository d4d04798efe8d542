package strictyaml

import (
	"fmt"
	"reflect"
)

// Decode sets the value a pointer leads to from the document, and says whether
// it found nothing to complain about. Keys that the file leaves out keep the
// value they had, so a struct filled with defaults before stays filled; lists
// and mappings of free keys are replaced whole.
//
// Struct fields carry the tag yaml:"key" with these options after commas:
//
//	required    the key must be there
//	nonempty    text, list or mapping must not be empty
//	min=N max=N bounds, inclusive, of numbers, quantities and durations
//	signed      the number may be negative (so may one whose min is)
//	oneof=a|b|c the texts accepted
//	inline      the struct's keys belong to its parent (embedded structs need no tag)
//
// On lists and mappings of free keys, bounds and oneof hold for every item. A
// field tagged "-" is passed over. Besides plain Go types, a field can be a
// [time.Duration], a [time.Time], a [Node], or any type that has UnmarshalScalar
// (see [ScalarUnmarshaler]) or UnmarshalText. A type of text with a method
// Values() []string is an enumeration. Decode panics where v is no pointer or
// leads to a type that cannot be decoded.
func (d *Document) Decode(v any) bool { return d.DecodeNode(d.Root(), v) }

// DecodeNode decodes a captured part of the document as Decode does the whole.
// An absent node decodes to nothing.
func (d *Document) DecodeNode(n Node, v any) bool {
	target := reflect.ValueOf(v)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		panic(fmt.Sprintf("strictyaml: Decode into %T, which is no pointer to a value", v))
	}
	w := &walker{document: d, shapes: shapes{}}
	w.shapes.check(target.Type().Elem(), target.Type().String())
	if n.n == nil {
		return false
	}
	before := len(d.file.complaints)
	w.value(target.Elem(), n.n, &rules{})
	return len(d.file.complaints) == before
}

// A walker goes through the tree and the Go value side by side.
type walker struct {
	document *Document
	shapes   shapes
}

// value decodes a node of any kind.
func (w *walker) value(v reflect.Value, n *node, r *rules) {
	switch {
	case n.kind == refused:
		w.document.file.settled[n.path()] = true
	case v.Type() == nodeType:
		v.Set(reflect.ValueOf(Node{n}))
	case n.kind == Null:
		w.null(n)
	case v.Kind() == reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		w.value(v.Elem(), n, r)
	case v.Type() == durationType || isScalarHook(v.Type()):
		w.scalar(v, n, r)
	case v.Kind() == reflect.Struct:
		w.structure(v, n)
	case v.Kind() == reflect.Map:
		w.mapping(v, n, r)
	case v.Kind() == reflect.Slice:
		w.list(v, n, r)
	default:
		w.scalar(v, n, r)
	}
}

func (w *walker) null(n *node) {
	hint := "give it a value, or leave the key out"
	if n.parent != nil && n.parent.kind == List {
		hint = "give the item a value, or remove it"
	}
	if n.text != "" {
		hint += fmt.Sprintf("; text that reads %s must be quoted", n.text)
	}
	w.document.settle(n, "has no value", hint)
}

// structure decodes a mapping whose keys a struct fixes.
func (w *walker) structure(v reflect.Value, n *node) {
	if !w.expect(n, Mapping) {
		return
	}
	sh := w.shapes.of(v.Type())
	free := sh.without(n)
	for _, c := range n.children {
		i, known := sh.byKey[c.key]
		if !known {
			w.unknownKey(c, sh, free)
			continue
		}
		w.value(v.FieldByIndex(sh.fields[i].index), c, &sh.fields[i].rules)
	}
	if n.partial {
		return
	}
	for _, key := range free {
		path := Key(n.path(), key)
		if !sh.fields[sh.byKey[key]].rules.required || w.document.file.settled[path] {
			continue
		}
		w.document.file.complain(n.keyLine, n.keyColumn, path, "required key is missing", "")
		w.document.file.settled[path] = true
	}
}

// unknownKey complains about a key the struct does not take. A key that is
// likely meant settles the key meant, so that it is not also missing. Free are
// the keys that are not given, which are likelier to be meant than others.
func (w *walker) unknownKey(c *node, sh *shape, free []string) {
	hint := didYouMean(c.key, sh.keys, "known keys")
	if meant := Suggest(c.key, free); meant != "" {
		hint = fmt.Sprintf("did you mean %q?", meant)
		w.document.file.settled[Key(c.parent.path(), meant)] = true
	}
	w.document.file.complain(c.keyLine, c.keyColumn, c.path(), fmt.Sprintf("unknown key %q", c.key), hint)
}

// mapping decodes a mapping of free keys.
func (w *walker) mapping(v reflect.Value, n *node, r *rules) {
	if !w.expect(n, Mapping) || !w.filled(n, r, len(n.children)) {
		return
	}
	t := v.Type()
	out := reflect.MakeMapWithSize(t, len(n.children))
	items := r.ofItems()
	for _, c := range n.children {
		key := reflect.New(t.Key()).Elem()
		item := reflect.New(t.Elem()).Elem()
		keep := w.key(key, c)
		w.value(item, c, items)
		if keep {
			out.SetMapIndex(key, item)
		}
	}
	v.Set(out)
}

// list decodes a list.
func (w *walker) list(v reflect.Value, n *node, r *rules) {
	if !w.expect(n, List) || !w.filled(n, r, len(n.children)) {
		return
	}
	out := reflect.MakeSlice(v.Type(), len(n.children), len(n.children))
	items := r.ofItems()
	for i, c := range n.children {
		w.value(out.Index(i), c, items)
	}
	v.Set(out)
}

// ofItems returns the rules that hold for the items of a list or mapping.
func (r *rules) ofItems() *rules {
	return &rules{signed: r.signed, min: r.min, max: r.max, oneOf: r.oneOf}
}

// filled complains about a list or mapping that is empty but must not be.
func (w *walker) filled(n *node, r *rules, count int) bool {
	if r.nonempty && count == 0 {
		w.document.settle(n, "must not be empty", "")
		return false
	}
	return true
}

// expect complains about a node that is of another kind than the Go value.
func (w *walker) expect(n *node, want Kind) bool {
	if n.kind == want {
		return true
	}
	hint := ""
	switch {
	case want == List && n.kind == Scalar:
		hint = fmt.Sprintf("write it as a list: [%s]", n.text)
	case want == List:
		hint = `begin each item with "- "`
	case want == Mapping && n.kind == List:
		hint = "remove the dash or the brackets"
	case want == Mapping:
		hint = "write key: value below it"
	}
	w.document.settle(n, fmt.Sprintf("expected %s, found %s", want, n.kind), hint)
	return false
}
