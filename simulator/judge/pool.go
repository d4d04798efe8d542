package judge

import (
	"cmp"
	"maps"
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
	"github.com/tessera-autoscaler/tessera/simulator/peer"
)

// pooling is a way to divide models, each with its kind of slice, among pools of
// nodes.
type pooling struct {
	name   string
	divide func(d designer, chosen map[fleet.ModelName]option) []pool
}

// pool is nodes of one offering, all GPUs cut alike, and the models on them.
type pool struct {
	offering fleet.Offering
	geometry fleet.Geometry
	models   []fleet.ModelName // sorted
}

// The ways to divide models.
var (
	apart        = pooling{"a pool for each kind", divideApart}
	mixed        = pooling{"mixed GPUs", func(d designer, c map[fleet.ModelName]option) []pool { return divideMixed(d, c, "") }}
	largestApart = pooling{"the largest apart", func(d designer, c map[fleet.ModelName]option) []pool { return divideMixed(d, c, d.largest(c)) }}
)

// divideApart makes a pool for every kind of slice.
func divideApart(_ designer, chosen map[fleet.ModelName]option) []pool {
	var out []pool
	for _, name := range slices.Sorted(maps.Keys(chosen)) {
		o := chosen[name]
		i := slices.IndexFunc(out, func(p pool) bool { return p.offering.Name == o.offering.Name && p.geometry[0].Profile == o.profile })
		if i < 0 {
			i, out = len(out), append(out, pool{offering: o.offering, geometry: uniform(o.offering.GPU, o.profile)})
		}
		out[i].models = append(out[i].models, name)
	}
	return out
}

// divideMixed makes one pool for every offering, with the geometry that serves the
// mean load of its models on the fewest GPUs, and one of its own for a model that
// is to stand apart. What no one geometry can hold has a pool for each kind.
func divideMixed(d designer, chosen map[fleet.ModelName]option, apartFrom fleet.ModelName) []pool {
	var out []pool
	together := map[fleet.OfferingName]map[fleet.ModelName]option{}
	for name, o := range chosen {
		if name == apartFrom {
			out = divideApart(d, map[fleet.ModelName]option{name: o})
			continue
		}
		if together[o.offering.Name] == nil {
			together[o.offering.Name] = map[fleet.ModelName]option{}
		}
		together[o.offering.Name][name] = o
	}
	for _, offering := range slices.Sorted(maps.Keys(together)) {
		models := together[offering]
		p := pool{offering: models[slices.Min(slices.Collect(maps.Keys(models)))].offering, models: slices.Sorted(maps.Keys(models))}
		need := d.slices(models, p.models, func(k peer.Known) float64 { return k.Mean })
		if p.geometry = mixture(p.offering.GPU, need); p.geometry == nil {
			out = append(out, divideApart(d, models)...)
			continue
		}
		out = append(out, p)
	}
	return out
}

// largest is the model whose mean load costs most.
func (d designer) largest(chosen map[fleet.ModelName]option) fleet.ModelName {
	cost := func(name fleet.ModelName) float64 {
		return d.known[name].Mean * chosen[name].price / chosen[name].carries
	}
	return slices.MaxFunc(slices.Sorted(maps.Keys(chosen)), func(a, b fleet.ModelName) int { return cmp.Compare(cost(a), cost(b)) })
}

// uniform cuts a GPU into as many slices of a profile as there is room for.
func uniform(t fleet.GPUType, profile fleet.ProfileName) fleet.Geometry {
	spec, _ := fleet.LookupGPU(t)
	most := fleet.Geometry{{Profile: profile}}
	if profile == fleet.WholeGPU || len(spec.Profiles) == 0 {
		return most
	}
	for _, g := range packing.Maximal(spec, profile) {
		if len(g) > len(most) || len(g) == 1 && len(most) == 1 {
			most = g
		}
	}
	return most
}

// mixture is the geometry that holds so many slices on the fewest GPUs, nil where
// none has a place for each kind.
func mixture(t fleet.GPUType, need map[fleet.ProfileName]int) fleet.Geometry {
	profiles := slices.Sorted(maps.Keys(need))
	spec, _ := fleet.LookupGPU(t)
	if len(profiles) == 1 {
		return uniform(t, profiles[0])
	}
	if len(spec.Profiles) == 0 || slices.Contains(profiles, fleet.WholeGPU) {
		return nil
	}
	var best fleet.Geometry
	fewest := 0
	for _, g := range packing.Maximal(spec, profiles...) {
		if n := (pool{geometry: g}).gpus(need); n > 0 && (best == nil || n < fewest) {
			best, fewest = g, n
		}
	}
	return best
}

// gpus is how many GPUs of the pool hold so many slices, 0 where one kind has no
// place.
func (p pool) gpus(need map[fleet.ProfileName]int) int {
	counts := p.geometry.Counts()
	most := 0
	for profile, n := range need {
		if counts[profile] == 0 {
			return 0
		}
		most = max(most, (n+counts[profile]-1)/counts[profile])
	}
	return most
}
