package explain

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

// dedicated asks for the cheapest whole GPUs for each model by itself.
func (e *explainer) dedicated(g *GPU) error {
	sum, possible := packing.Amount(0), true
	for i := range g.Models {
		m := &g.Models[i]
		a, err := e.ask(g.Models[i:i+1], func(k packing.GPU, profile fleet.ProfileName) bool { return isWhole(k, profile) })
		if err != nil {
			return err
		}
		if len(a.Unserved) > 0 {
			possible = false
			continue
		}
		m.Whole, m.On = new(a.Cost), a.GPUs[0].Type
		sum += a.Cost
	}
	if possible {
		g.Dedicated = &sum
	}
	return nil
}

// isWhole says whether a slice is all that a GPU has.
func isWhole(k packing.GPU, profile fleet.ProfileName) bool {
	spec, ok := fleet.LookupGPU(k.MIG)
	row, known := spec.Profile(profile)
	return profile == fleet.WholeGPU || ok && known && row.Memory == spec.MemorySlices
}

// shared asks for the cheapest GPUs on which all models have equal shares.
func (e *explainer) shared(models []Model) (*packing.Amount, error) {
	a, err := e.ask(models, func(_ packing.GPU, profile fleet.ProfileName) bool { return strings.Contains(string(profile), "/") })
	if err != nil || len(a.Unserved) > 0 {
		return nil, err
	}
	return new(a.Cost), nil
}

// ask packs what models are served here anew on slices that may be used, on single
// GPUs without limits.
func (e *explainer) ask(models []Model, may func(packing.GPU, fleet.ProfileName) bool) (packing.Answer, error) {
	var p packing.Problem
	for _, g := range e.problem.GPUs {
		g.PerNode, g.MaxNodes, g.Reserved = 1, nil, 0
		p.GPUs = append(p.GPUs, g)
	}
	for _, m := range models {
		p.Models = append(p.Models, e.only(m, may))
	}
	return packing.Solve(p, packing.Options{Effort: packing.Low})
}

// only is a model that needs what it is served here and may have some slices only.
func (e *explainer) only(m Model, may func(packing.GPU, fleet.ProfileName) bool) packing.Model {
	out := e.models[packing.Occupant(m.Name)]
	out.Demand, out.Spread = m.Serves, 0
	keep := func(all map[string]map[fleet.ProfileName]float64) map[string]map[fleet.ProfileName]float64 {
		kept := map[string]map[fleet.ProfileName]float64{}
		for name, profiles := range all {
			for profile, x := range profiles {
				if !may(e.types[name], profile) {
					continue
				}
				if kept[name] == nil {
					kept[name] = map[fleet.ProfileName]float64{}
				}
				kept[name][profile] = x
			}
		}
		return kept
	}
	out.Throughput = keep(out.Throughput)
	out.Variants = slices.Clone(out.Variants)
	for i := range out.Variants {
		out.Variants[i].Throughput = keep(out.Variants[i].Throughput)
	}
	return out
}

// nextBest finds the geometry that comes second: with which the GPU and the slices
// that it lacks, at the certificate's prices, cost least.
func (e *explainer) nextBest(k packing.GPU, g GPU) (*Alternative, error) {
	spec, ok := fleet.LookupGPU(k.MIG)
	if !ok {
		return nil, nil
	}
	key := fmt.Sprint(k.Name, g.Geometry, g.Models)
	if known, ok := e.asked[key]; ok {
		return known, nil
	}
	var best *Alternative
	for _, other := range append(packing.Maximal(spec, e.profiles(k, spec)...), fleet.Geometry{{Profile: fleet.WholeGPU}}) {
		if maps.Equal(other.Counts(), g.Geometry.Counts()) {
			continue
		}
		a, err := e.cutAs(k, g, other)
		if err != nil {
			return nil, err
		}
		if best == nil || cmp.Or(cmp.Compare(a.Cost, best.Cost), len(a.Lacks)-len(best.Lacks)) < 0 {
			best = &a
		}
	}
	e.asked[key] = best
	return best, nil
}

// profiles lists the slices of a part, those with media engines only where a model can
// use them.
func (e *explainer) profiles(k packing.GPU, spec fleet.GPUSpec) []fleet.ProfileName {
	used := map[fleet.ProfileName]bool{}
	for _, m := range e.problem.Models {
		note := func(all map[string]map[fleet.ProfileName]float64) {
			for profile := range all[k.Name] {
				whole, _ := apart(profile)
				used[whole] = true
			}
		}
		note(m.Throughput)
		for _, v := range m.Variants {
			note(v.Throughput)
		}
	}
	var out []fleet.ProfileName
	for _, row := range spec.Profiles {
		if used[row.Name] || !row.MediaEngines {
			out = append(out, row.Name)
		}
	}
	return out
}

