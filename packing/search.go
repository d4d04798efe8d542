package packing

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// A search moves between choices of one cover for each model. What a choice costs
// is read off the faces, so a move costs a few additions; GPUs are cut only at the
// end.
type search struct {
	in     *instance
	pools  [][]cover
	chosen []int     // Cover of each model, in its pool.
	counts []int     // Slices of each kind.
	need   []float64 // GPUs of each offer that the slices need, not rounded.
	target []float64 // GPUs of each offer that there should be at most.
	weight []float64 // What a GPU of each offer counts.
	lean   float64   // What a needed GPU counts even below the target.
	energy float64
	random *rand.Rand
	work   *work
}

// seed is fixed: the same problem has the same answer.
const seed = 0x7e55e7a

func newSearch(in *instance, pools [][]cover, chosen []int, w *work) *search {
	s := &search{
		in: in, pools: pools, chosen: slices.Clone(chosen), work: w,
		counts: make([]int, len(in.kinds)), need: make([]float64, len(in.offers)),
		target: make([]float64, len(in.offers)), lean: 1,
		random: rand.New(rand.NewPCG(seed, uint64(len(in.models)))),
	}
	for _, o := range in.offers {
		s.weight = append(s.weight, max(float64(o.price), float64(in.dearest())/1000))
	}
	for m, c := range s.chosen {
		s.shift(s.pools[m][c], 1)
	}
	s.settle()
	return s
}

func (s *search) shift(c cover, sign int) {
	for _, x := range c {
		s.counts[x.kind] += sign * x.n
	}
}

// needOf is how many GPUs of an offer the slices need, as a linear program.
func (s *search) needOf(k int) float64 {
	o := &s.in.offers[k]
	most := 0.0
	for i := range o.verts {
		sum := 0.0
		for j, share := range o.verts[i].share {
			if n := s.counts[o.first+j] - s.in.kinds[o.first+j].free; n > 0 {
				sum += share * float64(n)
			}
		}
		most = max(most, sum)
	}
	return most
}

func (s *search) cost(k int, need float64) float64 {
	return s.weight[k] * (max(0, need-s.target[k]) + s.lean*need)
}

// settle computes need and energy of the whole state.
func (s *search) settle() {
	s.energy = 0
	for k := range s.in.offers {
		s.need[k] = s.needOf(k)
		s.energy += s.cost(k, s.need[k])
	}
}

// try puts another cover in place and answers the change of energy, with the
// state changed but for chosen and need.
func (s *search) try(m, c int) float64 {
	s.shift(s.pools[m][s.chosen[m]], -1)
	s.shift(s.pools[m][c], 1)
	change := 0.0
	for k := range s.in.offers {
		if s.touched(k, s.pools[m][c]) || s.touched(k, s.pools[m][s.chosen[m]]) {
			change += s.cost(k, s.needOf(k)) - s.cost(k, s.need[k])
		}
	}
	s.work.spend(1)
	return change
}

func (s *search) touched(k int, c cover) bool {
	o := &s.in.offers[k]
	for _, x := range c {
		if x.kind >= o.first && x.kind < o.end {
			return true
		}
	}
	return false
}

func (s *search) undo(m, c int) {
	s.shift(s.pools[m][c], -1)
	s.shift(s.pools[m][s.chosen[m]], 1)
}

func (s *search) accept(m, c int, change float64) {
	old := s.chosen[m]
	s.chosen[m] = c
	for k := range s.in.offers {
		if s.touched(k, s.pools[m][c]) || s.touched(k, s.pools[m][old]) {
			s.need[k] = s.needOf(k)
		}
	}
	s.energy += change
}

// descend takes the best cover of each model in turn until none improves.
func (s *search) descend() {
	for improved := true; improved && !s.work.done(); {
		improved = false
		for m := range s.pools {
			best, change := -1, -1e-9*s.energy
			for c := range s.pools[m] {
				if c == s.chosen[m] {
					continue
				}
				if d := s.try(m, c); d < change {
					best, change = c, d
				}
				s.undo(m, c)
			}
			if best >= 0 {
				s.try(m, best)
				s.accept(m, best, change)
				improved = true
			}
		}
	}
	s.settle()
}

