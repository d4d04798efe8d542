package main

import (
	"strings"
	"testing"
)

// A cap that leaves a model short says what it cost, and with --cost-of-caps also what
// came out of the same world without it; the hash speaks of the first run alone.
func TestCostOfCapsIsTold(t *testing.T) {
	files := small()
	files["policy.yaml"] = strings.Replace(files["policy.yaml"], `amount: "20"`, `amount: "6"`, 1)
	t.Chdir(files.write(t))
	plain, both := simulated(t), simulated(t, "--cost-of-caps")
	if _, there := plain["without_cap"]; there || plain["hash"] != both["hash"] {
		t.Errorf("hash %v with the runs without caps, %v without; without_cap is there: %v", both["hash"], plain["hash"], there)
	}
	costs, _ := both["cost_of_caps"].([]any)
	without, _ := both["without_cap"].([]any)
	if len(costs) == 0 || len(without) != 1 {
		t.Fatalf("%d costs of caps and %d runs without: %v", len(costs), len(without), both["cost_of_caps"])
	}
	first, _ := costs[0].(map[string]any)
	if first["cap"] != "$6.00 per hour" || first["on_exceeded"] != "hold" || !strings.HasSuffix(first["rise"].(string), " per hour") {
		t.Errorf("the first cost is %v", first)
	}
	got := invoke(t, "simulate", "scenario.yaml", "--cost-of-caps")
	succeeded(t, got)
	for _, text := range []string{"what the caps cost", "run again without it: without the cap of $6.00 per hour all costs $"} {
		if !strings.Contains(got.stdout, text) {
			t.Errorf("the table does not say %q:\n%s", text, got.stdout)
		}
	}
}
