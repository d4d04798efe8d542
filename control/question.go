package control

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

// question is a packing problem about the present fleet: what is missing, on
// which free slices and empty GPUs it may go, and what may be bought.
type question struct {
	d       *decider
	problem packing.Problem
	ids     map[string]fleet.GPUID // of the GPUs that exist, by the name they carry in the problem
	buy     bool
}

// placedGPU is one GPU of an answer that something new was put on.
type placedGPU struct {
	id       fleet.GPUID
	gpu      fleet.GPUType
	offering fleet.Offering
	bought   bool
	reshaped bool
	slices   []packing.Slice // all of them
	placed   []packing.Slice // those that got a model now
}

func (g placedGPU) geometry() fleet.Geometry {
	out := make(fleet.Geometry, len(g.slices))
	for i, s := range g.slices {
		out[i] = fleet.Placement{Profile: s.Profile, Start: s.Start}
	}
	return out
}

// answer is what the packer said, in the words of the fleet.
type answer struct {
	gpus     []placedGPU
	unserved map[fleet.ModelName]float64
	price    fleet.Rate // of what is bought
	why      fleet.Reason
}

func (a answer) buys() bool {
	return slices.ContainsFunc(a.gpus, func(g placedGPU) bool { return g.bought })
}

// newNode is a node that an answer buys.
type newNode struct {
	id       fleet.NodeID
	offering fleet.Offering
	gpus     []fleet.GPU
}

// nodes lists what an answer buys, GPUs in order.
func (a answer) nodes() []newNode {
	var out []newNode
	for _, g := range a.gpus {
		if !g.bought {
			continue
		}
		if n := len(out); n == 0 || out[n-1].id != g.id.Node {
			out = append(out, newNode{id: g.id.Node, offering: g.offering})
		}
		last := &out[len(out)-1]
		last.gpus = append(last.gpus, fleet.GPU{Type: g.gpu, Geometry: g.geometry()})
	}
	return out
}

// question asks how to cover what is short. Nodes that drain, and the node
// without, take nothing. Only an offering that the policy allows is bought.
func (d *decider) question(short []shortfall, without fleet.NodeID, buy bool) (question, error) {
	q := question{d: d, ids: map[string]fleet.GPUID{}, buy: buy}
	owned, usable := map[fleet.OfferingName]int{}, map[fleet.OfferingName]int{}
	for ordinal, n := range d.view.Nodes {
		owned[n.Offering]++
		if n.State == fleet.NodeDraining || n.ID == without {
			continue
		}
		usable[n.Offering]++
		q.addNode(n, ordinal)
	}
	if err := q.addOfferings(owned, usable); err != nil {
		return question{}, err
	}
	q.addModels(short)
	return q, nil
}

// addNode enters what stands: slices with a server on them are taken, a GPU
// that is empty, as far as its offering asks, may be cut anew.
func (q *question) addNode(n fleet.Node, ordinal int) {
	offering, ok := q.d.settings.Catalog.Offering(n.Offering)
	if !ok {
		return // reported where money is counted; nothing is placed on what has no price
	}
	on := q.d.view.On(n.ID)
	for index, gpu := range n.GPUs {
		id := fleet.GPUID{Node: n.ID, Index: index}
		placed := packing.Placed{ID: id.String(), Type: string(n.Offering), Node: ordinal, Fixed: true}
		empty := true
		for _, p := range gpu.Geometry {
			slice := packing.Slice{Profile: p.Profile, Start: p.Start}
			for _, r := range on {
				if r.Slice == (fleet.SliceID{GPU: id, Start: p.Start}) {
					slice.Model, empty = packing.Occupant(r.Model), false
				}
			}
			placed.Geometry = append(placed.Geometry, slice)
		}
		if offering.Reshape == fleet.ReshapeNode {
			empty = len(on) == 0
		}
		if q.d.in.Pace == Planning && empty && n.State == fleet.NodeReady && !gpu.Reshaping && divisible(gpu.Type) {
			placed.Fixed = false
		}
		q.ids[placed.ID] = id
		q.problem.Current = append(q.problem.Current, placed)
	}
}

func divisible(t fleet.GPUType) bool {
	spec, ok := fleet.LookupGPU(t)
	return ok && len(spec.Profiles) > 0
}

// addOfferings enters what stands and what may be bought. Owned counts every node,
// usable those that take replicas.
func (q *question) addOfferings(owned, usable map[fleet.OfferingName]int) error {
	for _, o := range q.d.settings.Catalog.Offerings {
		most := usable[o.Name]
		if q.buy {
			more, err := q.d.affordable(o, owned[o.Name])
			if err != nil {
				return err
			}
			most += more
		}
		if most > 0 {
			q.problem.GPUs = append(q.problem.GPUs, offer(o, &most))
		}
	}
	return nil
}

// mayBuy tells whether the question leaves anything to buy.
func (q *question) mayBuy() bool {
	standing := withoutPurchases(q.problem.GPUs, q.problem.Current)
	for i, g := range q.problem.GPUs {
		if *g.MaxNodes > *standing[i].MaxNodes {
			return true
		}
	}
	return false
}

// offer is an offering in the packer's words.
func offer(o fleet.Offering, most *int) packing.GPU {
	g := packing.GPU{Name: string(o.Name), PricePerHour: o.PricePerGPU().Hourly().Decimal(), PerNode: o.GPUs, MaxNodes: most}
	if divisible(o.GPU) {
		g.MIG = o.GPU
	}
	return g
}