// anneal looks for a state that needs no more GPUs than target, by simulated
// annealing (Kirkpatrick et al. 1983) in so many steps, and says whether it
// found one. The state is left wherever it came to.
func (s *search) anneal(steps int) bool {
	s.lean = 0.05
	s.settle()
	defer func() { s.lean = 1; s.settle() }()
	movable := make([]int, 0, len(s.pools))
	for m := range s.pools {
		if len(s.pools[m]) > 1 {
			movable = append(movable, m)
		}
	}
	if len(movable) == 0 {
		return s.within()
	}
	hot := 0.1 * slices.Max(s.weight)
	cold := hot / 200
	cool := math.Pow(cold/hot, 1/float64(max(1, steps)))
	heat := hot
	for range steps {
		if s.over() <= 0 && s.within() {
			return true
		}
		if s.work.done() {
			return false
		}
		m := movable[s.random.IntN(len(movable))]
		u := s.random.Float64()
		c := int(u * u * float64(len(s.pools[m])-1))
		if c >= s.chosen[m] {
			c++
		}
		change := s.try(m, c)
		if change <= 0 || s.random.Float64() < math.Exp(-change/heat) {
			s.accept(m, c, change)
		} else {
			s.undo(m, c)
		}
		heat *= cool
	}
	return s.within()
}

// over is by how much the target is missed, as weight, less what rounding blurs.
func (s *search) over() float64 {
	sum := 0.0
	for k, need := range s.need {
		sum += s.weight[k] * max(0, need-s.target[k]-1e-9)
	}
	return sum
}

// within says exactly whether the state keeps to the target.
func (s *search) within() bool {
	for k, o := range s.in.offers {
		if float64(s.in.gpusFor(o, s.counts)) > s.target[k] {
			return false
		}
	}
	return true
}

// gpus answers the whole GPUs of each offer that the state needs.
func (s *search) gpus() []int {
	out := make([]int, len(s.in.offers))
	for k, o := range s.in.offers {
		out[k] = s.in.gpusFor(o, s.counts)
	}
	return out
}

// price is the money for whole nodes, and whether the limits allow them.
func (in *instance) price(gpus []int) (money int64, allowed bool) {
	allowed = true
	for k, o := range in.offers {
		money += o.purchase(gpus[k])
		allowed = allowed && gpus[k] <= o.limit()
	}
	return money, allowed
}

// state is a choice with its price.
type state struct {
	chosen []int
	gpus   []int
	money  int64
}

func (s *search) state() (state, bool) {
	g := s.gpus()
	money, ok := s.in.price(g)
	return state{slices.Clone(s.chosen), g, money}, ok
}

func (s *search) restore(chosen []int) {
	clear(s.counts)
	copy(s.chosen, chosen)
	for m, c := range s.chosen {
		s.shift(s.pools[m][c], 1)
	}
	s.settle()
}

// simplify gives models fewer slices where that needs no more GPUs of any offer:
// fewer servers to run, each pooling more of the demand. What stands today stays.
func (s *search) simplify(best state, today []int) state {
	s.restore(best.chosen)
	for m, pool := range s.pools {
		for c := range pool {
			if s.chosen[m] != today[m] && pool[c].slices() < pool[s.chosen[m]].slices() {
				s.try(m, c)
				if s.noMore(best.gpus) {
					s.accept(m, c, 0)
				} else {
					s.undo(m, c)
				}
			}
		}
	}
	best.chosen = slices.Clone(s.chosen)
	return best
}

func (s *search) noMore(gpus []int) bool {
	for k, o := range s.in.offers {
		if s.in.gpusFor(o, s.counts) > gpus[k] {
			return false
		}
	}
	return true
}

// better orders states by money, then GPUs; of equals the first found stays.
func better(a, b state) bool {
	return cmp.Or(cmp.Compare(a.money, b.money), cmp.Compare(sum(a.gpus), sum(b.gpus))) < 0
}

func sum(xs []int) int {
	n := 0
	for _, x := range xs {
		n += x
	}
	return n
}
