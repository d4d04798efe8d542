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
	faces  []int     // First face of each offer among all, and the end.
	sums   []int64   // What the slices take by each face, in its parts of a GPU.
	scale  []float64 // GPUs that one such part is.
	parts  [][]int64 // What one slice of each kind takes by each face of its offer.
	was    []bool    // Whether the move tried last touches an offer.
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
		was:    make([]bool, len(in.offers)), parts: make([][]int64, len(in.kinds)),
	}
	for _, o := range in.offers {
		s.faces = append(s.faces, len(s.sums))
		for _, f := range o.verts {
			s.sums, s.scale = append(s.sums, 0), append(s.scale, 1/float64(f.parts))
			for i, part := range f.part {
				s.parts[o.first+i] = append(s.parts[o.first+i], part)
			}
		}
		s.weight = append(s.weight, max(float64(o.price), float64(in.dearest())/1000))
	}
	s.faces = append(s.faces, len(s.sums))
	for m, c := range s.chosen {
		s.shift(s.pools[m][c], 1)
	}
	s.settle()
	return s
}

func (s *search) shift(c cover, sign int) {
	for _, x := range c {
		s.add(x.kind, sign*x.n)
	}
}

// add counts so many slices of a kind more, in every face that feels them.
func (s *search) add(kind, n int) {
	k := &s.in.kinds[kind]
	before := max(0, s.counts[kind]-k.free)
	s.counts[kind] += n
	more := int64(max(0, s.counts[kind]-k.free) - before)
	if more == 0 {
		return
	}
	sums := s.sums[s.faces[k.offer]:s.faces[k.offer+1]]
	for i, part := range s.parts[kind] {
		sums[i] += part * more
	}
}

// needOf is how many GPUs of an offer the slices need, as a linear program.
func (s *search) needOf(k int) float64 {
	most := 0.0
	for i := s.faces[k]; i < s.faces[k+1]; i++ {
		most = max(most, float64(s.sums[i])*s.scale[i])
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
	s.touch(s.pools[m][s.chosen[m]], s.pools[m][c])
	change := 0.0
	for k, touched := range s.was {
		if touched {
			change += s.cost(k, s.needOf(k)) - s.cost(k, s.need[k])
		}
	}
	s.work.spend(1)
	return change
}

// touch notes which offers two covers use.
func (s *search) touch(a, b cover) {
	clear(s.was)
	for _, x := range a {
		s.was[s.in.kinds[x.kind].offer] = true
	}
	for _, x := range b {
		s.was[s.in.kinds[x.kind].offer] = true
	}
}

func (s *search) undo(m, c int) {
	s.shift(s.pools[m][c], -1)
	s.shift(s.pools[m][s.chosen[m]], 1)
}

// accept keeps the move that was tried last.
func (s *search) accept(m, c int, change float64) {
	s.chosen[m] = c
	for k, touched := range s.was {
		if touched {
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
		if change <= 0 || change < 40*heat && s.random.Float64() < math.Exp(-change/heat) {
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
	clear(s.sums)
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
