package actuator

import (
	"context"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// offerSeats makes the nodes offer as many seats of a Deployment as are planned there,
// so that the scheduler puts its pods where the plan wants them. Seats are added only
// where a node takes replicas, and taken off before the replicas are lowered, so that
// no pod comes in place of one that leaves.
func (p *pass) offerSeats(ctx context.Context, c crew) error {
	name := c.server.Seat
	if name == "" {
		return nil
	}
	m, err := p.match(ctx)
	if err != nil {
		return err
	}
	planned := map[fleet.NodeID]int64{}
	for _, s := range m.Seated {
		if l := s.Seat.Leaving; p.seatOf(s.Seat.Server) == name && (l == nil || !l.Lowered) {
			planned[s.Seat.Slice.GPU.Node]++
		}
	}
	for _, w := range p.ledger.Nodes {
		node := p.nodes[w.ID]
		if node == nil || node.DeletionTimestamp != nil {
			continue
		}
		seats := planned[w.ID]
		if !p.takes(w.ID) {
			seats = min(seats, seatsOn(node.Status.Allocatable, name))
		}
		p.setSeats(c.server.Key.String(), c.plan(), w.ID, name, seats)
	}
	return nil
}

// seatOf is the resource by which the pods of a Deployment are bound to nodes.
func (p *pass) seatOf(key kube.Key) corev1.ResourceName {
	if i := slices.IndexFunc(p.known, func(s kube.Server) bool { return s.Key == key }); i >= 0 {
		return p.known[i].Seat
	}
	return ""
}

// sweepSeats takes seats off a node that no Deployment asks for any more.
func (p *pass) sweepSeats(ctx context.Context, w *kube.Wish, node *corev1.Node) error {
	servers, err := p.servers(ctx)
	if err != nil || p.unclear {
		return err
	}
	for name := range node.Status.Allocatable {
		if strings.HasPrefix(string(name), kube.SeatPrefix) && !slices.ContainsFunc(servers, func(s kube.Server) bool { return s.Seat == name }) {
			p.setSeats(string(w.ID), w.Plan, w.ID, name, 0)
		}
	}
	return nil
}

// setSeats notes a change of the seats that a node offers; 0 takes the resource off.
func (p *pass) setSeats(subject string, plan fleet.PlanID, id fleet.NodeID, name corev1.ResourceName, seats int64) {
	status := p.nodes[id].Status
	if seatsOn(status.Allocatable, name) == seats && seatsOn(status.Capacity, name) == seats {
		return
	}
	var value any
	if seats > 0 {
		value = strconv.FormatInt(seats, 10)
	}
	change := patch{}
	change.into("status", "capacity")[string(name)] = value
	change.into("status", "allocatable")[string(name)] = value
	p.then(subject, plan, func(ctx context.Context) error { return p.patchNode(ctx, id, change, "status") })
}

func seatsOn(list corev1.ResourceList, name corev1.ResourceName) int64 {
	q := list[name]
	return q.Value()
}
