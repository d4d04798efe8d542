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
	// downWindow is how long a node of ours may be away after it was ready. Then its
	// replicas are started elsewhere and it is given back, unless it comes back first.
	downWindow = 5 * time.Minute
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
		wait := p.backoff[w.Offering].next(p.at, firstBackoff, mostBackoff)
		p.then(id, w.Plan, func(context.Context) error {
			p.backoff[w.Offering] = wait
			return nil
		})
		p.say(id, wishRef(&w), Warning, "NodeNotBought", w.Plan, "%s was asked for and given up; %s is not asked for again before %s", describe(w), w.Offering, wait.until.UTC().Format(time.RFC3339))
	default:
		p.say(id, wishRef(&w), Warning, "NodeLost", w.Plan, "%s went away, though it was not given back", describe(w))
	}
	p.ledger.DropNode(w.ID)
	delete(p.asked, w.ID)
	delete(p.said, id)
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
		delete(p.backoff, w.Offering)
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

// settleDown lets a node of ours drain whose kubelet is away for too long.
func (p *pass) settleDown(w *kube.Wish, node *corev1.Node) {
	if w.Fixed || w.Draining || w.ReadyAt.IsZero() || !p.down(node) {
		return
	}
	since, _ := kube.NodeReady(node)
	w.Draining = true
	p.say(string(w.ID), nodeRef(node), Warning, "NodeDown", p.plan, "its kubelet is not ready since %s: what ran there is started elsewhere, and it is given back", clock(since))
}

// down tells whether a node is away for so long that nothing on it is waited for.
func (p *pass) down(node *corev1.Node) bool {
	if node == nil {
		return false
	}
	since, up := kube.NodeReady(node)
	return !up && p.at.Sub(since) >= downWindow
}

// settleFixed goes on with somebody else's node, which is in the ledger for as long as
// something is to be on it.
func (p *pass) settleFixed(ctx context.Context, w *kube.Wish, node *corev1.Node) error {
	if node == nil {
		p.say(string(w.ID), wishRef(w), Warning, "NodeLost", w.Plan, "%s went away", describe(*w))
		p.ledger.DropNode(w.ID)
		return nil
	}
	if err := p.standing(ctx, w, node); err != nil {
		return err
	}
	used := slices.ContainsFunc(p.ledger.Replicas, func(s kube.Seat) bool { return s.Slice.GPU.Node == w.ID })
	if w.Cut == nil && !used && node.Annotations[annotationCordoned] == "" {
		p.ledger.DropNode(w.ID)
	}
	return nil
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
