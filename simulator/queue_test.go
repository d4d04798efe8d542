package simulator

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// erlangC is the probability that an arrival waits in M/M/c with offered load a.
func erlangC(c int, a float64) float64 {
	b := 1.0 // Erlang B by its recursion
	for k := 1; k <= c; k++ {
		b = a * b / (float64(k) + a*b)
	}
	rho := a / float64(c)
	return b / (1 - rho*(1-b))
}

// TestWaitsAreThoseOfErlang: with one central queue and exponential work the
// mean time in the system is 1/mu + C(c, a)/(c mu - lambda).
func TestWaitsAreThoseOfErlang(t *testing.T) {
	const mean = 0.1 // seconds of service
	for _, c := range []int{1, 4} {
		for _, rho := range []float64{0.3, 0.7, 0.85} {
			t.Run(fmt.Sprintf("M/M/%d at %.2f", c, rho), func(t *testing.T) {
				lambda := rho * float64(c) / mean
				want := mean + erlangC(c, lambda*mean)/(float64(c)/mean-lambda)
				checkMeanTime(t, want, func(duration time.Duration, seed uint64) *World {
					w := build(t, Config{
						Models:  []fleet.Model{testModel("m", fleet.CentralQueue, mean)},
						Sources: feed("m", poisson(t, "m", lambda, duration, seed)),
					})
					serveWith(t, w, "m", c)
					return w
				}, lambda)
			})
		}
	}
}

// TestWaitsAreThoseOfPollaczekAndKhinchine: one server and constant work wait
// half as long as exponential work: rho/(2 mu (1 - rho)). Both disciplines are
// the same with one server.
func TestWaitsAreThoseOfPollaczekAndKhinchine(t *testing.T) {
	const mean = 0.1
	for _, queue := range []fleet.Queue{fleet.CentralQueue, fleet.LeastLoad} {
		for _, rho := range []float64{0.5, 0.8} {
			t.Run(fmt.Sprintf("M/D/1 at %.1f, %s", rho, queue), func(t *testing.T) {
				lambda := rho / mean
				want := mean + rho*mean/(2*(1-rho))
				checkMeanTime(t, want, func(duration time.Duration, seed uint64) *World {
					w := build(t, Config{
						Models:  []fleet.Model{testModel("m", queue, mean)},
						Sources: feed("m", plain(t, "m", lambda, duration, seed)),
					})
					serveWith(t, w, "m", 1)
					return w
				}, lambda)
			})
		}
	}
}

// checkMeanTime runs thirty independent worlds, which give a 99% confidence
// interval of the mean time in the system; what theory says must lie in it.
func checkMeanTime(t *testing.T, want float64, world func(time.Duration, uint64) *World, lambda float64) {
	t.Helper()
	const runs = 30
	const t99 = 2.756 // Student's t, 29 degrees of freedom, two-sided 99%
	duration := time.Duration(40_000 / lambda * 1e9)
	var sum, squares float64
	for seed := range uint64(runs) {
		got := meanTime(world(duration, seed), duration)
		sum, squares = sum+got, squares+got*got
	}
	average := sum / runs
	half := t99 * math.Sqrt((squares/runs-average*average)/(runs-1))
	if math.Abs(average-want) > half {
		t.Errorf("mean time %.5f ± %.5f s, the formula says %.5f", average, half, want)
	}
	if half > 0.1*want {
		t.Errorf("the interval ± %.5f is too wide to say anything of %.5f", half, want)
	}
}

// meanTime is the mean time in the system after a warm-up of a tenth.
func meanTime(w *World, duration time.Duration) float64 {
	advance(w, duration/10)
	m := w.models[0]
	count, sum := m.latency.total, m.latency.sum
	advance(w, duration)
	return (m.latency.sum - sum) / float64(m.latency.total-count)
}

// TestLittlesLaw: the time average of the number in the system is the rate of
// arrivals times the mean time, whatever the discipline.
func TestLittlesLaw(t *testing.T) {
	for _, queue := range []fleet.Queue{fleet.CentralQueue, fleet.LeastLoad} {
		t.Run(string(queue), func(t *testing.T) {
			const hours = 5
			w := build(t, Config{
				Models:  []fleet.Model{testModel("m", queue, 0.2, 0.25, 0.3)},
				Sources: feed("m", poisson(t, "m", 20, hours*time.Hour, 7)),
			})
			serveWith(t, w, "m", 3)
			m := w.models[0]
			inSystem, samples := 0.0, 0
			for at := time.Duration(0); at < hours*time.Hour; at += 100 * time.Millisecond {
				advance(w, at)
				inSystem += float64(m.arrived - m.served - m.dropped)
				samples++
			}
			l := inSystem / float64(samples)
			lw := float64(m.served) / (hours * 3600) * *m.latency.mean()
			if math.Abs(l-lw) > 0.01*lw {
				t.Errorf("L = %.3f, lambda W = %.3f", l, lw)
			}
		})
	}
}

// TestLeastLoadLiesBetweenRandomAndOneQueue: at the same load, four servers of
// which each request goes to the least loaded wait no less than with one queue
// for all, and far less than where requests are dealt out blindly, which makes
// four M/M/1 queues.
func TestLeastLoadLiesBetweenRandomAndOneQueue(t *testing.T) {
	const mean, c, rho = 0.1, 4, 0.85
	const lambda = rho * c / mean
	const duration = 6 * time.Hour
	mean4 := func(queue fleet.Queue) float64 {
		w := build(t, Config{
			Models:  []fleet.Model{testModel("m", queue, mean)},
			Sources: feed("m", poisson(t, "m", lambda, duration, 3)),
		})
		serveWith(t, w, "m", c)
		return meanTime(w, duration)
	}
	central, least := mean4(fleet.CentralQueue), mean4(fleet.LeastLoad)
	blind := mean / (1 - rho)
	if least < central {
		t.Errorf("least load takes %.4f s, one queue for all %.4f: it cannot be better", least, central)
	}
	if least > 0.6*blind {
		t.Errorf("least load takes %.4f s, blind routing %.4f: it should be far better", least, blind)
	}
}

// TestLeastLoadTakesTheLeast: the server with the least work ahead, of equal ones
// the fastest, of equally fast ones the one that has been ready for longest.
func TestLeastLoadTakesTheLeast(t *testing.T) {
	server := func(pace float64, queued int) *replica {
		r := &replica{pace: pace}
		for range queued {
			r.queue.push(request{})
		}
		return r
	}
	for _, c := range []struct {
		name string
		give []*replica
		want int
	}{
		{"the shortest queue", []*replica{server(1, 3), server(1, 1), server(1, 2)}, 1},
		{"the longer queue of a faster server", []*replica{server(1, 2), server(0.1, 3)}, 1},
		{"the faster of two idle ones", []*replica{server(1, 0), server(0.5, 0)}, 1},
		{"the first of two alike", []*replica{server(1, 2), server(1, 2)}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := &model{ready: c.give}
			if got := m.leastLoaded(); got != c.give[c.want] {
				t.Errorf("took another than server %d", c.want)
			}
		})
	}
}
