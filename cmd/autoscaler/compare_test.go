package main

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// compared compares controllers in the scenario of the working folder. What it
// tells of its progress is on stderr, a line for each run.
func compared(t *testing.T, runs int, flags ...string) string {
	t.Helper()
	got := invoke(t, append([]string{"compare", "scenario.yaml", "--cache", "kept"}, flags...)...)
	if got.code != exitOK || strings.Count(got.stderr, "\n") != runs {
		t.Fatalf("exit code %d, stderr %q, want %d lines", got.code, got.stderr, runs)
	}
	return got.stdout
}

// results reads an array of results, without wall-clock figures.
func results(t *testing.T, text string) []object {
	t.Helper()
	var out []object
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// Simulate and compare are one judge: the same run has the same hash in both.
func TestCompareSaysWhatSimulateSays(t *testing.T) {
	t.Chdir(small().write(t))
	list := results(t, compared(t, 4, "--controllers", "tessera,static-peak", "--seeds", "2", "-o", "json"))
	if len(list) != 4 {
		t.Fatalf("%d results", len(list))
	}
	for i, flags := range [][]string{{"--seed", "1"}, {"--seed", "2"}, {"--controller", "static-peak"}, {"--controller", "static-peak", "--seed", "2"}} {
		if alone := simulated(t, flags...); alone["hash"] != list[i]["hash"] || alone["controller"] != list[i]["controller"] || alone["regret"] != list[i]["regret"] {
			t.Errorf("%v: simulate says %v of %v, compare %v of %v", flags, alone["hash"], alone["controller"], list[i]["hash"], list[i]["controller"])
		}
	}
	nowhereNull(t, "results", []any{map[string]any(list[0])})
	if _, ok := list[0]["regret_clairvoyant"]; ok {
		t.Error("regret over a clairvoyant who was not there")
	}
}

// Every form tells of every controller, and a cheap failure is marked as one.
func TestComparisonsInEveryForm(t *testing.T) {
	s := small().with(t, "policy.yaml", "slo: {latency: 3s, target: 0.99}", "slo: {latency: 3s, target: 0.9999}")
	t.Chdir(s.write(t))
	flags := []string{"--controllers", "tessera,clairvoyant,static-mean", "--seeds", "2"}
	table := compared(t, 6, append(flags, "--report", "report.html")...)
	for _, text := range []string{"small: ", "tessera !", "static-mean !", "±", "! tessera is below target: transcribe-en", "OVER CLAIRVOYANT"} {
		if !strings.Contains(table, text) {
			t.Errorf("the table does not say %q:\n%s", text, table)
		}
	}
	if again := compared(t, 6, append(flags, "--jobs", "1")...); again != table {
		t.Errorf("one job at a time, kept from before: %s", cmp.Diff(table, again))
	}
	page, err := os.ReadFile("report.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"<!doctype html>", "static-mean", "clairvoyant", "<svg", "</html>"} {
		if !strings.Contains(string(page), text) {
			t.Errorf("the report does not say %q", text)
		}
	}
	if strings.Contains(string(page), "ZgotmplZ") || strings.Contains(string(page), "NaN") {
		t.Error("the report holds what could not be written")
	}
	lines := strings.Split(strings.TrimSpace(compared(t, 6, append(flags, "-o", "csv")...)), "\n")
	if want := 1 + 6*(1+4); len(lines) != want || !strings.HasPrefix(lines[0], "scenario,controller,seed,model,") {
		t.Errorf("%d lines of CSV, want %d: %q", len(lines), want, lines[0])
	}
	markdown := compared(t, 6, append(flags, "-o", "markdown")...)
	for _, text := range []string{"### small", "| tessera ! | $"} {
		if !strings.Contains(markdown, text) {
			t.Errorf("the document does not say %q:\n%s", text, markdown)
		}
	}
}

// Results that were made elsewhere join those of their scenario, and are judged
// against the same clairvoyant and bound.
func TestMergedResults(t *testing.T) {
	t.Chdir(small().write(t))
	text := compared(t, 2, "--controllers", "tessera", "--seeds", "2", "-o", "json", "--no-bound")
	replace("elsewhere.json", strings.ReplaceAll(text, `"controller": "tessera"`, `"controller": "real-hpa"`))(t)
	list := results(t, compared(t, 2, "--controllers", "clairvoyant", "--seeds", "2", "-o", "json", "--merge", "elsewhere.json"))
	if len(list) != 4 || list[2]["controller"] != "real-hpa" {
		t.Fatalf("%d results", len(list))
	}
	for _, name := range []string{"regret", "regret_clairvoyant", "cost_lower_bound_usd"} {
		if _, ok := list[3][name].(float64); !ok {
			t.Errorf("%s of a merged result is %v", name, list[3][name])
		}
	}
	replace("elsewhere.json", strings.ReplaceAll(text, `"simulated_seconds": 10800`, `"simulated_seconds": 3600`))(t)
	failed(t, invoke(t, "compare", "scenario.yaml", "--merge", "elsewhere.json"), exitInput, "elsewhere.json", "lasts 3600 seconds")
	replace("elsewhere.json", "{}")(t)
	failed(t, invoke(t, "compare", "scenario.yaml", "--merge", "elsewhere.json"), exitInput, "elsewhere.json", "no array of results")
	failed(t, invoke(t, "compare", "scenario.yaml", "--merge", "nowhere.json"), exitInput, "nowhere.json")
	failed(t, invoke(t, "compare", "nowhere.yaml"), exitInput, "nowhere.yaml")
	failed(t, invoke(t, "compare", "scenario.yaml", "scenario.yaml"), exitUsage, `"small"`)
}

// An interrupt ends a comparison without a result.
func TestInterruptedComparison(t *testing.T) {
	t.Chdir(small().write(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got := invokeWithin(ctx, t, "compare", "scenario.yaml", "--cache", "kept")
	failed(t, got, exitFailure, "interrupted")
}

// What tune finds is what simulate and compare run.
func TestTunedSetupsAreUsed(t *testing.T) {
	t.Chdir(small().write(t))
	got := invoke(t, "tune", "scenario.yaml", "--controllers", "static-peak", "--cache", "kept", "--beginning", "1h", "--runs", "6", "--layouts", "3", "-o", "tuned.yaml")
	if got.code != exitOK || !strings.Contains(got.stdout, "small, static-peak: $") {
		t.Fatalf("exit code %d: %s%s", got.code, got.stdout, got.stderr)
	}
	tuned, usual := simulated(t, "--controller", "static-peak", "--tuned", "tuned.yaml"), simulated(t, "--controller", "static-peak")
	if tuned.number(t, "cost_usd") > usual.number(t, "cost_usd") {
		t.Errorf("tuned it costs %v, and %v as it comes", tuned["cost_usd"], usual["cost_usd"])
	}
	list := results(t, compared(t, 1, "--controllers", "static-peak", "--seeds", "1", "--tuned", "tuned.yaml", "-o", "json"))
	if list[0]["hash"] != tuned["hash"] {
		t.Error("simulate and compare read different setups")
	}
	text, err := os.ReadFile("tuned.yaml")
	if err != nil {
		t.Fatal(err)
	}
	replace("tuned.yaml", strings.ReplaceAll(string(text), `offering: "a2-ultragpu-1g"`, `offering: "none"`))(t)
	for _, command := range []string{"simulate scenario.yaml --controller static-peak", "compare scenario.yaml --controllers static-peak"} {
		failed(t, invoke(t, append(words("autoscaler " + command)[1:], "--tuned", "tuned.yaml")...), exitInput, "static-peak", "none", "autoscaler tune")
	}
	failed(t, invoke(t, "simulate", "scenario.yaml", "--tuned", "nowhere.yaml"), exitInput, "nowhere.yaml")
	replace("tuned.yaml", strings.ReplaceAll(string(text), "static-peak", "static-pek"))(t)
	failed(t, invoke(t, "simulate", "scenario.yaml", "--tuned", "tuned.yaml"), exitInput, "tuned.yaml:", "did you mean")
}
