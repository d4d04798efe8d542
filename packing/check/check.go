// Package check verifies answers of package packing from the problem alone: that
// the layout is legal and keeps what must be kept, that every slice fits its model,
// that demand is met and models are spread but for what is said to be left out, that the cost is right, and that the bound follows from
// the prices of the certificate.
//
// It shares no code with the solver. Geometry is judged by NVIDIA's placement rule
// as package fleet states it, and all arithmetic is in rational numbers, in which
// demand and throughput are the decimals that a person reads.
package check

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"

	"github.com/tessera-autoscaler/tessera/packing"
)

// Verify says everything that is wrong with an answer, or nil. The problem must be
// one that its Validate accepts.
func Verify(p packing.Problem, a packing.Answer) error {
	if err := p.Validate(); err != nil {
		return fmt.Errorf("check the problem: %w", err)
	}
	c := newChecker(p, a)
	c.layout()
	c.today()
	c.nodes()
	c.demand()
	c.spread()
	c.bound()
	return errors.Join(c.wrong...)
}

type checker struct {
	problem packing.Problem
	answer  packing.Answer
	gpus    map[string]packing.GPU
	models  map[string]packing.Model
	served  map[string]*big.Rat     // By model, never more than its demand.
	on      map[string]map[int]bool // Nodes that each model is on.
	cost    *big.Rat
	wrong   []error
}

func newChecker(p packing.Problem, a packing.Answer) *checker {
	c := &checker{
		problem: p, answer: a, gpus: map[string]packing.GPU{}, models: map[string]packing.Model{},
		served: map[string]*big.Rat{}, on: map[string]map[int]bool{},
	}
	for _, g := range p.GPUs {
		c.gpus[g.Name] = g
	}
	for _, m := range p.Models {
		c.models[m.Name] = m
		c.served[m.Name] = new(big.Rat)
		c.on[m.Name] = map[int]bool{}
	}
	return c
}

func (c *checker) say(format string, args ...any) {
	c.wrong = append(c.wrong, fmt.Errorf(format, args...))
}

// layout checks every GPU by itself and adds up what its slices serve.
func (c *checker) layout() {
	for i, g := range c.answer.GPUs {
		kind, ok := c.gpus[g.Type]
		if !ok {
			c.say("gpu %d: no GPU named %q may be had", i+1, g.Type)
			continue
		}
		at := fmt.Sprintf("gpu %d (%s)", i+1, g.Type)
		if err := legal(kind, g.Geometry); err != nil {
			c.say("%s: %w", at, err)
		}
		for _, s := range g.Geometry {
			switch {
			case len(s.Models) > 0:
				c.process(at, kind, g, s)
			case s.Model != "":
				c.occupied(at, kind, g, s)
			}
		}
	}
}

// occupied checks a slice of one model.
func (c *checker) occupied(at string, kind packing.GPU, g packing.Placed, s packing.Slice) {
	m, ok := c.models[string(s.Model)]
	if !ok {
		c.say("%s: no model named %q", at, s.Model)
		return
	}
	c.on[m.Name][g.Node] = true
	does, why := use(m, s.Variant, kind, s.Profile)
	switch {
	case why == "":
		c.served[m.Name].Add(c.served[m.Name], does)
	case !c.keeps(g, s):
		c.say("%s: %s does not fit on %s: %s", at, s.Model, s.Profile, why)
	}
}

// keeps says whether a slice stands as it is today on a GPU that is fixed.
func (c *checker) keeps(g packing.Placed, s packing.Slice) bool {
	for _, t := range c.problem.Current {
		if t.Fixed && t.Type == g.Type && t.Node == g.Node && t.ID == g.ID {
			if slices.ContainsFunc(t.Geometry, func(was packing.Slice) bool { return sameSlice(was, s) }) {
				return true
			}
		}
	}
	return false
}

// today checks that every GPU of today is still there, fixed ones with their
// slices and models.
func (c *checker) today() {
	used := make([]bool, len(c.answer.GPUs))
	// Fixed ones choose first, for any GPU will do for the others.
	for _, fixed := range []bool{true, false} {
		for i, t := range c.problem.Current {
			if t.Fixed == fixed && !c.claim(t, used) {
				c.say("current[%d]: %s on node %d is missing or changed", i, t.Type, t.Node)
			}
		}
	}
	onToday := map[int]bool{}
	for _, t := range c.problem.Current {
		onToday[t.Node] = true
	}
	for i, g := range c.answer.GPUs {
		if !used[i] && onToday[g.Node] {
			c.say("gpu %d (%s): node %d is there today and has no such GPU", i+1, g.Type, g.Node)
		}
	}
}

func (c *checker) claim(t packing.Placed, used []bool) bool {
	for i, g := range c.answer.GPUs {
		if used[i] || g.Type != t.Type || g.Node != t.Node || g.ID != t.ID || g.Fixed != t.Fixed {
			continue
		}
		if !t.Fixed || same(t.Geometry, g.Geometry) {
			used[i] = true
			return true
		}
	}
	return false
}

