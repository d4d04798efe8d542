package evaluate

import (
	"math"
	"time"
)

const headroomName = "last-headroom"

// headrooms are the factors that are tried: 1 to 1.5 by 0.02, then coarser up to 4.
var headrooms = func() []float64 {
	var grid []float64
	for i := range 26 {
		grid = append(grid, 1+0.02*float64(i))
	}
	return append(grid, 1.6, 1.7, 1.8, 2, 2.25, 2.5, 3, 4)
}()

// headroom is the last value times a factor, one for each lead: the one with the
// least pinball loss over all outcomes that were in before the first scored bin. It
// is what a careful operator would set by hand, and hard to beat.
type headroom struct {
	level   float64
	first   int
	ahead   []int
	bin     int
	last    float64
	issued  [][]float64 // last values, by lead and target modulo distance; NaN: none
	losses  [][]float64 // by lead and factor
	factors []float64   // by lead
}

func newHeadroom(s Setting) Method {
	m := &headroom{level: s.Level, first: s.First, ahead: s.Ahead, last: math.NaN()}
	for _, k := range s.Ahead {
		ring := make([]float64, k)
		for i := range ring {
			ring[i] = math.NaN()
		}
		m.issued = append(m.issued, ring)
		m.losses = append(m.losses, make([]float64, len(headrooms)))
		m.factors = append(m.factors, headrooms[0])
	}
	return m
}

func (m *headroom) Observe(_ time.Time, value float64) {
	known := !math.IsNaN(value)
	if known {
		m.last = value
	}
	for i, k := range m.ahead {
		slot := &m.issued[i][m.bin%k]
		if m.bin < m.first && known && !math.IsNaN(*slot) {
			m.fit(i, value, *slot)
		}
		*slot = m.last
	}
	m.bin++
}

// fit learns which factor would have been best.
func (m *headroom) fit(i int, actual, last float64) {
	losses, best := m.losses[i], 0
	for g, h := range headrooms {
		losses[g] += pinball(m.level, actual, h*last)
		if losses[g] < losses[best] {
			best = g
		}
	}
	m.factors[i] = headrooms[best]
}

func (m *headroom) Forecast(i int) Answer {
	return Answer{Mean: m.last, Bought: m.factors[i] * m.last}
}
