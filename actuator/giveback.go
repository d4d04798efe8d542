package actuator

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// giveBack wishes a node away. It must drain and be empty.
func (p *pass) giveBack(ctx context.Context, s fleet.ReturnNode) error {
	w := p.ledger.Node(s.Node)
	switch {
	case w == nil:
		return notThere("node %s is not in the ledger", s.Node)
	case w.Fixed:
		return refuse("node %s is somebody else's: it is neither drained nor given back", s.Node)
	case w.Returning:
		return nil
	case !w.Draining:
		return refuse("node %s is not draining", s.Node)
	}
	m, err := p.match(ctx)
	if err != nil {
		return err
	}
	for _, seated := range m.Seated {
		if seated.Seat.Slice.GPU.Node == s.Node && (seated.Listed || !p.down(p.nodes[s.Node])) {
			return refuse("node %s is not empty: %s is on it", s.Node, seated.Seat.ID)
		}
	}
	if node := p.nodes[s.Node]; node != nil {
		pods, err := p.podsOn(ctx, node.Name)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(pods, p.managed); i >= 0 && !p.down(node) {
			return refuse("node %s is not empty: pod %s/%s is on it", s.Node, pods[i].Namespace, pods[i].Name)
		}
	}
	w.Returning, w.Plan = true, p.plan
	return nil
}

// managed tells whether a pod is of a model.
func (p *pass) managed(pod *corev1.Pod) bool {
	return pod.Labels[kube.LabelModel] != "" && slices.Contains(p.Namespaces, pod.Namespace)
}

// goes goes on with a node that is given back: what is left of ours on it is evicted,
// what is others' is waited for, and then the request is taken back.
func (p *pass) goes(ctx context.Context, w *kube.Wish, r *request, node *corev1.Node) error {
	id, plan := string(w.ID), w.Plan
	if node != nil && node.DeletionTimestamp == nil {
		p.cordon(w, node)
		pods, err := p.podsOn(ctx, node.Name)
		if err != nil {
			return err
		}
		if len(pods) > 0 && !p.down(node) {
			return p.clear(w, node, pods)
		}
	}
	if r != nil && r.leaving {
		return nil
	}
	p.then(id, plan, func(ctx context.Context) error {
		if node != nil && node.DeletionTimestamp == nil { // looked at again, right before
			pods, err := p.podsOn(ctx, node.Name)
			if err != nil || len(pods) > 0 && !p.down(node) {
				return err
			}
			node = p.nodes[w.ID]
		}
		return p.Engine.withdraw(ctx, p, r, node)
	})
	return nil
}

// clear evicts the pods of models from a node that is given back, each by itself and
// only once it is idle, and tells of the others, which are not ours to remove.
func (p *pass) clear(w *kube.Wish, node *corev1.Node, pods []*corev1.Pod) error {
	var others []string
	for _, pod := range pods {
		switch {
		case !p.managed(pod):
			others = append(others, pod.Namespace+"/"+pod.Name)
		case p.stuck[pod.UID] != "":
			p.say(string(w.ID), nodeRef(node), Warning, "NodeKept", w.Plan, "is kept, because pod %s/%s cannot be evicted: %s", pod.Namespace, pod.Name, p.stuck[pod.UID])
			w.Returning = false
			return nil
		case pod.DeletionTimestamp != nil || p.at.Before(p.eviction[pod.UID].until):
		case !p.idle(kube.Seated{Pod: pod, Seat: kube.Seat{ID: fleet.ReplicaID(pod.Name)}}, w.RequestedAt):
			others = append(others, pod.Namespace+"/"+pod.Name+", which has work in flight")
		default:
			p.then(string(w.ID), w.Plan, func(ctx context.Context) error { return p.evict(ctx, pod) })
		}
	}
	if len(others) > 0 {
		p.warn(string(w.ID), nodeRef(node), "NodeNotEmpty", w.Plan, "waits to be given back: %s", strings.Join(others, "; "))
	}
	return nil
}

// evict asks the API server to evict a pod, which keeps to its disruption budget.
func (p *pass) evict(ctx context.Context, pod *corev1.Pod) error {
	err := p.client.PolicyV1().Evictions(pod.Namespace).Evict(ctx, &policyv1.Eviction{
		ObjectMeta:    metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace},
		DeleteOptions: &metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &pod.UID}},
	})
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case budgetHolds(err):
		wait := p.eviction[pod.UID].next(p.at, 15*time.Second, 5*time.Minute)
		p.eviction[pod.UID] = wait
		return fmt.Errorf("evict pod %s/%s: its disruption budget allows none now; tried again at %s: %w", pod.Namespace, pod.Name, clock(wait.until), err)
	case budgetsClash(err):
		p.stuck[pod.UID] = err.Error()
	}
	return call{"create", "pods/eviction", pod.Namespace, pod.Name}.failed(err)
}
