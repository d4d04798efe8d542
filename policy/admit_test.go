package policy_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

func TestGuardAdmitsWhatThePolicyAllowsAndSaysWhyNot(t *testing.T) {
	hourly := func(amount string, group fleet.GroupName, then policy.OnExceeded) policy.Budget {
		return policy.Budget{Per: policy.Hour, Amount: usd(amount), Group: group, OnExceeded: then}
	}
	two := func() *world {
		return newWorld().node("n1", "a100").replica("r1", "fr", "n1", 0).replica("r2", "fr", "n1", 1)
	}
	for _, c := range []struct {
		story string
		given *world
		under policy.Policy
		steps []fleet.Step
		want  string
	}{
		{
			"under no cap everything passes in its order", two(), guarded(),
			[]fleet.Step{buy("n2", "l4"), start("r3", "de", "n2", 0), stop("r2", fleet.ReasonSurplus)},
			"pass  buy n2 (l4) as whole\npass  start r3 (de fp16) on n2/0@0\npass  stop r2\n",
		},
		{
			"an unknown does not lower", two().unknown("fr"), guarded(),
			[]fleet.Step{stop("r2", fleet.ReasonSurplus), drain("n1"), start("r3", "fr", "n1", 4)},
			"pass  start r3 (fr fp16) on n1/0@4\n" +
				"held  r2 stays: arrivals of fr is unknown (Prometheus does not answer)\n" +
				"held  n1 stays: arrivals of fr is unknown (Prometheus does not answer)\n",
		},
		{
			"the unknown of one model leaves the others alone", two().unknown("de"), guarded(),
			[]fleet.Step{stop("r2", fleet.ReasonSurplus)},
			"pass  stop r2\n",
		},
		{
			"what a person holds neither starts, stops nor drains; the others do", two().held("fr", "kubectl"), guarded(),
			[]fleet.Step{stop("r2", fleet.ReasonSurplus), start("r3", "fr", "n1", 4), drain("n1"), start("r4", "de", "n1", 4)},
			"pass  start r4 (de fp16) on n1/0@4\n" +
				"held  stop r2 waits: kubectl set it at Mon 12:00; it is theirs until they give it back\n" +
				"held  start r3 (fr fp16) on n1/0@4 waits: kubectl set it at Mon 12:00; it is theirs until they give it back\n" +
				"held  drain n1 waits: kubectl set it at Mon 12:00; it is theirs until they give it back\n",
		},
		{
			"nothing is bought while it is not known what is spent", two().doubted("node x", "it has no price"), guarded(),
			[]fleet.Step{buy("n2", "l4"), start("r3", "de", "n2", 0), start("r4", "de", "n1", 4)},
			"pass  start r4 (de fp16) on n1/0@4\n" +
				"held  buy n2 (l4) as whole waits: what is spent is not known, because node x: it has no price\n" +
				"held  start r3 (de fp16) on n2/0@0 is dropped: node n2 is not bought\n",
		},
		{
			"shedding lowers an unknown when its cap is exceeded, to the floor",
			two().unknown("fr"), guarded(hourly("3", "", policy.Shed)),
			[]fleet.Step{stop("r2", fleet.ReasonShed), stop("r1", fleet.ReasonShed)},
			"pass  stop r2\nheld  stop r1 is dropped: fr has 1 replicas and keeps at least 1\n",
		},
		{
			"a step cannot claim to shed under a cap that holds", two().unknown("fr"), guarded(hourly("3", "", policy.Hold)),
			[]fleet.Step{stop("r2", fleet.ReasonShed)},
			"held  r2 stays: arrivals of fr is unknown (Prometheus does not answer)\n",
		},
		{
			"a cap holds the node and all that was to start on it, and lets a cheaper one pass",
			two(), guarded(hourly("6", "", policy.Hold)),
			[]fleet.Step{buy("n2", "a100"), start("r3", "de", "n2", 0), buy("n3", "l4"), start("r4", "de", "n3", 0)},
			"pass  buy n3 (l4) as whole\npass  start r4 (de fp16) on n3/0@0\n" +
				"held  buy n2 (a100) as 3g.40gb + 2×1g.10gb waits: $8.00 per hour would exceed the cap of $6.00 per hour\n" +
				"held  start r3 (de fp16) on n2/0@0 is dropped: node n2 is not bought\n",
		},
		{
			"a cap that alerts holds nothing", two(), guarded(hourly("6", "", policy.Alert)),
			[]fleet.Step{buy("n2", "a100")},
			"pass  buy n2 (a100) as 3g.40gb + 2×1g.10gb\n",
		},
		{
			"a group pays for the slices of its replicas: four of five memory slices of $4",
			newWorld(), guarded(hourly("3", "talk", policy.Hold)),
			[]fleet.Step{buy("n2", "a100"), start("r3", "fr", "n2", 4), start("r4", "batch", "n2", 0)},
			"held  buy n2 (a100) as 3g.40gb + 2×1g.10gb waits: $3.20 per hour would exceed the cap of $3.00 per hour for talk\n" +
				"held  start r3 (fr fp16) on n2/0@4 is dropped: node n2 is not bought\n" +
				"held  start r4 (batch fp16) on n2/0@0 is dropped: node n2 is not bought\n",
		},
		{
			"a replica that would make its group pay for more of a shared node is held",
			newWorld().node("n1", "a100").replica("r1", "batch", "n1", 0), guarded(hourly("3", "talk", policy.Hold)),
			[]fleet.Step{start("r2", "fr", "n1", 1), start("r3", "fr", "n1", 4)},
			"pass  start r2 (fr fp16) on n1/0@1\n" +
				"held  start r3 (fr fp16) on n1/0@4 waits: $3.33 per hour would exceed the cap of $3.00 per hour for talk\n",
		},
		{
			"what a group pays on one node counts on the next",
			newWorld().node("n1", "a100").node("n2", "a100").replica("r1", "batch", "n1", 0).replica("r2", "batch", "n2", 0),
			guarded(hourly("3", "talk", policy.Hold)),
			[]fleet.Step{start("r3", "fr", "n1", 1), start("r4", "fr", "n2", 1)},
			"pass  start r3 (fr fp16) on n1/0@1\n" +
				"held  start r4 (fr fp16) on n2/0@1 waits: $4.00 per hour would exceed the cap of $3.00 per hour for talk\n",
		},
		{
			"a replica of a bought node that is held no longer shares its price",
			newWorld(), guarded(hourly("3", "talk", policy.Hold)),
			[]fleet.Step{buy("n2", "a100"), start("r3", "fr", "n2", 0), start("r4", "nobody", "n2", 1)},
			"held  buy n2 (a100) as 3g.40gb + 2×1g.10gb waits: $4.00 per hour would exceed the cap of $3.00 per hour for talk\n" +
				"held  start r3 (fr fp16) on n2/0@0 is dropped: node n2 is not bought\n" +
				"held  start r4 (nobody fp16) on n2/0@1 is dropped: the policy has no model nobody\n",
		},
		{
			"no model has more replicas than it may, whatever is stopped later",
			two(), func() policy.Policy { p := guarded(); p.Models[2].MaxReplicas = 2; return p }(),
			[]fleet.Step{start("r3", "fr", "n1", 4), stop("r2", fleet.ReasonSurplus), start("r4", "fr", "n1", 4)},
			"pass  stop r2\npass  start r4 (fr fp16) on n1/0@4\n" +
				"held  start r3 (fr fp16) on n1/0@4 waits: at most 2 replicas of fr at once\n",
		},
		{
			"no more nodes in a plan than the policy says", newWorld(), guarded(),
			[]fleet.Step{buy("n1", "l4"), buy("n2", "l4"), buy("n3", "l4"), buy("n4", "l4")},
			"pass  buy n1 (l4) as whole\npass  buy n2 (l4) as whole\npass  buy n3 (l4) as whole\n" +
				"held  buy n4 (l4) as whole waits: at most 3 bought nodes at once\n",
		},
		{
			"no more of an offering than there are",
			newWorld().node("n1", "a100").node("n2", "a100").node("n3", "a100"), guarded(),
			[]fleet.Step{buy("n4", "a100")},
			"held  buy n4 (a100) as 3g.40gb + 2×1g.10gb waits: at most 3 nodes of a100 at once\n",
		},
		{
			"one node drains at a time, and one that is kept makes room",
			newWorld().node("n1", "l4").node("n2", "l4"), guarded(),
			[]fleet.Step{
				drain("n1"), drain("n2"),
				fleet.KeepNode{Node: "n1"},
				drain("n2"),
				fleet.ReturnNode{Node: "n2"},
				fleet.ReturnNode{Node: "n1"},
			},
			"pass  drain n1\npass  keep n1\npass  drain n2\npass  return n2\n" +
				"held  drain n2 waits: at most 1 draining nodes at once\n" +
				"held  return n1 is dropped: node n1 is not draining\n",
		},
		{
			"money for a node that is given back stays counted until it is gone",
			newWorld().node("n1", "a100"), guarded(hourly("6", "", policy.Hold)),
			[]fleet.Step{drain("n1"), fleet.ReturnNode{Node: "n1"}, buy("n2", "a100")},
			"pass  drain n1\npass  return n1\n" +
				"held  buy n2 (a100) as 3g.40gb + 2×1g.10gb waits: $8.00 per hour would exceed the cap of $6.00 per hour\n",
		},
	} {
		t.Run(c.story, func(t *testing.T) {
			before, _ := json.Marshal(c.given.Snapshot)
			admitted, held, err := c.under.Admit(market(), c.given.Snapshot, c.steps)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, describe(admitted, held)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if after, _ := json.Marshal(c.given.Snapshot); string(before) != string(after) {
				t.Error("the snapshot was changed")
			}
		})
	}
}

