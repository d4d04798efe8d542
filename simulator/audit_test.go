package simulator

import (
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// TestViolationsOfHardCaps. A node costs $3.60 an hour, with ten minutes of
// minimum billing: 60 cents. Two ticks are judged, one at the start and one at
// the end of a first period.
func TestViolationsOfHardCaps(t *testing.T) {
	mixed := func(node fleet.NodeID) fleet.BuyNode {
		b := buyNode(node)
		b.GPUs[0].Geometry = append(fleet.Geometry{{Profile: "1g.10gb", Start: 0}}, halves()[1])
		return b
	}
	a := func(node fleet.NodeID) fleet.Step { return startOn(node, 0, "a", fleet.ReplicaID("a-"+node)) }
	b := func(node fleet.NodeID) fleet.Step { return startOn(node, 4, "b", fleet.ReplicaID("b-"+node)) }
	stop := func(r fleet.ReplicaID) fleet.Step { return fleet.StopReplica{Replica: r} }
	hour := func(amount int64, group fleet.GroupName) policy.Budget {
		return policy.Budget{Per: policy.Hour, Amount: usd(amount), Group: group, OnExceeded: policy.Hold}
	}
	per := func(p policy.Period, amount int64, group fleet.GroupName) policy.Budget {
		return policy.Budget{Per: p, Amount: usd(amount), Group: group, OnExceeded: policy.Hold}
	}
	soft := hour(1, "")
	soft.OnExceeded = policy.Alert
	shed := hour(3_599_999, "")
	shed.OnExceeded = policy.Shed
	for _, c := range []struct {
		name          string
		budgets       []policy.Budget
		first, second []fleet.Step
		between       time.Duration
		want          [2]int
	}{
		{"up to the cap", []policy.Budget{hour(7_200_000, "")}, []fleet.Step{buyNode("x")}, []fleet.Step{buyNode("y")}, time.Minute, [2]int{0, 0}},
		{"a millionth above it", []policy.Budget{hour(7_199_999, "")}, []fleet.Step{buyNode("x")}, []fleet.Step{buyNode("y")}, time.Minute, [2]int{0, 1}},
		{"a cap that sheds is hard", []policy.Budget{shed}, []fleet.Step{buyNode("x")}, nil, time.Minute, [2]int{1, 0}},
		{"a cap that alerts is soft", []policy.Budget{soft}, []fleet.Step{buyNode("x")}, nil, time.Minute, [2]int{0, 0}},
		{"two caps at once", []policy.Budget{hour(1, ""), per(policy.Day, 1, "")}, []fleet.Step{buyNode("x")}, nil, time.Minute, [2]int{2, 0}},
		{
			"above a cap, buying in exchange raises what is committed all the same",
			[]policy.Budget{hour(1, "")},
			[]fleet.Step{buyNode("x")},
			[]fleet.Step{fleet.DrainNode{Node: "x"}, fleet.ReturnNode{Node: "x"}, buyNode("y")},
			time.Minute,
			[2]int{1, 1},
		},
		{
			"above a cap, a server on a slice that is paid for raises nothing",
			[]policy.Budget{hour(1, "")},
			[]fleet.Step{mixed("x")},
			[]fleet.Step{a("x")},
			time.Minute,
			[2]int{1, 0},
		},

		{
			"a group pays its part of a shared node",
			[]policy.Budget{hour(720_000, "A"), hour(2_880_000, "B")},
			[]fleet.Step{mixed("x"), a("x"), b("x")},
			nil,
			time.Minute,
			[2]int{0, 0},
		},
		{"alone on a node it pays all", []policy.Budget{hour(3_599_999, "A")}, []fleet.Step{mixed("x"), a("x")}, nil, time.Minute, [2]int{1, 0}},
		{"an empty node is no group's", []policy.Budget{hour(1, "A")}, []fleet.Step{mixed("x")}, nil, time.Minute, [2]int{0, 0}},
		{
			"a server that makes its group pay for a part of another's node",
			[]policy.Budget{hour(719_999, "A")},
			[]fleet.Step{mixed("x"), b("x")},
			[]fleet.Step{a("x")},
			time.Minute,
			[2]int{0, 1},
		},
		{
			"a neighbour that leaves is no violation",
			[]policy.Budget{hour(720_000, "A")},
			[]fleet.Step{mixed("x"), a("x"), b("x")},
			[]fleet.Step{stop("b-x")},
			time.Minute,
			[2]int{0, 0},
		},
		{
			"nor one that leaves while another group's node is bought",
			[]policy.Budget{hour(720_000, "A")},
			[]fleet.Step{mixed("x"), a("x"), b("x")},
			[]fleet.Step{stop("b-x"), mixed("y"), b("y")},
			time.Minute,
			[2]int{0, 0},
		},

		{"a day's cap counts the minimum billing", []policy.Budget{per(policy.Day, 599_999, "")}, []fleet.Step{buyNode("x")}, nil, time.Minute, [2]int{1, 0}},
		{"up to a day's cap", []policy.Budget{per(policy.Day, 600_000, "")}, []fleet.Step{buyNode("x")}, nil, time.Minute, [2]int{0, 0}},
		{"what was paid today counts", []policy.Budget{per(policy.Day, 4_199_999, "")}, []fleet.Step{buyNode("x")}, []fleet.Step{buyNode("y")}, time.Hour, [2]int{0, 1}},
		{"up to a day's cap with what was paid", []policy.Budget{per(policy.Day, 4_200_000, "")}, []fleet.Step{buyNode("x")}, []fleet.Step{buyNode("y")}, time.Hour, [2]int{0, 0}},
		{"what was paid yesterday does not", []policy.Budget{per(policy.Day, 3_600_000*9+600_000, "")}, []fleet.Step{buyNode("x")}, []fleet.Step{buyNode("y")}, 33 * time.Hour, [2]int{0, 0}},
		{"but in a month's cap it does", []policy.Budget{per(policy.Month, 3_600_000*33+599_999, "")}, []fleet.Step{buyNode("x")}, []fleet.Step{buyNode("y")}, 33 * time.Hour, [2]int{0, 1}},
		{
			"what a node costs after midnight is tomorrow's",
			[]policy.Budget{per(policy.Day, 300_000, "")},
			nil,
			[]fleet.Step{buyNode("y")},
			24*time.Hour - 5*time.Minute,
			[2]int{0, 0},
		},
		{
			"time that goes by is no violation",
			[]policy.Budget{per(policy.Day, 700_000, "")},
			[]fleet.Step{mixed("x")},
			[]fleet.Step{a("x"), b("x")},
			5 * time.Hour,
			[2]int{0, 0},
		},
		{
			"a group's day",
			[]policy.Budget{per(policy.Day, 719_999, "A")},
			[]fleet.Step{mixed("x"), a("x"), b("x")},
			[]fleet.Step{mixed("y"), a("y")},
			time.Hour,
			[2]int{0, 1},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			catalog := testCatalog()
			catalog.Offerings[0].MinimumBilling = 10 * time.Minute
			w := build(t, Config{Catalog: catalog, Models: paidModels()})
			audit := newAudit(w, policy.Policy{Budgets: c.budgets})
			var got [2]int
			for i, steps := range [][]fleet.Step{c.first, c.second} {
				audit.before()
				do(t, w, steps...)
				got[i] = audit.after()
				advance(w, c.between)
			}
			if got != c.want {
				t.Errorf("violations %v, want %v", got, c.want)
			}
		})
	}
}
