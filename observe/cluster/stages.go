package cluster

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// stagesOf are the stages of a node's start that are over, one after the other
// without a gap, so that they add up:
//
//   - "node": from the wish until it registered; without GPUs, until it was ready;
//   - "driver": from then until it was first seen with any GPU or slice;
//   - "geometry": from then until it was first seen with the slices it was asked to
//     have, where it had others before.
//
// The last two rest on looks, so that they are late by no more than a tick; of a
// node that this process did not see without GPUs they are left out.
func (v *viewer) stagesOf(n fleet.Node, claim *unstructured.Unstructured, behind *corev1.Node) []fleet.Stage {
	if behind == nil || n.RequestedAt.IsZero() {
		return nil
	}
	registered := behind.CreationTimestamp.Time
	if claim != nil {
		if since, ok, _ := kube.ClaimCondition(claim, "Registered"); ok && !since.IsZero() {
			registered = since
		}
	}
	if len(kube.Offered(n.GPUs)) == 0 {
		if n.ReadyAt.IsZero() {
			return nil
		}
		return following(n.RequestedAt, []string{"node"}, n.ReadyAt)
	}
	seen := v.memory[behind.Name]
	switch {
	case !seen.bare || seen.first.IsZero():
		return following(n.RequestedAt, []string{"node"}, registered)
	case n.ReadyAt.IsZero() || !seen.since.After(seen.first) || seen.since.After(n.ReadyAt):
		return following(n.RequestedAt, []string{"node", "driver"}, registered, seen.first)
	}
	return following(n.RequestedAt, []string{"node", "driver", "geometry"}, registered, seen.first, seen.since)
}

// stagesOfPod are the stages of a replica's start that are over: until a node took
// it, until its containers ran, and until it served. A container that was started
// again forgets when it first was, so that the last two are then left out.
func stagesOfPod(p *corev1.Pod) []fleet.Stage {
	scheduled, ok := condition(p, corev1.PodScheduled)
	if !ok {
		return nil
	}
	names, ends := []string{"schedule"}, []time.Time{scheduled}
	if started, running := startedAt(p); running {
		names, ends = append(names, "image"), append(ends, started)
		if ready, is := kube.Ready(p); is {
			names, ends = append(names, "load"), append(ends, ready.LastTransitionTime.Time)
		}
	}
	return following(p.CreationTimestamp.Time, names, ends...)
}

// startedAt is when the last of a pod's containers was started, false where one does
// not run or was started again.
func startedAt(p *corev1.Pod) (time.Time, bool) {
	var last time.Time
	for _, c := range p.Status.ContainerStatuses {
		if c.State.Running == nil || c.RestartCount > 0 {
			return time.Time{}, false
		}
		if at := c.State.Running.StartedAt.Time; at.After(last) {
			last = at
		}
	}
	return last, !last.IsZero()
}

// condition tells since when a condition of a pod holds.
func condition(p *corev1.Pod, kind corev1.PodConditionType) (time.Time, bool) {
	for _, c := range p.Status.Conditions {
		if c.Type == kind {
			return c.LastTransitionTime.Time, c.Status == corev1.ConditionTrue
		}
	}
	return time.Time{}, false
}

// following are stages of which each begins where the one before ended. Clocks of
// several machines meet here: what would end before it began took no time.
func following(began time.Time, names []string, ends ...time.Time) []fleet.Stage {
	out := make([]fleet.Stage, len(names))
	for i, name := range names {
		ended := ends[i]
		if ended.Before(began) {
			ended = began
		}
		out[i] = fleet.Stage{Name: name, Began: began, Ended: ended}
		began = ended
	}
	return out
}
