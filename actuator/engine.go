package actuator

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// An Engine asks for nodes and gives them back: Karpenter, or Placeholder where
// another node autoscaler is.
type Engine interface {
	// knows refuses an offering that the engine has no node type for.
	knows(fleet.OfferingName) error
	// find looks for what was asked for a node, nil when there is nothing. Something
	// of its name that is not ours is refused.
	find(ctx context.Context, p *pass, id fleet.NodeID) (*request, error)
	// ask asks for a node, which is not asked for yet.
	ask(ctx context.Context, p *pass, w kube.Wish) error
	// arrive makes a node that came of a request the wish's own; node is nil until
	// one bears its name. It runs at every pass, and notes deeds.
	arrive(ctx context.Context, p *pass, w kube.Wish, r *request, node *corev1.Node) error
	// protect keeps whoever else might remove a node from doing so. It runs at every
	// pass while the node is not given back, and notes deeds.
	protect(p *pass, w kube.Wish, node *corev1.Node)
	// withdraw takes a request back, and with it the node that came of it, which is
	// empty; either may be nil. It runs at every pass until both are gone.
	withdraw(ctx context.Context, p *pass, r *request, node *corev1.Node) error
}

// request is what was asked of an engine.
type request struct {
	name    string
	uid     types.UID
	version string
	leaving bool                    // it is being deleted
	ref     *corev1.ObjectReference // for what is told about it
}

// NodeType is how a node of an offering is asked for.
type NodeType struct {
	InstanceType string            // node.kubernetes.io/instance-type; Karpenter needs it
	Class        ClassRef          // Karpenter's node class
	Labels       map[string]string // further labels of the node; with Placeholder, its node selector
	Taints       []corev1.Taint    // with Placeholder, what it tolerates
	Requirements []Requirement     // further ones for Karpenter, such as a zone
	// Resources are what a placeholder asks for, so that it fills a node.
	Resources corev1.ResourceList
}

// ClassRef names a node class of Karpenter.
type ClassRef struct{ Group, Kind, Name string }

// Requirement is a requirement of a NodeClaim.
type Requirement struct {
	Key      string
	Operator corev1.NodeSelectorOperator
	Values   []string
}

// lookup finds a node type, or refuses.
func lookup(types map[fleet.OfferingName]NodeType, o fleet.OfferingName) (NodeType, error) {
	t, known := types[o]
	if !known {
		return NodeType{}, refuse("offering %s has no node type: add it to the cluster's configuration, with the instance type that it is there", o)
	}
	return t, nil
}
