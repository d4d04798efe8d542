package forecast

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The quantiles are those of the errors themselves, within a bin.
func TestResidualsAgreeWithSortedErrors(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	r := newResiduals()
	var all []float64
	var calm [tiltInputs]float64
	for range 20000 {
		u := 2 * rng.NormFloat64()
		all = append(all, u)
		r.learn(u, &calm, 1, 1)
	}
	slices.Sort(all)
	for i, level := range levels {
		if want := all[int(level*20000)]; math.Abs(r.at(i, &calm)-want) > 0.5 {
			t.Errorf("level %g: %g, want %g", level, r.at(i, &calm), want)
		}
	}
}

// Whatever the errors do, the share of them below a quantile is what it says.
func TestShareBelowIsAsPromised(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 3))
	r := newResiduals()
	var below [levelCount]float64
	const n = 20000
	x := [tiltInputs]float64{}
	for i := range n {
		// The spread doubles and halves from day to day, and the mean wanders.
		u := rng.NormFloat64()*math.Exp2(math.Sin(float64(i)/700)) + math.Sin(float64(i)/2000)
		for l := range levels {
			if u <= r.at(l, &x) {
				below[l]++
			}
		}
		r.learn(u, &x, 0.9998, 1)
	}
	for l, level := range levels {
		if got := below[l] / n; math.Abs(got-level) > 0.02 {
			t.Errorf("level %g: %g of the outcomes lie below", level, got)
		}
	}
}

// A tilt learns on what the shape of the errors hangs.
func TestTiltFollowsTheSituation(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 4))
	r := newResiduals()
	up, down := [tiltInputs]float64{1}, [tiltInputs]float64{-1}
	for range 20000 {
		r.learn(rng.NormFloat64()+1, &up, 0.9998, 1)
		r.learn(rng.NormFloat64()-1, &down, 0.9998, 1)
	}
	if a, b := r.at(medianIndex, &up), r.at(medianIndex, &down); a < 0.6 || b > -0.6 {
		t.Errorf("medians %g and %g, want about 1 and -1", a, b)
	}
}

func TestOldErrorsFade(t *testing.T) {
	r := newResiduals()
	var calm [tiltInputs]float64
	keep := math.Exp2(-1.0 / 100)
	for range 100_000 { // far enough for the weights to be rescaled many times
		r.learn(-5, &calm, keep, 1)
	}
	for range 400 {
		r.learn(5, &calm, keep, 1)
	}
	total := 0.0
	for _, m := range r.mass {
		total += float64(m)
	}
	if want := 1 / (1 - keep); math.Abs(total/r.weight-want) > 0.01*want {
		t.Errorf("mass %g, want %g", total/r.weight, want)
	}
	// Four half-lives leave a sixteenth of the old.
	if q := r.q; q[4] < 4 || q[10] > 6 {
		t.Errorf("quantiles %v", q)
	}
}

// The better rival leads, and is dropped when another becomes better.
func TestRivalsAreChosenByTheirLosses(t *testing.T) {
	r := newRivals(1800, 200)
	for turn, best := range []int{1, 0} {
		for range 400 {
			var said [rivalGroups][rivalCount]float64
			for g := range said {
				said[g] = [rivalCount]float64{2, 2, 3}
				said[g][best] = 1.01
			}
			r.learn(1, &said, 1, 0, 0)
		}
		for g, w := range r.weight {
			if w[best] < 0.99 {
				t.Fatalf("turn %d, group %d: weights %v", turn, g, w)
			}
		}
	}
}

// The tracker shares the lead only where it was as good for days: worse losses drop it,
// a lucky day does not bring it back.
func TestTrackerNeedsALongRecord(t *testing.T) {
	r := newRivals(1800, 200)
	outcome := func(tracker float64) {
		var said [rivalGroups][rivalCount]float64
		for g := range said {
			said[g] = [rivalCount]float64{1.5, 2, tracker}
		}
		r.learn(1, &said, 1, 0, 0)
	}
	for i, phase := range []struct {
		tracker  float64
		outcomes int
		from, to float32 // of its weight
	}{
		{2, 1000, 0, 0},         // worse for five days
		{1.1, 200, 0, 0.1},      // a lucky day
		{1.1, 6000, 0.49, 0.51}, // better for a month
	} {
		for range phase.outcomes {
			outcome(phase.tracker)
		}
		for g, w := range r.weight {
			if w[2] < phase.from || w[2] > phase.to {
				t.Errorf("phase %d, group %d: weights %v", i, g, w)
			}
		}
	}
}

