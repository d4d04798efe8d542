package policy_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

func TestPurseCountsWhatWasPaidAndWhatCannotBeAvoided(t *testing.T) {
	// A node costs $4 an hour, leads 9 minutes and is billed for one at least: 10
	// minutes are $0.67.
	a100, _ := market().Offering("a100")
	talk := []fleet.GroupWeight{{Group: "talk", Slices: 3}, {Group: "notes", Slices: 1}}
	for _, c := range []struct {
		story  string
		spent  string
		nodes  func(w *world)
		budget policy.Budget
		allows bool
		spend  string // that the refusal names
	}{
		{"a day has room for one more", "99.30", nil, policy.Budget{Per: policy.Day, Amount: usd("100")}, true, ""},
		{"a day has no room left", "99.40", nil, policy.Budget{Per: policy.Day, Amount: usd("100")}, false, "$100.07 per day"},
		{"a month counts a node that is still starting", "98.90", func(w *world) {
			w.node("n1", "a100")
			w.Nodes[0].State, w.Nodes[0].ReadyAt, w.Nodes[0].BilledUntil = fleet.NodeStarting, time.Time{}, time.Time{}
			w.Nodes[0].RequestedAt = noon.Add(-4 * time.Minute) // six minutes, $0.40, to come
		}, policy.Budget{Per: policy.Month, Amount: usd("99.90")}, false, "$99.97 per month"},
		{
			"a ready node past its minimum billing commits nothing more", "99.30", func(w *world) { w.node("n1", "a100") },
			policy.Budget{Per: policy.Month, Amount: usd("100")},
			true, "",
		},
		{
			"an hour looks at the rate", "99999", func(w *world) { w.node("n1", "a100") },
			policy.Budget{Per: policy.Hour, Amount: usd("8")},
			true, "",
		},
		{
			"an hour that is full is full", "0", func(w *world) { w.node("n1", "a100") },
			policy.Budget{Per: policy.Hour, Amount: usd("7.99")},
			false, "$8.00 per hour",
		},
		{"a group pays its part", "0", nil, policy.Budget{Per: policy.Hour, Amount: usd("3"), Group: "talk"}, true, ""},
		{"a group pays no more than it may", "0", nil, policy.Budget{Per: policy.Hour, Amount: usd("2.99"), Group: "talk"}, false, "$3.00 per hour"},
		{"a group that is not on the node pays nothing", "0", nil, policy.Budget{Per: policy.Hour, Amount: usd("0.01"), Group: "others"}, true, ""},
	} {
		t.Run(c.story, func(t *testing.T) {
			w := newWorld()
			w.Spend = fleet.Spend{Day: usd(c.spent), Month: usd(c.spent)}
			if c.nodes != nil {
				c.nodes(w)
			}
			for _, then := range []policy.OnExceeded{policy.Hold, policy.Shed, policy.Alert} {
				c.budget.OnExceeded = then
				purse, err := policy.NewPurse(guarded(c.budget), market(), w.Snapshot)
				if err != nil {
					t.Fatal(err)
				}
				why, ok := purse.Allows(a100, talk)
				if ok != (c.allows || then == policy.Alert) {
					t.Errorf("%s: allowed %v: %s", then, ok, why)
				}
				if spend, _ := why.Operand("spend"); !ok && spend != c.spend {
					t.Errorf("%s: the reason names %q, want %q", then, spend, c.spend)
				}
				purse.Commit(a100, talk)
				if over := len(purse.Overruns()) > 0; over == c.allows {
					t.Errorf("%s: once bought, exceeded is %v", then, over)
				}
			}
		})
	}
}

func TestOverrunsAreReportedWithTheirFigures(t *testing.T) {
	w := newWorld().node("n1", "a100").replica("r1", "batch", "n1", 0)
	p := guarded(
		policy.Budget{Per: policy.Hour, Amount: usd("3"), OnExceeded: policy.Alert},
		policy.Budget{Per: policy.Hour, Amount: usd("5"), OnExceeded: policy.Hold},
		policy.Budget{Per: policy.Hour, Amount: usd("3.50"), Group: "notes", OnExceeded: policy.Shed},
	)
	purse, err := policy.NewPurse(p, market(), w.Snapshot)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range purse.Overruns() {
		got = append(got, o.Reason().String())
	}
	want := []string{
		"spending $4.00 per hour is above the cap of $3.00 per hour",
		"spending $4.00 per hour is above the cap of $3.50 per hour for notes",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAsynchronousWorkIsShedFirstThenWhatIsWorthLeastForItsMoney(t *testing.T) {
	w := newWorld().node("n1", "a100").node("n2", "l4").node("n3", "a100").
		replica("fr-small", "fr", "n1", 0).replica("fr-large", "fr", "n1", 4). // the large slice is slower for its money
		replica("de-a", "de", "n1", 1).replica("de-b", "de", "n3", 1).
		replica("batch-a", "batch", "n2", 0).replica("batch-b", "batch", "n3", 0)
	w.Replicas[3].State = fleet.ReplicaPending // de-b
	p := guarded()
	for i, value := range []string{"9", "0.10", "0.20"} {
		p.Models[i].Value = usd(value)
	}
	order, err := p.ShedOrder(policy.NewSizer(), market(), w.Snapshot, policy.Budget{})
	if err != nil {
		t.Fatal(err)
	}
	var got []fleet.ReplicaID
	for _, o := range order {
		got = append(got, o.Replica)
	}
	// Every model keeps one. The L4 is dearer than a small slice of the A100.
	want := []fleet.ReplicaID{"batch-a", "de-b", "fr-large"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	order, err = p.ShedOrder(policy.NewSizer(), market(), w.Snapshot, policy.Budget{Group: "notes"})
	if err != nil || len(order) != 1 || order[0].Replica != "batch-a" {
		t.Errorf("a group's cap takes from %v, %v", order, err)
	}
	if text := order[0].Price.String(); text != "1.00 USD/h" {
		t.Errorf("the slice costs %s", text)
	}
}

func TestWithoutAValueWorkIsWorthItsCheapestSlice(t *testing.T) {
	w := newWorld().node("n1", "a100").node("n2", "l4").
		replica("cheap", "fr", "n1", 0).replica("dear", "fr", "n2", 0).replica("other", "fr", "n1", 1)
	order, err := guarded().ShedOrder(policy.NewSizer(), market(), w.Snapshot, policy.Budget{})
	if err != nil || len(order) != 2 || order[0].Replica != "dear" {
		t.Fatalf("%+v, %v", order, err)
	}
	if order[1].Value != order[1].Price {
		t.Errorf("on the cheapest slice work is worth %v and costs %v", order[1].Value, order[1].Price)
	}
}
