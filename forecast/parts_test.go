package forecast

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The histogram answers like the sorted errors themselves, within a bin.
func TestResidualsAgreeWithSortedErrors(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var r residuals
	var all []float64
	for range 20000 {
		u := 2 * rng.NormFloat64()
		all = append(all, u)
		r.learn(u, 1)
	}
	slices.Sort(all)
	var sum [residualBins]float64
	r.addTo(&sum, 1)
	q, n := quantilesOf(&sum)
	if math.Abs(n-20000) > 1 {
		t.Errorf("mass %g", n)
	}
	for i, level := range levels {
		if want := all[int(level*20000)]; math.Abs(q[i]-want) > 0.1 {
			t.Errorf("level %g: %g, want %g", level, q[i], want)
		}
	}
}

func TestOldErrorsFade(t *testing.T) {
	var r residuals
	keep := math.Exp2(-1.0 / 100)
	for range 100_000 { // far enough for the weights to be rescaled many times
		r.learn(-5, keep)
	}
	for range 400 {
		r.learn(5, keep)
	}
	var sum [residualBins]float64
	r.addTo(&sum, 1)
	q, n := quantilesOf(&sum)
	if want := 1 / (1 - keep); math.Abs(n-want) > 0.01*want {
		t.Errorf("mass %g, want %g", n, want)
	}
	// Four half-lives leave a sixteenth of the old.
	if q[1] > -4 || q[2] < 4 {
		t.Errorf("quantiles %v", q)
	}
}

func TestRegressionFindsItsWeights(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		want := [features]float64{rng.Float64(), rng.Float64(), rng.Float64(), rng.Float64()}
		var r regression
		prior := [features]float64{0.5, 0.5, 0.5, 0.5}
		if got := r.solve(prior, 20, 1); got != prior {
			t.Fatalf("before anything was learnt: %v", got)
		}
		for range 4000 {
			var x [features]float64
			y := 0.1 * rng.NormFloat64()
			for i := range x {
				x[i] = rng.NormFloat64()
				y += want[i] * x[i]
			}
			r.learn(x, y, 0.999)
		}
		for i, w := range r.solve(prior, 20, 1) {
			if math.Abs(w-want[i]) > 0.05 {
				t.Fatalf("weight %d: %g, want %g", i, w, want[i])
			}
		}
	})
}

// The same column four times leaves no inverse, but weights nevertheless.
func TestRegressionBearsCopies(t *testing.T) {
	var r regression
	for range 1000 {
		r.learn([features]float64{8, 8, 8, 8}, 8, 1)
	}
	sum := 0.0
	for _, w := range r.solve([features]float64{}, 20, 1.2) {
		sum += w
	}
	if math.Abs(sum-1) > 0.01 {
		t.Errorf("weights sum to %g", sum)
	}
}

// The counts at the levels are those of a brute-force sum of the distribution.
func TestCountsAgreeWithTheirDistribution(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mu := rapid.Float64Range(1e-4, 60).Draw(t, "mean")
		phi := rapid.Float64Range(1, 6).Draw(t, "dispersion")
		var exact, expanded [levelCount]float64
		exactCounts(mu, phi, &exact)
		for i, k := range exact {
			if at, below := cdf(mu, phi, k), cdf(mu, phi, k-1); at < levels[i]-1e-9 || below >= levels[i]+1e-9 {
				t.Fatalf("level %g: %g has %g, one less %g", levels[i], k, at, below)
			}
		}
		if mu < exactBelow {
			return
		}
		expandedCounts(mu, phi, &expanded)
		for i := range expanded {
			if math.Abs(expanded[i]-exact[i]) > 1+0.15*math.Sqrt(mu*phi) {
				t.Fatalf("level %g: expansion %g, exact %g", levels[i], expanded[i], exact[i])
			}
		}
	})
}

