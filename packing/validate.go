package packing

import (
	"errors"
	"fmt"
	"math"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// Most there may be of each thing, so that no sum of prices or slices overflows.
const (
	maxPerNode  = 1_000
	maxNodes    = 1_000_000
	maxQuantity = 1e15 // Of demand, throughput and value.
	maxSlices   = 1e6  // Of one kind for one model.
	maxShares   = 64   // Of one slice.
	maxMiB      = 1 << 30
	maxSpread   = 1_000
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
	v := validator{gpus: map[string]GPU{}, models: map[string]Model{}}
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
	models map[string]Model
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
	spec, ok := fleet.LookupGPU(g.MIG)
	switch {
	case g.MIG != "" && !ok:
		v.complain(path+".mig", "unknown part %q; known: %v", g.MIG, fleet.GPUTypes())
	case ok && len(spec.Profiles) == 0:
		v.complain(path+".mig", "%s has no MIG; leave mig out and use the profile %q", g.MIG, fleet.WholeGPU)
	case ok && g.MemoryMiB != 0:
		v.complain(path+".memory_mib", "%d, but the slices of %s have theirs from its table; leave it out", g.MemoryMiB, g.MIG)
	}
	v.whole(path+".per_node", g.PerNode, 1, maxPerNode)
	v.whole(path+".memory_mib", int(g.MemoryMiB), 0, maxMiB)
	if g.MaxNodes != nil {
		v.whole(path+".max_nodes", *g.MaxNodes, 0, maxNodes)
	}
	v.whole(path+".reserved", g.Reserved, 0, maxNodes)
	v.shared(path+".shared", g)
	if g.Process != nil {
		v.whole(path+".process.models", g.Process.Models, 2, maxShares)
		if loss := g.Process.Loss; !(loss >= 0 && loss < 1) {
			v.complain(path+".process.loss", "%v, must be from 0 to below 1", loss)
		}
	}
}

func (v *validator) whole(path string, n, least, most int) {
	if n < least || n > most {
		v.complain(path, "%d, must be from %d to %d", n, least, most)
	}
}

func (v *validator) shared(path string, g GPU) {
	seen := map[fleet.ProfileName]bool{}
	for i, name := range g.Shared {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch whole, shares := shareOf(name); {
		case shares == 1:
			v.complain(at, `%q, write a slice and how many share it: "%s/4"`, name, fleet.WholeGPU)
		case shares > maxShares:
			v.complain(at, "%d shares, at most %d", shares, maxShares)
		case !g.cuts(whole):
			v.complain(at, "%s has no profile %q%s", g.Name, whole, hint(g))
		case seen[name]:
			v.complain(at, "%q is named twice", name)
		}
		seen[name] = true
	}
}

func (v *validator) current(path string, c Placed) {
	g, ok := v.gpus[c.Type]
	if !ok {
		v.complain(path+".type", "no GPU named %q among gpus", c.Type)
		return
	}
	hardware, err := c.Hardware()
	if err == nil {
		err = hardware.Validate(g.spec())
	}
	if err != nil {
		v.complain(path+".geometry", "%v", err)
	}
	for i, s := range c.Geometry {
		at := fmt.Sprintf("%s.geometry[%d]", path, i)
		if s.Model != "" {
			v.occupant(at, s.Model, s.Variant)
		}
		if s.Model != "" && len(s.Models) > 0 {
			v.complain(at+".models", "model and models are both given; name the models of one process in models")
		}
		for j, t := range s.Models {
			at := fmt.Sprintf("%s.models[%d]", at, j)
			v.occupant(at, t.Model, t.Variant)
			v.quantity(at+".serves", t.Serves)
		}
	}
}

// occupant checks who is on a slice of today.
func (v *validator) occupant(path string, name Occupant, variant string) {
	m, ok := v.models[string(name)]
	if !ok {
		v.complain(path+".model", "no model named %q", name)
		return
	}
	for _, b := range m.builds() {
		if b.Name == variant {
			return
		}
	}
	v.complain(path+".variant", "%s has no variant %q", name, variant)
}

func (v *validator) quantity(path string, x float64) bool {
	if math.IsNaN(x) || x <= 0 || x > maxQuantity {
		v.complain(path, "%v, must be more than 0 and at most %g", x, maxQuantity)
		return false
	}
	return true
}
