package peer

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// wanting says how many replicas every model shall have, by the time since the start.
func wanting(say func(since time.Duration) int) wish {
	return wish{every: 5 * time.Second, say: func(now time.Time, _ View) int { return say(now.Sub(monday)) }}
}

// always wants so many.
func always(n int) wish { return wanting(func(time.Duration) int { return n }) }

// quiet is a cluster of one model in a world without traffic.
func quiet(t testing.TB, limit, least int, scaler Scaler, parameters map[string]float64, faults ...simulator.Fault) *stage {
	t.Helper()
	settings := settingsOf(one)
	settings.Catalog = catalog(limit)
	return newStage(t, settings, setupOf(least, 100, settings, parameters), worldOf(t, settings, traffic.ShapeConstant, nil, 1, faults...), scaler)
}

// thenSpread wants so many for a quarter of an hour and so few from then on; between
// them nothing for a moment, so that the scheduler puts the few on all nodes.
func thenSpread(many, few int) wish {
	return wanting(func(since time.Duration) int {
		switch {
		case since < 15*time.Minute:
			return many
		case since < 15*time.Minute+10*time.Second:
			return 0
		}
		return few
	})
}

// TestClusterBuysWhatItsPodsNeed: ten pods open a batch, two nodes are bought when it
// closes, nothing more while they start, and all are ready some minutes later.
func TestClusterBuysWhatItsPodsNeed(t *testing.T) {
	s := quiet(t, 20, 0, always(10), nil)
	bought := map[time.Duration]int{}
	s.run(t, 20*time.Minute, func(r control.Record, _ fleet.Snapshot) {
		for _, step := range r.Plan.Steps {
			if buy, ok := step.(fleet.BuyNode); ok {
				bought[r.Plan.At.Sub(monday)]++
				if !buy.GPUs[0].Geometry.Equal(sevenths()) {
					t.Errorf("%s: the pool is cut into sevenths", buy.Describe())
				}
			}
		}
	})
	if len(bought) != 1 || bought[5*time.Second] != 2 {
		t.Errorf("nodes bought: %v, want two once, when the batch window was over", bought)
	}
	if got := census(s.seen(t), "en"); got[fleet.ReplicaReady] != 10 {
		t.Errorf("after 20 minutes: %v, want ten ready", got)
	}
}

// TestClusterUsesNodesInFlightFirst: pods that come later take the places that the
// nodes on their way still have.
func TestClusterUsesNodesInFlightFirst(t *testing.T) {
	s := quiet(t, 20, 0, wanting(func(since time.Duration) int {
		if since < time.Minute {
			return 3
		}
		return 7
	}), nil)
	s.run(t, 3*time.Minute, nil)
	if seen := s.seen(t); len(seen.Nodes) != 1 || len(seen.Replicas) != 7 {
		t.Errorf("%d nodes with %d replicas, want one with seven", len(seen.Nodes), len(seen.Replicas))
	}
}

// TestClusterWaitsOutAStockOut: an offering that could not be had is asked for again
// three minutes later, not before, and then had.
func TestClusterWaitsOutAStockOut(t *testing.T) {
	s := quiet(t, 20, 0, always(3), nil, simulator.Fault{For: 4 * time.Minute, Kind: simulator.StockOut})
	var asked []time.Duration
	held := 0
	s.run(t, 20*time.Minute, func(r control.Record, _ fleet.Snapshot) {
		for _, step := range r.Plan.Steps {
			if _, ok := step.(fleet.BuyNode); ok {
				asked = append(asked, r.Plan.At.Sub(monday))
			}
		}
		for _, h := range r.Plan.Held {
			if h.Code == fleet.ReasonHeldStock {
				held++
			}
		}
	})
	if len(asked) != 3 {
		t.Fatalf("asked at %v, want three times: twice in vain", asked)
	}
	for i := 1; i < len(asked); i++ {
		if d := asked[i] - asked[i-1]; d < unavailableFor || d > unavailableFor+20*time.Second {
			t.Errorf("asked again after %v", d)
		}
	}
	if held == 0 {
		t.Error("no record says that it waits for stock")
	}
	if got := census(s.seen(t), "en"); got[fleet.ReplicaReady] != 3 {
		t.Errorf("in the end: %v, want three ready", got)
	}
}

