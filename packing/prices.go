package packing

import (
	"cmp"
	"math"
	"slices"
)

// slicePrices are prices of slices by which every model is charged the cheapest
// cover it can find. They are made of weights of the faces of each offer, so that
// no geometry costs more than the sum of the weights of its offer.
type slicePrices struct {
	face  []float64 // Weight of each face of each offer, in the order of the rows.
	free  []float64 // Price of each kind that has free slices; unused for others.
	kind  []float64 // The prices: of each kind.
	value float64   // The bound they give, in floating point.
}

// A pricing finds the prices with the highest bound. It is Dantzig-Wolfe
// decomposition on the side of the models (Dantzig and Wolfe 1960): a master
// program buys GPUs for a mixture of covers, its duals are prices, the models
// answer with new covers. Dual prices are smoothed towards the best so far
// (Wentges 1997), without which they swing.
type pricing struct {
	in     *instance
	master *simplex
	rowOf  [][]int // Row of each face of each offer.
	freeOf []int   // Row of each kind with free slices, or -1.
	capRow []int   // Row of each offer's limit.
	block  []int   // Block of each model.
	first  int     // Row of the first block.
	cuts   []cut

	parts bool // Models may take parts of the slices that processes share.
	best  slicePrices
	pools [][]cover // Every cover met, by model, without repetition.
	work  *work
	find  coverer
}

// cut is one mixture column of the master: a cover for each model of a block.
type cut struct {
	column int
	block  int
	covers []cover // By model of the block.
}

const (
	maxBlocks   = 48
	closeEnough = 1e-7 // Relative distance of bound and master at which prices are good.
)

func newPricing(in *instance, w *work) *pricing {
	p := &pricing{in: in, work: w, freeOf: make([]int, len(in.kinds)), pools: make([][]cover, len(in.models))}
	// 1. Rows: faces, free slices, limits, blocks; unit columns are slack, except
	// that a block may stay unserved at a price beyond reason.
	var right, unit []float64
	row := func(b, c float64) int {
		right, unit = append(right, b+1e-9*float64(len(right)+1)), append(unit, c)
		return len(right) - 1
	}
	dearest := 1.0
	for _, o := range in.offers {
		rows := make([]int, len(o.verts))
		for i := range rows {
			rows[i] = row(float64(o.paid), 0)
		}
		p.rowOf = append(p.rowOf, rows)
		dearest = max(dearest, float64(o.price))
	}
	for k, kind := range in.kinds {
		p.freeOf[k] = -1
		if kind.free > 0 {
			p.freeOf[k] = row(float64(kind.free), 0)
		}
	}
	for _, o := range in.offers {
		p.capRow = append(p.capRow, row(float64(o.nodes*o.perNode), 0))
	}
	p.first = len(right)
	blocks := min(maxBlocks, len(in.models))
	slicesOf := make([]float64, blocks)
	for m, d := range in.models {
		b := m % blocks
		p.block = append(p.block, b)
		fewest := math.Inf(1)
		for _, it := range d.items {
			fewest = min(fewest, math.Ceil(float64(d.need)/float64(it.does)))
		}
		slicesOf[b] += fewest
	}
	for b := range blocks {
		row(1, 100*dearest*slicesOf[b])
	}
	p.master = newSimplex(right, unit)
	// 2. Columns: buying a GPU, and cutting a slice where free ones run out.
	for k, o := range in.offers {
		c := column{cost: float64(o.price), row: []int{p.capRow[k]}, at: []float64{1}}
		for _, r := range p.rowOf[k] {
			c.row, c.at = append(c.row, r), append(c.at, -1)
		}
		p.master.add(c)
		for j := o.first; j < o.end; j++ {
			if p.freeOf[j] >= 0 {
				c := column{row: []int{p.freeOf[j]}, at: []float64{-1}}
				p.addToFaces(&c, j, 1)
				p.master.add(c)
			}
		}
	}
	return p
}

// addToFaces lets a column take n slices of a kind.
func (p *pricing) addToFaces(c *column, kind int, n float64) {
	o := p.in.kinds[kind].offer
	for i, f := range p.in.offers[o].verts {
		if share := f.share[kind-p.in.offers[o].first]; share != 0 {
			c.row, c.at = append(c.row, p.rowOf[o][i]), append(c.at, n*share)
		}
	}
}

// run improves the prices until they are nearly the best, the rounds are over or
// the work is done.
func (p *pricing) run(rounds int) {
	if len(p.in.models) == 0 {
		p.best = p.evenPrices()
		return
	}
	centre := p.evenPrices()
	p.evaluate(&centre)
	p.best = centre
	smooth := 0.6
	for range rounds {
		if p.work.done() {
			return
		}
		objective := p.master.optimise(2000)
		if objective-p.best.value <= closeEnough*(1+math.Abs(objective)) {
			return
		}
		now := p.between(p.best, p.duals(), smooth)
		added := p.evaluate(&now)
		if now.value > p.best.value {
			p.best = now
		}
		switch {
		case !added && smooth == 0:
			return
		case !added:
			smooth = 0
		default:
			smooth = 0.6
		}
	}
}

