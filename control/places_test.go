package control_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// placed says where servers of a model can be started.
func placed(in control.Inputs, name fleet.ModelName, profiles ...fleet.ProfileName) control.Inputs {
	for i := range in.Snapshot.Models {
		if m := &in.Snapshot.Models[i]; m.Model == name {
			m.Places = []fleet.Place{}
			for _, p := range profiles {
				m.Places = append(m.Places, fleet.Place{Variant: "fp16", Kind: fleet.SliceKind{GPU: "a100-80gb", Profile: p}})
			}
		}
	}
	return in
}

// twoModels wants one replica of each of two models, on A100s.
func twoModels() control.Settings {
	models := smallPolicy().Models[1:]
	return settingsOf(models, smallCatalog().Offerings[0])
}

// TestNothingIsBoughtForAServerThatNobodyDeployed, and the model's want is said;
// the others are served as ever.
func TestNothingIsBoughtForAServerThatNobodyDeployed(t *testing.T) {
	in := seen(fleet.Snapshot{}, map[fleet.ModelName]float64{"transcribe-en": 1, "transcribe-fr": 0.2})
	d := decided(t, twoModels(), placed(in, "transcribe-fr"))
	for _, step := range d.Plan.Steps {
		if start, ok := step.(fleet.StartReplica); ok && start.Model == "transcribe-fr" {
			t.Errorf("%s, though it is deployed nowhere", step.Describe())
		}
	}
	if steps(d, fleet.KindStartReplica) == 0 || !strings.Contains(fmt.Sprint(d.Plan.Held), "transcribe-fr lacks 0.2/s: no server of it is deployed") {
		t.Errorf("the other model is not served, or the want is not said:\n%s", d.Plan.Describe())
	}
}

// TestMoneyIsNotBlamedForWhatNobodyDeployed: a cap is named only where it stands in
// the way.
func TestMoneyIsNotBlamedForWhatNobodyDeployed(t *testing.T) {
	settings := twoModels()
	settings.Policy.Budgets = []policy.Budget{{Per: policy.Hour, Amount: dollars(1), OnExceeded: policy.Hold}}
	for _, deployed := range []bool{true, false} {
		in := seen(fleet.Snapshot{}, map[fleet.ModelName]float64{"transcribe-en": 1, "transcribe-fr": 0.2})
		if !deployed {
			in = placed(placed(in, "transcribe-fr"), "transcribe-en")
		}
		d := decided(t, settings, in)
		if blamed := strings.Contains(fmt.Sprint(d.Plan.Held), "cap of"); blamed != deployed {
			t.Errorf("the cap is blamed: %t\n%s", blamed, d.Plan.Describe())
		}
	}
}

// TestServersStartOnlyWhereTheirDeploymentIs, whatever is cheaper elsewhere.
func TestServersStartOnlyWhereTheirDeploymentIs(t *testing.T) {
	in := seen(fleet.Snapshot{}, map[fleet.ModelName]float64{"transcribe-en": 1, "transcribe-fr": 0.2})
	in = placed(placed(in, "transcribe-fr", "3g.40gb"), "transcribe-en", "7g.80gb")
	d := decided(t, twoModels(), in)
	view := in.Snapshot.Clone()
	for _, step := range d.Plan.Steps {
		if err := step.Apply(&view); err != nil {
			t.Fatal(err)
		}
	}
	want := map[fleet.ModelName]fleet.ProfileName{"transcribe-fr": "3g.40gb", "transcribe-en": "7g.80gb"}
	for _, r := range view.Replicas {
		if kind, _ := view.KindOf(r); kind.Profile != want[r.Model] {
			t.Errorf("%s is on %s", r.ID, kind)
		}
	}
	if len(view.Replicas) < 2 {
		t.Errorf("%d replicas of two models", len(view.Replicas))
	}
}

// TestWhatAPersonHoldsIsLeftAlone: its replicas neither start nor stop and no node
// is bought for it, whatever it lacks or has too much; what it lacks is said.
func TestWhatAPersonHoldsIsLeftAlone(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		fr := rapid.Float64Range(0, 20).Draw(rt, "arrivals of the held model")
		replicas := rapid.IntRange(0, 7).Draw(rt, "its replicas")
		node := fleet.Node{
			ID: "a100-00001", Offering: "a100", State: fleet.NodeReady, RequestedAt: monday.Add(-time.Hour), ReadyAt: monday.Add(-time.Hour),
			GPUs: []fleet.GPU{{Type: "a100-80gb"}},
		}
		s := fleet.Snapshot{}
		for start := range 7 {
			node.GPUs[0].Geometry = append(node.GPUs[0].Geometry, fleet.Placement{Profile: "1g.10gb", Start: start})
			if start < replicas {
				s.Replicas = append(s.Replicas, fleet.Replica{
					ID: fleet.ReplicaID(fmt.Sprintf("transcribe-fr-%05d", start+2)), Model: "transcribe-fr", Variant: "fp16", State: fleet.ReplicaReady,
					Slice: fleet.SliceID{GPU: fleet.GPUID{Node: node.ID}, Start: start}, InFlight: fleet.Measured(0, 0, 1),
				})
			}
		}
		s.Nodes = []fleet.Node{node}
		s.Holds = []fleet.Hold{{Model: "transcribe-fr", By: "kubectl", Since: monday.Add(-time.Minute), Until: monday.Add(time.Hour)}}
		settings := twoModels()
		settings.Policy.Models = settings.Policy.Models[1:] // the held one alone
		d := decided(t, settings, seen(s, map[fleet.ModelName]float64{"transcribe-fr": fr}))
		for _, step := range d.Plan.Steps {
			switch step.(type) {
			case fleet.StartReplica, fleet.StopReplica, fleet.BuyNode:
				rt.Errorf("%s, though kubectl holds it", step.Describe())
			}
		}
		if need := d.Needs[0]; need.Have < need.Lead && !strings.Contains(fmt.Sprint(d.Plan.Held), "kubectl") {
			rt.Errorf("needs %g, has %g, and nobody says who holds it: %v", need.Lead, need.Have, d.Plan.Held)
		}
	})
}

