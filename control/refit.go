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
	spec, ok := fleet.LookupGPU(g.gpu)
	if !ok || len(spec.Profiles) == 0 {
		return
	}
	used := occupied(g.slices)
	if len(used) == 1 && used[0].Profile == fleet.WholeGPU {
		return
	}
	worth := d.worths(spec)
	most := -1.0
	for _, geometry := range maximal()[spec.Type] {
		seated, free, ok := seat(geometry, used)
		if !ok {
			continue
		}
		sum := 0.0
		for _, p := range free {
			sum += worth[p]
		}
		if sum > most {
			most, g.slices = sum, seated
		}
	}
	g.placed = occupied(g.slices)
}

// maximal are the maximal geometries of every part, which never change; they are
// not to be written to.
var maximal = sync.OnceValue(func() map[fleet.GPUType][]fleet.Geometry {
	out := map[fleet.GPUType][]fleet.Geometry{}
	for _, t := range fleet.GPUTypes() {
		spec, _ := fleet.LookupGPU(t)
		out[t] = packing.Maximal(spec)
	}
	return out
})

// occupied lists the slices that have a model.
func occupied(all []packing.Slice) []packing.Slice {
	return slices.DeleteFunc(slices.Clone(all), func(s packing.Slice) bool { return s.Model == "" })
}

// worths is what a slice of each profile could do: summed over the models, the
// share of the model's need that the slice carries, at most all of it. A slice
// larger than any need is worth no more than one that just carries it, and so a
// fleet of small languages gets many small slices.
func (d *decider) worths(spec fleet.GPUSpec) map[fleet.ProfileName]float64 {
	out := map[fleet.ProfileName]float64{}
	for i, m := range d.models() {
		for _, p := range spec.Profiles {
			if _, c, ok := best(d.sizer, m, fleet.SliceKind{GPU: spec.Type, Profile: p.Name}, 1); ok {
				out[p.Name] += min(1, c/max(d.needs[i].Keep, trifle))
			}
		}
	}
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
