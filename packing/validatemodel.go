package packing

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tessera-autoscaler/tessera/fleet"
)

func (v *validator) model(path string, m Model) {
	_, twice := v.models[m.Name]
	switch {
	case m.Name == "":
		v.complain(path+".name", "empty")
	case twice:
		v.complain(path+".name", "%q is named twice", m.Name)
	}
	v.models[m.Name] = m
	v.quantity(path+".demand", m.Demand)
	if m.Value != 0 {
		v.quantity(path+".value", m.Value)
	}
	v.whole(path+".spread", m.Spread, 0, maxSpread)
	if m.MaxLatency != 0 {
		v.quantity(path+".max_latency", m.MaxLatency)
	}
	v.allowed(path+".allowed", m)
	if len(m.Variants) == 0 {
		v.build(path, m, Variant{Throughput: m.Throughput, MemoryMiB: m.MemoryMiB, Latency: m.Latency})
		return
	}
	if len(m.Throughput) > 0 || len(m.Latency) > 0 || m.MemoryMiB != 0 {
		v.complain(path+".variants", "throughput, latency and memory_mib stand beside variants; move them into a variant")
	}
	seen := map[string]bool{}
	for i, b := range m.Variants {
		at := fmt.Sprintf("%s.variants[%d]", path, i)
		switch {
		case b.Name == "":
			v.complain(at+".name", "empty")
		case seen[b.Name]:
			v.complain(at+".name", "%q is named twice", b.Name)
		}
		seen[b.Name] = true
		v.build(at, m, b)
	}
}

// allowed checks that what a model is restricted to exists.
func (v *validator) allowed(path string, m Model) {
	for i, text := range m.Allowed {
		name, profile, divided := strings.Cut(text, "/")
		g, ok := v.gpus[name]
		switch at := fmt.Sprintf("%s[%d]", path, i); {
		case !ok:
			v.complain(at, "no GPU named %q among gpus", name)
		case divided && !g.has(fleet.ProfileName(profile)):
			v.complain(at, "%s has no such profile%s", name, hint(g))
		}
	}
}

// build checks the numbers of a variant, or of a model without variants.
func (v *validator) build(path string, m Model, b Variant) {
	v.whole(path+".memory_mib", int(b.MemoryMiB), 0, maxMiB)
	for _, name := range slices.Sorted(maps.Keys(b.Throughput)) {
		at := path + ".throughput." + name
		g, ok := v.gpus[name]
		if !ok {
			v.complain(at, "no GPU of that name among gpus")
			continue
		}
		if b.MemoryMiB > 0 && g.MIG == "" && g.MemoryMiB == 0 {
			v.complain(at, "the model says what memory it takes, but %s not what it has; give %s a memory_mib", name, name)
		}
		for _, profile := range slices.Sorted(maps.Keys(b.Throughput[name])) {
			if !g.has(profile) {
				v.complain(at+"."+string(profile), "%s has no such profile%s", name, hint(g))
			}
			v.throughput(at+"."+string(profile), b.Throughput[name][profile], m.Demand)
		}
	}
	v.latency(path, b)
}

func (v *validator) throughput(at string, x, demand float64) {
	if !(x > 0) {
		v.complain(at, "%v, must be more than 0; leave out a slice that cannot serve the model", x)
	} else if v.quantity(at, x) && demand > x*maxSlices && demand <= maxQuantity {
		v.complain(at, "%v, less than a millionth of the demand of %v; leave the slice out", x, demand)
	}
}

func (v *validator) latency(path string, b Variant) {
	for _, name := range slices.Sorted(maps.Keys(b.Latency)) {
		for _, profile := range slices.Sorted(maps.Keys(b.Latency[name])) {
			at := path + ".latency." + name + "." + string(profile)
			if g, ok := v.gpus[name]; !ok || !g.has(profile) {
				v.complain(at, "no such slice among gpus")
			}
			v.quantity(at, b.Latency[name][profile])
		}
	}
}

// has says whether a model may be on a profile of a GPU: a slice of its part, the
// undivided GPU, or a share that the GPU declares. A GPU whose part is unknown has
// had its complaint already.
func (g GPU) has(profile fleet.ProfileName) bool {
	if _, shares := shareOf(profile); shares > 1 {
		return slices.Contains(g.Shared, profile)
	}
	return g.cuts(profile)
}

// cuts says whether the GPU itself can be cut into a profile, or be undivided.
func (g GPU) cuts(profile fleet.ProfileName) bool {
	spec, ok := fleet.LookupGPU(g.MIG)
	if g.MIG != "" && !ok || profile == fleet.WholeGPU {
		return true
	}
	_, ok = spec.Profile(profile)
	return ok
}

func hint(g GPU) string {
	spec, _ := fleet.LookupGPU(g.MIG)
	names := []string{string(fleet.WholeGPU)}
	for _, p := range spec.Profiles {
		names = append(names, string(p.Name))
	}
	for _, s := range g.Shared {
		names = append(names, string(s))
	}
	if len(names) == 1 {
		return fmt.Sprintf("; without mig it has only %q", fleet.WholeGPU)
	}
	return "; it has " + strings.Join(names, ", ")
}
