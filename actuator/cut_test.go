package actuator_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/tessera-autoscaler/tessera/actuator"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// A node is cut when it offers what is wanted, through one detour if mig-manager
// fails or hangs once, and is left alone when it does so again.
func TestReshapeIsVerifiedByWhatTheNodeOffers(t *testing.T) {
	for _, tt := range []struct {
		name, mig string
		once      int
		want      string // failure: empty for none
	}{
		{"at once", "", 0, ""},
		{"failed once", "failed", 1, ""},
		{"stuck once", "stuck", 1, ""},
		{"failed twice", "failed", 0, `mig-manager says "failed"`},
		{"stuck for ever", "stuck", 0, `mig-manager says "pending"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench()
			b.config.ReshapeDeadline = 2 * time.Minute
			b.restart()
			b.deploy("en", 0, true)
			b.do(t, buy("n-1"))
			b.settle(t, 2)
			b.mig, b.migOnce = tt.mig, tt.once
			b.do(t, reshape("n-1", "1g.10gb", 0, 1))
			if n := load[corev1.Node](b.objects[nodesPath+"n-1"]); !n.Spec.Unschedulable {
				t.Error("pods may come on a node that is being cut")
			}
			b.settle(t, 40)
			l := b.ledger()
			n := load[corev1.Node](b.objects[nodesPath+"n-1"])
			cut := l.Node("n-1").Cut
			if tt.want == "" {
				if cut != nil || n.Spec.Unschedulable || kube.Allocatable(n)["nvidia.com/mig-1g.10gb"] != 2 {
					t.Fatalf("cut %+v, node %+v", cut, n)
				}
				b.tells(t, "Normal NodeReshaped Node/n-1", "is cut as 2×1g.10gb")
				return
			}
			if cut == nil || !n.Spec.Unschedulable {
				t.Fatalf("cut %+v, unschedulable %t", cut, n.Spec.Unschedulable)
			}
			b.tells(t, "Warning ReshapeFailed Node/n-1", tt.want)
			if err := b.try(t, start("en-1", "n-1", 0)); actuator.KindOf(err) != actuator.Refused {
				t.Errorf("a node that was not cut takes replicas: %v", err)
			}
			delete(b.applied, "n-1") // somebody mends it
			b.mig = ""
			b.settle(t, 2)
			if l := b.ledger(); l.Node("n-1").Cut != nil {
				t.Errorf("mended and still left alone: %+v", l.Node("n-1").Cut)
			}
		})
	}
}

// A node that should be born with its geometry and is not is helped the same way.
func TestANodeBornWithoutItsGeometryIsCutAnew(t *testing.T) {
	b := newBench()
	b.config.ReshapeDeadline = 2 * time.Minute
	b.restart()
	b.mig, b.migOnce = "stuck", 1
	b.do(t, buy("n-1"))
	b.settle(t, 30)
	if l := b.ledger(); l.Node("n-1").ReadyAt.IsZero() || l.Node("n-1").Cut != nil {
		t.Errorf("%+v", l.Node("n-1"))
	}
}

// mig-manager's file keeps what other people wrote there.
func TestGeometriesOfOthersAreKept(t *testing.T) {
	b := newBench()
	theirs := "version: v1\nmig-configs:\n  theirs:\n  - device-filter: [\"0x20B210DE\"]\n    devices: all\n    mig-enabled: false\n"
	b.store(geometriesPath, &corev1.ConfigMap{Data: map[string]string{kube.MIGConfigKey: theirs, "other": "x"}})
	dig(b.objects[geometriesPath], "metadata")["name"] = "geometries"
	b.do(t, buy("n-1"))
	got := load[corev1.ConfigMap](b.objects[geometriesPath]).Data
	want := "mig-configs:\n  tessera-7x1g.10gb:\n  - devices: all\n    mig-devices:\n      1g.10gb: 7\n    mig-enabled: true\n" +
		"  theirs:\n  - device-filter:\n    - \"0x20B210DE\"\n    devices: all\n    mig-enabled: false\nversion: v1\n"
	if got[kube.MIGConfigKey] != want || got["other"] != "x" {
		t.Errorf("%s", got[kube.MIGConfigKey])
	}
}

// What mig-manager told of the geometry before does not end the detour, and a try has
// its whole time from when mig-manager was told of it.
func TestEveryTryHasItsTime(t *testing.T) {
	b := newBench()
	b.config.ReshapeDeadline = 2 * time.Minute
	b.restart()
	b.do(t, buy("n-1"))
	b.settle(t, 2)
	label := func() string { return load[corev1.Node](b.objects[nodesPath+"n-1"]).Labels[kube.LabelMIGConfig] }
	b.before = func(_, path string) int {
		if path == nodesPath+"n-1" {
			return 403
		}
		return 0
	}
	_ = b.try(t, reshape("n-1", "1g.10gb", 0, 1))
	took := map[string]time.Duration{}
	for range 24 {
		b.applied["n-1"] = label() // mig-manager sleeps, and its last word was success
		b.round()
		if label() == kube.AllDisabled || took[kube.AllDisabled] == 0 { // not the second try
			took[label()] += 15 * time.Second
		}
		_ = b.Settle(t.Context(), "plan-x", b.snapshot())
		if took["tessera-7x1g.10gb"] >= 90*time.Second {
			b.before = nil
		}
	}
	for _, name := range []string{"tessera-2x1g.10gb", kube.AllDisabled} {
		if took[name] < 2*time.Minute {
			t.Errorf("%s was given up after %s, of %v", name, took[name], took)
		}
	}
}
