package actuator_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// act is something that happens to a cluster: a step, or a change of what is in
// flight.
type act struct {
	step fleet.Step
	busy int // index of the pod whose streams begin or end, where there is no step
}

func acts() *rapid.Generator[[]act] {
	node := rapid.SampledFrom([]fleet.NodeID{"n-1", "n-2", "n-3"})
	replica := rapid.SampledFrom([]fleet.ReplicaID{"fr-00011", "fr-00012", "fr-00013", "de-00014", "de-00015", "de-00016"})
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) act {
		id, n := replica.Draw(t, "replica"), node.Draw(t, "node")
		switch rapid.SampledFrom([]string{"buy", "buy", "start", "start", "start", "stop", "stop", "drain", "keep", "return", "reshape", "busy"}).Draw(t, "kind") {
		case "buy":
			return act{step: buy(n)}
		case "start":
			return act{step: start(id, n, rapid.IntRange(0, 3).Draw(t, "at"))}
		case "stop":
			return act{step: stop(id)}
		case "drain":
			return act{step: drain(n)}
		case "keep":
			return act{step: keep(n)}
		case "return":
			return act{step: giveBack(n)}
		case "reshape":
			return act{step: reshape(n, "1g.10gb", []int{0, 1, 2, 3}[:rapid.IntRange(1, 4).Draw(t, "slices")]...)}
		}
		return act{busy: rapid.IntRange(0, 5).Draw(t, "pod")}
	}), 1, 14)
}

// strangers are objects of other people, which no step may touch.
func (b *bench) strangers() {
	b.put(claimsPath+"theirs", object{"kind": "NodeClaim", "apiVersion": "karpenter.sh/v1", "metadata": object{"name": "theirs"}})
	b.store(nodesPath+"training", node("training"))
	b.store("/apis/apps/v1/namespaces/models/deployments/web", object{"metadata": object{"name": "web"}, "spec": object{"replicas": 0}})
}

// play lets acts happen one after the other, with the time to settle between them.
// The steps are done as often as told, and the write with the number crashAt fails:
// before it is made, or after.
func play(t *rapid.T, all []act, times, crashAt int, late bool) *bench {
	b := newBench()
	b.strangers()
	b.deploy("fr", 0, true)
	b.deploy("de", 0, false)
	b.crash, b.late = crashAt, late
	for i, a := range all {
		plan := fleet.PlanID(fmt.Sprintf("plan-%04d", i+1))
		if a.step == nil {
			if pods := below[corev1.Pod](b.world, podsPath); a.busy < len(pods) {
				b.busy[pods[a.busy].Name] = !b.busy[pods[a.busy].Name]
			}
		}
		for range times {
			if a.step != nil {
				_ = b.Do(t.Context(), plan, a.step)
				if b.crash < 0 {
					b.restart()
					_ = b.Do(t.Context(), plan, a.step)
				}
			}
		}
		for quiet := 0; quiet < 2; quiet++ {
			before := b.changes()
			b.round()
			err := b.Settle(t.Context(), plan, b.snapshot())
			switch {
			case b.crash < 0:
				b.restart()
				quiet = -1
			case err != nil:
				t.Fatalf("%v: settle: %v", a, err)
			case b.changes() > before:
				quiet = -1
			}
		}
	}
	return b
}

// changes counts the writes that were not to the ledger.
func (b *bench) changes() int {
	n := 0
	for _, w := range b.writes {
		if w.path != ledgerPath {
			n++
		}
	}
	return n
}

// state is what is left in the end, without times, versions and the names of pods.
func (b *bench) state() []string {
	var out []string
	l := b.ledger()
	for _, w := range l.Nodes {
		out = append(out, fmt.Sprintf("wish %s as %s, draining %t, returning %t, cut %v, ready %t", w.ID, w.GPUs[0].Geometry, w.Draining, w.Returning, w.Cut, !w.ReadyAt.IsZero()))
	}
	for _, s := range l.Replicas {
		out = append(out, fmt.Sprintf("seat %s of %s on %s, leaving %t", s.ID, s.Server, s.Slice, s.Leaving != nil))
	}
	for _, n := range below[corev1.Node](b.world, nodesPath) {
		out = append(out, fmt.Sprintf("node %s %s, cordoned %t, offers %v", n.Name, n.Labels[kube.LabelMIGConfig], n.Spec.Unschedulable, n.Status.Allocatable))
		var models []string
		for _, pod := range below[corev1.Pod](b.world, podsPath) {
			if pod.Spec.NodeName == n.Name {
				models = append(models, pod.Labels[kube.LabelModel])
			}
		}
		slices.Sort(models)
		out = append(out, fmt.Sprintf("pods on %s: %v", n.Name, models))
	}
	return append(out, fmt.Sprintf("fr %d, de %d", b.replicas("fr"), b.replicas("de")))
}

// Whatever the steps, and wherever it crashes, the cluster ends as if it had not; a
// step that is done twice is done once; nothing of others is touched; no write is for
// no plan; and no stream is cut.
func TestCrashesAndRepetitionsLeaveNoTrace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := acts().Draw(t, "acts")
		want := play(t, all, 1, 0, false)
		crashed := play(t, all, 1, rapid.IntRange(1, 40).Draw(t, "crash"), rapid.Bool().Draw(t, "late"))
		if diff := cmp.Diff(want.state(), crashed.state()); diff != "" {
			t.Fatalf("a crash made a difference (-without +with):\n%s", diff)
		}
		twice := play(t, all, 2, 0, false)
		if diff := cmp.Diff(want.state(), twice.state()); diff != "" {
			t.Fatalf("repetition made a difference (-once +twice):\n%s", diff)
		}
		for _, b := range []*bench{want, crashed, twice} {
			b.isDecent(t)
		}
	})
}

func (b *bench) isDecent(t *rapid.T) {
	for _, w := range b.writes {
		if !strings.Contains(w.agent, "(plan plan-") {
			t.Errorf("%s %s is for no plan", w.method, w.path)
		}
		if strings.HasSuffix(w.path, "/theirs") || strings.HasSuffix(w.path, "/training") || strings.Contains(w.path, "/web") {
			t.Errorf("%s %s is not ours", w.method, w.path)
		}
	}
	if len(b.cutOff) > 0 {
		t.Errorf("streams were cut on %v", b.cutOff)
	}
}
