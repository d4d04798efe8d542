package actuator

import (
	"context"

	corev1 "k8s.io/api/core/v1"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// wish finds the wish of a node; of one that is somebody else's and of the fleet, it
// makes one as the node is now.
func (p *pass) wish(ctx context.Context, id fleet.NodeID) (*kube.Wish, error) {
	if w := p.ledger.Node(id); w != nil {
		return w, nil
	}
	node, err := p.node(ctx, id)
	if err != nil {
		return nil, err
	}
	if node == nil {
		return nil, notThere("node %s is neither in the ledger nor in the cluster", id)
	}
	w, err := p.found(node)
	if err != nil {
		return nil, err
	}
	p.ledger.PutNode(w)
	return p.ledger.Node(id), nil
}

// found is somebody else's node as a wish: how its GPUs are cut is read from what it
// offers.
func (p *pass) found(node *corev1.Node) (kube.Wish, error) {
	name := fleet.OfferingName(node.Labels[kube.LabelOffering])
	if name == "" {
		return kube.Wish{}, refuse("node %s is not of the fleet: it lacks the label %s", node.Name, kube.LabelOffering)
	}
	if node.Labels[kube.LabelLedger] != "" {
		return kube.Wish{}, refuse("node %s was bought by ledger %s, and this ledger does not know it", node.Name, node.Labels[kube.LabelLedger])
	}
	offering, known := p.Offering(name)
	if !known {
		return kube.Wish{}, refuse("node %s is of offering %q, which the catalog does not list: add it with its price", node.Name, name)
	}
	w := kube.Wish{ID: kube.NodeID(node), Offering: name, Plan: p.plan, RequestedAt: p.at, ReadyAt: p.at, Fixed: true}
	shapes := []fleet.Geometry{{{Profile: fleet.WholeGPU}}}
	if offering.GPU != fleet.CPU {
		var err error
		if shapes, err = kube.Realise(offering.GPU, offering.GPUs, kube.Allocatable(node)); err != nil {
			return kube.Wish{}, refuse("node %s: %v", node.Name, err)
		}
	}
	for _, g := range shapes {
		w.GPUs = append(w.GPUs, fleet.GPU{Type: offering.GPU, Geometry: g})
	}
	return w, nil
}
