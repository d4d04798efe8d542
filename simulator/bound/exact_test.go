package bound_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// The small worlds that are solved exactly: time goes by slots, a request takes
// one node for one slot and comes at the beginning of one.
const (
	slot      = 20 * time.Second
	slots     = 36
	startSlot = 6 // slots that a node takes to start
	mostNodes = 3
	patience  = 3 // slots within which a request must be served, at most
)

// moment is all that matters of the past at the beginning of a slot.
type moment struct {
	nodes   int
	waiting [patience]int8 // requests by the slots that they may still wait, the most urgent first
	skipped int
}

// optimum is the least that any schedule of whole slots costs in which at most
// skip requests are late: every sequence of nodes is tried.
func optimum(arrivals [slots]int, limit, skip int, price float64) float64 {
	perSlot := price * slot.Hours()
	now := map[moment]float64{{}: 0}
	for t := range slots {
		next := map[moment]float64{}
		for m, cost := range now {
			m.waiting[limit-1] += int8(arrivals[t])
			for nodes := range mostNodes + 1 {
				if nodes > 0 && t < startSlot {
					break
				}
				n, c := m, cost+perSlot*float64(nodes)+perSlot*startSlot*float64(max(0, nodes-m.nodes))
				n.nodes = nodes
				for i, free := 0, nodes; i < limit; i++ {
					served := min(free, int(n.waiting[i]))
					n.waiting[i] -= int8(served)
					free -= served
				}
				n.skipped += int(n.waiting[0])
				copy(n.waiting[:], n.waiting[1:])
				n.waiting[patience-1] = 0
				if n.skipped > skip {
					continue
				}
				if old, ok := next[n]; !ok || c < old {
					next[n] = c
				}
			}
		}
		now = next
	}
	best := math.Inf(1)
	for m, cost := range now {
		late := m.skipped
		for _, n := range m.waiting {
			late += int(n) // not served by the end
		}
		if late <= skip {
			best = min(best, cost)
		}
	}
	return best
}

// TestNotAboveTheOptimum: in small worlds that are solved exactly, the bound is
// not above the optimum, and not far below it either.
func TestNotAboveTheOptimum(t *testing.T) {
	price := 3.6
	o := offering("a100", "a100-80gb", 1, mostNodes, 3_600_000, fleet.Fixed(startSlot*slot))
	var ratios []float64
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 11))
		limit := 1 + r.IntN(patience)
		var arrivals [slots]int
		var requests []traffic.Request
		busy := false
		for i := startSlot; i < slots; i++ {
			if r.IntN(5) == 0 {
				busy = !busy
			}
			if busy {
				arrivals[i] = min(r.IntN(4), limit*mostNodes)
			}
			for range arrivals[i] {
				requests = append(requests, traffic.Request{At: time.Duration(i) * slot, Work: 1})
			}
		}
		skip := 0
		if r.IntN(2) == 0 {
			skip = r.IntN(1 + len(requests)/4)
		}
		want := optimum(arrivals, limit, skip, price)
		if math.IsInf(want, 1) || len(requests) == 0 {
			continue
		}
		s := scene{
			settings: settings([]fleet.Model{model("m", time.Duration(limit)*slot, on(fleet.WholeGPU, fleet.Fixed(0), slot.Seconds()))}, o),
			duration: slots * slot, traffic: map[fleet.ModelName][]traffic.Request{"m": requests},
		}
		a := compute(t, s.input(map[fleet.ModelName]int64{"m": int64(len(requests) - skip)}))
		if got := a.LowerBound.Float(); got > want+1e-9 {
			t.Fatalf("case %d: the bound is %.6f, and the optimum %.6f (%d requests, %d may be late, within %d slots: %v)\nparts %+v\nchosen %+v",
				seed, got, want, len(requests), skip, limit, arrivals, a.Parts, a.Chosen)
		}
		if want > 0 {
			ratios = append(ratios, a.LowerBound.Float()/want)
		}
	}
	slices.Sort(ratios)
	middle := ratios[len(ratios)/2]
	t.Logf("%d worlds; bound over optimum: lowest %.3f, median %.3f, highest %.3f", len(ratios), ratios[0], middle, ratios[len(ratios)-1])
	if len(ratios) < 50 || middle < 0.5 {
		t.Errorf("%d worlds were solved, and the median bound is %.3f of the optimum", len(ratios), middle)
	}
}
