package strictyaml

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const inlineScenario = `apiVersion: tessera/v1alpha1
kind: Scenario
spec:
  catalog: ../catalog.yaml
  policy:
    apiVersion: tessera/v1alpha1
    kind: FleetPolicy
    spec:
      currency: USD
      classes: {zulu: {kind: async}, alpha: {kind: streaming, slo: {latency: 300}}}
      models:
      - {name: a, class: alpah}
`

type testScenario struct {
	Envelope `yaml:",inline"`
	Spec     struct {
		Catalog Node `yaml:"catalog"`
		Policy  Node `yaml:"policy"`
		Absent  Node `yaml:"absent"`
	} `yaml:"spec"`
}

// A part that may be a path or the content itself is captured, looked at, and
// decoded by the code that decodes a file of its own, with the same paths; the
// complaints show where it stands in the file that holds it.
func TestAnInlineFileIsCheckedAsOneOfItsOwn(t *testing.T) {
	doc := Parse("scenario.yaml", []byte(inlineScenario))
	var scenario testScenario
	if kind, ok := doc.Expect("tessera/v1alpha1", "Scenario", "FleetPolicy"); !ok || kind != "Scenario" {
		t.Fatalf("kind %q, %v", kind, ok)
	}
	if !doc.Decode(&scenario) {
		t.Fatal(doc.Err())
	}
	if scenario.Spec.Absent.Kind() != Absent || scenario.Spec.Policy.Kind() != Mapping {
		t.Error("the kinds of the captured nodes are wrong")
	}
	var path string
	if text, quoted := scenario.Spec.Catalog.Text(); text != "../catalog.yaml" || quoted {
		t.Errorf("catalog is %q, quoted %v", text, quoted)
	}
	if !doc.DecodeNode(scenario.Spec.Catalog, &path) || path != "../catalog.yaml" {
		t.Errorf("catalog decodes to %q", path)
	}

	policy := doc.Within(scenario.Spec.Policy)
	var fleet testFleet
	if _, ok := policy.Expect("tessera/v1alpha1", "FleetPolicy"); !ok {
		t.Fatal(doc.Err())
	}
	if policy.Decode(&fleet) {
		t.Error("the latency without unit was accepted")
	}
	checkClasses(policy, fleet)
	want := strings.TrimPrefix(`
scenario.yaml:10:78: spec.policy.spec.classes.alpha.slo.latency: 300 has no unit, but a duration is expected
   10 |       classes: {zulu: {kind: async}, alpha: {kind: streaming, slo: {latency: 300}}}
      |                                                                              ^
        did you mean "300s"?
scenario.yaml:12:26: spec.policy.spec.models[0].class: there is no class "alpah"
   12 |       - {name: a, class: alpah}
      |                          ^
        did you mean "alpha"?`, "\n")
	if diff := cmp.Diff(want, doc.Err().Error()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"zulu", "alpha"}, policy.Keys("spec.classes")); diff != "" {
		t.Errorf("keys in the order of the file (-want +got):\n%s", diff)
	}
	if policy.Sound("spec.classes") || policy.Sound("spec.classes.alpha.slo.latency") || !policy.Sound("spec.classes.zulu") {
		t.Error("what is sound is told wrong")
	}
}