// TestClusterStopsAtTheLimit of the offering, says so, and asks for nothing.
func TestClusterStopsAtTheLimit(t *testing.T) {
	s := quiet(t, 2, 0, always(20), nil)
	held := false
	s.run(t, 10*time.Minute, func(r control.Record, seen fleet.Snapshot) {
		if len(seen.Nodes) > 2 || len(refusals(r)) > 0 {
			t.Fatalf("%d nodes, refused: %v", len(seen.Nodes), refusals(r))
		}
		for _, h := range r.Plan.Held {
			held = held || h.Code == fleet.ReasonNoCapacity
		}
	})
	if got := len(s.seen(t).Replicas); got != 14 || !held {
		t.Errorf("%d replicas on two nodes of seven, said: %v", got, held)
	}
}

// TestPodsAtTheLimitTakeTurns: the pods of two models that wait for one pool get its
// slices in the order in which they were asked for, whichever model they are of, when
// the limit leaves most without any.
func TestPodsAtTheLimitTakeTurns(t *testing.T) {
	settings := settingsOf(speech("de", fleet.Streaming, 10*time.Second), one)
	settings.Catalog = catalog(2)
	w := worldOf(t, settings, traffic.ShapeConstant, nil, 1)
	s := newStage(t, settings, setupOf(0, 1000, settings, nil), w, wish{every: 5 * time.Second, say: func(now time.Time, v View) int {
		since := now.Sub(monday)
		switch {
		case v.Model.Name == "en" && since >= 5*time.Second:
			return 600
		case v.Model.Name == "de" && since >= 10*time.Second:
			return 500
		case v.Model.Name == "de":
			return 3
		}
		return 0
	}})
	s.run(t, 20*time.Minute, func(r control.Record, _ fleet.Snapshot) {
		if no := refusals(r); len(no) > 0 {
			t.Fatal(no)
		}
	})
	seen := s.seen(t)
	if de, en := census(seen, "de"), census(seen, "en"); de[fleet.ReplicaReady] != 3 || en[fleet.ReplicaReady] != 11 {
		t.Errorf("de %v and en %v, want 3, which were asked for first, and the other 11", de, en)
	}
}

// TestClusterGivesBackWhatIsEmpty, and nothing below the minimum goes.
func TestClusterGivesBackWhatIsEmpty(t *testing.T) {
	s := quiet(t, 20, 1, wanting(func(since time.Duration) int {
		if since < 15*time.Minute {
			return 21
		}
		return 0
	}), nil)
	s.run(t, 14*time.Minute, nil)
	if got := census(s.seen(t), "en"); got[fleet.ReplicaReady] != 21 {
		t.Fatalf("%v, want 21 ready", got)
	}
	s.run(t, 10*time.Minute, nil)
	if seen := s.seen(t); len(seen.Nodes) != 1 || len(seen.Replicas) != 1 {
		t.Errorf("%d nodes with %d replicas are left, want one with one", len(seen.Nodes), len(seen.Replicas))
	}
}

// TestClusterConsolidatesWithoutLosingCapacity: what is spread over many nodes comes
// together on few, a tenth of the nodes at a time, rounded up, and as many replicas
// as are asked for are ready all the while.
func TestClusterConsolidatesWithoutLosingCapacity(t *testing.T) {
	s := quiet(t, 30, 0, thenSpread(84, 24), nil)
	s.run(t, 15*time.Minute, nil)
	if seen := s.seen(t); len(seen.Nodes) != 12 || census(seen, "en")[fleet.ReplicaReady] != 84 {
		t.Fatalf("%d nodes, %v", len(seen.Nodes), census(seen, "en"))
	}
	most, complete := 0, false
	s.run(t, 30*time.Minute, func(r control.Record, seen fleet.Snapshot) {
		got := census(seen, "en")
		since := r.Plan.At.Sub(monday)
		if complete = complete || since > 16*time.Minute && got[fleet.ReplicaReady] >= 24; complete && got[fleet.ReplicaReady] < 24 {
			t.Fatalf("%s: %v: fewer than 24 are ready", r.Plan.At, got)
		}
		draining := 0
		for _, n := range seen.Nodes {
			if n.State == fleet.NodeDraining {
				draining++
			}
		}
		if most = max(most, draining); draining > (len(seen.Nodes)+9)/10 {
			t.Fatalf("%s: %d of %d nodes are draining", r.Plan.At, draining, len(seen.Nodes))
		}
	})
	if seen := s.seen(t); len(seen.Nodes) != 4 {
		t.Errorf("24 replicas are left on %d nodes, want four", len(seen.Nodes))
	}
	if most != 2 {
		t.Errorf("at most %d nodes drained at once, and the budget of 12 nodes is two", most)
	}
}

