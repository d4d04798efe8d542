package evaluate

import "math"

// tracker adds quantiles to a point forecast in log(1+y): one offset a level,
// moved by every outcome that came due. It is the P part of conformal PID control
// (Angelopoulos, Candes, Tibshirani, arXiv 2307.16895):
//
//	r = z - point;  offset += 0.2 s (level - 1{r <= offset})
//
// where s is the mean absolute error of the last 60 outcomes, or of a day where that
// is less. The offset is the one at the time of issue: an outcome that is not in yet
// moves nothing.
type tracker struct {
	levels  []float64
	offsets []float64
	waiting []float64 // points that were issued, by target modulo their distance; NaN: none
	errors  []float64 // ring of absolute errors
	next, n int
	sum     float64
	issued  float64 // the newest point
}

const trackerStep = 0.2

// newTracker tracks the levels of forecasts, and behind them the one that is bought.
func newTracker(ahead int, s *Setting) *tracker {
	t := &tracker{
		levels: append(append([]float64(nil), levels...), s.Level), issued: math.NaN(),
		waiting: make([]float64, ahead), errors: make([]float64, min(60, max(1, s.Day))),
	}
	t.offsets = make([]float64, len(t.levels))
	for i := range t.waiting {
		t.waiting[i] = math.NaN()
	}
	return t
}

// step takes the newest bin, in log, and the point for the bin ahead of it.
func (t *tracker) step(bin int, z, point float64) {
	i := bin % len(t.waiting)
	if due := t.waiting[i]; !math.IsNaN(due) && !math.IsNaN(z) {
		t.learn(z - due)
	}
	t.waiting[i], t.issued = point, point
}

func (t *tracker) learn(r float64) {
	t.sum += math.Abs(r) - t.errors[t.next]
	t.errors[t.next] = math.Abs(r)
	t.next = (t.next + 1) % len(t.errors)
	t.n = min(t.n+1, len(t.errors))
	gain := trackerStep * (max(t.sum, 0)/float64(t.n) + 1e-6)
	for i, level := range t.levels {
		hit := 0.0
		if r <= t.offsets[i] {
			hit = 1
		}
		t.offsets[i] += gain * (level - hit)
	}
}

// answer is the newest point with its quantiles, sorted against crossing.
func (t *tracker) answer() Answer {
	n := len(t.levels) - 1
	a := Answer{Mean: unlog(t.issued), Bought: unlog(t.issued + t.offsets[n]), Quantiles: make([]float64, n)}
	highest := math.Inf(-1)
	for i := range n {
		highest = max(highest, unlog(t.issued+t.offsets[i]))
		a.Quantiles[i] = highest
	}
	return a
}

// unlog undoes log(1+y), within what a series can hold.
func unlog(z float64) float64 { return math.Expm1(min(40, max(0, z))) }
