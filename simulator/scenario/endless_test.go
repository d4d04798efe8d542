package scenario

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// came plays traffic that never ends and counts the requests of all models between
// neighbours of the given times since the start.
func came(t *testing.T, s *Scenario, seed uint64, times ...time.Duration) []float64 {
	t.Helper()
	w, err := s.Endless(seed)
	if err != nil {
		t.Fatal(err)
	}
	var out []float64
	before := int64(0)
	for i, at := range times {
		n := arrived(t, w, s.Start.Add(at)).Requests
		if i > 0 {
			out = append(out, float64(n-before))
		}
		before = n
	}
	return out
}

func lasting(t *testing.T, duration, traffic string) *Scenario {
	t.Helper()
	return mustLoad(t, at(strings.Replace(head, "duration: 2h", "duration: "+duration, 1)+"  traffic:\n"+traffic).loader())
}

// A metronome shows every gap: its ticks go on over the seams, one every half
// second, but for the phase that each lap chooses anew.
func TestEndlessTrafficHasNoGap(t *testing.T) {
	s := lasting(t, "10m", "  - generate: {model: transcribe-fr, shape: even, peak: 2}\n")
	var minutes []time.Duration
	for m := range 41 {
		minutes = append(minutes, time.Duration(m)*time.Minute)
	}
	for m, n := range came(t, s, 1, minutes...) {
		if n < 119 || n > 121 {
			t.Errorf("minute %d has %v requests, want 120", m, n)
		}
	}
}

// The first lap is the scenario itself, and the later ones are not its copies.
func TestEndlessTrafficBeginsLikeTheScenario(t *testing.T) {
	s := lasting(t, "30m", "  - generate: {model: transcribe-fr, shape: poisson, peak: 2}\n")
	w, err := s.World(1)
	if err != nil {
		t.Fatal(err)
	}
	var minutes []time.Duration
	for m := range 61 {
		minutes = append(minutes, time.Duration(m)*time.Minute)
	}
	got, want, before := came(t, s, 1, minutes...), []float64{}, int64(0)
	for _, at := range minutes[1:31] {
		n := arrived(t, w, s.Start.Add(at)).Requests
		want = append(want, float64(n-before))
		before = n
	}
	if diff := cmp.Diff(want, got[:30]); diff != "" {
		t.Error(diff)
	}
	if cmp.Equal(got[:30], got[30:]) {
		t.Error("the second lap repeats the first")
	}
}

// Generated traffic goes on by the calendar and not by the lap: after a lap that
// is all morning comes noon, not the same morning again.
func TestEndlessTrafficFollowsTheCalendar(t *testing.T) {
	s := lasting(t, "2h", "  - generate: {model: transcribe-fr, shape: office-hours, peak: 5, steady: true}\n")
	got := came(t, s, 1, 0, 2*time.Hour, 12*time.Hour, 14*time.Hour, 24*time.Hour, 26*time.Hour)
	morning, night, next := got[0], got[2], got[4] // from 8:00, 20:00 and 8:00 the day after
	if night > morning/5 || math.Abs(next/morning-1) > 0.05 {
		t.Errorf("%v requests in the morning, %v at night, %v in the next morning", morning, night, next)
	}
}

// A lap without a request is no end: on a quiet weekend, a short scenario has many.
func TestAQuietWeekendIsNotTheEnd(t *testing.T) {
	s := lasting(t, "1h", "  - generate: {model: transcribe-fr, shape: office-hours, peak: 0.01, steady: true}\n")
	const day = 24 * time.Hour
	got := came(t, s, 1, 0, 4*day, 7*day, 11*day) // from Monday, Friday, Monday
	if got[2] < 500 || math.Abs(got[2]/got[0]-1) > 0.2 {
		t.Errorf("%v requests in the first four days, %v in three, and %v in the next four", got[0], got[1], got[2])
	}
}

// Recordings begin again where they began.
func TestEndlessRecordingsBeginAgain(t *testing.T) {
	d := at(strings.Replace(head, "duration: 2h", "duration: 10m", 1) + "  traffic:\n  - trace: calls.csv\n    step: 1m\n    models: {A: transcribe-fr, B: transcribe-fr}\n")
	d.files["conf/scenarios/calls.csv"] = calls
	s := mustLoad(t, d.loader())
	const m = time.Minute
	want := []float64{40, 50, 0, 40, 50, 0, 40, 50}
	if diff := cmp.Diff(want, came(t, s, 1, 0, m, 2*m, 10*m, 11*m, 12*m, 20*m, 21*m, 22*m)); diff != "" {
		t.Error(diff)
	}
}

// Traffic that has nothing to send ends, and the world goes on without it.
func TestNothingToSendIsNotSearchedForEver(t *testing.T) {
	s := lasting(t, "1h", "  - generate: {model: transcribe-fr, shape: poisson, peak: 0}\n  - generate: {model: transcribe-en, shape: even, peak: 1}\n")
	if got := came(t, s, 1, 0, 3*time.Hour); got[0] != 3*3600 {
		t.Errorf("%v requests", got[0])
	}
}
