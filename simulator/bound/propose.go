package bound

import (
	"math"
	"slices"
)

// need is work of models of equal pace in one crowd.
type need struct {
	paces []float64 // seconds by kind
	work  float64
}

// needs adds up the work of the models, and for how long they must hold a slice at
// all: those of sessions where that is asked for.
func needs(demands []*demand, attended bool) []need {
	var out []need
	var first []*demand
	index := map[[2]int]int{}
	for _, d := range demands {
		if (d.held != nil || d.live != nil && attended) && !math.IsInf(d.least, 1) {
			out = append(out, d.holding())
		}
		alike := 0
		for alike < len(first) && !equalPace(first[alike].pace, d.pace) {
			alike++
		}
		if alike == len(first) {
			first = append(first, d)
		}
		for c := range crowds {
			work := d.total(c)
			if work == 0 || math.IsInf(d.least, 1) {
				continue
			}
			at, ok := index[[2]int{alike, c}]
			if !ok {
				at = len(out)
				index[[2]int{alike, c}] = at
				out = append(out, need{paces: d.byCrowd[c]})
			}
			out[at].work += work
		}
	}
	return out
}

// holding is the time for which a model must hold a slice, whichever.
func (d *demand) holding() need {
	n := need{paces: slices.Clone(d.byCrowd[len(crowds)-1])}
	for k, seconds := range n.paces {
		if !math.IsInf(seconds, 1) {
			n.paces[k] = 1
		}
	}
	if d.live != nil {
		for _, s := range d.live.spells {
			n.work += s.seconds
		}
		return n
	}
	for _, seconds := range d.held.seconds {
		n.work += seconds
	}
	return n
}

// propose looks for prices of slices at which needs are worth most: the dual of
// covering them with divisible GPUs, in a run of so many seconds.
func propose(s *shop, needs []need, seconds float64) []float64 {
	// Variables: a value for each need, scaled by its fastest slice, then a price
	// for each kind, in units of the dearest pool's, then one for each pool whose
	// GPUs cost nothing: its slices are worth what is taken off for them.
	unit := 1.0
	for _, p := range s.pools {
		unit = max(unit, float64(p.price))
	}
	goal := make([]float64, len(needs)+len(s.kinds)+len(s.pools))
	var rows [][]float64
	var right []float64
	largest := 0.0
	for i, n := range needs {
		fastest := math.Inf(1)
		for _, t := range n.paces {
			fastest = min(fastest, t)
		}
		goal[i] = n.work * fastest
		largest = max(largest, goal[i])
		for k, t := range n.paces {
			if math.IsInf(t, 1) {
				continue
			}
			row := make([]float64, len(goal))
			row[i], row[len(needs)+k] = fastest/t, -1
			rows, right = append(rows, row), append(right, 0)
		}
	}
	for i, p := range s.pools {
		own := len(needs) + len(s.kinds) + i
		if !p.sold {
			goal[own] = -float64(p.free) * seconds
		}
		for _, counts := range p.geometries {
			row := make([]float64, len(goal))
			for j, n := range counts {
				row[len(needs)+p.first+j] = float64(n)
			}
			if !p.sold {
				row[own] = -1
			}
			rows, right = append(rows, row), append(right, float64(p.price)/unit)
		}
	}
	for i := range goal {
		goal[i] /= max(largest, math.SmallestNonzeroFloat64)
	}
	x := maximise(goal, rows, right)
	prices := make([]float64, len(s.kinds))
	for k := range prices {
		prices[k] = x[len(needs)+k] * unit
	}
	return prices
}

func equalPace(a, b pace) bool {
	for c, row := range a.byCrowd {
		for k, x := range row {
			if x != b.byCrowd[c][k] {
				return false
			}
		}
	}
	return true
}
