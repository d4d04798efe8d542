package control

import (
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

// question is a packing problem about the present fleet: what is missing, on
// which free slices and empty GPUs it may go, and what may be bought.
type question struct {
	d        *decider
	problem  packing.Problem
	gpus     map[string]standing // GPUs that take replicas, by the name they carry in the problem
	standing map[string]int      // nodes that take replicas, by offering
	without  []fleet.NodeID      // whose servers do not count
	moving   bool                // a model has as many servers afterwards as it has before
}

// standing is a GPU that exists, as it is cut.
type standing struct {
	id       fleet.GPUID
	geometry fleet.Geometry
}

// taken stands in the problem for whoever sits on a slice already: that slice is
// not to be had, and what it serves was subtracted before. It is no name of a
// model.
const taken packing.Occupant = "(taken)"

// question asks how to cover what is short on what stands, and on nodes that are
// affordable where buy is set.
func (d *decider) question(short []shortfall, buy bool) (question, error) {
	return d.ask(question{}, short, buy)
}

// ask fills in a question. Nodes that drain take nothing.
func (d *decider) ask(q question, short []shortfall, buy bool) (question, error) {
	q.d, q.gpus, q.standing = d, map[string]standing{}, map[string]int{}
	on := d.onNodes()
	owned := map[fleet.OfferingName]int{}
	for ordinal, n := range d.view.Nodes {
		owned[n.Offering]++
		if n.State != fleet.NodeDraining && !slices.Contains(q.without, n.ID) {
			q.addNode(n, ordinal, on[n.ID])
		}
	}
	for _, o := range d.settings.Catalog.Offerings {
		most := q.standing[string(o.Name)]
		if buy {
			more, err := d.affordable(o, owned[o.Name])
			if err != nil {
				return question{}, err
			}
			most += more
		}
		if most > 0 {
			q.problem.GPUs = append(q.problem.GPUs, offer(o, most))
		}
	}
	q.addModels(short)
	return q, nil
}

// addNode enters what stands: slices with a server on them are taken, a GPU that
// is empty, as far as its offering asks, may be cut anew.
func (q *question) addNode(n fleet.Node, ordinal int, on []fleet.Replica) {
	offering, ok := q.d.settings.Catalog.Offering(n.Offering)
	if !ok {
		return // reported where money is counted; nothing is placed on what has no price
	}
	q.standing[string(n.Offering)]++
	busy := make(map[fleet.SliceID]bool, len(on))
	for _, r := range on {
		busy[r.Slice] = true
	}
	for index, gpu := range n.GPUs {
		id := fleet.GPUID{Node: n.ID, Index: index}
		placed := packing.Placed{ID: id.String(), Type: string(n.Offering), Node: ordinal, Fixed: true}
		empty := offering.Reshape == fleet.ReshapeGPU || len(on) == 0
		_, stuck := q.d.memory.Progress.stuck(id)
		for _, p := range gpu.Geometry {
			slice := packing.Slice{Profile: p.Profile, Start: p.Start}
			if busy[fleet.SliceID{GPU: id, Start: p.Start}] || stuck {
				slice.Model, empty = taken, false
			}
			placed.Geometry = append(placed.Geometry, slice)
		}
		if q.d.in.Pace == Planning && empty && n.State == fleet.NodeReady && !gpu.Reshaping && divisible(gpu.Type) {
			placed.Fixed = false
		}
		q.gpus[placed.ID] = standing{id: id, geometry: gpu.Geometry}
		q.problem.Current = append(q.problem.Current, placed)
	}
}

func divisible(t fleet.GPUType) bool {
	spec, ok := fleet.LookupGPU(t)
	return ok && len(spec.Profiles) > 0
}

// offer is an offering in the packer's words.
func offer(o fleet.Offering, most int) packing.GPU {
	g := packing.GPU{Name: string(o.Name), PricePerHour: o.PricePerGPU().Hourly().Decimal(), PerNode: o.GPUs, MaxNodes: &most}
	if divisible(o.GPU) {
		g.MIG = o.GPU
	}
	return g
}

// further is how many nodes of an offering the question allows to be bought.
func (q question) further(g packing.GPU) int { return *g.MaxNodes - q.standing[g.Name] }

// mayBuy tells whether the question leaves anything to buy.
func (q question) mayBuy() bool {
	for _, g := range q.problem.GPUs {
		if q.further(g) > 0 {
			return true
		}
	}
	return false
}

// buying is the same question with other numbers of nodes that may be bought, by
// offering; of those not named, none.
func (q question) buying(more map[string]int) question {
	var gpus []packing.GPU
	for _, g := range q.problem.GPUs {
		most := q.standing[g.Name] + more[g.Name]
		g.MaxNodes = &most
		gpus = append(gpus, g)
	}
	q.problem.GPUs = gpus
	return q
}

// covering is the same question, asked for what an answer to it covers.
func (q question) covering(a answer) question {
	var models []packing.Model
	for _, m := range q.problem.Models {
		if m.Demand -= a.unserved[fleet.ModelName(m.Name)]; m.Demand >= trifle/2 {
			models = append(models, m)
		}
	}
	q.problem.Models = models
	return q
}

// addModels enters the models that are short, and who sits on slices already.
func (q *question) addModels(short []shortfall) {
	for _, s := range short {
		demand := s.lacks
		throughput, largest := q.throughput(s.model, demand)
		if s.atMost > 0 && largest > 0 {
			demand = min(demand, float64(s.atMost)*largest)
		}
		q.problem.Models = append(q.problem.Models, packing.Model{
			Name: string(s.model.Name), Demand: demand, Throughput: throughput, Value: q.value(s.model, throughput),
		})
	}
	q.problem.Models = append(q.problem.Models, packing.Model{Name: string(taken), Demand: 1})
}

// throughput is what one more replica of the model carries, by offering and
// profile, and the largest of these. A profile without a measured variant that
// keeps the SLO is not there, nor one that would take a hundred thousand slices
// to carry the demand.
func (q *question) throughput(m fleet.Model, demand float64) (rows map[string]map[fleet.ProfileName]float64, largest float64) {
	staying := q.d.staying(m.Name)
	pool := 1 + len(filter(staying, func(s server) bool { return !slices.Contains(q.without, s.node) }))
	if q.moving {
		pool = max(pool, len(staying))
	}
	rows = map[string]map[fleet.ProfileName]float64{}
	for _, g := range q.problem.GPUs {
		offering, _ := q.d.settings.Catalog.Offering(fleet.OfferingName(g.Name))
		row := map[fleet.ProfileName]float64{}
		for _, p := range profilesOf(offering.GPU) {
			if _, c, ok := q.d.best(m, offering, p, pool); ok && c > demand*1e-5 {
				row[p] = c
				largest = max(largest, c)
			}
		}
		if len(row) > 0 {
			rows[g.Name] = row
		}
	}
	return rows, largest
}

// profilesOf lists what a part may be cut into, undivided first.
func profilesOf(t fleet.GPUType) []fleet.ProfileName {
	profiles := []fleet.ProfileName{fleet.WholeGPU}
	spec, _ := fleet.LookupGPU(t)
	for _, p := range spec.Profiles {
		profiles = append(profiles, p.Name)
	}
	return profiles
}

// value is what serving a request within the SLO is worth, by which the packer
// orders models where not all can be served. A model without a value of its own
// is worth what its cheapest slice asks for the same, as where a cap sheds.
func (q *question) value(m fleet.Model, throughput map[string]map[fleet.ProfileName]float64) float64 {
	if !m.Value.IsZero() {
		return m.Value.Float() * m.Profile.MeanWork
	}
	least := 0.0
	for _, g := range q.problem.GPUs {
		offering, _ := q.d.settings.Catalog.Offering(fleet.OfferingName(g.Name))
		for profile, c := range throughput[g.Name] {
			price := offering.PricePerGPU().Hourly().Float() / (c * 3600) * partOf(fleet.SliceKind{GPU: offering.GPU, Profile: profile})
			if least == 0 || price < least {
				least = price
			}
		}
	}
	return least
}
