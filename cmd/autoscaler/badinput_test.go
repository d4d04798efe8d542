package main

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// badInput is one thing that can be wrong in the files behind a simulation, which
// runs in their folder.
type badInput struct {
	name string
	// What is wrong: in a file of the setting (small unless another is given) a text
	// becomes another, or something else is done to the folder.
	from  setting
	file  string
	old   string
	new   string
	spoil func(t *testing.T)
	args  []string // after simulate; the scenario alone unless others are given
	at    string   // how the message begins
	says  []string // the fault and the way out
}

// everyBadInput has something wrong with each link of the chain: scenario, policy, catalog,
// profiles, recorded traffic.
func everyBadInput() []badInput {
	return []badInput{
		// The scenario.
		{name: "misspelt-key", file: "scenario.yaml", old: "  history:", new: "  histo:", at: "scenario.yaml:7:3: ", says: []string{`did you mean "history"?`}},
		{name: "other-kind", file: "scenario.yaml", old: "kind: Scenario", new: "kind: FleetPolicy", at: "scenario.yaml:2:7: ", says: []string{"Scenario"}},
		{name: "other-version", file: "scenario.yaml", old: "v1alpha1", new: "v1", at: "scenario.yaml:1:13: ", says: []string{"tessera/v1alpha1"}},
		{name: "policy-in-its-place", args: []string{"policy.yaml"}, at: "policy.yaml:2:7: ", says: []string{"Scenario"}},
		{name: "duration-without-unit", file: "scenario.yaml", old: "duration: 3h", new: "duration: 3", at: "scenario.yaml:6:13: ", says: []string{`did you mean "3s"?`}},
		{name: "no-traffic", file: "scenario.yaml", old: small()["scenario.yaml"][strings.Index(small()["scenario.yaml"], "  traffic:"):], new: "  traffic: []\n", at: "scenario.yaml:11:12: ", says: []string{"must not be empty"}},
		{name: "empty-scenario", spoil: replace("scenario.yaml", ""), at: "scenario.yaml:1:1: ", says: []string{"empty"}},
		{name: "scenario-of-comments", spoil: replace("scenario.yaml", "# nothing yet\n"), at: "scenario.yaml:1:1: ", says: []string{"only comments"}},
		{name: "unknown-model-generated", file: "scenario.yaml", old: "model: transcribe-fr", new: "model: transcribe-rf", at: "scenario.yaml:13:23: ", says: []string{`no model "transcribe-rf"`, `did you mean "transcribe-fr"?`}},
		{name: "unknown-shape", file: "scenario.yaml", old: "shape: poisson", new: "shape: flat", at: "scenario.yaml:14:44: ", says: []string{`"poisson"`}},
		{name: "unknown-zone", file: "scenario.yaml", old: "Europe/Paris", new: "Europe/Pariss", at: "scenario.yaml:13:65: ", says: []string{"Europe/Pariss", "IANA"}},
		{name: "trace-and-generate", file: "scenario.yaml", old: "- generate: {model: summarize-fr", new: "- trace: trace.csv\n    generate: {model: summarize-fr", at: "scenario.yaml:14:5: ", says: []string{"give one of them"}},
		{name: "neither-trace-nor-generate", file: "scenario.yaml", old: "- generate: {model: summarize-fr, shape: poisson, peak: 0.02}", new: "- step: 1m", at: "scenario.yaml:14:5: ", says: []string{"give one of them"}},
		{name: "step-of-generated", file: "scenario.yaml", old: "- generate: {model: summarize-fr", new: "- step: 1m\n    generate: {model: summarize-fr", at: "scenario.yaml:14:5: ", says: []string{"no effect", "leave it out"}},
		{name: "too-many-requests-of-one", file: "scenario.yaml", old: "peak: 3}", new: "peak: 30000}", at: "scenario.yaml:12:86: ", says: []string{"10000000", "would fit"}},
		{name: "too-many-requests-in-all", spoil: func(t *testing.T) {
			text := small()["scenario.yaml"]
			text = strings.Replace(text, "peak: 3}", "peak: 700}", 1)
			text = strings.Replace(text, "peak: 0.3}", "peak: 700}", 1)
			replace("scenario.yaml", text)(t)
		}, at: "scenario.yaml:12:3: ", says: []string{"10000000", "multiply peaks and scales by"}},
		{name: "fault-of-no-offering", file: "scenario.yaml", old: "  traffic:", new: "  faults:\n  - {at: 1h, for: 10m, kind: stock-out, offering: a2-ultragpu-g1}\n  traffic:", at: "scenario.yaml:12:51: ", says: []string{`did you mean "a2-ultragpu-1g"?`}},
		{name: "fault-after-the-end", file: "scenario.yaml", old: "  traffic:", new: "  faults:\n  - {at: 3h, for: 10m, kind: stock-out}\n  traffic:", at: "scenario.yaml:12:10: ", says: []string{"after the end"}},
		{name: "fault-of-no-kind", file: "scenario.yaml", old: "  traffic:", new: "  faults:\n  - {at: 1h, for: 10m, kind: meteor}\n  traffic:", at: "scenario.yaml:12:30: ", says: []string{"metrics-missing"}},
		{name: "several-at-once", spoil: func(t *testing.T) {
			text := small()["scenario.yaml"]
			text = strings.Replace(text, "duration: 3h", "duration: 3", 1)
			text = strings.Replace(text, "peak: 3}", "peak: -3, colour: red}", 1)
			text = strings.Replace(text, "shape: poisson", "shap: poisson", 1)
			replace("scenario.yaml", strings.Replace(text, "  start: 2026-09-14T08:00:00Z\n", "  start: monday\n", 1))(t)
		}, at: "scenario.yaml:5:10: ", says: []string{"scenario.yaml:6:13", "scenario.yaml:12:90", `"colour"`, `did you mean "shape"?`}},
		{name: "several-in-traffic", spoil: func(t *testing.T) {
			text := strings.Replace(small()["scenario.yaml"], "Europe/Paris", "Europe/Pariss", 1)
			text = strings.Replace(text, "model: transcribe-en", "model: transcribe-ne", 1)
			replace("scenario.yaml", strings.Replace(text, "shape: poisson", "shape: flat", 1))(t)
		}, at: "scenario.yaml:12:23: ", says: []string{"scenario.yaml:13:", "scenario.yaml:14:"}},

		// The policy.
		{name: "norway", file: "policy.yaml", old: `language: "no"`, new: "language: no", at: "policy.yaml:15:36: ", says: []string{"Norwegian", "quote it"}},
		{name: "policy-of-no-profile", file: "policy.yaml", old: "class: summary, group: meetings, profile: llm}\n  - {name: summarize-no", new: "class: summary, group: meetings, profile: lllm}\n  - {name: summarize-no", at: "policy.yaml:14:84: ", says: []string{`did you mean "llm"?`}},
		{name: "policy-in-other-currency", file: "policy.yaml", old: "currency: USD", new: "currency: EUR", at: "policy.yaml:5:13: ", says: []string{"one currency"}},
		{name: "several-gpus-at-once", file: "policy.yaml", old: `language: "en", class: live`, new: `language: "en", class: live, gpusPerReplica: 8`, at: "policy.yaml:12:72: ", says: []string{"8 GPUs at once", "fits one GPU"}},
		{name: "empty-policy", spoil: replace("policy.yaml", ""), at: "policy.yaml:1:1: ", says: []string{"empty"}},
		{name: "missing-policy", spoil: without("policy.yaml"), at: "scenario.yaml:8:11: ", says: []string{"there is no file policy.yaml", "relative to the scenario's folder"}},
		{name: "two-mistakes-in-policy", spoil: func(t *testing.T) {
			text := strings.Replace(small()["policy.yaml"], "profile: asr}", "profile: asr, maxReplica: 3}", 1)
			replace("policy.yaml", strings.Replace(text, `amount: "20"`, "amount: 20", 1))(t)
		}, at: "policy.yaml:7:25: ", says: []string{`quote it: "20"`, "policy.yaml:12:87", `did you mean "maxReplicas"?`}},
		{name: "policy-flag-of-other-kind", args: []string{"scenario.yaml", "--policy", "catalog.yaml"}, at: "catalog.yaml:2:7: ", says: []string{"FleetPolicy"}},

		// The catalog.
		{name: "catalog-without-currency", file: "catalog.yaml", old: "  currency: USD\n", new: "", at: "catalog.yaml:3:1: ", says: []string{"spec.currency", "required key is missing"}},
		{name: "unquoted-price", file: "catalog.yaml", old: `"5.07"`, new: "5.07", at: "catalog.yaml:8:19: ", says: []string{`quote it: "5.07"`}},
		{name: "price-with-its-currency", file: "catalog.yaml", old: `"5.07"`, new: `"$5.07"`, at: "catalog.yaml:8:19: ", says: []string{"$5.07"}},
		{name: "unknown-gpu", file: "catalog.yaml", old: "gpu: a100-80gb", new: "gpu: a100-80g", at: "catalog.yaml:7:10: ", says: []string{`did you mean "a100-80gb"?`}},

		// The profiles.
		{name: "slice-that-does-not-exist", file: "profiles.yaml", old: "a100-80gb/3g.40gb", new: "a100-80gb/3g.20gb", at: "profiles.yaml:10:9: ", says: []string{`a100-80gb has no slice "3g.20gb"`, "its slices are"}},
		{name: "does-not-fit-its-slice", file: "profiles.yaml", old: "memory: 15Gi", new: "memory: 25Gi", at: "profiles.yaml:15:69: ", says: []string{"do not fit", "3g.40gb"}},

		// Recorded traffic.
		{name: "unknown-model-recorded", from: recorded(), file: "scenario.yaml", old: "FR: transcribe-fr", new: "FR: transcribe-rf", at: "scenario.yaml:14:37: ", says: []string{`no model "transcribe-rf"`, `did you mean "transcribe-fr"?`}},
		{name: "mapping-of-nothing", from: recorded(), file: "scenario.yaml", old: "FR: transcribe-fr", new: "FRR: transcribe-fr", at: "trace.csv: ", says: []string{`"FRR" never occurs`, `did you mean "FR"?`}},
		{name: "unsorted-times", from: recorded(), file: "trace.csv", old: "2026-09-14T09:00,EN,90", new: "2026-09-14T07:59,EN,90", at: "trace.csv:5: ", says: []string{"is before", "sort the rows by time"}},
		{name: "two-rows-of-one-bin", from: recorded(), file: "trace.csv", old: "2026-09-14T08:00,FR,6", new: "2026-09-14T08:00,EN,6", at: "trace.csv:4: ", says: []string{"second row", "sum the two rows"}},
		{name: "negative-count", from: recorded(), file: "trace.csv", old: "EN,90", new: "EN,-90", at: "trace.csv:5: ", says: []string{"is negative", "a whole number"}},
		{name: "count-that-is-no-number", from: recorded(), file: "trace.csv", old: "EN,90", new: "EN,NaN", at: "trace.csv:5: ", says: []string{`"NaN"`, "a whole number"}},
		{name: "no-such-column", from: recorded(), file: "scenario.yaml", old: "step: 1m", new: "step: 1m\n    columns: {requests: count}", at: "trace.csv:1: ", says: []string{`no column "count"`, "under columns"}},
		{name: "scale-of-zero", from: recorded(), file: "scenario.yaml", old: "step: 1m", new: "step: 1m\n    scale: 0", at: "scenario.yaml:14:12: ", says: []string{"leave the entry out"}},
		{name: "too-many-recorded", from: recorded(), file: "scenario.yaml", old: "step: 1m", new: "step: 1m\n    scale: 1000000", at: "trace.csv: ", says: []string{"10000000", "would fit"}},
		{name: "empty-trace", from: recorded(), spoil: replace("trace.csv", ""), at: "trace.csv: ", says: []string{"empty", "the first line names the columns"}},
		{name: "trace-of-a-header", from: recorded(), spoil: replace("trace.csv", "time,model,requests\n"), at: "trace.csv: ", says: []string{"no rows", "at least one row"}},
		{name: "truncated-gzip", from: recorded(), spoil: func(t *testing.T) {
			var packed bytes.Buffer
			w := gzip.NewWriter(&packed)
			if _, err := w.Write([]byte(recorded()["trace.csv"])); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			replace("trace.csv", packed.String()[:packed.Len()-12])(t)
		}, at: "trace.csv:8: ", says: []string{"breaks off", "copy it again"}},
		{name: "header-of-gzip-only", from: recorded(), spoil: replace("trace.csv", "\x1f\x8b\x08"), at: "trace.csv: ", says: []string{"not a whole gzip file", "copy it again"}},
		{name: "missing-trace", from: recorded(), spoil: without("trace.csv"), at: "scenario.yaml:12:12: ", says: []string{"trace.csv is not there", "--data DIR", "$TESSERA_DATA"}},
		{name: "missing-data-folder", from: recorded(), args: []string{"scenario.yaml", "--data", "nowhere"}, at: "scenario.yaml:12:12: ", says: []string{"nowhere/trace.csv is not there", "--data DIR"}},
		{name: "two-traces-two-mistakes", from: recorded(), file: "scenario.yaml", old: "models: {EN: transcribe-en, FR: transcribe-fr}\n", new: "models: {EN: transcribe-ne}\n  - trace: other.csv\n  - trace: trace.csv\n    models: {FR: transcribe-rf}\n", at: "scenario.yaml:14:18: ", says: []string{"scenario.yaml:15:", "scenario.yaml:17:"}},
	}
}

