package repack

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

var table = flag.Bool("repack.table", false, "print the table of a day of drifting demand, on the recorded instances too")

// day is what a day of drifting need came to, hour by hour.
type day struct {
	name                    string
	cost, fresh             packing.Amount // Of the nodes, all hours.
	bound                   packing.Amount
	steps                   packing.Amount // Money for them.
	started, afresh, naive  int            // Replicas, after the first hour.
	moved, movedFresh       int            // Of those, in place of one of the same model that goes.
	reshapes, reshapesFresh int
	elapsed                 time.Duration
}

func (d day) row() string {
	return fmt.Sprintf("| %s | %.3f | %.3f | %.2f | %d | %d | %d | %d | %d | %.2f | %d | %d |", d.name,
		float64(d.cost)/float64(d.fresh), float64(d.cost)/float64(d.bound), float64(d.steps)/1e9, d.started, d.afresh, d.naive, d.moved, d.movedFresh, float64(d.moved)/float64(d.movedFresh), d.reshapes, d.reshapesFresh)
}

// drifting answers the need of each hour of a day: each model follows a curve of its
// own with a peak at some hour, and noise.
func drifting(p packing.Problem, seed uint64, swing, noise float64) []packing.Problem {
	rng := rand.New(rand.NewPCG(seed, 24))
	peaks := make([]float64, len(p.Models))
	for i := range peaks {
		peaks[i] = 14 + 4*rng.NormFloat64()
	}
	out := make([]packing.Problem, 24)
	for h := range out {
		need := p
		need.Models = append([]packing.Model{}, p.Models...)
		for i := range need.Models {
			level := 1 - swing/2 + swing/2*math.Cos(2*math.Pi*(float64(h)-peaks[i])/24)
			x := need.Models[i].Demand * level * math.Exp(noise*rng.NormFloat64())
			need.Models[i].Demand = math.Ceil(x*100) / 100
		}
		out[h] = need
	}
	return out
}

// liveThrough goes through a day, once from each hour's fleet to the next and once
// packing afresh, with the GPUs matched to those of the hour before.
func liveThrough(t testing.TB, name string, hours []packing.Problem, o Options) day {
	d := day{name: name}
	var nodes, anew []Node
	var before []packing.Placed
	for h, need := range hours {
		begun := time.Now()
		p, err := Solve(nodes, need, o)
		if err != nil {
			t.Fatal(err)
		}
		d.elapsed += time.Since(begun)
		if err := Verify(nodes, need, o, p); err != nil {
			t.Fatalf("hour %d: %v", h, err)
		}
		a, err := packing.Solve(need, packing.Options{})
		if err != nil {
			t.Fatal(err)
		}
		layout, started, cut := matched(anew, need, o, a)
		d.cost += p.After
		d.fresh += a.Cost
		d.bound += a.LowerBound
		if h > 0 {
			d.steps += p.Moves
			d.started += count(p, Start)
			d.reshapes += count(p, Reshape)
			d.afresh += started
			d.moved += moved(nodes, p.Layout)
			d.movedFresh += moved(anew, layout)
			d.reshapesFresh += cut
			d.naive += changed(before, a.GPUs)
		}
		if testing.Verbose() {
			t.Logf("hour %2d: %v an hour, afresh %v; started %d, afresh %d; reshaped %d, %d; tried %d in %v", h, p.After, a.Cost, count(p, Start), started, count(p, Reshape), cut, p.Tried, time.Since(begun).Round(time.Millisecond))
		}
		nodes, anew, before = FleetOf(p.Layout, need.GPUs), FleetOf(layout, need.GPUs), a.GPUs
	}
	return d
}

// matched is the layout packed afresh on today's nodes so that most stays, with the
// replicas that are started and the GPUs that are cut, whatever that does to models
// in between.
func matched(nodes []Node, need packing.Problem, o Options, a packing.Answer) (layout []packing.Placed, started, cut int) {
	b := newBook(need, o)
	s := &searcher{b: b, nodes: nodes, base: today(b, nodes), rng: rand.New(rand.NewPCG(1, 1))}
	all := s.nothing(s.base)
	all.open = nil
	for i := range all.remove {
		all.remove[i] = true
	}
	t := s.rebuild(s.question(all), a.GPUs)
	was := s.before(t)
	for i, g := range t {
		anew := g.reshaped(nodes)
		for j, slots := range g.gpus {
			cut += boolean(anew[j])
			layout = append(layout, packing.Placed{Type: g.kind.Name, Node: g.number, Geometry: slots})
			for at, x := range slots {
				started += boolean(!x.Empty() && !alike(x, was[seat{i, j, at}]))
			}
		}
	}
	return layout, started, cut
}

// moved counts the replicas of a layout that take over from one of the same model
// that is no longer where it was.
func moved(nodes []Node, layout []packing.Placed) int {
	was, is := map[string]packing.Occupant{}, map[string]packing.Occupant{}
	enter := func(to map[string]packing.Occupant, node, gpu, at int, s packing.Slice) {
		if !s.Empty() {
			to[fmt.Sprintf("%d %d %d %s %d %s", node, gpu, at, s.Profile, s.Start, s.Model)] = s.Model
		}
	}
	for _, n := range nodes {
		for g, gpu := range n.GPUs {
			for at, s := range gpu.Slices {
				enter(was, n.Number, g, at, s.Slice)
			}
		}
	}
	index := map[int]int{}
	for _, p := range layout {
		for at, s := range p.Geometry {
			enter(is, p.Node, index[p.Node], at, s)
		}
		index[p.Node]++
	}
	gone, come := map[packing.Occupant]int{}, map[packing.Occupant]int{}
	for key, m := range was {
		if is[key] == "" {
			gone[m]++
		}
	}
	n := 0
	for key, m := range is {
		if was[key] == "" {
			come[m]++
			n += boolean(come[m] <= gone[m])
		}
	}
	return n
}