// TestConsolidationCanBeTuned: with WhenEmpty nothing moves.
func TestConsolidationCanBeTuned(t *testing.T) {
	for _, parameters := range []map[string]float64{{"empty-only": 1}, {"consolidate-after": 3600}} {
		s := quiet(t, 30, 0, thenSpread(28, 8), parameters)
		s.run(t, 30*time.Minute, nil)
		if got := len(s.seen(t).Nodes); got != 4 {
			t.Errorf("%v: %d nodes are left, and each of four has replicas", parameters, got)
		}
	}
}

// TestSchedulerSpreadsOrPacks: by default the emptiest node is taken, with
// most-allocated the fullest.
func TestSchedulerSpreadsOrPacks(t *testing.T) {
	for pack, want := range map[float64][]int{0: {2, 2, 2, 2}, 1: {7, 1, 0, 0}} {
		s := quiet(t, 20, 0, thenSpread(28, 8), map[string]float64{"most-allocated": pack, "consolidate-after": 3600})
		s.run(t, 16*time.Minute, nil)
		seen := s.seen(t)
		for i, n := range seen.Nodes {
			if got := len(seen.On(n.ID)); got != want[i] {
				t.Errorf("most-allocated %g: node %d holds %d, want %v", pack, i, got, want)
			}
		}
	}
}

// TestReplicaSetChoosesItsVictims: first those whose node is not there, then those
// that are not ready, then those in the most company, then the youngest.
func TestReplicaSetChoosesItsVictims(t *testing.T) {
	d := &deployment{model: one}
	crowded, lonely := &node{id: "crowded", state: fleet.NodeReady}, &node{id: "lonely", state: fleet.NodeReady}
	coming := &node{id: "coming", state: fleet.NodeStarting}
	add := func(born int, n *node, ready bool) *pod {
		p := &pod{of: d, born: born, ready: ready}
		p.slot = &slot{node: n, pod: p}
		d.pods = append(d.pods, p)
		return p
	}
	last := add(1, lonely, true)
	fourth := add(2, crowded, true)
	third := add(3, crowded, true)
	second := add(4, lonely, false)
	first := add(5, coming, false)
	got := d.victims(5)
	for i, want := range []*pod{first, second, third, fourth} {
		if got[i] != want {
			t.Errorf("victim %d is pod %d, want pod %d", i+1, got[i].born, want.born)
		}
	}
	if got[4] != last {
		t.Error("the eldest, alone on its node, goes last")
	}
}

// TestClusterReplacesWhatIsLost: a replica that somebody stops comes again, and a node
// that somebody drains is emptied, replaced and given back, without a gap.
func TestClusterReplacesWhatIsLost(t *testing.T) {
	s := quiet(t, 20, 0, always(7), nil)
	s.run(t, 15*time.Minute, nil)
	seen := s.seen(t)
	if err := s.world.Do(t.Context(), "somebody", fleet.StopReplica{Replica: seen.Replicas[0].ID}); err != nil {
		t.Fatal(err)
	}
	s.run(t, 2*time.Minute, nil)
	if got := census(s.seen(t), "en"); got[fleet.ReplicaReady] != 7 {
		t.Fatalf("%v, want seven ready again", got)
	}
	if err := s.world.Do(t.Context(), "somebody", fleet.DrainNode{Node: seen.Nodes[0].ID}); err != nil {
		t.Fatal(err)
	}
	s.run(t, 15*time.Minute, func(r control.Record, now fleet.Snapshot) {
		if got := census(now, "en"); got[fleet.ReplicaReady] < 7 {
			t.Fatalf("%s: %v are ready while the node is replaced", r.Plan.At, got)
		}
	})
	if now := s.seen(t); len(now.Nodes) != 1 || now.Nodes[0].ID == seen.Nodes[0].ID {
		t.Errorf("after the drain the nodes are %v", now.Nodes)
	}
}

// TestClusterTakesOverWhatItMeets: another cluster on the same world makes nothing
// twice and gives no name again.
func TestClusterTakesOverWhatItMeets(t *testing.T) {
	s := quiet(t, 20, 0, always(10), nil)
	s.run(t, 15*time.Minute, nil)
	settings := settingsOf(one)
	c, err := NewCluster(s.world, s.world, settings, setupOf(0, 100, settings, nil), always(16))
	if err != nil {
		t.Fatal(err)
	}
	before := len(s.seen(t).Nodes)
	s.cluster = c
	s.run(t, 15*time.Minute, func(r control.Record, _ fleet.Snapshot) {
		if len(refusals(r)) > 0 {
			t.Fatalf("refused: %v", refusals(r))
		}
	})
	if seen := s.seen(t); before != 2 || len(seen.Nodes) != 3 || census(seen, "en")[fleet.ReplicaReady] != 16 {
		t.Errorf("%d nodes, then %d with %v; want two, then three with 16 ready", before, len(seen.Nodes), census(seen, "en"))
	}
}

