package scenario

import (
	"encoding/csv"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/simulator"
)

// recordings is the folder of recorded traffic; the test is skipped where it is
// absent.
func recordings(t *testing.T) string {
	t.Helper()
	root := os.Getenv("TESSERA_DATA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "data")
	}
	if _, err := os.Stat(filepath.Join(root, "alibaba_genai_2026")); err != nil {
		t.Skipf("recorded traffic is absent: set TESSERA_DATA to its folder (%v)", err)
	}
	return root
}

// genai loads the sample of recorded traffic, lasting so many days.
func genai(t *testing.T, root string, days int) *Scenario {
	t.Helper()
	l := Loader{Data: root, Open: func(path string) (io.ReadCloser, error) {
		f, err := os.Open(path)
		if err != nil || !strings.HasSuffix(path, "genai-models.yaml") {
			return f, err
		}
		defer func() { _ = f.Close() }() // only read from
		text, err := io.ReadAll(f)
		short := strings.Replace(string(text), "duration: 14d", "duration: "+strconv.Itoa(days)+"d", 1)
		return io.NopCloser(strings.NewReader(short)), err
	}}
	s, err := l.Load(filepath.Join("..", "..", "configs", "scenarios", "genai-models.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if s.Duration != time.Duration(days)*24*time.Hour {
		t.Fatalf("it lasts %v", s.Duration)
	}
	return s
}

// recordedWithin sums a recording's requests by name over a scenario's window,
// with another reader than ours.
func recordedWithin(t *testing.T, root string, s *Scenario) map[string]int64 {
	t.Helper()
	f, err := os.Open(filepath.Join(root, "alibaba_genai_2026", "requests_per_minute_by_model.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // only read from
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	out := map[string]int64{}
	for _, row := range rows[1:] {
		at, err := time.Parse("2006-01-02T15:04", row[column["minute"]][:16])
		if err != nil {
			t.Fatal(err)
		}
		n, err := strconv.ParseInt(row[column["requests"]], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if !at.Before(s.Start) && at.Before(s.Start.Add(s.Duration)) && row[column["model"]] != "other" {
			out["image-"+strings.ToLower(row[column["model"]])] += 100 * n
		}
	}
	return out
}

// The sample plays every recorded request of its two weeks a hundred times, and
// tells a hundred times what was recorded before.
func TestRecordedRequestsComeAHundredTimes(t *testing.T) {
	root := recordings(t)
	s := genai(t, root, 14)
	want := recordedWithin(t, root, s)
	w, err := s.World(1)
	if err != nil {
		t.Fatal(err)
	}
	result := arrived(t, w, s.Start.Add(s.Duration))
	got, total := map[string]int64{}, int64(0)
	for m, r := range result.ByModel {
		got[m] = r.Requests
		total += want[m]
		if r.Requests != r.Served+r.Dropped+r.Waiting {
			t.Errorf("%s: %+v", m, r)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if result.Requests != total || total < 1_000_000 {
		t.Errorf("%d requests, recorded times a hundred are %d", result.Requests, total)
	}
	if s.Scales["alibaba_genai_2026/requests_per_minute_by_model.csv"] != 100 || s.Ignored["other"] == 0 || len(s.Notes) > 0 {
		t.Errorf("scales %v, ignored %v, notes %q", s.Scales, s.Ignored, s.Notes)
	}
	for _, m := range s.Settings.Policy.Models {
		if past := history(t, s, m.Name); len(past) != 2*24*60 {
			t.Errorf("%s: %d minutes of history, want two days", m.Name, len(past))
		}
	}
}

// With the loop that decides in a cluster, on a day of it: nobody is lost.
func TestRecordedRequestsAreConservedUnderTheLoop(t *testing.T) {
	if testing.Short() {
		t.Skip("a day of recorded traffic takes seconds")
	}
	root := recordings(t)
	s := genai(t, root, 1)
	w, err := s.World(1)
	if err != nil {
		t.Fatal(err)
	}
	loop := control.NewLoop(control.Ports{Observer: w, Actuator: w, Journal: forgetful{}, Historian: w}, s.Settings, slog.New(slog.DiscardHandler))
	if err := loop.Prime(t.Context(), s.Start); err != nil {
		t.Fatal(err)
	}
	run := simulator.Run{World: w, Duration: s.Duration, Every: s.Settings.Policy.Ticks.Fast, Policy: s.Settings.Policy}
	result, err := run.Drive(t.Context(), loop)
	if err != nil {
		t.Fatal(err)
	}
	want, served := recordedWithin(t, root, s), int64(0)
	for m, r := range result.ByModel {
		if r.Requests != want[m] || r.Requests != r.Served+r.Dropped+r.Waiting {
			t.Errorf("%s: %+v, want %d requests", m, r, want[m])
		}
		served += r.Served
	}
	if served != result.Served || served == 0 {
		t.Errorf("%d requests were served, by model %d", result.Served, served)
	}
}
