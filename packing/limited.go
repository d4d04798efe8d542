package packing

import (
	"cmp"
	"container/heap"
	"slices"
)

// A rationing serves what it can where the limits do not allow everything: the
// slices that serve the most value for their share of a GPU first.
type rationing struct {
	in     *instance
	counts []int   // Slices of each kind.
	has    [][]int // Slices of each item of each model.
	rest   []int64 // What each model still lacks.
	work   *work
}

// ration answers covers that keep to the limits, some of them short or empty.
func ration(in *instance, starts [][]cover, w *work) []cover {
	best := newRationing(in, w)
	best.fill()
	for _, start := range starts {
		r := newRationing(in, w)
		r.adopt(start)
		r.fill()
		if r.lacking() < best.lacking() {
			best = r
		}
	}
	return best.improve().covers()
}

func newRationing(in *instance, w *work) *rationing {
	r := &rationing{in: in, counts: make([]int, len(in.kinds)), work: w}
	for _, d := range in.models {
		r.has = append(r.has, make([]int, len(d.items)))
		r.rest = append(r.rest, d.need)
	}
	return r
}

// adopt takes from covers whatever the limits allow.
func (r *rationing) adopt(covers []cover) {
	for m, c := range covers {
		for _, x := range c {
			i := slices.IndexFunc(r.in.models[m].items, func(it item) bool { return it.kind == x.kind })
			for n := 0; n < x.n && r.rest[m] > 0 && r.add(m, i); n++ {
				continue
			}
		}
	}
}

// add gives a model one more slice of an item if the limits allow it.
func (r *rationing) add(m, i int) bool {
	it := r.in.models[m].items[i]
	k := r.in.kinds[it.kind].offer
	r.counts[it.kind]++
	r.work.spend(1)
	if r.in.gpusFor(r.in.offers[k], r.counts) > r.in.offers[k].limit() {
		r.counts[it.kind]--
		return false
	}
	r.has[m][i]++
	r.rest[m] -= it.does
	return true
}

func (r *rationing) remove(m, i int) {
	it := r.in.models[m].items[i]
	r.counts[it.kind]--
	r.has[m][i]--
	r.rest[m] += it.does
}

// lacking is the value of what is left out.
func (r *rationing) lacking() float64 {
	sum := 0.0
	for m, d := range r.in.models {
		sum += d.value * d.scale * float64(max(0, r.rest[m]))
	}
	return sum
}

// bid is one more slice for a model, with the value it serves for its size.
type bid struct {
	worth       float64
	model, item int
	rest        int64 // What the model lacked when the bid was made.
}

type bids []bid

func (b bids) Len() int      { return len(b) }
func (b bids) Swap(i, j int) { b[i], b[j] = b[j], b[i] }
func (b *bids) Push(x any)   { *b = append(*b, x.(bid)) }
func (b *bids) Pop() any {
	last := (*b)[len(*b)-1]
	*b = (*b)[:len(*b)-1]
	return last
}

func (b bids) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(b[j].worth, b[i].worth), cmp.Compare(b[i].model, b[j].model), cmp.Compare(b[i].item, b[j].item)) < 0
}

// fill grants bids, the best first, until none is left that the limits allow. Room
// only shrinks, so a bid once refused is refused for good.
func (r *rationing) fill() {
	var b bids
	for m := range r.in.models {
		b = r.bid(b, m)
	}
	heap.Init(&b)
	for b.Len() > 0 {
		x := heap.Pop(&b).(bid)
		if x.rest != r.rest[x.model] || !r.add(x.model, x.item) {
			continue
		}
		for _, y := range r.bid(nil, x.model) {
			heap.Push(&b, y)
		}
	}
}

func (r *rationing) bid(b bids, m int) bids {
	if r.rest[m] <= 0 {
		return b
	}
	d := r.in.models[m]
	for i, it := range d.items {
		size := r.in.size(it.kind) * (1 + float64(r.in.offers[r.in.kinds[it.kind].offer].price))
		worth := d.value * d.scale * float64(min(it.does, r.rest[m])) / size
		b = append(b, bid{worth, m, i, r.rest[m]})
	}
	return b
}

// improve takes slices away one at a time and fills anew, as long as that serves
// more value and the work allows.
func (r *rationing) improve() *rationing {
	best := r
	for improved := true; improved; {
		improved = false
		for m := range r.in.models {
			for i := range r.in.models[m].items {
				if best.has[m][i] == 0 || r.work.done() {
					continue
				}
				next := best.clone()
				next.remove(m, i)
				next.fillBut(m)
				if next.lacking() < best.lacking()*(1-1e-12) {
					best, improved = next, true
				}
			}
		}
	}
	return best
}

// fillBut fills with the slice that was taken away offered to the others first.
func (r *rationing) fillBut(m int) {
	rest := r.rest[m]
	r.rest[m] = 0
	r.fill()
	r.rest[m] = rest
	r.fill()
}

func (r *rationing) clone() *rationing {
	c := &rationing{in: r.in, counts: slices.Clone(r.counts), rest: slices.Clone(r.rest), work: r.work}
	for _, h := range r.has {
		c.has = append(c.has, slices.Clone(h))
	}
	return c
}

// covers answers the slices of each model.
func (r *rationing) covers() []cover {
	out := make([]cover, len(r.has))
	for m, has := range r.has {
		for i, n := range has {
			if n > 0 {
				out[m] = append(out[m], count{r.in.models[m].items[i].kind, n})
			}
		}
	}
	return out
}

// reduced is the instance in which every model needs only what its cover serves,
// with the covers of the models that still need anything.
func (in *instance) reduced(covers []cover) (*instance, []cover) {
	out := *in
	out.models, out.nodes = nil, 0
	var left []cover
	for m, d := range in.models {
		d.need = d.serves(covers[m])
		if d.need <= 0 {
			continue
		}
		d.needLow = min(d.needLow, d.need)
		d.least = min(d.least, covers[m].slices())
		out.models = append(out.models, d.capped())
		out.nodes = max(out.nodes, d.nodes())
		left = append(left, covers[m])
	}
	return &out, left
}
