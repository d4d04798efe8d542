package strictyaml

import (
	"fmt"
	"slices"
	"strings"
)

// An Envelope holds what every file of ours begins with, except pack input. It
// is made part of a file's struct by embedding it with the tag yaml:",inline";
// [Document.Expect] checks it.
type Envelope struct {
	APIVersion string   `yaml:"apiVersion"`
	Kind       string   `yaml:"kind"`
	Metadata   Metadata `yaml:"metadata"`
}

// Metadata names what a file describes.
type Metadata struct {
	Name string `yaml:"name"`
}

// Expect checks apiVersion and kind against one version and the kinds that may
// stand here, and returns the kind found. Where it is not ok, the file is of
// another kind, or could not be read, and decoding it would only add noise. A
// misspelt kind counts as the one meant, a missing one as the only one expected.
func (d *Document) Expect(apiVersion string, kinds ...string) (kind string, ok bool) {
	if d.root == nil || d.root.kind == refused {
		return "", false
	}
	if d.root.kind != Mapping {
		d.settle(d.root, fmt.Sprintf("expected a mapping with apiVersion %q and kind %s, found %s",
			apiVersion, either(kinds), d.root.kind), "")
		return "", false
	}
	d.expectText("apiVersion", []string{apiVersion})
	kind, ok = d.expectText("kind", kinds)
	if ok && kind == "" && len(kinds) == 1 {
		kind = kinds[0]
	}
	return kind, ok && kind != ""
}

// expectText checks an entry of the root against the texts it may have. A
// missing entry is complained about, but ok.
func (d *Document) expectText(key string, want []string) (got string, ok bool) {
	n := d.root.child(key)
	switch {
	case n == nil && d.misspelt(key):
		return "", true
	case n == nil:
		path := Key(d.root.path(), key)
		d.file.complain(d.root.keyLine, d.root.keyColumn, path, "required key is missing",
			fmt.Sprintf("expected %s: %s", key, strings.Join(want, " or ")))
		d.file.settled[path] = true
		return "", true
	case n.kind == refused:
		return "", false
	case n.kind != Scalar:
		d.settle(n, fmt.Sprintf("expected %s, found %s", either(want), n.kind), "")
		return "", false
	case !slices.Contains(want, n.text):
		message := fmt.Sprintf("expected %s, found %s", either(want), n.show())
		if meant := Suggest(n.text, want); meant != "" {
			d.settle(n, message, fmt.Sprintf("did you mean %q?", meant))
			return meant, true
		}
		d.settle(n, message, "")
		return n.text, false
	}
	return n.text, true
}

// misspelt says whether a key that is missing is there under a similar name;
// decoding then says so.
func (d *Document) misspelt(key string) bool {
	for _, c := range d.root.children {
		if Suggest(c.key, []string{key, "kind", "apiVersion", "metadata", "spec"}) == key {
			return true
		}
	}
	return false
}

// settle complains about a value, once, and keeps checks of meaning off it.
func (d *Document) settle(n *node, message, hint string) {
	path := n.path()
	if d.file.settled[path] {
		return
	}
	d.file.complain(n.line, n.column, path, message, hint)
	d.file.settled[path] = true
}

// either renders the texts one of which is expected.
func either(texts []string) string {
	quoted := make([]string, len(texts))
	for i, t := range texts {
		quoted[i] = fmt.Sprintf("%q", t)
	}
	return strings.Join(quoted, " or ")
}
