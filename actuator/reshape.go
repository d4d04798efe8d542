package actuator

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// reshape wishes for another geometry of a GPU. The node is cut as a whole, so no pod
// that takes a GPU may be on it.
func (p *pass) reshape(ctx context.Context, s fleet.Reshape) error {
	w, err := p.wish(ctx, s.GPU.Node)
	if err != nil {
		return err
	}
	if s.GPU.Index < 0 || s.GPU.Index >= len(w.GPUs) {
		return notThere("node %s has no GPU %d", w.ID, s.GPU.Index)
	}
	gpu := &w.GPUs[s.GPU.Index]
	if gpu.Geometry.Equal(s.Geometry) {
		return nil
	}
	if err := p.mayReshape(ctx, w, s.GPU); err != nil {
		return err
	}
	before := kube.MIGConfigName(w.GPUs)
	gpu.Geometry = s.Geometry.Clone()
	after := kube.MIGConfigName(w.GPUs)
	if after == "" {
		return refuse("GPUs %s cannot be divided", gpu.Type)
	}
	if err := p.mayCut(w.GPUs); err != nil {
		return err
	}
	w.Plan = p.plan
	if before != after || w.Cut != nil {
		w.Cut = &kube.Cut{Plan: p.plan, Since: p.at, Tries: 1}
	}
	return nil
}

// mayReshape refuses a node that is not there, not whole, or not empty.
func (p *pass) mayReshape(ctx context.Context, w *kube.Wish, gpu fleet.GPUID) error {
	node, err := p.node(ctx, w.ID)
	if err != nil {
		return err
	}
	switch {
	case node == nil:
		return notThere("node %s is not there yet", w.ID)
	case w.Returning:
		return refuse("node %s is being given back", w.ID)
	case w.Cut != nil && w.Cut.Failed != "":
		return refuse("node %s is left alone: %s; mend it, or drain and return it", w.ID, w.Cut.Failed)
	}
	for _, seat := range p.ledger.Replicas {
		if seat.Slice.GPU == gpu {
			return refuse("GPU %s is not empty: %s is on it", gpu, seat.ID)
		}
	}
	return p.empty(ctx, node)
}

// empty refuses a node that pods with GPUs are on.
func (p *pass) empty(ctx context.Context, node *corev1.Node) error {
	pods, err := p.podsOn(ctx, node.Name)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(pods, asksForGPU); i >= 0 {
		return refuse("node %s is cut as a whole and is not empty: pod %s/%s takes a GPU", node.Name, pods[i].Namespace, pods[i].Name)
	}
	return nil
}