// addModels enters every model that is short or that sits on a slice. What sits
// on a slice already counts for nothing new, so its throughput is added to the
// demand.
func (q *question) addModels(short []shortfall) {
	lacks := map[fleet.ModelName]float64{}
	for _, s := range short {
		lacks[s.model.Name] = s.lacks
	}
	sits := map[string][]fleet.SliceKind{} // by model
	offeringOf := map[string][]string{}
	for _, p := range q.problem.Current {
		for _, s := range p.Geometry {
			if s.Model != "" {
				name := string(s.Model)
				sits[name] = append(sits[name], fleet.SliceKind{Profile: s.Profile})
				offeringOf[name] = append(offeringOf[name], p.Type)
			}
		}
	}
	for _, m := range q.d.models() {
		name := string(m.Name)
		if lacks[m.Name] == 0 && len(sits[name]) == 0 {
			continue
		}
		model := packing.Model{Name: name, Demand: lacks[m.Name], Throughput: q.throughput(m), Value: m.Value.Float()}
		for i, kind := range sits[name] {
			// A hair less than what it carries: what is rounded off is not bought.
			model.Demand += model.Throughput[offeringOf[name][i]][kind.Profile] * (1 - 1e-9)
		}
		if model.Demand == 0 {
			model.Demand = 1e-9 // it only names the slices it sits on
		}
		q.problem.Models = append(q.problem.Models, model)
	}
}

// throughput is what one more replica of the model carries, by offering and
// profile. A profile without a measured variant that keeps the SLO is not there.
func (q *question) throughput(m fleet.Model) map[string]map[fleet.ProfileName]float64 {
	pool := len(filter(q.d.servers(m.Name), server.stays)) + 1
	out := map[string]map[fleet.ProfileName]float64{}
	for _, g := range q.problem.GPUs {
		offering, _ := q.d.settings.Catalog.Offering(fleet.OfferingName(g.Name))
		row := map[fleet.ProfileName]float64{}
		profiles := []fleet.ProfileName{fleet.WholeGPU}
		if spec, ok := fleet.LookupGPU(offering.GPU); ok {
			for _, p := range spec.Profiles {
				profiles = append(profiles, p.Name)
			}
		}
		for _, p := range profiles {
			if _, c, ok := best(q.d.sizer, m, fleet.SliceKind{GPU: offering.GPU, Profile: p}, pool); ok {
				row[p] = c
			}
		}
		if len(row) > 0 {
			out[g.Name] = row
		}
	}
	return out
}

// solve packs, and reads the answer back.
func (q question) solve() (answer, error) {
	out := answer{unserved: map[fleet.ModelName]float64{}, price: fleet.PerHour(fleet.Micros(0, q.d.settings.Catalog.Currency))}
	if len(q.problem.GPUs) == 0 { // nothing stands and nothing may be bought
		for _, m := range q.problem.Models {
			out.unserved[fleet.ModelName(m.Name)] = m.Demand
		}
		return out, nil
	}
	solved, err := packing.Solve(q.problem, packing.Options{Effort: packing.Low})
	if err != nil {
		return answer{}, fmt.Errorf("pack: %w", err)
	}
	for name, left := range solved.Unserved {
		if left > trifle {
			out.unserved[fleet.ModelName(name)] = left
		}
	}
	before := map[string]packing.Placed{}
	for _, p := range q.problem.Current {
		before[p.ID] = p
	}
	names := map[int]fleet.NodeID{}
	count := map[int]int{}
	for _, p := range solved.GPUs {
		if then, stood := before[p.ID]; stood && p.ID != "" {
			if g := q.changed(then, p); len(g.placed) > 0 {
				out.gpus = append(out.gpus, g)
			}
			continue
		}
		out.gpus = append(out.gpus, q.purchase(p, names, count))
	}
	for i := range out.gpus {
		if out.gpus[i].bought || out.gpus[i].reshaped {
			q.d.refit(&out.gpus[i])
		}
	}
	for _, n := range out.nodes() {
		out.price = out.price.Add(n.offering.Price)
	}
	slices.SortStableFunc(out.gpus, func(a, b placedGPU) int {
		return cmp.Or(cmp.Compare(a.id.Node, b.id.Node), cmp.Compare(a.id.Index, b.id.Index))
	})
	return out, nil
}

// changed is a GPU that stood, with what is new on it.
func (q question) changed(then, now packing.Placed) placedGPU {
	offering, _ := q.d.settings.Catalog.Offering(fleet.OfferingName(now.Type))
	g := placedGPU{id: q.ids[now.ID], gpu: offering.GPU, offering: offering, slices: now.Geometry}
	taken := map[int]packing.Slice{}
	for _, s := range then.Geometry {
		taken[s.Start] = s
	}
	for _, s := range now.Geometry {
		old, stood := taken[s.Start]
		if !stood || old.Profile != s.Profile {
			g.reshaped = true
		}
		if s.Model != "" && (old.Model == "" || g.reshaped) {
			g.placed = append(g.placed, s)
		}
	}
	if len(now.Geometry) != len(then.Geometry) {
		g.reshaped = true
	}
	return g
}

// purchase names a GPU that is to be bought. GPUs of one new node get their
// index in the order of the answer.
func (q question) purchase(p packing.Placed, names map[int]fleet.NodeID, count map[int]int) placedGPU {
	offering, _ := q.d.settings.Catalog.Offering(fleet.OfferingName(p.Type))
	if _, named := names[p.Node]; !named {
		names[p.Node] = fleet.NodeID(q.d.memory.name(p.Type))
	}
	g := placedGPU{
		id: fleet.GPUID{Node: names[p.Node], Index: count[p.Node]}, gpu: offering.GPU, offering: offering,
		bought: true, slices: p.Geometry,
	}
	count[p.Node]++
	for _, s := range p.Geometry {
		if s.Model != "" {
			g.placed = append(g.placed, s)
		}
	}
	return g
}
