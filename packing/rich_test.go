package packing_test

import (
	"fmt"
	"maps"
	"slices"

	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

// enriched adds to a problem some of what is optional: shares of slices, models
// that must spread, variants, memory and processes with several models.
func enriched(r *rapid.T, p packing.Problem) packing.Problem {
	shared(r, p)
	for i := range p.GPUs {
		if p.GPUs[i].MIG == "" {
			p.GPUs[i].MemoryMiB = 24_000
		}
		if rapid.IntRange(0, 2).Draw(r, "process") == 0 {
			p.GPUs[i].Process = &packing.Process{Models: rapid.IntRange(2, 4).Draw(r, "together"), Loss: float64(rapid.IntRange(0, 2).Draw(r, "loss")) / 10}
		}
	}
	for i := range p.Models {
		m := &p.Models[i]
		if rapid.IntRange(0, 3).Draw(r, "spreads") == 0 {
			m.Spread = rapid.IntRange(1, 3).Draw(r, "spread")
		}
		if rapid.Bool().Draw(r, "memory") {
			m.MemoryMiB = rapid.Int64Range(1, 20_000).Draw(r, "MiB")
		}
		if rapid.IntRange(0, 3).Draw(r, "variants") == 0 {
			varied(r, m)
		}
	}
	return p
}

// shared lets some slices of a problem be shared, and models use the shares.
func shared(r *rapid.T, p packing.Problem) {
	for i, g := range p.GPUs {
		profiles := []fleet.ProfileName{fleet.WholeGPU}
		if s, ok := fleet.LookupGPU(g.MIG); ok {
			profiles = append(profiles, s.Profiles[len(s.Profiles)/2].Name)
		}
		for _, profile := range profiles {
			if !rapid.Bool().Draw(r, "shared") {
				continue
			}
			share := fleet.ProfileName(fmt.Sprintf("%s/%d", profile, rapid.IntRange(2, 3).Draw(r, "shares")))
			p.GPUs[i].Shared = append(p.GPUs[i].Shared, share)
			for _, m := range p.Models {
				if rapid.Bool().Draw(r, "uses") {
					if m.Throughput[g.Name] == nil {
						m.Throughput[g.Name] = map[fleet.ProfileName]float64{}
					}
					m.Throughput[g.Name][share] = float64(rapid.IntRange(5, 30).Draw(r, "throughput")) / 10
				}
			}
		}
	}
}

// varied turns a model into one with two variants, of which the second is smaller
// and does more or less.
func varied(r *rapid.T, m *packing.Model) {
	second := packing.Variant{Name: "int8", MemoryMiB: m.MemoryMiB / 2, Throughput: map[string]map[fleet.ProfileName]float64{}}
	for _, name := range slices.Sorted(maps.Keys(m.Throughput)) {
		second.Throughput[name] = map[fleet.ProfileName]float64{}
		for _, profile := range slices.Sorted(maps.Keys(m.Throughput[name])) {
			if rapid.Bool().Draw(r, "built") {
				second.Throughput[name][profile] = m.Throughput[name][profile] * rapid.SampledFrom([]float64{0.5, 2}).Draw(r, "speed")
			}
		}
	}
	m.Variants = []packing.Variant{{Name: "fp16", MemoryMiB: m.MemoryMiB, Throughput: m.Throughput}, second}
	m.Throughput, m.MemoryMiB = nil, 0
}
