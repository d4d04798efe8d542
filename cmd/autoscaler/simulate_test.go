package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// object is JSON as another program reads it.
type object map[string]any

// simulated runs the scenario of the working folder and reads its JSON.
func simulated(t *testing.T, flags ...string) object {
	t.Helper()
	got := invoke(t, append([]string{"simulate", "scenario.yaml", "-o", "json"}, flags...)...)
	succeeded(t, got)
	decoder := json.NewDecoder(strings.NewReader(got.stdout))
	var out object
	if err := decoder.Decode(&out); err != nil {
		t.Fatal(err)
	}
	if rest, _ := io.ReadAll(decoder.Buffered()); strings.TrimSpace(string(rest)) != "" {
		t.Errorf("after the result, stdout holds %.60q", rest)
	}
	return out
}

// within is an object in an object.
func (o object) within(t *testing.T, name string) object {
	t.Helper()
	inner, ok := o[name].(map[string]any)
	if !ok {
		t.Fatalf("%s is %v", name, o[name])
	}
	return inner
}

// number is a number in an object.
func (o object) number(t *testing.T, name string) float64 {
	t.Helper()
	x, ok := o[name].(float64)
	if !ok {
		t.Fatalf("%s is %v", name, o[name])
	}
	return x
}

// shape names the JSON type of a value: integer, number, string, boolean, array,
// object or null.
func shape(v any) string {
	switch v := v.(type) {
	case float64:
		if v == float64(int64(v)) {
			return "integer"
		}
		return "number"
	case string:
		return "string"
	case bool:
		return "boolean"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	}
	return "null"
}

// expect complains unless an object has exactly these fields, with their types. A
// whole number is a number too.
func expect(t *testing.T, what string, got object, want map[string]string) {
	t.Helper()
	for name, kind := range want {
		v, ok := got[name]
		if is := shape(v); !ok || is != kind && (kind != "number" || is != "integer") {
			t.Errorf("%s: %s is %v, want a value of type %s", what, name, v, kind)
		}
	}
	for name := range got {
		if want[name] == "" {
			t.Errorf("%s: nobody knows of the field %s", what, name)
		}
	}
}

// The names are an interface: scripts rely on them.
func TestResultHasTheFieldsThatScriptsRelyOn(t *testing.T) {
	t.Chdir(inline().write(t))
	r := simulated(t)
	expect(t, "the result", r, map[string]string{
		"scenario": "string", "controller": "string", "seed": "integer",
		"simulated_seconds": "number", "wall_seconds": "number",
		"requests": "integer", "served": "integer", "dropped": "integer", "waiting": "integer",
		"attainment": "number", "attainment_by_model": "object", "by_model": "object", "deadline_missed": "integer",
		"cost_usd": "number", "cost_by_group": "object", "cost_by_model": "object", "cost_by_language": "object", "unit_cost_by_model": "object", "gpu_hours": "number", "idle_gpu_hours": "number",
		"late_while_starting": "integer", "scale_actions": "integer", "reconfigurations": "integer",
		"budget_violations": "integer", "events": "integer", "truncated": "boolean", "hash": "string",
		// Besides those of the contract:
		"cost": "string", "timeline": "array", "purchases": "array", "budgets_held": "integer", "nodes_lost": "integer",
		"cost_lower_bound_usd": "number", "regret": "number",
	})
	if r["scenario"] != "small" || r["controller"] != "tessera" || r["seed"] != 1.0 || r["simulated_seconds"] != 3*3600.0 || r["truncated"] != false {
		t.Errorf("%v of %v, seed %v, %v simulated seconds, truncated %v", r["controller"], r["scenario"], r["seed"], r["simulated_seconds"], r["truncated"])
	}
	models := r.within(t, "by_model")
	for _, name := range []string{"transcribe-en", "transcribe-fr", "summarize-fr"} {
		expect(t, name, models.within(t, name), map[string]string{
			"requests": "integer", "served": "integer", "dropped": "integer", "waiting": "integer", "in_slo": "integer", "cut": "integer",
			"attainment": "number", "mean": "number", "p50": "number", "p95": "number", "p99": "number",
		})
		if a := r.within(t, "attainment_by_model").number(t, name); a != models.within(t, name).number(t, "attainment") || a <= 0 || a > 1 {
			t.Errorf("%s attained %v", name, a)
		}
	}
	expect(t, "cost_by_group", r.within(t, "cost_by_group"), map[string]string{"captions": "number", "meetings": "number"})
	byModel, byLanguage := 0.0, 0.0
	for name := range r.within(t, "cost_by_model") {
		byModel += r.within(t, "cost_by_model").number(t, name)
	}
	for name := range r.within(t, "cost_by_language") {
		byLanguage += r.within(t, "cost_by_language").number(t, name)
	}
	for _, name := range []string{"transcribe-en", "transcribe-fr", "summarize-fr"} {
		unit := r.within(t, "unit_cost_by_model").within(t, name)
		expect(t, "unit_cost_by_model", unit, map[string]string{"unit": "string", "units_in_slo": "number", "per_thousand": "number"})
		want := r.within(t, "cost_by_model").number(t, name) / unit.number(t, "units_in_slo") * 1000
		if math.Abs(unit.number(t, "per_thousand")/want-1) > 1e-6 {
			t.Errorf("a thousand units of %s cost %v, want %v", name, unit.number(t, "per_thousand"), want)
		}
	}
	if cost := r.number(t, "cost_usd"); math.Abs(byModel-cost) > 1e-5 || math.Abs(byLanguage-cost) > 1e-5 {
		t.Errorf("the run cost %v, its models %v, its languages %v", cost, byModel, byLanguage)
	}
}