func TestAStaleSignalIsUnknown(t *testing.T) {
	w := newWorld().node("n1", "a100").replica("r1", "fr", "n1", 0).replica("r2", "fr", "n1", 1)
	w.Models[2].Backlog = fleet.Measured(0, 6*time.Minute, 1)
	admitted, held, err := guarded().Admit(market(), w.Snapshot, []fleet.Step{stop("r2", fleet.ReasonSurplus)})
	if err != nil || len(admitted) != 0 {
		t.Errorf("admitted %v, %v", admitted, err)
	}
	want := "held  r2 stays: backlog of fr is unknown (the newest sample is 6m0s old, at most 5m0s is accepted)\n"
	if diff := cmp.Diff(want, describe(admitted, held)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestANodeWithoutAPriceIsAnErrorAndNothingPasses(t *testing.T) {
	w := newWorld().node("n1", "gone")
	admitted, _, err := guarded().Admit(market(), w.Snapshot, []fleet.Step{buy("n2", "l4")})
	if err == nil || len(admitted) != 0 {
		t.Errorf("admitted %v, error %v", admitted, err)
	}
}

// drawnWorld is a fleet with replicas where they fit and signals that may be missing.
func drawnWorld(t *rapid.T) *world {
	w := newWorld()
	next := 0
	for i := range rapid.IntRange(0, 5).Draw(t, "nodes") {
		id, o := fleet.NodeID(fmt.Sprintf("n%d", i)), rapid.SampledFrom([]fleet.OfferingName{"l4", "a100"}).Draw(t, "offering")
		w.node(id, o)
		n, _ := w.Node(id)
		for _, place := range n.Slices() {
			m := rapid.SampledFrom([]fleet.ModelName{"", "fr", "de", "batch"}).Draw(t, "on")
			if m != "" {
				w.replica(fleet.ReplicaID(fmt.Sprintf("r%d", next)), m, id, place.ID.Start)
				next++
			}
		}
	}
	for _, m := range []fleet.ModelName{"fr", "de", "batch"} {
		if rapid.Bool().Draw(t, "unknown") {
			w.unknown(m)
		}
	}
	return w
}

// drawnSteps are steps in any order, possible or not.
func drawnSteps(t *rapid.T) []fleet.Step {
	node := rapid.Custom(func(t *rapid.T) fleet.NodeID {
		return fleet.NodeID(fmt.Sprintf("n%d", rapid.IntRange(0, 9).Draw(t, "node")))
	})
	one := rapid.Custom(func(t *rapid.T) fleet.Step {
		id := fleet.ReplicaID(fmt.Sprintf("r%d", rapid.IntRange(0, 15).Draw(t, "replica")))
		switch rapid.IntRange(0, 6).Draw(t, "step") {
		case 0, 1:
			return buy(node.Draw(t, "n"), rapid.SampledFrom([]fleet.OfferingName{"l4", "a100", "gone"}).Draw(t, "offering"))
		case 2, 3:
			m := rapid.SampledFrom([]fleet.ModelName{"fr", "de", "batch", "nobody"}).Draw(t, "model")
			return start("s"+id, m, node.Draw(t, "n"), rapid.SampledFrom([]int{0, 1, 4}).Draw(t, "start"))
		case 4:
			return stop(id, rapid.SampledFrom([]fleet.ReasonCode{fleet.ReasonSurplus, fleet.ReasonShed}).Draw(t, "code"))
		case 5:
			return drain(node.Draw(t, "n"))
		default:
			return fleet.ReturnNode{Node: node.Draw(t, "n")}
		}
	})
	return rapid.SliceOfN(one, 0, 14).Draw(t, "steps")
}

// hourlyCommitted recounts what a group, or the fleet, is committed to.
func hourlyCommitted(p policy.Policy, c fleet.Catalog, s fleet.Snapshot, group fleet.GroupName) float64 {
	total := 0.0
	for _, n := range s.Nodes {
		o, _ := c.Offering(n.Offering)
		own, all := 0.0, 0.0
		for _, g := range fleet.GroupWeights(n, s.On(n.ID), p.Group) {
			all += float64(g.Slices)
			if g.Group == group {
				own += float64(g.Slices)
			}
		}
		switch {
		case group == "":
			total += o.Price.Hourly().Float()
		case own > 0:
			total += o.Price.Hourly().Float() * own / all
		}
	}
	return total
}

func TestGuardKeepsItsPromisesOnAnyFleetAndAnySteps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := market()
		for i := range c.Offerings {
			c.Offerings[i].Price = fleet.PerHour(fleet.Micros(rapid.Int64Range(1, 9_000_000).Draw(t, "price"), "USD"))
		}
		p := guarded()
		for range rapid.IntRange(0, 3).Draw(t, "budgets") {
			p.Budgets = append(p.Budgets, policy.Budget{
				Per: policy.Hour, Amount: fleet.Micros(rapid.Int64Range(1, 30_000_000).Draw(t, "cap"), "USD"),
				Group:      rapid.SampledFrom([]fleet.GroupName{"", "talk", "notes"}).Draw(t, "group"),
				OnExceeded: rapid.SampledFrom([]policy.OnExceeded{policy.Alert, policy.Hold, policy.Shed}).Draw(t, "then"),
			})
		}
		for _, group := range []fleet.GroupName{"", "talk"} { // a cap on what work cost, and what it did cost
			if rapid.Bool().Draw(t, "unit cap") {
				p.Budgets = append(p.Budgets, policy.Budget{
					Per: policy.ThousandUnits, Amount: usd("2"), Group: group,
					OnExceeded: rapid.SampledFrom([]policy.OnExceeded{policy.Alert, policy.Hold}).Draw(t, "then"),
				})
			}
		}
		for i := range p.Models {
			p.Models[i].MinReplicas = rapid.IntRange(0, 2).Draw(t, "floor")
			p.Models[i].MaxReplicas = rapid.IntRange(2, 5).Draw(t, "ceiling")
		}
		w, steps := drawnWorld(t), drawnSteps(t)
		for _, group := range []fleet.GroupName{"", "talk"} {
			w.Spend.UnitCosts = append(w.Spend.UnitCosts, fleet.UnitCost{
				Group: group, Cost: usd(rapid.SampledFrom([]string{"1", "2", "2.01"}).Draw(t, "unit cost")),
				Unknown: rapid.SampledFrom([]string{"", "nothing was served"}).Draw(t, "unknown"),
			})
		}
		admitted, held, err := p.Admit(c, w.Snapshot, steps)
		if err != nil {
			t.Fatal(err)
		}
		if len(admitted)+len(held) != len(steps) {
			t.Fatalf("%d steps, %d admitted, %d reasons", len(steps), len(admitted), len(held))
		}
		purse, err := policy.NewPurse(p, c, w.Snapshot)
		if err != nil {
			t.Fatal(err)
		}
		shedding := false
		for _, o := range purse.Overruns() {
			shedding = shedding || o.Budget.OnExceeded == policy.Shed
		}
		after := w.Clone()
		buys := 0
		for _, s := range admitted {
			// 1. Every step that passes is possible after those before it.
			if err := s.Apply(&after); err != nil {
				t.Fatalf("%s was admitted: %v", s.Describe(), err)
			}
			// 2. Unknown never lowers.
			if s, ok := s.(fleet.StopReplica); ok {
				r, _ := w.Replica(s.Replica)
				if _, known := w.Model(r.Model).Arrivals.Read(); !known && (!shedding || s.Reason.Code != fleet.ReasonShed) {
					t.Errorf("%s of %s was admitted, whose arrivals are unknown", s.Describe(), r.Model)
				}
			}
			if s, ok := s.(fleet.DrainNode); ok {
				for _, r := range w.On(s.Node) {
					still, _ := after.Replica(r.ID)
					if _, known := w.Model(r.Model).Arrivals.Read(); !known && still.State != fleet.ReplicaDraining {
						t.Errorf("%s was admitted, with %s on it, whose arrivals are unknown", s.Describe(), r.Model)
					}
				}
			}
			if s.Kind() == fleet.KindBuyNode {
				buys++
			}
			// 3. Blast radius, at every moment.
			draining := 0
			for _, n := range after.Nodes {
				if n.State == fleet.NodeDraining {
					draining++
				}
			}
			if draining > p.ScaleDown.MaxNodes || buys > p.ScaleUp.MaxNodes {
				t.Errorf("%d nodes drain and %d were bought", draining, buys)
			}
		}
		// 4. Floors and ceilings.
		for _, m := range p.Models {
			count := func(s fleet.Snapshot) (n int) {
				for _, r := range s.Replicas {
					if r.Model == m.Name && r.State != fleet.ReplicaDraining {
						n++
					}
				}
				return n
			}
			if was, is := count(w.Snapshot), count(after); is < min(was, m.MinReplicas) || is > max(was, m.MaxReplicas) {
				t.Errorf("%s went from %d to %d replicas, bounds %d and %d", m.Name, was, is, m.MinReplicas, m.MaxReplicas)
			}
		}
		// 5. Nothing is committed above a hard cap. A node that is given back empties no other's purse.
		for _, b := range p.Budgets {
			was, is := hourlyCommitted(p, c, w.Snapshot, b.Group), hourlyCommitted(p, c, after, b.Group)
			if b.Hard() && b.Per == policy.Hour && is > max(was, b.Amount.Float())+1e-5 {
				t.Errorf("%v: committed %v, before %v", b, is, was)
			}
			// 6. While work costs more than a hard cap on it, nothing more is committed.
			cost, known := w.Spend.UnitCost(b.Group).Read()
			if b.Hard() && b.Per == policy.ThousandUnits && known && b.Amount.Less(cost) && is > was+1e-5 {
				t.Errorf("%v: work costs %s, and what is committed rose from %v to %v", b, cost, was, is)
			}
		}
		// 7. The same again gives the same, to the byte.
		again, heldAgain, _ := p.Admit(c, w.Snapshot, steps)
		if describe(again, heldAgain) != describe(admitted, held) {
			t.Error("the same steps are judged differently")
		}
	})
}
