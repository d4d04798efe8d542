package control

import (
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

// follow turns an answer into steps: reshapes first, while what they ask to be
// empty is, then purchases, then the replicas.
func (d *decider) follow(a answer, short []shortfall) {
	for _, g := range a.gpus {
		if g.reshaped {
			d.add(fleet.Reshape{GPU: g.id, Geometry: g.geometry(), Reason: fleet.Because(fleet.ReasonReshapeEmpty,
				"gpu", g.id, "geometry", g.geometry(), "layout", g.layout())})
		}
	}
	for _, n := range a.nodes() {
		d.add(fleet.BuyNode{Node: n.id, Offering: n.offering.Name, GPUs: n.gpus, Reason: a.why})
	}
	of := make(map[packing.Occupant]shortfall, len(short))
	pool := make(map[packing.Occupant]int, len(short))
	for _, s := range short {
		name := packing.Occupant(s.model.Name)
		of[name], pool[name] = s, len(d.staying(s.model.Name))
	}
	for _, g := range a.gpus {
		warm := d.warm(g)
		for _, s := range g.placed {
			pool[s.Model]++
			d.start(g, s, of[s.Model], pool[s.Model], warm)
		}
	}
}

// warm tells whether a replica on the GPU could begin to load at once.
func (d *decider) warm(g placedGPU) bool {
	n, there := d.view.Node(g.id.Node)
	return there && n.State == fleet.NodeReady && !n.GPUs[g.id.Index].Reshaping
}

// start plans one replica, with which its model has a pool of so many.
func (d *decider) start(g placedGPU, on packing.Slice, s shortfall, pool int, warm bool) {
	variant, _, ok := d.best(s.model, g.offering, on.Profile, pool)
	if !ok {
		return // a larger pool makes no slice worse, so that the packer's choice stays good
	}
	why := fleet.Because(fleet.ReasonDemand, "model", s.model.Name, "need", s.need, "at", clock(s.by), "have", s.have)
	if warm {
		why = fleet.Because(fleet.ReasonWarmSlice, "model", s.model.Name, "need", s.need, "have", s.have, "slice", on.Profile)
	}
	d.add(fleet.StartReplica{
		Replica: fleet.ReplicaID(d.memory.name(string(s.model.Name))), Model: s.model.Name, Variant: variant,
		Slice: fleet.SliceID{GPU: g.id, Start: on.Start}, Reason: why,
	})
}