func TestPositionsOfPaths(t *testing.T) {
	doc := Parse("p.yaml", []byte("a:\n  b.c: [x, {d: 1}]\n  e:\n  - f\n"))
	tests := []struct {
		path       string
		value, key Position
	}{
		{"", Position{1, 1, true}, Position{1, 1, true}},
		{"a", Position{2, 3, true}, Position{1, 1, true}},
		{`a["b.c"]`, Position{2, 8, true}, Position{2, 3, true}},
		{`a["b.c"][1].d`, Position{2, 16, true}, Position{2, 13, true}},
		{`a["b.c"][1].z`, Position{2, 12, false}, Position{2, 12, false}},
		{"a.e[0]", Position{4, 5, true}, Position{4, 3, true}},
		{"a.e[7].x", Position{3, 3, false}, Position{3, 3, false}},
		{"a.e[-1]", Position{3, 3, false}, Position{3, 3, false}},
		{"a.e[", Position{3, 3, false}, Position{3, 3, false}},
		{"nothing.here", Position{1, 1, false}, Position{1, 1, false}},
	}
	for _, tt := range tests {
		if got := doc.At(tt.path); got != tt.value {
			t.Errorf("At(%s) = %v, want %v", tt.path, got, tt.value)
		}
		if got := doc.KeyAt(tt.path); got != tt.key {
			t.Errorf("KeyAt(%s) = %v, want %v", tt.path, got, tt.key)
		}
	}
}

