package actuator

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

const (
	// askWindow is how long after a wish its node is asked for, when that was not done
	// at once. An older wish whose request is not there was asked for and given up.
	askWindow = 5 * time.Minute
	// comeWindow is how long an engine may take. Karpenter gives up by itself before.
	comeWindow = 25 * time.Minute
	// lostWindow is how long the replicas of a node that is down are waited for. They
	// are started elsewhere before, where there is room; then the node may go even so.
	lostWindow = 15 * time.Minute
	// Backoff after a purchase that failed.
	firstBackoff, mostBackoff = 5 * time.Minute, 30 * time.Minute
)

// settleNode goes on with one wish, from what is there of it.
func (p *pass) settleNode(ctx context.Context, id fleet.NodeID) error {
	w := p.ledger.Node(id)
	if w == nil {
		return nil
	}
	node, err := p.node(ctx, id)
	if err != nil {
		return err
	}
	if w.Fixed {
		return p.settleFixed(ctx, w, node)
	}
	r, err := p.Engine.find(ctx, p, id)
	p.asked[id] = p.asked[id] || r != nil
	switch {
	case KindOf(err) == Refused:
		p.say(string(id), wishRef(w), Warning, "NodeRefused", w.Plan, "%s is not bought: %v", describe(*w), err)
		p.ledger.DropNode(id)
		return nil
	case err != nil:
		return err
	case r == nil && node == nil:
		p.missing(*w)
		return nil
	case w.Returning:
		return p.goes(ctx, w, r, node)
	case r != nil:
		if err := p.coming(ctx, *w, r, node); err != nil || node == nil || r.leaving {
			return err
		}
	}
	p.Engine.protect(p, *w, node)
	return p.standing(ctx, w, node)
}

// coming goes on with a request that is still there.
func (p *pass) coming(ctx context.Context, w kube.Wish, r *request, node *corev1.Node) error {
	switch {
	case r.leaving:
		return nil
	case node == nil && p.at.Sub(w.RequestedAt) > comeWindow:
		p.late(w, r)
		return nil
	}
	return p.Engine.arrive(ctx, p, w, r, node)
}

// late gives up a node that did not come.
func (p *pass) late(w kube.Wish, r *request) {
	p.say(string(w.ID), r.ref, Warning, "NodeLate", w.Plan, "%s did not come in %s, so it is not waited for any longer", describe(w), comeWindow)
	p.then(string(w.ID), w.Plan, func(ctx context.Context) error { return p.Engine.withdraw(ctx, p, r, nil) })
}

// missing is a wish of which nothing is there: not asked for yet, given back, or lost.
func (p *pass) missing(w kube.Wish) {
	id := string(w.ID)
	if !w.Returning && !p.asked[w.ID] && w.ReadyAt.IsZero() && p.at.Sub(w.RequestedAt) < askWindow {
		p.then(id, w.Plan, func(ctx context.Context) error { return p.askFor(ctx, w) })
		return
	}
	switch {
	case w.Returning:
		p.say(id, wishRef(&w), Normal, "NodeReturned", w.Plan, "%s was given back: %s", describe(w), p.why(id, w.Plan))
	case w.ReadyAt.IsZero():
		until := p.wait(w)
		p.say(id, wishRef(&w), Warning, "NodeNotBought", w.Plan, "%s was asked for and given up; %s is not asked for again before %s", describe(w), w.Offering, until.UTC().Format(time.RFC3339))
	default:
		p.say(id, wishRef(&w), Warning, "NodeLost", w.Plan, "%s went away, though it was not given back", describe(w))
	}
	p.ledger.DropNode(w.ID)
	delete(p.asked, w.ID)
	delete(p.said, id)
}

// wait notes that a purchase failed, and until when its offering is not asked for.
func (p *pass) wait(w kube.Wish) time.Time {
	return p.ledger.BackOff(w.Offering, p.at, firstBackoff, mostBackoff).Until
}

// askFor asks for a node, after the way to cut it is known to mig-manager.
func (p *pass) askFor(ctx context.Context, w kube.Wish) error {
	if err := p.ensureGeometry(ctx, w.GPUs); err != nil {
		return err
	}
	if err := p.Engine.ask(ctx, p, w); err != nil {
		return err
	}
	p.asked[w.ID] = true
	return nil
}

// standing goes on with a node that is there: its geometry, its cordon, its seats.
func (p *pass) standing(ctx context.Context, w *kube.Wish, node *corev1.Node) error {
	if w.ReadyAt.IsZero() && offers(w, node) {
		w.ReadyAt = p.at
		p.ledger.Recover(w.Offering)
		p.say(string(w.ID), nodeRef(node), Normal, "NodeReady", w.Plan, "%s is ready after %s: %s", describe(*w), p.at.Sub(w.RequestedAt).Round(time.Second), p.why(string(w.ID), w.Plan))
	}
	p.settleDown(w, node)
	p.settleCut(w, node)
	p.cordon(w, node)
	if w.Cut != nil && w.Cut.Failed == "" {
		p.label(w, node)
	}
	return p.sweepSeats(ctx, w, node)
}

