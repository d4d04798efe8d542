package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/tessera-autoscaler/tessera/packing"
	"github.com/tessera-autoscaler/tessera/packing/check"
)

// instance needs two GPUs of which one is mixed.
const instance = `gpus:
- {name: a100-80gb, price_per_hour: "3.43", mig: a100-80gb, per_node: 1, max_nodes: 10}
models:
- {name: transcribe-en, demand: 1000, throughput: {a100-80gb: {1g.10gb: 120, 2g.20gb: 260, 7g.80gb: 1100}}}
- {name: transcribe-fr, demand: 100, throughput: {a100-80gb: {1g.10gb: 120, 2g.20gb: 260, 7g.80gb: 1100}}}
- {name: transcribe-de, demand: 200, throughput: {a100-80gb: {1g.10gb: 120, 2g.20gb: 260, 7g.80gb: 1100}}}
`

func TestPackDrawsALayoutWithItsBound(t *testing.T) {
	t.Chdir(setting{"instance.yaml": instance}.write(t))
	got := invoke(t, "pack", "--input", "instance.yaml")
	succeeded(t, got)
	for _, text := range []string{"transcribe-en", "transcribe-fr", "transcribe-de", "a100-80gb", "6.86"} {
		if !strings.Contains(got.stdout, text) {
			t.Errorf("the layout does not show %q:\n%s", text, got.stdout)
		}
	}
}

func TestPackedAnswerIsCheckedAndHasItsFields(t *testing.T) {
	t.Chdir(setting{"instance.yaml": instance}.write(t))
	got := invoke(t, "pack", "--input", "instance.yaml", "-o", "json")
	succeeded(t, got)
	var fields object
	if err := json.Unmarshal([]byte(got.stdout), &fields); err != nil {
		t.Fatal(err)
	}
	expect(t, "the answer", fields, map[string]string{
		"gpus_used": "integer", "nodes_used": "integer", "cost_per_hour": "number", "lower_bound_per_hour": "number", "gap": "number",
		"certificate": "object", "unserved": "object", "gpus": "array", "truncated": "boolean", "checked": "boolean", "milliseconds": "number",
	})
	if fields["checked"] != true || fields["gpus_used"] != 2.0 || fields["gap"] != 0.0 {
		t.Errorf("checked %v, %v GPUs, gap %v", fields["checked"], fields["gpus_used"], fields["gap"])
	}
	// What was printed says all that the checker needs.
	var answer packing.Answer
	if err := json.Unmarshal([]byte(got.stdout), &answer); err != nil {
		t.Fatal(err)
	}
	problem, err := readProblem("instance.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := check.Verify(problem, answer); err != nil {
		t.Error(err)
	}
}

