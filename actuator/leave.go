package actuator

import (
	"context"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// Deletion costs of pods that leave; that of the others is 0. The ReplicaSet removes
// the lowest first, so one that still works is never taken for one that ended.
const (
	costLeaving = -1000 // it ends what it has
	costEnded   = -2000 // it has nothing any more
)

// settleLeaving goes on with the replicas of a Deployment that leave: each is marked,
// ends what it has, is no longer counted, and is forgotten when its pod is gone.
func (p *pass) settleLeaving(c crew, theirs bool) {
	var ended []*kube.Leaving
	last, _ := p.ledger.LastScaled(c.server.Key)
	for _, s := range c.seated {
		if l := s.Seat.Leaving; theirs && c.replicas > last && l != nil && !l.Lowered && s.Pod != nil && s.Pod.DeletionTimestamp == nil {
			p.takeBack(c, s, "ReplicaWanted", "%s is kept, because somebody asks for more", s.Seat.ID)
		} else if l != nil && p.leave(c, s) {
			ended = append(ended, p.ledger.Replica(s.Seat.ID).Leaving)
		}
	}
	if theirs || !c.goFirst() || p.want(c) > c.replicas { // what is to be added comes first
		return
	}
	for _, l := range ended {
		l.Lowered = true
	}
}

// leave goes on with one replica that leaves, and tells whether it ended and is known
// to the ReplicaSet as the first to go.
func (p *pass) leave(c crew, s kube.Seated) bool {
	l := *s.Seat.Leaving
	switch {
	case s.Pod == nil:
		p.say(c.server.Key.String(), c.ref(), Normal, "ReplicaStopped", l.Plan, "%s is gone from %s (plan %s)", s.Seat.ID, s.Seat.Slice, l.Plan)
		p.ledger.DropReplica(s.Seat.ID)
		return false
	case p.down(p.nodes[s.Seat.Slice.GPU.Node]):
		p.say(c.server.Key.String(), podRef(s.Pod), Warning, "ReplicaLost", l.Plan, "%s went down with node %s (plan %s)", s.Seat.ID, s.Seat.Slice.GPU.Node, l.Plan)
		p.ledger.DropReplica(s.Seat.ID)
		return false
	case s.Pod.DeletionTimestamp != nil:
		return false // it goes
	case !l.Lowered && p.at.Sub(l.Since) > p.DrainLimit:
		p.takeBack(c, s, "ReplicaNotDrained", "%s did not end what it has in %s, so it is kept; streams are never cut", s.Seat.ID, p.DrainLimit)
		return false
	case l.Lowered && p.outlived(c):
		p.takeBack(c, s, "ReplicaOutlived", "%s was to go and another pod went, so it is kept", s.Seat.ID)
		return false
	case l.Lowered || p.over(s):
		p.mark(c, s, costEnded)
		return costOf(s.Pod) == costEnded
	}
	p.mark(c, s, costLeaving)
	return false
}

// outlived tells whether a pod that is still there was not chosen: the Deployment came
// to rest with the number that no longer counts it.
func (p *pass) outlived(c crew) bool {
	d := c.deployment
	return d.Status.ObservedGeneration >= d.Generation && d.Status.Replicas == c.replicas && p.want(c) >= c.replicas
}

// goFirst tells whether the pods that ended are the ones that the ReplicaSet removes
// first: every other pod has a node, is ready and costs more.
func (c crew) goFirst() bool {
	for _, pod := range c.all {
		if pod.DeletionTimestamp != nil || costOf(pod) == costEnded {
			continue
		}
		if _, ready := kube.Ready(pod); !ready || pod.Spec.NodeName == "" || costOf(pod) < costEnded {
			return false
		}
	}
	return true
}

// over tells whether a replica that leaves has ended what it had: measured so after it
// was marked, or nothing runs in it. Where nobody measures what is in flight, the
// pod's own termination grace period is the guard.
func (p *pass) over(s kube.Seated) bool {
	if _, marked := s.Pod.Annotations[kube.PodDeletionCost]; !marked {
		return false
	}
	return p.idle(s, s.Seat.Leaving.Since)
}

// idle tells whether a replica has had nothing in flight since an instant.
func (p *pass) idle(s kube.Seated, since time.Time) bool {
	if !runs(s.Pod) {
		return true
	}
	r, seen := p.seen.Replica(s.Seat.ID)
	if !seen {
		return false
	}
	n, known := r.InFlight.Read()
	if !known {
		return r.InFlight.Unmeasured()
	}
	return n == 0 && p.seen.At.Add(-r.InFlight.Age()).After(since)
}

// runs tells whether a container of a pod runs, or may.
func runs(pod *corev1.Pod) bool {
	if pod.Spec.NodeName == "" {
		return false
	}
	for _, c := range pod.Status.ContainerStatuses {
		if c.State.Running != nil {
			return true
		}
	}
	return len(pod.Status.ContainerStatuses) == 0 && pod.Status.Phase != corev1.PodPending
}

// mark tells the ReplicaSet and the Service that a pod leaves.
func (p *pass) mark(c crew, s kube.Seated, cost int) {
	change := patch{}
	if costOf(s.Pod) != cost {
		change.metadata("annotations", kube.PodDeletionCost, strconv.Itoa(cost))
	}
	if v, selects := s.Pod.Labels[kube.LabelServing]; selects && v != "false" {
		change.metadata("labels", kube.LabelServing, "false")
	}
	if len(change) == 0 {
		return
	}
	pod, plan := s.Pod, s.Seat.Leaving.Plan
	p.then(c.server.Key.String(), plan, func(ctx context.Context) error { return p.patchPod(ctx, pod, change) })
	if cost == costLeaving {
		p.say(c.server.Key.String(), podRef(pod), Normal, "ReplicaDraining", plan, "%s takes no new work and ends what it has: %s", s.Seat.ID, p.why(c.server.Key.String(), plan))
	}
}

// takeBack keeps a replica that was to leave, and says why.
func (p *pass) takeBack(c crew, s kube.Seated, reason, format string, args ...any) {
	seat := p.ledger.Replica(s.Seat.ID)
	l := *seat.Leaving
	seat.Leaving = nil
	change := patch{}.metadata("annotations", kube.PodDeletionCost, nil)
	if _, selects := s.Pod.Labels[kube.LabelServing]; selects {
		change.metadata("labels", kube.LabelServing, "true")
	}
	subject := c.server.Key.String()
	p.then(subject, l.Plan, func(ctx context.Context) error { return p.patchPod(ctx, s.Pod, change) })
	p.say(subject, podRef(s.Pod), Warning, reason, l.Plan, format, args...)
}

// costOf is a pod's deletion cost, 0 where it has none that can be read.
func costOf(pod *corev1.Pod) int {
	n, err := strconv.Atoi(pod.Annotations[kube.PodDeletionCost])
	if err != nil {
		return 0
	}
	return n
}