// settleDown lets a node of ours drain whose kubelet is away for too long, and gives
// up what is on it in the end, so that a dead node is not paid for ever where nothing
// can stand in for it.
func (p *pass) settleDown(w *kube.Wish, node *corev1.Node) {
	if w.ReadyAt.IsZero() || !p.down(node) {
		return
	}
	since, _ := kube.NodeReady(node)
	if !w.Fixed && !w.Draining {
		w.Draining = true
		p.say(string(w.ID), nodeRef(node), Warning, "NodeDown", p.plan, "its kubelet is not ready since %s: what ran there is started elsewhere, and it is given back", clock(since))
	}
	if p.at.Sub(since) >= lostWindow {
		p.giveUp(w, node)
	}
}

// giveUp forgets the replicas on a node that will serve none.
func (p *pass) giveUp(w *kube.Wish, node *corev1.Node) {
	for _, s := range p.ledger.Clone().Replicas {
		if s.Slice.GPU.Node == w.ID {
			p.say(string(w.ID), nodeRef(node), Warning, "ReplicaLost", s.Plan, "%s is not to be had on %s and is given up (plan %s)", s.ID, w.ID, s.Plan)
			p.ledger.DropReplica(s.ID)
		}
	}
}

// down tells whether a node is away for so long that nothing on it is waited for.
func (p *pass) down(node *corev1.Node) bool { return node != nil && kube.Down(node, p.at) }

// settleFixed goes on with somebody else's node, which is in the ledger for as long as
// something is to be on it.
func (p *pass) settleFixed(ctx context.Context, w *kube.Wish, node *corev1.Node) error {
	if node == nil {
		p.say(string(w.ID), wishRef(w), Warning, "NodeLost", w.Plan, "%s went away", describe(*w))
		p.ledger.DropNode(w.ID)
		return nil
	}
	p.follow(w, node)
	if err := p.standing(ctx, w, node); err != nil {
		return err
	}
	used := slices.ContainsFunc(p.ledger.Replicas, func(s kube.Seat) bool { return s.Slice.GPU.Node == w.ID })
	if w.Cut == nil && !used && node.Annotations[kube.AnnotationCordoned] == "" {
		p.ledger.DropNode(w.ID)
	}
	return nil
}

// follow lets the wish of somebody else's node be as they cut it by now, or as its
// device plugin tells again, where that leaves every replica its slice.
func (p *pass) follow(w *kube.Wish, node *corev1.Node) {
	if w.Cut != nil || offers(w, node) {
		return
	}
	now, err := p.found(node)
	if err != nil {
		return // observe tells people
	}
	is, was := fleet.Node{ID: w.ID, GPUs: now.GPUs}, fleet.Node{ID: w.ID, GPUs: w.GPUs}
	if len(is.Slices()) == 0 || slices.ContainsFunc(p.ledger.Replicas, func(s kube.Seat) bool {
		kind, fits := is.Kind(s.Slice)
		before, known := was.Kind(s.Slice)
		return s.Slice.GPU.Node == w.ID && (!fits || known && kind != before)
	}) {
		return
	}
	w.GPUs = now.GPUs
}

// offers tells whether a node is ready and offers exactly what it is to be cut into.
// The state that mig-manager tells is not believed: the device plugin has the word.
func offers(w *kube.Wish, node *corev1.Node) bool {
	if node == nil || node.DeletionTimestamp != nil {
		return false
	}
	_, ready := kube.NodeReady(node)
	return ready && maps.Equal(kube.Allocatable(node), kube.Offered(w.GPUs))
}

// takes tells whether replicas can be started on a node.
func (p *pass) takes(id fleet.NodeID) bool {
	w := p.ledger.Node(id)
	return w != nil && w.Cut == nil && !w.Draining && !w.Returning && offers(w, p.nodes[id])
}

// describe says a wish for people.
func describe(w kube.Wish) string {
	return fmt.Sprintf("%s (%s) as %s", w.ID, w.Offering, shapes(w.GPUs))
}

// wishRef is what a wish without a node is told about.
func wishRef(w *kube.Wish) *corev1.ObjectReference {
	if w.Fixed {
		return &corev1.ObjectReference{APIVersion: "v1", Kind: "Node", Name: string(w.ID)}
	}
	return &corev1.ObjectReference{APIVersion: kube.NodeClaims.GroupVersion().String(), Kind: "NodeClaim", Name: string(w.ID)}
}
