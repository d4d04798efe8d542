package evaluate

import (
	"math"
	"time"
)

// holtWinters is the predictor of the Predictive Horizontal Pod Autoscaler
// (jthomperoo/predictive-horizontal-pod-autoscaler, algorithms/holt_winters):
// additive Holt-Winters as statsmodels has it, here with a season of a day,
//
//	f = l + b + s;  l' = a (y - s) + (1-a)(l + b);  b' = B (l' - l) + (1-B) b
//	s' = g (y - l - b) + (1-g) s;  h ahead: l + h b + s
//
// PHPA forecasts the replica count for its next interval and has no default
// parameters: whoever writes the resource gives them. This is kinder: it forecasts
// the demand itself and takes, of a grid with the documented example (all 0.9), what
// has the least squared one-step error before the first scored bin.
type holtWinters struct {
	day, first int
	ahead      []int
	bin        int
	last       float64
	start      []float64 // the first day, until it is complete
	trials     []smoother
}

// smoother is Holt-Winters with one set of parameters.
type smoother struct {
	alpha, beta, gamma float64
	level, trend       float64
	season             []float64
	loss               float64
}

func newHoltWinters(s Setting) Method {
	return &holtWinters{day: s.Day, first: s.First, ahead: s.Ahead, last: math.NaN()}
}

func (m *holtWinters) Observe(_ time.Time, value float64) {
	if !math.IsNaN(value) {
		m.last = value
	}
	switch {
	case m.trials == nil:
		m.start = append(m.start, m.last)
		if len(m.start) == m.day {
			m.begin()
		}
	case m.bin == m.first:
		m.choose()
		fallthrough
	default:
		for i := range m.trials {
			m.trials[i].step(m.bin%m.day, value)
		}
	}
	m.bin++
}

// begin starts from the first day: its mean, no trend, and its shape.
func (m *holtWinters) begin() {
	mean, n := 0.0, 0.0
	for _, v := range m.start {
		if !math.IsNaN(v) {
			mean, n = mean+v, n+1
		}
	}
	mean /= max(n, 1)
	for _, alpha := range []float64{0.1, 0.5, 0.9} {
		for _, beta := range []float64{0, 0.1, 0.9} {
			for _, gamma := range []float64{0.1, 0.9} {
				s := smoother{alpha: alpha, beta: beta, gamma: gamma, level: mean, season: make([]float64, m.day)}
				for i, v := range m.start {
					if !math.IsNaN(v) {
						s.season[i] = v - mean
					}
				}
				m.trials = append(m.trials, s)
			}
		}
	}
	m.start = nil
}

// choose keeps the parameters that did best so far.
func (m *holtWinters) choose() {
	best := 0
	for i := range m.trials {
		if m.trials[i].loss < m.trials[best].loss {
			best = i
		}
	}
	m.trials = m.trials[best : best+1]
}

func (s *smoother) step(slot int, value float64) {
	expected := s.level + s.trend
	if math.IsNaN(value) {
		s.level = expected
		return
	}
	miss := value - expected - s.season[slot]
	s.loss += miss * miss
	before := s.level
	s.level = s.alpha*(value-s.season[slot]) + (1-s.alpha)*expected
	s.trend = s.beta*(s.level-before) + (1-s.beta)*s.trend
	s.season[slot] = s.gamma*(value-expected) + (1-s.gamma)*s.season[slot]
}

func (m *holtWinters) Forecast(i int) Answer {
	if m.trials == nil {
		return point(m.last)
	}
	best := 0
	for j := range m.trials {
		if m.trials[j].loss < m.trials[best].loss {
			best = j
		}
	}
	s := &m.trials[best]
	h := m.ahead[i]
	return point(max(0, s.level+float64(h)*s.trend+s.season[(m.bin-1+h)%m.day]))
}
