package cluster

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// trifle is a loss, in nodes or pods, that any cluster may have between two looks.
const trifle = 3

// census is how much a look saw. Before the first one it was not taken.
type census struct {
	taken       bool
	nodes, pods int // pods that are ready
}

// plausible believes the caches unless they lost much at once, which a cache that
// was filled in a bad moment does, too; then, and at the first look, the server is
// asked past them, and must not show more.
func (w *Watcher) plausible(ctx context.Context, in inputs) error {
	seen := take(in.nodes, in.pods)
	if w.before.taken && !w.fell(w.before.nodes, seen.nodes) && !w.fell(w.before.pods, seen.pods) {
		w.before = seen
		return nil
	}
	nodes, err := fromServer[*corev1.Node](ctx, w.nodes)
	if err != nil {
		return fmt.Errorf("confirm what the cache shows: %w", err)
	}
	pods, err := fromServer[*corev1.Pod](ctx, w.pods...)
	if err != nil {
		return fmt.Errorf("confirm what the cache shows: %w", err)
	}
	there := take(nodes, pods)
	if there.nodes > seen.nodes {
		return fmt.Errorf("the cache shows %d nodes and the server %d: waiting", seen.nodes, there.nodes)
	}
	if there.pods > seen.pods {
		return fmt.Errorf("the cache shows %d ready pods and the server %d: waiting", seen.pods, there.pods)
	}
	if w.before.taken {
		w.options.Log.Warn("much of the fleet is gone, and the server confirms it",
			"nodes_before", w.before.nodes, "nodes", seen.nodes, "ready_pods_before", w.before.pods, "ready_pods", seen.pods)
	}
	w.before = seen
	return nil
}

// fell tells whether so much was lost at once that it is not believed.
func (w *Watcher) fell(before, now int) bool {
	lost := before - now
	return lost >= trifle && float64(lost) > w.options.ShrinkGuard*float64(before)
}

// take counts.
func take(nodes []*corev1.Node, pods []*corev1.Pod) census {
	out := census{taken: true, nodes: len(nodes)}
	for _, p := range pods {
		if _, ready := kube.Ready(p); ready {
			out.pods++
		}
	}
	return out
}
