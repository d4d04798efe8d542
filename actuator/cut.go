package actuator

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// The tries of a cut. mig-manager acts only on a label that changes, and may hang
// without an end of its own, so a cut that did not come about goes once through
// another geometry and back.
const (
	tryCut   = 1 // the label says what is wanted
	tryOther = 2 // it says something else
	tryAgain = 3 // it says what is wanted again
)

// settleCut goes on with a change of geometry. It is over when the node offers what is
// wanted, whatever mig-manager says of itself.
func (p *pass) settleCut(w *kube.Wish, node *corev1.Node) {
	if w.Cut == nil {
		switch {
		case p.bornLate(w, node):
			w.Cut = &kube.Cut{Plan: w.Plan, Since: p.at, Tries: tryOther}
		case p.neverReady(w, node):
			w.Cut = &kube.Cut{Plan: w.Plan, Since: p.at}
			p.quarantine(w, node, fmt.Sprintf("it came at %s and does not offer %s yet; look at its kubelet, its driver and the device plugin", clock(node.CreationTimestamp.Time), shapes(w.GPUs)))
			p.say(string(w.ID), nodeRef(node), Warning, "NodeLate", w.Plan, "is given back: %s", w.Cut.Failed)
		}
		return
	}
	c := w.Cut
	if node.Labels[kube.LabelMIGConfig] == kube.MIGConfigName(w.GPUs) && offers(w, node) {
		p.say(string(w.ID), nodeRef(node), Normal, "NodeReshaped", c.Plan, "is cut as %s, begun %s ago: %s", shapes(w.GPUs), p.at.Sub(c.Since).Round(time.Second), p.why(string(w.ID), c.Plan))
		w.Cut = nil
		return
	}
	if c.Failed == "" && !p.notBegun(w, node) {
		p.retry(w, node)
	}
}

// retry goes on to the next try of a cut that mig-manager gave up, or takes too long
// for, and gives up after the last.
func (p *pass) retry(w *kube.Wish, node *corev1.Node) {
	c, told, spent := w.Cut, node.Labels[kube.LabelMIGState], p.at.Sub(w.Cut.Since)
	if spent < p.ReshapeDeadline/20 {
		return // what mig-manager tells may still be of the geometry before
	}
	if c.Tries == tryOther && told == kube.MIGSuccess && maps.Equal(kube.Allocatable(node), kube.Offered(other(w.GPUs))) {
		c.Tries, c.Since = tryAgain, p.at
		return
	}
	if told != kube.MIGFailed && spent <= p.ReshapeDeadline {
		return
	}
	switch c.Tries {
	case tryCut:
		p.say(string(w.ID), nodeRef(node), Warning, "ReshapeStuck", c.Plan, "is not cut as %s after %s (mig-manager says %q), so it goes through another geometry once", shapes(w.GPUs), spent.Round(time.Second), told)
		c.Tries, c.Since = tryOther, p.at
	case tryOther:
		c.Tries, c.Since = tryAgain, p.at
	default:
		p.quarantine(w, node, fmt.Sprintf("it was not cut as %s in two tries, and mig-manager says %q", shapes(w.GPUs), told))
		p.say(string(w.ID), nodeRef(node), Warning, "ReshapeFailed", c.Plan, "is left alone: %s; look at the log of mig-manager on this node", c.Failed)
	}
}

// quarantine gives a cut up, and with it what was to be on the node. One of ours then
// drains and is given back, and if it never was ready, the next of its kind waits; of
// somebody else's only they may say.
func (p *pass) quarantine(w *kube.Wish, node *corev1.Node, cause string) {
	w.Cut.Failed = cause
	w.Draining = w.Draining || !w.Fixed
	p.giveUp(w, node)
	if !w.Fixed && w.ReadyAt.IsZero() {
		p.wait(*w)
	}
}

// notBegun tells whether this try waits for the node to be empty. It does so no longer
// than a deadline, counted from when this process first saw it wait.
func (p *pass) notBegun(w *kube.Wish, node *corev1.Node) bool {
	if node.Labels[kube.LabelMIGConfig] == p.wanted(w) {
		delete(p.unbegun, w.ID)
		return false
	}
	since, waits := p.unbegun[w.ID]
	if !waits {
		p.unbegun[w.ID] = p.at
	} else if p.at.Sub(since) > p.ReshapeDeadline {
		delete(p.unbegun, w.ID)
		p.quarantine(w, node, fmt.Sprintf("it could not be cut as %s within %s, because it is not empty", shapes(w.GPUs), p.ReshapeDeadline))
		p.say(string(w.ID), nodeRef(node), Warning, "ReshapeFailed", w.Cut.Plan, "is left alone: %s", w.Cut.Failed)
	}
	return true
}

// bornLate tells whether a node of ours that should be born with its geometry is
// there for too long without it.
func (p *pass) bornLate(w *kube.Wish, node *corev1.Node) bool {
	since, ready := kube.NodeReady(node)
	return !w.Fixed && w.ReadyAt.IsZero() && ready && kube.MIGConfigName(w.GPUs) != "" && p.at.Sub(since) > p.ReshapeDeadline
}

// neverReady tells whether a node of ours came long ago and is not ready, where no
// other way of cutting it can help.
func (p *pass) neverReady(w *kube.Wish, node *corev1.Node) bool {
	_, ready := kube.NodeReady(node)
	helpless := !ready || kube.MIGConfigName(w.GPUs) == ""
	return !w.Fixed && w.ReadyAt.IsZero() && helpless && p.at.Sub(node.CreationTimestamp.Time) > comeWindow
}

// wanted is what the label is to say at this try.
func (p *pass) wanted(w *kube.Wish) string {
	if w.Cut.Tries == tryOther {
		return kube.MIGConfigName(other(w.GPUs))
	}
	return kube.MIGConfigName(w.GPUs)
}

// other is a geometry that is not the one given: undivided, or of no slices.
func other(gpus []fleet.GPU) []fleet.GPU {
	out := slices.Clone(gpus)
	for i := range out {
		out[i].Geometry = fleet.Geometry{{Profile: fleet.WholeGPU}}
	}
	if kube.MIGConfigName(out) == kube.MIGConfigName(gpus) {
		for i := range out {
			out[i].Geometry = nil
		}
	}
	return out
}

// label tells mig-manager how to cut a node, which is cordoned by now, if nothing is
// on it.
func (p *pass) label(w *kube.Wish, node *corev1.Node) {
	name := p.wanted(w)
	if node.Labels[kube.LabelMIGConfig] == name {
		return
	}
	w.Cut.Since = p.at // the deadline counts from when mig-manager was told
	id, plan, gpus := w.ID, w.Cut.Plan, slices.Clone(w.GPUs)
	if w.Cut.Tries == tryOther {
		gpus = other(gpus)
	}
	p.then(string(id), plan, func(ctx context.Context) error {
		if err := p.empty(ctx, node); err != nil {
			return err
		}
		if err := p.ensureGeometry(ctx, gpus); err != nil {
			return err
		}
		change := patch{}.metadata("labels", kube.LabelMIGConfig, name).metadata("annotations", kube.AnnotationPlan, string(plan))
		return p.patchNode(ctx, id, change)
	})
	p.say(string(id), nodeRef(node), Normal, "NodeReshaping", plan, "is being cut as %s: %s", shapes(gpus), p.why(string(id), plan))
}

// shapes says how GPUs are cut.
func shapes(gpus []fleet.GPU) string {
	out := make([]string, len(gpus))
	for i, g := range gpus {
		out[i] = g.Geometry.String()
	}
	return strings.Join(out, "; ")
}
