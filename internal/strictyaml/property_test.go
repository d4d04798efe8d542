package strictyaml

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// An emitter writes random YAML and remembers where it put every scalar.
type emitter struct {
	t      *rapid.T
	b      strings.Builder
	line   int
	column int
	next   int
	want   map[string]Position // By path.
	keys   map[string]Position
	text   map[string]string
}

func (e *emitter) write(s string) {
	e.b.WriteString(s)
	for _, r := range s {
		e.column++
		if r == '\n' {
			e.line, e.column = e.line+1, 1
		}
	}
}

// word returns a text that occurs once, in a random script and style.
func (e *emitter) word(kinds ...string) (shown, text string) {
	e.next++
	text = rapid.SampledFrom([]string{"a", "aa b", "日本", "é ü", "👩‍👩‍👧", "x-y z"}).Draw(e.t, "word")
	text = fmt.Sprintf("%s%d", text, e.next)
	switch rapid.SampledFrom(kinds).Draw(e.t, "style") {
	case "single":
		return "'it''s " + text + "'", "it's " + text
	case "double":
		return `"\u00e9\n` + text + `\""`, "é\n" + text + `"`
	case "split":
		return text + "  \n" + strings.Repeat(" ", 60) + "rest", text + " rest"
	default:
		return text, text
	}
}

func (e *emitter) scalar(path string, kinds ...string) {
	shown, text := e.word(kinds...)
	e.want[path], e.text[path] = Position{e.line, e.column, true}, text
	e.write(shown)
}

func (e *emitter) key(path string) string {
	shown, text := e.word("plain", "single", "double")
	path = Key(path, text)
	e.keys[path] = Position{e.line, e.column, true}
	e.write(shown + rapid.SampledFrom([]string{":", ":", " :"}).Draw(e.t, "colon"))
	return path
}

func (e *emitter) blank() {
	e.write(rapid.SampledFrom([]string{"", "", " ", "   "}).Draw(e.t, "blank"))
	e.write(rapid.SampledFrom([]string{"\n", "\n", " # a comment: [\n", "\n\n", "\n# at the margin\n"}).Draw(e.t, "end"))
}

// flow writes a value in brackets or a scalar, all within a line or more.
func (e *emitter) flow(path string, depth int) {
	gap := func() { e.write(rapid.SampledFrom([]string{"", " ", "  "}).Draw(e.t, "gap")) }
	n := rapid.IntRange(1, 3).Draw(e.t, "n")
	switch rapid.IntRange(0, 2).Draw(e.t, "kind") + depth/3*3 {
	case 0:
		e.want[path] = Position{e.line, e.column, true}
		e.write("[")
		for i := range n {
			gap()
			e.flow(Index(path, i), depth+1)
			gap()
			e.write(",")
		}
		e.write("]")
	case 1:
		e.want[path] = Position{e.line, e.column, true}
		e.write("{")
		for i := range n {
			if i > 0 {
				e.write(",")
			}
			gap()
			p := e.key(path)
			e.write(" ")
			e.flow(p, depth+1)
			gap()
		}
		e.write("}")
	default:
		e.scalar(path, "plain", "single", "double")
	}
}

// block writes a value below its parent, indented.
func (e *emitter) block(path string, indent, depth int) {
	n := rapid.IntRange(1, 3).Draw(e.t, "n")
	list := rapid.Bool().Draw(e.t, "list")
	for i := range n {
		p := Index(path, i)
		e.write(strings.Repeat(" ", indent))
		if i == 0 {
			e.want[path] = Position{e.line, e.column, true}
		}
		if list {
			e.keys[p] = Position{e.line, e.column, true}
			e.write("-")
		} else {
			p = e.key(path)
		}
		switch {
		case depth < 3 && rapid.Bool().Draw(e.t, "nested"):
			e.blank()
			e.block(p, indent+2, depth+1)
		case rapid.Bool().Draw(e.t, "flow"):
			e.write(" ")
			e.flow(p, depth)
			e.blank()
		default:
			e.write("  ")
			e.scalar(p, "plain", "single", "double", "split")
			e.blank()
		}
	}
}

// Wherever a value or key stands, in whatever script and style, its position and
// its text are those that were written. The lexer's own columns do not keep this
// promise: without locate the test fails on blanks behind plain text.
func TestPositionsAreWhereTheTextWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := &emitter{
			t: t, line: 1, column: 1,
			want: map[string]Position{}, keys: map[string]Position{}, text: map[string]string{},
		}
		e.block("", 0, 0)
		doc := Parse("random.yaml", []byte(e.b.String()))
		if err := doc.Err(); err != nil {
			t.Fatalf("%v\n%s", err, e.b.String())
		}
		for path, want := range e.want {
			if got := doc.At(path); got != want {
				t.Errorf("value at %s: got %v, want %v\n%s", path, got, want, e.b.String())
			}
		}
		for path, want := range e.keys {
			if got := doc.KeyAt(path); got != want {
				t.Errorf("key at %s: got %v, want %v\n%s", path, got, want, e.b.String())
			}
		}
		for path, want := range e.text {
			n, _ := doc.root.find(path)
			if n.text != want {
				t.Errorf("text at %s: got %q, want %q\n%s", path, n.text, want, e.b.String())
			}
		}
	})
}

