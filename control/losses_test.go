package control

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// TestLossesAreCounted: a ready node that is gone, or of which notice was given, was lost
// once; one that drained first was given back.
func TestLossesAreCounted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l Losses
		now, want := monday, 0.0
		nodes := map[fleet.NodeID]fleet.Node{}
		for tick := range rapid.IntRange(1, 40).Draw(t, "ticks") {
			id := fleet.NodeID(fmt.Sprintf("n-%05d", tick))
			nodes[id] = fleet.Node{ID: id, Offering: "spot", State: fleet.NodeReady}
			for id, n := range nodes {
				if id == fleet.NodeID(fmt.Sprintf("n-%05d", tick)) {
					continue
				}
				switch rapid.IntRange(0, 5).Draw(t, "fate") {
				case 0: // gone
					if delete(nodes, id); n.State == fleet.NodeReady {
						want++
					}
				case 1: // given back
					if n.State == fleet.NodeReady {
						n.State = fleet.NodeDraining
						nodes[id] = n
					}
				case 2: // taken back
					if n.State == fleet.NodeReady {
						n.State, n.Fixed, n.LostAt = fleet.NodeDraining, true, now.Add(2*time.Minute)
						nodes[id] = n
						want++
					}
				}
			}
			s := fleet.Snapshot{At: now}
			for _, n := range nodes {
				s.Nodes = append(s.Nodes, n)
			}
			s.Sort()
			l = l.look(s, now)
			if again := l.since(s); again != nil {
				t.Fatalf("what was counted is counted again: %v", again)
			}
			now = now.Add(time.Minute)
		}
		if got := l.Of["spot"].Nodes; got != want {
			t.Fatalf("%v were lost, counted %v", want, got)
		}
	})
}

// TestWhatAPlanGivesBackIsNotLost, though it is drained and gone within one tick.
func TestWhatAPlanGivesBackIsNotLost(t *testing.T) {
	two := []fleet.Node{{ID: "a", Offering: "spot", State: fleet.NodeReady}, {ID: "b", Offering: "spot", State: fleet.NodeReady}}
	l := Losses{}.look(fleet.Snapshot{Nodes: two}, monday)
	l.forget([]fleet.Step{fleet.DrainNode{Node: "a"}, fleet.ReturnNode{Node: "a"}})
	if lost := l.since(fleet.Snapshot{}); lost["spot"] != 1 {
		t.Errorf("lost are %v, want b alone", lost)
	}
}

// TestLossesAreLearnt: an offering that never loses a node comes to be trusted, and one
// that does, not, whatever it is called.
func TestLossesAreLearnt(t *testing.T) {
	spot, dear := fleet.Offering{Name: "spot", Purchase: fleet.Spot}, fleet.Offering{Name: "dear", Purchase: fleet.OnDemand}
	var l Losses
	if l.perHour(spot) <= l.perHour(dear) {
		t.Errorf("at first spot is lost %v times an hour, and on demand %v", l.perHour(spot), l.perHour(dear))
	}
	steady, shaky := fleet.Node{ID: "s", Offering: "spot", State: fleet.NodeReady}, fleet.Node{Offering: "dear", State: fleet.NodeReady}
	for hour := range 2000 {
		shaky.ID = fleet.NodeID(fmt.Sprintf("d-%d", hour/10)) // one in ten hours
		l = l.look(fleet.Snapshot{Nodes: []fleet.Node{shaky, steady}}, monday.Add(time.Duration(hour)*time.Hour))
	}
	if l.perHour(spot) > 0.001 || l.perHour(dear) < 0.05 || l.perHour(dear) > 0.15 {
		t.Errorf("in the end spot is lost %v times an hour, and on demand %v", l.perHour(spot), l.perHour(dear))
	}
}

// TestALostNodeIsPlannedForAtOnce: between two planning ticks a tick that misses a node
// plans, and one that misses none does not.
func TestALostNodeIsPlannedForAtOnce(t *testing.T) {
	now := time.Date(2026, 9, 14, 8, 0, 15, 0, time.UTC)
	n := fleet.Node{ID: "a100-00001", Offering: "a100", State: fleet.NodeReady}
	l := &Loop{planned: now.Add(-15 * time.Second)}
	l.settings.Policy.Ticks.Plan = time.Minute
	l.memory.Losses = Losses{}.look(fleet.Snapshot{Nodes: []fleet.Node{n}}, l.planned)
	if pace := l.pace(now, fleet.Snapshot{Nodes: []fleet.Node{n}}); pace != Fast {
		t.Errorf("%v with every node there", pace)
	}
	if pace := l.pace(now, fleet.Snapshot{}); pace != Planning {
		t.Errorf("%v without a node that was there", pace)
	}
	n.LostAt = now.Add(2 * time.Minute)
	if pace := l.pace(now, fleet.Snapshot{Nodes: []fleet.Node{n}}); pace != Planning {
		t.Errorf("%v with notice of a node", pace)
	}
	noticed := l.memory.Losses.look(fleet.Snapshot{Nodes: []fleet.Node{n}}, now)
	if again := noticed.look(fleet.Snapshot{Nodes: []fleet.Node{n}}, now.Add(15*time.Second)); again.Of["a100"].Nodes != 1 {
		t.Errorf("a notice counts as %v losses", again.Of["a100"].Nodes)
	}
}
