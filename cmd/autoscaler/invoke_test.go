package main

import (
	"bytes"
	"context"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// home is the folder of this package, from which a test may have gone elsewhere.
var home = func() string {
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	return dir
}()

// outcome is what a call of the program left behind.
type outcome struct {
	code   int
	stdout string
	stderr string
}

// invoke calls the program as a shell would, with no recorded traffic set in the
// environment.
func invoke(t *testing.T, args ...string) outcome {
	t.Helper()
	return invokeWithin(t.Context(), t, args...)
}

func invokeWithin(ctx context.Context, t *testing.T, args ...string) outcome {
	t.Helper()
	t.Setenv("TESSERA_DATA", "")
	var out, diagnostics bytes.Buffer
	code := run(ctx, args, &out, &diagnostics)
	return outcome{code, out.String(), diagnostics.String()}
}

// succeeded stops the test unless the call ended with exit code 0 and said
// nothing on stderr.
func succeeded(t *testing.T, o outcome) {
	t.Helper()
	if o.code != exitOK || o.stderr != "" {
		t.Fatalf("exit code %d, stderr %q", o.code, o.stderr)
	}
}

// failed complains unless the call ended with a code, printed nothing on stdout,
// and said all of the texts on stderr.
func failed(t *testing.T, o outcome, code int, says ...string) {
	t.Helper()
	if o.code != code {
		t.Errorf("exit code %d, want %d; stderr %q", o.code, code, o.stderr)
	}
	if o.stdout != "" {
		t.Errorf("stdout holds %q", o.stdout)
	}
	for _, text := range says {
		if !strings.Contains(o.stderr, text) {
			t.Errorf("stderr does not say %q: %q", text, o.stderr)
		}
	}
}

// golden compares a text with testdata/NAME, wherever the test works meanwhile.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join(home, "testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// setting is a folder with a scenario and everything that it names, by file name.
type setting map[string]string

// small is a scenario of three hours that runs in a tenth of a second: two
// languages on slices of one kind of GPU, and a model without traffic. Its parts
// are files of their own.
func small() setting {
	return setting{
		"scenario.yaml": `apiVersion: tessera/v1alpha1
kind: Scenario
metadata: {name: small}
spec:
  start: 2026-09-14T08:00:00Z
  duration: 3h
  history: 1h
  policy: policy.yaml
  catalog: catalog.yaml
  profiles: profiles.yaml
  traffic:
  - generate: {model: transcribe-en, shape: office-hours, zone: Europe/London, peak: 3}
  - generate: {model: transcribe-fr, shape: office-hours, zone: Europe/Paris, peak: 0.3}
  - generate: {model: summarize-fr, shape: poisson, peak: 0.02}
`,
		"policy.yaml": `apiVersion: tessera/v1alpha1
kind: FleetPolicy
metadata: {name: small}
spec:
  currency: USD
  budgets:
  - {per: hour, amount: "20", onExceeded: hold}
  classes:
    live: {kind: streaming, slo: {latency: 3s, target: 0.99}, minReplicas: 1}
    summary: {kind: async, slo: {deadline: 15m, target: 0.9}}
  models:
  - {name: transcribe-en, language: "en", class: live, group: captions, profile: asr}
  - {name: transcribe-fr, language: "fr", class: live, group: captions, profile: asr}
  - {name: summarize-fr, language: "fr", class: summary, group: meetings, profile: llm}
  - {name: summarize-no, language: "no", class: summary, group: meetings, profile: llm}
`,
		"catalog.yaml": `apiVersion: tessera/v1alpha1
kind: Catalog
spec:
  currency: USD
  offerings:
  - name: a2-ultragpu-1g
    gpu: a100-80gb
    pricePerHour: "5.07"
    limit: 8
    leadTime: {node: {p50: 2m, p95: 3m}, driver: {p50: 30s, p95: 60s}, image: {p50: 30s, p95: 60s}}
`,
		"profiles.yaml": `apiVersion: tessera/v1alpha1
kind: Profiles
spec:
  profiles:
  - name: asr
    variants:
    - name: fp16
      slices:
        a100-80gb/1g.10gb: {batch: [1, 8], seconds: [0.2, 0.5], memory: 5Gi, load: {p50: 10s, p95: 20s}}
        a100-80gb/3g.40gb: {batch: [1, 8], seconds: [0.1, 0.2], memory: 5Gi, load: {p50: 10s, p95: 20s}}
  - name: llm
    variants:
    - name: fp16
      slices:
        a100-80gb/2g.20gb: {batch: [1, 4], seconds: [5, 8], memory: 15Gi, load: {p50: 10s, p95: 20s}}
`,
	}
}

// recorded is small, with its traffic recorded in trace.csv.
func recorded() setting {
	s := small()
	head, _, _ := strings.Cut(s["scenario.yaml"], "  traffic:\n")
	s["scenario.yaml"] = head + `  traffic:
  - trace: trace.csv
    step: 1m
    models: {EN: transcribe-en, FR: transcribe-fr}
`
	s["trace.csv"] = `time,model,requests
2026-09-14T07:00,EN,60
2026-09-14T08:00,EN,120
2026-09-14T08:00,FR,6
2026-09-14T09:00,EN,90
2026-09-14T09:30,other,7
2026-09-14T10:59,FR,6
`
	return s
}

// inline is a setting whose scenario holds policy, catalog and profiles itself.
func inline() setting {
	s := small()
	text := s["scenario.yaml"]
	for _, part := range []string{"policy", "catalog", "profiles"} {
		indented := "\n    " + strings.ReplaceAll(strings.TrimSpace(s[part+".yaml"]), "\n", "\n    ")
		text = strings.Replace(text, part+": "+part+".yaml", part+":"+indented, 1)
	}
	return setting{"scenario.yaml": text}
}

// with replaces a text in a file of the setting by another.
func (s setting) with(t *testing.T, file, from, to string) setting {
	t.Helper()
	if strings.Count(s[file], from) != 1 {
		t.Fatalf("%s holds %q %d times", file, from, strings.Count(s[file], from))
	}
	out := maps.Clone(s)
	out[file] = strings.Replace(s[file], from, to, 1)
	return out
}

// write puts the files into an empty folder and returns its path.
func (s setting) write(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(s[name]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
