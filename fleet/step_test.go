package fleet

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2024, 11, 18, 12, 0, 0, 0, time.UTC)

// smallFleet is one A100 node with a replica on one of three slices.
func smallFleet() Snapshot {
	return Snapshot{
		At: noon,
		Nodes: []Node{{
			ID: "n1", Offering: "a100", State: NodeReady, ReadyAt: noon.Add(-time.Hour),
			GPUs: []GPU{{Type: "a100-80gb", Geometry: Geometry{{"1g.10gb", 0}, {"2g.20gb", 2}, {"3g.40gb", 4}}}},
		}},
		Replicas: []Replica{{ID: "r1", Model: "transcribe-fr", Slice: SliceID{GPUID{"n1", 0}, 0}, State: ReplicaReady, Since: noon}},
	}
}

func slot(start int) SliceID { return SliceID{GPUID{"n1", 0}, start} }

func TestStepsRefuseWhatIsNotSoAndLeaveTheSnapshotAlone(t *testing.T) {
	draining := smallFleet()
	draining.Nodes[0].State = NodeDraining
	for name, c := range map[string]struct {
		give Snapshot
		step Step
		want string
	}{
		"a node that exists":            {smallFleet(), BuyNode{Node: "n1"}, "exists"},
		"a slice that is taken":         {smallFleet(), StartReplica{Replica: "r2", Slice: slot(0)}, "taken by r1"},
		"a slice that is not there":     {smallFleet(), StartReplica{Replica: "r2", Slice: slot(1)}, "is not there"},
		"a replica that exists":         {smallFleet(), StartReplica{Replica: "r1", Slice: slot(2)}, "exists"},
		"a node that drains":            {draining, StartReplica{Replica: "r2", Slice: slot(2)}, "draining"},
		"a replica that is gone":        {smallFleet(), StopReplica{Replica: "r9"}, "not there"},
		"a GPU that works":              {smallFleet(), Reshape{GPU: GPUID{"n1", 0}, Geometry: Geometry{{"7g.80gb", 0}}}, "not empty"},
		"a node that does not drain":    {smallFleet(), ReturnNode{Node: "n1"}, "not draining"},
		"a node that is not empty":      {draining, ReturnNode{Node: "n1"}, "not empty"},
		"a drain that is under way":     {draining, DrainNode{Node: "n1"}, "already"},
		"a drain that is not there":     {smallFleet(), KeepNode{Node: "n1"}, "not draining"},
		"an illegal geometry on no GPU": {smallFleet(), Reshape{GPU: GPUID{"n1", 3}}, "not there"},
	} {
		t.Run(name, func(t *testing.T) {
			before := c.give.Clone()
			err := c.step.Apply(&c.give)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Apply = %v, want it to say %q", err, c.want)
			}
			if diff := cmp.Diff(before.Describe(), c.give.Describe()); diff != "" {
				t.Errorf("a refused step changed the snapshot:\n%s", diff)
			}
		})
	}
}

func TestStepsTellTheWholeLifeOfANode(t *testing.T) {
	s := smallFleet()
	steps := []Step{
		StartReplica{Replica: "r2", Model: "transcribe-de", Slice: slot(2)},
		StopReplica{Replica: "r1"},
		DrainNode{Node: "n1"},
		KeepNode{Node: "n1"},
		BuyNode{Node: "n2", Offering: "a100", GPUs: []GPU{{Type: "a100-80gb", Geometry: Geometry{{"7g.80gb", 0}}}}},
		DrainNode{Node: "n2"},
		ReturnNode{Node: "n2"},
	}
	for _, step := range steps {
		if err := step.Apply(&s); err != nil {
			t.Fatalf("%s: %v", step.Describe(), err)
		}
	}
	want := `2024-11-18T12:00:00Z  1 nodes, 2 replicas
  n1/0 ready     a100-80gb [1g.10gb transcribe-fr draining][2g.20gb transcribe-de pending][3g.40gb free]
`
	if diff := cmp.Diff(want, s.Describe()); diff != "" {
		t.Error(diff)
	}
}

// TestEveryReasonHasASentence: an operand that a sentence names is filled in,
// and one that it does not name is not lost.
func TestEveryReasonHasASentence(t *testing.T) {
	for _, code := range ReasonCodes() {
		text := Because(code, "extra", "42 things").String()
		if text == string(code) || !strings.Contains(text, "42 things") {
			t.Errorf("%s reads %q", code, text)
		}
	}
	got := Because(ReasonHeldBudget, "subject", "n1", "spend", "$130.00/h", "cap", "$120.00 per hour").String()
	if want := "n1 waits: $130.00/h would exceed the cap of $120.00 per hour"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
