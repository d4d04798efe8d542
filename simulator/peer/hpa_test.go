package peer

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// follow feeds the scaler with loads a sync period apart, lets the Deployment have at
// once what it asks for, and returns what that is after each.
func follow(t testing.TB, s Scaler, replicas int, loads ...float64) []int {
	t.Helper()
	var out []int
	for i, load := range loads {
		replicas = ask(t, s, monday.Add(time.Duration(i)*s.Every()), look(replicas, load, load))
		out = append(out, replicas)
	}
	return out
}

func expect(t testing.TB, what string, got []int, want ...int) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("%s: %v, want %v", what, got, want)
		}
	}
}

// TestHPAGrowsByItsLimits: in 15 seconds by as many again, or by four where that is
// more.
func TestHPAGrowsByItsLimits(t *testing.T) {
	target := map[string]float64{"target": 10, "target-share": 0}
	expect(t, "the default", follow(t, scalerOf(t, "hpa", 1, 100, target), 1, 400, 400, 400, 400, 400), 5, 10, 20, 40, 40)
	target["up-pods"] = 0
	expect(t, "doubling alone", follow(t, scalerOf(t, "hpa", 1, 100, target), 1, 120, 120, 120, 120, 120), 2, 4, 8, 12, 12)
	expect(t, "to the maximum", follow(t, scalerOf(t, "hpa", 1, 6, target), 1, 120, 120, 120, 120), 2, 4, 6, 6)
}

// TestHPAFallsAfterFiveMinutes: what the load was in the last 300 seconds keeps the
// replicas, then all go at once.
func TestHPAFallsAfterFiveMinutes(t *testing.T) {
	s := scalerOf(t, "hpa", 1, 100, map[string]float64{"target": 10, "target-share": 0})
	loads := []float64{120}
	for range 20 {
		loads = append(loads, 20)
	}
	got := follow(t, s, 12, loads...)
	for i, n := range got[:20] {
		if n != 12 {
			t.Fatalf("%v after the load fell there were %d: %v", time.Duration(i)*syncPeriod, n, got)
		}
	}
	if got[20] != 2 {
		t.Fatalf("300 s after the load fell there were %d, want 2: %v", got[20], got)
	}
}

// TestHPATakesTheLowestOfTheUpWindow before it grows.
func TestHPATakesTheLowestOfTheUpWindow(t *testing.T) {
	s := scalerOf(t, "hpa", 1, 100, map[string]float64{"target": 10, "target-share": 0, "up-window": 45})
	expect(t, "up window", follow(t, s, 4, 40, 80, 80, 80, 80), 4, 4, 4, 8, 8)
}

// TestHPATakesWhatItFindsForAProposal: what ran when it began stays for the window,
// though nothing was ever asked of it.
func TestHPATakesWhatItFindsForAProposal(t *testing.T) {
	s := scalerOf(t, "hpa", 1, 100, map[string]float64{"target": 10, "target-share": 0, "down-window": 30})
	expect(t, "nine replicas for 20", follow(t, s, 9, 20, 20, 20), 9, 9, 2)
}

// TestHPAShrinksByItsLimit: a tenth in 15 seconds where that is set.
func TestHPAShrinksByItsLimit(t *testing.T) {
	s := scalerOf(t, "hpa", 1, 100, map[string]float64{"target": 10, "target-share": 0, "down-window": 0, "down-percent": 10})
	expect(t, "down limit", follow(t, s, 100, 10, 10, 10), 90, 81, 72)
}

// TestHPAPodsMetric: replicas that are not ready count as idle on the way up, and do
// not turn the direction; without a ready one nothing is known.
func TestHPAPodsMetric(t *testing.T) {
	for _, c := range []struct {
		what            string
		replicas, ready int
		load            float64
		want            int
	}{
		{"all ready, twice the target", 4, 4, 80, 8},
		{"within tolerance", 4, 4, 43, 4},
		{"half of them start: the others stand for what is coming", 8, 4, 80, 8},
		{"half of them start, and it is not enough", 8, 4, 160, 16},
		{"none is ready", 4, 0, 400, 4},
	} {
		s := scalerOf(t, "hpa", 1, 100, map[string]float64{"target": 10, "target-share": 0, "pods-metric": 1, "up-pods": 100})
		v := look(c.replicas, c.load, 0)
		v.Ready = c.ready
		if got := ask(t, s, monday, v); got != c.want {
			t.Errorf("%s: %d replicas, want %d", c.what, got, c.want)
		}
	}
}

// TestHPAKeepsItsWord over any loads: within the bounds, nothing within the
// tolerance, nothing on an unknown, no growth beyond the limit, and no shrink below
// what the load asked for at any time in the window.
func TestHPAKeepsItsWord(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		least, most := rapid.IntRange(1, 5).Draw(rt, "least"), rapid.IntRange(5, 60).Draw(rt, "most")
		s := scalerOf(t, "hpa", least, most, map[string]float64{"target": 10, "target-share": 0})
		replicas := rapid.IntRange(least, most).Draw(rt, "replicas")
		var asked []int
		for i := range rapid.IntRange(1, 60).Draw(rt, "syncs") {
			now := monday.Add(time.Duration(i) * syncPeriod)
			load := rapid.Float64Range(0, 700).Draw(rt, "load")
			v := look(replicas, load, 0)
			if rapid.IntRange(0, 9).Draw(rt, "known") == 0 {
				v = blind(replicas)
			}
			got := ask(t, s, now, v)
			_, known := v.Concurrency.Read()
			wanted := min(max(int(math.Ceil(math.Ceil(load*1000)/10000)), least), most)
			asked = append(asked, 0)
			if known {
				asked[i] = wanted
			}
			switch {
			case got < least || got > most:
				rt.Fatalf("%d replicas, outside %d to %d", got, least, most)
			case !known && got != replicas:
				rt.Fatalf("without a metric it went from %d to %d", replicas, got)
			case known && math.Abs(load/float64(10*replicas)-1) < 0.0999 && got > replicas:
				rt.Fatalf("%g for %d replicas is within tolerance, and it grew to %d", load, replicas, got)
			case got > max(2*replicas, replicas+4):
				rt.Fatalf("it grew from %d to %d in one period", replicas, got)
			case got < replicas:
				for _, a := range asked[max(0, len(asked)-20):] {
					if got < min(a, replicas) {
						rt.Fatalf("it shrank from %d to %d within five minutes of needing %d", replicas, got, a)
					}
				}
			}
			replicas = got
		}
	})
}

// TestHPATargetOfOneModel: a parameter with a model's name is that model's alone, and
// a share of the batch becomes a target.
func TestHPATargetOfOneModel(t *testing.T) {
	expect(t, "own target", follow(t, scalerOf(t, "hpa", 1, 100, map[string]float64{"target": 1, "target/en": 20, "target-share": 0}), 1, 40), 2)
	expect(t, "half a batch of eight", follow(t, scalerOf(t, "hpa", 1, 100, map[string]float64{"target-share": 0.5}), 1, 12), 3)
}
