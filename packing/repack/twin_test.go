package repack

import (
	"container/heap"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

// A twin finds the cheapest plan by Dijkstra's algorithm over every state that a
// fleet of up to three A30 can be in, one step after the other.
type twin struct {
	o    Options
	old  int // Nodes there are at first; further ones are bought.
	does map[string]map[fleet.ProfileName]int
	want map[string]int
}

// twinState is the three nodes: what they are cut into, and who is on each slice.
type twinState [3]struct {
	cut string // "" is no node, "-" nothing created yet.
	who [4]string
}

var twinCuts = map[string][]fleet.ProfileName{"-": nil, "4": {"4g.24gb"}, "22": {"2g.12gb", "2g.12gb"}}

type twinItem struct {
	state twinState
	cost  packing.Amount
	final bool
}

type twinHeap []twinItem

func (h twinHeap) Len() int           { return len(h) }
func (h twinHeap) Less(i, j int) bool { return h[i].cost < h[j].cost }
func (h twinHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *twinHeap) Push(x any)        { *h = append(*h, x.(twinItem)) }
func (h *twinHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

func (w twin) served(s twinState, model string) int {
	sum := 0
	for _, n := range s {
		for i, p := range twinCuts[n.cut] {
			if n.who[i] == model {
				sum += w.does[model][p]
			}
		}
	}
	return sum
}

// best is the least total of any plan.
func (w twin) best(start twinState) packing.Amount {
	floor := map[string]int{}
	for m, units := range w.want {
		floor[m] = min(units, w.served(start, m))
	}
	price, terms := packing.Amount(1_400_000_000), w.o.Types["a30"]
	slice := map[fleet.ProfileName]packing.Amount{"4g.24gb": price, "2g.12gb": price / 2}
	done := map[twinItem]bool{}
	queue := &twinHeap{{state: start}}
	push := func(s twinState, cost packing.Amount) { heap.Push(queue, twinItem{s, cost, false}) }
	for queue.Len() > 0 {
		x := heap.Pop(queue).(twinItem)
		if x.final {
			return x.cost
		}
		key := twinItem{state: x.state}
		if done[key] {
			continue
		}
		done[key] = true
		met, nodes := true, 0
		for m, units := range w.want {
			met = met && w.served(x.state, m) >= units
		}
		for _, n := range x.state {
			nodes += boolean(n.cut != "")
		}
		if met {
			heap.Push(queue, twinItem{x.state, x.cost + packing.Amount(nodes)*times(price, w.o.Keep), true})
		}
		for i, n := range x.state {
			empty := n.who == [4]string{}
			for cut := range twinCuts {
				next := x.state
				next[i].cut = cut
				switch {
				case n.cut == "" && i >= w.old && cut != "-":
					push(next, x.cost+times(price, terms.Lead))
				case n.cut != "" && empty && cut != n.cut && cut != "-":
					push(next, x.cost+times(price, terms.ReshapeTime))
				}
			}
			if n.cut != "" && empty {
				next := x.state
				next[i].cut = ""
				back := packing.Amount(0)
				if i >= w.old {
					back = times(price, terms.MinimumBilling)
				}
				push(next, x.cost+back)
			}
			for j, p := range twinCuts[n.cut] {
				next := x.state
				if who := n.who[j]; who != "" {
					next[i].who[j] = ""
					if w.served(next, who) >= floor[who] {
						push(next, x.cost+times(slice[p], w.o.Replica.Drain)+w.o.Disruption)
					}
					continue
				}
				for m := range w.want {
					if w.does[m][p] > 0 {
						next[i].who[j] = m
						push(next, x.cost+times(slice[p], w.o.Replica.WarmUp))
					}
				}
			}
		}
	}
	return -1
}

// No plan is cheaper than the cheapest of all, and nearly all are as cheap.
func TestPlansAreTheCheapestThereAreOnTinyFleets(t *testing.T) {
	all, equal, worst := 0, 0, 0.0
	rapid.Check(t, func(r *rapid.T) {
		keep := time.Duration(rapid.IntRange(1, 90).Draw(r, "minutes")) * time.Minute
		need := packing.Problem{GPUs: []packing.GPU{{Name: "a30", PricePerHour: "1.40", MIG: "a30-24gb", PerNode: 1, MaxNodes: new(3)}}}
		w := twin{o: priced(fleet.ReshapeGPU, keep, need.GPUs...), does: map[string]map[fleet.ProfileName]int{}, want: map[string]int{}}
		for i := range 2 {
			name := fmt.Sprintf("m%d", i)
			two, four := rapid.IntRange(1, 3).Draw(r, "two"), rapid.IntRange(2, 5).Draw(r, "four")
			w.does[name] = map[fleet.ProfileName]int{"2g.12gb": two, "4g.24gb": four}
			w.want[name] = rapid.IntRange(1, 4).Draw(r, "need")
			need.Models = append(need.Models, packing.Model{Name: name, Demand: float64(w.want[name]), Throughput: map[string]map[fleet.ProfileName]float64{
				"a30": {"2g.12gb": float64(two), "4g.24gb": float64(four)},
			}})
		}
		var start twinState
		var nodes []Node
		w.old = rapid.IntRange(0, 3).Draw(r, "nodes")
		for i := range w.old {
			start[i].cut = rapid.SampledFrom([]string{"-", "4", "22", "22"}).Draw(r, "cut")
			gpu := GPU{}
			for j, p := range twinCuts[start[i].cut] {
				start[i].who[j] = rapid.SampledFrom([]string{"", "m0", "m1"}).Draw(r, "who")
				gpu.Slices = append(gpu.Slices, Slice{Slice: slot(p, 2*j, packing.Occupant(start[i].who[j]))})
			}
			nodes = append(nodes, Node{Number: i + 1, Type: "a30", GPUs: []GPU{gpu}})
		}
		p := solved(r, nodes, need, w.o)
		best := w.best(start)
		if best < 0 || len(p.Unserved) > 0 {
			return // Three nodes are not enough.
		}
		all++
		equal += boolean(p.Total == best)
		worst = max(worst, float64(p.Total)/float64(best)-1)
		if p.Total < best {
			r.Fatalf("total %v, the cheapest is %v\n%s", p.Total, best, p.describe())
		}
		if p.Total > best && testing.Verbose() {
			t.Logf("total %v, the cheapest is %v, kept %v\n%s%v %v", p.Total, best, keep, p.describe(), start, need.Models)
		}
	})
	t.Logf("%d of %d plans are the cheapest, the others within %.2f%%", equal, all, 100*worst)
	if equal*100 < all*95 {
		t.Errorf("only %d of %d plans are the cheapest", equal, all)
	}
}
