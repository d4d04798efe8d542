package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// right is a verb on a resource that the service needs.
type right struct {
	verbs     []string
	group     string
	resource  string // with its subresource behind a slash
	namespace string // empty: in the whole cluster
	name      string // empty: of any name
}

// rights are what the service needs in active mode; configs/deploy grants the same.
func (c *clusterConfig) rights() []right {
	ours, mig := c.Ledger.Namespace, c.MIG.ConfigMap
	out := []right{
		{verbs: []string{"list", "watch", "patch"}, resource: "nodes"},
		{verbs: []string{"patch"}, resource: "nodes/status"},
		{verbs: []string{"list"}, resource: "pods"}, // who else is on a node that is to be given back
		{verbs: []string{"list", "watch"}, group: "apps", resource: "deployments", namespace: ours},
		{verbs: []string{"get", "update"}, resource: "configmaps", namespace: ours, name: c.Ledger.Name},
		{verbs: []string{"create"}, resource: "configmaps", namespace: ours},
		{verbs: []string{"get", "update"}, resource: "configmaps", namespace: mig.Namespace, name: mig.Name},
		{verbs: []string{"create"}, resource: "configmaps", namespace: mig.Namespace},
		{verbs: []string{"get", "update"}, group: "coordination.k8s.io", resource: "leases", namespace: ours, name: c.Lease.Name},
		{verbs: []string{"create"}, group: "coordination.k8s.io", resource: "leases", namespace: ours},
		{verbs: []string{"create", "patch"}, resource: "events", namespace: ours},
		{verbs: []string{"create", "patch"}, resource: "events", namespace: metav1.NamespaceDefault}, // about nodes
	}
	if c.Nodes.Engine == engineKarpenter {
		claims := kube.NodeClaims
		out = append(out, right{verbs: []string{"get", "list", "watch", "create", "delete"}, group: claims.Group, resource: claims.Resource})
	} else {
		out = append(
			out,
			right{verbs: []string{"get", "create", "delete"}, group: "apps", resource: "deployments", namespace: ours},
			right{verbs: []string{"list"}, resource: "pods", namespace: ours},
		)
	}
	for _, n := range c.Namespaces {
		out = append(
			out,
			right{verbs: []string{"list", "watch"}, group: "apps", resource: "deployments", namespace: n},
			right{verbs: []string{"get", "update"}, group: "apps", resource: "deployments/scale", namespace: n},
			right{verbs: []string{"list", "watch", "patch"}, resource: "pods", namespace: n},
			right{verbs: []string{"create"}, resource: "pods/eviction", namespace: n},
			right{verbs: []string{"create", "patch"}, resource: "events", namespace: n},
		)
	}
	return out
}

// missing asks the API server which rights this process lacks, a sentence for each.
func missing(ctx context.Context, client kubernetes.Interface, rights []right) ([]string, error) {
	var out []string
	for _, r := range rights {
		var lacking []string
		for _, verb := range r.verbs {
			ok, err := r.allowed(ctx, client, verb)
			if err != nil {
				return nil, fmt.Errorf("ask what this process may do: %w", err)
			}
			if !ok {
				lacking = append(lacking, verb)
			}
		}
		if len(lacking) > 0 {
			out = append(out, r.lacks(lacking))
		}
	}
	return out, nil
}

func (r right) allowed(ctx context.Context, client kubernetes.Interface, verb string) (bool, error) {
	resource, sub, _ := strings.Cut(r.resource, "/")
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: r.namespace, Verb: verb, Group: r.group, Resource: resource, Subresource: sub, Name: r.name,
		},
	}}
	answer, err := client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return false, err
	}
	if answer.Status.EvaluationError != "" && !answer.Status.Allowed {
		return false, errors.New(answer.Status.EvaluationError)
	}
	return answer.Status.Allowed, nil
}

// lacks says that verbs are missing, and what grants them.
func (r right) lacks(verbs []string) string {
	what := r.resource
	if r.name != "" {
		what += " " + r.name
	}
	where, by := "in the whole cluster", "a ClusterRole"
	if r.namespace != "" {
		where, by = "in namespace "+r.namespace, "a Role there"
	}
	return fmt.Sprintf("may not %s %s %s: grant it with %s, as configs/deploy does", strings.Join(verbs, ", "), what, where, by)
}