// replace writes a file anew.
func replace(file, text string) func(*testing.T) {
	return func(t *testing.T) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// without removes a file.
func without(file string) func(*testing.T) {
	return func(t *testing.T) {
		t.Helper()
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
}

// folder puts a folder in the place of a file.
func folder(file string) func(*testing.T) {
	return func(t *testing.T) {
		t.Helper()
		without(file)(t)
		if err := os.Mkdir(file, 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

// sparse makes a file of one line of 2 GB that takes no room on the disk.
func sparse(file string) func(*testing.T) {
	return func(t *testing.T) {
		t.Helper()
		if err := os.Truncate(file, 0); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(file, 2<<30); err != nil {
			t.Skipf("this file system has no files of 2 GB: %v", err)
		}
	}
}

// complain goes where the files are, spoils them and calls simulate.
func (b badInput) complain(t *testing.T) outcome {
	t.Helper()
	files := b.from
	if files == nil {
		files = small()
	}
	if b.file != "" {
		files = files.with(t, b.file, b.old, b.new)
	}
	t.Chdir(files.write(t))
	if b.spoil != nil {
		b.spoil(t)
	}
	args := b.args
	if args == nil {
		args = []string{"scenario.yaml"}
	}
	got := invoke(t, append([]string{"simulate"}, args...)...)
	failed(t, got, exitInput, b.says...)
	if !strings.HasPrefix(got.stderr, b.at) {
		t.Errorf("the message does not begin with %q: %q", b.at, got.stderr)
	}
	return got
}

// Whatever is wrong in whichever file: exit code 3, nothing on stdout, and on
// stderr the file, the line where there is one, and the way out.
func TestEveryBadInputSaysWhereAndWhatToDo(t *testing.T) {
	seen := map[string]bool{}
	for _, b := range everyBadInput() {
		if seen[b.name] {
			t.Fatalf("%s is there twice", b.name)
		}
		seen[b.name] = true
		t.Run(b.name, func(t *testing.T) {
			golden(t, filepath.Join("bad-input", b.name+".txt"), b.complain(t).stderr)
		})
	}
	t.Run("no golden file is left over", func(t *testing.T) {
		entries, err := os.ReadDir(filepath.Join("testdata", "bad-input"))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if !seen[strings.TrimSuffix(e.Name(), ".txt")] {
				t.Errorf("%s belongs to no case", e.Name())
			}
		}
	})
}

// Where a file cannot be read, some words are the operating system's.
func TestEveryUnreadableInputIsNamed(t *testing.T) {
	for _, b := range []badInput{
		{name: "missing scenario", args: []string{"nowhere.yaml"}, says: []string{"nowhere.yaml"}},
		{name: "missing policy of the flag", args: []string{"scenario.yaml", "--policy", "nowhere.yaml"}, says: []string{"nowhere.yaml"}},
		{name: "folder as scenario", spoil: folder("scenario.yaml"), says: []string{"scenario.yaml"}},
		{name: "folder as catalog", spoil: folder("catalog.yaml"), says: []string{"catalog.yaml"}},
		{name: "folder as trace", from: recorded(), spoil: folder("trace.csv"), says: []string{"trace.csv", "nothing of it was used"}},
		{name: "scenario of 2 GB", spoil: sparse("scenario.yaml"), at: "scenario.yaml:1:1: ", says: []string{"larger than 1 MiB", "split the file"}},
		{name: "trace with a line of 2 GB", from: recorded(), spoil: sparse("trace.csv"), at: "trace.csv:1: ", says: []string{"longer than 1048576 bytes", "one short row a line"}},
		{name: "scenario with a line of 8 MiB", file: "scenario.yaml", old: "{name: small}", new: "{name: " + strings.Repeat("x", 8<<20) + "}", at: "scenario.yaml:1:1: ", says: []string{"larger than 1 MiB", "split the file"}},
		{name: "policy with a line of 8 MiB", file: "policy.yaml", old: "{name: small}", new: "{name: " + strings.Repeat("x", 8<<20) + "}", at: "policy.yaml:1:1: ", says: []string{"larger than 1 MiB", "split the file"}},
		{name: "trace with a line of 8 MiB", from: recorded(), file: "trace.csv", old: "FR,6\n2026-09-14T09:00", new: strings.Repeat("x", 8<<20) + ",6\n2026-09-14T09:00", at: "trace.csv:4: ", says: []string{"longer than 1048576 bytes", "one short row a line"}},
	} {
		t.Run(b.name, func(t *testing.T) {
			got := b.complain(t)
			if len(got.stderr) > 2000 {
				t.Errorf("the message has %d bytes", len(got.stderr))
			}
		})
	}
}

// What a complaint about the number of requests proposes is accepted.
func TestProposedFactorFits(t *testing.T) {
	text := strings.Replace(small()["scenario.yaml"], "peak: 3}", "peak: 700}", 1)
	text = strings.Replace(text, "peak: 0.3}", "peak: 700}", 1)
	dir := small().write(t)
	t.Chdir(dir)
	replace("scenario.yaml", text)(t)
	got := invoke(t, "simulate", "scenario.yaml")
	_, rest, _ := strings.Cut(got.stderr, "multiply peaks and scales by ")
	factor, _, _ := strings.Cut(rest, ",")
	replace("scenario.yaml", strings.ReplaceAll(text, "peak: 700}", "peak: "+timesText(t, 700, factor)+"}"))(t)
	if _, err := loadScenario("scenario.yaml", simulateFlags{}); err != nil {
		t.Errorf("with the proposed factor %q: %v", factor, err)
	}
}

// timesText multiplies a number by one that is written.
func timesText(t *testing.T, x float64, factor string) string {
	t.Helper()
	f, err := strconv.ParseFloat(factor, 64)
	if err != nil {
		t.Fatal(err)
	}
	return strconv.FormatFloat(x*f, 'g', -1, 64)
}
