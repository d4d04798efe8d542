package kube_test

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

func TestMatch(t *testing.T) {
	fr, de := serverOf("fr", small), serverOf("de", small)
	both := []kube.Server{de, fr}
	host := map[string]kube.Host{"kwok-1": {ID: "n1", GPUs: sevenths(1)}}
	going := func(p *corev1.Pod) *corev1.Pod {
		p.DeletionTimestamp = &metav1.Time{Time: start}
		return p
	}
	leavingSeat := seatOn("r1", fr, "n1", 0)
	leavingSeat.Leaving = &kube.Leaving{Pod: "young", UID: "uid-young", Since: start}

	for _, c := range []struct {
		name     string
		ledger   kube.Ledger
		servers  []kube.Server
		pods     []*corev1.Pod
		want     string
		waiting  int
		homeless int
	}{
		{
			name: "the oldest pod takes the first seat", ledger: ledgerOf(seatOn("r1", fr, "n1", 0), seatOn("r2", fr, "n1", 1)),
			pods: []*corev1.Pod{podOf(fr, "young", "kwok-1", 1), podOf(fr, "old", "kwok-1", 9)}, want: "r1=old r2=young ",
		},
		{
			name: "what leaves is known by its identity", ledger: ledgerOf(leavingSeat, seatOn("r2", fr, "n1", 1)),
			pods: []*corev1.Pod{podOf(fr, "young", "kwok-1", 1), podOf(fr, "old", "kwok-1", 9)}, want: "r1=young r2=old ",
		},
		{
			name: "a pod of another identity does not leave", ledger: ledgerOf(leavingSeat),
			pods: []*corev1.Pod{podOf(fr, "other", "kwok-1", 1)}, want: "other=other r1=- ",
		},
		{
			name: "a pod on its way out fills no seat", ledger: ledgerOf(seatOn("r1", fr, "n1", 0)),
			pods: []*corev1.Pod{going(podOf(fr, "p", "kwok-1", 9)), podOf(fr, "q", "kwok-1", 1)}, want: "p=p r1=q ",
		},
		{
			name:   "a seat on a node that is still to come has no pod, and its pod does not wait for nothing",
			ledger: ledgerOf(seatOn("r1", fr, "n2", 0)), pods: []*corev1.Pod{podOf(fr, "p", "", 1)}, want: "r1=- ",
		},
		{
			name: "pods beyond the seats wait", ledger: ledgerOf(seatOn("r1", fr, "n2", 0)),
			pods: []*corev1.Pod{podOf(fr, "p", "", 3), podOf(fr, "q", "", 2)}, want: "r1=- ", waiting: 1,
		},
		{name: "a pod that nobody set there is a replica under its own name", pods: []*corev1.Pod{podOf(fr, "p", "kwok-1", 3)}, want: "p=p "},
		{name: "where no slice is known it has no home", pods: []*corev1.Pod{podOf(fr, "p", "training-1", 3)}, homeless: 1},
		{name: "a pod that ended is nothing", pods: []*corev1.Pod{func() *corev1.Pod {
			p := podOf(fr, "p", "kwok-1", 3)
			p.Status.Phase = corev1.PodFailed
			return p
		}()}},
		{
			name: "a seat whose Deployment is not there is still a seat", servers: []kube.Server{de},
			ledger: ledgerOf(seatOn("r1", fr, "n1", 0)), pods: []*corev1.Pod{podOf(fr, "p", "kwok-1", 3)}, want: "r1=- ",
		},
		{name: "pods of another build are another Deployment's", ledger: ledgerOf(seatOn("r1", fr, "n1", 0)), pods: []*corev1.Pod{func() *corev1.Pod {
			p := podOf(fr, "p", "kwok-1", 3)
			p.Labels[kube.LabelVariant] = "int8"
			return p
		}()}, want: "r1=- "},
	} {
		t.Run(c.name, func(t *testing.T) {
			servers := both
			if c.servers != nil {
				servers = c.servers
			}
			m := kube.Match(c.ledger, servers, host, c.pods)
			same(t, "replicas", pairs(m), c.want)
			if len(m.Waiting[fr.Key]) != c.waiting || len(m.Homeless) != c.homeless {
				t.Errorf("%d wait and %d have no home, want %d and %d", len(m.Waiting[fr.Key]), len(m.Homeless), c.waiting, c.homeless)
			}
		})
	}
}