// What was not computed is absent: it is not null, and not zero.
func TestWhatWasNotComputedIsAbsent(t *testing.T) {
	t.Chdir(small().write(t))
	r := simulated(t)
	// Nobody called summarize-no.
	expect(t, "summarize-no", r.within(t, "by_model").within(t, "summarize-no"), map[string]string{
		"requests": "integer", "served": "integer", "dropped": "integer", "waiting": "integer", "in_slo": "integer", "cut": "integer",
	})
	if a, ok := r.within(t, "attainment_by_model")["summarize-no"]; ok {
		t.Errorf("summarize-no attained %v of nothing", a)
	}
	if v, ok := r["regret_clairvoyant"]; ok {
		t.Errorf("regret_clairvoyant is %v, and there was no clairvoyant", v)
	}
	nowhereNull(t, "result", map[string]any(r))

	// Without the bound nothing is regretted, and the hash is the same.
	unbound := simulated(t, "--no-bound")
	for _, name := range []string{"cost_lower_bound_usd", "regret"} {
		if v, ok := unbound[name]; ok {
			t.Errorf("%s is %v", name, v)
		}
	}
	if unbound["hash"] != r["hash"] {
		t.Error("the bound changed the hash")
	}

	// Nothing is paid in dollars.
	for _, file := range []string{"policy.yaml", "catalog.yaml"} {
		replace(file, strings.Replace(small()[file], "currency: USD", "currency: EUR", 1))(t)
	}
	r = simulated(t)
	if v, ok := r["cost_usd"]; ok || !strings.HasSuffix(fmt.Sprint(r["cost"]), " EUR") {
		t.Errorf("cost_usd is %v and the cost %v", v, r["cost"])
	}
}

// nowhereNull complains about every null in a value.
func nowhereNull(t *testing.T, path string, v any) {
	t.Helper()
	switch v := v.(type) {
	case nil:
		t.Errorf("%s is null", path)
	case map[string]any:
		for name, inner := range v {
			nowhereNull(t, path+"."+name, inner)
		}
	case []any:
		for i, inner := range v {
			nowhereNull(t, fmt.Sprintf("%s[%d]", path, i), inner)
		}
	}
}

// No request is lost or made: those that came were served or dropped, or wait.
func TestRequestsAreConserved(t *testing.T) {
	for name, files := range map[string]setting{
		"generated": small(),
		"recorded":  recorded(),
		// Nothing can be bought for an hour, so that callers give up.
		"out of stock": small().with(t, "scenario.yaml", "  traffic:", "  faults: [{at: 0s, for: 1h, kind: stock-out}]\n  traffic:"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(files.write(t))
			r := simulated(t)
			sums := map[string]float64{}
			for model, v := range r.within(t, "by_model") {
				m := object(v.(map[string]any))
				if m.number(t, "requests") != m.number(t, "served")+m.number(t, "dropped")+m.number(t, "waiting") {
					t.Errorf("%s: %v", model, m)
				}
				for _, field := range []string{"requests", "served", "dropped", "waiting"} {
					sums[field] += m.number(t, field)
				}
			}
			for field, sum := range sums {
				if r.number(t, field) != sum {
					t.Errorf("%s: %v, and the models' add up to %v", field, r[field], sum)
				}
			}
			if name == "recorded" && sums["requests"] != 120+6+90+6 {
				t.Errorf("%v requests of 222 that were recorded", sums["requests"])
			}
			if name == "out of stock" && sums["dropped"] < 5000 {
				t.Errorf("%v requests gave up", sums["dropped"])
			}
		})
	}
}

