package peers

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/peer"
	"github.com/tessera-autoscaler/tessera/simulator/scenario"
	"pgregory.net/rapid"
)

// load reads a scenario file; data is the root of recorded traffic.
func load(t *testing.T, path, data string) *scenario.Scenario {
	t.Helper()
	loader := scenario.Loader{Data: data, Open: func(p string) (io.ReadCloser, error) { return os.Open(p) }}
	s, err := loader.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// reading is what is measured of a model at one tick.
type reading struct{ concurrency, backlog fleet.Signal }

// series is what is measured of every model, tick after tick, and how the models'
// Deployments answer.
type series struct {
	readings map[fleet.ModelName][]reading
	start    []int // replicas that are ready at the first tick, for each model
	lead     int   // ticks from asking for a replica until it is ready
}

// ticks is the length of the series.
func (s series) ticks() int {
	for _, r := range s.readings {
		return len(r)
	}
	return 0
}

// drawSeries draws stretches of rising, falling, steady, absent and unknown load for
// every model.
func drawSeries(t *rapid.T, settings control.Settings, most int) series {
	s := series{readings: map[fleet.ModelName][]reading{}, lead: rapid.IntRange(0, 20).Draw(t, "lead")}
	ticks := rapid.IntRange(20, most).Draw(t, "ticks")
	for _, m := range settings.Policy.Models {
		var list []reading
		for len(list) < ticks {
			list = append(list, drawStretch(t)...)
		}
		s.readings[m.Name] = list[:ticks]
		s.start = append(s.start, rapid.IntRange(0, 12).Draw(t, "start"))
	}
	return s
}

// drawStretch draws a stretch of load of one kind, in quarters of a request: what
// is counted over several moments need not be whole.
func drawStretch(t *rapid.T) []reading {
	out := make([]reading, rapid.IntRange(1, 60).Draw(t, "length"))
	kind := rapid.SampledFrom([]string{"steady", "steady", "noisy", "noisy", "ramp", "zero", "unknown"}).Draw(t, "kind")
	level := rapid.IntRange(0, 400).Draw(t, "level")
	slope := rapid.IntRange(-20, 20).Draw(t, "slope")
	for i := range out {
		n := level
		switch kind {
		case "noisy":
			n = max(0, level+rapid.IntRange(-level/2, level/2).Draw(t, "noise"))
		case "ramp":
			n = max(0, level+slope*i)
		case "zero":
			n = 0
		case "unknown":
			out[i] = reading{fleet.Unknown("drawn"), fleet.Unknown("drawn")}
			continue
		}
		out[i] = reading{fleet.Measured(float64(n)/4, 0, 1), fleet.Measured(float64(n/2)/4, 0, 1)}
	}
	return out
}

// recordedSeries is the recorded load of the busiest models of a fleet, one tick
// after another over some hours: the mean concurrency of a minute and the requests
// that came in it. The test is skipped where the recording is absent.
func recordedSeries(t *testing.T, settings control.Settings, every time.Duration, hours int) series {
	t.Helper()
	minutes := hours * 60
	load := recordedMinutes(t)
	s := series{readings: map[fleet.ModelName][]reading{}, lead: int(5 * time.Minute / every)}
	for i, m := range settings.Policy.Models {
		rows := load["M000"+strconv.Itoa(i)]
		for at := range int(time.Duration(minutes) * time.Minute / every) {
			row := rows[time.Duration(at)*every/time.Minute]
			s.readings[m.Name] = append(s.readings[m.Name], reading{fleet.Measured(row[1]/60, 0, 1), fleet.Measured(row[0], 0, 1)})
		}
		s.start = append(s.start, 1)
	}
	return s
}

// recordedMinutes reads requests and seconds of work by model and minute, from the
// third recorded day on.
func recordedMinutes(t *testing.T) map[string]map[time.Duration][2]float64 {
	t.Helper()
	path := filepath.Join(dataRoot(), "alibaba_genai_2026", "requests_per_minute_by_model.csv")
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("the recorded traffic %s is not here: set TESSERA_DATA to its folder", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var in io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := csv.NewReader(in).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]map[time.Duration][2]float64{}
	begin := time.Date(2024, 11, 18, 0, 0, 0, 0, time.UTC)
	for _, row := range rows[1:] {
		at, err := time.Parse("2006-01-02T15:04", row[0])
		requests, err2 := strconv.ParseFloat(row[2], 64)
		seconds, err3 := strconv.ParseFloat(row[3], 64)
		if err := errors.Join(err, err2, err3); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if out[row[1]] == nil {
			out[row[1]] = map[time.Duration][2]float64{}
		}
		out[row[1]][at.Sub(begin)/time.Minute] = [2]float64{requests, seconds}
	}
	return out
}

// dataRoot is the folder of recorded traffic.
func dataRoot() string {
	if root := os.Getenv("TESSERA_DATA"); root != "" {
		return root
	}
	return "../../../shared/data"
}

// deployment answers a Scaler for one model: what is asked for is ready some ticks
// later.
type deployment struct {
	model       fleet.Model
	least, most int
	asked       int
	ready       int
	coming      []int // ticks at which replicas get ready
}

// ask takes an answer into force.
func (d *deployment) ask(tick, lead, answer int) {
	if answer == peer.Keep {
		return
	}
	d.asked = min(max(answer, d.least), d.most)
	d.coming = d.coming[:min(len(d.coming), max(0, d.asked-d.ready))]
	d.ready = min(d.ready, d.asked)
	for d.ready+len(d.coming) < d.asked {
		d.coming = append(d.coming, tick+lead)
	}
}

// view is what a Scaler sees at a tick.
func (d *deployment) view(tick int, r reading) peer.View {
	for len(d.coming) > 0 && d.coming[0] <= tick {
		d.coming = d.coming[1:]
		d.ready++
	}
	return peer.View{Model: d.model, Replicas: d.asked, Ready: d.ready, Concurrency: r.concurrency, Backlog: r.backlog}
}
