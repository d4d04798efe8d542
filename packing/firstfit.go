package packing

import (
	"cmp"
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// firstFit is the baseline: first-fit decreasing (Johnson 1973). Each model takes
// slices of the kind that does most for its share of a GPU's price, the last one as
// small as will do; the slices, the largest first, each go to the first GPU with
// room, and a GPU is added where none has. What the limits leave no room for stays
// out.
func firstFit(in *instance) []cover {
	f := fitter{in: in, free: make([]int, len(in.kinds)), next: make([]int, len(in.kinds)), open: make([][]occupation, len(in.offers))}
	for k := range in.kinds {
		f.free[k] = in.kinds[k].free
	}
	// 1. Slices that are wanted.
	var wanted []want
	for m := range in.models {
		for _, x := range in.plainCover(&in.models[m]) {
			for range x.n {
				wanted = append(wanted, want{m, x.kind})
			}
		}
	}
	slices.SortStableFunc(wanted, func(a, b want) int {
		return cmp.Or(cmp.Compare(in.size(b.kind), in.size(a.kind)), cmp.Compare(a.kind, b.kind), cmp.Compare(a.model, b.model))
	})
	// 2. Each to the first place.
	got := make([]map[int]int, len(in.models))
	for _, w := range wanted {
		if !f.put(w.kind) {
			continue
		}
		if got[w.model] == nil {
			got[w.model] = map[int]int{}
		}
		got[w.model][w.kind]++
	}
	covers := make([]cover, len(in.models))
	for m, counts := range got {
		for k := range in.kinds {
			if n := counts[k]; n > 0 {
				covers[m] = append(covers[m], count{k, n})
			}
		}
	}
	return covers
}

type want struct{ model, kind int }

// size is the largest share of a GPU, by any face, that a slice takes.
func (in *instance) size(kind int) float64 {
	o := in.offers[in.kinds[kind].offer]
	most := 0.0
	for _, f := range o.verts {
		most = max(most, f.share[kind-o.first])
	}
	return most
}

// plainCover covers a model with slices of one kind and a last one that is the
// cheapest to do the rest.
func (in *instance) plainCover(d *demand) cover {
	price := func(it item) float64 {
		return in.size(it.kind) * float64(in.offers[in.kinds[it.kind].offer].price)
	}
	best := slices.MinFunc(d.items, func(a, b item) int {
		return cmp.Or(cmp.Compare(price(a)*float64(b.does), price(b)*float64(a.does)), cmp.Compare(a.kind, b.kind))
	})
	n := int((d.need - 1) / best.does)
	rest := d.need - int64(n)*best.does
	last := best
	for _, it := range d.items {
		if it.does >= rest && price(it) < price(last) {
			last = it
		}
	}
	if last.kind == best.kind || n == 0 {
		return cover{{last.kind, max(n+1, d.least)}}
	}
	n = max(n, d.least-1)
	c := cover{{best.kind, n}, {last.kind, 1}}
	slices.SortFunc(c, func(a, b count) int { return cmp.Compare(a.kind, b.kind) })
	return c
}

// fitter holds the GPUs that are open. A GPU that once had no room for a kind
// never has again, so each kind only moves forward.
type fitter struct {
	in   *instance
	free []int
	next []int
	open [][]occupation
}

func (f *fitter) put(kind int) bool {
	if f.free[kind] > 0 {
		f.free[kind]--
		return true
	}
	k := f.in.kinds[kind]
	o := f.in.offers[k.offer]
	spec := o.spec
	row, _ := spec.Profile(k.profile)
	for ; f.next[kind] < len(f.open[k.offer]); f.next[kind]++ {
		if f.open[k.offer][f.next[kind]].place(spec, row) {
			return true
		}
	}
	if len(f.open[k.offer]) >= o.limit() {
		return false
	}
	fresh := occupation{counts: make([]int, len(spec.Profiles))}
	fresh.place(spec, row)
	f.open[k.offer] = append(f.open[k.offer], fresh)
	return true
}

// place puts a slice at the highest start that admits it. A whole GPU takes all.
func (o *occupation) place(spec fleet.GPUSpec, row fleet.MIGProfile) bool {
	if row.Name == fleet.WholeGPU {
		if o.memory != 0 {
			return false
		}
		o.memory = span(0, spec.MemorySlices)
		return true
	}
	for _, start := range slices.Backward(row.Starts) {
		if o.admits(spec, row, start) {
			o.add(spec, row, start)
			return true
		}
	}
	return false
}
