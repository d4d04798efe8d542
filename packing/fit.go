package packing

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// place is a slice kind by name.
type place struct {
	gpu     string
	profile fleet.ProfileName
}

func (p place) String() string { return p.gpu + "/" + string(p.profile) }

func (p place) compare(o place) int {
	return cmp.Or(strings.Compare(p.gpu, o.gpu), strings.Compare(string(p.profile), string(o.profile)))
}

// fit is what a slice does for a model with the variant that does most on it.
type fit struct {
	variant   string
	does      float64
	memoryMiB int64
}

// A menu is what a model can have: by place the variants that fit, the one that
// does most first, and for each variant and place that does not fit, why.
type menu struct {
	fits map[place][]fit
	why  []string
}

// with answers what a place does for the model with one variant.
func (m menu) with(at place, variant string) (fit, bool) {
	for _, f := range m.fits[at] {
		if f.variant == variant {
			return f, true
		}
	}
	return fit{}, false
}

// menuOf sorts out where a model fits: by memory, latency and what it allows.
func menuOf(m Model, gpus map[string]GPU) menu {
	out := menu{fits: map[place][]fit{}}
	for _, v := range m.builds() {
		for _, name := range slices.Sorted(maps.Keys(v.Throughput)) {
			for _, profile := range slices.Sorted(maps.Keys(v.Throughput[name])) {
				at := place{name, profile}
				if why := m.excludes(v, gpus[name], at); why != "" {
					out.why = append(out.why, labelled(at, v.Name)+": "+why)
					continue
				}
				out.fits[at] = append(out.fits[at], fit{v.Name, v.Throughput[name][profile], v.MemoryMiB})
			}
		}
	}
	for _, all := range out.fits {
		slices.SortFunc(all, func(a, b fit) int { return cmp.Or(cmp.Compare(b.does, a.does), strings.Compare(a.variant, b.variant)) })
	}
	return out
}

func labelled(at place, variant string) string {
	if variant == "" {
		return at.String()
	}
	return at.String() + " with " + variant
}

// excludes says which constraint keeps a variant from a place, or nothing.
func (m Model) excludes(v Variant, g GPU, at place) string {
	if v.MemoryMiB > 0 {
		if memory := g.memoryOf(at.profile); v.MemoryMiB > memory {
			return fmt.Sprintf("has %d MiB of the %d it needs", memory, v.MemoryMiB)
		}
	}
	if m.MaxLatency > 0 {
		latency, ok := v.Latency[at.gpu][at.profile]
		if !ok {
			return "latency is not known"
		}
		if latency > m.MaxLatency {
			return fmt.Sprintf("latency of %gs is above max_latency of %gs", latency, m.MaxLatency)
		}
	}
	if len(m.Allowed) > 0 && !slices.Contains(m.Allowed, at.gpu) && !slices.Contains(m.Allowed, at.String()) {
		return "is not among allowed"
	}
	return ""
}

// memoryOf is the memory in MiB that a slice, or a share of one, gives a server;
// zero for one that the GPU does not have or whose memory nobody has said.
func (g GPU) memoryOf(profile fleet.ProfileName) int64 {
	whole, shares := shareOf(profile)
	row, _ := g.spec().Profile(whole)
	return row.MiB / int64(shares)
}

// gpusByName indexes the problem's GPUs.
func (p Problem) gpusByName() map[string]GPU {
	out := make(map[string]GPU, len(p.GPUs))
	for _, g := range p.GPUs {
		out[g.Name] = g
	}
	return out
}

// Unfit lists the models that no slice can serve, each with the constraints that
// exclude its slices and its path in the file. Solve serves the others; whether
// that will do is for the caller to say. The problem must be valid.
func (p Problem) Unfit() []FieldError {
	var out []FieldError
	gpus := p.gpusByName()
	for i, m := range p.Models {
		menu := menuOf(m, gpus)
		if len(menu.fits) > 0 {
			continue
		}
		out = append(out, FieldError{
			Path: fmt.Sprintf("models[%d]%s", i, blamed(m, menu)),
			Text: menu.nowhere() + "; correct it, or leave the model out",
		})
	}
	return out
}

// blamed is the field of a model without a fitting slice to look at first.
func blamed(m Model, menu menu) string {
	switch {
	case len(menu.why) == 0:
		return ""
	case len(m.Variants) > 0:
		return ".variants"
	}
	return ".throughput"
}

// nowhere says that no slice fits, and why.
func (m menu) nowhere() string {
	if len(m.why) == 0 {
		return "no slice of any GPU fits it; its throughput names none"
	}
	return "no slice of any GPU fits it; " + strings.Join(m.why, "; ")
}
