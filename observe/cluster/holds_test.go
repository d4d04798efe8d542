package cluster

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// written is the record of a manager that wrote the number of replicas.
func written(manager, subresource string, at time.Time) []metav1.ManagedFieldsEntry {
	return []metav1.ManagedFieldsEntry{{
		Manager: manager, Operation: metav1.ManagedFieldsOperationUpdate, Subresource: subresource, Time: &metav1.Time{Time: at},
		FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(`{"f:spec":{"f:replicas":{}}}`),
	}}
}

func TestHolds(t *testing.T) {
	paused := func(at time.Time) []metav1.ManagedFieldsEntry {
		e := written("kubectl-annotate", "", at)
		e[0].FieldsV1 = metav1.NewFieldsV1(`{"f:metadata":{"f:annotations":{"f:tessera.dev/paused":{}}}}`)
		return e
	}
	for _, c := range []struct {
		name string
		set  func(in *inputs)
		want []fleet.Hold
	}{
		{name: "nobody", set: func(*inputs) {}},
		{name: "what Tessera wrote", set: func(in *inputs) { in.deployments[2].ManagedFields = written(kube.FieldManager, "scale", start) }},
		{
			name: "kubectl scale", set: func(in *inputs) { in.deployments[2].ManagedFields = written("kubectl", "scale", start) },
			want: []fleet.Hold{{Model: "fr", By: "kubectl", Since: start, Until: minute(10)}},
		},
		{name: "kubectl scale, a while ago", set: func(in *inputs) {
			in.deployments[2].ManagedFields = written("kubectl", "scale", start)
			in.now = minute(10)
		}},
		{name: "kubectl scale, and Tessera since then", set: func(in *inputs) {
			in.deployments[2].ManagedFields = append(written("kubectl", "scale", start.Add(-time.Minute)), written(kube.FieldManager, "scale", start)...)
		}},
		{name: "the number that Tessera wrote", set: func(in *inputs) {
			in.deployments[2].ManagedFields = written("kubectl", "scale", start)
			*in.deployments[2].Spec.Replicas = 2
		}},
		{name: "kubectl scale, of which the API server records no time", set: func(in *inputs) {
			in.deployments[2].ManagedFields = written("kubectl", "scale", start)
			in.deployments[2].ManagedFields[0].Time = nil
			in.now = minute(3)
		}, want: []fleet.Hold{{Model: "fr", By: "kubectl", Since: minute(3), Until: minute(13)}}},
		{name: "the same, noticed before", set: func(in *inputs) {
			in.deployments[2].ManagedFields = written("kubectl", "scale", start)
			in.deployments[2].ManagedFields[0].Time = nil
			in.ledger.Notice(kube.Noticed{Server: keyOf(in.deployments[2]), By: "kubectl", Replicas: 3, Since: minute(1)})
			in.now = minute(3)
		}, want: []fleet.Hold{{Model: "fr", By: "kubectl", Since: minute(1), Until: minute(11)}}},
		{name: "the same, noticed long before", set: func(in *inputs) {
			in.deployments[2].ManagedFields = written("kubectl", "scale", start)
			in.deployments[2].ManagedFields[0].Time = nil
			in.ledger.Notice(kube.Noticed{Server: keyOf(in.deployments[2]), By: "kubectl", Replicas: 3, Since: minute(-10)})
			in.now = minute(3)
		}},
		{name: "zero by hand", set: func(in *inputs) {
			in.deployments[2].ManagedFields = written("kubectl", "scale", start)
			*in.deployments[2].Spec.Replicas = 0
		}, want: []fleet.Hold{{Model: "fr", By: "kubectl", Since: start, Until: minute(10)}}},
		{name: "where Tessera never wrote", set: func(in *inputs) {
			in.deployments[2].ManagedFields = written("helm", "", start)
			in.ledger.Scaled = nil
		}},
		{name: "at a time that nobody recorded", set: func(in *inputs) {
			in.deployments[2].ManagedFields = written("kubectl", "scale", start)
			in.deployments[2].ManagedFields[0].Time = nil
		}, want: []fleet.Hold{{Model: "fr", By: "kubectl", Since: start, Until: minute(10)}}},
		{name: "at a time that the ledger noticed", set: func(in *inputs) {
			in.deployments[2].ManagedFields = written("kubectl", "scale", start)
			in.deployments[2].ManagedFields[0].Time = nil
			in.ledger.Notice(kube.Noticed{Server: keyOf(in.deployments[2]), By: "kubectl", Replicas: 3, Since: minute(-4)})
		}, want: []fleet.Hold{{Model: "fr", By: "kubectl", Since: minute(-4), Until: minute(6)}}},
		{name: "another field", set: func(in *inputs) {
			in.deployments[2].ManagedFields = written("kubectl", "", start)
			in.deployments[2].ManagedFields[0].FieldsV1 = metav1.NewFieldsV1(`{"f:spec":{"f:paused":{}}}`)
		}},
		{name: "paused outlasts scaled", set: func(in *inputs) {
			in.deployments[2].ManagedFields = written("kubectl", "scale", start)
			in.deployments[3].Annotations = map[string]string{kube.AnnotationPaused: "true"}
			in.deployments[3].ManagedFields = paused(minute(-5))
		}, want: []fleet.Hold{{Model: "fr", By: "annotation tessera.dev/paused on deployment speech/fr-3g-40gb", Since: minute(-5)}}},
		{name: "the whole fleet", set: func(in *inputs) {
			in.configMap.Annotations = map[string]string{kube.AnnotationPaused: "true"}
			in.configMap.ManagedFields = paused(minute(-1))
			in.deployments[0].Annotations = map[string]string{kube.AnnotationPaused: "true"}
		}, want: []fleet.Hold{
			{By: "annotation tessera.dev/paused on the ledger tessera/fleet", Since: minute(-1)},
			{Model: "de", By: "annotation tessera.dev/paused on deployment speech/de-1g-10gb", Since: start.Add(-time.Hour)},
		}},
		{name: "paused though it cannot be read", set: func(in *inputs) {
			in.deployments[2].Spec.Template.Labels = nil
			in.deployments[2].Annotations = map[string]string{kube.AnnotationPaused: "true"}
		}, want: []fleet.Hold{{Model: "fr", By: "annotation tessera.dev/paused on deployment speech/fr-1g-10gb", Since: start.Add(-time.Hour)}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := nothing()
			in.configMap = &corev1.ConfigMap{}
			three := int32(3)
			in.deployments[2].Spec.Replicas = &three
			in.ledger.SetScaled(keyOf(in.deployments[2]), 1, 2)
			c.set(&in)
			if diff := cmp.Diff(c.want, view(in).Holds); diff != "" {
				t.Error(diff)
			}
		})
	}
}
