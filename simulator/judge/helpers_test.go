package judge_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tessera-autoscaler/tessera/simulator/judge"
	"github.com/tessera-autoscaler/tessera/simulator/scenario"
)

// toy is three hours of one language on slices of one kind of GPU, in one file.
const toy = `apiVersion: tessera/v1alpha1
kind: Scenario
metadata: {name: toy}
spec:
  start: 2026-09-14T08:00:00Z
  duration: 3h
  history: 1h
  traffic:
  - generate: {model: transcribe-en, shape: poisson, peak: 3}
  - generate: {model: transcribe-fr, shape: poisson, peak: 0.3}
  policy:
    apiVersion: tessera/v1alpha1
    kind: FleetPolicy
    metadata: {name: toy}
    spec:
      currency: USD
      classes:
        live: {kind: streaming, slo: {latency: 3s, target: 0.9}, minReplicas: 1}
      models:
      - {name: transcribe-en, class: live, profile: asr}
      - {name: transcribe-fr, class: live, profile: asr}
  catalog:
    apiVersion: tessera/v1alpha1
    kind: Catalog
    spec:
      currency: USD
      offerings:
      - {name: a2-ultragpu-1g, gpu: a100-80gb, pricePerHour: "5.00", limit: 8, leadTime: {node: {p50: 2m, p95: 3m}}}
  profiles:
    apiVersion: tessera/v1alpha1
    kind: Profiles
    spec:
      profiles:
      - name: asr
        variants:
        - name: fp16
          slices:
            a100-80gb/1g.10gb: {batch: [1, 8], seconds: [0.2, 0.5], memory: 5Gi, load: {p50: 10s, p95: 20s}}
            a100-80gb/whole: {batch: [1, 8], seconds: [0.05, 0.1], memory: 5Gi, load: {p50: 10s, p95: 20s}}
`

// load reads a scenario from its text.
func load(t *testing.T, text string) *scenario.Scenario {
	t.Helper()
	path := filepath.Join(t.TempDir(), "toy.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := scenario.Loader{Open: func(p string) (io.ReadCloser, error) { return os.Open(p) }}.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// replaced is the toy with one text in the place of another.
func replaced(t *testing.T, from, to string) string {
	t.Helper()
	if strings.Count(toy, from) != 1 {
		t.Fatalf("the toy holds %q %d times", from, strings.Count(toy, from))
	}
	return strings.Replace(toy, from, to, 1)
}

// entrant is a scenario with seeds from 1 on.
func entrant(s *scenario.Scenario, seeds int) judge.Entrant {
	e := judge.Entrant{Inputs: "toy"}
	for seed := range seeds {
		e.Trials = append(e.Trials, judge.NewTrial(s, uint64(seed+1)))
	}
	return e
}