func TestSameSeedSameResultOtherSeedOtherResult(t *testing.T) {
	t.Chdir(small().write(t))
	first, again, other := simulated(t), simulated(t), simulated(t, "--seed", "2")
	if first["hash"] != again["hash"] || first["hash"] == other["hash"] {
		t.Errorf("hashes %v and %v, with another seed %v", first["hash"], again["hash"], other["hash"])
	}
	delete(first, "wall_seconds")
	delete(again, "wall_seconds")
	if diff := cmp.Diff(first, again); diff != "" {
		t.Error(diff)
	}
	if len(fmt.Sprint(first["hash"])) != 64 || other["seed"] != 2.0 {
		t.Errorf("hash %v, seed %v", first["hash"], other["seed"])
	}
	// The hash covers the inputs too: one request a second more is another result.
	t.Chdir(small().with(t, "scenario.yaml", "peak: 3}", "peak: 4}").write(t))
	if busier := simulated(t); busier["hash"] == first["hash"] {
		t.Errorf("hash %v with other traffic", busier["hash"])
	}
}

// The parts may be files or stand in the scenario: it is the same scenario.
func TestInlinePartsMeanTheSame(t *testing.T) {
	t.Chdir(small().write(t))
	files := simulated(t)
	t.Chdir(inline().write(t))
	if in := simulated(t); in["hash"] != files["hash"] {
		t.Errorf("hash %v, from files %v", in["hash"], files["hash"])
	}
}

func TestPolicyFlagTakesThePlaceOfTheScenarios(t *testing.T) {
	t.Chdir(small().write(t))
	replace("other.yaml", strings.Replace(small()["policy.yaml"], `amount: "20"`, `amount: "6"`, 1))(t)
	was, now := simulated(t), simulated(t, "--policy", "other.yaml")
	if now.number(t, "cost_usd") > 3*6 || was["hash"] == now["hash"] {
		t.Errorf("$%v under a cap of $6 an hour, before $%v", now["cost_usd"], was["cost_usd"])
	}
}

// A person sees cost, attainment by model and language, GPUs over time, and which
// purchases were mixed or dedicated and why.
func TestTableTellsWhatWasDecidedAndWhatItCost(t *testing.T) {
	t.Chdir(recorded().with(t, "scenario.yaml", "step: 1m", "step: 1m\n    scale: 50").write(t))
	r := simulated(t)
	got := invoke(t, "simulate", "scenario.yaml")
	succeeded(t, got)
	lines := strings.Split(got.stdout, "\n")
	for _, text := range []string{
		"small: 3h from Mon 2026-09-14 08:00 UTC, controller tessera, seed 1",
		"traffic of trace.csv multiplied by 50",
		`1 rows of "other" in the trace`,
		grouped(int64(r.number(t, "requests"))) + " requests, ",
		fmt.Sprintf("$%.2f", r.number(t, "cost_usd")), "per 1,000 served", "GPU-hours",
		"cost by group: captions $", "cost by language: en $", "PER 1,000",
		"GPUs over time", "Mon 14 Sep ",
		"mixed or dedicated: ", " nodes bought, ", " in mixed purchases, ",
		"hash " + fmt.Sprint(r["hash"])[:16],
	} {
		if !strings.Contains(got.stdout, text) {
			t.Errorf("the table does not say %q:\n%s", text, got.stdout)
		}
	}
	for model, language := range map[string]string{"transcribe-en": "en", "transcribe-fr": "fr", "summarize-fr": "fr", "summarize-no": "no"} {
		at := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, model+" ") })
		if at < 0 {
			t.Errorf("no line of %s:\n%s", model, got.stdout)
			continue
		}
		attained := "none"
		if a, ok := r.within(t, "attainment_by_model")[model].(float64); ok {
			attained = percent(&a)
		}
		if fields := strings.Fields(lines[at]); fields[1] != language || fields[4] != attained {
			t.Errorf("%s: language %s, attained %s, want %s and %s", model, fields[1], fields[4], language, attained)
		}
	}
	if strings.Contains(got.stdout, "\x1b") {
		t.Error("escape sequences where there is no terminal")
	}
}

