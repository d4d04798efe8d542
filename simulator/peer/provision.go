package peer

import (
	"context"
	"fmt"
	"slices"
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
func (c *Cluster) provision(ctx context.Context, now time.Time) {
	p := &c.provisioner
	came := p.fresh
	p.fresh = false
	if !slices.ContainsFunc(c.deployments, func(d *deployment) bool { return len(d.pending) > 0 }) {
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
	for _, d := range c.deployments {
		d.tried = 0
	}
	for d := c.next(); d != nil; d = c.next() {
		pod := d.pending[d.tried]
		d.tried++
		s := c.inFlight(d, now)
		if s == nil {
			if why, held := c.held(d, now); held {
				c.hold(why)
				d.tried = len(d.pending) // what holds one of them holds all
				continue
			}
			if n := c.buy(ctx, d, now); n != nil {
				s = n.place(d.kind, now)
			}
		}
		if s != nil {
			c.nominate(ctx, pod, s, now)
		}
	}
}

// next is the Deployment whose turn it is: of those with pending pods that were not
// tried, the one that made such a pod first; nil when none is left.
func (c *Cluster) next() *deployment {
	var first *deployment
	for _, d := range c.deployments {
		if d.tried < len(d.pending) && (first == nil || d.pending[d.tried].born < first.pending[first.tried].born) {
			first = d
		}
	}
	return first
}

// inFlight finds a slot for a pod on a node that was bought and is not ready.
func (c *Cluster) inFlight(d *deployment, now time.Time) *slot {
	for _, n := range c.nodes {
		if n.state != fleet.NodeStarting || n.leaving {
			continue
		}
		if s := n.place(d.kind, now); s != nil {
			return s
		}
	}
	return nil
}

func (c *Cluster) nominate(ctx context.Context, p *pod, s *slot, now time.Time) {
	s.node.nominated = now
	c.start(ctx, p, s, now)
	if p.slot != nil {
		p.of.tried-- // it is pending no more
	}
}

// held tells why no node of the deployment's pool is to be had at present.
func (c *Cluster) held(d *deployment, now time.Time) (fleet.Reason, bool) {
	o := d.pool.offering
	if until, gone := c.provisioner.unavailable[o.Name]; gone && now.Before(until) {
		return fleet.Because(fleet.ReasonHeldStock, "subject", o.Name, "until", until.UTC().Format("15:04:05"), "cause", "it could not be had"), true
	}
	if n := c.count(o.Name); n >= o.Limit {
		return fleet.Because(fleet.ReasonNoCapacity, "model", d.model.Name, "need", "a slice "+string(d.spec.Profile),
			"cause", fmt.Sprintf("%d nodes of %s are there, and %d is the limit", n, o.Name, o.Limit)), true
	}
	return fleet.Reason{}, false
}

// buy asks for a node of the deployment's pool; nil when it was refused.
func (c *Cluster) buy(ctx context.Context, d *deployment, now time.Time) *node {
	o := d.pool.offering
	seen := fleet.Node{ID: fleet.NodeID(c.name(d.pool.Name)), Offering: o.Name, State: fleet.NodeStarting}
	for range o.GPUs {
		seen.GPUs = append(seen.GPUs, fleet.GPU{Type: o.GPU, Geometry: d.pool.Geometry.Clone()})
	}
	why := fleet.Because(fleet.ReasonDemand, "model", d.model.Name, "need", replicas(d.replicas), "at", "now",
		"have", "places for "+replicas(len(d.pods)), "pool", d.pool.Name)
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
