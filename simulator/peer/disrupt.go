package peer

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// disruption is the half of the node autoscaler that gives back, after Karpenter
// (karpenter.sh/docs/concepts/disruption and its disruption controller) with
// consolidationPolicy WhenEmptyOrUnderutilized. It looks every ten seconds: at
// empty nodes first, then for the most nodes that can go together because what is
// on them fits elsewhere, then for a single one. What it finds it does fifteen
// seconds later, if it is still true. Nodes whose disruption costs least, those
// with the fewest pods, come first; nothing moves to a node that is not ready. As
// a pool has one offering, a node is never replaced by a cheaper one.
type disruption struct {
	looked  time.Time // when it last looked
	command []*node   // found and not done yet
	empty   bool      // the command is about empty nodes
	found   time.Time
}

// Karpenter's times: how often it looks, how long a command must stay true, and
// for how long a promised place protects a node.
const (
	pollEvery     = 10 * time.Second
	validateAfter = 15 * time.Second
	nominationFor = 20 * time.Second
)

// budgetShare is the share of a pool's nodes that may be disrupted at once,
// rounded up to whole nodes (NodePool disruption.budgets, default 10%).
const budgetShare = 10 // one in ten

// disrupt looks for nodes that can go, cordons those for which it is time, and tells
// whether it did.
func (c *Cluster) disrupt(ctx context.Context, now time.Time) bool {
	d := &c.disruption
	if len(d.command) > 0 {
		if now.Sub(d.found) < validateAfter {
			return false
		}
		command := d.command
		d.command = nil
		if !c.stillTrue(command, now) {
			return false
		}
		c.cordon(ctx, command)
		return true
	}
	if !d.looked.IsZero() && now.Sub(d.looked) < pollEvery {
		return false
	}
	d.looked = now
	if d.command = c.consolidation(now); len(d.command) > 0 {
		d.found, d.empty = now, d.command[0].pods() == 0
	}
	return false
}

// consolidation finds the nodes that can go now.
func (c *Cluster) consolidation(now time.Time) []*node {
	candidates := c.candidates(now)
	if len(candidates) == 0 {
		return nil
	}
	if empty := c.within(slices.DeleteFunc(slices.Clone(candidates), func(n *node) bool { return n.pods() > 0 })); len(empty) > 0 {
		return empty
	}
	if c.settings.emptyOnly {
		return nil
	}
	candidates = c.within(candidates)
	c.countRoom(now)
	for n := len(candidates); n > 1; n-- {
		if c.fitsElsewhere(candidates[:n], now) {
			return candidates[:n]
		}
	}
	for i := range candidates {
		if c.fitsElsewhere(candidates[i:i+1], now) {
			return candidates[i : i+1]
		}
	}
	return nil
}

// candidates are the nodes that may be disrupted, the one whose disruption costs
// least first.
func (c *Cluster) candidates(now time.Time) []*node {
	var out []*node
	for _, n := range c.nodes {
		if n.takes() && !n.fixed && now.Sub(n.changed) >= c.settings.consolidateAfter && (n.nominated.IsZero() || now.Sub(n.nominated) >= nominationFor) {
			out = append(out, n)
		}
	}
	slices.SortStableFunc(out, func(a, b *node) int { return cmp.Compare(a.pods(), b.pods()) })
	return out
}

// within keeps as many of the nodes, in order, as the budget of each pool allows.
func (c *Cluster) within(nodes []*node) []*node {
	total, going := map[*pool]int{}, map[*pool]int{}
	for _, n := range c.nodes {
		if n.pool == nil || n.state == fleet.NodeStarting {
			continue
		}
		total[n.pool]++
		if n.leaving {
			going[n.pool]++
		}
	}
	var out []*node
	for _, n := range nodes {
		if going[n.pool] < (total[n.pool]+budgetShare-1)/budgetShare {
			going[n.pool]++
			out = append(out, n)
		}
	}
	return out
}

// fitsElsewhere tells whether the pods on the nodes, and those of the same pools
// that have no place, fit on the other nodes that are ready. The room was counted.
func (c *Cluster) fitsElsewhere(nodes []*node, now time.Time) bool {
	for _, k := range c.kinds {
		k.claimed = 0
	}
	for _, d := range c.deployments {
		d.kind.claimed += len(d.pending)
	}
	for _, n := range nodes {
		for _, s := range n.slots {
			if s.kind != nil && (s.pod != nil || s.free(now)) {
				s.kind.claimed++
			}
		}
	}
	for _, n := range nodes {
		for _, s := range n.slots {
			if s.kind != nil && s.kind.claimed > s.kind.room {
				return false
			}
		}
	}
	return true
}

// stillTrue tells whether a command that was found before can be done now.
func (c *Cluster) stillTrue(command []*node, now time.Time) bool {
	candidates := c.candidates(now)
	for _, n := range command {
		if !slices.Contains(candidates, n) || c.disruption.empty && n.pods() > 0 {
			return false
		}
	}
	if len(c.within(command)) < len(command) {
		return false
	}
	if c.disruption.empty {
		return true
	}
	c.countRoom(now)
	return c.fitsElsewhere(command, now)
}

// cordon begins to empty nodes.
func (c *Cluster) cordon(ctx context.Context, nodes []*node) {
	for _, n := range nodes {
		why := fleet.ReasonConsolidate
		if n.pods() == 0 {
			why = fleet.ReasonEmptyNode
		}
		if c.do(ctx, fleet.DrainNode{Node: n.id, Reason: c.saves(n, why)}) {
			n.state = fleet.NodeDraining
			c.evict(n)
		}
	}
}

// terminate gives back the nodes that were emptied.
func (c *Cluster) terminate(ctx context.Context, now time.Time) {
	c.nodes = slices.DeleteFunc(c.nodes, func(n *node) bool {
		if !n.leaving || n.fixed || n.free < len(n.slots) || now.Before(n.retryAfter) {
			return false
		}
		if !c.do(ctx, fleet.ReturnNode{Node: n.id, Reason: c.saves(n, fleet.ReasonEmptyNode)}) {
			n.retryAfter = now.Add(pollEvery)
			return false
		}
		delete(c.byNode, n.id)
		return true
	})
}

func (c *Cluster) saves(n *node, code fleet.ReasonCode) fleet.Reason {
	price := "its price"
	if n.pool != nil {
		price = n.pool.offering.Price.Describe()
	}
	return fleet.Because(code, "node", n.id, "at", "the next scan", "price", price)
}