// countdown is a context that ends when it was asked so many times, and counts how
// often it is asked afterwards.
type countdown struct {
	context.Context
	left, after atomic.Int64
}

func (c *countdown) Err() error {
	if c.left.Add(-1) >= 0 {
		return nil
	}
	c.after.Add(1)
	return context.Canceled
}

// A year would take minutes. Ctrl-C ends it within a tick, with exit code 1, no
// result, no report, and a record that is whole as far as it goes.
func TestInterruptedSimulationEndsAtOnceAndSaysNothing(t *testing.T) {
	t.Chdir(small().with(t, "scenario.yaml", "duration: 3h", "duration: 30d").write(t))
	replace("report.html", "an older report")(t)
	for _, format := range []string{"table", "json"} {
		ctx := &countdown{Context: t.Context()}
		ctx.left.Store(100)
		got := invokeWithin(ctx, t, "simulate", "scenario.yaml", "-o", format, "--report", "report.html", "--record", "record.jsonl")
		failed(t, got, exitFailure, "interrupted")
		if n := ctx.after.Load(); n > 3 {
			t.Errorf("it went on for %d looks at the context", n)
		}
	}
	if text, err := os.ReadFile("report.html"); err != nil || string(text) != "an older report" {
		t.Errorf("the report is now %.40q (%v)", text, err)
	}
	if list := files(t, "."); strings.Contains(list, "partial") {
		t.Errorf("left over: %s", list)
	}
	record, err := os.ReadFile("record.jsonl")
	if err != nil || !strings.HasSuffix(string(record), "}\n") || strings.Count(string(record), "\n") < 10 {
		t.Errorf("the record breaks off with %.40q (%v)", record[max(0, len(record)-40):], err)
	}
}

// A report into a folder that is not there is refused before the run.
func TestReportIntoNoFolderIsRefusedAtOnce(t *testing.T) {
	t.Chdir(small().write(t))
	failed(t, invoke(t, "simulate", "scenario.yaml", "--report", "nowhere/report.html"), exitUsage, "no folder nowhere")
}

// A report that cannot be written costs no result.
func TestResultIsPrintedThoughTheReportFails(t *testing.T) {
	t.Chdir(small().write(t))
	if err := os.Mkdir("taken", 0o755); err != nil {
		t.Fatal(err)
	}
	got := invoke(t, "simulate", "scenario.yaml", "--report", "taken")
	if !strings.Contains(got.stdout, "\nhash ") {
		t.Errorf("the result is not on stdout: %.60q", got.stdout)
	}
	got.stdout = ""
	failed(t, got, exitFailure, "taken")
}

// What a reader must know besides the numbers stands in both forms of the result.
func TestNotesAreTold(t *testing.T) {
	t.Chdir(recorded().with(t, "scenario.yaml", "duration: 3h", "duration: 5h").write(t))
	note := "trace.csv says nothing of the last 2h: no traffic there"
	if r := simulated(t); fmt.Sprint(r["notes"]) != "["+note+"]" || fmt.Sprint(r["ignored_rows"]) != "map[other:1]" {
		t.Errorf("notes %v, ignored %v", r["notes"], r["ignored_rows"])
	}
	table := invoke(t, "simulate", "scenario.yaml")
	succeeded(t, table)
	if !strings.Contains(table.stdout, "\n"+note+"\n") {
		t.Errorf("the table does not say %q:\n%s", note, table.stdout)
	}
}

func TestReportIsWrittenBesideTheResult(t *testing.T) {
	t.Chdir(small().write(t))
	plain := simulated(t)
	reported := simulated(t, "--report", "report.html")
	if plain["hash"] != reported["hash"] {
		t.Errorf("hash %v, without a report %v", reported["hash"], plain["hash"])
	}
	page, err := os.ReadFile("report.html")
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	for _, part := range []string{"<!doctype html>", "</html>", "transcribe-fr", fmt.Sprint(plain["hash"])[:12]} {
		if !strings.Contains(text, part) {
			t.Errorf("the report does not hold %q", part)
		}
	}
	if strings.Contains(text, "src=\"http") || strings.Contains(text, "href=\"http") && strings.Contains(text, "stylesheet") {
		t.Error("the report is not self-contained")
	}
}
