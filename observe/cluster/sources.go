package cluster

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"

	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// lister is what every typed client can do.
type lister[L runtime.Object] interface {
	List(ctx context.Context, o metav1.ListOptions) (L, error)
	Watch(ctx context.Context, o metav1.ListOptions) (watch.Interface, error)
}

// asking makes the functions by which a source asks a client for what bears a label.
func asking[L runtime.Object](c lister[L], selector string) (cache.ListWithContextFunc, cache.WatchFuncWithContext) {
	return func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			o.LabelSelector = selector
			return c.List(ctx, o)
		}, func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.LabelSelector = selector
			return c.Watch(ctx, o)
		}
}

// nodeSource caches all nodes.
func (o Options) nodeSource() *source {
	list, open := asking(o.Client.CoreV1().Nodes(), "")
	return newSource(what{resource: "nodes"}, o.Client, &corev1.Node{}, list, open, lean, o.Log)
}

// podSource caches the pods of the models in a namespace.
func (o Options) podSource(namespace string) *source {
	list, open := asking(o.Client.CoreV1().Pods(namespace), kube.LabelModel)
	return newSource(what{resource: "pods", namespace: namespace}, o.Client, &corev1.Pod{}, list, open, lean, o.Log)
}

// deploymentSource caches the Deployments of a namespace that a selector selects.
func (o Options) deploymentSource(namespace, selector string) *source {
	list, open := asking(o.Client.AppsV1().Deployments(namespace), selector)
	return newSource(what{resource: "deployments", group: "apps", namespace: namespace}, o.Client, &appsv1.Deployment{}, list, open, whole, o.Log)
}

// claimSource caches the NodeClaims that this installation made.
func (o Options) claimSource() *source {
	list, open := asking(o.Dynamic.Resource(kube.NodeClaims), kube.LabelLedger+"="+ledgerLabel(o.Ledger))
	return newSource(what{resource: kube.NodeClaims.Resource, group: kube.NodeClaims.Group}, o.Dynamic, &unstructured.Unstructured{}, list, open, lean, o.Log)
}

// lean keeps an object without the record of who wrote which field, which is half
// of it and asked for by nobody here.
func lean(object any) (any, error) {
	if m, err := meta.Accessor(object); err == nil {
		m.SetManagedFields(nil)
	}
	return object, nil
}

// whole keeps an object as it is.
func whole(object any) (any, error) { return object, nil }
