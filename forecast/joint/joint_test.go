package joint

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/forecast"
)

var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// logNormal is a path with the same band at every lead.
func logNormal(at time.Time, middle float64, leads []time.Duration) forecast.Path {
	p := forecast.Path{At: at, Basis: forecast.BasisSeasonal}
	for _, lead := range leads {
		q := make([]float64, len(normals))
		for i, z := range normals {
			q[i] = middle * math.Exp(z)
		}
		p.Points = append(p.Points, forecast.Point{Lead: lead, Mean: middle, Quantiles: q})
	}
	return p
}

// wander lets the scores of three series move for a time: each minute's score is an
// autoregression, the first two series share most of it, the third has its own. The
// forecasts are right about the band and know nothing of what is now.
func wander(t *testing.T, l *Learner, days int, phi float64, known func(minute, series int) bool) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	leads := forecast.Leads(24 * time.Hour)
	paths := []forecast.Path{logNormal(monday, 5, leads), logNormal(monday, 1, leads), logNormal(monday, 0.2, leads)}
	var z [3]float64
	values := make([]float64, 3)
	for minute := range days * 24 * 60 {
		at := monday.Add(time.Duration(minute) * time.Minute)
		shared := random.NormFloat64()
		for i, share := range []float64{math.Sqrt(0.8), math.Sqrt(0.8), 0} {
			z[i] = phi*z[i] + math.Sqrt(1-phi*phi)*(share*shared+math.Sqrt(1-share*share)*random.NormFloat64())
			values[i] = paths[i].Points[0].Mean * math.Exp(z[i])
			if !known(minute, i) {
				values[i] = math.NaN()
			}
		}
		if err := l.Observe(at, time.Minute, values); err != nil {
			t.Fatal(err)
		}
		if err := l.Issue(at.Add(time.Minute), paths); err != nil {
			t.Fatal(err)
		}
	}
}

func always(int, int) bool { return true }

// TestEveryLeadKeepsItsQuantiles: whatever was learnt, the values of a series at a
// lead are its forecast's quantiles, each once.
func TestEveryLeadKeepsItsQuantiles(t *testing.T) {
	l := NewLearner([]string{"eu", "eu", "us"})
	wander(t, l, 3, 0.98, always)
	leads := forecast.Leads(2 * time.Hour)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 70).Draw(t, "n")
		paths := []forecast.Path{
			logNormal(monday, rapid.Float64Range(0, 1e6).Draw(t, "one"), leads),
			logNormal(monday, rapid.Float64Range(0, 1e6).Draw(t, "two"), leads),
		}
		s, err := l.Sample([]int{2, 0}, paths, n, rapid.Uint64().Draw(t, "seed"))
		if err != nil {
			t.Fatal(err)
		}
		for i := range paths {
			for k := range leads {
				got := slices.Sorted(slices.Values(s.Row(i, k)))
				for rank, v := range got {
					want := valueAt(paths[i].Points[k].Quantiles, (float64(rank)+0.5)/float64(n))
					if v != want {
						t.Fatalf("series %d, lead %s: value %d of %d is %v, the forecast's quantile there is %v", i, leads[k], rank, n, v, want)
					}
				}
			}
		}
	})
}

// TestCorrelationIsLearnt: after two weeks the errors' correlation is known within a
// tenth; before, series of a group are taken to be alike, others not.
func TestCorrelationIsLearnt(t *testing.T) {
	l := NewLearner([]string{"eu", "eu", "eu"})
	if got := l.Correlation(0, 1); got != alike {
		t.Errorf("two series of a group are assumed to have correlation %v, want %v", got, alike)
	}
	if got := NewLearner([]string{"eu", "us"}).Correlation(0, 1); got != apart {
		t.Errorf("two series of different groups are assumed to have correlation %v, want %v", got, apart)
	}
	wander(t, l, 14, 0.9, always)
	for _, c := range []struct {
		a, b int
		want float64
	}{{0, 1, 0.8}, {1, 0, 0.8}, {0, 2, 0}, {1, 2, 0}} {
		if got := l.Correlation(c.a, c.b); math.Abs(got-c.want) > 0.1 {
			t.Errorf("series %d and %d: correlation %.2f after two weeks, the truth is %.2f", c.a, c.b, got, c.want)
		}
	}
}

