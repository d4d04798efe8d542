package packing

import "github.com/tessera-autoscaler/tessera/fleet"

// Problem is what the pack command reads: GPUs one may have, models with their
// demand, and what is there today.
type Problem struct {
	GPUs    []GPU    `json:"gpus"              yaml:"gpus"`
	Models  []Model  `json:"models"            yaml:"models"`
	Current []Placed `json:"current,omitempty" yaml:"current"`
}

// GPU is a kind of GPU, or of machine without one, that one may have, always in
// whole nodes. A node without a GPU is one "GPU" of the profile "whole".
type GPU struct {
	Name         string        `json:"name"           yaml:"name"`
	PricePerHour string        `json:"price_per_hour" yaml:"price_per_hour"` // Of one GPU; a decimal with at most nine places.
	MIG          fleet.GPUType `json:"mig,omitempty"  yaml:"mig"`            // The part whose geometries it has; empty: it cannot be divided.
	PerNode      int           `json:"per_node"       yaml:"per_node"`       // GPUs of one node, at least 1.

	// MemoryMiB is what one GPU without MIG gives a server; zero is unknown. That of
	// a part with MIG stands in its table.
	MemoryMiB int64 `json:"memory_mib,omitempty" yaml:"memory_mib"`

	// MaxNodes limits the nodes of this kind in all, with those that are reserved
	// and those that Current names; nil is no limit.
	MaxNodes *int `json:"max_nodes,omitempty" yaml:"max_nodes"`

	// Reserved is how many nodes are paid for already, used or not, beside those
	// that Current names.
	Reserved int `json:"reserved,omitempty" yaml:"reserved"`

	// Shared names the equal shares into which a slice may be divided by MPS or by
	// time-slicing: "whole/4" is a quarter of an undivided GPU, with a quarter of its
	// memory, and four of them make one GPU.
	Shared []fleet.ProfileName `json:"shared,omitempty" yaml:"shared"`

	// Process, where it is given, lets one server process serve several models on a
	// slice that is not shared.
	Process *Process `json:"process,omitempty" yaml:"process"`
}

// Process is what one server process with several models costs them. They take
// turns: what each is served, divided by what the slice does for it alone, adds up
// to at most 1 - Loss, and their memory to at most the slice's.
type Process struct {
	Models int     `json:"models" yaml:"models"` // Most models in one process, at least 2.
	Loss   float64 `json:"loss"   yaml:"loss"`   // Share of the slice that is lost by taking turns; from 0 to below 1.
}

// Model is a demand, and what each slice can do for it.
type Model struct {
	Name   string  `json:"name"   yaml:"name"`
	Demand float64 `json:"demand" yaml:"demand"` // Units of work a second; concurrent streams for streams.

	// Throughput is by name of GPU and profile, in the unit of Demand. A slice that
	// is missing does not fit the model.
	Throughput map[string]map[fleet.ProfileName]float64 `json:"throughput,omitempty" yaml:"throughput"`

	// MemoryMiB is what one server takes; a slice that gives less does not fit. Zero
	// is unknown: every slice with a throughput fits, and the model shares no process.
	MemoryMiB int64 `json:"memory_mib,omitempty" yaml:"memory_mib"`

	// Latency of one server on each slice, in seconds. Where MaxLatency is given, a
	// slice whose latency is higher, or not known, does not fit.
	Latency    map[string]map[fleet.ProfileName]float64 `json:"latency,omitempty"     yaml:"latency"`
	MaxLatency float64                                  `json:"max_latency,omitempty" yaml:"max_latency"`

	// Allowed names the only slices the model may have, as "gpu" or "gpu/profile";
	// empty allows all.
	Allowed []string `json:"allowed,omitempty" yaml:"allowed"`

	// Variants are builds of the model that compete for it, in place of Throughput,
	// MemoryMiB and Latency above.
	Variants []Variant `json:"variants,omitempty" yaml:"variants"`

	// Value of serving one unit of Demand. It orders the models where not all can be
	// served; zero means 1.
	Value float64 `json:"value,omitempty" yaml:"value"`

	// Spread is the least number of nodes on which the model must be; zero means 1.
	Spread int `json:"spread,omitempty" yaml:"spread"`
}

// Variant is one build of a model, such as fp16 or int8. Its fields mean what those
// of Model mean.
type Variant struct {
	Name       string                                   `json:"name"                 yaml:"name"`
	Throughput map[string]map[fleet.ProfileName]float64 `json:"throughput"           yaml:"throughput"`
	MemoryMiB  int64                                    `json:"memory_mib,omitempty" yaml:"memory_mib"`
	Latency    map[string]map[fleet.ProfileName]float64 `json:"latency,omitempty"    yaml:"latency"`
}

// builds lists the variants of a model, or the model itself as its only one, which
// has no name.
func (m Model) builds() []Variant {
	if len(m.Variants) > 0 {
		return m.Variants
	}
	return []Variant{{Throughput: m.Throughput, MemoryMiB: m.MemoryMiB, Latency: m.Latency}}
}

// spec describes the part, or a GPU of one slice where there is no MIG.
func (g GPU) spec() fleet.GPUSpec {
	if spec, ok := fleet.LookupGPU(g.MIG); ok {
		return spec
	}
	return fleet.GPUSpec{Type: fleet.GPUType(g.Name), ComputeSlices: 1, MemorySlices: 1, MiB: g.MemoryMiB}
}
