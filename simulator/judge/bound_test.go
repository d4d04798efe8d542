package judge_test

import (
	"strings"
	"testing"

	"github.com/tessera-autoscaler/tessera/simulator/judge"
)

// TestTheBoundKnowsTheWorld: its sessions, its reserved nodes and its faults. What is
// reserved is paid by anyone; the rest of the bound is for what was served.
func TestTheBoundKnowsTheWorld(t *testing.T) {
	world := replaced(t, "  traffic:", "  reserved: [{offering: own, nodes: 1, pricePerHour: \"1.50\"}]\n"+
		"  faults: [{kind: server-crash, at: 1h}, {kind: node-death, at: 2h}]\n  traffic:")
	for _, change := range [][2]string{
		{"peak: 3}", "peak: 0.5}"},
		{"      offerings:\n", "      offerings:\n      - {name: own, gpu: a100-80gb, purchase: reserved, pricePerHour: \"0\", limit: 1}\n"},
		{"currency: USD\n      classes", "currency: USD\n      offerings: [a2-ultragpu-1g, own]\n      classes"},
		{"      - name: asr\n", "      - name: asr\n        serves: sessions\n        meanWork: 300\n"},
		{"a100-80gb/1g.10gb: {", "a100-80gb/1g.10gb: {streams: 4, "},
		{"a100-80gb/whole: {", "a100-80gb/whole: {streams: 40, "},
	} {
		if strings.Count(world, change[0]) != 1 {
			t.Fatalf("the toy holds %q %d times", change[0], strings.Count(world, change[0]))
		}
		world = strings.Replace(world, change[0], change[1], 1)
	}
	s, dearer := load(t, world), load(t, strings.Replace(world, "1.50", "2.50", 1))
	for _, controller := range []string{judge.Tessera, judge.Clairvoyant} {
		r, err := judge.NewTrial(s, 1).Run(t.Context(), judge.Job{Controller: controller, Bound: true})
		if err != nil {
			t.Fatal(err)
		}
		least, cost := *r.CostLowerBoundUSD, r.Cost.Float()
		if seconds := *r.ByModel["transcribe-en"].RealTimeSeconds; seconds < 1e6 {
			t.Fatalf("%s serves %v seconds of sessions: the scenario says nothing", controller, seconds)
		}
		if least > cost || least < cost/2 {
			t.Errorf("%s: the bound is %.3f, and it paid %.3f", controller, least, cost)
		}
		if err := judge.NewTrial(dearer, 1).Bound(t.Context(), &r); err != nil {
			t.Fatal(err)
		}
		if got := *r.CostLowerBoundUSD; got < least+2.999 || got > least+3.001 {
			t.Errorf("%s: the bound is %.3f, and %.3f where three hours of what is reserved cost 3 more", controller, least, got)
		}
	}
}
