package peer

import (
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// pool is a node pool with what its offering costs.
type pool struct {
	Pool
	offering fleet.Offering
}

// deployment is a Deployment with its ReplicaSet.
type deployment struct {
	model       fleet.Model
	spec        Deployment
	pool        *pool
	least, most int
	replicas    int    // spec.replicas: asked for
	pods        []*pod // in order of creation; those that leave are not among them
	leaving     []*pod // on nodes that are being emptied: each stays until others stand in for it

	inService float64 // requests at this instant
	blind     bool    // of some replica that is not known
}

// pod is a replica as Kubernetes knows it, from the wish for it on.
type pod struct {
	of    *deployment
	born  int   // number of its creation
	slot  *slot // nil while it has no place
	ready bool
}

// waits tells whether the scheduler may still choose another node for the pod: it
// has none, or one that is not there yet.
func (p *pod) waits() bool { return p.slot == nil || p.slot.node.state == fleet.NodeStarting }

// node is a node as the cluster knows it.
type node struct {
	id         fleet.NodeID
	pool       *pool // nil for a node that no pool would have bought
	offering   fleet.OfferingName
	state      fleet.NodeState
	fixed      bool
	leaving    bool // cordoned, to be given back once it is empty
	slots      []*slot
	free       int // slots that nobody holds
	seen       int // the tick that saw it last
	changed    time.Time
	nominated  time.Time // when a pod was last promised a place on it
	retryAfter time.Time // not given back before: the last attempt was refused
}

// takes tells whether the scheduler may put pods on the node.
func (n *node) takes() bool { return n.state == fleet.NodeReady && !n.leaving && n.pool != nil }

// pods are those on the node that count as work: what is on its way out does not.
func (n *node) pods() int {
	count := 0
	for _, s := range n.slots {
		if s.pod != nil {
			count++
		}
	}
	return count
}

// slot is one slice of a node.
type slot struct {
	node    *node
	id      fleet.SliceID
	profile fleet.ProfileName
	replica fleet.ReplicaID // that holds the slice; empty when it is free
	pod     *pod            // whose replica it is; nil when that was told to stop
	seen    int             // the tick that saw the replica last
	blocked time.Time       // until when the slice is set aside: a start was refused
}

// fits tells whether a pod of the deployment can be put on the slot at now.
func (s *slot) fits(d *deployment, now time.Time) bool {
	return s.replica == "" && s.profile == d.spec.Profile && !now.Before(s.blocked)
}

// place finds a slot for a pod of the deployment on the node, nil when there is none.
func (n *node) place(d *deployment, now time.Time) *slot {
	if n.free == 0 || n.pool != d.pool {
		return nil
	}
	for _, s := range n.slots {
		if s.fits(d, now) {
			return s
		}
	}
	return nil
}
