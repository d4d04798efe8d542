package gpu

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
)

// surroundings is what the machine of a node can see and ask.
func (o *Operator) surroundings(ctx context.Context, n *corev1.Node, m *machine) surroundings {
	s := surroundings{
		clients: o.holders(n.Name),
		apply:   o.options.ApplyDelay, patience: o.options.ClientTimeout,
		resolve: func(config string, part Part, now layout) (layout, error) { return o.resolve(ctx, config, part, now) },
		fault:   func() Fault { return o.takeFault(n.Name) },
	}
	if m.part.capable() { // Elsewhere no mig-manager runs.
		s.wanted = n.Labels[LabelConfig]
	}
	return s
}

// holders counts the pods on a node that hold GPUs.
func (o *Operator) holders(node string) int {
	pods, err := o.pods.List(labels.Everything())
	if err != nil {
		return 0 // A lister of a synced cache does not fail.
	}
	count := 0
	for _, p := range pods {
		over := p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
		if p.Spec.NodeName == node && !over && wantsGPU(p) {
			count++
		}
	}
	return count
}

func wantsGPU(p *corev1.Pod) bool {
	for _, c := range p.Spec.Containers {
		for name := range c.Resources.Limits {
			if ours(name) {
				return true
			}
		}
	}
	return false
}

// resolve reads the ConfigMap, if the configuration is not one that every node knows.
func (o *Operator) resolve(ctx context.Context, config string, part Part, now layout) (layout, error) {
	if config == AllDisabled {
		return whole(part.Count), nil
	}
	cm, err := o.client.CoreV1().ConfigMaps(o.options.ConfigNamespace).Get(ctx, o.options.ConfigName, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil, fmt.Errorf("%w %q: ConfigMap %s/%s does not exist", errUnknownConfig, config, o.options.ConfigNamespace, o.options.ConfigName)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errNotNow, err)
	}
	return resolve([]byte(cm.Data[ConfigKey]), config, part, now)
}

// show writes to the node what is not so yet: the resources first when they appear and
// last when they go, so that the labels never promise what is not there.
func (o *Operator) show(ctx context.Context, n *corev1.Node, m *machine) error {
	if m.paused() {
		if err := o.showLabels(ctx, n, m); err != nil {
			return err
		}
		return o.showResources(ctx, o.newest(n), m)
	}
	if err := o.showResources(ctx, n, m); err != nil {
		return err
	}
	return o.showLabels(ctx, o.newest(n), m)
}

// newest is a node after the operator's own last write, where the cache does not show
// that yet: without it a look would say once more what has been said, and after a change
// of the label that is an answer to what was asked before.
func (o *Operator) newest(n *corev1.Node) *corev1.Node {
	w := o.written[n.UID]
	if w == nil {
		return n
	}
	if order, err := resourceversion.CompareResourceVersion(n.ResourceVersion, w.ResourceVersion); err == nil && order < 0 {
		return w
	}
	return n
}

func (o *Operator) showLabels(ctx context.Context, n *corev1.Node, m *machine) error {
	metadata := map[string]any{}
	labels := changed(m.labels(), n.Labels)
	if _, asked := n.Labels[LabelConfig]; !asked && m.step != booting && m.part.capable() {
		// The operator's default, written only if nobody has asked for anything meanwhile.
		labels[LabelConfig] = AllDisabled
		metadata["resourceVersion"] = n.ResourceVersion
	}
	if len(labels) == 0 {
		return nil
	}
	metadata["labels"] = labels
	return o.patch(ctx, n.Name, map[string]any{"metadata": metadata})
}

func (o *Operator) showResources(ctx context.Context, n *corev1.Node, m *machine) error {
	want := m.reported().resources()
	status := map[string]any{}
	if c := quantities(want, n.Status.Capacity); len(c) > 0 {
		status["capacity"] = c
	}
	if a := quantities(want, n.Status.Allocatable); len(a) > 0 {
		status["allocatable"] = a
	}
	if len(status) == 0 {
		return nil
	}
	return o.patch(ctx, n.Name, map[string]any{"status": status}, "status")
}

// patch merges a change into a node. It is no error that the node has gone, or has
// changed where the patch names the version it is meant for.
func (o *Operator) patch(ctx context.Context, node string, change map[string]any, subresource ...string) error {
	body, err := json.Marshal(change)
	if err != nil {
		return fmt.Errorf("encoding a patch: %w", err)
	}
	n, err := o.client.CoreV1().Nodes().Patch(ctx, node, types.MergePatchType, body, metav1.PatchOptions{}, subresource...)
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	if err != nil {
		return err
	}
	o.written[n.UID] = n
	return nil
}
