package peer

import (
	"context"
	"fmt"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// provisioner is the half of the node autoscaler that buys, after Karpenter
// (karpenter.sh/docs: settings, NodePools, and its provisioning controller): pods
// that the scheduler cannot place open a batch window, which closes after a second
// without another, or after ten; then all of them are put on the nodes in flight,
// and what does not fit there gets new nodes.
type provisioner struct {
	fresh        bool      // a pod was made since the last tick
	opened, last time.Time // of the batch window: zero while it is closed
	passed       time.Time // when pods were last provisioned for
	unavailable  map[fleet.OfferingName]time.Time
}

// Karpenter's times: BATCH_IDLE_DURATION and BATCH_MAX_DURATION, after how long an
// unschedulable pod is looked at again, and how long an offering that could not be
// had is not asked for.
const (
	batchIdle      = time.Second
	batchMax       = 10 * time.Second
	requeue        = 10 * time.Second
	unavailableFor = 3 * time.Minute
)

// provision buys nodes for the pods that have no place, in order of their
// creation.
func (c *Cluster) provision(ctx context.Context, now time.Time, waiting []*pod) {
	p := &c.provisioner
	came := p.fresh
	p.fresh = false
	if len(waiting) == 0 {
		p.opened = time.Time{}
		return
	}
	if p.opened.IsZero() {
		if !came && now.Sub(p.passed) < requeue {
			return
		}
		p.opened, p.last = now, now
		return
	}
	if came {
		p.last = now
	}
	if now.Sub(p.last) < batchIdle && now.Sub(p.opened) < batchMax {
		return
	}
	p.opened, p.passed = time.Time{}, now
	for _, pod := range waiting {
		if s := c.inFlight(pod.of, now); s != nil {
			c.nominate(ctx, pod, s, now)
		} else if n := c.buy(ctx, pod.of, now); n != nil {
			c.nominate(ctx, pod, n.place(pod.of, now), now)
		}
	}
}

// inFlight finds a slot for a pod on a node that was bought and is not ready.
func (c *Cluster) inFlight(d *deployment, now time.Time) *slot {
	for _, n := range c.nodes {
		if n.state != fleet.NodeStarting || n.leaving {
			continue
		}
		if s := n.place(d, now); s != nil {
			return s
		}
	}
	return nil
}

func (c *Cluster) nominate(ctx context.Context, p *pod, s *slot, now time.Time) {
	s.node.nominated = now
	c.start(ctx, p, s, now)
}

// buy asks for a node of the deployment's pool; nil when there is none to be had.
func (c *Cluster) buy(ctx context.Context, d *deployment, now time.Time) *node {
	o := d.pool.offering
	if until, gone := c.provisioner.unavailable[o.Name]; gone && now.Before(until) {
		c.hold(fleet.Because(fleet.ReasonHeldStock, "subject", o.Name, "until", until.UTC().Format("15:04:05"), "cause", "it could not be had"))
		return nil
	}
	if n := c.count(o.Name); n >= o.Limit {
		c.hold(fleet.Because(fleet.ReasonNoCapacity, "model", d.model.Name, "need", "a slice "+string(d.spec.Profile),
			"cause", fmt.Sprintf("%d nodes of %s are there, and %d is the limit", n, o.Name, o.Limit)))
		return nil
	}
	seen := fleet.Node{ID: fleet.NodeID(c.name(d.pool.Name)), Offering: o.Name, State: fleet.NodeStarting}
	for range o.GPUs {
		seen.GPUs = append(seen.GPUs, fleet.GPU{Type: o.GPU, Geometry: d.pool.Geometry.Clone()})
	}
	placed := 0
	for _, p := range d.pods {
		if p.slot != nil {
			placed++
		}
	}
	why := fleet.Because(fleet.ReasonDemand, "model", d.model.Name, "need", replicas(d.replicas), "at", "now",
		"have", "places for "+replicas(placed), "pool", d.pool.Name)
	if !c.do(ctx, fleet.BuyNode{Node: seen.ID, Offering: o.Name, GPUs: seen.GPUs, Reason: why}) {
		c.provisioner.unavailable[o.Name] = now.Add(unavailableFor)
		return nil
	}
	n := c.addNode(seen, d.pool, now)
	n.seen = c.tick
	return n
}

// count is how many nodes of an offering there are.
func (c *Cluster) count(o fleet.OfferingName) int {
	n := 0
	for _, node := range c.nodes {
		if node.offering == o {
			n++
		}
	}
	return n
}

// hold notes once a tick why something is not done.
func (c *Cluster) hold(why fleet.Reason) {
	text := why.String()
	for _, h := range c.plan.Held {
		if h.String() == text {
			return
		}
	}
	c.plan.Held = append(c.plan.Held, why)
}
