package evaluate

import (
	"math"
	"time"
)

// smoothing is the time over which the level forgets.
const smoothing = 8 * time.Minute

// ewmaTracker is a smoothed level with a quantile tracker, the rival of reference:
//
//	S += alpha (z - S),  z = log(1+y),  alpha = min(1, step / 8 min)
type ewmaTracker struct {
	alpha, level float64
	bin          int
	trackers     []*tracker
}

func newEWMATracker(s Setting) Method {
	m := &ewmaTracker{alpha: min(1, float64(s.Step)/float64(smoothing)), level: math.NaN()}
	for _, k := range s.Ahead {
		m.trackers = append(m.trackers, newTracker(k, &s))
	}
	return m
}

func (m *ewmaTracker) Observe(_ time.Time, value float64) {
	z := math.Log1p(value) // NaN stays NaN
	switch {
	case math.IsNaN(z):
	case math.IsNaN(m.level):
		m.level = z
	default:
		m.level += m.alpha * (z - m.level)
	}
	for _, t := range m.trackers {
		t.step(m.bin, z, m.level)
	}
	m.bin++
}

func (m *ewmaTracker) Forecast(i int) Answer { return m.trackers[i].answer() }