// cutAs asks what it would cost if the GPU were cut in another way: its slices are
// there, and every slice elsewhere is a machine of its own at its certificate price.
func (e *explainer) cutAs(k packing.GPU, g GPU, other fleet.Geometry) (Alternative, error) {
	here := k
	here.PerNode, here.MaxNodes, here.Reserved = 1, new(1), 0
	p := packing.Problem{GPUs: []packing.GPU{here}}
	p.Current = []packing.Placed{{Type: k.Name, Node: 1, Fixed: true}}
	for _, s := range other {
		p.Current[0].Geometry = append(p.Current[0].Geometry, packing.Slice{Profile: s.Profile, Start: s.Start})
	}
	elsewhere := map[string]bool{}
	for _, m := range g.Models {
		need := e.only(m, func(packing.GPU, fleet.ProfileName) bool { return true })
		outside := func(v packing.Variant) packing.Variant {
			return e.withMachines(v, k.Name, func(name string, price packing.Amount) {
				if !elsewhere[name] {
					elsewhere[name] = true
					p.GPUs = append(p.GPUs, packing.GPU{Name: name, PricePerHour: price.String(), PerNode: 1, MemoryMiB: e.memory(name)})
				}
			})
		}
		if len(need.Variants) == 0 {
			v := outside(packing.Variant{Throughput: need.Throughput, Latency: need.Latency})
			need.Throughput, need.Latency = v.Throughput, v.Latency
		}
		for i := range need.Variants {
			need.Variants[i] = outside(need.Variants[i])
		}
		for _, allowed := range slices.Clone(need.Allowed) {
			for name := range elsewhere {
				if name == machine(allowed) || strings.HasPrefix(name, machine(allowed)+":") {
					need.Allowed = append(need.Allowed, name)
				}
			}
		}
		slices.Sort(need.Allowed)
		p.Models = append(p.Models, need)
	}
	a, err := packing.Solve(p, packing.Options{Effort: packing.Low})
	if err != nil {
		return Alternative{}, err
	}
	return Alternative{Geometry: other, Cost: g.Mixed + a.Cost, Lacks: e.lacks(k, g, a)}, nil
}

// machine is the name of a slice that is a machine of its own: "a100:3g.40gb".
func machine(slice string) string { return strings.Replace(slice, "/", ":", 1) }

// withMachines is a variant that runs on the GPU named, and on a machine for every
// slice.
func (e *explainer) withMachines(v packing.Variant, gpu string, need func(name string, price packing.Amount)) packing.Variant {
	out := v
	out.Throughput, out.Latency = map[string]map[fleet.ProfileName]float64{}, map[string]map[fleet.ProfileName]float64{}
	if x, ok := v.Throughput[gpu]; ok {
		out.Throughput[gpu] = x
	}
	if x, ok := v.Latency[gpu]; ok {
		out.Latency[gpu] = x
	}
	for _, name := range slices.Sorted(maps.Keys(v.Throughput)) {
		for _, profile := range slices.Sorted(maps.Keys(v.Throughput[name])) {
			on := machine(name + "/" + string(profile))
			need(on, e.worth(name, profile))
			out.Throughput[on] = map[fleet.ProfileName]float64{fleet.WholeGPU: v.Throughput[name][profile]}
			if latency, ok := v.Latency[name][profile]; ok {
				out.Latency[on] = map[fleet.ProfileName]float64{fleet.WholeGPU: latency}
			}
		}
	}
	return out
}

// memory is what the slice that a machine stands for gives.
func (e *explainer) memory(name string) int64 {
	gpu, profile, _ := strings.Cut(name, ":")
	whole, parts := apart(fleet.ProfileName(profile))
	k := e.types[gpu]
	if spec, ok := fleet.LookupGPU(k.MIG); ok {
		row, _ := spec.Profile(whole)
		return row.MiB / int64(parts)
	}
	return k.MemoryMiB / int64(parts)
}

// lacks is what models are served elsewhere in an answer.
func (e *explainer) lacks(k packing.GPU, g GPU, a packing.Answer) map[string]float64 {
	out := map[string]float64{}
	for _, m := range g.Models {
		here := 0.0
		for _, placed := range a.GPUs {
			for _, s := range placed.Geometry {
				for _, h := range holdings(s) {
					if placed.Type == k.Name && string(h.name) == m.Name {
						here += h.serves(e.models[h.name], k.Name, s.Profile)
					}
				}
			}
		}
		if here < m.Serves*(1-1e-9) {
			out[m.Name] = m.Serves - here
		}
	}
	return out
}
