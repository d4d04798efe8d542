package judge

import (
	"maps"
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
	"github.com/tessera-autoscaler/tessera/simulator/peer"
)

// packed puts every model where the packer has most of it for a load. A model
// without load goes where it is cheapest, and so do all where there is no answer.
func (d designer) packed(load func(peer.Known) float64) map[fleet.ModelName]option {
	chosen := d.choose(func([]option, peer.Known) int { return 0 })
	problem := packing.Problem{GPUs: d.offers(), Models: d.demands(load)}
	if problem.Validate() != nil {
		return chosen
	}
	answer, err := packing.Solve(problem, packing.Options{Effort: packing.Low})
	if err != nil {
		return chosen
	}
	for name, list := range d.options {
		carried := make([]float64, len(list))
		for i, o := range list {
			carried[i] = o.carries * float64(placed(answer, name, o))
		}
		if most := slices.Max(carried); most > 0 {
			chosen[name] = list[slices.Index(carried, most)]
		}
	}
	return chosen
}

// placed counts the replicas that an answer has of a model in one way.
func placed(answer packing.Answer, name fleet.ModelName, o option) int {
	n := 0
	for _, g := range answer.GPUs {
		for _, s := range g.Geometry {
			if string(s.Model) == string(name) && g.Type == string(o.offering.Name) && s.Profile == o.profile {
				n++
			}
		}
	}
	return n
}

// offers are the offerings that may be bought, in the packer's words.
func (d designer) offers() []packing.GPU {
	var out []packing.GPU
	for _, name := range d.settings.Policy.Offerings {
		o, ok := d.settings.Catalog.Offering(name)
		if !ok || o.Limit < 1 {
			continue
		}
		g := packing.GPU{Name: string(name), PricePerHour: o.PricePerGPU().Hourly().Decimal(), PerNode: o.GPUs, MaxNodes: &o.Limit}
		if spec, known := fleet.LookupGPU(o.GPU); known && len(spec.Profiles) > 0 {
			g.MIG = o.GPU
		}
		out = append(out, g)
	}
	return out
}

// demands are the models that have a load, in the packer's words.
func (d designer) demands(load func(peer.Known) float64) []packing.Model {
	var out []packing.Model
	for _, name := range slices.Sorted(maps.Keys(d.options)) {
		demand := load(d.known[name])
		if demand <= 0 {
			continue
		}
		m := packing.Model{Name: string(name), Demand: demand, Throughput: map[string]map[fleet.ProfileName]float64{}}
		for _, o := range d.options[name] {
			offering := string(o.offering.Name)
			if m.Throughput[offering] == nil {
				m.Throughput[offering] = map[fleet.ProfileName]float64{}
			}
			m.Throughput[offering][o.profile] = o.carries
		}
		out = append(out, m)
	}
	return out
}
