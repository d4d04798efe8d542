package simulator

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

// sessionModel has servers of so many streams, and sessions of a mean duration, which
// wait up to a limit or, without one, are refused at once.
func sessionModel(name fleet.ModelName, streams int, mean, waits time.Duration) fleet.Model {
	m := testModel(name, fleet.LeastLoad)
	m.Profile.Serves, m.Profile.MeanWork, m.Profile.WhenFull = fleet.ServesSessions, mean.Seconds(), fleet.FullRefuses
	*measure(&m) = fleet.Performance{Kind: measure(&m).Kind, Streams: streams, MemoryMiB: 1000}
	if waits > 0 {
		m.Profile.WhenFull, m.SLO.Limit = fleet.FullWaits, waits
	}
	return m
}

// sessionWorld runs sessions of a law of durations on servers that are up at once.
func sessionWorld(t *testing.T, m fleet.Model, servers int, rate float64, law traffic.WorkSpread, duration time.Duration, seed uint64) *World {
	t.Helper()
	w := build(t, Config{Models: []fleet.Model{m}, Sources: feed(m.Name, generated(t, traffic.Generated{
		Model: m.Name, Shape: traffic.ShapeConstant, Peak: rate, Work: law,
	}, duration, seed))})
	serveWith(t, w, m.Name, servers)
	return w
}

// interval is the mean of independent runs and the half width of its 99 % confidence
// interval.
func interval(runs []float64) (mean, half float64) {
	const t99 = 2.797 // Student's t, 24 degrees of freedom, two-sided 99 %
	var sum, squares float64
	for _, x := range runs {
		sum, squares = sum+x, squares+x*x
	}
	n := float64(len(runs))
	mean = sum / n
	return mean, t99 * math.Sqrt(max(0, squares/n-mean*mean)/(n-1))
}

// theoryRuns is the number of seeds of each statement, which interval knows.
const theoryRuns = 25

// holds compares a mean over independent runs with what theory says.
func holds(t *testing.T, what string, runs []float64, want, precision float64) {
	t.Helper()
	mean, half := interval(runs)
	if math.Abs(mean-want) > half {
		t.Errorf("%s: %.5f ± %.5f, theory says %.5f", what, mean, half, want)
	}
	if half > precision*want {
		t.Errorf("%s: the interval ± %.5f is too wide to say anything of %.5f", what, half, want)
	}
}

var laws = map[string]traffic.WorkSpread{
	"exponential": {Kind: traffic.WorkExponential},
	"constant":    {Kind: traffic.WorkFixed},
	"lognormal":   {Kind: traffic.WorkLognormal, CV: 2},
}

// TestRefusedSessionsAreThoseOfErlangB: M/G/c/c. The share of sessions that find no
// stream, and that of session-seconds that do not run, are Erlang's B, whatever the
// law of durations. Two servers are one pool.
func TestRefusedSessionsAreThoseOfErlangB(t *testing.T) {
	const mean, streams = time.Minute, 5
	for name, law := range laws {
		for _, offered := range []float64{6, 9} {
			t.Run(fmt.Sprintf("%s at %v", name, offered), func(t *testing.T) {
				rate := offered / mean.Seconds()
				duration := time.Duration(12_000 / rate * 1e9)
				want := erlangB(2*streams, offered)
				var refused, missed []float64
				for seed := range uint64(theoryRuns) {
					w := sessionWorld(t, sessionModel("m", streams, mean, 0), 2, rate, law, duration, seed)
					advance(w, duration/20)
					m := w.models[0]
					arrived, dropped, asked, lost := m.arrived, m.dropped, m.times.asked, m.times.refused
					advance(w, duration)
					refused = append(refused, float64(m.dropped-dropped)/float64(m.arrived-arrived))
					missed = append(missed, (m.times.refused-lost)/(m.times.asked-asked))
				}
				holds(t, "share of sessions refused", refused, want, 0.1)
				holds(t, "share of session-seconds refused", missed, want, 0.15)
			})
		}
	}
}

