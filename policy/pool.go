package policy

import (
	"math"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// pool is n like servers of one model that serve requests in batches: a
// birth-death chain on the number of requests in the pool, whose service rate
// depends on that number (state-dependent M/M/n with batching, as in the
// literature on batch service), and for each state the probability that a
// request which arrives then is late.
//
// What is late does not depend on the arrival rate, so it is computed once and
// the search for the capacity only weighs it by the stationary distribution.
type pool struct {
	curve  curve
	work   *work
	n      int
	limit  float64 // seconds
	shared float64 // servers whose next completion can take the head of the queue

	rate  []float64 // service rate with k requests in the pool, up to full batches everywhere
	late  []float64 // probability that a request which finds k is late
	group int       // servers that share what waits: each so many requests are one more ahead in every queue
	above []step    // the same beyond full batches, by requests ahead in the queue
}

// step is the lateness of a request with a number of requests ahead of it in its
// queue, beyond those that the next batch takes; between two steps it is linear.
type step struct {
	ahead int
	late  float64
}

// curve is the time of a batch by its size, busy neighbours included.
type curve struct {
	batch   []int
	seconds []float64
	stretch float64 // 1 + interference
	most    int     // largest batch a server takes
}

func curveOf(perf fleet.Performance) curve {
	c := curve{batch: perf.Batch, seconds: perf.Seconds, stretch: 1 + perf.Interference, most: perf.MaxBatch()}
	if perf.Streams > 0 {
		c.most = min(c.most, perf.Streams)
	}
	return c
}

// at is the time of a batch of b requests; b may lie between two sizes.
func (c curve) at(b float64) float64 {
	i := 0
	for i < len(c.batch) && float64(c.batch[i]) < b {
		i++
	}
	switch i {
	case 0:
		return c.seconds[0] * c.stretch
	case len(c.batch):
		return c.seconds[i-1] * c.stretch
	}
	share := (b - float64(c.batch[i-1])) / float64(c.batch[i]-c.batch[i-1])
	return (c.seconds[i-1] + share*(c.seconds[i]-c.seconds[i-1])) * c.stretch
}

// throughput is the most requests a second that one server completes at a batch
// size that it takes.
func (c curve) throughput() float64 {
	best := float64(c.most) / c.at(float64(c.most))
	for _, b := range c.batch {
		if b <= c.most {
			best = math.Max(best, float64(b)/c.at(float64(b)))
		}
	}
	return best
}

const (
	surely  = 1 - 1e-6 // a lateness from here on counts as certain
	samples = 24       // batch sizes at which lateness is computed; linear between
)

// newPool tabulates rates and lateness. The limit is in seconds.
func newPool(c curve, w *work, queue fleet.Queue, n int, limit float64) *pool {
	p := &pool{curve: c, work: w, n: n, limit: limit, shared: 1, group: n}
	if queue == fleet.CentralQueue {
		p.shared, p.group = float64(n), 1
	}
	p.tabulateRates()
	p.tabulateLateness()
	p.tabulateAbove()
	return p
}

func (p *pool) tabulateRates() {
	full := p.n * p.curve.most
	p.rate = make([]float64, full+1)
	alone := p.curve.at(1)
	for k := 1; k <= full; k++ {
		if k <= p.n {
			p.rate[k] = float64(k) / alone
			continue
		}
		b := float64(k) / float64(p.n)
		p.rate[k] = float64(p.n) * b / p.curve.at(b)
	}
}

// tabulateLateness fills late for every state with room in the batches. While a
// server is free an arrival is served alone at once. Otherwise it waits for the
// rest of a batch in service and is then served in the next.
func (p *pool) tabulateLateness() {
	full, most := p.n*p.curve.most, float64(p.curve.most)
	p.late = make([]float64, full+1)
	lone := p.work.exceeds(p.limit/p.curve.at(1), 1)
	for k := range min(p.n, full+1) {
		p.late[k] = lone
	}
	stride := max(1, (full-p.n)/samples)
	previous, before := p.n, lone
	for k := p.n; ; k = min(k+stride, full) {
		b := float64(k) / float64(p.n)
		late := math.Max(before, p.lateBehind(b, math.Min(p.joined(b), most), 0))
		for j := previous; j <= k; j++ {
			share := 1.0
			if k > previous {
				share = float64(j-previous) / float64(k-previous)
			}
			p.late[j] = before + share*(late-before)
		}
		previous, before = k, late
		if k == full {
			return
		}
	}
}

// joined is the size of the batch that a request joins where batches have size b.
// One server takes what came during its last batch: b on average, and the request
// itself. Of many servers on one queue the gaps between two that fall free vary
// like exponential times, and a request more often comes in a long gap.
func (p *pool) joined(b float64) float64 { return b + 1 + (b-1)*(1-1/p.shared) }

// tabulateAbove fills the lateness behind full batches until it is certain. The
// steps widen, as the curve is smooth where many batches are ahead.
func (p *pool) tabulateAbove() {
	most := float64(p.curve.most)
	before := p.late[len(p.late)-1]
	for ahead := 0; ; ahead += max(1, ahead/6) {
		late := math.Max(before, p.lateBehind(most, most, float64(ahead)/most))
		if late >= surely {
			late = 1
		}
		p.above = append(p.above, step{ahead, late})
		if late == 1 {
			return
		}
		before = late
	}
}

// lateBehind is the lateness of a request that finds batches of size b in service
// and a number of full batches waiting ahead, and is then served in a batch of
// the given size. What waits is spread evenly over the phases of the servers, so
// half a batch ahead delays half of the requests by one batch.
func (p *pool) lateBehind(b, own, ahead float64) float64 {
	mean := p.curve.at(b)
	vary := p.work.cv2 / b // a batch averages the work of its requests
	return p.work.late(p.limit, p.curve.at(own), own, func(t float64) float64 {
		return waits(t, mean, vary, p.shared, ahead)
	})
}

// missing is the share of requests that are late at an arrival rate: the
// stationary distribution of the chain, weighed by lateness. It is kept in
// proportion to its largest weights, so that nothing overflows.
func (p *pool) missing(arrivals float64) float64 {
	const large = 1e250
	weight, sum, late := 1.0, 1.0, p.late[0]
	for k := 1; k < len(p.rate); k++ {
		weight *= arrivals / p.rate[k]
		sum += weight
		late += weight * p.late[k]
		if sum > large {
			weight, sum, late = weight/large, sum/large, late/large
		}
	}
	load := arrivals / p.rate[len(p.rate)-1]
	if load >= 1 {
		return 1
	}
	// The states beyond full batches carry what keeps arrivals and departures in
	// balance, whatever the variation; the variation only tells how far they reach.
	beyond := weight * load / (1 - load)
	return (late + beyond*p.lateAbove(decay(load, p.work.cv2))) / (sum + beyond)
}

// lateAbove is the mean lateness beyond full batches, where the number of waiting
// requests is geometric with the given ratio. With m requests ahead in a queue there
// are m·group to (m+1)·group-1 requests waiting, and at least one.
func (p *pool) lateAbove(ratio float64) float64 {
	if ratio <= 0 {
		return p.above[0].late
	}
	x := math.Pow(ratio, float64(p.group)) // probability of one more ahead
	mean := (1 - x/ratio) * p.above[0].late
	reach := x / ratio // probability of at least as many ahead as the step has
	for i := 1; i < len(p.above); i++ {
		low, high := p.above[i-1], p.above[i]
		if i == 1 { // none ahead is counted already
			continue
		}
		width := high.ahead - low.ahead
		next := reach * math.Pow(x, float64(width))
		mean += (reach - next) * (low.late + meanStep(x, width)/float64(width)*(high.late-low.late))
		if reach = next; reach < 1e-14 {
			return mean + reach
		}
	}
	return mean + reach*p.above[len(p.above)-1].late
}

// meanStep is the mean of a geometric number with ratio x, given that it is
// below width.
func meanStep(x float64, width int) float64 {
	if width == 1 {
		return 0
	}
	n := float64(width)
	if n*(1-x) < 1e-6 {
		return (n - 1) / 2
	}
	end := math.Pow(x, n)
	return x/(1-x) - n*end/(1-end)
}

// capacity is the largest arrival rate at which no more than a share 1-target is
// late, found by bisection; zero where even a lone request is late too often.
func (p *pool) capacity(target float64) float64 {
	allowed := 1 - target
	if p.late[0] > allowed {
		return 0
	}
	low, high := 0.0, p.rate[len(p.rate)-1]
	for range 46 {
		middle := (low + high) / 2
		if p.missing(middle) <= allowed {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}
