package control

import (
	"errors"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/forecast"
	"github.com/tessera-autoscaler/tessera/policy"
)

// dawn is when the series of these tests begin.
var dawn = time.Date(2026, 9, 14, 6, 0, 0, 0, time.UTC)

// pupil remembers what it was taught, and refuses what it is told to.
type pupil struct {
	taught []forecast.Observation
	refuse bool
}

var errRefused = errors.New("refused")

func (p *pupil) Observe(o forecast.Observation) error {
	if p.refuse {
		return errRefused
	}
	p.taught = append(p.taught, o)
	return nil
}

func (p *pupil) Forecast(time.Time, []time.Duration) forecast.Path { return forecast.Path{} }

// calls is a model of sessions that last so many seconds on average.
func calls(mean float64) fleet.Model {
	return fleet.Model{Name: "calls", SLO: fleet.SLO{Limit: 5 * time.Second, Target: 0.99}, Profile: fleet.PerformanceProfile{
		Serves: fleet.ServesSessions, MeanWork: mean, WorkCV: 1, WhenFull: fleet.FullWaits,
	}}
}

// TestTheLoadOfSessionsIsWhatMayRunStill: what is taught is the mean of all bins that
// counted, each by the share of its sessions that still run. Gaps, what is no rate and
// what the forecaster sets aside count for nothing, and requests are taught as they come.
func TestTheLoadOfSessionsIsWhatMayRunStill(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mean := rapid.Float64Range(5, 4000).Draw(t, "mean duration")
		own, plain := &pupil{}, &pupil{}
		load, requests := foreseenThrough(own, calls(mean)), foreseenThrough(plain, fleet.Model{})
		at := dawn
		var counted []forecast.Observation
		for range rapid.IntRange(1, 60).Draw(t, "bins") {
			at = at.Add(time.Duration(rapid.SampledFrom([]int{1, 1, 1, 7, 90}).Draw(t, "minutes later")) * time.Minute)
			o := forecast.Observation{At: at, Value: rapid.OneOf(rapid.Float64Range(0, 50), rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), -1})).Draw(t, "rate"), Known: rapid.IntRange(0, 4).Draw(t, "known") > 0}
			rate := o.Known && o.Value >= 0 && o.Value <= 50
			own.refuse = rapid.IntRange(0, 9).Draw(t, "refused") == 0
			if err := load.Observe(o); (err != nil) != own.refuse {
				t.Fatalf("taught %+v, it answers %v", o, err)
			}
			if err := requests.Observe(o); err != nil || len(plain.taught) == 0 || rate && plain.taught[len(plain.taught)-1] != o {
				t.Fatalf("requests are taught %+v as %+v", o, plain.taught)
			}
			if own.refuse {
				continue
			}
			got := own.taught[len(own.taught)-1]
			if !rate {
				if got.Known != o.Known || got.Known && got.Value == got.Value && got.Value != o.Value {
					t.Fatalf("%+v is taught as %+v", o, got)
				}
				continue
			}
			counted = append(counted, o)
			sum, weights := 0.0, 0.0
			for _, c := range counted {
				w := math.Exp(-at.Sub(c.At).Seconds() / mean)
				sum, weights = sum+w*c.Value, weights+w
			}
			if want := sum / weights; !got.Known || !got.At.Equal(at) || math.Abs(got.Value-want) > 1e-9*(1+want) {
				t.Fatalf("the load is %v, want %v", got.Value, want)
			}
		}
	})
}

// stepsAt is a forecast that knows one rate up to a lead, and another from then on.
func stepsAt(lead time.Duration, before, after float64) forecast.Path {
	path := forecast.Path{At: dawn, Basis: forecast.BasisSeasonal}
	for _, at := range forecast.Leads(3 * time.Hour) {
		rate := before
		if at >= lead {
			rate = after
		}
		quantiles := make([]float64, len(forecast.Levels()))
		for i := range quantiles {
			quantiles[i] = rate
		}
		path.Points = append(path.Points, forecast.Point{Lead: at, Mean: rate, Quantiles: quantiles})
	}
	return path
}

// TestServersOfSessionsAreKeptWhileTheirsWouldEnd: a server that is given back keeps its
// slice for as long as its sessions last, so that what is needed again by then is kept.
func TestServersOfSessionsAreKeptWhileTheirsWouldEnd(t *testing.T) {
	m := calls(900)
	s := Settings{Policy: policy.Policy{Models: []fleet.Model{m}, Forecast: policy.Forecast{Quantile: 0.9}, Ticks: policy.Ticks{Plan: time.Minute}}}
	h := horizonsOf(s, Learnt{})
	if h.look < h.keep+30*time.Minute {
		t.Errorf("demand is forecast for %s, and sessions kept for %s", h.look, h.keep+30*time.Minute)
	}
	for _, c := range []struct {
		rises time.Duration
		want  float64
	}{{h.keep + 20*time.Minute, 0.3}, {h.keep + 40*time.Minute, 0.1}} {
		n := sessionNeed(m, s.Policy, stepsAt(c.rises, 0.1, 0.3), fleet.ModelSignals{}, fleet.Measured(10, 0, 1), h)
		if n.Keep != c.want || n.Lead != 0.1 {
			t.Errorf("rising %s after the keep, %v/s are kept and %v/s needed by the lead", c.rises-h.keep, n.Keep, n.Lead)
		}
	}
}
