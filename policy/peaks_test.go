package policy_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

func TestPeaksIsTheMaximumOfTheWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		window := time.Duration(rapid.IntRange(0, 20).Draw(t, "window")) * time.Minute
		var peaks policy.Peaks
		var all []policy.Peak
		at := noon
		for range rapid.IntRange(1, 40).Draw(t, "values") {
			at = at.Add(time.Duration(rapid.IntRange(0, 6).Draw(t, "minutes")) * time.Minute)
			v := float64(rapid.IntRange(0, 9).Draw(t, "value"))
			all = append(all, policy.Peak{At: at, Value: v})
			peaks.Add(at, v, window)
			// What is recorded and restored goes on as if nothing had happened.
			data, err := json.Marshal(peaks)
			if err != nil {
				t.Fatal(err)
			}
			peaks = policy.Peaks{}
			if err := json.Unmarshal(data, &peaks); err != nil {
				t.Fatal(err)
			}
			want := 0.0
			for _, p := range all {
				if at.Sub(p.At) <= window {
					want = math.Max(want, p.Value)
				}
			}
			if peaks.Max() != want {
				t.Fatalf("maximum %v, want %v of %v", peaks.Max(), want, all)
			}
		}
	})
}

func TestNotKnowingLowersNoMaximum(t *testing.T) {
	var p policy.Peaks
	p.Add(noon, 5, time.Minute)
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1} {
		p.Add(noon.Add(time.Hour), bad, time.Minute)
	}
	if p.Max() != 5 {
		t.Errorf("maximum %v", p.Max())
	}
	p.Add(noon.Add(-time.Hour), 3, time.Minute) // a clock that stepped back
	if p.Max() != 5 || len(p.Queue) != 2 {
		t.Errorf("%+v", p)
	}
}

func TestAHoldThatLastsIsReported(t *testing.T) {
	p := guarded()
	var b policy.Blindness
	see := func(minutes int, unknown bool) []string {
		w := newWorld()
		w.At = noon.Add(time.Duration(minutes) * time.Minute)
		if unknown {
			w.unknown("de")
		}
		b.Observe(p, w.Snapshot)
		var out []string
		for _, r := range b.Overdue(p, w.At) {
			out = append(out, r.String())
		}
		return out
	}
	for _, c := range []struct {
		minute  int
		unknown bool
		want    []string
	}{
		{0, true, nil},
		{60, true, nil},
		{61, true, []string{"de stays: arrivals is unknown (Prometheus does not answer); for 1h1m0s; limit 1h0m0s"}},
		{62, false, nil},
		{63, true, nil}, // the count begins anew
	} {
		if diff := cmp.Diff(c.want, see(c.minute, c.unknown)); diff != "" {
			t.Errorf("minute %d (-want +got):\n%s", c.minute, diff)
		}
	}
}

func TestFreshTurnsWhatIsTooOldIntoAnUnknown(t *testing.T) {
	s := policy.Signals{MaxAge: time.Minute}
	if _, known := s.Fresh(fleet.Measured(3, time.Minute, 1)).Read(); !known {
		t.Error("a sample of the oldest age that is accepted is not")
	}
	if _, known := s.Fresh(fleet.Measured(3, time.Minute+1, 1)).Read(); known {
		t.Error("a sample that is too old is accepted")
	}
	if cause := s.Fresh(fleet.Unknown("no series")).Cause(); cause != "no series" {
		t.Errorf("the cause became %q", cause)
	}
}