// TestPathsHangTogetherInTime: an error of now fades along the path as errors really
// faded.
func TestPathsHangTogetherInTime(t *testing.T) {
	const phi = 0.98
	l := NewLearner([]string{"eu", "eu", "eu"})
	wander(t, l, 14, phi, always)
	leads := forecast.Leads(2 * time.Hour)
	s, err := l.Sample([]int{0}, []forecast.Path{logNormal(monday, 1, leads)}, 4000, 7)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, to int }{{5, 6}, {5, 10}, {15, 30}, {30, 60}} {
		want := math.Pow(phi, float64(c.to-c.from))
		got := correlation(s.Row(0, c.from), s.Row(0, c.to))
		if math.Abs(got-want) > 0.12 {
			t.Errorf("minutes %d and %d of a path: correlation of the logarithms %.2f, that of the series is %.2f", c.from, c.to, got, want)
		}
	}
}

// correlation is that of the logarithms.
func correlation(a, b []float64) float64 {
	var ma, mb, ab, aa, bb float64
	for i := range a {
		ma += math.Log(a[i]) / float64(len(a))
		mb += math.Log(b[i]) / float64(len(b))
	}
	for i := range a {
		x, y := math.Log(a[i])-ma, math.Log(b[i])-mb
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb)
}

// TestTotalsAreCovered: what two models that move together ask of one GPU exceeds the
// 0.95 quantile of the drawn totals one time in twenty. Drawn as if they were strangers,
// it does more often.
func TestTotalsAreCovered(t *testing.T) {
	learnt, strangers := NewLearner([]string{"eu", "eu", "eu"}), NewLearner([]string{"a", "b", "c"})
	wander(t, learnt, 14, 0.9, always)
	paths := []forecast.Path{logNormal(monday, 1, forecast.Leads(0)), logNormal(monday, 1, forecast.Leads(0))}
	exceeds := func(l *Learner) float64 {
		s, err := l.Sample([]int{0, 1}, paths, 2000, 3)
		if err != nil {
			t.Fatal(err)
		}
		totals := make([]float64, s.Paths)
		for k := range totals {
			totals[k] = s.At(0, 0, k) + s.At(1, 0, k)
		}
		slices.Sort(totals)
		limit := totals[len(totals)*95/100]
		random, over := rand.New(rand.NewPCG(5, 6)), 0
		const draws = 20000
		for range draws {
			shared := random.NormFloat64()
			total := 0.0
			for range 2 {
				total += math.Exp(math.Sqrt(0.8)*shared + math.Sqrt(0.2)*random.NormFloat64())
			}
			if total > limit {
				over++
			}
		}
		return float64(over) / draws
	}
	if got := exceeds(learnt); math.Abs(got-0.05) > 0.01 {
		t.Errorf("totals exceed their 0.95 quantile in %.3f of all cases, want 0.05", got)
	}
	if got := exceeds(strangers); got < 0.062 {
		t.Errorf("drawn as strangers totals exceed their 0.95 quantile in %.3f of all cases: the promise above says nothing", got)
	}
}

// TestUnknownTeachesNothing: minutes that nobody saw leave what is believed as it was.
func TestUnknownTeachesNothing(t *testing.T) {
	l := NewLearner([]string{"eu", "eu", "us"})
	wander(t, l, 2, 0.9, func(int, int) bool { return false })
	if l.Correlation(0, 1) != alike || l.Correlation(0, 2) != apart {
		t.Errorf("correlations %v and %v after two days of gaps, want what was assumed", l.Correlation(0, 1), l.Correlation(0, 2))
	}
	// A third of the minutes missing, and never those of both: what is left is right.
	wander(t, l, 21, 0.9, func(minute, series int) bool { return (minute/7)%3 != series })
	if got := l.Correlation(0, 1); math.Abs(got-0.8) > 0.15 {
		t.Errorf("correlation %.2f learnt with gaps, the truth is 0.8", got)
	}
	for k := range l.chain {
		if l.chain[k].weight > 2*halfLife {
			t.Errorf("node %d rests on %v errors: what is old does not fade", k, l.chain[k].weight)
		}
	}
}

