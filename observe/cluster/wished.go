package cluster

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// arrival is what is there of a node that the ledger knows.
type arrival struct {
	claim    *unstructured.Unstructured // nil: none
	node     *corev1.Node               // nil: none yet, or no longer
	up       bool                       // its kubelet is ready
	complete bool                       // it offers every slice that it was asked to have
	down     bool                       // its kubelet is away for long
	cordoned bool                       // by somebody else
	gone     bool                       // somebody deletes it
}

// wished enters a node that the ledger knows; behind it is the node of the cluster,
// if it came.
func (v *viewer) wished(w kube.Wish, behind *corev1.Node) {
	if !v.exists(w, behind) {
		return
	}
	a := v.arrival(w, behind)
	n := fleet.Node{
		ID: w.ID, Offering: w.Offering, Fixed: w.Fixed || w.Returning || a.cordoned || a.gone, GPUs: slices.Clone(w.GPUs),
		RequestedAt: w.RequestedAt, ReadyAt: w.ReadyAt,
	}
	if behind != nil && (w.Fixed || n.RequestedAt.IsZero()) { // somebody else's was there before it was in the ledger
		n.RequestedAt = requestedAt(a.claim, behind)
	}
	n.BilledUntil = v.billedUntil(w.Offering, n.RequestedAt)
	if n.ReadyAt.IsZero() && a.up && a.complete {
		n.ReadyAt = v.readySince(behind, n.GPUs)
	}
	a.stand(w, &n)
	n.Stages = v.stagesOf(n, a.claim, behind)
	v.add(n, behind)
	v.intrusion(w, a)
	v.lingering(w, a)
	v.complain(w, a, !n.ReadyAt.IsZero())
}

// arrival looks at what is there of a wish.
func (v *viewer) arrival(w kube.Wish, behind *corev1.Node) arrival {
	a := arrival{claim: v.claimed[string(w.ID)], node: behind}
	a.gone = leaving(a.claim, behind)
	if behind != nil {
		a.up, a.down, a.complete = v.kubelets[behind.Name], v.down[behind.Name], offersAll(w.GPUs, behind)
		_, ours := behind.Annotations[kube.AnnotationCordoned] // and about to be lifted, where nothing asks for it
		a.cordoned = behind.Spec.Unschedulable && !ours && w.Cut == nil && !w.Draining && !w.Returning
	}
	return a
}

// stand tells where a node is in its life. It is ready once its kubelet is and it
// offers every slice that it was asked to have. One that was ready and does not offer
// them now stays ready and serves nothing. One that could not be cut, or that is
// down, drains, so that what it was to serve is served elsewhere.
func (a arrival) stand(w kube.Wish, n *fleet.Node) {
	n.State = fleet.NodeStarting
	if !n.ReadyAt.IsZero() {
		n.State = fleet.NodeReady
	}
	failed := w.Cut != nil && w.Cut.Failed != ""
	for i := range n.GPUs {
		n.GPUs[i].Reshaping = failed || !n.ReadyAt.IsZero() && (w.Cut != nil || !a.up || !a.complete)
	}
	if w.Draining || w.Returning || a.cordoned || a.gone || failed || a.down && !n.ReadyAt.IsZero() {
		n.State = fleet.NodeDraining
	}
}

// intrusion tells of what somebody does to a node of ours.
func (v *viewer) intrusion(w kube.Wish, a arrival) {
	switch {
	case a.gone && !w.Returning:
		v.doubt("node "+string(w.ID), "somebody deletes it: it is taken as draining until it is gone")
	case a.cordoned:
		v.doubt("node "+string(w.ID), "somebody cordoned it, so that it takes nothing new: kubectl uncordon %s", a.node.Name)
	}
}

// patience is how long what is being deleted may take to be gone.
const patience = 15 * time.Minute

