package control

import (
	"slices"
	"sync"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

// refit chooses how the part of a GPU that nobody uses yet is cut, when the GPU
// is bought or reshaped anyway: of the geometries that hold what is used, the one
// whose free slices could do most if each model came to need more. A model that would
// have the GPU to itself gets it undivided where that does more than free slices would.
func (d *decider) refit(g *placedGPU) {
	if !divisible(g.offering.GPU) {
		return
	}
	most := -1.0
	used := g.placed
	for _, geometry := range shapes(g.offering.GPU) {
		seated, free, ok := seat(geometry, used)
		if !ok {
			continue
		}
		if sum := d.promise(g.offering, free); sum > most {
			most, g.slices, g.placed = sum, seated, occupied(seated)
		}
	}
	if slice, ok := d.undivide(g.offering, used, most); ok {
		g.slices = []packing.Slice{slice}
		g.placed = g.slices
	}
}

// undivide finds a single slice for the only model of a GPU that promises more, beyond
// what its slices carry, than the free ones beside them do.
func (d *decider) undivide(o fleet.Offering, used []packing.Slice, beside float64) (packing.Slice, bool) {
	if len(used) == 0 || slices.ContainsFunc(used, func(s packing.Slice) bool { return s.Model != used[0].Model }) {
		return packing.Slice{}, false
	}
	table := d.promises(o)
	k := slices.IndexFunc(table, func(p promised) bool { return packing.Occupant(p.model) == used[0].Model })
	if k < 0 {
		return packing.Slice{}, false
	}
	only, carried := table[k], 0.0
	if m, _ := d.settings.Policy.Model(only.model); len(used) > 1 && len(d.staying(m.Name))+1 < m.MinReplicas {
		return packing.Slice{}, false // one replica in the place of several would be too few
	}
	for _, s := range used {
		carried += only.carries[s.Profile]
	}
	var best packing.Slice
	for _, geometry := range shapes(o.GPU) {
		if len(geometry) > 1 {
			continue
		}
		more := only.carries[geometry[0].Profile] - carried
		if worth := only.price * min(more, only.growth); more > 0 && worth > beside {
			beside, best = worth, packing.Slice{Profile: geometry[0].Profile, Start: geometry[0].Start, Model: used[0].Model}
		}
	}
	return best, best.Model != ""
}

// promised is what a model could do with slices of an offering if it came to need more.
type promised struct {
	model         fleet.ModelName
	growth, price float64                       // what more it may need, and the least price of one a second
	carries       map[fleet.ProfileName]float64 // by one more slice
}

// growthShare is how much more each model may come to need, in shares of its need, for
// which free slices are cut.
const growthShare = 1.0

// promises lists the models for which an offering's slices can do something.
func (d *decider) promises(o fleet.Offering) []promised {
	if known, ok := d.promised[o.Name]; ok {
		return known
	}
	var out []promised
	for i, m := range d.models() {
		p := promised{model: m.Name, growth: growthShare * max(d.needs[i].Keep, trifle), price: d.leastPrice(m), carries: map[fleet.ProfileName]float64{}}
		pool := len(d.staying(m.Name)) + 1
		for _, profile := range profilesOf(o.GPU) {
			if _, c, ok := d.best(m, o, profile, pool); ok {
				p.carries[profile] = c
			}
		}
		if len(p.carries) > 0 {
			out = append(out, p)
		}
	}
	d.promised[o.Name] = out
	return out
}

// promise is what free slices are worth, an hour: each in turn goes to the model for which
// it does most of what is left of its growth.
func (d *decider) promise(o fleet.Offering, free []fleet.ProfileName) float64 {
	table := d.promises(o)
	left := make([]float64, len(table))
	for i := range table {
		left[i] = table[i].growth
	}
	sum := 0.0
	for _, p := range free {
		best, most := -1, 0.0
		for i := range table {
			if v := table[i].price * min(table[i].carries[p], left[i]); v > most {
				best, most = i, v
			}
		}
		if best >= 0 {
			sum += most
			left[best] = max(0, left[best]-table[best].carries[p])
		}
	}
	return sum
}

// shapes are the ways to cut a part to the full, and the undivided one last. They
// are not to be written to.
func shapes(t fleet.GPUType) []fleet.Geometry {
	if known, ok := allShapes()[t]; ok {
		return known
	}
	return undivided
}

var undivided = []fleet.Geometry{{{Profile: fleet.WholeGPU}}}

// allShapes holds the maximal geometries of every part, which never change.
var allShapes = sync.OnceValue(func() map[fleet.GPUType][]fleet.Geometry {
	out := map[fleet.GPUType][]fleet.Geometry{}
	for _, t := range fleet.GPUTypes() {
		if divisible(t) {
			spec, _ := fleet.LookupGPU(t)
			out[t] = append(packing.Maximal(spec), undivided...)
		}
	}
	return out
})

// seat puts the used slices on a geometry, false when it lacks one of them, and
// lists the profiles that stay free.
func seat(geometry fleet.Geometry, used []packing.Slice) (seated []packing.Slice, free []fleet.ProfileName, ok bool) {
	waiting := slices.Clone(used)
	for _, p := range geometry {
		slice := packing.Slice{Profile: p.Profile, Start: p.Start}
		i := slices.IndexFunc(waiting, func(s packing.Slice) bool { return s.Profile == p.Profile })
		if i >= 0 {
			slice.Model = waiting[i].Model
			waiting = slices.Delete(waiting, i, i+1)
		} else {
			free = append(free, p.Profile)
		}
		seated = append(seated, slice)
	}
	return seated, free, len(waiting) == 0
}
