package peer

import (
	"cmp"
	"slices"
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
	kind        *sliceKind
	replicas    int    // spec.replicas: asked for
	pending     []*pod // without a place, in order of creation
	pods        []*pod // with a place, in no order; those that leave are not among them
	leaving     []*pod // on nodes that are being emptied: each stays until others stand in for it

	tried     int     // pending pods that the provisioner has tried in its present pass, from the first
	ready     int     // of pods and leaving, when last seen
	inService float64 // requests at this instant
	blind     bool    // of some replica that is not known
}

// count is how many pods there are that count for the ReplicaSet.
func (d *deployment) count() int { return len(d.pending) + len(d.pods) }

// place notes that a pending pod has a place.
func (d *deployment) place(p *pod) {
	if i, found := slices.BinarySearchFunc(d.pending, p, byCreation); found {
		d.pending = slices.Delete(d.pending, i, i+1)
		d.pods = append(d.pods, p)
	}
}

// displace notes that a pod has no place any more.
func (d *deployment) displace(p *pod) {
	d.pods = without(d.pods, p)
	i, _ := slices.BinarySearchFunc(d.pending, p, byCreation)
	d.pending = slices.Insert(d.pending, i, p)
}

// sliceKind is what a pod asks for: any slice of a profile in its pool will do, so that
// counting tells whether pods fit.
type sliceKind struct {
	pool    *pool
	profile fleet.ProfileName
	room    int // free slices of nodes that take pods, when they were last counted
	claimed int // of a question that is being answered: slices that it takes out of the room
}

// pod is a replica as Kubernetes knows it, from the wish for it on.
type pod struct {
	of    *deployment
	born  int   // number of its creation
	slot  *slot // nil while it has no place
	ready bool
}

// byCreation orders pods by when they were asked for.
func byCreation(a, b *pod) int { return cmp.Compare(a.born, b.born) }

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
	kind    *sliceKind      // nil when no Deployment asks for such
	replica fleet.ReplicaID // that holds the slice; empty when it is free
	pod     *pod            // whose replica it is; nil when that was told to stop
	seen    int             // the tick that saw the replica last
	blocked time.Time       // until when the slice is set aside: a start was refused
}

// free tells whether a pod can be put on the slot at now.
func (s *slot) free(now time.Time) bool { return s.replica == "" && !now.Before(s.blocked) }

// place finds a slot of the kind on the node, nil when there is none.
func (n *node) place(k *sliceKind, now time.Time) *slot {
	if n.free == 0 || n.pool != k.pool {
		return nil
	}
	for _, s := range n.slots {
		if s.kind == k && s.free(now) {
			return s
		}
	}
	return nil
}