func TestWhatTheFileLeavesOutKeepsItsDefault(t *testing.T) {
	yes := true
	fleet := testFleet{Spec: testSpec{
		Interval: time.Minute, Shadow: &yes, Languages: []string{"en", "fr"},
		Classes: map[string]testClass{"default": {Kind: "async"}},
	}}
	doc := Parse("d.yaml", []byte(`{"spec": {"currency": "USD", "languages": ["sv"], "models": [{"name": "a", "class": "b"}]}}`))
	if !doc.Decode(&fleet) {
		t.Fatal(doc.Err())
	}
	want := testSpec{
		Currency: "USD", Interval: time.Minute, Shadow: &yes, Languages: []string{"sv"},
		Classes: map[string]testClass{"default": {Kind: "async"}},
		Models:  []testModel{{Name: "a", Class: "b"}},
	}
	if diff := cmp.Diff(want, fleet.Spec, cmp.AllowUnexported(Node{}, testMoney{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if doc.Has("spec.classes") || !doc.Has("spec.languages") {
		t.Error("Has takes defaults for what the file gives")
	}
}

func TestTheGoodFileDecodesWhole(t *testing.T) {
	deadline := 15 * time.Minute
	shadow := true
	doc := Parse("good.yaml", readTestFile(t, "testdata/good.yaml"))
	var got testFleet
	if !doc.Decode(&got) {
		t.Fatal(doc.Err())
	}
	got.Spec.Catalog = Node{}
	want := testFleet{
		Envelope: Envelope{APIVersion: "tessera/v1alpha1", Kind: "FleetPolicy", Metadata: Metadata{Name: "speech"}},
		Spec: testSpec{
			Currency: "USD", Start: time.Date(2024, 11, 18, 0, 0, 0, 0, time.UTC), Interval: 30 * time.Second,
			Expire: DurationOrNever{Never: true}, Shadow: &shadow, Languages: []string{"en", "no", "sv"},
			Budgets: []testBudget{{Amount: "120", Price: &testMoney{"5.07"}, OnExceeded: "hold"}},
			Classes: map[string]testClass{
				"live":    {Kind: "streaming", SLO: testSLO{Latency: 300 * time.Millisecond, Target: 0.995}},
				"summary": {Kind: "async", SLO: testSLO{Deadline: &deadline, Target: 0.99}},
			},
			Models: []testModel{
				{Name: "transcribe-fr", Language: "fr", Class: "live", Batch: []int{1, 8, 32}, Memory: 9000, Offset: -3},
				{Name: "summary-en", Class: "summary", Notes: "Several lines\nof notes.\n"},
			},
			Names: map[testID]string{"m0000": "sd-a"},
		},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Node{}, testMoney{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestComplaintsAreAnErrorThatCanBeTakenApart(t *testing.T) {
	doc := Parse("e.yaml", []byte("spec: {currency: GBP}\n"))
	var fleet testFleet
	doc.Decode(&fleet)
	err := fmt.Errorf("read the policy: %w", doc.Err())
	var all Complaints
	if !errors.As(err, &all) || len(all) != 2 {
		t.Fatalf("got %v", err)
	}
	want := Complaint{
		File: "e.yaml", Line: 1, Column: 18, Path: "spec.currency", Message: `"GBP" is not one of USD, EUR`,
		Source: "spec: {currency: GBP}", Caret: 17,
	}
	if diff := cmp.Diff(want, all[1]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOfVeryManyComplaintsTheFirstAreShown(t *testing.T) {
	doc := Parse("m.yaml", []byte("a: ["+strings.Repeat("no, ", 1000)+"]\n"))
	var out struct {
		A []string `yaml:"a"`
	}
	doc.Decode(&out)
	var all Complaints
	if !errors.As(doc.Err(), &all) || len(all) != MaxShown+1 {
		t.Fatalf("%d complaints", len(all))
	}
	if last := all[MaxShown].Message; last != "800 more complaints follow from here on" {
		t.Errorf("the last says %q", last)
	}
}

// What cannot be read, or was complained about already, draws no complaints of
// meaning.
func TestChecksOfMeaningAreSilentWhereDecodingHasComplained(t *testing.T) {
	for _, text := range []string{"a: [", "- 1", "a: {b: [1]}", "a: 5", "b: 1", "aa: {}"} {
		doc := Parse("s.yaml", []byte(text))
		var out struct {
			A struct {
				B map[string]int `yaml:"b"`
			} `yaml:"a,required"`
		}
		doc.Decode(&out)
		var before Complaints
		if !errors.As(doc.Err(), &before) {
			t.Fatalf("%q was decoded", text)
		}
		doc.Complain("a.b.c", "is missing").OnKey().Hint("add it")
		if got := doc.Err().Error(); got != before.Error() {
			t.Errorf("%q: a complaint was added:\n%s", text, got)
		}
	}
}

func TestGoTypesThatCannotBeDecodedAreAMistakeOfTheProgram(t *testing.T) {
	tests := map[string]any{
		"no pointer":  testFleet{},
		"nil":         nil,
		"nil pointer": (*testFleet)(nil),
		"interface": &struct {
			A any `yaml:"a"`
		}{},
		"channel": &struct {
			A []chan int `yaml:"a"`
		}{},
		"number keys": &struct {
			A map[int]string `yaml:"a"`
		}{},
		"no tag": &struct{ A int }{},
		"unexported": &struct {
			a int `yaml:"a"`
		}{},
		"unknown option": &struct {
			A int `yaml:"a,omitempty"`
		}{},
		"bad bound": &struct {
			A int `yaml:"a,min=x"`
		}{},
		"bad duration": &struct {
			A time.Duration `yaml:"a,min=5"`
		}{},
		"key taken twice": &struct {
			A, B int `yaml:"a"`
		}{},
		"inline no struct": &struct {
			A int `yaml:",inline"`
		}{},
	}
	for name, target := range tests {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			Parse("x.yaml", []byte("b: 1")).Decode(target)
		})
	}
}

// Files written on other systems are read alike, with the same positions.
func TestLineEndsAndByteOrderMarksMakeNoDifference(t *testing.T) {
	const text = "spec:\n  currency: USD\n  models: [{name: a, class: b}]\n  intervall: 1s\n"
	complaints := func(text string) string {
		var fleet testFleet
		doc := Parse("l.yaml", []byte(text))
		doc.Decode(&fleet)
		return doc.Err().Error()
	}
	want := complaints(text)
	for name, other := range map[string]string{
		"CRLF":     strings.ReplaceAll(text, "\n", "\r\n"),
		"lone CR":  strings.ReplaceAll(text, "\n", "\r"),
		"BOM":      "\ufeff" + text,
		"trailing": strings.ReplaceAll(text, "\n", "  \n"),
	} {
		if diff := cmp.Diff(want, complaints(other)); diff != "" {
			t.Errorf("%s (-LF +other):\n%s", name, diff)
		}
	}
}
