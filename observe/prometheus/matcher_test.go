package prometheus

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// TestMatchersMatchTheirValuesOnly: read back as the server reads it, a matcher is
// one string, and as a regular expression, anchored at both ends, matches the
// values it was made of and nothing else.
func TestMatchersMatchTheirValuesOnly(t *testing.T) {
	value := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{`"} or vector(0) #`, "a|b", ".*", `\`, "$window", "\n", `\E`, "'", "`", "}"}))
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfNDistinct(value, 1, 5, rapid.ID).Draw(t, "values")
		literal, ok := strings.CutPrefix(oneOf("model", values), "model=~")
		if !ok {
			t.Fatalf("the matcher is %s", literal)
		}
		if prefix, err := strconv.QuotedPrefix(literal); err != nil || prefix != literal {
			t.Fatalf("%s is not one string: %v", literal, err)
		}
		expression, err := strconv.Unquote(literal)
		if err != nil {
			t.Fatal(err)
		}
		anchored := regexp.MustCompile("^(?s:" + expression + ")$")
		for _, v := range append(values, value.Draw(t, "another")) {
			if anchored.MatchString(v) != slices.Contains(values, v) {
				t.Fatalf("%s matches %q: %v", literal, v, !slices.Contains(values, v))
			}
		}
	})
}

// TestTemplatesAreFilledOnce: a value that looks like a placeholder stays as it is,
// and $1 is none.
func TestTemplatesAreFilledOnce(t *testing.T) {
	s := Source{
		Pack:   Pack{Keys: []string{"topic", "group"}},
		Models: map[fleet.ModelName]Key{}, Matchers: map[string]string{"job": "$window"},
	}
	v := s.match([]Key{{"topic": "$keys", "group": "g"}, {"topic": "a.b", "group": "g"}})
	got := v.fill(`x{$match}y{$match_topic}by($keys)$1 $unheard`)
	want := `x{job="$window",topic=~"\\$keys|a\\.b",group=~"g"}y{job="$window",topic=~"\\$keys|a\\.b"}by(topic, group)$1 $unheard`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	s.Matchers = nil
	if got := s.match(nil)["match"]; got == "" {
		t.Error("the braces may be empty, and a comma follow")
	}
}
