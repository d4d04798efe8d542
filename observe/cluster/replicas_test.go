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

// serving are the inputs of a node of ours in sevenths that is there, ten minutes
// after it was asked for.
func serving() inputs {
	in := nothing()
	in.now = minute(10)
	w := wishFor("n1")
	w.ReadyAt = minute(4)
	in.ledger.PutNode(w)
	in.nodes = []*corev1.Node{ours(nodeOf("kwok-1", "a1", minute(2), cut(1, sevenths)), "n1")}
	return in
}

func TestReplicas(t *testing.T) {
	fr := deployment("fr", small)
	pod := func() *corev1.Pod { return podOf(fr, "fr-a", "kwok-1", minute(5)) }
	seat := seatOn("fr-1", fr, "n1", 3)
	for _, c := range []struct {
		name  string
		seats []kube.Seat
		pods  []*corev1.Pod
		set   func(in *inputs)
		id    fleet.ReplicaID
		state fleet.ReplicaState
		since time.Time
		doubt string // its subject
	}{
		{name: "no pod yet", seats: []kube.Seat{seat}, id: "fr-1", state: fleet.ReplicaPending, since: start},
		{name: "its pod serves", seats: []kube.Seat{seat}, pods: []*corev1.Pod{pod()}, id: "fr-1", state: fleet.ReplicaReady, since: minute(5.5)},
		{name: "its pod does not serve yet", seats: []kube.Seat{seat}, pods: []*corev1.Pod{func() *corev1.Pod {
			p := pod()
			p.Status.Conditions[1].Status = corev1.ConditionFalse
			return p
		}()}, id: "fr-1", state: fleet.ReplicaPending, since: start},
		{
			name: "its node is not ready", seats: []kube.Seat{seat}, pods: []*corev1.Pod{pod()}, set: func(in *inputs) { notReady(in.nodes[0], minute(9)) },
			id: "fr-1", state: fleet.ReplicaPending, since: start, doubt: "node n1",
		},
		{name: "it leaves", seats: []kube.Seat{func() kube.Seat {
			s := seat
			s.Leaving = &kube.Leaving{Pod: "fr-a", UID: "uid-fr-a", Since: minute(8)}
			return s
		}()}, pods: []*corev1.Pod{pod()}, id: "fr-1", state: fleet.ReplicaDraining, since: minute(8)},
		{name: "somebody started it", pods: []*corev1.Pod{pod()}, id: "fr-a", state: fleet.ReplicaReady, since: minute(5.5)},
		{name: "somebody started it and deletes it", pods: []*corev1.Pod{func() *corev1.Pod {
			p := pod()
			grace := int64(60)
			p.DeletionTimestamp, p.DeletionGracePeriodSeconds = &metav1.Time{Time: minute(10)}, &grace
			return p
		}()}, id: "fr-a", state: fleet.ReplicaDraining, since: minute(9)},
		{
			name: "its Deployment is gone", seats: []kube.Seat{seat}, set: func(in *inputs) { in.deployments = in.deployments[:2] },
			id: "fr-1", state: fleet.ReplicaDraining, since: start, doubt: "replica fr-1",
		},
		{name: "its Deployment cannot be read", seats: []kube.Seat{seat}, set: func(in *inputs) {
			in.deployments[2].Spec.Template.Labels = nil
		}, id: "fr-1", state: fleet.ReplicaPending, since: start, doubt: "deployment speech/fr-1g-10gb"},
		{name: "its slice is not there", seats: []kube.Seat{seatOn("fr-1", fr, "n1", 9)}, id: "fr-1", state: fleet.ReplicaPending, since: start, doubt: "replica fr-1"},
		{name: "its node is not there", seats: []kube.Seat{seatOn("fr-1", fr, "n9", 0)}, id: "fr-1", state: fleet.ReplicaPending, since: start, doubt: "replica fr-1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := serving()
			for _, s := range c.seats {
				in.ledger.PutReplica(s)
			}
			in.pods = c.pods
			if c.set != nil {
				c.set(&in)
			}
			v := view(in)
			if len(v.Replicas) != 1 {
				t.Fatalf("%d replicas", len(v.Replicas))
			}
			r := v.Replicas[0]
			if r.ID != c.id || r.State != c.state || !r.Since.Equal(c.since) {
				t.Errorf("got %s %s since %s, want %s %s since %s", r.ID, r.State, r.Since, c.id, c.state, c.since)
			}
			if _, known := r.InFlight.Read(); known {
				t.Errorf("in flight is %s", r.InFlight)
			}
			if _, has := v.Pods[r.ID]; has != (len(c.pods) > 0) {
				t.Errorf("its pods are %v", v.Pods)
			}
			if c.doubt != "" {
				doubted(t, v, c.doubt, "")
			}
			if len(in.deployments) == 4 && (r.Model != "fr" || r.Variant != "fp16") {
				t.Errorf("it is %s %s", r.Model, r.Variant)
			}
		})
	}
}

