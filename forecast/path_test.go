package forecast

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func ramp(lead time.Duration, base float64) Point {
	q := make([]float64, levelCount)
	for i := range q {
		q[i] = base + float64(i)
	}
	return Point{Lead: lead, Mean: base, Quantiles: q}
}

func TestQuantileInterpolates(t *testing.T) {
	p := Path{Points: []Point{ramp(0, 0), ramp(10*time.Minute, 100), ramp(time.Hour, 50)}}
	for _, c := range []struct {
		name  string
		level float64
		lead  time.Duration
		want  float64
	}{
		{"on a point and a level", 0.9, 10 * time.Minute, 106},
		{"between leads", 0.5, 5 * time.Minute, 54},
		{"between levels", 0.7, 0, 4.8},
		{"before the first lead", 0.5, -time.Hour, 4},
		{"after the last lead", 0.5, 24 * time.Hour, 54},
		{"below the lowest level", 0, 0, 0},
		{"above the highest level", 1, 0, 10},
		{"no level", math.NaN(), 0, 10},
	} {
		if got := p.Quantile(c.level, c.lead); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: %g, want %g", c.name, got, c.want)
		}
	}
	if got := p.Max(0.5, 2*time.Minute, 30*time.Minute); got != 104 {
		t.Errorf("max around a peak: %g", got)
	}
	if got, want := p.Max(0.5, 9*time.Minute, 5*time.Minute), p.Quantile(0.5, 9*time.Minute); got != want {
		t.Errorf("max of swapped ends: %g, want %g", got, want)
	}
	if got := (Path{}).Max(0.9, 0, time.Hour); got != 0 {
		t.Errorf("empty path: %g", got)
	}
}

// Max is the largest of the quantiles at every second in between.
func TestMaxIsTheLargestInBetween(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p Path
		for lead := time.Duration(0); lead < 40*time.Second; lead += time.Duration(rapid.IntRange(1, 9).Draw(t, "gap")) * time.Second {
			p.Points = append(p.Points, ramp(lead, rapid.Float64Range(0, 100).Draw(t, "base")))
		}
		level := rapid.Float64Range(0, 1).Draw(t, "level")
		from := rapid.IntRange(-5, 50).Draw(t, "from")
		to := rapid.IntRange(from, 55).Draw(t, "to")
		want := 0.0
		for s := from; s <= to; s++ {
			want = max(want, p.Quantile(level, time.Duration(s)*time.Second))
		}
		got := p.Max(level, time.Duration(from)*time.Second, time.Duration(to)*time.Second)
		if math.Abs(got-want) > 1e-9*want {
			t.Fatalf("max %g, want %g", got, want)
		}
	})
}

func TestLevelsAreTheCallersOwn(t *testing.T) {
	Levels()[0] = 7
	if got := Levels(); got[0] != 0.025 || got[scoredIndex] != scoredLevel || got[medianIndex] != 0.5 || !slices.IsSorted(got) {
		t.Errorf("levels %v", got)
	}
}

func TestLeadsReachTheHorizon(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		horizon := time.Duration(rapid.Int64Range(-1e12, int64(400*24*time.Hour)).Draw(t, "horizon"))
		leads := Leads(horizon)
		if leads[0] != 0 || leads[len(leads)-1] != min(max(horizon, 0), longestHorizon) {
			t.Fatalf("from %v to %v", leads[0], leads[len(leads)-1])
		}
		for i := 1; i < len(leads); i++ {
			if leads[i] <= leads[i-1] || (leads[i] <= time.Hour && leads[i]-leads[i-1] > time.Minute) {
				t.Fatalf("%v after %v", leads[i], leads[i-1])
			}
		}
	})
	if n := len(Leads(24 * time.Hour)); n != 145 {
		t.Errorf("a day has %d leads", n)
	}
}
