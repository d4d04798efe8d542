package peer

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// steady is a view with traffic of so many requests a second.
func steady(replicas int, rate, concurrency float64) View {
	v := look(replicas, concurrency, 0)
	v.Arrivals = fleet.Measured(rate, 0, 1)
	return v
}

// TestDynamoFloor: after an interval, as many replicas as sustain the last rate in
// batches within the SLA, two a second here; capped by its own limit; and an interval
// without traffic leaves it.
func TestDynamoFloor(t *testing.T) {
	for cap, want := range map[float64]int{8: 8, 1000: 20} {
		s := scalerOf(t, "dynamo", 1, 100, map[string]float64{"max-throughput-replicas": cap})
		replicas := 1
		for i := range 37 {
			if replicas != 1 {
				t.Fatalf("%d replicas before the interval was over", replicas)
			}
			replicas = ask(t, s, monday.Add(time.Duration(i)*loadInterval), steady(replicas, 40, 3))
		}
		if replicas != want {
			t.Errorf("%d replicas for 40 a second, capped at %g: want %d", replicas, cap, want)
		}
		for i := 37; i < 200; i++ {
			replicas = ask(t, s, monday.Add(time.Duration(i)*loadInterval), steady(replicas, 0, 0))
		}
		if replicas != want {
			t.Errorf("%d replicas without traffic: an interval without requests is skipped, so that %d stay", replicas, want)
		}
	}
}

// TestDynamoLoadLoop: one more when the estimate is above the SLA, one less when it
// would be well below it with the load of N on N-1, and nothing while an action is
// in flight or the load is unknown. Eight requests ahead take a batch of 4 s, and
// the lone one behind them 0.8 s; the SLA is 10 s.
func TestDynamoLoadLoop(t *testing.T) {
	for _, c := range []struct {
		what string
		view View
		want int
	}{
		{"three full batches ahead of each", steady(4, 1, 4*24), 5},
		{"two full batches ahead", steady(4, 1, 4*16), 4},
		{"one batch ahead, and with three replicas one and a third", steady(4, 1, 4*8), 4},
		{"one batch ahead with three replicas", steady(4, 1, 3*8), 3},
		{"nothing to do, one replica", steady(1, 1, 0), 1},
		{"the load is unknown", blind(4), 4},
		{"an action is in flight", View{Model: one, Replicas: 4, Ready: 3, Concurrency: fleet.Measured(400, 0, 1)}, 4},
	} {
		s := scalerOf(t, "dynamo", 1, 100, map[string]float64{"sensitivity": 0.5})
		if got := ask(t, s, monday, c.view); got != c.want {
			t.Errorf("%s: %d replicas, want %d", c.what, got, c.want)
		}
	}
}

// TestDynamoDoesNotSwing at a constant load, whatever the load is: a replica that it
// takes away is not missed at the next look.
func TestDynamoDoesNotSwing(t *testing.T) {
	for load := 0.0; load < 300; load += 1.7 {
		s := scalerOf(t, "dynamo", 1, 100, nil)
		replicas, shrank := 20, false
		for i := range 60 {
			before := replicas
			replicas = ask(t, s, monday.Add(time.Duration(i)*loadInterval), steady(replicas, 0, load))
			if shrank && replicas > before {
				t.Fatalf("load %g: after it shrank to %d it grew to %d", load, before, replicas)
			}
			shrank = shrank || replicas < before
		}
	}
}

// TestKalmanFollowsALine, and beats the constant on it, also under noise; before it
// has seen enough it is the constant.
func TestKalmanFollowsALine(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	k, c := &kalman{levelNoise: 1, trendNoise: 0.1, noise: 10, least: 5}, &constant{}
	if _, ok := k.next(); ok {
		t.Error("it predicts before it saw anything")
	}
	missK, missC := 0.0, 0.0
	for i := range 300 {
		load := 1000 + 20*float64(i)
		if i > 30 {
			a, _ := k.next()
			b, _ := c.next()
			missK += math.Abs(a - load)
			missC += math.Abs(b - load)
		}
		load += rng.NormFloat64() * 3
		k.observe(load)
		c.observe(load)
		if got, _ := k.next(); i < 4 && got != load {
			t.Errorf("after %d observations it answers %g, and %g was last", i+1, got, load)
		}
	}
	if missK > missC/2 {
		t.Errorf("on a line it misses by %g, the constant by %g", missK/269, missC/269)
	}
}

// TestKalmanMatchesTheMatrices of the textbook filter.
func TestKalmanMatchesTheMatrices(t *testing.T) {
	k := &kalman{levelNoise: 1, trendNoise: 0.1, noise: 10}
	x, p := [2]float64{}, [2][2]float64{{startVariance, 0}, {0, startVariance}}
	for i := range 50 {
		z := 100 + 30*math.Sin(float64(i)/5)
		k.observe(z)
		// x = F x, P = F P F' + Q with F = [[1 1] [0 1]].
		x[0] += x[1]
		p = [2][2]float64{
			{p[0][0] + p[0][1] + p[1][0] + p[1][1] + 1, p[0][1] + p[1][1]},
			{p[1][0] + p[1][1], p[1][1] + 0.1},
		}
		// K = P H' / (H P H' + R), x += K (z - H x), P = (I - K H) P with H = [1 0].
		g := [2]float64{p[0][0] / (p[0][0] + 10), p[1][0] / (p[0][0] + 10)}
		miss := z - x[0]
		x[0], x[1] = x[0]+g[0]*miss, x[1]+g[1]*miss
		p = [2][2]float64{
			{(1 - g[0]) * p[0][0], (1 - g[0]) * p[0][1]},
			{p[1][0] - g[1]*p[0][0], p[1][1] - g[1]*p[0][1]},
		}
		if got, _ := k.next(); math.Abs(got-math.Max(0, x[0]+x[1])) > 1e-6 {
			t.Fatalf("after %d observations it answers %g, the matrices %g", i+1, got, x[0]+x[1])
		}
	}
}
