package repack

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/tessera-autoscaler/tessera/packing"
)

// Plan is the steps to a layout, and what they cost. Amounts are an hour unless they
// say money.
type Plan struct {
	Steps  []Step           `json:"steps"`
	Layout []packing.Placed `json:"layout"` // After the last step; GPUs without slices included.

	Today packing.Amount `json:"today"` // Of today's nodes.
	After packing.Amount `json:"after"` // Of the nodes of the layout.
	Peak  packing.Amount `json:"peak"`  // The most that nodes cost at any time between.
	Moves packing.Amount `json:"moves"` // Money for the steps.
	Total packing.Amount `json:"total"` // Money for the nodes over the time kept, and the steps.
	Stay  packing.Amount `json:"stay"`  // The same for keeping everything where it is and adding what is lacking.

	// LowerBound is money an hour below which no layout serves the need, from
	// packing's certificate; zero where not all of it can be served.
	LowerBound packing.Amount `json:"lower_bound"`

	Unserved  map[string]float64 `json:"unserved,omitempty"` // Need left out, by model.
	Tried     int                `json:"tried"`              // Layouts.
	Truncated bool               `json:"truncated,omitempty"`
}

// Solve answers the cheapest sequence of steps it can find that leads from a fleet to
// a layout that serves a need. It is never dearer than keeping everything and adding
// what is lacking. Where the limits do not allow all of the need, the most value is
// served, but nothing is taken from a model that has not more than it needs.
//
// The need must not name today's layout; the fleet does. Errors say what is wrong
// with the fleet, the need or the options.
func Solve(nodes []Node, need packing.Problem, o Options) (Plan, error) {
	if err := validate(nodes, need, o); err != nil {
		return Plan{}, fmt.Errorf("repack: %w", err)
	}
	nodes = slices.Clone(nodes)
	slices.SortFunc(nodes, func(a, b Node) int { return a.Number - b.Number })
	b := newBook(need, o)
	s := &searcher{b: b, nodes: nodes, base: today(b, nodes), left: o.tries(), rng: rand.New(rand.NewPCG(1, 1))}
	// 1. Everything stays, with what is lacking beside it.
	stay, err := s.keepAll()
	if err != nil {
		return Plan{}, fmt.Errorf("repack: %w", err)
	}
	// 2. Everything afresh, matched with today's nodes; it also says what is least.
	floor, err := s.afresh()
	if err != nil {
		return Plan{}, fmt.Errorf("repack: %w", err)
	}
	// 3. What is between.
	s.run(floor)
	p := s.plan()
	p.Stay, p.LowerBound, p.Tried = stay, floor, o.tries()-s.left
	return p, nil
}

// keepAll makes the first candidate.
func (s *searcher) keepAll() (packing.Amount, error) {
	s.consider(s.base.clone())
	closed := s.nothing(s.base)
	closed.open = nil
	if _, err := s.try(closed); err != nil {
		return 0, err
	}
	_, err := s.try(s.nothing(s.base))
	return s.best.total, err
}

// afresh packs everything again and answers packing's bound.
func (s *searcher) afresh() (packing.Amount, error) {
	r := s.nothing(s.base)
	r.open, r.effort = nil, packing.Normal
	for i := range r.remove {
		r.remove[i] = true
	}
	a, err := s.try(r)
	if len(a.Unserved) > 0 {
		return 0, err
	}
	return a.LowerBound, err
}

// plan writes the best candidate out.
func (s *searcher) plan() Plan {
	p := Plan{Steps: s.best.steps, After: s.best.hourly, Moves: s.best.moves, Total: s.best.total, Truncated: s.truncated}
	p.Today, _ = s.cost(s.base)
	at := p.Today
	p.Peak = at
	for _, step := range p.Steps {
		switch step.Do {
		case Buy:
			at += s.b.types[step.Type].node()
		case GiveBack:
			at -= s.b.types[step.Type].node()
		}
		p.Peak = max(p.Peak, at)
	}
	for _, g := range s.best.target {
		for _, slots := range g.gpus {
			p.Layout = append(p.Layout, packing.Placed{Type: g.kind.Name, Node: g.number, Geometry: slots})
		}
	}
	w := s.worldOf(s.best.target)
	for _, name := range s.b.names {
		m := s.b.models[name]
		if short := m.units - w.served[name]; short > 0 {
			if p.Unserved == nil {
				p.Unserved = map[string]float64{}
			}
			units, _ := m.unit.Float64()
			p.Unserved[m.Name] = float64(short) / units
		}
	}
	return p
}

// validate complains about everything at once.
func validate(nodes []Node, need packing.Problem, o Options) error {
	errs := []error{need.Validate(), o.validate()}
	if len(need.Current) > 0 {
		errs = append(errs, errors.New("current: the need names today's layout; give it as the fleet"))
	}
	types := map[string]packing.GPU{}
	for _, g := range need.GPUs {
		types[g.Name] = g
	}
	seen := map[int]bool{}
	fleet := packing.Problem{GPUs: need.GPUs}
	for i, n := range nodes {
		at := fmt.Sprintf("nodes[%d]", i)
		g, ok := types[n.Type]
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("%s.type: no GPU named %q among gpus", at, n.Type))
			continue
		case seen[n.Number]:
			errs = append(errs, fmt.Errorf("%s.number: two nodes have the number %d", at, n.Number))
		case len(n.GPUs) != g.PerNode:
			errs = append(errs, fmt.Errorf("%s.gpus: %d, but per_node of %s is %d; list those that are not cut too", at, len(n.GPUs), n.Type, g.PerNode))
		case n.Paid < 0 || n.Paid > most:
			errs = append(errs, fmt.Errorf("%s.paid: %v, must be from 0 to %v", at, n.Paid, most))
		}
		seen[n.Number] = true
		for j, gpu := range n.GPUs {
			p := packing.Placed{ID: fmt.Sprintf("%s.gpus[%d]", at, j), Type: n.Type, Node: n.Number}
			for _, s := range gpu.Slices {
				if gpu.Reshaping && !s.Empty() {
					errs = append(errs, fmt.Errorf("%s: is being cut, but %s is on it", p.ID, s.Model))
				}
				p.Geometry = append(p.Geometry, vacant(s.Slice))
			}
			fleet.Current = append(fleet.Current, p)
		}
	}
	if err := fleet.Validate(); err != nil && need.Validate() == nil {
		errs = append(errs, fmt.Errorf("nodes: %w", err))
	}
	return errors.Join(errs...)
}