// evenPrices spread the price of a GPU evenly over its faces.
func (p *pricing) evenPrices() slicePrices {
	s := slicePrices{free: make([]float64, len(p.in.kinds))}
	for _, o := range p.in.offers {
		for range o.verts {
			s.face = append(s.face, float64(o.price)/float64(len(o.verts)))
		}
	}
	p.kindPrices(&s)
	copy(s.free, s.kind)
	return s
}

// duals reads the prices off the master.
func (p *pricing) duals() slicePrices {
	s := slicePrices{free: make([]float64, len(p.in.kinds))}
	for _, rows := range p.rowOf {
		for _, r := range rows {
			s.face = append(s.face, max(0, -p.master.duals[r]))
		}
	}
	for k, r := range p.freeOf {
		if r >= 0 {
			s.free[k] = max(0, -p.master.duals[r])
		}
	}
	return s
}

func (p *pricing) between(a, b slicePrices, share float64) slicePrices {
	mix := func(a, b []float64) []float64 {
		out := make([]float64, len(a))
		for i := range out {
			out[i] = share*a[i] + (1-share)*b[i]
		}
		return out
	}
	return slicePrices{face: mix(a.face, b.face), free: mix(a.free, b.free)}
}

// kindPrices fills in the prices of the kinds.
func (p *pricing) kindPrices(s *slicePrices) {
	s.kind = make([]float64, len(p.in.kinds))
	at := 0
	for _, o := range p.in.offers {
		for _, f := range o.verts {
			for i, share := range f.share {
				s.kind[o.first+i] += s.face[at] * share
			}
			at++
		}
	}
	for k, r := range p.freeOf {
		if r >= 0 && len(s.free) > 0 {
			s.kind[k] = min(s.kind[k], s.free[k])
		}
	}
}

// evaluate asks every model for its cheapest cover at the prices, gives the master
// one column for each block, and sets the value of the bound. It says whether any
// column was news to the master.
func (p *pricing) evaluate(s *slicePrices) bool {
	p.kindPrices(s)
	blocks := p.master.rows - p.first
	sums := make([][]float64, blocks)
	cuts := make([]cut, blocks)
	for b := range blocks {
		sums[b] = make([]float64, len(p.in.kinds))
	}
	s.value = 0
	for m := range p.in.models {
		d, b := &p.in.models[m], p.block[m]
		c, cost, nodes := p.find.cheapest(d, s.kind)
		p.work.spend(nodes)
		p.remember(m, c)
		cuts[b].covers = append(cuts[b].covers, c)
		if it, part := d.cheapestPart(s.kind); p.parts && part < cost {
			s.value += part
			sums[b][it.kind] += float64(d.need) / float64(it.whole)
			continue
		}
		s.value += cost
		for _, x := range c {
			sums[b][x.kind] += float64(x.n)
		}
	}
	at := 0
	for k, o := range p.in.offers {
		weight := 0.0
		for range o.verts {
			weight += s.face[at]
			at++
		}
		s.value -= weight*float64(o.paid) + max(0, weight-float64(o.price))*float64(o.nodes*o.perNode)
		for j := p.in.offers[k].first; j < o.end; j++ {
			s.value -= s.kind[j] * float64(p.in.kinds[j].free)
		}
	}
	news := false
	for b := range blocks {
		c := column{row: []int{p.first + b}, at: []float64{1}}
		dense := make([]float64, p.first)
		for j := range p.in.kinds {
			p.take(dense, j, sums[b][j])
		}
		for r, x := range dense {
			if x != 0 {
				c.row, c.at = append(c.row, r), append(c.at, x)
			}
		}
		if p.master.reduced(c) < -pricingTolerance*float64(p.in.dearest()) {
			cuts[b].block, cuts[b].column = b, p.master.add(c)
			p.cuts = append(p.cuts, cuts[b])
			news = true
		}
	}
	return news
}

// take adds n slices of a kind to the rows that feel them.
func (p *pricing) take(dense []float64, kind int, n float64) {
	if n == 0 {
		return
	}
	if r := p.freeOf[kind]; r >= 0 {
		dense[r] += n
		return
	}
	o := p.in.kinds[kind].offer
	for i, f := range p.in.offers[o].verts {
		dense[p.rowOf[o][i]] += n * f.share[kind-p.in.offers[o].first]
	}
}

// dearest is the highest price of a GPU.
func (in *instance) dearest() int64 {
	if len(in.offers) == 0 {
		return 1
	}
	return max(1, slices.MaxFunc(in.offers, func(a, b offer) int { return cmp.Compare(a.price, b.price) }).price)
}