func TestMatchNamesOfTwoNamespaces(t *testing.T) {
	fr := serverOf("fr", small)
	other := fr
	other.Key.Namespace = "elsewhere"
	m := kube.Match(kube.Ledger{}, []kube.Server{fr, other}, map[string]kube.Host{"a": {ID: "a", GPUs: sevenths(1)}},
		[]*corev1.Pod{podOf(fr, "p", "a", 1), podOf(other, "p", "a", 1)})
	same(t, "replicas", pairs(m), "elsewhere/p=p p=p ")
}

// Every seat appears exactly once, no pod is two replicas, no slice holds two, and no
// pod is lost: it is a replica, waits, has no home or is on its way out.
func TestMatchLosesNothing(t *testing.T) {
	servers := []kube.Server{serverOf("de", small), serverOf("fr", small), serverOf("gone", small)}
	rapid.Check(t, func(t *rapid.T) {
		hosts := map[string]kube.Host{"k0": {ID: "n0", GPUs: sevenths(1)}, "k1": {ID: "n1", GPUs: sevenths(1)}} // n2 is to come
		var l kube.Ledger
		for i := range 21 {
			if !rapid.Bool().Draw(t, "seat") {
				continue
			}
			s := seatOn(fmt.Sprintf("r%02d", i), servers[rapid.IntRange(0, 2).Draw(t, "server")], fmt.Sprintf("n%d", i/7), i%7)
			if rapid.IntRange(0, 3).Draw(t, "leaving") == 0 {
				name := fmt.Sprintf("p%02d", rapid.IntRange(0, 19).Draw(t, "pod"))
				s.Leaving = &kube.Leaving{Pod: name, UID: podOf(servers[0], name, "", 0).UID, Since: start}
			}
			l.PutReplica(s)
		}
		var pods []*corev1.Pod
		for i := range rapid.IntRange(0, 20).Draw(t, "pods") {
			p := podOf(servers[rapid.IntRange(0, 1).Draw(t, "of")], fmt.Sprintf("p%02d", i),
				rapid.SampledFrom([]string{"", "k0", "k1", "k9"}).Draw(t, "node"), rapid.IntRange(0, 5).Draw(t, "age"))
			if rapid.IntRange(0, 4).Draw(t, "going") == 0 {
				p.DeletionTimestamp = &metav1.Time{Time: start.Add(time.Second)}
			}
			pods = append(pods, p)
		}

		m := kube.Match(l, servers[:2], hosts, pods)

		listed, of, on := map[fleet.ReplicaID]int{}, map[*corev1.Pod]int{}, map[fleet.SliceID]int{}
		for _, s := range m.Seated {
			listed[s.Seat.ID]++
			on[s.Seat.Slice]++
			if s.Pod != nil {
				of[s.Pod]++
			}
			if listed[s.Seat.ID] > 1 || on[s.Seat.Slice] > 1 || s.Pod != nil && of[s.Pod] > 1 {
				t.Fatalf("%s or its slice or pod is there twice: %s", s.Seat.ID, pairs(m))
			}
		}
		for _, s := range l.Replicas {
			if listed[s.ID] != 1 {
				t.Fatalf("seat %s is there %d times: %s", s.ID, listed[s.ID], pairs(m))
			}
		}
		for _, p := range m.Homeless {
			of[p]++
		}
		awaited := map[kube.Key]int{} // seats without a pod
		for _, s := range m.Seated {
			if s.Pod == nil && s.Seat.Leaving == nil {
				awaited[s.Seat.Server]++
			}
		}
		for _, s := range servers[:2] {
			unscheduled := 0
			for _, p := range pods {
				if p.Labels[kube.LabelModel] == string(s.Model) && p.Spec.NodeName == "" && p.DeletionTimestamp == nil {
					unscheduled++
				}
			}
			if want := max(0, unscheduled-awaited[s.Key]); len(m.Waiting[s.Key]) != want {
				t.Fatalf("%d of %s wait, want %d", len(m.Waiting[s.Key]), s.Key, want)
			}
		}
		for _, p := range pods {
			if p.Spec.NodeName != "" && p.DeletionTimestamp == nil && of[p] != 1 {
				t.Fatalf("pod %s is %d things: %s", p.Name, of[p], pairs(m))
			}
		}
	})
}