// Within some hundred bins of a wandering series the share below each factor is what
// it should be, whatever the unit of the series.
func TestTrackerCoversWhateverTheUnit(t *testing.T) {
	for _, unit := range []float64{1e-3, 1, 1e6} {
		rng := rand.New(rand.NewPCG(1, 5))
		var tr tracker
		var below [levelCount]float64
		const n = 5000
		for i := range n {
			point := unit * (2 + math.Sin(float64(i)/300))
			root := point * math.Exp(0.1*rng.NormFloat64()+0.2*math.Sin(float64(i)/500))
			for l := range levels {
				if root <= tr.at(l, point) {
					below[l]++
				}
			}
			tr.learn(root, point)
		}
		for l, level := range levels {
			if got := below[l] / n; math.Abs(got-level) > 0.02 {
				t.Errorf("unit %g, level %g: %g of the outcomes lie below", unit, level, got)
			}
		}
	}
}

// A rate that rises a hundredfold for good is no reason to expect as much again: half an
// hour ahead of a level that follows within the half hour, the tracked quantiles stay near
// what ever came, and hold again what they promise soon after.
func TestTrackerDoesNotRepeatAJump(t *testing.T) {
	const (
		lead, jump, n = 30, 500, 1000
		rise          = 10.0 // of the root
	)
	rng := rand.New(rand.NewPCG(1, 7))
	var tr tracker
	level, points, below := 1.0, [n + lead]float64{}, 0.0
	for i := range n {
		root := math.Exp(0.05 * rng.NormFloat64())
		if i >= jump {
			root *= rise
		}
		if i >= lead {
			q := square(tr.at(scoredIndex, points[i]))
			if q > 3*rise*rise {
				t.Errorf("bin %d after the jump: the 0.9 quantile is %g, of a rate that was never above %g", i-jump, q, 1.5*rise*rise)
			}
			if i >= jump+3*lead && square(root) <= q {
				below++
			}
			tr.learn(root, points[i])
		}
		level += 0.045 * (root - level)
		points[i+lead] = level
	}
	if share := below / (n - jump - 3*lead); math.Abs(share-scoredLevel) > 0.03 {
		t.Errorf("from an hour and a half after the jump on, %g of the outcomes lie below the 0.9 quantile", share)
	}
}

// What is recalled of a bin is what was pushed for it; gaps and what is too old are not.
func TestRecallAgreesWithAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newCalendar(time.Minute)
		r, all := newRecall(&c), map[int64]float64{}
		bin := int64(0)
		for range rapid.IntRange(1, 200).Draw(t, "bins") {
			bin += rapid.SampledFrom([]int64{1, 1, 1, 2, 5, 70, 1000}).Draw(t, "ahead")
			r.set(bin, float64(bin))
			all[bin] = float64(bin)
			ago := rapid.Int64Range(0, 60).Draw(t, "ago")
			want, known := all[bin-ago]
			if got := r.at(bin - ago); known != !math.IsNaN(got) || known && got != want {
				t.Fatalf("%d bins before %d: %g, want %g, %v", ago, bin, got, want, known)
			}
		}
	})
}

// A short keeps a number to a thousandth within its range, and its sign beyond.
func TestShortKeepsNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Float64Range(-100, 100).Draw(t, "v")
		if got, want := long(short(v)), clip(v, 32767.0/shortUnit); math.Abs(got-want) > 0.51/shortUnit {
			t.Fatalf("%g is kept as %g", v, got)
		}
	})
}

