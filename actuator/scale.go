package actuator

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// want is the number of replicas that a Deployment is to have: its seats whose node
// takes them or that have a pod, and the pods that were there beside them. A pod of a
// rollout's surge is not counted, because the Deployment's own number does not cover
// it.
func (p *pass) want(c crew) int32 {
	counted, joined := 0, 0
	var vacant []kube.Seated
	mine := map[*corev1.Pod]bool{}
	for _, s := range c.seated {
		if !s.Listed {
			continue
		}
		mine[s.Pod] = true
		switch {
		case s.Seat.Leaving != nil && s.Seat.Leaving.Lowered:
		case s.Pod != nil:
			counted, joined = counted+1, joined+1
		case p.takes(s.Seat.Slice.GPU.Node):
			counted++
			vacant = append(vacant, s)
		}
	}
	others, strays := 0, 0
	for _, pod := range c.all {
		if mine[pod] || pod.Spec.NodeName == "" || pod.DeletionTimestamp != nil {
			continue
		}
		others++
		if len(vacant) > strays && came(pod, vacant[strays].Seat) {
			strays++
		}
	}
	covered := min(others, max(0, int(c.replicas)-joined))
	return int32(counted + covered - min(strays, covered)) //nolint:gosec // it counts pods and seats
}

// came tells whether a pod was made after a seat: then it is the pod of that seat,
// which found its place elsewhere.
func came(pod *corev1.Pod, s kube.Seat) bool {
	return pod.CreationTimestamp.After(s.Since)
}

// reseat lets the ledger follow pods that found their place on another node than
// their seat's, as pods that ask for no seat may.
func (p *pass) reseat(c crew) {
	for _, s := range c.seated {
		if !s.Listed || s.Pod != nil || s.Seat.Leaving != nil {
			continue
		}
		i := slices.IndexFunc(c.seated, func(x kube.Seated) bool { return !x.Listed && x.Pod.DeletionTimestamp == nil && came(x.Pod, s.Seat) })
		if i < 0 {
			continue
		}
		p.ledger.Replica(s.Seat.ID).Slice = c.seated[i].Seat.Slice
		c.seated = slices.Delete(slices.Clone(c.seated), i, i+1)
	}
}

// scale brings the number of replicas to what is wanted. It is raised at once. It is
// lowered by pods that have no node, and by those that left once they are the first
// that the ReplicaSet removes; otherwise a number that is too high stays.
func (p *pass) scale(c crew) {
	to, surplus := p.want(c), 0
	leaving := 0
	for _, s := range c.seated {
		if l := s.Seat.Leaving; l != nil && l.Lowered && s.Pod != nil && s.Pod.DeletionTimestamp == nil {
			leaving++
		}
	}
	if surplus = int(c.replicas - to); surplus > 0 {
		to = c.replicas
		switch {
		case surplus > leaving && len(c.waiting) > 0 && !p.lately(c.server.Key):
			to -= int32(min(surplus-leaving, len(c.waiting))) //nolint:gosec // it counts pods
		case leaving > 0 && c.goFirst():
			to -= int32(min(surplus, leaving)) //nolint:gosec // it counts pods
		}
	}
	if to == c.replicas {
		return
	}
	p.ledger.SetScaled(c.server.Key, c.replicas, to)
	plan := c.plan()
	p.then(c.server.Key.String(), plan, func(ctx context.Context) error { return p.rescale(ctx, c, to, cmp.Or(plan, p.plan)) })
}

// lately tells whether somebody else set the replicas not long ago: then pods that
// wait are wanted.
func (p *pass) lately(key kube.Key) bool {
	if _, scaled := p.ledger.LastScaled(key); scaled && !p.ledger.Changed(key, replicas(p.deployments[key])) {
		return false
	}
	h, known := p.lastHand(key)
	return known && h.by != kube.FieldManager && p.at.Sub(h.since) < p.Yield
}

// plan is the newest plan that a Deployment's seats are for.
func (c crew) plan() fleet.PlanID {
	var newest fleet.PlanID
	for _, s := range c.seated {
		newest = max(newest, s.Seat.Plan)
		if s.Seat.Leaving != nil {
			newest = max(newest, s.Seat.Leaving.Plan)
		}
	}
	return newest
}

// rescale writes a number of replicas over the version that bears the number from
// which it was worked out.
func (p *pass) rescale(ctx context.Context, c crew, to int32, plan fleet.PlanID) error {
	key := c.server.Key
	deployments := p.client.AppsV1().Deployments(key.Namespace)
	scale, err := deployments.GetScale(ctx, key.Name, metav1.GetOptions{})
	if err != nil {
		return call{"get", "deployments/scale", key.Namespace, key.Name}.failed(err)
	}
	if scale.Spec.Replicas != c.replicas || scale.UID != c.deployment.UID {
		return conflict("scale Deployment %s from %d to %d: it asks for %d by now, so that the next tick plans anew", key, c.replicas, to, scale.Spec.Replicas)
	}
	scale.Spec.Replicas = to
	if _, err := deployments.UpdateScale(ctx, key.Name, scale, metav1.UpdateOptions{FieldManager: kube.FieldManager}); err != nil {
		return call{"update", "deployments/scale", key.Namespace, key.Name}.failed(err)
	}
	p.landed[key] = true
	sentence := fmt.Sprintf("scaled from %d to %d for %s: %s", c.replicas, to, c.server.Model, p.why(key.String(), plan))
	p.tell.Tell(c.ref(), Normal, "Scaled", sentence, plan)
	return nil
}
