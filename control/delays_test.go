package control

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// minutes is a duration of so many.
func minutes(n float64) time.Duration { return time.Duration(n * float64(time.Minute)) }

// catalogue is what people wrote: eight minutes, seldom more than fifteen.
var catalogue = fleet.Delay{P50: minutes(8), P95: minutes(15)}

var noon = time.Date(2026, 9, 14, 12, 0, 0, 0, time.UTC)

// after has seen durations, one a minute.
func after(durations ...time.Duration) Delays {
	d := Delays{}.learn(catalogue, nil, nil)
	for i, took := range durations {
		d = d.learn(catalogue, []ended{{at: noon.Add(time.Duration(i) * time.Minute), took: took}}, nil)
	}
	return d
}

// likewise are so many draws from a distribution.
func likewise(of fleet.Delay, n int, seed uint64) []time.Duration {
	draws := rand.New(rand.NewPCG(seed, 1))
	out := make([]time.Duration, n)
	for i := range out {
		out[i] = of.At(draws.NormFloat64())
	}
	return out
}

// near tells whether two durations differ by no more than a share.
func near(got, want time.Duration, by float64) bool {
	return math.Abs(got.Seconds()/want.Seconds()-1) <= by
}

func TestWhoSawNothingBelievesWhatIsWritten(t *testing.T) {
	if d := (Delays{}).learn(catalogue, nil, nil); d.Delay != catalogue || d.Count != 0 {
		t.Errorf("%+v", d)
	}
	young := (Delays{}).learn(catalogue, nil, []time.Duration{minutes(1), minutes(14)})
	if young.Delay != catalogue {
		t.Errorf("starts that are not late change what is written: %+v", young)
	}
}

// TestTheTruthIsLearnt, be it shorter or longer than what is written, from a few dozen
// starts, and its direction from three.
func TestTheTruthIsLearnt(t *testing.T) {
	for _, truth := range []fleet.Delay{
		catalogue, {P50: minutes(16), P95: minutes(30)}, {P50: minutes(4), P95: minutes(6)}, fleet.Fixed(minutes(25)),
	} {
		sum50, sum95 := 0.0, 0.0
		const worlds = 60
		for seed := range uint64(worlds) {
			got := after(likewise(truth, 60, seed)...).Delay
			sum50, sum95 = sum50+got.P50.Seconds()/worlds, sum95+got.P95.Seconds()/worlds
			if three := after(likewise(truth, 3, seed)...).Delay; truth.P50 >= 2*catalogue.P50 && three.P95 <= catalogue.P95 {
				t.Errorf("seed %d: three starts of %v leave the 0.95 quantile at %v", seed, truth, three.P95)
			}
		}
		got := fleet.Delay{P50: seconds(sum50), P95: seconds(sum95)}
		// A quarter of the weight stays with what is written.
		if !near(got.P50, truth.P50, 0.3) || got.P95 < min(truth.P95, catalogue.P95)*9/10 || got.P95 > max(truth.P95, catalogue.P95)*11/10 ||
			truth.P95 > catalogue.P95 && !near(got.P95, truth.P95, 0.15) {
			t.Errorf("of %v was learnt %v", truth, got)
		}
	}
}

// TestOneOutlierWarnsAndTwoAreBelieved: a single start of an hour among usual ones
// lengthens the horizon to no more than half as long again as any other, and is nearly
// forgotten after twenty.
func TestOneOutlierWarnsAndTwoAreBelieved(t *testing.T) {
	for seed := range uint64(20) {
		usual := likewise(catalogue, 40, seed)
		for n := range 12 {
			before := after(usual[:n]...).Delay.P95
			one := after(append(usual[:n:n], minutes(50))...).Delay.P95
			if most := slices.Max(append(usual[:n:n], catalogue.P95)) * 3 / 2; one < before || one > most+time.Second {
				t.Errorf("seed %d: one start of 50 minutes after %d makes %v of %v", seed, n, one, before)
			}
		}
		two := after(append(usual[:5:5], minutes(50), minutes(50))...).Delay.P95
		if two < minutes(40) {
			t.Errorf("seed %d: two starts of 50 minutes make %v", seed, two)
		}
		with, without := after(append(append(usual[:5:5], minutes(50)), usual[5:25]...)...).Delay.P95, after(usual[:25]...).Delay.P95
		if with > without*5/4 {
			t.Errorf("seed %d: one start of 50 minutes makes %v of %v twenty starts later", seed, with, without)
		}
	}
}

