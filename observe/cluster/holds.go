package cluster

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// owner is who wrote a field last, as the API server recorded it.
type owner struct {
	manager string
	since   time.Time
}

// name is how the owner is called, or "somebody" where it is not known who it was.
func (o owner) name() string {
	if o.manager == "" || o.manager == kube.FieldManager {
		return "somebody"
	}
	return o.manager
}

// findHolds tells what people keep as they set it: the whole fleet by an annotation
// on the ledger, a model by one on a Deployment of it, or for a while by writing the
// number of its replicas. Of several holds on a model the one that lasts longest
// counts. A change under way at a Deployment that cannot be read holds too.
func (v *viewer) findHolds() {
	if v.configMap != nil && v.configMap.Annotations[kube.AnnotationPaused] == "true" {
		v.out.Holds = append(v.out.Holds, fleet.Hold{
			By:    "annotation " + kube.AnnotationPaused + " on the ledger " + v.home.String(),
			Since: v.pausedSince(v.configMap.ObjectMeta),
		})
	}
	longest := map[fleet.ModelName]fleet.Hold{}
	for _, d := range v.deployments {
		h, held := v.held(d)
		if !held || h.Model == "" {
			continue
		}
		if other, known := longest[h.Model]; !known || lasts(h, other) {
			longest[h.Model] = h
		}
	}
	for _, h := range longest {
		v.out.Holds = append(v.out.Holds, h)
	}
	slices.SortFunc(v.out.Holds, func(a, b fleet.Hold) int { return strings.Compare(string(a.Model), string(b.Model)) })
}

// held tells whether somebody keeps the replicas of a Deployment as they are.
func (v *viewer) held(d *appsv1.Deployment) (fleet.Hold, bool) {
	model := fleet.ModelName(d.Labels[kube.LabelModel])
	if d.Annotations[kube.AnnotationPaused] == "true" {
		return fleet.Hold{
			Model: model, By: "annotation " + kube.AnnotationPaused + " on deployment " + keyOf(d).String(), Since: v.pausedSince(d.ObjectMeta),
		}, true
	}
	o := v.owners[keyOf(d)]
	if d.Spec.Replicas == nil || !v.ledger.Changed(keyOf(d), *d.Spec.Replicas) || o.manager == "" || o.manager == kube.FieldManager {
		return fleet.Hold{}, false
	}
	since := o.since
	if since.IsZero() { // the scale subresource was written, and of that no time is recorded
		noticed, before := v.ledger.NoticedAt(keyOf(d), o.manager, *d.Spec.Replicas)
		if since = noticed; !before {
			since = v.now
		}
	}
	h := fleet.Hold{Model: model, By: o.manager, Since: since, Until: since.Add(v.yield)}
	return h, v.now.Before(h.Until)
}

// lasts tells whether a hold lasts longer than another of the same model, or was
// there first where both last as long.
func lasts(a, b fleet.Hold) bool {
	switch {
	case a.Until.Equal(b.Until):
		return a.Since.Before(b.Since) || a.Since.Equal(b.Since) && a.By < b.By
	case a.Until.IsZero() || b.Until.IsZero():
		return a.Until.IsZero()
	}
	return a.Until.After(b.Until)
}

// pausedSince is when the annotation that pauses was written, else when the object was.
func (v *viewer) pausedSince(m metav1.ObjectMeta) time.Time {
	if o := ownerOf(m.ManagedFields, "f:metadata", "f:annotations", "f:"+kube.AnnotationPaused); !o.since.IsZero() {
		return o.since
	}
	return m.CreationTimestamp.Time
}

// ownerOfReplicas is who wrote the number of replicas of a Deployment last.
func ownerOfReplicas(d *appsv1.Deployment) owner {
	return ownerOf(d.ManagedFields, "f:spec", "f:replicas")
}

// ownerOf is the manager that owns a field, the latest where several do, and since
// when, zero where that was not recorded; nobody where the API server recorded none.
// Who owns it together with Tessera wrote the same.
func ownerOf(entries []metav1.ManagedFieldsEntry, path ...string) owner {
	var last owner
	for _, e := range entries {
		if e.FieldsV1 == nil || !owns(e.FieldsV1.GetRawBytes(), path) {
			continue
		}
		o := owner{manager: e.Manager}
		if e.Time != nil {
			o.since = e.Time.Time
		}
		if o.manager == kube.FieldManager {
			return o
		}
		if last.manager == "" || o.since.After(last.since) {
			last = o
		}
	}
	return last
}

// owns tells whether a record of owned fields holds the one at a path.
func owns(raw []byte, path []string) bool {
	for _, step := range path {
		var fields map[string]json.RawMessage
		if json.Unmarshal(raw, &fields) != nil {
			return false
		}
		below, there := fields[step]
		if !there {
			return false
		}
		raw = below
	}
	return true
}
