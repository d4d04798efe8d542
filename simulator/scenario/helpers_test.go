package scenario

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// disk is a set of files by path, and remembers which were opened.
type disk struct {
	files  map[string]string
	opened []string
}

func (d *disk) open(path string) (io.ReadCloser, error) {
	d.opened = append(d.opened, filepath.ToSlash(path))
	text, ok := d.files[filepath.ToSlash(path)]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

const (
	head = `apiVersion: tessera/v1alpha1
kind: Scenario
metadata: {name: test}
spec:
  start: 2026-09-14T08:00:00Z
  duration: 2h
  history: 30m
  policy: ../policy.yaml
  catalog: ../shop/catalog.yaml
  profiles: profiles.yaml
`
	generated = `  traffic:
  - generate: {model: transcribe-fr, shape: poisson, peak: 2}
`
)

// at is a disk with a scenario of the given text, and its parts beside it.
func at(text string) *disk {
	return &disk{files: map[string]string{
		"conf/scenarios/test.yaml": text,
		"conf/policy.yaml": `apiVersion: tessera/v1alpha1
kind: FleetPolicy
metadata: {name: test}
spec:
  currency: USD
  models:
  - {name: transcribe-en, profile: asr}
  - {name: transcribe-fr, profile: asr}
`,
		"conf/shop/catalog.yaml": `apiVersion: tessera/v1alpha1
kind: Catalog
spec:
  currency: USD
  offerings:
  - {name: a2-ultragpu-1g, gpu: a100-80gb, pricePerHour: "5.07"}
  - {name: g2-standard-4, gpu: l4-24gb, pricePerHour: "0.71"}
`,
		"conf/scenarios/profiles.yaml": `apiVersion: tessera/v1alpha1
kind: Profiles
spec:
  profiles:
  - name: asr
    meanWork: 4
    variants:
    - {name: fp16, slices: {a100-80gb/1g.10gb: {batch: [1, 8], seconds: [0.2, 0.5], memory: 5Gi}}}
`,
	}}
}

func (d *disk) loader() Loader { return Loader{Open: d.open} }

func mustLoad(t *testing.T, l Loader) *Scenario {
	t.Helper()
	s, err := l.Load("conf/scenarios/test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// refused complains unless loading fails with all of the texts.
func refused(t *testing.T, l Loader, says ...string) {
	t.Helper()
	_, err := l.Load("conf/scenarios/test.yaml")
	if err == nil {
		t.Fatalf("it was taken; it should say %q", says)
	}
	for _, text := range says {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("it does not say %q: %v", text, err)
		}
	}
}

// play drains what a feed sends to a model in a run of a seed.
func (s *Scenario) play(t *testing.T, feed int, m fleet.ModelName, seed uint64) []traffic.Request {
	t.Helper()
	source, err := s.feeds[feed].open(m, 0, seed)
	if err != nil {
		t.Fatal(err)
	}
	var out []traffic.Request
	for r, ok := source.Next(); ok; r, ok = source.Next() {
		out = append(out, r)
	}
	return out
}

// arrived runs a world without anybody who serves, and counts who came.
func arrived(t *testing.T, w *simulator.World, until time.Time) simulator.Result {
	t.Helper()
	w.AdvanceTo(until)
	return w.Result()
}

// heap is a reader of endless x, which counts what was read of it.
type heap struct{ read int64 }

func (h *heap) Read(p []byte) (int, error) {
	if h.read > 2<<30 {
		return 0, io.EOF
	}
	copy(p, bytes.Repeat([]byte{'x'}, len(p)))
	h.read += int64(len(p))
	return len(p), nil
}

func (h *heap) Close() error { return nil }

var errBroken = errors.New("the disk is broken")

// forgetful is a journal that keeps nothing.
type forgetful struct{}

func (forgetful) Begin(context.Context, control.Settings) error { return nil }
func (forgetful) Append(context.Context, control.Record) error  { return nil }