// lingering tells of a node that is being deleted for long: until it is gone it is paid.
func (v *viewer) lingering(w kube.Wish, a arrival) {
	var since time.Time
	switch {
	case a.claim != nil && a.claim.GetDeletionTimestamp() != nil:
		since = a.claim.GetDeletionTimestamp().Time
	case a.node != nil && a.node.DeletionTimestamp != nil:
		since = a.node.DeletionTimestamp.Time
	default:
		return
	}
	if v.now.Sub(since) >= patience {
		v.doubt("node "+string(w.ID), "it is being deleted since %s, is still there and is paid: look at what holds it, such as a pod that is not evicted, a volume or a finalizer",
			since.UTC().Format(time.RFC3339))
	}
}

// exists tells whether something of a wish is there, or may come to be seen yet.
// What was given back and is seen to be gone is no longer paid.
func (v *viewer) exists(w kube.Wish, behind *corev1.Node) bool {
	subject := "node " + string(w.ID)
	switch {
	case behind != nil || v.claimed[string(w.ID)] != nil || v.placeholders[kube.PlaceholderName(w.ID)]:
		return true
	case w.Fixed:
		v.doubt(subject, "it is somebody else's and left the cluster: what was to be done there is forgotten")
		return false
	case v.now.Sub(w.RequestedAt) < grace:
		return true
	case w.Returning:
		return false
	}
	v.doubt(subject, "it was asked for at %s, and neither a node, a NodeClaim nor a placeholder bears its name: it was given up, or somebody deleted it",
		w.RequestedAt.UTC().Format(time.RFC3339))
	return true
}

// complain tells what is wrong with a node; was is true of one that was ready before.
func (v *viewer) complain(w kube.Wish, a arrival, was bool) {
	subject := "node " + string(w.ID)
	switch {
	case a.node == nil && was:
		v.doubt(subject, "it was ready and left the cluster, and what asked for it stands: nothing that ran there counts")
	case a.node == nil:
	case !a.up && was:
		since, _ := kube.NodeReady(a.node)
		v.doubt(subject, "its kubelet is not ready since %s: nothing that runs there counts until it is", since.UTC().Format(time.RFC3339))
	case w.Cut != nil && w.Cut.Failed != "":
		v.doubt(subject, "it serves nothing until somebody mends it or it goes: %s", w.Cut.Failed)
	case w.Cut != nil:
	case a.node.Labels[kube.LabelMIGState] == kube.MIGFailed:
		v.doubt(subject, "mig-manager says %s=%s for %s: read its log on that node", kube.LabelMIGState, kube.MIGFailed, a.node.Labels[kube.LabelMIGConfig])
	case was && !a.complete:
		v.doubt(subject, "it offers %s and should offer %s: nothing there counts as free until it does; look at the device plugin and the GPUs of %s",
			offer(kube.Allocatable(a.node)), offer(kube.Offered(w.GPUs)), a.node.Name)
	}
}

// offersAll tells whether a node offers what GPUs cut so should. Nothing counts the
// place on a node without GPUs.
func offersAll(gpus []fleet.GPU, n *corev1.Node) bool {
	return len(gpus) > 0 && gpus[0].Type == fleet.CPU || maps.Equal(kube.Allocatable(n), kube.Offered(gpus))
}

// readySince is when a node that is ready now became so: when its kubelet did, or
// when its slices were seen first.
func (v *viewer) readySince(n *corev1.Node, gpus []fleet.GPU) time.Time {
	since, _ := kube.NodeReady(n)
	if seen, known := v.memory[n.Name]; known && seen.since.After(since) && len(kube.Offered(gpus)) > 0 {
		return seen.since
	}
	return since
}

// offer prints what a node offers.
func offer(offered map[corev1.ResourceName]int64) string {
	if len(offered) == 0 {
		return "no GPU"
	}
	parts := make([]string, 0, len(offered))
	for _, name := range slices.Sorted(maps.Keys(offered)) {
		parts = append(parts, fmt.Sprintf("%d×%s", offered[name], name))
	}
	return strings.Join(parts, " + ")
}
