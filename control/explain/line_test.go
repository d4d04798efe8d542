package explain_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tessera-autoscaler/tessera/control/explain"
	"github.com/tessera-autoscaler/tessera/fleet"
)

// A plan that is read back and written again is the same to the byte, whatever its
// steps.
func TestPlansAreReadBackWhole(t *testing.T) {
	lines := journalOf(t)
	kinds := map[fleet.StepKind]bool{}
	for i, e := range entries(t, lines) {
		var was struct{ Plan json.RawMessage }
		if err := json.Unmarshal(lines[i+1], &was); err != nil {
			t.Fatal(err)
		}
		now, err := json.Marshal(e.Plan)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(was.Plan, now) {
			t.Fatalf("the plan\n%s\nis read as\n%s", was.Plan, now)
		}
		for _, s := range e.Plan.Steps {
			kinds[s.Kind()] = true
		}
	}
	for _, k := range []fleet.StepKind{fleet.KindBuyNode, fleet.KindStartReplica} {
		if !kinds[k] {
			t.Errorf("no %s was read: the test needs another scenario", k)
		}
	}
}

// A record in another order, or with spaces, is the same record: passing over the inputs
// is only quicker.
func TestARecordOfAnotherShapeIsTheSame(t *testing.T) {
	lines := journalOf(t)
	for i := 1; i < len(lines); i += 19 {
		line := lines[i]
		want, err := explain.ReadEntry(line)
		if err != nil {
			t.Fatal(err)
		}
		var parts map[string]json.RawMessage
		if err := json.Unmarshal(line, &parts); err != nil {
			t.Fatal(err)
		}
		var spaced bytes.Buffer
		if err := json.Indent(&spaced, line, "", " "); err != nil {
			t.Fatal(err)
		}
		turned := []byte(`{"plan":` + string(parts["plan"]) + `,"needs":` + string(parts["needs"]) + `,"inputs":` + string(parts["inputs"]))
		if o := parts["outcomes"]; o != nil {
			turned = append(append(turned, `,"outcomes":`...), o...)
		}
		for _, other := range [][]byte{spaced.Bytes(), append(turned, '}')} {
			got, err := explain.ReadEntry(other)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.Needs, got.Needs); diff != "" {
				t.Fatal(diff)
			}
			if a, b := want.Plan.Describe(), got.Plan.Describe(); a != b || len(want.Outcomes) != len(got.Outcomes) {
				t.Fatalf("%s\nis read as\n%s", a, b)
			}
		}
	}
}

// Models may be called as the parts of a record are.
func TestModelsNamedLikePartsOfARecord(t *testing.T) {
	lines := journalOf(t, "transcribe-en", "needs", "transcribe-fr", "plan")
	for i, e := range entries(t, lines) {
		if !e.Plan.At.Equal(inputsOf(t, lines[i+1]).Now) || len(e.Needs) != 2 {
			t.Fatalf("record %d is read as %s with %d needs", i+1, e.Plan.ID, len(e.Needs))
		}
	}
}

func TestWhatIsNoLineOfARecordSaysSo(t *testing.T) {
	for text, says := range map[string]string{
		`hello`:             "no line of a record",
		`{"hash":"1"}`:      "neither settings nor a plan",
		`{"plan":{"id":"`:   "no line of a record",
		`{"settings":{}}`:   "no record",
		`{"inputs":{"a":1}`: "no line of a record",
		`{"plan":{"id":"plan-20260914T000000Z","steps":[{"kind":"teleport","step":{}}]}}`: `"teleport"`,
	} {
		if _, err := explain.ReadEntry([]byte(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
