package joint

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/tessera-autoscaler/tessera/forecast"
)

// ErrPaths marks paths that cannot be drawn from together.
var ErrPaths = errors.New("paths cannot be sampled together")

// A Sample holds paths that were drawn together: the demand of several series at
// several leads, in as many variants.
type Sample struct {
	Leads  []time.Duration
	Paths  int // how many variants
	Series int
	values []float64 // by series, lead, path
}

// At returns the rate of a series at a lead, in one of the variants, in the
// forecast's unit. All series have their values of one variant together.
func (s *Sample) At(series, lead, path int) float64 { return s.Row(series, lead)[path] }

// Row returns the rates of a series at a lead, one for each variant. It is a view.
func (s *Sample) Row(series, lead int) []float64 {
	from := (series*len(s.Leads) + lead) * s.Paths
	return s.values[from : from+s.Paths : from+s.Paths]
}

// Sample draws n paths of the chosen series, whose forecasts all have the same leads.
// At every lead the n values of a series are the quantiles of its forecast at the
// levels (k+1/2)/n, each once: the draw only says which belong together. The same
// seed and forecasts give the same paths.
func (l *Learner) Sample(series []int, paths []forecast.Path, n int, seed uint64) (*Sample, error) {
	leads, err := l.check(series, paths, n)
	if err != nil {
		return nil, err
	}
	s := &Sample{Leads: leads, Paths: n, Series: len(series), values: make([]float64, len(series)*len(leads)*n)}
	root := l.root(series)
	random := rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))
	scores := make([]float64, len(series)*n) // by series, path
	fresh := make([]float64, len(scores))
	order := make([]int, n)
	for t, lead := range leads {
		draw(random, root, fresh, n)
		carried := 0.0
		if t > 0 {
			carried = l.carried(leads[t-1], lead)
		}
		innovation := math.Sqrt(1 - carried*carried)
		for i := range scores {
			scores[i] = carried*scores[i] + innovation*fresh[i]
		}
		for i := range series {
			for k := range order {
				order[k] = k
			}
			mine := scores[i*n : (i+1)*n]
			slices.SortFunc(order, func(a, b int) int {
				if mine[a] != mine[b] {
					return int(math.Copysign(1, mine[a]-mine[b]))
				}
				return a - b
			})
			row := s.Row(i, t)
			for rank, k := range order {
				row[k] = valueAt(paths[i].Points[t].Quantiles, (float64(rank)+0.5)/float64(n))
			}
		}
	}
	return s, nil
}

// check says what is wrong with the arguments of Sample and returns the leads.
func (l *Learner) check(series []int, paths []forecast.Path, n int) ([]time.Duration, error) {
	if n < 1 {
		return nil, fmt.Errorf("%d paths asked for: ask for one at least: %w", n, ErrPaths)
	}
	if len(series) == 0 || len(series) != len(paths) {
		return nil, fmt.Errorf("%d forecasts given for %d series: give one for each, of one series at least: %w", len(paths), len(series), ErrPaths)
	}
	leads := make([]time.Duration, len(paths[0].Points))
	for t, pt := range paths[0].Points {
		leads[t] = pt.Lead
	}
	for i, p := range paths {
		if series[i] < 0 || series[i] >= len(l.groups) || slices.Contains(series[:i], series[i]) {
			return nil, fmt.Errorf("series %d at place %d: name each of the %d known once: %w", series[i], i, len(l.groups), ErrPaths)
		}
		if len(p.Points) != len(leads) {
			return nil, fmt.Errorf("the forecast at place %d has %d leads, the first %d: forecast all at the same leads: %w", i, len(p.Points), len(leads), ErrPaths)
		}
		for t, pt := range p.Points {
			if pt.Lead != leads[t] || len(pt.Quantiles) != len(levels) {
				return nil, fmt.Errorf("the forecast at place %d has lead %s with %d quantiles where the first has %s with %d: %w",
					i, pt.Lead, len(pt.Quantiles), leads[t], len(levels), ErrPaths)
			}
		}
	}
	return leads, nil
}

// draw fills fresh with normal scores by series and path, correlated over series as
// root says. Every second path is the opposite of the one before, so that each
// series' scores are symmetric however few there are.
func draw(random *rand.Rand, root *mat.TriDense, fresh []float64, n int) {
	size, _ := root.Dims()
	plain := make([]float64, size)
	for k := 0; k < n; k += 2 {
		for i := range plain {
			plain[i] = random.NormFloat64()
		}
		for i := range size {
			z := 0.0
			for j := range i + 1 {
				z += root.At(i, j) * plain[j]
			}
			fresh[i*n+k] = z
			if k+1 < n {
				fresh[i*n+k+1] = -z
			}
		}
	}
}

// Correlation returns what is believed of two series: that of their errors, as
// normal scores, at one lead.
func (l *Learner) Correlation(a, b int) float64 {
	assumed := apart
	switch {
	case a == b:
		return 1
	case l.groups[a] == l.groups[b]:
		assumed = alike
	}
	return l.matrix.correlation(a, b, assumed)
}

// root returns the lower triangular root of the correlation matrix of some series.
// Pairs that were learnt at different times may contradict each other; then all are
// weakened together until none do.
func (l *Learner) root(series []int) *mat.TriDense {
	m := mat.NewSymDense(len(series), nil)
	for _, weaker := range []float64{1, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.3, 0} {
		for i, a := range series {
			m.SetSym(i, i, 1)
			for j, b := range series[:i] {
				m.SetSym(i, j, weaker*l.Correlation(a, b))
			}
		}
		var c mat.Cholesky
		if c.Factorize(m) {
			var root mat.TriDense
			c.LTo(&root)
			return &root
		}
	}
	panic("joint: the identity has no root") // unreachable: the last try is the identity
}

// carried returns the correlation of one series' error scores at two leads of the
// same path, from 0 to 1.
func (l *Learner) carried(from, to time.Duration) float64 {
	r := 1.0
	for k := 1; k < len(nodes); k++ {
		begin, end := nodes[k-1], nodes[k]
		if k == len(nodes)-1 {
			end = max(end, to) // beyond the last node as before it
		}
		within := min(to, end) - max(from, begin)
		if within <= 0 {
			continue
		}
		share := float64(within) / float64(nodes[k]-nodes[k-1])
		r *= math.Pow(l.chain[k].correlation(assumedCarry(k)), share)
	}
	return r
}

// assumedCarry is the correlation of errors at two successive nodes until errors tell:
// that of a demand that wanders at random.
func assumedCarry(k int) float64 {
	return math.Sqrt(float64(nodes[k-1]) / float64(nodes[k]))
}
