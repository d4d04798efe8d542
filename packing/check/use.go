package check

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

// part describes a GPU's part; one without MIG is a single slice.
func part(g packing.GPU) fleet.GPUSpec {
	if g.MIG == "" {
		return fleet.GPUSpec{Type: fleet.GPUType(g.Name), ComputeSlices: 1, MemorySlices: 1, MiB: g.MemoryMiB}
	}
	s, _ := fleet.LookupGPU(g.MIG)
	return s
}

// split reads a profile: the slice it is of, and into how many shares that is
// divided. It is 0 shares where the GPU does not declare them.
func split(g packing.GPU, p fleet.ProfileName) (fleet.ProfileName, int) {
	i := strings.LastIndexByte(string(p), '/')
	if i < 0 {
		return p, 1
	}
	n := 0
	if slices.Contains(g.Shared, p) {
		_, _ = fmt.Sscanf(string(p[i:]), "/%d", &n) // Validated with the problem.
	}
	return p[:i], n
}

// legal says what is wrong with the slices of a GPU, shares counted together.
func legal(g packing.GPU, all []packing.Slice) error {
	var hard fleet.Geometry
	open := 0 // Shares that the last slice still lacks.
	for i, s := range all {
		name, shares := split(g, s.Profile)
		if shares == 0 {
			return fmt.Errorf("%s is not among the shares that %s declares", s.Profile, g.Name)
		}
		if open > 0 {
			if before := all[i-1]; before.Profile != s.Profile || before.Start != s.Start {
				return fmt.Errorf("%s at %d lacks %d of its shares", before.Profile, before.Start, open)
			}
			open--
			continue
		}
		hard = append(hard, fleet.Placement{Profile: name, Start: s.Start})
		open = shares - 1
	}
	if open > 0 {
		last := all[len(all)-1]
		return fmt.Errorf("%s at %d lacks %d of its shares", last.Profile, last.Start, open)
	}
	return hard.Validate(part(g))
}

// memory is what a slice gives a server, in MiB.
func memory(g packing.GPU, p fleet.ProfileName) *big.Rat {
	name, shares := split(g, p)
	row, ok := part(g).Profile(name)
	if !ok || shares == 0 {
		return new(big.Rat)
	}
	whole := big.NewInt(row.MiB)
	return new(big.Rat).SetInt(whole.Quo(whole, big.NewInt(int64(shares))))
}

// build answers a variant of a model; the model itself is the one without a name.
func build(m packing.Model, variant string) (packing.Variant, bool) {
	if len(m.Variants) == 0 {
		return packing.Variant{Throughput: m.Throughput, MemoryMiB: m.MemoryMiB, Latency: m.Latency}, variant == ""
	}
	for _, v := range m.Variants {
		if v.Name == variant {
			return v, true
		}
	}
	return packing.Variant{}, false
}

// use is what a slice does for a variant of a model, or why it may not be there.
func use(m packing.Model, variant string, g packing.GPU, p fleet.ProfileName) (*big.Rat, string) {
	v, ok := build(m, variant)
	if !ok {
		return nil, fmt.Sprintf("it has no variant %q", variant)
	}
	does, ok := v.Throughput[g.Name][p]
	if !ok {
		return nil, "it has no throughput there"
	}
	if v.MemoryMiB > 0 && memory(g, p).Cmp(new(big.Rat).SetInt64(v.MemoryMiB)) < 0 {
		return nil, "it takes more memory"
	}
	if latency, known := v.Latency[g.Name][p]; m.MaxLatency > 0 && (!known || latency > m.MaxLatency) {
		return nil, "its latency is too high or not known"
	}
	allowed := len(m.Allowed) == 0
	for _, text := range m.Allowed {
		allowed = allowed || text == g.Name || text == g.Name+"/"+string(p)
	}
	if !allowed {
		return nil, "it is not allowed there"
	}
	return decimal(does), ""
}

// process checks a slice on which one server process serves several models: they
// take turns, and their memory adds up.
func (c *checker) process(at string, kind packing.GPU, g packing.Placed, s packing.Slice) {
	kept := c.keeps(g, s)
	complain := func(format string, args ...any) {
		if !kept {
			c.say(at+": process on "+string(s.Profile)+": "+format, args...)
		}
	}
	if _, shares := split(kind, s.Profile); kind.Process == nil || shares != 1 || s.Model != "" {
		complain("no process with several models may be there")
		return
	}
	if len(s.Models) < 2 || len(s.Models) > kind.Process.Models {
		complain("%d models, must be from 2 to %d", len(s.Models), kind.Process.Models)
	}
	busy, taken := decimal(kind.Process.Loss), new(big.Rat)
	seen := map[packing.Occupant]bool{}
	for _, t := range s.Models {
		if m, ok := c.models[string(t.Model)]; ok && !seen[t.Model] {
			seen[t.Model] = true
			c.on[m.Name][g.Node] = true
			part, memory := c.tenant(complain, m, t, kind, s.Profile)
			busy.Add(busy, part)
			taken.Add(taken, memory)
		} else {
			complain("%q is no model, or there twice", t.Model)
		}
	}
	if busy.Cmp(big.NewRat(1, 1)) > 0 {
		complain("it is busy for %s of the time", busy.FloatString(6))
	}
	if room := memory(kind, s.Profile); taken.Cmp(room) > 0 {
		complain("its models take %s MiB of %s", taken.FloatString(0), room.FloatString(0))
	}
}

// tenant checks one model of a process, adds what it is served, and answers the
// parts of the slice's time and of its memory that it takes.
func (c *checker) tenant(complain func(string, ...any), m packing.Model, t packing.Tenant, g packing.GPU, p fleet.ProfileName) (part, memory *big.Rat) {
	v, _ := build(m, t.Variant)
	does, why := use(m, t.Variant, g, p)
	if why != "" || !(t.Serves > 0) {
		complain("%s does not fit, or is not served: %v (%s)", t.Model, t.Serves, why)
		return new(big.Rat), new(big.Rat)
	}
	if v.MemoryMiB == 0 || m.Spread > 1 {
		complain("%s may not be in a process: it takes %d MiB and must be on %d nodes", t.Model, v.MemoryMiB, m.Spread)
	}
	serves := decimal(t.Serves)
	c.served[m.Name].Add(c.served[m.Name], serves)
	return new(big.Rat).Quo(serves, does), new(big.Rat).SetInt64(v.MemoryMiB)
}
