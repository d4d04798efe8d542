package kube_test

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

var (
	start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	small = fleet.SliceKind{GPU: "a100-80gb", Profile: "1g.10gb"}
)

// serverOf is a Deployment of a model on a kind of slice.
func serverOf(model string, kind fleet.SliceKind) kube.Server {
	return kube.Server{
		Key: kube.Key{Namespace: "speech", Name: model}, Model: fleet.ModelName(model), Variant: "fp16", Kind: kind,
		Seat: corev1.ResourceName(kube.SeatPrefix + model),
	}
}

// podOf is a pod of a Deployment, so many seconds old at the start, on a node or on none.
func podOf(s kube.Server, name, node string, age int) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: s.Key.Namespace, Name: name, UID: types.UID("uid-" + name),
			CreationTimestamp: metav1.NewTime(start.Add(-time.Duration(age) * time.Second)),
			Labels: map[string]string{
				kube.LabelModel: string(s.Model), kube.LabelVariant: string(s.Variant), kube.LabelSlice: kube.SliceLabel(s.Kind),
			},
		},
		Spec: corev1.PodSpec{NodeName: node},
	}
}

// seatOn is a replica of a Deployment on the slice of a node's first GPU that begins there.
func seatOn(id string, s kube.Server, node string, at int) kube.Seat {
	return kube.Seat{
		ID: fleet.ReplicaID(id), Server: s.Key, Since: start,
		Slice: fleet.SliceID{GPU: fleet.GPUID{Node: fleet.NodeID(node)}, Start: at},
	}
}

// sevenths are GPUs cut into seven.
func sevenths(gpus int) []fleet.GPU {
	out := make([]fleet.GPU, gpus)
	for i := range out {
		out[i].Type = small.GPU
		for at := range 7 {
			out[i].Geometry = append(out[i].Geometry, fleet.Placement{Profile: small.Profile, Start: at})
		}
	}
	return out
}

func ledgerOf(seats ...kube.Seat) kube.Ledger {
	var l kube.Ledger
	for _, s := range seats {
		l.PutReplica(s)
	}
	return l
}

// pairs prints which pod is which replica, "r1=p1 r2=-".
func pairs(m kube.Matching) string {
	text := ""
	for _, s := range m.Seated {
		pod := "-"
		if s.Pod != nil {
			pod = s.Pod.Name
		}
		text += fmt.Sprintf("%s=%s ", s.Seat.ID, pod)
	}
	return text
}

func same(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}
