package cluster

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// stray enters a node or a claim of ours that the ledger does not know: it costs
// money until it is gone, and nothing new is put there. It is neither kept nor given
// back, because whose it is has to be told first.
func (v *viewer) stray(id fleet.NodeID, behind *corev1.Node) {
	claim := v.claimed[string(id)]
	n := fleet.Node{ID: id, State: fleet.NodeDraining, Fixed: true, RequestedAt: requestedAt(claim, behind)}
	if claim != nil {
		n.Offering = fleet.OfferingName(claim.GetLabels()[kube.LabelOffering])
	}
	if behind != nil && behind.Labels[kube.LabelOffering] != "" {
		n.Offering = fleet.OfferingName(behind.Labels[kube.LabelOffering])
	}
	n.BilledUntil = v.billedUntil(n.Offering, n.RequestedAt)
	if offering, known := v.settings.Catalog.Offering(n.Offering); known {
		n.GPUs, _ = v.cutAs(offering, behind)
	}
	if behind != nil && v.kubelets[behind.Name] {
		n.ReadyAt = v.readySince(behind, n.GPUs)
	}
	v.add(n, behind)
	if v.now.Sub(n.RequestedAt) >= grace && !leaving(claim, behind) {
		v.doubt("node "+string(id), "it bears the labels of this installation, and the ledger %s does not know it: nothing is put there; delete it, or restore the ledger", v.home)
	}
}

// foreign enters a node of somebody else's that may be used: it bears its offering.
// It is ready while its kubelet is and its GPUs are there.
func (v *viewer) foreign(behind *corev1.Node) {
	name := fleet.OfferingName(behind.Labels[kube.LabelOffering])
	created := behind.CreationTimestamp.Time
	n := fleet.Node{
		ID: fleet.NodeID(behind.Name), Offering: name, State: fleet.NodeStarting, Fixed: true,
		RequestedAt: created, BilledUntil: v.billedUntil(name, created),
	}
	offering, known := v.settings.Catalog.Offering(name)
	if !known {
		v.add(n, behind) // which says so
		return
	}
	there := false
	n.GPUs, there = v.cutAs(offering, behind)
	since, up := kube.NodeReady(behind)
	was := there && (up || since.After(created.Add(time.Second))) // it changed since it registered
	if was {
		n.State, n.ReadyAt = fleet.NodeReady, v.readySince(behind, n.GPUs)
		if !up {
			n.ReadyAt = created
			v.doubt("node "+behind.Name, "its kubelet is not ready since %s: nothing that runs there counts until it is", since.UTC().Format(time.RFC3339))
		}
	}
	offered := offering.GPU == fleet.CPU || len(kube.Allocatable(behind)) > 0
	for i := range n.GPUs {
		n.GPUs[i].Reshaping = was && (!up || !offered)
	}
	if away := was && v.down[behind.Name]; away || closed(behind) {
		n.State = fleet.NodeDraining
	}
	if up && !offered {
		v.doubt("node "+behind.Name, "it is of %s and offers no GPU: look at the driver and the device plugin there, or have its GPUs cut", name)
	}
	v.add(n, behind)
}

// closed tells whether somebody cordons or deletes a node.
func closed(n *corev1.Node) bool { return n.Spec.Unschedulable || n.DeletionTimestamp != nil }

// cutAs is how the GPUs of a node are cut, as far as what it offers tells, and
// whether they are there. One that offers nothing now, as while its device plugin
// starts again, is cut as it was before.
func (v *viewer) cutAs(offering fleet.Offering, n *corev1.Node) (gpus []fleet.GPU, there bool) {
	gpus = make([]fleet.GPU, offering.GPUs)
	for i := range gpus {
		gpus[i].Type = offering.GPU
		if offering.GPU == fleet.CPU {
			gpus[i].Geometry = fleet.Geometry{{Profile: fleet.WholeGPU}}
		}
	}
	if n == nil || offering.GPU == fleet.CPU {
		return gpus, n != nil
	}
	offered := kube.Allocatable(n)
	if len(offered) == 0 {
		offered = v.memory[n.Name].before
	}
	if len(offered) == 0 {
		return gpus, false
	}
	cut, err := kube.Realise(offering.GPU, offering.GPUs, offered)
	if err != nil {
		v.doubt("node "+n.Name, "it is of %s, and %v: correct its label %s, or let the device plugin name its slices by the strategy mixed and share none", offering.Name, err, kube.LabelOffering)
		return gpus, false
	}
	for i := range gpus {
		gpus[i].Geometry = cut[i]
	}
	return gpus, true
}
