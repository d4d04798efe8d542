package evaluate

import (
	"math"
	"time"
)

// yesterdayTracker is the seasonal naive forecast, the value of the same time on the
// newest day that has one, with a quantile tracker.
type yesterdayTracker struct {
	day      int
	logs     []float64 // of the whole past
	last     float64
	ahead    []int
	trackers []*tracker
}

func newYesterdayTracker(s Setting) Method {
	m := &yesterdayTracker{day: s.Day, last: math.NaN(), ahead: s.Ahead}
	for _, k := range s.Ahead {
		m.trackers = append(m.trackers, newTracker(k, &s))
	}
	return m
}

func (m *yesterdayTracker) Observe(_ time.Time, value float64) {
	z := math.Log1p(value)
	if !math.IsNaN(z) {
		m.last = z
	}
	bin := len(m.logs)
	m.logs = append(m.logs, z)
	for i, t := range m.trackers {
		t.step(bin, z, m.sameTime(bin+m.ahead[i]))
	}
}

// sameTime is what came at the time of a target on the newest day that is known, or
// the last value.
func (m *yesterdayTracker) sameTime(target int) float64 {
	for b := target - m.day; b >= 0; b -= m.day {
		if b < len(m.logs) && !math.IsNaN(m.logs[b]) {
			return m.logs[b]
		}
	}
	return m.last
}

func (m *yesterdayTracker) Forecast(i int) Answer { return m.trackers[i].answer() }