// TestWhatIsLateCountsBeforeItIsOver: a node that is still starting after twenty minutes
// takes twenty at least. One that never comes is no longer believed after an hour, and
// leaves nothing behind.
func TestWhatIsLateCountsBeforeItIsOver(t *testing.T) {
	for _, n := range []int{0, 1, 5, 20, 40} {
		d := after(likewise(catalogue, n, 3)...)
		before := d.Delay
		late := d.learn(catalogue, nil, []time.Duration{minutes(20)})
		if late.Delay.P95 < minutes(18) || late.Late != 1 {
			t.Errorf("after %d starts a node that still starts after 20 minutes makes %v of %v", n, late.Delay.P95, before.P95)
		}
		for age := 20.0; age < 200; age += 5 {
			late = late.learn(catalogue, nil, []time.Duration{minutes(age)})
			if late.Delay.P95 > 2*max(before.P95, catalogue.P95) {
				t.Fatalf("one node that does not come for %v minutes makes %v", age, late.Delay.P95)
			}
		}
		if late.Delay != before || late.Late != 0 {
			t.Errorf("after %d starts a node that never came leaves %v where there was %v", n, late.Delay, before)
		}
		gone := d.learn(catalogue, nil, []time.Duration{minutes(30)}).learn(catalogue, nil, nil)
		if gone.Delay != before {
			t.Errorf("a node that was given up leaves %v where there was %v", gone.Delay, before)
		}
	}
}

// TestAStartIsCountedOnce, however often it is seen.
func TestAStartIsCountedOnce(t *testing.T) {
	over := []ended{{noon, minutes(9)}, {noon.Add(time.Minute), minutes(10)}, {noon.Add(time.Minute), minutes(11)}}
	d := Delays{}.learn(catalogue, over[:1], nil)
	for range 5 {
		d = d.learn(catalogue, over, nil)
	}
	if d.Count != 3 || len(d.Seen) != 3 {
		t.Errorf("three starts are counted as %+v", d)
	}
}

// TestDelaysAreSoundWhateverIsSeen: ordered quantiles between the least and the most that
// is believed, nothing remembered without end, and the same after a journey as JSON.
func TestDelaysAreSoundWhateverIsSeen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		duration := rapid.Custom(func(t *rapid.T) time.Duration {
			return time.Duration(rapid.Int64Range(0, int64(300*time.Minute)).Draw(t, "duration"))
		})
		p50 := duration.Draw(t, "p50")
		prior := fleet.Delay{P50: p50, P95: p50 + duration.Draw(t, "more")}
		var d Delays
		for i, took := range rapid.SliceOfN(duration, 0, 80).Draw(t, "seen") {
			d = d.learn(prior, []ended{{noon.Add(time.Duration(i) * time.Second), took}}, rapid.SliceOfN(duration, 0, 4).Draw(t, "under way"))
			if len(d.Seen) > mostSeen || d.Count != i+1 {
				t.Fatalf("after %d: %+v", i+1, d)
			}
			if d.Delay.P50 < 0 || d.Delay.P95 < d.Delay.P50 || d.Delay.P95 > longest(prior)+time.Second {
				t.Fatalf("of %v became %v", prior, d.Delay)
			}
		}
		text, err := json.Marshal(d)
		var back Delays
		if err == nil {
			err = json.Unmarshal(text, &back)
		}
		next := []ended{{noon.Add(time.Hour), minutes(7)}}
		a, _ := json.Marshal(d.learn(prior, next, nil))
		b, _ := json.Marshal(back.learn(prior, next, nil))
		if err != nil || string(a) != string(b) {
			t.Fatalf("%v: %s becomes %s", err, a, b)
		}
	})
}

// TestLongerStartsNeverMakeShorterHorizons.
func TestLongerStartsNeverMakeShorterHorizons(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seen := rapid.SliceOfN(rapid.Float64Range(10, 5000), 1, mostSeen).Draw(t, "seen")
		before := estimate(catalogue, seen, nil)
		i := rapid.IntRange(0, len(seen)-1).Draw(t, "which")
		seen[i] += rapid.Float64Range(0, 3000).Draw(t, "more")
		if after := estimate(catalogue, seen, nil); after.P50 < before.P50 || after.P95+time.Second < before.P95 {
			t.Fatalf("%v became %v", before, after)
		}
	})
}
