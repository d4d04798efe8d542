package scenario

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// calls are three minutes of recorded calls before the start and three after it.
const calls = `time,model,requests,work
2026-09-14T07:57,A,10,40
2026-09-14T07:58,B,20,80
2026-09-14T07:59,A,30,120
2026-09-14T08:00,A,40,160
2026-09-14T08:01,B,50,400
2026-09-14T08:02,other,60,60
`

// history is what a world tells of the demand before its start, in requests by
// the minutes before it.
func history(t *testing.T, s *Scenario, m fleet.ModelName) map[time.Duration]float64 {
	t.Helper()
	return historyOf(t, s, 1, m)
}

func historyOf(t *testing.T, s *Scenario, seed uint64, m fleet.ModelName) map[time.Duration]float64 {
	t.Helper()
	w, err := s.World(seed)
	if err != nil {
		t.Fatal(err)
	}
	bins, err := w.History(t.Context(), m, s.Start)
	if err != nil {
		t.Fatal(err)
	}
	out := map[time.Duration]float64{}
	last := time.Time{}
	for _, o := range bins {
		if !o.Known || !o.At.After(last) {
			t.Errorf("bin %+v after the one of %v", o, last)
		}
		last = o.At
		out[o.At.Sub(s.Start)] = o.Value * 60
	}
	return out
}

func near(x, y float64) bool { return math.Abs(x-y) < 1e-9*(1+math.Abs(y)) }

// A model may have several feeds, recorded or generated: their requests are
// merged in order of time, and their histories add up.
func TestTwoFeedsOfOneModelAreMerged(t *testing.T) {
	d := at(head + `  traffic:
  - trace: calls.csv
    step: 1m
    models: {A: transcribe-fr}
  - trace: calls.csv
    step: 1m
    models: {B: transcribe-fr}
    scale: 2
  - generate: {model: transcribe-fr, shape: even, peak: 0.5}
`)
	d.files["conf/scenarios/calls.csv"] = calls
	s := mustLoad(t, d.loader())
	const even = 2 * 3600 / 2
	w, err := s.World(1)
	if err != nil {
		t.Fatal(err)
	}
	got := arrived(t, w, s.Start.Add(s.Duration))
	if r := got.ByModel["transcribe-fr"]; r.Requests != 40+2*50+even {
		t.Errorf("%d requests, want 40, twice 50, and %d", r.Requests, even)
	}
	if got.Requests != got.ByModel["transcribe-fr"].Requests {
		t.Errorf("%d requests in all", got.Requests)
	}
	past := history(t, s, "transcribe-fr")
	for minute, recorded := range map[int]float64{-3: 10, -2: 2 * 20, -1: 30, -4: 0} {
		if n := past[time.Duration(minute)*time.Minute]; n < recorded+29 || n > recorded+31 { // 30 of the metronome
			t.Errorf("minute %d: %v requests of history, want %v and 30", minute, n, recorded)
		}
	}
	if len(history(t, s, "transcribe-en")) != 0 {
		t.Error("a history of a model that nobody calls")
	}
	if diff := cmp.Diff(map[string]float64{"calls.csv": 2}, s.Scales); diff != "" {
		t.Error(diff)
	}
	// Each of the two readings ignores what it does not map.
	if diff := cmp.Diff(map[string]int{"A": 3, "B": 2, "other": 2}, s.Ignored); diff != "" {
		t.Error(diff)
	}
}

// What was recorded before the start is told as history, in bins of a minute, and
// never played: as many bins as the history holds and the recording covers.
func TestHistoryIsHandedOver(t *testing.T) {
	text := head + "  traffic:\n  - trace: calls.csv\n    step: 1m\n    models: {A: transcribe-fr, B: transcribe-fr}\n    scale: 10\n"
	for span, want := range map[string]map[time.Duration]float64{
		"30m": {-3 * time.Minute: 100, -2 * time.Minute: 200, -time.Minute: 300},
		"2m":  {-2 * time.Minute: 200, -time.Minute: 300},
		"0s":  {},
	} {
		d := at(strings.Replace(text, "history: 30m", "history: "+span, 1))
		d.files["conf/scenarios/calls.csv"] = calls
		s := mustLoad(t, d.loader())
		if diff := cmp.Diff(want, history(t, s, "transcribe-fr")); diff != "" {
			t.Errorf("history of %s: %s", span, diff)
		}
		if played := s.play(t, 0, "transcribe-fr", 1); len(played) != 10*(40+50) {
			t.Errorf("history of %s: %d requests are played", span, len(played))
		}
	}
}