// YAML and JSON are the same instance.
func TestPackReadsJSON(t *testing.T) {
	t.Chdir(setting{"instance.yaml": instance}.write(t))
	problem, err := readProblem("instance.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(problem)
	if err != nil {
		t.Fatal(err)
	}
	replace("instance.json", string(text))(t)
	yaml, fromJSON := invoke(t, "pack", "--input", "instance.yaml"), invoke(t, "pack", "--input", "instance.json")
	succeeded(t, fromJSON)
	if yaml.stdout != fromJSON.stdout {
		t.Errorf("from YAML\n%s\nand from JSON\n%s", yaml.stdout, fromJSON.stdout)
	}
}

func TestBadInstancesSayWhereAndWhatToDo(t *testing.T) {
	for _, tt := range []struct {
		name     string
		old, new string
		at       string
		says     string
	}{
		{"misspelt key", "max_nodes", "max_node", "instance.yaml:2:74: ", `did you mean "max_nodes"?`},
		{"unknown part", "mig: a100-80gb", "mig: a100-80g", "instance.yaml:2:", "a100-80g"},
		{"unquoted price", `"3.43"`, "3.43", "instance.yaml:2:37: ", `quote it: "3.43"`},
		{"negative demand", "demand: 1000", "demand: -1000", "instance.yaml:4:", "demand"},
		{"demand that is no number", "demand: 1000", "demand: .nan", "instance.yaml:4:", "not a finite number"},
		{"slice that does not exist", "transcribe-fr, demand: 100, throughput: {a100-80gb: {1g.10gb", "transcribe-fr, demand: 100, throughput: {a100-80gb: {1g.11gb", "instance.yaml:5:", "1g.11gb"},
		{"unknown GPU", "transcribe-fr, demand: 100, throughput: {a100-80gb", "transcribe-fr, demand: 100, throughput: {a100", "instance.yaml:5:", "a100"},
		{"slice that does nothing", "transcribe-fr, demand: 100, throughput: {a100-80gb: {1g.10gb: 120", "transcribe-fr, demand: 100, throughput: {a100-80gb: {1g.10gb: 0", "instance.yaml:5:", "leave out a slice that cannot serve"},
		{"share that nobody declares", "transcribe-fr, demand: 100, throughput: {a100-80gb: {1g.10gb", "transcribe-fr, demand: 100, throughput: {a100-80gb: {whole/4", "instance.yaml:5:", "no such profile"},
		{"share of nothing", "max_nodes: 10", "max_nodes: 10, shared: [9g.90gb/2]", "instance.yaml:2:", `no profile "9g.90gb"`},
		{"process of one model", "max_nodes: 10", "max_nodes: 10, process: {models: 1, loss: 0}", "instance.yaml:2:", "from 2 to"},
		{"geometry that the GPU cannot have", "models:\n", "current: [{type: a100-80gb, node: 1, geometry: [{profile: 3g.40gb, start: 1}]}]\nmodels:\n", "instance.yaml:3:", "cannot start at 1"},
		{"no slice with memory enough", "transcribe-fr, demand: 100", "transcribe-fr, memory_mib: 90000, demand: 100", "instance.yaml:5:", "a100-80gb/7g.80gb: has 80384 MiB of the 90000 it needs"},
		{"no slice fast enough", "transcribe-fr, demand: 100", "transcribe-fr, max_latency: 0.3, demand: 100", "instance.yaml:5:", "latency is not known"},
		{"model twice", "transcribe-fr", "transcribe-en", "instance.yaml:5:", "transcribe-en"},
		{"empty", instance, "", "instance.yaml:1:1: ", "empty"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(setting{"instance.yaml": instance}.with(t, "instance.yaml", tt.old, tt.new).write(t))
			for _, output := range []string{"table", "json"} {
				got := invoke(t, "pack", "--input", "instance.yaml", "-o", output)
				failed(t, got, exitInput, tt.says)
				if !strings.HasPrefix(got.stderr, tt.at) {
					t.Errorf("the message does not begin with %q: %q", tt.at, got.stderr)
				}
			}
		})
	}
	t.Chdir(t.TempDir())
	failed(t, invoke(t, "pack", "--input", "nowhere.yaml"), exitInput, "nowhere.yaml")
	if err := os.Mkdir("folder", 0o700); err != nil {
		t.Fatal(err)
	}
	failed(t, invoke(t, "pack", "--input", "folder"), exitInput, "folder")
}

// Without a limit on time the answer is the same; with one it comes in time and
// says so.
func TestPackEndsInTimeAndSaysSo(t *testing.T) {
	t.Chdir(setting{"instance.yaml": instance}.write(t))
	got := invoke(t, "pack", "--input", "instance.yaml", "--effort", "high", "--time-limit", "1ns")
	succeeded(t, got)
	for _, text := range []string{"truncated", "checked: layout, demand, cost and bound"} {
		if !strings.Contains(got.stdout, text) {
			t.Errorf("%q is not in\n%s", text, got.stdout)
		}
	}
	for _, args := range [][]string{{"--time-limit", "-1s"}, {"--effort", "heroic"}} {
		failed(t, invoke(t, append([]string{"pack", "--input", "instance.yaml"}, args...)...), exitUsage, args[0])
	}
}
