package actuator

import (
	"cmp"
	"context"
	"math"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// stop lets a replica finish what it has. Pods of one Deployment on one node are
// alike, so the one that has least to finish takes the leave.
func (p *pass) stop(ctx context.Context, s fleet.StopReplica) (kube.Key, error) {
	if seat := p.ledger.Replica(s.Replica); seat != nil && seat.Leaving != nil {
		return seat.Server, nil
	}
	m, err := p.match(ctx)
	if err != nil {
		return kube.Key{}, err
	}
	i := slices.IndexFunc(m.Seated, func(x kube.Seated) bool { return x.Seat.ID == s.Replica })
	if i < 0 {
		return kube.Key{}, notThere("replica %s is neither in the ledger nor a pod on a slice of the fleet", s.Replica)
	}
	stopped := m.Seated[i]
	server, known, err := p.server(ctx, stopped.Seat.Server)
	if err != nil {
		return kube.Key{}, err
	}
	if !known {
		return kube.Key{}, refuse("Deployment %s cannot be read, so it is left alone", stopped.Seat.Server)
	}
	if err := p.mayScale(server); err != nil {
		return kube.Key{}, err
	}
	if stopped.Pod == nil {
		p.ledger.DropReplica(s.Replica)
		return server.Key, nil
	}
	pod := p.leastLoaded(m, stopped)
	seat := stopped.Seat
	if !stopped.Listed {
		if _, err := p.wish(ctx, seat.Slice.GPU.Node); err != nil {
			return kube.Key{}, err
		}
		seat.Plan = p.plan
	}
	seat.Leaving = &kube.Leaving{Plan: p.plan, Pod: pod.Name, UID: pod.UID, Since: p.at}
	p.ledger.PutReplica(seat)
	return server.Key, nil
}

// leastLoaded chooses among the pods of the same Deployment on the same node that do
// not leave yet. What is not known counts as most, and a pod that is not ready as
// nothing, because the ReplicaSet removes it first anyway.
func (p *pass) leastLoaded(m kube.Matching, stopped kube.Seated) *corev1.Pod {
	load := func(s kube.Seated) float64 {
		if _, ready := kube.Ready(s.Pod); !ready {
			return -1
		}
		r, seen := p.seen.Replica(s.Seat.ID)
		if n, known := r.InFlight.Read(); seen && known {
			return n
		}
		return math.Inf(1)
	}
	best := stopped
	for _, s := range m.Seated {
		if s.Seat.Server != stopped.Seat.Server || s.Seat.Slice.GPU.Node != stopped.Seat.Slice.GPU.Node ||
			s.Seat.Leaving != nil || s.Pod == nil || s.Pod.DeletionTimestamp != nil {
			continue
		}
		if cmp.Less(load(s), load(best)) {
			best = s
		}
	}
	return best.Pod
}
