package cluster

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// findReplicas tells which pod is which replica, and what no replica is made of.
func (v *viewer) findReplicas() {
	of := map[kube.Key]kube.Server{}
	for _, s := range v.servers {
		of[s.Key] = s
	}
	m := kube.Match(v.ledger, v.servers, v.hosts, v.pods)
	for _, s := range m.Seated {
		if !s.Listed && v.down[s.Pod.Spec.NodeName] {
			continue // it can neither serve nor be stopped, and must not keep its node
		}
		r := v.replica(s)
		if server, sound := of[s.Seat.Server]; sound {
			r.Model, r.Variant = server.Model, server.Variant
		} else {
			v.orphan(s.Seat, &r)
		}
		v.out.Replicas = append(v.out.Replicas, r)
		if s.Pod != nil {
			v.out.Pods[r.ID] = PodRef{Namespace: s.Pod.Namespace, Name: s.Pod.Name, UID: s.Pod.UID}
		}
		v.misplaced(s)
	}
	for _, s := range v.servers {
		if n := len(m.Waiting[s.Key]); n > 0 {
			v.doubt("deployment "+s.Key.String(), "%s that %s asked for wait for a free %s: lower its replicas, or wait until one is free",
				count(n, "pod"), v.owners[s.Key].name(), s.Kind)
		}
	}
	for _, p := range m.Homeless {
		v.doubt("pod "+p.Namespace+"/"+p.Name, "it runs on node %s, where no slice of its kind is known to be free, and counts for nothing: label the node %s with its offering, or move the pod",
			p.Spec.NodeName, kube.LabelOffering)
	}
}

// replica is what a seat and its pod show. What it serves is ready only while its
// pod and its node are.
func (v *viewer) replica(s kube.Seated) fleet.Replica {
	r := fleet.Replica{
		ID: s.Seat.ID, Slice: s.Seat.Slice, State: fleet.ReplicaPending, Since: s.Seat.Since,
		InFlight: fleet.Unknown("not measured yet"),
	}
	if s.Pod != nil {
		r.Stages = stagesOfPod(s.Pod)
		if ready, is := kube.Ready(s.Pod); is && v.kubelets[s.Pod.Spec.NodeName] {
			r.State, r.Since = fleet.ReplicaReady, ready.LastTransitionTime.Time
		}
		if s.Pod.DeletionTimestamp != nil {
			r.State, r.Since = fleet.ReplicaDraining, deletedAt(s.Pod)
		}
	}
	if s.Seat.Leaving != nil {
		r.State, r.Since = fleet.ReplicaDraining, s.Seat.Leaving.Since
	}
	return r
}

// orphan is a seat whose Deployment is not among the sound ones. It keeps its slice.
// Where the Deployment is there, its pods may serve on, and what they are is
// told by its labels; where it is gone, nothing will come.
func (v *viewer) orphan(s kube.Seat, r *fleet.Replica) {
	labels, there := v.labelled[s.Server]
	if !there {
		if r.State != fleet.ReplicaDraining {
			r.State = fleet.ReplicaDraining
		}
		v.doubt("replica "+string(s.ID), "its Deployment %s is gone: it holds slice %s until it is stopped", s.Server, s.Slice)
		return
	}
	r.Model, r.Variant = labels.Model, labels.Variant
}

// misplaced tells of a replica whose slice the fleet does not have.
func (v *viewer) misplaced(s kube.Seated) {
	id := s.Seat.Slice.GPU.Node
	for _, n := range v.out.Nodes {
		if n.ID != id {
			continue
		}
		if _, there := n.Kind(s.Seat.Slice); !there {
			v.doubt("replica "+string(s.Seat.ID), "it was put on slice %s, which node %s does not have as it is cut now", s.Seat.Slice, id)
		}
		return
	}
	v.doubt("replica "+string(s.Seat.ID), "it was put on node %s, which the fleet does not show", id)
}

// deletedAt is when somebody deleted a pod: what it says is when it must be gone.
func deletedAt(p *corev1.Pod) time.Time {
	var grace time.Duration
	if s := p.DeletionGracePeriodSeconds; s != nil {
		grace = time.Duration(*s) * time.Second
	}
	return p.DeletionTimestamp.Add(-grace)
}

// count prints a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
