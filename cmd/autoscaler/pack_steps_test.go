package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// running is an instance with two whole GPUs where one, cut, would do.
const runningPair = `gpus: [{name: a100-80gb, price_per_hour: "3.43", mig: a100-80gb, per_node: 1, max_nodes: 10}]
models:
- {name: fr, demand: 100, throughput: {a100-80gb: {1g.10gb: 120.0, 2g.20gb: 260.0, 7g.80gb: 1100.0}}}
- {name: de, demand: 700, throughput: {a100-80gb: {1g.10gb: 120.0, 2g.20gb: 260.0, 3g.40gb: 450, 7g.80gb: 1100.0}}}
`

const runningCurrent = `current:
- {type: a100-80gb, node: 0, geometry: [{profile: 7g.80gb, start: 0, model: de}]}
- {type: a100-80gb, node: 1, geometry: [{profile: 7g.80gb, start: 0, model: fr}]}
`

// The steps save a GPU where it is kept long enough, and there are none where they
// cost more than that.
func TestPackStepsAreWorthTheirPrice(t *testing.T) {
	t.Chdir(setting{"instance.yaml": runningPair + runningCurrent, "fresh.yaml": runningPair}.write(t))
	long := invoke(t, "pack", "--input", "instance.yaml", "--steps", "--keep", "4h")
	if long.code != exitOK || !strings.Contains(long.stdout, "afterwards 3.43") || !strings.Contains(long.stdout, "every step replayed") {
		t.Errorf("exit %d: %s%s", long.code, long.stdout, long.stderr)
	}
	short := invoke(t, "pack", "--input", "instance.yaml", "--steps", "--keep", "1m", "--disruption", "5")
	if short.code != exitOK || !strings.Contains(short.stdout, "nothing to do") {
		t.Errorf("exit %d: %s%s", short.code, short.stdout, short.stderr)
	}
	var plan struct {
		Steps []struct {
			Do string `json:"do"`
		} `json:"steps"`
	}
	asJSON := invoke(t, "pack", "--input", "instance.yaml", "--steps", "--keep", "4h", "-o", "json")
	if err := json.Unmarshal([]byte(asJSON.stdout), &plan); err != nil || len(plan.Steps) < 5 {
		t.Errorf("%v: %s", err, asJSON.stdout)
	}
	failed(t, invoke(t, "pack", "--input", "fresh.yaml", "--steps"), exitInput, "current is empty")
	failed(t, invoke(t, "pack", "--input", "fresh.yaml", "--steps", "--explain"), exitUsage, "give one of them")
	failed(t, invoke(t, "pack", "--input", "fresh.yaml", "--steps", "--keep", "0s"), exitUsage, "above 0")
	failed(t, invoke(t, "pack", "--input", "instance.yaml", "--steps", "--disruption", "much"), exitUsage, "--disruption")
}

// An explanation says of each GPU what it costs as it is and by itself.
func TestPackExplainsEachGPU(t *testing.T) {
	t.Chdir(setting{"instance.yaml": runningPair}.write(t))
	got := invoke(t, "pack", "--input", "instance.yaml", "--explain")
	for _, want := range []string{"whole GPUs for each model would cost 6.86", "may grow by", "checked"} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("it does not say %q: %s%s", want, got.stdout, got.stderr)
		}
	}
	var answer struct {
		Checked   bool              `json:"checked"`
		Explained []json.RawMessage `json:"explained"`
	}
	asJSON := invoke(t, "pack", "--input", "instance.yaml", "--explain", "-o", "json")
	if err := json.Unmarshal([]byte(asJSON.stdout), &answer); err != nil || !answer.Checked || len(answer.Explained) != 1 {
		t.Errorf("%v: %s", err, asJSON.stdout)
	}
}