func count(p Plan, do Action) int {
	n := 0
	for _, s := range p.Steps {
		n += boolean(s.Do == do)
	}
	return n
}

// changed counts the replicas that are where none of the kind was before, nodes as
// they are numbered.
func changed(before, after []packing.Placed) int {
	was := map[string]int{}
	for _, sign := range []int{1, -1} {
		for _, g := range map[int][]packing.Placed{1: before, -1: after}[sign] {
			for _, s := range g.Geometry {
				if !s.Empty() {
					was[fmt.Sprintf("%s %d %v", g.Type, g.Node, s)] += sign
				}
			}
		}
	}
	n := 0
	for _, x := range was {
		n += max(0, -x)
	}
	return n
}

// cloud is a problem with so many models on the A100 and the H100.
func cloud(models, perNode int, seed uint64) packing.Problem {
	rng := rand.New(rand.NewPCG(seed, 7))
	p := packing.Problem{GPUs: []packing.GPU{
		{Name: "a100", PricePerHour: "3.43", MIG: "a100-80gb", PerNode: perNode},
		{Name: "h100", PricePerHour: "6.88", MIG: "h100-80gb", PerNode: perNode},
	}}
	sizes := []struct {
		name  fleet.ProfileName
		share float64
	}{{"1g.10gb", 1}, {"1g.20gb", 1.05}, {"2g.20gb", 1.9}, {"3g.40gb", 2.8}, {"4g.40gb", 3.6}, {"7g.80gb", 5.8}}
	for i := range models {
		m := packing.Model{Name: fmt.Sprintf("model-%02d", i), Throughput: map[string]map[fleet.ProfileName]float64{"a100": {}, "h100": {}}}
		unit := 20 + 100*rng.Float64()
		least := rng.IntN(4)
		faster := 1.5 + 0.8*rng.Float64()
		for j, size := range sizes {
			if j >= least {
				m.Throughput["a100"][size.name] = math.Round(unit * size.share)
				m.Throughput["h100"][size.name] = math.Round(unit * size.share * faster)
			}
		}
		m.Demand = unit * (1 + 11*rng.Float64()*rng.Float64())
		p.Models = append(p.Models, m)
	}
	return p
}

// A day's cost is at most 1.05 times that of packing afresh each hour, with at most a
// fifth of its moves, even where its GPUs are matched with those of the hour before so
// that most stays.
func TestADriftingDayCostsLittleMoreThanPackingAfreshWithFewMoves(t *testing.T) {
	type instance struct {
		name  string
		p     packing.Problem
		tries int
	}
	all := []instance{{"60 models, nodes of 8", cloud(60, 8, 2), 50}}
	if *table {
		all = []instance{
			{"40 models, nodes of 1", cloud(40, 1, 1), 600},
			{"60 models, nodes of 8", cloud(60, 8, 2), 600},
		}
		for _, name := range []string{"r15", "r40x3", "r40n8"} {
			if p, ok := recorded(name); ok {
				all = append(all, instance{name, p, 600})
			}
		}
		fmt.Println("| need | cost / afresh | cost / bound | money for steps | started | afresh, matched | afresh, as numbered | moved | afresh, matched | share | cut anew | afresh, matched |")
		fmt.Println("|---|---|---|---|---|---|---|---|---|---|---|---|")
	}
	for _, x := range all {
		o := priced(fleet.ReshapeGPU, time.Hour, x.p.GPUs...)
		o.Disruption, o.Tries = 100_000_000, x.tries
		d := liveThrough(t, x.name, drifting(x.p, 1, 0.7, 0.03), o)
		if *table {
			fmt.Println(d.row())
		}
		t.Logf("%s in %v", d.row(), d.elapsed)
		if ratio := float64(d.cost) / float64(d.fresh); ratio > 1.05 {
			t.Errorf("%s: cost is %.3f times packing afresh, want at most 1.05", d.name, ratio)
		}
		if !*table && d.moved*5 > d.movedFresh {
			t.Errorf("%s: %d replicas moved, packing afresh moves %d, want at most a fifth", d.name, d.moved, d.movedFresh)
		}
	}
}

func recorded(name string) (packing.Problem, bool) {
	root := os.Getenv("TESSERA_DATA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "data")
	}
	b, err := os.ReadFile(filepath.Join(root, "packing", name+".json"))
	var p packing.Problem
	return p, err == nil && json.Unmarshal(b, &p) == nil
}

// A need that only trembles below what the fleet was made for is no reason to cut
// anything anew, where taking a replica away has a price that makes an hour's lull
// not worth it.
func TestANeedThatOnlyTremblesReshapesNothing(t *testing.T) {
	for seed := range uint64(2) {
		p := cloud(8, 1, seed)
		o := priced(fleet.ReshapeGPU, time.Hour, p.GPUs...)
		o.Disruption, o.Tries = 250_000_000, 30
		hours := drifting(p, seed, 0, 0.005)
		high := p
		high.Models = append([]packing.Model{}, p.Models...)
		for _, need := range hours {
			for i, m := range need.Models {
				high.Models[i].Demand = max(high.Models[i].Demand, m.Demand)
			}
		}
		var nodes []Node
		for range 4 { // Until nothing better is found for it.
			nodes = FleetOf(solved(t, nodes, high, o).Layout, p.GPUs)
		}
		for h, need := range hours {
			plan := solved(t, nodes, need, o)
			if count(plan, Reshape) > 0 {
				t.Errorf("seed %d, hour %d: a fleet made for the highest need is cut anew:\n%s", seed, h, plan.describe())
			}
			nodes = FleetOf(plan.Layout, need.GPUs)
		}
	}
}