// TestNobodyElsesNodeIsGivenBack, however empty it is; one of our own beside it is.
func TestNobodyElsesNodeIsGivenBack(t *testing.T) {
	empty := func(id fleet.NodeID, fixed bool) fleet.Node {
		return fleet.Node{
			ID: id, Offering: "a100", State: fleet.NodeReady, ReadyAt: monday.Add(-2 * time.Hour), Fixed: fixed,
			GPUs: []fleet.GPU{{Type: "a100-80gb", Geometry: fleet.Geometry{{Profile: "7g.80gb"}}}},
		}
	}
	settings := twoModels()
	for i := range settings.Policy.Models {
		settings.Policy.Models[i].MinReplicas = 0
	}
	in := seen(fleet.Snapshot{Nodes: []fleet.Node{empty("theirs", true), empty("ours", false)}}, map[fleet.ModelName]float64{"transcribe-en": 0, "transcribe-fr": 0})
	d := decided(t, settings, in)
	var returned []string
	for _, step := range d.Plan.Steps {
		returned = append(returned, string(step.Kind())+" "+step.Subject())
	}
	if got := strings.Join(returned, ", "); got != "drain-node ours, return-node ours" {
		t.Errorf("%s\n%s", got, d.Plan.Describe())
	}
	drain := []fleet.Step{fleet.DrainNode{Node: "theirs"}}
	if admitted, _, err := settings.Policy.Admit(settings.Catalog, in.Snapshot, drain); err != nil || len(admitted) > 0 {
		t.Errorf("the guard lets a drain of somebody else's node pass: %v %v", admitted, err)
	}
}

// TestNothingIsBoughtWhileTheBillIsNotKnown: a node that nobody priced holds every
// purchase, and what is warm is still used.
func TestNothingIsBoughtWhileTheBillIsNotKnown(t *testing.T) {
	s := fleet.Snapshot{
		Nodes: []fleet.Node{{
			ID: "a100-00001", Offering: "a100", State: fleet.NodeReady, ReadyAt: monday.Add(-time.Hour),
			GPUs: []fleet.GPU{{Type: "a100-80gb", Geometry: fleet.Geometry{{Profile: "1g.10gb"}}}},
		}},
		Doubts: []fleet.Doubt{{Subject: "node x", Cause: "its offering is not in the catalog", Money: true}},
	}
	d := decided(t, twoModels(), seen(s, map[fleet.ModelName]float64{"transcribe-en": 4, "transcribe-fr": 0.1}))
	if n := steps(d, fleet.KindBuyNode); n > 0 {
		t.Errorf("%d nodes are bought", n)
	}
	if steps(d, fleet.KindStartReplica) == 0 || !strings.Contains(fmt.Sprint(d.Plan.Held), "node x: its offering is not in the catalog") {
		t.Errorf("what is warm is left, or the doubt is not said:\n%s", d.Plan.Describe())
	}
}

// TestANameIsNeverUsedTwice, also when all that bore names is gone and only the
// world remembers how far they went.
func TestANameIsNeverUsedTwice(t *testing.T) {
	in := seen(fleet.Snapshot{Sequence: 41}, map[fleet.ModelName]float64{"transcribe-en": 1})
	d := decided(t, twoModels(), in)
	for _, step := range d.Plan.Steps {
		if buy, ok := step.(fleet.BuyNode); ok && buy.Node <= "a100-00041" {
			t.Errorf("%s was a name before", buy.Node)
		}
	}
	if d.Memory.Sequence <= 41 {
		t.Errorf("the sequence stands at %d", d.Memory.Sequence)
	}
}

// TestARecordOfACoarserWorldReplays: holds, doubts and places go through JSON, also
// the empty list of places, which means nowhere and not anywhere.
func TestARecordOfACoarserWorldReplays(t *testing.T) {
	in := placed(seen(fleet.Snapshot{
		Holds: []fleet.Hold{{Model: "transcribe-en", By: "kubectl", Since: monday}}, Doubts: []fleet.Doubt{{Subject: "a", Cause: "b"}},
	}, map[fleet.ModelName]float64{"transcribe-en": 1, "transcribe-fr": 0.2}), "transcribe-fr")
	d := decided(t, twoModels(), in)
	line, err := json.Marshal(control.Record{Inputs: in, Plan: d.Plan})
	if err != nil {
		t.Fatal(err)
	}
	then, now, err := control.Replay(twoModels(), line)
	if err != nil || string(then) != string(now) {
		t.Errorf("%v\n%s\n%s", err, then, now)
	}
}