// cdf sums the negative binomial through the gamma function.
func cdf(mu, phi, k float64) float64 {
	sum := 0.0
	for j := 0.0; j <= k; j++ {
		lj, _ := math.Lgamma(j + 1)
		if phi <= 1.001 {
			sum += math.Exp(j*math.Log(mu) - mu - lj)
			continue
		}
		r := mu / (phi - 1)
		a, _ := math.Lgamma(j + r)
		b, _ := math.Lgamma(r)
		sum += math.Exp(a - b - lj - r*math.Log(phi) + j*math.Log((phi-1)/phi))
	}
	return sum
}

func TestDispersionIsThatOfTheCounts(t *testing.T) {
	for _, clump := range []float64{1, 5} { // events that come in clumps of so many
		rng := rand.New(rand.NewPCG(9, 9))
		c := counting{event: 1.0 / 60}
		before := math.NaN()
		sum, n := 0.0, 0.0
		for i := range 20000 {
			v := clump * float64(poisson(rng, 100/clump)) / 60
			if i%60 == 0 {
				v *= 2 // the burst at the full hour is no dispersion
			}
			c.learn(v, before, 0.9998)
			before = v
			if i > 5000 {
				sum, n = sum+c.overdispersion(), n+1
			}
		}
		if mean := sum / n; mean < clump*0.85 || mean > clump*1.35 {
			t.Errorf("clumps of %g: dispersion %g", clump, mean)
		}
	}
}

func TestPlacesFollowTheClock(t *testing.T) {
	kolkata := time.FixedZone("", 5*3600+1800)
	rapid.Check(t, func(t *rapid.T) {
		c := newCalendar(rapid.SampledFrom([]time.Duration{time.Second, 20 * time.Second, time.Minute, 5 * time.Minute, 7 * time.Minute, time.Hour, 24 * time.Hour}).Draw(t, "step"))
		zone := time.UTC
		if rapid.Bool().Draw(t, "zoned") {
			zone, c.zone = kolkata, kolkata
		}
		at := time.Unix(rapid.Int64Range(-4e9, 8e9).Draw(t, "at"), 0)
		bin := c.bin(at)
		start := time.Unix(bin*c.step, 0).In(zone)
		if start.After(at) || at.Sub(start) >= time.Duration(c.step)*time.Second {
			t.Fatalf("%v is not in the bin of %v", at, start)
		}
		p := c.place(bin)
		inDay := int64(start.Hour()*3600 + start.Minute()*60 + start.Second())
		if p.slot != int(inDay/c.width) || p.part != start.Hour()/6 || p.slot >= c.slots || p.pulse >= c.pulses {
			t.Fatalf("%v is at %+v of %+v", start, p, c)
		}
		want := map[time.Weekday]int{time.Saturday: 1, time.Sunday: 2}[start.Weekday()]
		if p.kind != want {
			t.Fatalf("%v is of kind %d", start.Weekday(), p.kind)
		}
	})
}

// Smoothing one slot is the mean of its neighbours, also across midnight.
func TestSmoothingWrapsAtMidnight(t *testing.T) {
	c := newCalendar(time.Minute)
	rapid.Check(t, func(t *rapid.T) {
		p := newProfile(&c)
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		for slot := range c.slots {
			if rng.IntN(3) > 0 {
				p.learn(place{slot: slot, pulse: slot % 60}, rng.Float64())
			}
		}
		for i := range 60 {
			p.learnPulse(place{pulse: i}, 0.5+rng.Float64(), 1)
		}
		slot := rapid.IntRange(0, c.slots-1).Draw(t, "slot")
		sum, n := 0.0, 0.0
		for s := slot - p.reach; s <= slot+p.reach; s++ {
			k := (s + c.slots) % c.slots
			if v := float64(p.kinds[0][k]); !math.IsNaN(v) {
				sum, n = sum+v/p.pulse.factor[k%60], n+1
			}
		}
		got, _, ok := p.smoothed(place{slot: slot, pulse: slot % 60}, 0)
		if want := sum / n * p.pulse.factor[slot%60]; ok != (n > 0) || math.Abs(got-want) > 1e-6 {
			t.Fatalf("slot %d: %g, want %g", slot, got, want)
		}
	})
}
