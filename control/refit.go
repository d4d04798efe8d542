package control

import (
	"slices"
	"sync"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

// refit chooses how the part of a GPU that nobody uses yet is cut, when the GPU
// is bought or reshaped anyway: of the geometries that hold what is used, the one
// whose free slices could do most for the needs of all models.
func (d *decider) refit(g *placedGPU) {
	if !divisible(g.offering.GPU) {
		return
	}
	worth := d.worths(g.offering)
	most := -1.0
	used := g.placed
	for _, geometry := range shapes(g.offering.GPU) {
		seated, free, ok := seat(geometry, used)
		if !ok {
			continue
		}
		sum := 0.0
		for _, p := range free {
			sum += worth[p]
		}
		if sum > most {
			most, g.slices, g.placed = sum, seated, occupied(seated)
		}
	}
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

// worths is what a slice of each profile could do: summed over the models, the
// share of the model's need that the slice carries, at most all of it. A slice
// larger than any need is worth no more than one that just carries it, and so a
// fleet of small languages gets many small slices.
func (d *decider) worths(o fleet.Offering) map[fleet.ProfileName]float64 {
	if known, ok := d.worth[o.Name]; ok {
		return known
	}
	out := map[fleet.ProfileName]float64{}
	for i, m := range d.models() {
		for _, p := range profilesOf(o.GPU) {
			if _, c, ok := d.best(m, o, p, 1); ok {
				out[p] += min(1, c/max(d.needs[i].Keep, trifle))
			}
		}
	}
	d.worth[o.Name] = out
	return out
}

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
