package control

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/forecast"
	"github.com/tessera-autoscaler/tessera/policy"
)

// hourly is asynchronous work that may wait for an hour, half of which is slack.
var hourly = fleet.Model{Name: "digest", Kind: fleet.Async, SLO: fleet.SLO{Limit: time.Hour, Target: 0.95}}

var asyncHorizons = horizons{load: 2 * time.Minute, lead: 18 * time.Minute, keep: 48 * time.Minute, look: time.Hour}

// asyncPath is a forecast, a minute each, whose quantiles are a multiple of its means.
func asyncPath(means []float64, spread float64) forecast.Path {
	p := forecast.Path{At: time.Date(2026, 9, 14, 8, 0, 0, 0, time.UTC), Basis: forecast.BasisSeasonal}
	for i, mean := range means {
		point := forecast.Point{Lead: time.Duration(i) * time.Minute, Mean: mean}
		for range forecast.Levels() {
			point.Quantiles = append(point.Quantiles, mean*spread)
		}
		p.Points = append(p.Points, point)
	}
	return p
}

func steady(rate float64) []float64 {
	means := make([]float64, 60)
	for i := range means {
		means[i] = rate
	}
	return means
}

func asyncNeedOf(means []float64, spread, backlog float64) Need {
	return asyncNeed(hourly, policy.Policy{}, asyncPath(means, spread), means[0], backlog, asyncHorizons)
}

// TestAsyncWorkIsServedWithinItsSlack: at the rate that is asked for, what waits and what
// comes, at the quantile until new capacity could serve and as expected later, is served
// at any time within half the deadline, and at less it is not.
func TestAsyncWorkIsServedWithinItsSlack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		means := rapid.SliceOfN(rapid.Float64Range(0, 5), 60, 60).Draw(t, "means")
		spread := rapid.Float64Range(1, 3).Draw(t, "spread")
		backlog := rapid.Float64Range(0, 5000).Draw(t, "backlog")
		n := asyncNeedOf(means, spread, backlog)
		late := func(capacity, spread float64, until int) bool {
			left := backlog
			if left > capacity*1800 {
				return true
			}
			for u := range until {
				left += 60 * means[u] * spread
				if left > capacity*(float64(u+1)*60+1800) {
					return true
				}
			}
			return false
		}
		if more := n.Lead * (1 + 1e-9); late(more, spread, 18) {
			t.Fatalf("%v/s are too little until a GPU could come", n.Lead)
		}
		if more := n.Keep * (1 + 1e-9); late(more, 1, 60) {
			t.Fatalf("%v/s are too little for the hour", n.Keep)
		}
		if n.Lead > 0 && !late(n.Lead*(1-1e-6), spread, 18) {
			t.Fatalf("less than %v/s would do until a GPU could come", n.Lead)
		}
		if n.Now > n.Lead || n.Lead > n.Keep {
			t.Fatalf("%v/s now, %v/s by the lead time, %v/s while it is kept", n.Now, n.Lead, n.Keep)
		}
	})
}

// TestAsyncWorkWaitsOutAPeak: what comes in a peak of ten minutes is not bought for, and
// where work keeps coming, as much is asked for as comes once the slack is used.
func TestAsyncWorkWaitsOutAPeak(t *testing.T) {
	peak := steady(0.2)
	for i := range 10 {
		peak[i] = 3
	}
	if n := asyncNeedOf(peak, 1, 0); n.Keep > 1 {
		t.Errorf("%v/s for a peak of 3/s that is over in ten minutes", n.Keep)
	}
	if n := asyncNeedOf(steady(2), 1, 2*1800); math.Abs(n.Keep-2) > 1e-9 || math.Abs(n.Lead-2) > 1e-9 {
		t.Errorf("%v/s and %v/s where 2/s come and half an hour of them waits", n.Lead, n.Keep)
	}
	if n := asyncNeedOf(steady(2), 1, 4*1800); math.Abs(n.Now-4) > 1e-9 {
		t.Errorf("%v/s at once where 2/s come and an hour of them waits", n.Now)
	}
}

// TestAsyncWorkWithoutAForecast takes what comes for what will come.
func TestAsyncWorkWithoutAForecast(t *testing.T) {
	for _, c := range []struct{ arrivals, backlog, want float64 }{{2, 0, 2}, {2, 7200, 4}, {0, 1800, 1}, {0, 0, 0}} {
		n := asyncNeed(hourly, policy.Policy{}, forecast.Path{}, c.arrivals, c.backlog, asyncHorizons)
		if n.Now != c.want || n.Lead != c.want || n.Keep != c.want {
			t.Errorf("%v/s come, %v wait: %+v", c.arrivals, c.backlog, n)
		}
	}
}
