package peer

import (
	"context"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// schedule puts pods on free slices of nodes that are ready, the pod that was
// asked for first goes first, and returns the pods that are left without any
// place. A pod that waits on a node in flight moves to a slice that is there.
//
// Of the nodes with a free slice of the kind it takes the one that kube-scheduler's
// default profile scores highest: PodTopologySpread by host name, with weight 2,
// likes nodes with fewer pods of the same Deployment, and NodeResourcesFit
// LeastAllocated, with weight 1, likes nodes on which less is asked for; the older
// node wins a tie. Pods are taken to ask for CPU and memory in proportion to
// their slices.
func (c *Cluster) schedule(ctx context.Context, now time.Time) []*pod {
	var waiting []*pod
	for _, d := range c.deployments {
		for _, p := range d.pods {
			if p.waits() {
				waiting = append(waiting, p)
			}
		}
	}
	if len(waiting) == 0 {
		return nil
	}
	slices.SortFunc(waiting, byCreation)
	left := waiting[:0]
	for _, p := range waiting {
		if s := c.choose(p.of, now); s != nil {
			c.start(ctx, p, s, now)
		}
		if p.slot == nil {
			left = append(left, p)
		}
	}
	return left
}

// choose finds the best slot for a pod of the deployment on a node that is ready,
// nil when there is none.
func (c *Cluster) choose(d *deployment, now time.Time) *slot {
	var feasible []*slot
	most := 0
	for _, n := range c.nodes {
		if !n.takes() {
			continue
		}
		if s := n.place(d, now); s != nil {
			feasible = append(feasible, s)
			most = max(most, n.with(d))
		}
	}
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
	if c.knobs.all("most-allocated") > 0 {
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
		c.do(ctx, fleet.StopReplica{Replica: old.replica, Reason: fleet.Because(fleet.ReasonWarmSlice,
			"model", d.model.Name, "need", replicas(d.replicas), "have", "one that waits for a node", "slice", s.profile)})
	}
	why := fleet.Because(fleet.ReasonWarmSlice, "model", d.model.Name, "need", replicas(d.replicas), "have", replicas(len(d.pods)-1), "slice", s.profile)
	if s.node.state == fleet.NodeStarting {
		why = fleet.Because(fleet.ReasonDemand, "model", d.model.Name, "need", replicas(d.replicas), "at", "now", "have", replicas(len(d.pods)-1), "node", s.node.id)
	}
	id := fleet.ReplicaID(c.name(string(d.model.Name)))
	if !c.do(ctx, fleet.StartReplica{Replica: id, Model: d.model.Name, Variant: d.spec.Variant, Slice: s.id, Reason: why}) {
		s.blocked = now.Add(time.Minute)
		return
	}
	s.node.changed = now
	c.occupy(s, id, p)
}
