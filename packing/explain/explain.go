package explain

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

// GPU is the explanation of one GPU of a layout. Amounts are an hour.
type GPU struct {
	GPU      int            `json:"gpu"` // Index in the answer.
	Type     string         `json:"type"`
	Node     int            `json:"node"`
	Geometry fleet.Geometry `json:"geometry"`
	Models   []Model        `json:"models"` // Sorted by name; none on a GPU that is empty.

	Mixed packing.Amount `json:"mixed"` // As it is: the price of the GPU.
	Idle  packing.Amount `json:"idle"`  // The part of it for slices without a model, by memory.

	// Dedicated is what whole GPUs for each model cost, Shared what equal shares cost;
	// nil where that is not possible.
	Dedicated *packing.Amount `json:"dedicated,omitempty"`
	Shared    *packing.Amount `json:"shared,omitempty"`

	// NextBest is the geometry that comes second for what is here; nil where the GPU
	// cannot be cut in another way.
	NextBest *Alternative `json:"next_best,omitempty"`
}

// Model is what one model has on a GPU, in the unit of its demand.
type Model struct {
	Name   string              `json:"name"`
	Slices []fleet.ProfileName `json:"slices"`
	Serves float64             `json:"serves"`          // Here, and no more than its demand.
	Share  packing.Amount      `json:"share"`           // Its slices' part of the GPU's price, by memory.
	Worth  packing.Amount      `json:"worth"`           // The price of its slices in the certificate.
	Whole  *packing.Amount     `json:"whole,omitempty"` // The cheapest whole GPUs that serve the same; nil where it fits none.
	On     string              `json:"on,omitempty"`    // Their type.
	Room   float64             `json:"room"`            // How much more it is served in all than it asks for.
}

// Alternative is another geometry of the GPU and what it lacks.
type Alternative struct {
	Geometry fleet.Geometry     `json:"geometry"`
	Cost     packing.Amount     `json:"cost"`            // Of the GPU and, at the certificate's prices, of the slices it lacks.
	Lacks    map[string]float64 `json:"lacks,omitempty"` // By model, what it cannot serve.
}

// All explains every GPU of an answer to a problem.
func All(p packing.Problem, a packing.Answer) ([]GPU, error) {
	e, err := newExplainer(p, a)
	if err != nil {
		return nil, err
	}
	out := make([]GPU, 0, len(a.GPUs))
	for i := range a.GPUs {
		g, err := e.gpu(i)
		if err != nil {
			return nil, fmt.Errorf("explain gpu %d: %w", i+1, err)
		}
		out = append(out, g)
	}
	return out, nil
}

// One explains one GPU, by its index in the answer.
func One(p packing.Problem, a packing.Answer, gpu int) (GPU, error) {
	e, err := newExplainer(p, a)
	if err != nil {
		return GPU{}, err
	}
	if gpu < 0 || gpu >= len(a.GPUs) {
		return GPU{}, fmt.Errorf("explain: there is no gpu %d, the layout has %d", gpu+1, len(a.GPUs))
	}
	return e.gpu(gpu)
}

// An explainer holds the problem, the answer and what has been asked before.
type explainer struct {
	problem packing.Problem
	answer  packing.Answer
	types   map[string]packing.GPU
	models  map[packing.Occupant]packing.Model
	served  map[packing.Occupant]float64
	asked   map[string]*Alternative // Next best geometries, by what is on the GPU.
}

func newExplainer(p packing.Problem, a packing.Answer) (*explainer, error) {
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("explain: %w", err)
	}
	e := &explainer{
		problem: p, answer: a, types: map[string]packing.GPU{}, models: map[packing.Occupant]packing.Model{},
		served: map[packing.Occupant]float64{}, asked: map[string]*Alternative{},
	}
	for _, g := range p.GPUs {
		e.types[g.Name] = g
	}
	for _, m := range p.Models {
		e.models[packing.Occupant(m.Name)] = m
	}
	errs := []error{checkPrices(a.Certificate)}
	for i, g := range a.GPUs {
		if _, ok := e.types[g.Type]; !ok {
			errs = append(errs, fmt.Errorf("explain: gpu %d: the problem has no GPU named %q", i+1, g.Type))
		}
		for _, s := range g.Geometry {
			for _, h := range holdings(s) {
				m, ok := e.models[h.name]
				if !ok {
					errs = append(errs, fmt.Errorf("explain: gpu %d: the problem has no model named %q", i+1, h.name))
				}
				e.served[h.name] += h.serves(m, g.Type, s.Profile)
			}
		}
	}
	return e, errors.Join(errs...)
}