// Generated traffic has a past too, of as many bins as the history has minutes,
// with counts like those that follow.
func TestGeneratedTrafficHasAPast(t *testing.T) {
	s := mustLoad(t, at(strings.Replace(head, "30m", "6h", 1)+generated).loader())
	past := history(t, s, "transcribe-fr")
	sum := 0.0
	for minute := -360; minute < 0; minute++ {
		n, ok := past[time.Duration(minute)*time.Minute]
		if !ok || n != math.Trunc(n+1e-6) && !near(n, math.Round(n)) {
			t.Fatalf("minute %d: %v requests", minute, n)
		}
		sum += n
	}
	if mean := sum / 360; len(past) != 360 || math.Abs(mean-120) > 5*math.Sqrt(120.0/360) {
		t.Errorf("%d bins of %v requests on average, want 360 of 120", len(past), mean)
	}
	if cmp.Equal(past, historyOf(t, s, 2, "transcribe-fr")) {
		t.Error("two seeds have one past")
	}
}

// The work of a request counts in averages of its profile: row B at 08:01 has 8
// units a request where the profile's average is 4.
func TestWorkIsMeasuredByTheProfile(t *testing.T) {
	d := at(head + "  traffic:\n  - trace: calls.csv\n    step: 1m\n    models: {A: transcribe-fr, B: transcribe-en}\n")
	d.files["conf/scenarios/calls.csv"] = calls
	s := mustLoad(t, d.loader())
	for m, want := range map[fleet.ModelName]float64{"transcribe-fr": 1, "transcribe-en": 2} {
		for _, r := range s.play(t, 0, m, 1) {
			if r.Work != want {
				t.Fatalf("%s: %v averages of work, want %v", m, r.Work, want)
			}
		}
	}
}

// What a reader of the results must know: of which time the recording says nothing.
func TestUncoveredTimeIsNoted(t *testing.T) {
	d := at(head + "  traffic:\n  - trace: calls.csv\n    step: 1m\n    models: {A: transcribe-fr}\n")
	d.files["conf/scenarios/calls.csv"] = calls
	s := mustLoad(t, d.loader())
	if want := "calls.csv says nothing of the last 1h57m: no traffic there"; len(s.Notes) != 1 || s.Notes[0] != want {
		t.Errorf("notes %q, want %q", s.Notes, want)
	}
}

// The order of the entries, and the entries of other models, do not reach a
// model's requests.
func TestModelsDrawFromStreamsOfTheirOwn(t *testing.T) {
	alone := mustLoad(t, at(head+generated).loader())
	joined := mustLoad(t, at(head+generated+"  - generate: {model: transcribe-en, shape: poisson, peak: 3}\n").loader())
	if !cmp.Equal(alone.play(t, 0, "transcribe-fr", 1), joined.play(t, 0, "transcribe-fr", 1)) {
		t.Error("traffic of another model changed that of transcribe-fr")
	}
	if cmp.Equal(alone.play(t, 0, "transcribe-fr", 1), alone.play(t, 0, "transcribe-fr", 2)) {
		t.Error("two seeds have the same traffic")
	}
	twice := mustLoad(t, at(head+generated+"  - generate: {model: transcribe-fr, shape: poisson, peak: 2}\n").loader())
	if cmp.Equal(twice.play(t, 0, "transcribe-fr", 1), twice.play(t, 1, "transcribe-fr", 1)) {
		t.Error("two feeds of one model send the same requests")
	}
}