func TestStagesOfAReplica(t *testing.T) {
	in := serving()
	fr := deployment("fr", small)
	in.ledger.PutReplica(seatOn("fr-1", fr, "n1", 0))
	p := podOf(fr, "fr-a", "kwok-1", minute(5))
	in.pods = []*corev1.Pod{p}
	at := func(s int) time.Time { return minute(5).Add(time.Duration(s) * time.Second) }
	want := []fleet.Stage{
		{Name: "schedule", Began: at(0), Ended: at(1)}, {Name: "image", Began: at(1), Ended: at(10)}, {Name: "load", Began: at(10), Ended: at(30)},
	}
	if diff := cmp.Diff(want, view(in).Replicas[0].Stages); diff != "" {
		t.Error(diff)
	}
	p.Status.ContainerStatuses[0].RestartCount = 1
	if diff := cmp.Diff(want[:1], view(in).Replicas[0].Stages); diff != "" {
		t.Errorf("a container that was started again does not tell when it first was: %s", diff)
	}
}

func TestPodsThatAreNoReplica(t *testing.T) {
	in := serving()
	fr := deployment("fr", small)
	in.ledger.PutReplica(seatOn("fr-1", fr, "n1", 0))
	in.deployments[2].ManagedFields = written("kubectl", "scale", minute(9))
	in.pods = []*corev1.Pod{
		podOf(fr, "fr-a", "", minute(9)), podOf(fr, "fr-b", "", minute(9)), podOf(fr, "fr-c", "", minute(9)), podOf(fr, "fr-d", "train-9", minute(9)),
	}
	v := view(in)
	doubted(t, v, "deployment speech/fr-1g-10gb", "2 pods that kubectl asked for wait for a free a100-80gb/1g.10gb")
	doubted(t, v, "pod speech/fr-d", "it runs on node train-9, where no slice of its kind is known to be free")
	if len(v.Replicas) != 1 {
		t.Errorf("got %v", v.Replicas)
	}
}

func TestServers(t *testing.T) {
	base := nothing()
	v := view(base)
	sure(t, v)
	want := []fleet.Place{{Variant: "fp16", Kind: small}, {Variant: "fp16", Kind: large}}
	if diff := cmp.Diff(map[fleet.ModelName][]fleet.Place{"de": want, "fr": want}, v.Places); diff != "" {
		t.Error(diff)
	}

	for _, c := range []struct {
		name, subject, says string
		set                 func(in *inputs)
		places              int // of fr
	}{
		{
			name: "not deployed", subject: "model fr", says: "no Deployment in namespaces speech bears the label tessera.dev/model=fr",
			set: func(in *inputs) { in.deployments = in.deployments[:2] },
		},
		{
			name: "asks for another slice than it says", subject: "deployment speech/fr-1g-10gb", says: "left alone", places: 1,
			set: func(in *inputs) {
				in.deployments[2].Spec.Template.Spec.Containers[0].Resources.Limits = in.deployments[3].Spec.Template.Spec.Containers[0].Resources.Limits
			},
		},
		{
			name: "two alike", subject: "deployment speech/fr-1g-10gb", says: "cannot be told apart", places: 1,
			set: func(in *inputs) {
				twin := deployment("fr", small)
				twin.Name = "twin"
				in.deployments = append(in.deployments, twin)
			},
		},
		{
			name: "two with one seat", subject: "deployment speech/fr-1g-10gb", says: "the same seat", places: 1,
			set: func(in *inputs) {
				twin := deployment("fr", small)
				twin.Namespace = "elsewhere"
				in.deployments = append(in.deployments, twin)
			},
		},
		{
			name: "nobody measured it there", subject: "deployment speech/fr-1g-10gb", says: "no measurement of variant fp16 on a100-80gb/1g.10gb", places: 2,
			set: func(in *inputs) {
				v := &in.settings.Policy.Models[1].Profile.Variants[0]
				v.Slices = v.Slices[1:]
			},
		},
		{
			name: "not in the policy", subject: "deployment speech/fr-1g-10gb", says: "the policy has no such model",
			set: func(in *inputs) { in.settings.Policy.Models = in.settings.Policy.Models[:1] },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := nothing()
			c.set(&in)
			v := view(in)
			doubted(t, v, c.subject, c.says)
			if got := v.Places["fr"]; len(got) != c.places {
				t.Errorf("fr is started at %v", got)
			}
			for _, m := range in.settings.Policy.Models {
				if v.Places[m.Name] == nil {
					t.Errorf("%s could be started anywhere", m.Name)
				}
			}
		})
	}
}

func TestADeploymentWithoutASeatIsSound(t *testing.T) {
	in := nothing()
	for _, d := range in.deployments {
		for name := range d.Spec.Template.Spec.Containers[0].Resources.Limits {
			if !kube.IsGPUResource(name) {
				delete(d.Spec.Template.Spec.Containers[0].Resources.Limits, name)
			}
		}
	}
	v := view(in)
	sure(t, v)
	if len(v.Places["fr"]) != 2 {
		t.Errorf("fr is started at %v", v.Places["fr"])
	}
}