// holding is one model on a slice.
type holding struct {
	name    packing.Occupant
	variant string
	part    float64 // Of a process with several models; 0 is the whole slice.
	of      int     // How many models are on the slice.
}

func holdings(s packing.Slice) []holding {
	if s.Model != "" {
		return []holding{{s.Model, s.Variant, 0, 1}}
	}
	var out []holding
	for _, t := range s.Models {
		out = append(out, holding{t.Model, t.Variant, t.Serves, len(s.Models)})
	}
	return out
}

// serves is what a slice does for the model.
func (h holding) serves(m packing.Model, gpu string, profile fleet.ProfileName) float64 {
	if h.part > 0 {
		return h.part
	}
	for _, v := range m.Variants {
		if v.Name == h.variant {
			return v.Throughput[gpu][profile]
		}
	}
	return m.Throughput[gpu][profile]
}

func (e *explainer) gpu(i int) (GPU, error) {
	g := e.answer.GPUs[i]
	kind := e.types[g.Type]
	price, _ := packing.ParseAmount(kind.PricePerHour) // Validated.
	geometry, err := g.Hardware()
	if err != nil {
		return GPU{}, err
	}
	out := GPU{GPU: i, Type: g.Type, Node: g.Node, Geometry: geometry, Models: e.here(g), Mixed: price, Idle: price}
	for _, m := range out.Models {
		out.Idle = max(0, out.Idle-m.Share)
	}
	if len(out.Models) == 0 {
		return out, nil
	}
	if err := e.dedicated(&out); err != nil {
		return GPU{}, err
	}
	if out.Shared, err = e.shared(out.Models); err != nil {
		return GPU{}, err
	}
	out.NextBest, err = e.nextBest(kind, out)
	return out, err
}

// here lists the models on a GPU with what they have of it.
func (e *explainer) here(g packing.Placed) []Model {
	byName := map[packing.Occupant]*Model{}
	for _, s := range g.Geometry {
		for _, h := range holdings(s) {
			m := byName[h.name]
			if m == nil {
				demand := e.models[h.name].Demand
				m = &Model{Name: string(h.name), Room: max(0, digits(e.served[h.name]-demand, 12))}
				byName[h.name] = m
			}
			m.Slices = append(m.Slices, s.Profile)
			m.Serves += h.serves(e.models[h.name], g.Type, s.Profile)
			m.Share += e.share(e.types[g.Type], s.Profile) / packing.Amount(h.of)
			m.Worth += e.worth(g.Type, s.Profile) / packing.Amount(h.of)
		}
	}
	var out []Model
	for name, m := range byName {
		m.Serves = min(digits(m.Serves, 12), e.models[name].Demand) // A sum of decimals, not of binary fractions.
		slices.Sort(m.Slices)
		out = append(out, *m)
	}
	slices.SortFunc(out, func(a, b Model) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// share is a slice's part of the GPU's price, by memory.
func (e *explainer) share(g packing.GPU, profile fleet.ProfileName) packing.Amount {
	price, _ := packing.ParseAmount(g.PricePerHour)
	whole, parts := apart(profile)
	spec, ok := fleet.LookupGPU(g.MIG)
	if !ok {
		return price / packing.Amount(parts)
	}
	row, _ := spec.Profile(whole)
	return price / packing.Amount(spec.MemorySlices) * packing.Amount(row.Memory) / packing.Amount(parts)
}

// worth is the price of a slice in the certificate, where a slice without a price is
// worth nothing.
func (e *explainer) worth(gpu string, profile fleet.ProfileName) packing.Amount {
	a, _ := packing.ParseAmount(cmp.Or(e.answer.Certificate.SlicePrices[gpu][profile], "0")) // Checked at the start.
	return a
}

// checkPrices complains about prices of the certificate that are none.
func checkPrices(c packing.Certificate) error {
	var errs []error
	for _, gpu := range slices.Sorted(maps.Keys(c.SlicePrices)) {
		for _, profile := range slices.Sorted(maps.Keys(c.SlicePrices[gpu])) {
			if _, err := packing.ParseAmount(c.SlicePrices[gpu][profile]); err != nil {
				errs = append(errs, fmt.Errorf("explain: certificate.slice_prices.%s.%s: %w", gpu, profile, err))
			}
		}
	}
	return errors.Join(errs...)
}

// apart takes the name of a share apart: "whole/4" is one of 4 shares of "whole".
func apart(n fleet.ProfileName) (whole fleet.ProfileName, parts int) {
	name, count, ok := strings.Cut(string(n), "/")
	if _, err := fmt.Sscan(count, &parts); !ok || err != nil || parts < 1 {
		return n, 1
	}
	return fleet.ProfileName(name), parts
}
