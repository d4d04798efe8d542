package rig

import (
	"context"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
)

// cloud removes the nodes that the kwok provider makes for claims which were deleted
// before: a real cloud terminates the machine, and its node never appears.
type cloud struct {
	client  kubernetes.Interface
	dynamic dynamic.Interface
}

// run looks every half second until the context ends. What fails, as it does while a
// test holds the API server, is tried again.
func (c cloud) run(ctx context.Context) {
	wait.UntilWithContext(ctx, func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		_ = c.removeOrphans(ctx)
	}, 500*time.Millisecond)
}

func (c cloud) removeOrphans(ctx context.Context) error {
	nodes, err := c.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{LabelSelector: "kwok.x-k8s.io/node=fake"})
	if err != nil {
		return err
	}
	// Nodes are listed before claims, so that the claim of each listed node is seen.
	claims, err := c.dynamic.Resource(NodeClaims).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, n := range nodes.Items {
		if !unregistered(n) || slices.ContainsFunc(claims.Items, func(o unstructured.Unstructured) bool { return claimed(n, o) }) {
			continue
		}
		err := c.client.CoreV1().Nodes().Delete(ctx, n.Name, metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(n.UID))})
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}

// unregistered says whether Karpenter has not yet taken the node into its care.
func unregistered(n corev1.Node) bool {
	return len(n.OwnerReferences) == 0 && slices.ContainsFunc(n.Spec.Taints, func(t corev1.Taint) bool {
		return t.Key == "karpenter.sh/unregistered"
	})
}

// claimed says whether the node is that of a claim, known by its provider's id or,
// before the claim carries that, by the name of the host.
func claimed(n corev1.Node, claim unstructured.Unstructured) bool {
	id, _, _ := unstructured.NestedString(claim.Object, "status", "providerID")
	return id == n.Spec.ProviderID || claim.GetName() == n.Labels[corev1.LabelHostname]
}
