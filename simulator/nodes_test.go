package simulator

import (
	"math"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// TestStagesAreSeenAsTheyEnd, one after the other, and none before its end.
func TestStagesAreSeenAsTheyEnd(t *testing.T) {
	m := testModel("m", fleet.CentralQueue, 1)
	measure(&m).Load = fleet.Fixed(20 * time.Second)
	catalog := testCatalog()
	catalog.Offerings[0].Lead = fleet.LeadTime{Node: fleet.Fixed(3 * time.Minute), Image: fleet.Fixed(time.Minute)}
	w := build(t, Config{Catalog: catalog, Models: []fleet.Model{m}})
	advance(w, time.Minute)
	do(t, w, buyNode("n"), startOn("n", 0, "m", "r"))
	for _, c := range []struct {
		at            time.Duration
		node, replica int
	}{
		{time.Minute, 0, 0},
		{4*time.Minute - 1, 0, 0},
		{4 * time.Minute, 1, 0},
		{5 * time.Minute, 2, 0},
		{5*time.Minute + 20*time.Second - 1, 2, 0},
		{5*time.Minute + 20*time.Second, 2, 1},
		{time.Hour, 2, 1},
	} {
		advance(w, c.at)
		s := observe(t, w)
		if len(s.Nodes[0].Stages) != c.node || len(s.Replicas[0].Stages) != c.replica {
			t.Errorf("at %v seen are %v and %v", c.at, s.Nodes[0].Stages, s.Replicas[0].Stages)
		}
		if c.at < time.Hour {
			continue
		}
		node, load := s.Nodes[0].Stages, s.Replicas[0].Stages[0]
		if node[0].Name != "node" || node[1].Name != "image" || !node[1].Began.Equal(node[0].Ended) || !node[1].Ended.Equal(s.Nodes[0].ReadyAt) || !node[0].Began.Equal(s.Nodes[0].RequestedAt) {
			t.Errorf("the node's stages are %v", node)
		}
		if load.Name != "load" || !load.Began.Equal(s.Nodes[0].ReadyAt) || !load.Ended.Equal(s.Replicas[0].Since) {
			t.Errorf("the replica's stages are %v", s.Replicas[0].Stages)
		}
	}
}

// TestNodeStartIsWhatTheWorldDraws for the n-th node of each offering.
func TestNodeStartIsWhatTheWorldDraws(t *testing.T) {
	const seed = 7
	catalog := testCatalog()
	d := fleet.Delay{P50: 4 * time.Minute, P95: 7 * time.Minute}
	catalog.Offerings[0].Lead = fleet.LeadTime{Node: d, Driver: d, Image: d}
	w := build(t, Config{Catalog: catalog, Seed: seed})
	for i := range 10 {
		do(t, w, buyNode(fleet.NodeID(rune('a'+i))))
	}
	advance(w, 100*time.Hour)
	for i, n := range w.live {
		if got, want := n.ReadyAt.Sub(n.RequestedAt), NodeStart(seed, catalog.Offerings[0], i); got != want {
			t.Errorf("node %d takes %v, and %v was told", i, got, want)
		}
	}
}

// TestModeFlip: from whole to slices and back takes what the offering says of that,
// and from slices to others what a reshape takes.
func TestModeFlip(t *testing.T) {
	catalog := testCatalog()
	catalog.Offerings[0].ModeFlip = fleet.Fixed(8 * time.Minute)
	w := build(t, Config{Catalog: catalog})
	do(t, w, buyNode("n"))
	advance(w, time.Second)
	whole := fleet.Geometry{{Profile: fleet.WholeGPU}}
	for _, c := range []struct {
		to    fleet.Geometry
		takes time.Duration
	}{{halves(), time.Minute}, {whole, 8 * time.Minute}, {sevenths(), 8 * time.Minute}, {fleet.Geometry{{Profile: "7g.80gb"}}, time.Minute}} {
		do(t, w, fleet.Reshape{GPU: fleet.GPUID{Node: "n"}, Geometry: c.to})
		w.AdvanceTo(w.Now().Add(c.takes - 1))
		before := observe(t, w).Nodes[0].GPUs[0].Reshaping
		w.AdvanceTo(w.Now().Add(1))
		if after := observe(t, w).Nodes[0].GPUs[0].Reshaping; !before || after {
			t.Errorf("to %s it does not take %v", c.to, c.takes)
		}
	}
}

// spotCatalog sells A100s that are taken back once an hour on average.
func spotCatalog() fleet.Catalog {
	c := testCatalog()
	c.Offerings[0].Purchase, c.Offerings[0].Interruptions = fleet.Spot, 1
	c.Offerings[0].MinimumBilling = 24 * time.Hour
	return c
}

// TestSpotNodesAreTakenBack: with two minutes' notice, in which the node takes nothing
// new and serves on; what it serves at the end is cut, and it is paid to the end.
func TestSpotNodesAreTakenBack(t *testing.T) {
	w := build(t, Config{Catalog: spotCatalog(), Models: []fleet.Model{testModel("m", fleet.CentralQueue, 1)}, Sources: feed("m", every(2*time.Second, 100*time.Hour)), Seed: 3})
	serveWith(t, w, "m", 1)
	for w.byNode["n"].LostAt.IsZero() {
		w.AdvanceTo(w.Now().Add(time.Second))
	}
	n := observe(t, w).Nodes[0]
	if n.State != fleet.NodeDraining || !n.Fixed || n.LostAt.Sub(w.Now()) > 2*time.Minute || n.LostAt.Sub(w.Now()) <= 2*time.Minute-time.Second {
		t.Errorf("with its notice at %v it is seen as %+v", w.Now(), n)
	}
	for _, step := range []fleet.Step{startOn("n", 1, "m", "s"), fleet.KeepNode{Node: "n"}} {
		if err := w.Do(t.Context(), "test", step); err == nil {
			t.Errorf("%s is done on a node that is taken", step.Kind())
		}
	}
	served := w.Result().Served
	w.AdvanceTo(n.LostAt.Add(-1))
	if r := w.Result(); r.Served < served+55 || r.NodesLost != 0 {
		t.Errorf("under notice it serves %d", r.Served-served)
	}
	w.AdvanceTo(n.LostAt)
	r := balanced(t, w)
	if m := r.ByModel["m"]; r.NodesLost != 1 || len(w.live) != 0 || m.Cut > 1 || m.Dropped != m.Cut {
		t.Errorf("after it %+v", m)
	}
	if paid := spotCatalog().Offerings[0].Price.For(n.LostAt.Sub(start)); r.Cost.Compare(paid) != 0 {
		t.Errorf("it cost %s, want %s", r.Cost, paid)
	}
}

// TestSpotLivesAreExponential, of each node its own, whoever buys it and when.
func TestSpotLivesAreExponential(t *testing.T) {
	const n = 4000
	catalog := spotCatalog()
	catalog.Offerings[0].Limit = n
	sum, above := 0.0, 0
	w := build(t, Config{Catalog: catalog})
	for i := range n {
		do(t, w, buyNode(fleet.NodeID(rune(1000+i))))
	}
	for _, e := range w.heap.events {
		if e.kind == evNotice {
			life := time.Duration(e.at).Hours()
			sum += life
			if life > 1 {
				above++
			}
		}
	}
	if mean := sum / n; math.Abs(mean-1) > 4/math.Sqrt(n) {
		t.Errorf("nodes live for %v hours on average, want 1", mean)
	}
	if share := float64(above) / n; math.Abs(share-1/math.E) > 4*math.Sqrt(0.24/n) {
		t.Errorf("%v of the nodes live for longer than the mean, want 1/e", share)
	}
}

// TestGivenBackBeforeItIsTaken: what comes later concerns nobody.
func TestGivenBackBeforeItIsTaken(t *testing.T) {
	w := build(t, Config{Catalog: spotCatalog(), Seed: 3})
	do(t, w, buyNode("a"), buyNode("b"))
	for w.byNode["a"].LostAt.IsZero() && w.byNode["b"].LostAt.IsZero() {
		w.AdvanceTo(w.Now().Add(time.Second))
	}
	do(t, w, fleet.DrainNode{Node: "a"}, fleet.ReturnNode{Node: "a"}, fleet.DrainNode{Node: "b"}, fleet.ReturnNode{Node: "b"})
	w.AdvanceTo(w.Now().Add(100 * time.Hour))
	if r := balanced(t, w); r.NodesLost != 0 {
		t.Errorf("%d nodes were lost", r.NodesLost)
	}
}

// TestReservedNodesArePaidAnyhow: two from start to end, used or not, and no more than
// that is to be had. What they cost while a group uses one falls to it.
func TestReservedNodesArePaidAnyhow(t *testing.T) {
	catalog := testCatalog()
	o := &catalog.Offerings[0]
	o.Purchase, o.Price, o.MinimumBilling = fleet.Reserved, fleet.PerHour(fleet.Micros(0, "USD")), time.Hour
	price := fleet.PerHour(fleet.Micros(3_000_000, "USD"))
	one, other := testModel("one", fleet.CentralQueue, 1), testModel("other", fleet.CentralQueue, 1)
	one.Group, other.Group = "a", "b"
	w := build(t, Config{
		Catalog: catalog, Models: []fleet.Model{one, other}, Reserved: []Reservation{{Offering: "a100", Nodes: 2, Price: price}},
		Faults: []Fault{{At: 3 * time.Hour, Kind: NodeDeath}},
	})
	if got := w.Sample().Rate; got.Compare(price.Times(2)) != 0 {
		t.Errorf("before anything is bought the rate is %s", got)
	}
	advance(w, time.Hour)
	do(t, w, buyNode("x"), startOn("x", 0, "one", "r"))
	advance(w, 2*time.Hour)
	do(t, w, buyNode("y"), startOn("y", 0, "other", "s"))
	if err := w.Do(t.Context(), "test", buyNode("z")); err == nil {
		t.Error("a third of two is had")
	}
	advance(w, 150*time.Minute)
	do(t, w, fleet.StopReplica{Replica: "s"}, fleet.DrainNode{Node: "y"}, fleet.ReturnNode{Node: "y"})
	do(t, w, buyNode("w"))
	advance(w, 3*time.Hour) // one of the two dies
	if n := len(w.live); n != 1 {
		t.Fatalf("%d nodes are left", n)
	}
	advance(w, 4*time.Hour)
	r := balanced(t, w)
	if want := price.For(8 * time.Hour); r.Cost.Compare(want) != 0 || r.GPUHours != 8 || r.IdleGPUHours != 8 {
		t.Errorf("they cost %s, want %s; %v GPU-hours, %v idle", r.Cost, want, r.GPUHours, r.IdleGPUHours)
	}
	// Of nine hours and a half of use, a has an hour for each of b's halves, or more if
	// its node lives.
	money := w.accounts()
	b := money.total.models[1]
	if want := price.For(30 * time.Minute); b.Compare(want) != 0 {
		t.Errorf("b pays %s for half an hour, want %s", b, want)
	}
	uses := 2 * time.Hour
	if _, alive := observe(t, w).Node("x"); alive {
		uses = 3 * time.Hour
	}
	if a := money.total.models[0]; a.Compare(price.For(uses)) != 0 {
		t.Errorf("a pays %s for %v, want %s", a, uses, price.For(uses))
	}
}

// TestReservationsThatMakeNoSense are refused.
func TestReservationsThatMakeNoSense(t *testing.T) {
	free := testCatalog()
	free.Offerings[0].Purchase, free.Offerings[0].Price = fleet.Reserved, fleet.PerHour(fleet.Micros(0, "USD"))
	for name, cfg := range map[string]Config{
		"on demand": {Catalog: testCatalog(), Reserved: []Reservation{{Offering: "a100", Nodes: 1}}},
		"unknown":   {Catalog: free, Reserved: []Reservation{{Offering: "h100", Nodes: 1}}},
		"none":      {Catalog: free, Reserved: []Reservation{{Offering: "a100"}}},
		"twice":     {Catalog: free, Reserved: []Reservation{{Offering: "a100", Nodes: 1}, {Offering: "a100", Nodes: 1}}},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
}

// TestNothingIsKeptOfWhatIsGone but its sums.
func TestNothingIsKeptOfWhatIsGone(t *testing.T) {
	w := build(t, Config{})
	for i := range 100 {
		id := fleet.NodeID(rune('a' + i))
		do(t, w, buyNode(id))
		advance(w, time.Duration(i+1)*time.Hour)
		do(t, w, fleet.DrainNode{Node: id}, fleet.ReturnNode{Node: id})
	}
	for _, n := range w.nodes {
		if n != nil {
			t.Fatalf("node %s is kept", n.ID)
		}
	}
	if r := balanced(t, w); r.GPUHours != 100 || r.Cost.Compare(fleet.Micros(360_000_000, "USD")) != 0 {
		t.Errorf("%v GPU-hours for %s", r.GPUHours, r.Cost)
	}
}
