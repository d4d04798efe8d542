package packing

import (
	"cmp"
	"math"
	"slices"
)

// target is a number of GPUs of each offer to aim at.
type target struct {
	gpus   []int
	money  int64
	excess float64 // By how much a state needs more than this, as weight.
	tried  int
}

// maxRounds limits how many targets are tried where each takes little work.
const maxRounds = 300

// maxTargets limits how many targets are weighed at once.
const maxTargets = 20_000

// squeeze looks for cheaper whole nodes: it takes a number of GPUs of each offer
// that costs less than the best state, but not less than the bound, and looks for
// a choice that fits. Where it finds one it aims lower, where not, higher.
func (s *search) squeeze(best state, floor int64, do plan) state {
	steps := min(do.anneal*len(s.pools), do.most)
	rounds := max(do.aims, min(do.more/max(1, steps), maxRounds))
	lean := slices.Clone(s.chosen)
	targets := s.targets(best.money, floor)
	share := 0.5
	for range rounds {
		limit := floor + int64(share*float64(best.money-floor))
		t := pick(targets, best.money, limit)
		if t == nil {
			// Nothing that cheap is left; whatever is cheaper than the best will do.
			if t = pick(targets, best.money, best.money-1); t == nil {
				break
			}
		}
		t.tried++
		s.restore(lean)
		for k, n := range t.gpus {
			s.target[k] = float64(n)
		}
		if s.anneal(steps) {
			if now, ok := s.state(); ok && better(now, best) {
				best = now
				share = 0.5
			}
		} else {
			share = (1 + share) / 2
		}
		if s.work.done() {
			break
		}
	}
	clear(s.target)
	s.restore(best.chosen)
	return best
}

// pick answers the target below the best money, at most limit, that was tried least
// and, of these, is missed least by the leanest state.
func pick(targets []target, best, limit int64) *target {
	at := -1
	for i, t := range targets {
		if t.money >= best || t.money > limit {
			continue
		}
		if at < 0 || cmp.Or(cmp.Compare(t.tried, targets[at].tried), cmp.Compare(t.excess, targets[at].excess), cmp.Compare(t.money, targets[at].money)) < 0 {
			at = i
		}
	}
	if at < 0 {
		return nil
	}
	return &targets[at]
}

// targets lists numbers of GPUs near what the present state needs.
func (s *search) targets(below, floor int64) []target {
	reach := 3
	for reach > 1 && math.Pow(float64(2*reach), float64(len(s.in.offers))) > maxTargets {
		reach--
	}
	var out []target
	gpus := make([]int, len(s.in.offers))
	var walk func(k int, money int64, excess float64)
	walk = func(k int, money int64, excess float64) {
		if money >= below || len(out) >= maxTargets {
			return
		}
		if k == len(gpus) {
			if money >= floor {
				out = append(out, target{gpus: slices.Clone(gpus), money: money, excess: excess})
			}
			return
		}
		o := s.in.offers[k]
		base := int(max(0, math.Floor((s.need[k]-float64(o.paid))/float64(o.perNode))))
		for n := max(0, base-reach+1); n <= min(base+reach, o.nodes); n++ {
			gpus[k] = o.paid + n*o.perNode
			short := s.weight[k] * max(0, s.need[k]-float64(gpus[k]))
			walk(k+1, money+int64(n*o.perNode)*o.price, excess+short)
		}
	}
	walk(0, 0, 0)
	return out
}
