package cluster

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// What cannot be kept is not offered to be kept: the loop would hope for it at every
// tick and buy nothing.
func TestAStrayIsNobodysToKeep(t *testing.T) {
	in := nothing()
	in.now = minute(10)
	in.claims = []*unstructured.Unstructured{claimOf("n1", "a1", start)}
	in.nodes = []*corev1.Node{ours(nodeOf("kwok-1", "a1", minute(2), cut(1, halves)), "n1")}
	if n := theNode(t, view(in)); n.State != fleet.NodeDraining || !n.Fixed {
		t.Errorf("it is %s, fixed %t", n.State, n.Fixed)
	}
}

// A pod on a node that is down ends for nobody to see, so that it must not keep its
// node; a seat stands until it is stopped.
func TestADownNodeIsNotKeptByWhatRanThere(t *testing.T) {
	fr := deployment("fr", small)
	for _, theirs := range []bool{false, true} {
		in := serving()
		if theirs {
			in.ledger = kube.Ledger{}
			in.nodes = []*corev1.Node{nodeOf("kwok-1", "a1", minute(2), cut(1, sevenths))}
		}
		p := podOf(fr, "fr-a", "kwok-1", minute(5))
		p.DeletionTimestamp = &metav1.Time{Time: minute(9)}
		in.pods = []*corev1.Pod{p, podOf(fr, "fr-b", "kwok-1", minute(5))}
		notReady(in.nodes[0], minute(6))
		if v := view(in); len(v.Replicas) != 2 || theNode(t, v).State != fleet.NodeReady {
			t.Errorf("after four minutes: %v on a node that is %s", v.Replicas, theNode(t, v).State)
		}
		in.now = minute(11)
		if v := view(in); len(v.Replicas) != 0 || theNode(t, v).State != fleet.NodeDraining {
			t.Errorf("after five minutes: %v on a node that is %s", v.Replicas, theNode(t, v).State)
		}
		if !theirs {
			in.ledger.PutReplica(seatOn("fr-1", fr, "n1", 3))
			if v := view(in); len(v.Replicas) != 1 || v.Replicas[0].ID != "fr-1" {
				t.Errorf("a seat there is shown as %v", v.Replicas)
			}
		}
	}
}

// Two Deployments that start the same are no place: the actuator would refuse every
// start, after a node was bought for it.
func TestAPlaceIsOneDeployments(t *testing.T) {
	in := nothing()
	in.namespaces = []string{"speech", "staging"}
	twin := deployment("fr", small)
	twin.Namespace = "staging"
	seat := twin.Spec.Template.Spec.Containers[0].Resources.Limits
	delete(seat, corev1.ResourceName(kube.SeatPrefix+twin.Name))
	in.deployments = append(in.deployments, twin)
	v := view(in)
	if places := v.Places["fr"]; len(places) != 1 || places[0].Kind != large {
		t.Errorf("fr can be started on %v", places)
	}
	doubted(t, v, "model fr", "speech/fr-1g-10gb and staging/fr-1g-10gb both start variant fp16")
}

func TestALedgerThatGrowsLargeIsTold(t *testing.T) {
	in := nothing()
	in.configMap = &corev1.ConfigMap{Data: map[string]string{kube.LedgerKey: strings.Repeat(" ", kube.LedgerMost/2)}}
	sure(t, view(in))
	in.configMap.Data[kube.LedgerKey] += "  "
	doubted(t, view(in), "ledger "+home.String(), "divide the fleet")
}