func erlangB(c int, a float64) float64 {
	b := 1.0
	for k := 1; k <= c; k++ {
		b = a * b / (float64(k) + a*b)
	}
	return b
}

// TestSessionsWaitAsErlangCSays: M/M/c, where sessions wait as long as it takes.
func TestSessionsWaitAsErlangCSays(t *testing.T) {
	const mean, streams, servers = time.Minute, 3, 2
	for _, rho := range []float64{0.6, 0.8} {
		t.Run(fmt.Sprint(rho), func(t *testing.T) {
			const c = streams * servers
			rate := rho * c / mean.Seconds()
			duration := time.Duration(20_000 / rate * 1e9)
			want := erlangC(c, rho*c) * mean.Seconds() / (c * (1 - rho))
			var waits []float64
			for seed := range uint64(theoryRuns) {
				w := sessionWorld(t, sessionModel("m", streams, mean, 1000*time.Hour), servers, rate, laws["exponential"], duration, seed)
				waits = append(waits, meanTime(w, duration))
			}
			holds(t, "mean wait in seconds", waits, want, 0.15)
		})
	}
}

// TestSessionsThatWaitLeaveAsTheSizerSays: at the capacity that the sizer promises
// with patience, the share of sessions that begin is the target, for exponential
// durations; for others, whose patience is short beside their duration, as well.
func TestSessionsThatWaitLeaveAsTheSizerSays(t *testing.T) {
	const streams, servers = 4, 3
	for name, law := range laws {
		for _, patience := range []time.Duration{time.Second, 20 * time.Second} {
			if name != "exponential" && patience > 5*time.Second {
				continue
			}
			t.Run(fmt.Sprintf("%s, %v", name, patience), func(t *testing.T) {
				m := sessionModel("m", streams, time.Minute, patience)
				m.SLO.Target = 0.95
				rate := policy.NewSizer().Capacity(m, *measure(&m), servers)
				duration := time.Duration(12_000 / rate * 1e9)
				var share []float64
				for seed := range uint64(theoryRuns) {
					w := sessionWorld(t, m, servers, rate, law, duration, seed)
					advance(w, duration)
					share = append(share, 1-float64(w.models[0].dropped)/float64(w.models[0].arrived))
				}
				// 0.002: the world begins empty, and what a second of patience is worth
				// depends a little on the law.
				mean, half := interval(share)
				if math.Abs(mean-0.95) > half+0.002 {
					t.Errorf("%.4f ± %.4f of the sessions begin, the target is 0.95", mean, half)
				}
			})
		}
	}
}

// TestLittlesLawOfSessions: the mean number of sessions that run is the rate of those
// that begin times their mean duration.
func TestLittlesLawOfSessions(t *testing.T) {
	const mean, streams = 30 * time.Second, 4
	for name, law := range laws {
		t.Run(name, func(t *testing.T) {
			rate := 0.3
			duration := time.Duration(8_000 / rate * 1e9)
			var ratio []float64
			for seed := range uint64(theoryRuns) {
				w := sessionWorld(t, sessionModel("m", streams, mean, 5*time.Second), 3, rate, law, duration, seed)
				m, sum, samples := w.models[0], 0, 0
				advance(w, duration/10) // from here on as many run at the end as at the beginning
				before := m.latency.total
				for at := duration / 10; at < duration; at += 2 * time.Second {
					advance(w, at)
					sum += w.replicas[0].inFlight() + w.replicas[1].inFlight() + w.replicas[2].inFlight()
					samples++
				}
				begun := float64(m.latency.total-before) / (0.9 * duration.Seconds())
				ratio = append(ratio, float64(sum)/float64(samples)/(begun*mean.Seconds()))
			}
			holds(t, "mean concurrency over rate times duration", ratio, 1, 0.03)
		})
	}
}
