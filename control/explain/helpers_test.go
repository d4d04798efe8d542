package explain_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/control/explain"
	"github.com/tessera-autoscaler/tessera/simulator/judge"
	"github.com/tessera-autoscaler/tessera/simulator/scenario"
)

// memory is a journal in memory, a line each.
type memory struct{ lines [][]byte }

func (m *memory) Begin(_ context.Context, s control.Settings) error {
	return m.add(map[string]any{"settings": s})
}

func (m *memory) Append(_ context.Context, r control.Record) error {
	if r.Inputs.Pace == control.Fast && len(r.Plan.Steps) == 0 {
		return nil
	}
	return m.add(r)
}

func (m *memory) add(v any) error {
	text, err := json.Marshal(v)
	m.lines = append(m.lines, text)
	return err
}

const files = `
== scenario.yaml
apiVersion: tessera/v1alpha1
kind: Scenario
metadata: {name: explained}
spec:
  start: 2026-09-14T05:00:00Z
  duration: 5h
  history: 2h
  policy: policy.yaml
  catalog: catalog.yaml
  profiles: profiles.yaml
  traffic:
  - generate: {model: transcribe-en, shape: office-hours, zone: Europe/London, peak: 30}
  - generate: {model: transcribe-fr, shape: office-hours, zone: Europe/Paris, peak: 12}
== policy.yaml
apiVersion: tessera/v1alpha1
kind: FleetPolicy
metadata: {name: explained}
spec:
  currency: USD
  budgets:
  - {per: hour, amount: "36", onExceeded: hold}
  classes:
    live: {kind: streaming, slo: {latency: 3s, target: 0.99}, minReplicas: 1}
  models:
  - {name: transcribe-en, language: "en", class: live, profile: asr}
  - {name: transcribe-fr, language: "fr", class: live, profile: asr}
== catalog.yaml
apiVersion: tessera/v1alpha1
kind: Catalog
spec:
  currency: USD
  offerings:
  - name: a2-ultragpu-1g
    gpu: a100-80gb
    pricePerHour: "5.07"
    limit: 8
    leadTime: {node: {p50: 2m, p95: 3m}, driver: {p50: 30s, p95: 60s}, image: {p50: 30s, p95: 60s}}
== profiles.yaml
apiVersion: tessera/v1alpha1
kind: Profiles
spec:
  profiles:
  - name: asr
    variants:
    - name: fp16
      slices:
        a100-80gb/1g.10gb: {batch: [1, 4], seconds: [1.2, 2.2], memory: 5Gi, load: {p50: 10s, p95: 20s}}
        a100-80gb/3g.40gb: {batch: [1, 4], seconds: [0.5, 1.0], memory: 5Gi, load: {p50: 10s, p95: 20s}}
`

// journalOf simulates once with each change of the files, and remembers what was
// recorded.
func journalOf(t *testing.T, replace ...string) [][]byte {
	t.Helper()
	text := strings.NewReplacer(replace...).Replace(files)
	once, _ := journals.LoadOrStore(text, sync.OnceValues(func() ([][]byte, error) {
		folder := fstest.MapFS{}
		for part := range strings.SplitSeq(text, "== ") {
			if name, body, ok := strings.Cut(part, "\n"); ok && name != "" {
				folder[name] = &fstest.MapFile{Data: []byte(body)}
			}
		}
		loader := scenario.Loader{Open: func(path string) (io.ReadCloser, error) { return fs.FS(folder).Open(path) }}
		s, err := loader.Load("scenario.yaml")
		if err != nil {
			return nil, err
		}
		var m memory
		_, err = judge.NewTrial(s, 1).Run(context.Background(), judge.Job{Controller: judge.Tessera, Journal: &m})
		return m.lines, err
	}))
	lines, err := once.(func() ([][]byte, error))()
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

var journals sync.Map // text of the files to what was recorded

// settingsOf are the settings of a journal's first line.
func settingsOf(t *testing.T, lines [][]byte) control.Settings {
	t.Helper()
	var l struct{ Settings control.Settings }
	if err := json.Unmarshal(lines[0], &l); err != nil {
		t.Fatal(err)
	}
	return l.Settings
}

// inputsOf are the inputs of a record.
func inputsOf(t *testing.T, record []byte) control.Inputs {
	t.Helper()
	var l struct{ Inputs control.Inputs }
	if err := json.Unmarshal(record, &l); err != nil {
		t.Fatal(err)
	}
	return l.Inputs
}

// ask puts a question to a journal.
func ask(t *testing.T, lines [][]byte, id string, last int) (explain.Answer, error) {
	t.Helper()
	s := explain.NewSearch(explain.Ask(id, last))
	for i, line := range lines {
		shared := bytes.Clone(line)
		enough, err := s.Line(shared)
		if err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		clear(shared) // it is the caller's again
		if enough {
			break
		}
	}
	return s.Answer()
}

// entries are the records of a journal without their inputs.
func entries(t *testing.T, lines [][]byte) []explain.Entry {
	t.Helper()
	var out []explain.Entry
	for _, line := range lines[1:] {
		e, err := explain.ReadEntry(line)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}
