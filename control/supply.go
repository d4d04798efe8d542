package control

import (
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// server is a replica with what it can do.
type server struct {
	id      fleet.ReplicaID
	state   fleet.ReplicaState
	node    fleet.NodeID
	leaves  bool // its node drains, its GPU is stuck, or nobody measured it where it sits: others are to take its place
	gpu     fleet.GPUID
	company int                // replicas on its node, its own included
	perf    *fleet.Performance // nil where nobody measured it
}

// stays tells whether the server counts for the future.
func (s server) stays() bool { return s.state != fleet.ReplicaDraining && !s.leaves }

// ready tells whether the server serves.
func (s server) ready() bool { return s.state == fleet.ReplicaReady }

// pools are the servers of every model in the view, by id.
type pools map[fleet.ModelName][]server

// poolsOf finds every model's servers.
func poolsOf(p policy.Policy, s fleet.Snapshot) pools {
	out := make(pools, len(p.Models))
	crowd := make(map[fleet.NodeID]int, len(s.Nodes))
	for _, r := range s.Replicas {
		crowd[r.Slice.GPU.Node]++
	}
	for _, r := range s.Replicas {
		node, there := s.Node(r.Slice.GPU.Node)
		m, known := p.Model(r.Model)
		if !there || !known {
			continue
		}
		kind, _ := node.Kind(r.Slice)
		perf := performance(m, r.Variant, kind)
		out[r.Model] = append(out[r.Model], server{
			id: r.ID, state: r.State, node: node.ID, gpu: r.Slice.GPU, company: crowd[node.ID], perf: perf,
			leaves: perf == nil || node.State == fleet.NodeDraining,
		})
	}
	return out
}

// performance finds what a variant does on a kind of slice, nil when nobody
// measured it there.
func performance(m fleet.Model, variant fleet.VariantName, kind fleet.SliceKind) *fleet.Performance {
	for i := range m.Profile.Variants {
		v := &m.Profile.Variants[i]
		if v.Name != variant {
			continue
		}
		for j := range v.Slices {
			if v.Slices[j].Kind == kind {
				return &v.Slices[j]
			}
		}
	}
	return nil
}

// servers are the model's servers in the view; the list is not to be changed.
func (d *decider) servers(m fleet.ModelName) []server {
	if d.pools == nil {
		d.pools = poolsOf(d.settings.Policy, d.view)
		for _, pool := range d.pools {
			for i := range pool {
				_, stuck := d.memory.Progress.stuck(pool[i].gpu)
				pool[i].leaves = pool[i].leaves || stuck
			}
		}
	}
	return d.pools[m]
}

// staying are those of a model's servers that count for the future.
func (d *decider) staying(m fleet.ModelName) []server { return filter(d.servers(m), server.stays) }

// onNodes are the replicas of the view by node.
func (d *decider) onNodes() map[fleet.NodeID][]fleet.Replica {
	out := make(map[fleet.NodeID][]fleet.Replica, len(d.view.Nodes))
	for _, r := range d.view.Replicas {
		out[r.Slice.GPU.Node] = append(out[r.Slice.GPU.Node], r)
	}
	return out
}

// capacity is what a pool of servers carries within the SLO: each kind gives its
// part of a pool of as many servers, all of that kind. One that nobody measured
// where it sits counts for nothing.
func capacity(sizer *policy.Sizer, m fleet.Model, pool []server) float64 {
	total := 0.0
	var last *fleet.Performance
	part := 0.0
	for _, s := range pool {
		if s.perf == nil {
			continue
		}
		if s.perf != last {
			last, part = s.perf, share(sizer, m, *s.perf, len(pool))
		}
		total += part
	}
	return total
}

// share is what one of n servers of a kind carries.
func share(sizer *policy.Sizer, m fleet.Model, perf fleet.Performance, n int) float64 {
	return sizer.Capacity(m, perf, n) / float64(n)
}

// filter keeps some servers.
func filter(pool []server, keep func(server) bool) []server {
	out := make([]server, 0, len(pool))
	for _, s := range pool {
		if keep(s) {
			out = append(out, s)
		}
	}
	return out
}

// best finds the candidate variant that carries most in a pool of n on a slice of
// an offering, false when none is measured there, none can be started there, or none
// keeps the SLO.
func (d *decider) best(m fleet.Model, o fleet.Offering, profile fleet.ProfileName, n int) (fleet.VariantName, float64, bool) {
	var name fleet.VariantName
	most := 0.0
	for i := range m.Profile.Variants {
		v := &m.Profile.Variants[i]
		if v.Accuracy < m.AccuracyFloor {
			continue
		}
		kind := fleet.SliceKind{GPU: o.GPU, Profile: profile}
		perf := performance(m, v.Name, kind)
		if perf == nil || !d.startable(m.Name, fleet.Place{Variant: v.Name, Kind: kind}) || o.GPU == fleet.CPU && perf.MemoryMiB > o.MemoryMiB {
			continue
		}
		if c := share(d.sizer, m, *perf, n); c > most {
			name, most = v.Name, c
		}
	}
	return name, most, most > 0
}
