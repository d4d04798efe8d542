package packing

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// Most there may be of each thing, so that no sum of prices or slices overflows.
const (
	maxPerNode  = 1_000
	maxNodes    = 1_000_000
	maxQuantity = 1e15 // Of demand, throughput and value.
	maxSlices   = 1e6  // Of one kind for one model.
)

// FieldError is one thing wrong with a problem and where.
type FieldError struct {
	Path string // As in the file: models[3].throughput.a100-80gb.9g.10gb.
	Text string
}

// Error writes the path before the text.
func (e FieldError) Error() string { return e.Path + ": " + e.Text }

// Validate answers a FieldError for every complaint, in the order of the problem, joined, or nil.
func (p Problem) Validate() error {
	v := validator{gpus: map[string]GPU{}, models: map[string]bool{}}
	if len(p.GPUs) == 0 {
		v.complain("gpus", "empty; name at least one kind of GPU")
	}
	for i, g := range p.GPUs {
		v.gpu(fmt.Sprintf("gpus[%d]", i), g)
	}
	for i, m := range p.Models {
		v.model(fmt.Sprintf("models[%d]", i), m)
	}
	nodes := map[int]Placed{}
	onNode := map[int]int{}
	for i, c := range p.Current {
		path := fmt.Sprintf("current[%d]", i)
		v.current(path, c)
		if first, ok := nodes[c.Node]; ok && first.Type != c.Type {
			v.complain(path+".node", "node %d already has GPUs of type %s", c.Node, first.Type)
			continue
		}
		nodes[c.Node] = c
		onNode[c.Node]++
		if g, ok := v.gpus[c.Type]; ok && onNode[c.Node] == g.PerNode+1 {
			v.complain(path+".node", "node %d has more GPUs than the %d of per_node", c.Node, g.PerNode)
		}
	}
	return errors.Join(v.found...)
}

type validator struct {
	found  []error
	gpus   map[string]GPU
	models map[string]bool
}

func (v *validator) complain(path, format string, args ...any) {
	v.found = append(v.found, FieldError{Path: path, Text: fmt.Sprintf(format, args...)})
}

func (v *validator) gpu(path string, g GPU) {
	switch _, twice := v.gpus[g.Name]; {
	case g.Name == "":
		v.complain(path+".name", "empty")
	case twice:
		v.complain(path+".name", "%q is named twice", g.Name)
	}
	v.gpus[g.Name] = g
	if _, err := ParseAmount(g.PricePerHour); err != nil {
		v.complain(path+".price_per_hour", "%v", err)
	}
	if spec, ok := fleet.LookupGPU(g.MIG); g.MIG != "" && !ok {
		v.complain(path+".mig", "unknown part %q; known: %v", g.MIG, fleet.GPUTypes())
	} else if ok && len(spec.Profiles) == 0 {
		v.complain(path+".mig", "%s has no MIG; leave mig out and use the profile %q", g.MIG, fleet.WholeGPU)
	}
	if g.PerNode < 1 || g.PerNode > maxPerNode {
		v.complain(path+".per_node", "%d, must be from 1 to %d", g.PerNode, maxPerNode)
	}
	if g.MaxNodes != nil && (*g.MaxNodes < 0 || *g.MaxNodes > maxNodes) {
		v.complain(path+".max_nodes", "%d, must be from 0 to %d", *g.MaxNodes, maxNodes)
	}
	if g.Reserved < 0 || g.Reserved > maxNodes {
		v.complain(path+".reserved", "%d, must be from 0 to %d", g.Reserved, maxNodes)
	}
}

func (v *validator) model(path string, m Model) {
	switch {
	case m.Name == "":
		v.complain(path+".name", "empty")
	case v.models[m.Name]:
		v.complain(path+".name", "%q is named twice", m.Name)
	}
	v.models[m.Name] = true
	v.quantity(path+".demand", m.Demand)
	if m.Value != 0 {
		v.quantity(path+".value", m.Value)
	}
	for _, name := range slices.Sorted(maps.Keys(m.Throughput)) {
		at := path + ".throughput." + name
		g, ok := v.gpus[name]
		if !ok {
			v.complain(at, "no GPU of that name among gpus")
			continue
		}
		for _, profile := range slices.Sorted(maps.Keys(m.Throughput[name])) {
			if !g.has(profile) {
				v.complain(at+"."+string(profile), "%s has no such profile%s", name, hint(g))
			}
			x := m.Throughput[name][profile]
			if v.quantity(at+"."+string(profile), x) && m.Demand > x*maxSlices && m.Demand <= maxQuantity {
				v.complain(at+"."+string(profile), "%v, less than a millionth of the demand of %v; leave the slice out", x, m.Demand)
			}
		}
	}
}

// has says whether a GPU can have a slice of a profile, or be undivided. A GPU
// whose part is unknown has had its complaint already.
func (g GPU) has(profile fleet.ProfileName) bool {
	spec, ok := fleet.LookupGPU(g.MIG)
	if g.MIG != "" && !ok || profile == fleet.WholeGPU {
		return true
	}
	_, ok = spec.Profile(profile)
	return ok
}

func hint(g GPU) string {
	spec, _ := fleet.LookupGPU(g.MIG)
	if len(spec.Profiles) == 0 {
		return fmt.Sprintf("; without mig it has only %q", fleet.WholeGPU)
	}
	names := []string{string(fleet.WholeGPU)}
	for _, p := range spec.Profiles {
		names = append(names, string(p.Name))
	}
	return "; it has " + strings.Join(names, ", ")
}

func (v *validator) quantity(path string, x float64) bool {
	if math.IsNaN(x) || x <= 0 || x > maxQuantity {
		v.complain(path, "%v, must be more than 0 and at most %g", x, maxQuantity)
		return false
	}
	return true
}

func (v *validator) current(path string, c Placed) {
	g, ok := v.gpus[c.Type]
	if !ok {
		v.complain(path+".type", "no GPU named %q among gpus", c.Type)
		return
	}
	if err := c.geometry().Validate(g.spec()); err != nil {
		v.complain(path+".geometry", "%v", err)
	}
	for i, s := range c.Geometry {
		if s.Model != "" && !v.models[string(s.Model)] {
			v.complain(fmt.Sprintf("%s.geometry[%d].model", path, i), "no model named %q", s.Model)
		}
	}
}
