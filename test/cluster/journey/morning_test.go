package journey

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/internal/kube"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func (j *journey) firstGPU(t *testing.T) {
	eventually(t, patience, "a purchase", func() (bool, string) {
		return len(j.witness.bought()) > 0, j.why(t)
	})
	first := j.witness.bought()[0]
	j.diary.say("the first node was asked for %.1f s after the start", first.asked.Sub(j.begin).Seconds())
	eventually(t, patience, "several languages on one GPU", func() (bool, string) {
		_, serve := j.mixed()
		return len(serve) == len(languages), fmt.Sprintf("serving: %v; wanted: %v\n%s", j.witness.serving(), j.witness.wanted(), j.why(t))
	})
	first = j.witness.bought()[0]
	node, serve := j.mixed()
	j.diary.say("%d languages share one GPU, %.0f s after it was asked for: %s", len(serve), time.Since(first.asked).Seconds(), described(j.witness.serving()))
	if node != first.node {
		t.Errorf("the pods run on %s, and the plan's node is %s", node, first.node)
	}
	if late := lateness(t, j.cluster, node); late < deviceDelay-time.Second {
		t.Errorf("the GPU was there %s after the node was ready; the world should make it late by %s", late, deviceDelay)
	}
	if on := len(j.witness.serving()); on != 1 {
		t.Errorf("pods serve on %d nodes, want 1: %v", on, j.witness.serving())
	}
	eventually(t, patience, "the leader knowing its signals", func() (bool, string) {
		leader, _ := j.leader(t)
		if leader == nil {
			return false, "nobody leads"
		}
		r := leader.readyz(t.Context())
		return r.Ready, r.String()
	})
	j.diary.say("the leader is ready: it knows the signals of its models")
	j.asPlanned(t)
	if lives := claims(t, j.cluster); len(lives) != 1 || lives[0].offering != "a2-ultragpu-1g" {
		t.Errorf("the audit log has the claims %v, want one of a2-ultragpu-1g", lives)
	}
}

func (j *journey) riseForeseen(t *testing.T) {
	eventually(t, time.Until(j.day.rise), "a second purchase before the rise", func() (bool, string) {
		return len(j.witness.bought()) > 1, j.why(t)
	})
	var lives []claimLife
	eventually(t, patience, "the audit log telling of it", func() (bool, string) { // it follows what the witness sees
		lives = claims(t, j.cluster)
		return len(lives) > 1, fmt.Sprint(lives)
	})
	second := lives[1]
	early := j.day.rise.Sub(second.asked)
	j.diary.say("the second node was asked for %.0f s before the rise", early.Seconds())
	if early <= 0 || early > 3*time.Minute {
		t.Errorf("the second node was asked for %s before the rise, want between 0 and 3m", early)
	}
	time.Sleep(time.Until(j.day.rise))
	before := tally(j.emitter)
	j.diary.say("the traffic rises; there serve %s", described(j.witness.serving()))
	eventually(t, 30*time.Second, "service on two nodes", func() (bool, string) {
		return len(j.witness.serving()) >= 2, fmt.Sprintf("%v\n%s", j.witness.serving(), j.why(t))
	})
	j.asPlanned(t)
	time.Sleep(time.Until(j.day.rise.Add(45 * time.Second))) // one and a half windows of the signals
	share, answers := tally(j.emitter).attained(before)
	j.diary.say("of %d answers since the rise %.1f %% came within %s", answers, 100*share, slo)
	if share < 0.95 || answers < 400 {
		t.Errorf("of %d answers at the rise %.1f %% came in time, want 95 %% of at least 400", answers, 100*share)
	}
}

// asPlanned wants the pods on the nodes for which the ledger has seats for them.
func (j *journey) asPlanned(t *testing.T) {
	t.Helper()
	eventually(t, patience, "each pod on the node of its plan", func() (bool, string) {
		stored, err := j.cluster.Client.CoreV1().ConfigMaps(programNamespace).Get(t.Context(), "tessera", metav1.GetOptions{})
		if err != nil {
			return false, err.Error()
		}
		ledger, err := kube.DecodeLedger(stored.Data[kube.LedgerKey])
		if err != nil {
			return false, err.Error()
		}
		planned, there := map[string]int{}, map[string]int{}
		for _, seat := range ledger.Replicas {
			model, _, _ := cutLast(seat.Server.Name, "-")
			planned[string(seat.Slice.GPU.Node)+" "+model]++
		}
		for node, models := range j.witness.serving() {
			for model, n := range models {
				there[claimOf(node)+" "+model] += n
			}
		}
		return maps.Equal(planned, there), fmt.Sprintf("planned %v, there %v", planned, there)
	})
}
