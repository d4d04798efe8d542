package strictyaml

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// Whatever the bytes, decoding ends without a panic; complaints are sorted, lie
// within the file, and are the same each time.
func FuzzDecode(f *testing.F) {
	inputs, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, input := range inputs {
		data, err := os.ReadFile(input)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, text := range []string{
		"", "\x00", "- - - a", "? a\n: b", "a: !!map {b: c}\n? [x]\n: y", "&a : b", "!!str : x", "{a, b: }", "[a: 1, , ]",
		"a: |\n  b\n c\n", "a: >+\n\n  b\n\n", "a: \"\\ud83d\\ude00\"", "%TAG ! x\n---\n!a b", "---\n...\n---\n", "a: 'b\n\n c'\n",
		"<<: *a", "a: <<", "\ufeffa: b", "a: - b", "a:\n  - b\n c: d", "{[a]: b}", "{{a: b}: c}", "~", "[[a]]: b", "*a : b", "? |\n  x\n: y",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<14 {
			return
		}
		text := complaintsOf("fuzz.yaml", data)
		if again := complaintsOf("fuzz.yaml", slices.Clone(data)); again != text {
			t.Fatalf("two runs differ:\n%s", cmp.Diff(text, again))
		}
		doc := Parse("fuzz.yaml", data)
		var fleet testFleet
		clean := doc.Decode(&fleet)
		doc.Complain("spec.models[0].name", "a remark").OnKey().Hint("a hint")
		checkComplaints(t, doc, clean)
		walk(doc.root, func(n *node) {
			path := n.path()
			if got, exact := doc.root.find(path); got != n || !exact {
				t.Fatalf("path %s does not lead back to its node", path)
			}
			if n.line < 1 || n.column < 1 || n.keyLine < 1 || n.keyColumn < 1 || n.line > len(doc.file.lines) {
				t.Fatalf("%s stands at %d:%d, key at %d:%d", path, n.line, n.column, n.keyLine, n.keyColumn)
			}
		})
	})
}

func checkComplaints(t *testing.T, doc *Document, clean bool) {
	t.Helper()
	err := doc.Err()
	if err == nil {
		return
	}
	var all Complaints
	if !errors.As(err, &all) || len(all) == 0 {
		t.Fatalf("Err is %T with %d complaints", err, len(all))
	}
	if clean && doc.root == nil {
		t.Fatal("decoding nothing was clean")
	}
	for i, c := range all {
		if i > 0 && (c.Line < all[i-1].Line || c.Line == all[i-1].Line && c.Column < all[i-1].Column) {
			t.Fatalf("complaints are not sorted:\n%v", all)
		}
		if c.Line < 1 || c.Column < 1 || c.Message == "" || !utf8.ValidString(c.Error()) {
			t.Fatalf("a bad complaint: %+v", c)
		}
		if c.Line > len(doc.file.lines) && c.Line > 1 {
			t.Fatalf("a complaint beyond the file: %v", c)
		}
		if width(cells(c.Source)) > excerptWidth+2 || c.Caret > excerptWidth+2 {
			t.Fatalf("too wide an excerpt: %q", c.Source)
		}
	}
}

func walk(n *node, visit func(*node)) {
	if n == nil {
		return
	}
	visit(n)
	for _, c := range n.children {
		walk(c, visit)
	}
}
