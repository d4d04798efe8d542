package repack

import (
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/tessera-autoscaler/tessera/packing"
)

// Verify replays a plan from today's fleet, one step after the other, and answers
// what is wrong with it, or nil: every step is possible when its turn comes, none
// takes from a model what it needs, the layout at the end and the sums are those of
// the plan. It shares the tables of parts and the prices of steps with Solve, and
// adds up what models are served by itself, in exact arithmetic.
func Verify(nodes []Node, need packing.Problem, o Options, p Plan) error {
	order := make([]int, len(p.Steps))
	for i := range order {
		order[i] = i
	}
	r, err := replayed(nodes, need, o, p.Steps, order)
	if err != nil {
		return err
	}
	var errs []error
	moves := packing.Amount(0)
	for _, s := range p.Steps {
		moves += s.Price
	}
	if moves != p.Moves {
		errs = append(errs, fmt.Errorf("moves: %s, the steps cost %s", p.Moves, moves))
	}
	return errors.Join(append(errs, r.reached(p.Layout))...)
}

// replay is a fleet while a plan is carried out.
type replay struct {
	b       *book
	nodes   map[int]*replayNode
	waiting map[seat]bool // What is under way; a node is seat{n, -1, -1}, a GPU seat{n, g, -1}.
	floor   map[packing.Occupant]*big.Rat
	apart   map[packing.Occupant]int
}

type replayNode struct {
	kind     *kind
	draining bool
	reserved bool
	gpus     [][]Slice
}

// replayed carries steps out in an order in which each comes after those it has to
// come after, and answers the fleet at the end.
func replayed(nodes []Node, need packing.Problem, o Options, steps []Step, order []int) (*replay, error) {
	r := &replay{b: newBook(need, o), nodes: map[int]*replayNode{}, waiting: map[seat]bool{}, floor: map[packing.Occupant]*big.Rat{}, apart: map[packing.Occupant]int{}}
	for _, n := range nodes {
		m := &replayNode{kind: r.b.types[n.Type], draining: n.State == Draining, reserved: n.Reserved}
		r.nodes[n.Number] = m
		if n.State == Starting {
			r.waiting[seat{n.Number, -1, -1}] = true
		}
		for g, gpu := range n.GPUs {
			m.gpus = append(m.gpus, slices.Clone(gpu.Slices))
			if gpu.Reshaping {
				r.waiting[seat{n.Number, g, -1}] = true
			}
		}
	}
	for _, m := range r.b.need.Models {
		name := packing.Occupant(m.Name)
		all, on := r.serves(m, true)
		r.floor[name] = exactly(m.Demand)
		if all.Cmp(r.floor[name]) < 0 {
			r.floor[name] = all
		}
		r.apart[name] = min(max(1, m.Spread), on)
	}
	done := make([]bool, len(steps))
	for _, i := range order {
		s := steps[i]
		for _, before := range s.After {
			if !done[before] {
				return nil, fmt.Errorf("step %d comes before step %d", i, before)
			}
		}
		if err := r.step(s); err != nil {
			return nil, fmt.Errorf("step %d (%s): %w", i, s.Describe(), err)
		}
		done[i] = true
	}
	return r, nil
}

// serves adds up what a model is served, and counts its nodes: now, or when all that
// is under way has come.
func (r *replay) serves(m packing.Model, later bool) (*big.Rat, int) {
	sum, on := new(big.Rat), 0
	for number, n := range r.nodes {
		here := false
		for _, slots := range n.gpus {
			for _, s := range slots {
				if s.State == Draining || s.State == Starting && !later {
					continue
				}
				x, is := r.of(m, n.kind.Name, s.Slice)
				sum.Add(sum, x)
				here = here || is
			}
		}
		if here && (later || !r.waiting[seat{number, -1, -1}]) {
			on++
		}
	}
	return sum, on
}

// of is what one slice does for a model, and whether the model is on it.
func (r *replay) of(m packing.Model, gpu string, s packing.Slice) (*big.Rat, bool) {
	sum, is := new(big.Rat), false
	each := func(variant string, serves *float64) {
		is = true
		for _, v := range variants(m) {
			if x := v.Throughput[gpu][s.Profile]; v.Name == variant && x > 0 && r.b.fits(m, v, place{gpu, s.Profile}) {
				if serves != nil {
					x = *serves
				}
				sum.Add(sum, exactly(x))
			}
		}
	}
	if string(s.Model) == m.Name {
		each(s.Variant, nil)
	}
	for _, t := range s.Models {
		if string(t.Model) == m.Name {
			each(t.Variant, &t.Serves)
		}
	}
	return sum, is
}

// reached compares the fleet with a layout.
func (r *replay) reached(layout []packing.Placed) error {
	want := map[int][]packing.Placed{}
	for _, g := range layout {
		want[g.Node] = append(want[g.Node], g)
	}
	if len(want) != len(r.nodes) {
		return fmt.Errorf("layout: %d nodes, the steps lead to %d", len(want), len(r.nodes))
	}
	for number, n := range r.nodes {
		if len(want[number]) != len(n.gpus) {
			return fmt.Errorf("layout: node %d has %d GPUs, not %d", number, len(want[number]), len(n.gpus))
		}
		for g, slots := range n.gpus {
			if !slices.EqualFunc(slots, want[number][g].Geometry, func(a Slice, b packing.Slice) bool {
				return same(a.Slice, b) || a.State == Draining && same(packing.Slice{Profile: a.Profile, Start: a.Start}, b)
			}) {
				return fmt.Errorf("layout: node %d gpu %d is %v, the steps lead to %v", number, g, want[number][g].Geometry, slots)
			}
		}
	}
	return nil
}