// broken is a world that can be made to fail.
type broken struct {
	*simulator.World
	observing error
}

func (b broken) Observe(ctx context.Context, now time.Time) (fleet.Snapshot, error) {
	if b.observing != nil {
		return fleet.Snapshot{}, b.observing
	}
	return b.World.Observe(ctx, now)
}

// TestClusterTellsWhatFails: the observer, and a scaler that leaves models out.
func TestClusterTellsWhatFails(t *testing.T) {
	settings := settingsOf(one)
	w := worldOf(t, settings, traffic.ShapeConstant, nil, 1)
	gone := errors.New("gone")
	c, err := NewCluster(broken{w, gone}, w, settings, setupOf(0, 10, settings, nil), always(1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Tick(t.Context(), monday); !errors.Is(err, gone) {
		t.Errorf("the observer failed, and the tick says %v", err)
	}
	if c, err = NewCluster(w, w, settings, setupOf(0, 10, settings, nil), silent{}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Tick(t.Context(), monday); err == nil || !strings.Contains(err.Error(), "0 of 1 models") {
		t.Errorf("the scaler said nothing, and the tick says %v", err)
	}
	if _, err = NewCluster(w, w, settings, setupOf(0, 10, settings, nil), wish{}); err == nil {
		t.Error("a scaler without a period is taken")
	}
}

type silent struct{}

func (silent) Every() time.Duration { return time.Second }

func (silent) Scale(time.Time, []View) []int { return nil }

// TestClusterTicksInStepWithItsScaler, at most five seconds apart.
func TestClusterTicksInStepWithItsScaler(t *testing.T) {
	for every, want := range map[time.Duration]time.Duration{
		2 * time.Second: 2 * time.Second, 5 * time.Second: 5 * time.Second, 15 * time.Second: 5 * time.Second,
		time.Minute: 5 * time.Second, 7 * time.Second: 3500 * time.Millisecond, 12 * time.Second: 4 * time.Second,
	} {
		c := &Cluster{scaler: wish{every: every}}
		if got := c.Every(); got != want || every%got != 0 {
			t.Errorf("a scaler every %v: a tick every %v, want %v", every, got, want)
		}
	}
}

// BenchmarkTick is a tick in which nothing is to be done, on a hundred replicas, with
// and without what it costs to observe them.
func BenchmarkTick(b *testing.B) {
	s := quiet(b, 20, 0, always(100), nil)
	s.run(b, 20*time.Minute, nil)
	seen := s.seen(b)
	if census(seen, "en")[fleet.ReplicaReady] != 100 {
		b.Fatalf("%v", census(seen, "en"))
	}
	b.Run("observe", func(b *testing.B) {
		for b.Loop() {
			s.seen(b)
		}
	})
	b.Run("tick", func(b *testing.B) {
		s.cluster.observer = still{seen}
		for b.Loop() {
			s.at = s.at.Add(s.cluster.Every())
			if r, err := s.cluster.Tick(b.Context(), s.at); err != nil || len(r.Plan.Steps) > 0 {
				b.Fatal(r.Plan.Describe(), err)
			}
		}
	})
}

// BenchmarkTickAtTheLimit is a tick in which thousands of pods wait for nodes that are
// not to be had, without what it costs to observe.
func BenchmarkTickAtTheLimit(b *testing.B) {
	settings := settingsOf(one)
	settings.Catalog = catalog(40)
	s := newStage(b, settings, setupOf(5000, 5000, settings, nil), worldOf(b, settings, traffic.ShapeConstant, nil, 1), always(5000))
	s.run(b, 20*time.Minute, nil)
	s.cluster.observer = still{s.seen(b)}
	for b.Loop() {
		s.at = s.at.Add(s.cluster.Every())
		if r, err := s.cluster.Tick(b.Context(), s.at); err != nil || len(r.Plan.Steps) > 0 {
			b.Fatal(r.Plan.Describe(), err)
		}
	}
}

// still shows the same again and again.
type still struct{ seen fleet.Snapshot }

func (s still) Observe(context.Context, time.Time) (fleet.Snapshot, error) { return s.seen, nil }
