package cluster

import (
	"cmp"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// grace is how long what was asked for may not be seen yet.
const grace = time.Minute

// findNodes sorts what the cluster has into the fleet: the nodes that the ledger
// knows, those of ours that it does not, and somebody else's that bear an offering.
func (v *viewer) findNodes() {
	for _, c := range v.claims {
		v.claimed[c.GetName()] = c
	}
	p := v.partition()
	for _, w := range v.ledger.Nodes {
		v.wished(w, p.wished[w.ID])
	}
	for _, c := range v.claims {
		if id := fleet.NodeID(c.GetName()); v.ledger.Node(id) == nil && p.strays[id] == nil {
			p.strays[id] = nil // it has no node yet
		}
	}
	for id, n := range p.strays {
		v.stray(id, n)
	}
	for _, n := range p.foreign {
		v.foreign(n)
	}
	for _, n := range p.doubles {
		v.unpriced("node "+n.Name, "its label %s=%s is that of another node, too, and it is not counted: take the label away from the one that is not it",
			kube.LabelNode, kube.NodeID(n))
	}
}

// partition is the cluster's nodes by what the ledger says of them.
type partition struct {
	wished  map[fleet.NodeID]*corev1.Node
	strays  map[fleet.NodeID]*corev1.Node // ours, and unknown to the ledger
	doubles []*corev1.Node                // ours by an id that another node bears
	foreign []*corev1.Node
}

// partition sorts the nodes, the oldest first. A node of another installation is
// that one's, and counted there; one without our labels is no part of the fleet.
func (v *viewer) partition() partition {
	p := partition{wished: map[fleet.NodeID]*corev1.Node{}, strays: map[fleet.NodeID]*corev1.Node{}}
	nodes := slices.SortedFunc(slices.Values(v.nodes), func(a, b *corev1.Node) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	for _, n := range nodes {
		_, v.kubelets[n.Name] = kube.NodeReady(n)
		v.down[n.Name] = kube.Down(n, v.now)
		id, maker := kube.NodeID(n), n.Labels[kube.LabelLedger]
		mine := p.strays
		switch {
		case maker != "" && maker != ledgerLabel(v.home):
			continue
		case v.knows(n):
			mine = p.wished
		case n.Labels[kube.LabelNode] == "" && maker == "":
			if n.Labels[kube.LabelOffering] != "" {
				p.foreign = append(p.foreign, n)
			}
			continue
		}
		if mine[id] != nil {
			p.doubles = append(p.doubles, n)
			continue
		}
		mine[id] = n
	}
	return p
}

// knows tells whether the ledger knows a node: by its id, or by its name where it is
// somebody else's.
func (v *viewer) knows(n *corev1.Node) bool {
	w := v.ledger.Node(kube.NodeID(n))
	return w != nil && (n.Labels[kube.LabelNode] != "" || w.Fixed)
}

// add enters a node into the fleet, unless what it costs is not known. Behind it
// is the node of the cluster, nil where there is none yet.
func (v *viewer) add(n fleet.Node, behind *corev1.Node) {
	name := string(n.ID)
	if behind != nil {
		name = behind.Name
	}
	if _, priced := v.settings.Catalog.Offering(n.Offering); !priced {
		if n.Offering == "" {
			v.unpriced("node "+name, "it lacks the label %s, so that nobody knows what it costs: label it with its offering", kube.LabelOffering)
			return
		}
		v.unpriced("node "+name, "its label %s says %s, which the catalog does not list: add it with its price or remove the label", kube.LabelOffering, n.Offering)
		return
	}
	if v.listed[n.ID] {
		v.unpriced("node "+name, "another node of the fleet is called %s, and this one is not counted: take the label %s away from the one that is not it", n.ID, kube.LabelNode)
		return
	}
	v.listed[n.ID] = true
	v.out.Nodes = append(v.out.Nodes, n)
	if behind != nil {
		v.hosts[behind.Name] = kube.Host{ID: n.ID, GPUs: n.GPUs}
	}
}

// billedUntil is the end of the minimum billing of an offering.
func (v *viewer) billedUntil(name fleet.OfferingName, requested time.Time) time.Time {
	o, _ := v.settings.Catalog.Offering(name)
	return requested.Add(o.MinimumBilling)
}

// requestedAt is when a node was asked for, as far as the cluster tells.
func requestedAt(claim *unstructured.Unstructured, n *corev1.Node) time.Time {
	if claim != nil {
		return claim.GetCreationTimestamp().Time
	}
	return n.CreationTimestamp.Time
}

// leaving tells whether somebody deletes a node or its claim.
func leaving(claim *unstructured.Unstructured, n *corev1.Node) bool {
	return claim != nil && claim.GetDeletionTimestamp() != nil || n != nil && n.DeletionTimestamp != nil
}
