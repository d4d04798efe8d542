package peer

import (
	"context"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// schedule puts pods on free slices of nodes that are ready; the pod that was
// asked for first goes first. A pod that waits on a node in flight moves to a slice
// that is there.
//
// Of the nodes with a free slice of the kind it takes the one that kube-scheduler's
// default profile scores highest: PodTopologySpread by host name, with weight 2,
// likes nodes with fewer pods of the same Deployment, and NodeResourcesFit
// LeastAllocated, with weight 1, likes nodes on which less is asked for; the older
// node wins a tie. Pods are taken to ask for CPU and memory in proportion to
// their slices.
func (c *Cluster) schedule(ctx context.Context, now time.Time) {
	for _, p := range c.schedulable(now) {
		if s := c.choose(p.of, now); s != nil {
			c.start(ctx, p, s, now)
		}
	}
}

// schedulable lists the pods that may find a place, in order of their creation. As
// every attempt takes a slice out of the room, no more pods of a Deployment than
// there is room for can have one.
func (c *Cluster) schedulable(now time.Time) []*pod {
	if !slices.ContainsFunc(c.deployments, (*deployment).waits) {
		return nil
	}
	c.countRoom(now)
	var out []*pod
	for _, d := range c.deployments {
		if d.kind.room == 0 {
			continue
		}
		out = append(out, d.pending[:min(d.kind.room, len(d.pending))]...)
		for _, p := range d.pods {
			if p.waits() {
				out = append(out, p)
			}
		}
	}
	slices.SortFunc(out, byCreation)
	return out
}

// waits tells whether some pod of the Deployment does.
func (d *deployment) waits() bool {
	return len(d.pending) > 0 || slices.ContainsFunc(d.pods, (*pod).waits)
}

// countRoom counts the free slices of the nodes that take pods.
func (c *Cluster) countRoom(now time.Time) {
	for _, k := range c.kinds {
		k.room = 0
	}
	for _, n := range c.nodes {
		if n.free == 0 || !n.takes() {
			continue
		}
		for _, s := range n.slots {
			if s.kind != nil && s.free(now) {
				s.kind.room++
			}
		}
	}
}

// choose finds the best slot for a pod of the deployment on a node that is ready,
// nil when there is none.
func (c *Cluster) choose(d *deployment, now time.Time) *slot {
	feasible := c.feasible[:0]
	most := 0
	for _, n := range c.nodes {
		if n.free == 0 || !n.takes() {
			continue
		}
		if s := n.place(d.kind, now); s != nil {
			feasible = append(feasible, s)
			most = max(most, n.with(d))
		}
	}
	c.feasible = feasible
	var best *slot
	highest := 0.0
	for _, s := range feasible {
		score := c.score(s.node, d, most)
		if best == nil || score > highest {
			best, highest = s, score
		}
	}
	return best
}

// score is how much the scheduler likes a node for a pod of the deployment, of
// which the feasible nodes hold so many at most.
func (c *Cluster) score(n *node, d *deployment, most int) float64 {
	allocated := 1 - float64(n.free)/float64(len(n.slots))
	if c.settings.mostAllocated {
		return allocated
	}
	spread := 1.0
	if most > 0 {
		spread -= float64(n.with(d)) / float64(most)
	}
	return 2*spread + 1 - allocated
}

// with is how many pods of a deployment are on the node.
func (n *node) with(d *deployment) int {
	count := 0
	for _, s := range n.slots {
		if s.pod != nil && s.pod.of == d {
			count++
		}
	}
	return count
}

// start puts a pod on a slot, from another one where it waited. A slot on which
// the start is refused is set aside for a minute, as a device that its plugin
// calls unhealthy.
func (c *Cluster) start(ctx context.Context, p *pod, s *slot, now time.Time) {
	d := p.of
	if old := p.slot; old != nil {
		p.slot, old.pod = nil, nil
		d.displace(p)
		c.do(ctx, fleet.StopReplica{Replica: old.replica, Reason: fleet.Because(fleet.ReasonWarmSlice,
			"model", d.model.Name, "need", replicas(d.replicas), "have", "one that waits for a node", "slice", s.profile)})
	}
	why := fleet.Because(fleet.ReasonWarmSlice, "model", d.model.Name, "need", replicas(d.replicas), "have", replicas(d.count()-1), "slice", s.profile)
	if s.node.state == fleet.NodeStarting {
		why = fleet.Because(fleet.ReasonDemand, "model", d.model.Name, "need", replicas(d.replicas), "at", "now", "have", replicas(d.count()-1), "node", s.node.id)
	}
	id := fleet.ReplicaID(c.name(string(d.model.Name)))
	if !c.do(ctx, fleet.StartReplica{Replica: id, Model: d.model.Name, Variant: d.spec.Variant, Slice: s.id, Reason: why}) {
		s.blocked = now.Add(time.Minute)
		return
	}
	s.node.changed = now
	c.occupy(s, id, p)
	d.place(p)
}