// same says whether the slices are those of today, with the models that were on them.
func same(today, now []packing.Slice) bool {
	if len(today) != len(now) {
		return false
	}
	for i, s := range today {
		free := s.Model == "" && len(s.Models) == 0
		if now[i].Profile != s.Profile || now[i].Start != s.Start || !free && !sameSlice(s, now[i]) {
			return false
		}
	}
	return true
}

func sameSlice(a, b packing.Slice) bool {
	return a.Profile == b.Profile && a.Start == b.Start && a.Model == b.Model && a.Variant == b.Variant && slices.Equal(a.Models, b.Models)
}

// nodes checks that nodes are of one kind and not too full, and that the numbers of
// GPUs and nodes are right.
func (c *checker) nodes() {
	of, on, busy := map[int]string{}, map[int]int{}, map[int]bool{}
	gpusBusy := 0
	for i, g := range c.answer.GPUs {
		if was, ok := of[g.Node]; ok && was != g.Type {
			c.say("gpu %d: node %d has GPUs of %s and of %s", i+1, g.Node, was, g.Type)
		}
		of[g.Node] = g.Type
		on[g.Node]++
		if on[g.Node] == c.gpus[g.Type].PerNode+1 {
			c.say("gpu %d: node %d has more than %d GPUs", i+1, g.Node, c.gpus[g.Type].PerNode)
		}
		if slices.ContainsFunc(g.Geometry, func(s packing.Slice) bool { return s.Model != "" || len(s.Models) > 0 }) {
			busy[g.Node] = true
			gpusBusy++
		}
	}
	if gpusBusy != c.answer.GPUsUsed || len(busy) != c.answer.NodesUsed {
		c.say("gpus_used %d on nodes_used %d, but %d GPUs on %d nodes hold a model", c.answer.GPUsUsed, c.answer.NodesUsed, gpusBusy, len(busy))
	}
	c.money(of)
}

// money checks the number of nodes and what those to be bought cost. Of the nodes
// that are not there today as many as are reserved are paid already.
func (c *checker) money(of map[int]string) {
	today := map[int]bool{}
	total, fresh := map[string]int{}, map[string]int{}
	for _, t := range c.problem.Current {
		if !today[t.Node] {
			today[t.Node] = true
			total[t.Type]++
		}
	}
	for node, name := range of {
		if !today[node] {
			total[name]++
			fresh[name]++
		}
	}
	c.cost = new(big.Rat)
	for _, g := range c.problem.GPUs {
		bought := max(0, fresh[g.Name]-g.Reserved)
		// Reserved nodes beyond the limit may be used; none may be bought.
		if g.MaxNodes != nil && bought > 0 && total[g.Name] > *g.MaxNodes {
			c.say("%s: %d nodes, of which there may be %d", g.Name, total[g.Name], *g.MaxNodes)
		}
		price, _ := new(big.Rat).SetString(g.PricePerHour)
		c.cost.Add(c.cost, price.Mul(price, big.NewRat(int64(bought*g.PerNode), 1)))
	}
	if c.cost.Cmp(amount(c.answer.Cost)) != 0 {
		c.say("cost_per_hour is %s, the nodes cost %s", c.answer.Cost, c.cost.FloatString(9))
	}
}

// demand checks that every model is served but for what is said to be left out.
func (c *checker) demand() {
	for _, m := range c.problem.Models {
		want := decimal(m.Demand)
		rest := new(big.Rat).Sub(want, c.served[m.Name])
		if rest.Sign() <= 0 {
			c.served[m.Name] = want
			rest = new(big.Rat)
		}
		left, _ := rest.Float64()
		said, listed := c.answer.Unserved[m.Name]
		if listed != (rest.Sign() > 0) || said != left {
			c.say("%s: %v of its demand of %v is left out, unserved says %v", m.Name, left, m.Demand, said)
		}
	}
	for name := range c.answer.Unserved {
		if _, ok := c.models[name]; !ok {
			c.say("unserved names %q, which is no model", name)
		}
	}
}

// spread checks that every model is on as many nodes as it must be, but for those
// of which the answer says that they are not. One that is nowhere is unserved.
func (c *checker) spread() {
	for _, m := range c.problem.Models {
		n := len(c.on[m.Name])
		said, listed := c.answer.Unspread[m.Name]
		short := n > 0 && n < m.Spread
		if short != listed || listed && said != n {
			c.say("%s: on %d nodes of the %d it must be on, unspread says %d", m.Name, n, m.Spread, said)
		}
	}
	for name := range c.answer.Unspread {
		if _, ok := c.models[name]; !ok {
			c.say("unspread names %q, which is no model", name)
		}
	}
}

// decimal is a number as the decimal it prints as.
func decimal(x float64) *big.Rat {
	r, _ := new(big.Rat).SetString(strconv.FormatFloat(x, 'g', -1, 64))
	return r
}

func amount(a packing.Amount) *big.Rat { return big.NewRat(int64(a), 1_000_000_000) }
