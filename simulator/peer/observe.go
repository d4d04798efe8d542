package peer

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// sync brings what the cluster knows in line with what is there. Whatever it meets
// that it did not make, it takes over: a node of a pool's offering and geometry
// becomes a node of that pool, a replica on it a pod of its model's Deployment.
func (c *Cluster) sync(s *fleet.Snapshot) {
	c.tick++
	if c.tick == 1 {
		c.sequence = highestNumber(s)
	}
	for _, d := range c.deployments {
		d.ready, d.inService, d.blind = 0, 0, false
	}
	for i := range s.Nodes {
		c.seeNode(&s.Nodes[i], s.At)
	}
	for i := range s.Replicas {
		c.seeReplica(&s.Replicas[i])
	}
	c.nodes = slices.DeleteFunc(c.nodes, func(n *node) bool {
		gone := n.seen != c.tick
		for _, held := range n.slots {
			if held.replica != "" && (gone || held.seen != c.tick) {
				c.vacate(held, s.At)
			}
		}
		if gone {
			delete(c.byNode, n.id)
		}
		return gone
	})
}

func (c *Cluster) seeNode(seen *fleet.Node, now time.Time) {
	n, known := c.byNode[seen.ID]
	if !known {
		n = c.addNode(*seen, c.poolOf(seen), now)
	}
	n.seen, n.state, n.fixed = c.tick, seen.State, seen.Fixed
	if n.state == fleet.NodeDraining && !n.leaving { // somebody else takes it away, as with a spot notice
		c.evict(n)
	}
}

// addNode takes a node into the books.
func (c *Cluster) addNode(seen fleet.Node, p *pool, now time.Time) *node {
	n := &node{id: seen.ID, pool: p, offering: seen.Offering, state: seen.State, fixed: seen.Fixed, changed: now}
	for _, s := range seen.Slices() {
		n.slots = append(n.slots, &slot{node: n, id: s.ID, profile: s.Kind.Profile, kind: c.kindOf(p, s.Kind.Profile)})
	}
	n.free = len(n.slots)
	c.nodes = append(c.nodes, n)
	c.byNode[n.id] = n
	return n
}

// kindOf finds what Deployments ask for, nil when none asks for such a slice.
func (c *Cluster) kindOf(p *pool, profile fleet.ProfileName) *sliceKind {
	for _, k := range c.kinds {
		if k.pool == p && k.profile == profile {
			return k
		}
	}
	return nil
}

// poolOf finds the pool that would have bought such a node.
func (c *Cluster) poolOf(n *fleet.Node) *pool {
	for _, p := range c.pools {
		other := func(g fleet.GPU) bool { return !g.Geometry.Equal(p.Geometry) }
		if p.Offering == n.Offering && !slices.ContainsFunc(n.GPUs, other) {
			return p
		}
	}
	return nil
}

func (c *Cluster) seeReplica(r *fleet.Replica) {
	s, known := c.byReplica[r.ID]
	if !known {
		if s = c.adopt(r); s == nil {
			return
		}
	}
	s.seen = c.tick
	if s.pod == nil {
		return
	}
	if s.pod.ready = r.State == fleet.ReplicaReady; s.pod.ready {
		s.pod.of.ready++
	}
	if v, ok := r.InFlight.Read(); ok {
		s.pod.of.inService += v
	} else {
		s.pod.of.blind = true
	}
}

// adopt takes over a replica that somebody else started; nil when its place is
// not known.
func (c *Cluster) adopt(r *fleet.Replica) *slot {
	n, ok := c.byNode[r.Slice.GPU.Node]
	if !ok {
		return nil
	}
	i := slices.IndexFunc(n.slots, func(s *slot) bool { return s.id == r.Slice })
	if i < 0 || n.slots[i].replica != "" {
		return nil
	}
	s := n.slots[i]
	c.occupy(s, r.ID, nil)
	d := c.byModel[r.Model]
	if d == nil || d.kind != s.kind || r.State == fleet.ReplicaDraining {
		return s
	}
	c.born++
	s.pod = &pod{of: d, born: c.born, slot: s}
	if n.leaving {
		d.leaving = append(d.leaving, s.pod)
	} else {
		d.pods = append(d.pods, s.pod)
	}
	return s
}

// occupy notes who holds a slot.
func (c *Cluster) occupy(s *slot, r fleet.ReplicaID, p *pod) {
	s.replica, s.pod, s.seen = r, p, c.tick
	s.node.free--
	c.byReplica[r] = s
	if p != nil {
		p.slot = s
	}
}

// vacate notes that a slot is free again. A pod that was there is lost; its
// ReplicaSet makes another.
func (c *Cluster) vacate(s *slot, now time.Time) {
	delete(c.byReplica, s.replica)
	if p := s.pod; p != nil {
		p.slot, p.ready = nil, false
		p.of.pods, p.of.leaving = without(p.of.pods, p), without(p.of.leaving, p)
	}
	s.replica, s.pod = "", nil
	s.node.free++
	s.node.changed = now
}

// without takes one of them out of the list.
func without[T comparable](list []T, one T) []T {
	if i := slices.Index(list, one); i >= 0 {
		return slices.Delete(list, i, i+1)
	}
	return list
}

// highestNumber is the highest number at the end of a name in the snapshot, so
// that no name is given twice.
func highestNumber(s *fleet.Snapshot) int {
	highest := s.Sequence
	look := func(name string) {
		if n, err := strconv.Atoi(name[strings.LastIndexByte(name, '-')+1:]); err == nil && n > highest && n < 1_000_000_000 {
			highest = n
		}
	}
	for _, n := range s.Nodes {
		look(string(n.ID))
	}
	for _, r := range s.Replicas {
		look(string(r.ID))
	}
	return highest
}

// stale is the age from which on a sample is as good as none: the lookback of an
// instant query of Prometheus.
const stale = 5 * time.Minute

func fresh(s fleet.Signal) fleet.Signal {
	if _, known := s.Read(); known && s.Age() > stale {
		return fleet.Unknown("the newest sample is older than " + stale.String())
	}
	return s
}

// view is what the Scaler sees of a deployment.
func (d *deployment) view(s *fleet.Snapshot) View {
	m := s.Model(d.model.Name)
	v := View{
		Model: d.model, Replicas: d.replicas, Ready: d.ready, Backlog: fresh(m.Backlog), Arrivals: fresh(m.Arrivals),
		Utilisation: fresh(m.Utilisation), Attainment: fresh(m.Attainment),
	}
	waiting, known := v.Backlog.Read()
	switch {
	case !known:
		v.Concurrency = v.Backlog
	case d.blind:
		v.Concurrency = fleet.Unknown("what some replica has in service is not known")
	default:
		v.Concurrency = fleet.Measured(d.inService+waiting, v.Backlog.Age(), 1)
	}
	return v
}
