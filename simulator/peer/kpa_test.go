package peer

import (
	"maps"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// kpaOf aims at seven requests a replica: 70 % of ten.
func kpaOf(t testing.TB, least, most int, more map[string]float64) Scaler {
	t.Helper()
	parameters := map[string]float64{"target": 10}
	maps.Copy(parameters, more)
	return scalerOf(t, "kpa", least, most, parameters)
}

// TestKPAPanicsAndCalmsDown: a surge to four times what two replicas take is answered
// within the panic window, nothing shrinks while the surge is in the stable window,
// and more than a stable window after the excess the replicas fall, by half at most.
func TestKPAPanicsAndCalmsDown(t *testing.T) {
	s := kpaOf(t, 1, 100, nil)
	replicas, at := 2, monday
	step := func(load float64) int {
		replicas = ask(t, s, at, look(replicas, load, 0))
		at = at.Add(kpaTick)
		return replicas
	}
	for range 30 {
		step(14)
	}
	if replicas != 2 {
		t.Fatalf("%d replicas for 14 at 7 each", replicas)
	}
	var up []int
	for range 3 {
		up = append(up, step(56))
	}
	// Averages of the panic window: (14+14+56)/3, (14+56+56)/3, 56.
	expect(t, "surge", up, 4, 6, 8)
	// Only the first of these looks wanted twice as many as were ready, so that it
	// calms down at the first look more than 60 s after it, the 31st.
	for i := range 28 {
		if step(7) != 8 {
			t.Fatalf("it shrank to %d in panic, %d looks after the surge", replicas, i+1)
		}
	}
	if step(7) != 4 {
		t.Errorf("when it calmed down it went from 8 to %d; half is the most, and little is needed", replicas)
	}
}

// TestKPAPartialWindows: averages are over what there is.
func TestKPAPartialWindows(t *testing.T) {
	s := kpaOf(t, 1, 100, map[string]float64{"panic-threshold": 1000})
	if got := ask(t, s, monday, look(1, 70, 0)); got != 10 {
		t.Errorf("%d replicas at the first look at 70, want 10", got)
	}
}

// TestKPAWithoutDataKeeps: an outage leaves the average of what is left of the
// window, and once that is empty the scale is kept for as long as it lasts.
func TestKPAWithoutDataKeeps(t *testing.T) {
	s := kpaOf(t, 1, 100, nil)
	at := monday
	for range 30 {
		ask(t, s, at, look(6, 42, 0))
		at = at.Add(kpaTick)
	}
	for i := range 29 {
		if got := ask(t, s, at, blind(6)); got != 6 {
			t.Fatalf("%d replicas %d looks into the outage, and the window still has data", got, i)
		}
		at = at.Add(kpaTick)
	}
	at = at.Add(2 * kpaTick)
	for range 100 {
		if got := s.Scale(at, []View{blind(6)})[0]; got != Keep {
			t.Fatalf("without any data it answers %d", got)
		}
		at = at.Add(kpaTick)
	}
}

// TestKPAScaleToZero after the grace period, where the minimum allows it.
func TestKPAScaleToZero(t *testing.T) {
	s := kpaOf(t, 0, 100, nil)
	at, replicas := monday, ask(t, s, monday, look(1, 7, 0))
	gone := time.Duration(0)
	for replicas > 0 && gone < 5*time.Minute {
		at = at.Add(kpaTick)
		gone += kpaTick
		replicas = ask(t, s, at, look(replicas, 0, 0))
	}
	if want := 90 * time.Second; gone < want-2*kpaTick || gone > want+2*kpaTick {
		t.Errorf("the last replica went after %v, want the stable window and the grace period, %v", gone, want)
	}
	if got := ask(t, s, at.Add(kpaTick), look(0, 1, 1)); got != 1 {
		t.Errorf("%d replicas when the first request came", got)
	}
}

// TestKPAScaleDownDelay keeps the largest wish of the delay.
func TestKPAScaleDownDelay(t *testing.T) {
	s := kpaOf(t, 1, 100, map[string]float64{"scale-down-delay": 300, "stable-window": 6})
	at := monday
	for range 5 {
		ask(t, s, at, look(6, 42, 0))
		at = at.Add(kpaTick)
	}
	fell := at
	for ask(t, s, at, look(6, 1, 0)) == 6 {
		at = at.Add(kpaTick)
	}
	if held := at.Sub(fell); held < 295*time.Second || held > 320*time.Second {
		t.Errorf("six replicas stayed for %v, with a delay of 300 s", held)
	}
}

// TestKPAKeepsItsWord over any loads: bounds, rates, and no shrink in panic.
func TestKPAKeepsItsWord(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		least, most := rapid.IntRange(0, 3).Draw(rt, "least"), rapid.IntRange(3, 50).Draw(rt, "most")
		s := kpaOf(t, least, most, map[string]float64{"max-up": 3})
		replicas := rapid.IntRange(least, most).Draw(rt, "replicas")
		for i := range rapid.IntRange(1, 120).Draw(rt, "ticks") {
			v := look(replicas, rapid.Float64Range(0, 400).Draw(rt, "load"), 0)
			if rapid.IntRange(0, 9).Draw(rt, "known") == 0 {
				v = blind(replicas)
			}
			got := ask(t, s, monday.Add(time.Duration(i)*kpaTick), v)
			r := s.(*kpa).by["en"]
			switch {
			case got != replicas && (got < least || got > most):
				rt.Fatalf("%d replicas, outside %d to %d", got, least, most)
			case !r.panicking.IsZero() && got < min(r.most, most):
				rt.Fatalf("in panic it went below %d, to %d", r.most, got)
			case r.panicking.IsZero() && got > max(3*max(1, replicas), least):
				rt.Fatalf("it grew from %d to %d", replicas, got)
			case r.panicking.IsZero() && got < min(replicas/2, replicas):
				rt.Fatalf("it shrank from %d to %d", replicas, got)
			}
			replicas = got
		}
	})
}

// TestWindowIsTheMeanOfWhatThereIs, against a list of all records.
func TestWindowIsTheMeanOfWhatThereIs(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		n := 1 + rng.IntN(10)
		w := newWindow(time.Duration(n)*kpaTick, kpaTick)
		records := map[int]float64{}
		first, last := -1, -1
		for i := range 60 {
			now := monday.Add(time.Duration(i) * kpaTick)
			if rng.IntN(3) > 0 {
				if last < 0 || i-last >= n {
					first = i // a window without a record begins anew
				}
				records[i], last = rng.Float64()*100, i
				w.record(now, records[i])
			}
			want := 0.0
			if last >= 0 && i-last < n {
				buckets := 0
				for b := max(first, i-n+1); b <= last; b++ {
					want += records[b]
					buckets++
				}
				want /= float64(buckets)
			}
			if got := w.average(now); math.Abs(got-want) > 2e-6 {
				t.Fatalf("window of %d at %d: %g, want %g", n, i, got, want)
			}
			if got, want := w.empty(now), last < 0 || i-last > n; got != want {
				t.Fatalf("window of %d at %d: empty is %v, want %v", n, i, got, want)
			}
		}
	}
}