// TestSameSeedSamePaths and no other.
func TestSameSeedSamePaths(t *testing.T) {
	l := NewLearner([]string{"eu", "eu"})
	leads := forecast.Leads(time.Hour)
	paths := []forecast.Path{logNormal(monday, 1, leads), logNormal(monday, 2, leads)}
	draw := func(seed uint64) []float64 {
		s, err := l.Sample([]int{0, 1}, paths, 32, seed)
		if err != nil {
			t.Fatal(err)
		}
		return s.values
	}
	if !slices.Equal(draw(1), draw(1)) {
		t.Error("the same seed gave other paths")
	}
	if slices.Equal(draw(1), draw(2)) {
		t.Error("another seed gave the same paths")
	}
}

// TestContradictingPairsAreWeakened: correlations that no three series can have do not
// stop the drawing.
func TestContradictingPairsAreWeakened(t *testing.T) {
	l := NewLearner([]string{"a", "b", "c"})
	for _, c := range []struct {
		i, j int
		r    float64
	}{{0, 0, 1}, {1, 1, 1}, {2, 2, 1}, {1, 0, 0.95}, {2, 0, 0.95}, {2, 1, -0.95}} {
		l.matrix.product[c.i*3+c.j], l.matrix.weight[c.i*3+c.j] = c.r*1e6, 1e6
	}
	paths := []forecast.Path{logNormal(monday, 1, forecast.Leads(0)), logNormal(monday, 1, forecast.Leads(0)), logNormal(monday, 1, forecast.Leads(0))}
	s, err := l.Sample([]int{0, 1, 2}, paths, 2000, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got := correlation(s.Row(0, 0), s.Row(1, 0)); got < 0.3 {
		t.Errorf("correlation %.2f is left of 0.95", got)
	}
}

func TestWrongPathsAreRefused(t *testing.T) {
	l := NewLearner([]string{"eu", "eu"})
	hour, day := logNormal(monday, 1, forecast.Leads(time.Hour)), logNormal(monday, 1, forecast.Leads(24*time.Hour))
	for _, c := range []struct {
		series []int
		paths  []forecast.Path
		n      int
		want   string
	}{
		{[]int{0}, []forecast.Path{hour}, 0, "ask for one at least"},
		{nil, nil, 4, "0 forecasts given for 0 series"},
		{[]int{0, 1}, []forecast.Path{hour}, 4, "1 forecasts given for 2 series"},
		{[]int{0, 2}, []forecast.Path{hour, hour}, 4, "series 2 at place 1"},
		{[]int{1, 1}, []forecast.Path{hour, hour}, 4, "series 1 at place 1"},
		{[]int{0, 1}, []forecast.Path{hour, day}, 4, "forecast all at the same leads"},
	} {
		_, err := l.Sample(c.series, c.paths, c.n, 1)
		if !errors.Is(err, ErrPaths) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("series %v: error %v, want one that says %q", c.series, err, c.want)
		}
	}
	if err := l.Issue(monday, []forecast.Path{hour}); err == nil {
		t.Error("one path was taken for two series")
	}
	if err := l.Observe(monday, time.Minute, []float64{1}); err == nil {
		t.Error("one value was taken for two series")
	}
}

// TestScoreIsTheLevel: an outcome at a quantile has the normal score of its level, ties
// have the mean of theirs.
func TestScoreIsTheLevel(t *testing.T) {
	q := logNormal(monday, 3, forecast.Leads(0)).Points[0].Quantiles
	for i := range q {
		if got := score(q, q[i]); math.Abs(got-normals[i]) > 1e-12 {
			t.Errorf("score %v at level %v, want %v", got, levels[i], normals[i])
		}
	}
	if score(q, 0) != -beyond || score(q, 1e9) != beyond {
		t.Errorf("scores beyond the quantiles are %v and %v", score(q, 0), score(q, 1e9))
	}
	flat := make([]float64, len(q))
	if got := score(flat, 0); math.Abs(got-(normals[0]+normals[len(normals)-1])/2) > 1e-12 {
		t.Errorf("score %v of a zero that was certain", got)
	}
}

func BenchmarkSample(b *testing.B) {
	groups := make([]string, 15)
	leads := forecast.Leads(24 * time.Hour)
	series, paths := make([]int, len(groups)), make([]forecast.Path, len(groups))
	for i := range groups {
		series[i], paths[i] = i, logNormal(monday, float64(1+i), leads)
	}
	l := NewLearner(groups)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.Sample(series, paths, 64, 1); err != nil {
			b.Fatal(err)
		}
	}
}