// plainValue turns a tree into what encoding/json makes of the same bytes.
func plainValue(n *node) any {
	switch n.kind {
	case Mapping:
		m := map[string]any{}
		for _, c := range n.children {
			m[c.key] = plainValue(c)
		}
		return m
	case List:
		l := []any{}
		for _, c := range n.children {
			l = append(l, plainValue(c))
		}
		return l
	case Null:
		return nil
	}
	if !n.quoted && (n.text == "true" || n.text == "false") {
		return n.text == "true"
	}
	if !n.quoted {
		return json.Number(n.text)
	}
	return n.text
}

func drawJSON(t *rapid.T, depth int) any {
	key := rapid.StringMatching(`[a-zA-Z0-9 :#,{}\[\]"'é日-]{0,8}`)
	switch rapid.IntRange(0, 6-depth).Draw(t, "kind") {
	case 0:
		return key.Draw(t, "text")
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2:
		return json.Number(strconv.FormatFloat(rapid.Float64().Draw(t, "number"), 'g', -1, 64))
	case 3:
		return nil
	case 4:
		return strings.Map(func(r rune) rune {
			if r >= ' ' && !printable(r) { // What is left is escaped by encoding/json.
				return '?'
			}
			return r
		}, rapid.String().Draw(t, "any text"))
	case 5:
		l := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "n") {
			l = append(l, drawJSON(t, depth+1))
		}
		return l
	default:
		m := map[string]any{}
		for range rapid.IntRange(0, 3).Draw(t, "n") {
			m[key.Draw(t, "key")] = drawJSON(t, depth+1)
		}
		return m
	}
}

// JSON is YAML: what encoding/json writes, indented or not, is read with the
// same structure and the same texts.
func TestJSONIsReadAsItsOwnParserReadsIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := map[string]any{"root": drawJSON(t, 0)}
		data, err := json.Marshal(value)
		if rapid.Bool().Draw(t, "indented") {
			data, err = json.MarshalIndent(value, "", rapid.SampledFrom([]string{" ", "    ", "\t"}).Draw(t, "indent"))
		}
		if err != nil {
			t.Fatal(err)
		}
		doc := Parse("random.json", data)
		if doc.root == nil {
			t.Fatalf("%v\n%s", doc.Err(), data)
		}
		var want any
		decoder := json.NewDecoder(strings.NewReader(string(data)))
		decoder.UseNumber()
		if err := decoder.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, plainValue(doc.root)); diff != "" {
			t.Errorf("%s\n(-json +yaml):\n%s", data, diff)
		}
	})
}

// A path made by Key and Index is read back into the same steps.
func TestPathsCanBeReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want []step
		path := ""
		for range rapid.IntRange(0, 5).Draw(t, "n") {
			if rapid.Bool().Draw(t, "index") {
				i := rapid.IntRange(0, 99).Draw(t, "i")
				want, path = append(want, step{index: i, isIndex: true}), Index(path, i)
				continue
			}
			key := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"spec", "a100-80gb/1g.10gb", "", "]", `["`})).Draw(t, "key")
			key = strings.ToValidUTF8(key, "?")
			want, path = append(want, step{key: key}), Key(path, key)
		}
		got, whole := steps(path)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(step{})); diff != "" || !whole {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	})
}

// A duration that is formatted is read back as the same.
func TestDurationsCanBeReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Min(0).Draw(t, "d"))
		got, err := ParseDuration(FormatDuration(d))
		if err != nil || got != d {
			t.Errorf("%d as %s: got %d, %v", d, FormatDuration(d), got, err)
		}
	})
}

// The edit distance is that of its plain recursive definition.
func TestDistanceMatchesItsDefinition(t *testing.T) {
	var slow func(a, b string) int
	slow = func(a, b string) int {
		if a == "" || b == "" {
			return len(a) + len(b)
		}
		la, lb := len(a)-1, len(b)-1
		cost := 1
		if a[la] == b[lb] {
			cost = 0
		}
		best := min(slow(a[:la], b)+1, slow(a, b[:lb])+1, slow(a[:la], b[:lb])+cost)
		if la > 0 && lb > 0 && a[la] == b[lb-1] && a[la-1] == b[lb] {
			best = min(best, slow(a[:la-1], b[:lb-1])+1)
		}
		return best
	}
	word := rapid.StringMatching(`[abc]{0,5}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		if got, want := distance([]rune(a), []rune(b)), slow(a, b); got != want {
			t.Errorf("distance(%q, %q) = %d, want %d", a, b, got, want)
		}
	})
}

// However long a line and wherever the column, the excerpt fits a terminal and
// the caret stands below the character of that column.
func TestTheCaretStandsBelowItsCharacter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		filler := rapid.StringOf(rapid.SampledFrom([]rune("ab \t日é")))
		line := filler.Draw(t, "before") + strings.Repeat(filler.Draw(t, "more"), rapid.IntRange(0, 30).Draw(t, "times"))
		column := utf8.RuneCountInString(line) + 1
		line += "@" + strings.Repeat(filler.Draw(t, "after"), rapid.IntRange(0, 30).Draw(t, "times"))
		shown, caret := excerpt(line, column)
		if total := width(cells(shown)); total > excerptWidth+2 {
			t.Errorf("excerpt is %d cells wide: %q", total, shown)
		}
		before, _, found := strings.Cut(shown, "@")
		if !found || width(cells(before)) != caret {
			t.Errorf("caret at %d of %q", caret, shown)
		}
	})
}