// TestADrainIsTakenBackOnlyWhereThatHelpsAndIsOurs: not of a node whose GPUs serve
// nothing, and not of one that somebody else drains. Others take its place.
func TestADrainIsTakenBackOnlyWhereThatHelpsAndIsOurs(t *testing.T) {
	for _, c := range []struct {
		story         string
		broken, fixed bool
		kept, bought  int
	}{
		{"it serves, and the drain is ours", false, false, 1, 0},
		{"its GPUs serve nothing", true, false, 0, 1},
		{"somebody else drains it", false, true, 0, 1},
	} {
		t.Run(c.story, func(t *testing.T) {
			node := fleet.Node{
				ID: "a100-00001", Offering: "a100", State: fleet.NodeDraining, RequestedAt: monday.Add(-time.Hour), ReadyAt: monday.Add(-time.Hour), Fixed: c.fixed,
				GPUs: []fleet.GPU{{Type: "a100-80gb", Geometry: fleet.Geometry{{Profile: "3g.40gb"}, {Profile: "3g.40gb", Start: 4}}, Reshaping: c.broken}},
			}
			s := fleet.Snapshot{Nodes: []fleet.Node{node}}
			d := decided(t, twoModels(), seen(s, map[fleet.ModelName]float64{"transcribe-en": 0.2, "transcribe-fr": 0.1}))
			if kept, bought := steps(d, fleet.KindKeepNode), steps(d, fleet.KindBuyNode); kept != c.kept || bought != c.bought {
				t.Errorf("%d kept and %d bought:\n%s", kept, bought, d.Plan.Describe())
			}
		})
	}
}

// TestWhatCannotBeHadIsNotAskedFor: another offering is bought in its place where one
// may be, and where none may the want is said with its cause.
func TestWhatCannotBeHadIsNotAskedFor(t *testing.T) {
	dear := smallCatalog().Offerings[0]
	dear.Name, dear.Price = "a100-dear", fleet.PerHour(dollars(9))
	settings := settingsOf(smallPolicy().Models[1:], smallCatalog().Offerings[0], dear)
	gone := fleet.Unavailable{Offering: "a100", Until: monday.Add(time.Minute), Cause: "the last was given up"}
	for _, c := range []struct {
		also   []fleet.Unavailable
		bought fleet.OfferingName
	}{
		{nil, "a100-dear"},
		{[]fleet.Unavailable{{Offering: "a100-dear", Until: monday.Add(time.Minute), Cause: "likewise"}}, ""},
		{[]fleet.Unavailable{{Offering: "a100-dear", Until: monday, Cause: "its time is over"}}, "a100-dear"},
	} {
		in := seen(fleet.Snapshot{Unavailable: append([]fleet.Unavailable{gone}, c.also...)}, map[fleet.ModelName]float64{"transcribe-en": 1, "transcribe-fr": 0.2})
		d := decided(t, settings, in)
		var bought fleet.OfferingName
		for _, step := range d.Plan.Steps {
			if buy, ok := step.(fleet.BuyNode); ok {
				bought = buy.Offering
			}
		}
		if bought != c.bought {
			t.Errorf("bought %q, want %q\n%s", bought, c.bought, d.Plan.Describe())
		}
		if told := strings.Contains(fmt.Sprint(d.Plan.Held), "a100 is not asked for before Mon 00:01: the last was given up"); told != (c.bought == "") {
			t.Errorf("told: %t\n%s", told, d.Plan.Describe())
		}
	}
}

// TestWhatOthersDrainIsNotCounted among the nodes that may drain at once.
func TestWhatOthersDrainIsNotCounted(t *testing.T) {
	node := func(id fleet.NodeID, state fleet.NodeState, fixed bool) fleet.Node {
		return fleet.Node{
			ID: id, Offering: "a100", State: state, ReadyAt: monday.Add(-2 * time.Hour), Fixed: fixed,
			GPUs: []fleet.GPU{{Type: "a100-80gb", Geometry: fleet.Geometry{{Profile: "7g.80gb"}}}},
		}
	}
	settings := twoModels()
	settings.Policy.ScaleDown.MaxNodes = 1
	for _, theirs := range []bool{true, false} {
		s := fleet.Snapshot{At: monday, Nodes: []fleet.Node{node("cordoned", fleet.NodeDraining, theirs), node("ours", fleet.NodeReady, false)}}
		admitted, _, err := settings.Policy.Admit(settings.Catalog, s, []fleet.Step{fleet.DrainNode{Node: "ours"}})
		if err != nil || (len(admitted) == 1) != theirs {
			t.Errorf("the other drain is somebody else's: %t; %d admitted, error %v", theirs, len(admitted), err)
		}
	}
}
