package actuator

import (
	"context"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// start wishes for a replica on a slice.
func (p *pass) start(ctx context.Context, s fleet.StartReplica) (kube.Key, error) {
	if seat := p.ledger.Replica(s.Replica); seat != nil {
		if seat.Slice == s.Slice && seat.Leaving == nil {
			return seat.Server, nil
		}
		return kube.Key{}, refuse("replica %s is in the ledger already, on %s", s.Replica, seat.Slice)
	}
	kind, err := p.room(ctx, s.Slice)
	if err != nil {
		return kube.Key{}, err
	}
	m, err := p.match(ctx)
	if err != nil {
		return kube.Key{}, err
	}
	for _, seated := range m.Seated {
		if seated.Seat.Slice == s.Slice {
			return kube.Key{}, refuse("slice %s is taken by %s", s.Slice, seated.Seat.ID)
		}
	}
	server, err := p.serverFor(ctx, s.Model, fleet.Place{Variant: s.Variant, Kind: kind})
	if err != nil {
		return kube.Key{}, err
	}
	if err := p.mayScale(server); err != nil {
		return kube.Key{}, err
	}
	p.enlist(m, server.Key, s.Slice.GPU.Node)
	p.ledger.PutReplica(kube.Seat{ID: s.Replica, Server: server.Key, Slice: s.Slice, Plan: p.plan, Since: p.at})
	return server.Key, nil
}

// room finds the kind of a slice on a node that takes replicas, or will.
func (p *pass) room(ctx context.Context, s fleet.SliceID) (fleet.SliceKind, error) {
	w, err := p.wish(ctx, s.GPU.Node)
	if err != nil {
		return fleet.SliceKind{}, err
	}
	kind, there := (fleet.Node{ID: w.ID, GPUs: w.GPUs}).Kind(s)
	switch {
	case w.Draining || w.Returning:
		return kind, refuse("node %s is draining", w.ID)
	case w.Cut != nil && w.Cut.Failed != "":
		return kind, refuse("node %s is left alone: %s", w.ID, w.Cut.Failed)
	case !there:
		return kind, notThere("slice %s is not there: node %s is to be cut as %s", s, w.ID, shapes(w.GPUs))
	}
	return kind, nil
}

// enlist gives the pods of a Deployment that were on a node before seats of their own,
// or one of them would fill a seat that is new.
func (p *pass) enlist(m kube.Matching, server kube.Key, node fleet.NodeID) {
	for _, x := range m.Seated {
		if !x.Listed && x.Seat.Server == server && x.Seat.Slice.GPU.Node == node && x.Pod.DeletionTimestamp == nil {
			x.Seat.Plan = p.plan
			p.ledger.PutReplica(x.Seat)
		}
	}
}

// serverFor finds the one Deployment that starts a model at a place.
func (p *pass) serverFor(ctx context.Context, m fleet.ModelName, at fleet.Place) (kube.Server, error) {
	servers, err := p.servers(ctx)
	if err != nil {
		return kube.Server{}, err
	}
	var found []kube.Server
	for _, s := range servers {
		if s.Model == m && s.Place() == at {
			found = append(found, s)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return kube.Server{}, refuse("no Deployment starts %s %s on %s: make one with the labels %s=%s, %s=%s and %s=%s on it and on its pods",
			m, at.Variant, at.Kind, kube.LabelModel, m, kube.LabelVariant, at.Variant, kube.LabelSlice, kube.SliceLabel(at.Kind))
	}
	return kube.Server{}, refuse("Deployments %s and %s both start %s %s on %s: leave the label %s on one of them",
		found[0].Key, found[1].Key, m, at.Variant, at.Kind, kube.LabelModel)
}

// mayScale refuses a Deployment that a person keeps for themselves.
func (p *pass) mayScale(s kube.Server) error {
	if s.Paused {
		return refuse("Deployment %s is paused by the annotation %s; take it off to go on", s.Key, kube.AnnotationPaused)
	}
	if h, theirs := p.theirs(s.Key); theirs {
		return refuse("%s set the replicas of Deployment %s at %s, and they are theirs until %s", h.by, s.Key, clock(h.since), clock(h.since.Add(p.Yield)))
	}
	return nil
}
