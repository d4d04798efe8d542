package actuator

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// hand is who set the replicas of a Deployment last, as the API server recorded it.
type hand struct {
	by    string
	since time.Time
}

// theirs tells whether somebody else changed the number of replicas that Tessera wrote
// last, and did so no longer ago than it yields. A Deployment that Tessera never
// scaled is nobody's change of anything.
func (p *pass) theirs(key kube.Key) (hand, bool) {
	d := p.deployments[key]
	if d == nil {
		return hand{}, false
	}
	if last, scaled := p.ledger.LastScaled(key); scaled && (last == replicas(d) || p.landed[key]) {
		p.ledger.Land(key)
		delete(p.landed, key)
	}
	if !p.ledger.Changed(key, replicas(d)) {
		return hand{}, false
	}
	h, known := p.lastHand(key)
	return h, known && h.by != kube.FieldManager && p.at.Sub(h.since) < p.Yield
}

// lastHand is who set the replicas of a Deployment last. Where the API server did not
// record when, it is since the number was first seen, which the ledger keeps.
func (p *pass) lastHand(key kube.Key) (hand, bool) {
	d := p.deployments[key]
	h, known := ownerOfReplicas(d)
	if !known || h.by == kube.FieldManager || !h.since.IsZero() {
		return h, known
	}
	since, noticed := p.ledger.NoticedAt(key, h.by, replicas(d))
	if !noticed {
		since = p.at
		p.ledger.Notice(kube.Noticed{Server: key, By: h.by, Replicas: replicas(d), Since: since})
	}
	return hand{by: h.by, since: since}, true
}

// ownerOfReplicas finds the newest owner of spec.replicas, since the zero time where
// that was not recorded. Who owns it together with Tessera wants what Tessera wrote.
func ownerOfReplicas(d *appsv1.Deployment) (hand, bool) {
	var last hand
	for _, m := range d.ManagedFields {
		if !ownsReplicas(m) {
			continue
		}
		h := hand{by: m.Manager}
		if m.Time != nil {
			h.since = m.Time.Time
		}
		if h.by == kube.FieldManager {
			return h, true
		}
		if last.by == "" || h.since.After(last.since) {
			last = h
		}
	}
	return last, last.by != ""
}

func ownsReplicas(m metav1.ManagedFieldsEntry) bool {
	if m.FieldsV1 == nil {
		return false
	}
	var owned struct {
		Spec map[string]json.RawMessage `json:"f:spec"`
	}
	if err := json.Unmarshal(m.FieldsV1.GetRawBytes(), &owned); err != nil {
		return false
	}
	_, owns := owned.Spec["f:replicas"]
	return owns
}

// replicas is what a Deployment asks for; it is one where nothing is written.
func replicas(d *appsv1.Deployment) int32 {
	if d.Spec.Replicas == nil {
		return 1
	}
	return *d.Spec.Replicas
}

// adopt makes the ledger follow a number of replicas that somebody else set: beyond it
// seats that nobody fills go, the newest first.
func (p *pass) adopt(c crew, h hand) {
	seats := c.seats()
	surplus := len(seats) - int(c.replicas)
	slices.SortFunc(seats, func(a, b kube.Seated) int {
		return cmp.Or(b.Seat.Since.Compare(a.Seat.Since), cmp.Compare(b.Seat.ID, a.Seat.ID))
	})
	for _, s := range seats {
		if surplus <= 0 {
			break
		}
		if s.Pod == nil {
			p.ledger.DropReplica(s.Seat.ID)
			surplus--
		}
	}
	p.warn(c.server.Key.String(), c.ref(), "ScaledBySomebodyElse", p.plan, "%s set %d replicas at %s; Tessera leaves the number alone until %s",
		h.by, c.replicas, clock(h.since), clock(h.since.Add(p.Yield)))
}

// seatWaiting gives pods that somebody else asked for a place, where a slice of their
// kind is free. Pods of a rollout's surge, which the Deployment's number does not
// cover, were asked for by nobody.
func (p *pass) seatWaiting(c crew) {
	h, _ := p.lastHand(c.server.Key)
	asked := min(len(c.waiting), max(0, int(c.replicas-p.want(c))))
	for _, pod := range c.waiting[:asked] {
		slice, free := p.freeSlice(c)
		if !free {
			p.warn(c.server.Key.String()+" waits", c.ref(), "NoFreeSlice", p.plan, "pod %s waits: no %s is free", pod.Name, c.server.Kind)
			return
		}
		p.ledger.Sequence = max(p.ledger.Sequence, p.seen.Sequence, highest(p.ledger)) + 1
		p.ledger.PutReplica(kube.Seat{
			ID:     fleet.ReplicaID(fmt.Sprintf("%s-%05d", c.server.Model, p.ledger.Sequence)),
			Server: c.server.Key, Slice: slice, Plan: p.plan, Since: p.at, By: h.by,
		})
		c.taken[slice] = true
	}
}

// freeSlice is the first slice of a Deployment's kind that nobody has, on a node that
// takes replicas.
func (p *pass) freeSlice(c crew) (fleet.SliceID, bool) {
	for _, w := range p.ledger.Nodes {
		if !p.takes(w.ID) {
			continue
		}
		for _, s := range (fleet.Node{ID: w.ID, GPUs: w.GPUs}).Slices() {
			if s.Kind == c.server.Kind && !c.taken[s.ID] {
				return s.ID, true
			}
		}
	}
	return fleet.SliceID{}, false
}

// clock writes an instant for people.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 MST") }
