package control

import (
	"fmt"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

// cover plans what gives every model the capacity it lacks: free slices and empty
// GPUs cut anew first, then a drain taken back, then new nodes.
func (d *decider) cover() error {
	for {
		short := d.short(func(n Need) float64 { return d.target(n) }, "")
		if len(short) == 0 {
			return nil
		}
		if d.in.Pace == Fast && d.room("") == 0 {
			return nil // nothing is warm: the next planning tick may buy
		}
		q, err := d.question(short, "", false)
		if err != nil {
			return err
		}
		warm, err := q.solve()
		if err != nil {
			return err
		}
		if d.in.Pace == Fast || len(warm.unserved) == 0 {
			d.follow(warm, short)
			return nil
		}
		if d.keepADrainingNode() {
			continue // its replicas count again: look once more at what is missing
		}
		return d.buy(short, warm)
	}
}

// buy plans the purchase of what the warm answer leaves unserved.
func (d *decider) buy(short []shortfall, warm answer) error {
	q, err := d.question(short, "", true)
	if err != nil {
		return err
	}
	d.plan.Held = append(d.plan.Held, d.unaffordable...)
	if !q.mayBuy() {
		d.follow(warm, short)
		return nil
	}
	a, err := q.solve()
	if err != nil {
		return err
	}
	if !a.buys() {
		d.follow(warm, short)
		return nil
	}
	if a, short, q, err = d.fill(a, short, q); err != nil {
		return err
	}
	if err := d.compare(short, q, &a); err != nil {
		return err
	}
	d.follow(a, short)
	return nil
}

// fill looks further ahead once it is clear what is bought: the same nodes also
// take what other models will lack while they are kept. A slice that is paid for
// costs nothing more, and its replica is warm when its time comes. Where the
// wider answer would take from what is needed by the lead time, or cost more, the
// narrow one stands.
func (d *decider) fill(narrow answer, short []shortfall, asked question) (answer, []shortfall, question, error) {
	wider := d.short(func(n Need) float64 { return n.Keep }, "")
	q, err := d.question(wider, "", true)
	if err != nil {
		return answer{}, nil, question{}, err
	}
	bought := map[string]int{}
	for _, n := range narrow.nodes() {
		bought[string(n.offering.Name)]++
	}
	all := q.problem.GPUs
	q.problem.GPUs = withoutPurchases(all, q.problem.Current)
	for i, g := range q.problem.GPUs {
		*q.problem.GPUs[i].MaxNodes += bought[g.Name]
	}
	before := d.memory.Sequence
	wide, err := q.solve()
	if err != nil {
		return answer{}, nil, question{}, err
	}
	lacks := map[fleet.ModelName]float64{}
	for _, s := range wider {
		lacks[s.model.Name] = s.lacks
	}
	for _, s := range short {
		covered := s.lacks - narrow.unserved[s.model.Name]
		if lacks[s.model.Name]-wide.unserved[s.model.Name] < covered*(1-1e-9) {
			d.memory.Sequence = before
			return narrow, short, asked, nil
		}
	}
	if wide.price.Compare(narrow.price) > 0 || !wide.buys() {
		d.memory.Sequence = before
		return narrow, short, asked, nil
	}
	q.problem.GPUs = all
	return wide, wider, q, nil
}

// trifle is a rate, in requests a second, below which nothing is lacking: one
// request in eleven days.
const trifle = 1e-6

// shortfall is what a model lacks, in requests a second.
type shortfall struct {
	model fleet.Model
	need  float64
	have  float64
	lacks float64
}

// short lists the models whose staying servers, those on node without left out,
// carry less than asked. A model below its least number of replicas lacks at
// least a trifle, which any slice covers.
func (d *decider) short(asked func(Need) float64, without fleet.NodeID) []shortfall {
	var out []shortfall
	for i, m := range d.models() {
		pool := filter(d.servers(m.Name), func(s server) bool { return s.stays() && s.node != without })
		s := shortfall{model: m, need: asked(d.needs[i]), have: capacity(d.sizer, m, pool)}
		s.lacks = s.need - s.have
		if m.MaxReplicas > 0 && len(pool) >= m.MaxReplicas {
			continue // the policy wants no more of it, whatever comes
		}
		if len(pool) < m.MinReplicas {
			s.lacks = max(s.lacks, trifle)
		}
		if s.lacks >= trifle {
			out = append(out, s)
		}
	}
	return out
}

// keepADrainingNode takes back the drain of the node that still serves most,
// false when none drains.
func (d *decider) keepADrainingNode() bool {
	var best fleet.NodeID
	most := -1
	for _, n := range d.view.Nodes {
		if n.State != fleet.NodeDraining {
			continue
		}
		if on := len(d.view.On(n.ID)); on > most {
			best, most = n.ID, on
		}
	}
	if most < 0 {
		return false
	}
	at := d.in.Now.Add(d.horizons.lead)
	return d.add(fleet.KeepNode{Node: best, Reason: fleet.Because(fleet.ReasonNeededAgain, "node", best, "at", clock(at))})
}

// follow turns an answer into steps: reshapes first, then purchases, then the
// replicas.
func (d *decider) follow(a answer, short []shortfall) {
	layouts := map[fleet.NodeID][]string{}
	for _, g := range a.gpus {
		layouts[g.id.Node] = append(layouts[g.id.Node], g.layout())
	}
	for _, g := range a.gpus {
		if g.reshaped && !g.bought {
			d.add(fleet.Reshape{GPU: g.id, Geometry: g.geometry(), Reason: fleet.Because(fleet.ReasonReshapeEmpty,
				"gpu", g.id, "geometry", g.geometry(), "layout", g.layout())})
		}
	}
	for _, n := range a.nodes() {
		d.add(fleet.BuyNode{Node: n.id, Offering: n.offering.Name, GPUs: n.gpus, Reason: a.why})
	}
	for _, g := range a.gpus {
		for _, s := range g.placed {
			d.start(g, s, short)
		}
	}
	for _, s := range short {
		if left := a.unserved[s.model.Name]; left > 0 {
			d.plan.Held = append(d.plan.Held, fleet.Because(fleet.ReasonNoCapacity, "model", s.model.Name, "need", rate(left), "cause", d.shortCause()))
		}
	}
}

// shortCause says why a plan leaves something uncovered.
func (d *decider) shortCause() string {
	if d.in.Pace == Fast {
		return "no warm slice is free; the next planning tick may buy"
	}
	return "no more nodes may be had within the caps, the offerings' limits and the step limit"
}

// start plans one replica.
func (d *decider) start(g placedGPU, s packing.Slice, short []shortfall) {
	for _, f := range short {
		if string(f.model.Name) != string(s.Model) {
			continue
		}
		kind := fleet.SliceKind{GPU: g.gpu, Profile: s.Profile}
		variant, _, ok := best(d.sizer, f.model, kind, len(d.servers(f.model.Name))+1)
		if !ok {
			return
		}
		why := fleet.Because(fleet.ReasonWarmSlice, "model", f.model.Name, "need", rate(f.need), "have", rate(f.have), "slice", s.Profile)
		if g.bought || g.reshaped {
			at := d.in.Now.Add(d.horizons.lead)
			why = fleet.Because(fleet.ReasonDemand, "model", f.model.Name, "need", rate(f.need), "at", clock(at), "have", rate(f.have))
		}
		d.add(fleet.StartReplica{
			Replica: fleet.ReplicaID(d.memory.name(string(f.model.Name))), Model: f.model.Name, Variant: variant,
			Slice: fleet.SliceID{GPU: g.id, Start: s.Start}, Reason: why,
		})
		return
	}
}

// layout prints who sits on a GPU: "3×1g.10gb transcribe-fr + 1g.10gb free".
func (g placedGPU) layout() string {
	texts := make([]string, len(g.slices))
	for i, s := range g.slices {
		who := string(s.Model)
		if who == "" {
			who = "free"
		}
		texts[i] = fmt.Sprintf("%s %s", s.Profile, who)
	}
	return repeated(texts, " + ")
}