// The weights are those of the normal equations, solved by plain elimination.
func TestRegressionAgreesWithElimination(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		n := rapid.IntRange(1, maxInputs).Draw(t, "inputs")
		ridge := rapid.Float64Range(1, 100).Draw(t, "ridge")
		prior := make([]float64, n)
		for i := range prior {
			prior[i] = rng.NormFloat64()
		}
		r := newRegression(prior)
		m := make([][]float64, n)
		for i := range m {
			m[i] = make([]float64, n+1)
			m[i][i], m[i][n] = ridge, ridge*float64(r.prior[i])
		}
		for range rapid.IntRange(0, 200).Draw(t, "pairs") {
			x := make([]float32, n)
			for i := range x {
				x[i] = float32(rng.NormFloat64())
			}
			y := float32(rng.NormFloat64())
			r.learn(x, y, 1)
			for i := range n {
				for j := range n {
					m[i][j] += float64(x[i]) * float64(x[j])
				}
				m[i][n] += float64(x[i]) * float64(y)
			}
		}
		r.solve(ridge)
		for i := range n {
			for j := range n {
				if j != i {
					f := m[j][i] / m[i][i]
					for k := i; k <= n; k++ {
						m[j][k] -= f * m[i][k]
					}
				}
			}
		}
		for i := range n {
			if want := m[i][n] / m[i][i]; math.Abs(float64(r.weights[i])-want) > 1e-3 {
				t.Fatalf("weight %d: %g, want %g", i, r.weights[i], want)
			}
		}
	})
}

// The same column many times leaves no inverse, but weights nevertheless.
func TestRegressionBearsCopies(t *testing.T) {
	r := newRegression(make([]float64, 4))
	for range 1000 {
		r.learn([]float32{8, 8, 8, 8}, 8, 1)
	}
	r.solve(20)
	sum := float32(0)
	for _, w := range r.weights {
		sum += w
	}
	if math.Abs(float64(sum)-1) > 0.01 {
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
		if p.second != int(inDay) || p.slot != int(inDay/c.width) || p.part != start.Hour()/6 || p.slot >= c.slots || p.pulse >= c.pulses {
			t.Fatalf("%v is at %+v of %+v", start, p, c)
		}
		want := map[time.Weekday]int{time.Saturday: 1, time.Sunday: 2}[start.Weekday()]
		if p.kind != want {
			t.Fatalf("%v is of kind %d", start.Weekday(), p.kind)
		}
	})
}

// A coarse slot is smoothed with its neighbours, also across midnight: the mean
// over a quarter of an hour around the bin, by brute force over its seconds.
func TestSmoothingWrapsAtMidnight(t *testing.T) {
	c := newCalendar(time.Minute)
	rapid.Check(t, func(t *rapid.T) {
		p := newProfile(&c)
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		row := p.kinds[1]
		for i := range row {
			if rng.IntN(3) > 0 {
				row[i] = float32(rng.Float64())
			}
		}
		second := 60 * rapid.IntRange(0, 1439).Draw(t, "minute")
		sum, n := 0.0, 0.0
		for s := second - 450; s < second+450; s++ {
			if v := float64(row[(s+secondsPerDay)%secondsPerDay/300]); !math.IsNaN(v) {
				sum, n = sum+v, n+1
			}
		}
		got := p.smoothed(place{second: second}, 1)
		if want := sum / n; math.IsNaN(got) != (n == 0) || math.Abs(got-want) > 1e-6 {
			t.Fatalf("second %d: %g, want %g", second, got, want)
		}
	})
}

// The remembered days answer with what was there, and with nothing outside.
func TestPastRemembersEightDays(t *testing.T) {
	c := newCalendar(time.Minute)
	p := newPast(&c)
	start := monday.Unix()
	for m := range int64(20 * 1440) {
		p.add(start+60*m, float64(m))
	}
	end := int64(20*1440 - 1)
	for _, ago := range []int64{30, 1440, 7 * 1440} {
		if got := p.at(start + 60*(end-ago)); math.Abs(got-float64(end-ago)) > 10.5 {
			t.Errorf("%d minutes ago: %g, want %d", ago, got, end-ago)
		}
	}
	for _, ago := range []int64{-30, 9 * 1440} {
		if got := p.at(start + 60*(end-ago)); !math.IsNaN(got) {
			t.Errorf("%d minutes ago: %g, want nothing", ago, got)
		}
	}
}
