package peer

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// reconcile brings a Deployment's pods to the number asked for, as its ReplicaSet
// does. Those without a place go first, the youngest of them at once.
//
// A pod on a node that is being emptied no longer counts, so that another is made
// for it at once; it goes as soon as as many are ready as are asked for without it.
func (c *Cluster) reconcile(ctx context.Context, d *deployment) {
	for d.count() < d.replicas {
		c.born++
		d.pending = append(d.pending, &pod{of: d, born: c.born})
		c.provisioner.fresh = true
	}
	if surplus := d.count() - d.replicas; surplus > 0 {
		homeless := min(surplus, len(d.pending))
		d.pending = slices.Delete(d.pending, len(d.pending)-homeless, len(d.pending))
		for _, p := range d.victims(surplus - homeless) {
			d.pods = without(d.pods, p)
			c.stop(ctx, p)
		}
	}
	if len(d.leaving) > 0 {
		c.relieve(ctx, d)
	}
}

// victims chooses those with a place that go, after the ReplicaSet controller
// (kubernetes.io/docs, "ReplicaSet: scaling a ReplicaSet"): those that are not
// ready first, of them those whose node is not there yet, then those with the
// lowest pod-deletion-cost, which nobody sets here, then those on nodes with more
// replicas of the set, then the youngest.
func (d *deployment) victims(n int) []*pod {
	if n == 0 {
		return nil
	}
	together := map[*node]int{}
	for _, p := range d.pods {
		together[p.slot.node]++
	}
	rank := func(p *pod) int {
		switch {
		case p.waits():
			return 0
		case !p.ready:
			return 1
		}
		return 2
	}
	company := func(p *pod) int { return together[p.slot.node] }
	order := slices.Clone(d.pods)
	slices.SortFunc(order, func(a, b *pod) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(company(b), company(a)), cmp.Compare(b.born, a.born))
	})
	return order[:n]
}

// relieve lets leaving pods go for which others stand in.
func (c *Cluster) relieve(ctx context.Context, d *deployment) {
	ready := 0
	for _, list := range [][]*pod{d.pods, d.leaving} {
		for _, p := range list {
			if p.ready {
				ready++
			}
		}
	}
	for _, p := range slices.Clone(d.leaving) {
		if p.ready && ready <= d.replicas {
			continue
		}
		if p.ready {
			ready--
		}
		d.leaving = without(d.leaving, p)
		c.stop(ctx, p)
	}
}

// stop ends a pod that is in no list any more. Its replica keeps its slot until it
// has finished.
func (c *Cluster) stop(ctx context.Context, p *pod) {
	s := p.slot
	p.slot, s.pod = nil, nil
	s.node.changed = c.plan.At
	d := p.of
	c.do(ctx, fleet.StopReplica{Replica: s.replica, Reason: fleet.Because(fleet.ReasonSurplus,
		"model", d.model.Name, "need", replicas(d.replicas), "at", "the next sync", "have", replicas(d.count()+len(d.leaving)+1), "node", s.node.id)})
}

// evict cordons a node in the books: its pods leave, and are replaced.
func (c *Cluster) evict(n *node) {
	n.leaving = true
	for _, s := range n.slots {
		if p := s.pod; p != nil {
			p.of.pods = without(p.of.pods, p)
			p.of.leaving = append(p.of.leaving, p)
		}
	}
}

// replicas is a number of them, for people.
func replicas(n int) string {
	if n == 1 {
		return "1 replica"
	}
	return fmt.Sprintf("%d replicas", n)
}
