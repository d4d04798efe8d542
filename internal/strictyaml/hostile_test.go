package strictyaml

import (
	"fmt"
	"strings"
	"testing"
)

// repeated returns as much of a pattern as a file may hold, between two ends.
func repeated(before, pattern, after string, limit int) string {
	n := (limit - len(before) - len(after)) / len(pattern)
	return before + strings.Repeat(pattern, n) + after
}

// hostile is a set of files made to exhaust a reader.
func hostile() map[string]string {
	wide := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "key%d: value%d\n", i, i)
		}
		return b.String()
	}
	blocks := ""
	for i := range 3 {
		blocks += fmt.Sprintf("block%d:\n%s", i, strings.Repeat("  a: 1\n", MaxKeys-1))
	}
	return map[string]string{
		"several wide mappings":        blocks,
		"tags on many lines":           repeated("a:\n", " !a\n", "", MaxBytes),
		"more than a MiB":              strings.Repeat("a", MaxBytes+1),
		"brackets without end":         repeated("", "[", "", MaxBytes),
		"braces nested to the bottom":  repeated("", "{a: ", "", MaxBytes),
		"dashes on one line":           repeated("", "- ", "a", MaxBytes),
		"dashes over many lines":       staircase(64),
		"indented to the bottom":       staircase(1),
		"question marks":               repeated("", "? ", "", MaxBytes),
		"tags on one line":             repeated("a: ", "!a ", "", MaxBytes),
		"anchors on one line":          repeated("a: ", "&a ", "", MaxBytes),
		"colons":                       repeated("", ": ", "", MaxBytes),
		"a list of very many":          repeated("[", "1,", "1]", MaxBytes),
		"very many blanks":             repeated("a:", " ", "[", MaxBytes),
		"a line of wide letters":       repeated("[", "日,", "no: 1]", MaxNodes*3),
		"a wide mapping":               wide(MaxKeys),
		"a wide mapping, too wide":     wide(MaxKeys + 1),
		"the same key again and again": repeated("", "a: 1\n", "", MaxNodes*4),
		"empty documents":              repeated("", "---\n", "a", MaxBytes),
		"directives":                   repeated("", "%a\n", "", MaxBytes),
		"aliases of aliases":           "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: [*c,*c]\n",
		"a comment and nothing else":   repeated("", "#", "", MaxBytes),
		"an endless word":              repeated("a: ", "x", "", MaxBytes),
		"an endless key":               repeated("", "x", ": 1", MaxBytes),
		"text that never closes":       repeated(`a: "`, `\n`, "", MaxBytes),
		"folded text":                  repeated("a: >\n", "  x\n", "", MaxBytes),
		"plain text over many lines":   repeated("a:\n", "  x\n", "", MaxBytes),
	}
}

// staircase nests lists by indentation, with so many dashes on each line.
func staircase(dashes int) string {
	var b strings.Builder
	for i := 0; b.Len() < MaxBytes-5000; i += 2 * dashes {
		b.WriteString(strings.Repeat(" ", i) + strings.Repeat("- ", dashes-1) + "-\n")
	}
	return b.String()
}

// Files made to exhaust a reader end in a complaint, and in few enough of them.
func TestHostileFilesEndInAComplaint(t *testing.T) {
	for name, text := range hostile() {
		t.Run(name, func(t *testing.T) {
			doc := Parse("hostile.yaml", []byte(text))
			var fleet testFleet
			if doc.Decode(&fleet) {
				t.Error("was decoded")
			}
			err := doc.Err()
			if err == nil {
				t.Fatal("no complaint")
			}
			if size := len(err.Error()); size > 400*(MaxShown+1)+2*1<<20 {
				t.Errorf("the complaints take %d bytes", size)
			}
		})
	}
}

func BenchmarkHostile(b *testing.B) {
	for name, text := range hostile() {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				doc := Parse("hostile.yaml", []byte(text))
				var fleet testFleet
				doc.Decode(&fleet)
				if doc.Err() == nil {
					b.Fatal("no complaint")
				}
			}
		})
	}
}
