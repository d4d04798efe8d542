package policy_test

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// served replays a pool of servers request by request and returns the share of
// requests whose sojourn is within the limit. It shares nothing with the chain of
// the sizer: Poisson arrivals, gamma work, a batch that takes the measured time
// stretched by its mean work, servers that take what waits when they fall free.
func served(rng *rand.Rand, m fleet.Model, perf fleet.Performance, n int, arrivals float64, requests int) float64 {
	type request struct{ at, work float64 }
	type server struct {
		queue []request
		batch []request
		until float64
		load  int
	}
	var (
		servers = make([]server, n)
		central []request
		limit   = m.SLO.Limit.Seconds()
		good    int
		done    int
		warm    = requests / 10
	)
	most := perf.MaxBatch()
	begin := func(s *server, now float64) {
		queue := &s.queue
		if m.Profile.Queue == fleet.CentralQueue {
			queue = &central
		}
		take := min(len(*queue), most)
		s.batch = slices.Clone((*queue)[:take])
		*queue = (*queue)[take:]
		s.until = math.Inf(1)
		if take > 0 {
			work := 0.0
			for _, r := range s.batch {
				work += r.work
			}
			s.until = now + perf.BatchSeconds(take)*(1+perf.Interference)*work/float64(take)
		}
	}
	for i := range servers {
		servers[i].until = math.Inf(1)
	}
	next := rng.ExpFloat64() / arrivals
	for done < requests {
		first := 0
		for i := range servers {
			if servers[i].until < servers[first].until {
				first = i
			}
		}
		if s := &servers[first]; s.until <= next {
			now := s.until
			for _, r := range s.batch {
				if done++; done > warm && now-r.at <= limit {
					good++
				}
			}
			s.load -= len(s.batch)
			begin(s, now)
			continue
		}
		r := request{next, gamma(rng, m.Profile.WorkCV)}
		if m.Profile.Queue == fleet.CentralQueue {
			central = append(central, r)
			for i := range servers {
				if math.IsInf(servers[i].until, 1) {
					begin(&servers[i], next)
					break
				}
			}
		} else {
			least := slices.MinFunc(indexes(n, rng), func(a, b int) int { return cmp.Compare(servers[a].load, servers[b].load) })
			s := &servers[least]
			s.load++
			s.queue = append(s.queue, r)
			if math.IsInf(s.until, 1) {
				begin(s, next)
			}
		}
		next += rng.ExpFloat64() / arrivals
	}
	return float64(good) / float64(done-warm)
}

// indexes counts from a random place on, so that ties fall evenly.
func indexes(n int, rng *rand.Rand) []int {
	out, from := make([]int, n), rng.IntN(n)
	for i := range out {
		out[i] = (from + i) % n
	}
	return out
}

// gamma draws from the gamma law of mean one (Marsaglia and Tsang 2000).
func gamma(rng *rand.Rand, cv float64) float64 {
	if cv == 0 {
		return 1
	}
	shape := 1 / (cv * cv)
	boost := 1.0
	if shape < 1 {
		boost = math.Pow(rng.Float64(), 1/shape)
		shape++
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := rng.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(1-rng.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return boost * d * v * cv * cv
		}
	}
}
