package evaluate

import (
	"math"
	"time"
)

// hourly is what AWS documents of predictive scaling (EC2 Auto Scaling user guide,
// "How predictive scaling works"): from up to 14 days of history, at least 24 hours,
// a forecast by the hour for the next 48 hours, made anew every 6 hours and acted on
// at the start of each hour. Its model is not published. In its place stand the mean
// of the same hour of the past days and, where there is one, that of the same hour of
// the past weeks, half and half. The clock is UTC, as theirs.
type hourly struct {
	step    time.Duration
	ahead   []int
	hours   map[int64]hourMean // by hours since 1970
	newest  time.Time
	oldest  int64 // hour of the first value
	last    float64
	horizon int64 // the first hour that was not complete at the newest refresh
}

type hourMean struct{ sum, n float64 }

const (
	hourlyDays    = 14
	hourlyRefresh = 6 // hours
)

func newHourly(s Setting) Method {
	return &hourly{step: s.Step, ahead: s.Ahead, hours: map[int64]hourMean{}, last: math.NaN()}
}

func hourOf(t time.Time) int64 { return t.Unix() / 3600 }

func (m *hourly) Observe(at time.Time, value float64) {
	m.newest = at
	hour := hourOf(at)
	if !math.IsNaN(value) {
		if len(m.hours) == 0 {
			m.oldest = hour
		}
		h := m.hours[hour]
		m.hours[hour] = hourMean{h.sum + value, h.n + 1}
		m.last = value
		delete(m.hours, hour-(hourlyDays+2)*24)
	}
	now := hourOf(at.Add(m.step))
	m.horizon = now - now%hourlyRefresh
}

func (m *hourly) Forecast(i int) Answer {
	target := hourOf(m.newest.Add(time.Duration(m.ahead[i]) * m.step))
	if m.horizon-m.oldest < 24 {
		return point(m.last)
	}
	day, week := m.mean(target, 24), m.mean(target, 7*24)
	switch {
	case math.IsNaN(day):
		return point(m.last)
	case math.IsNaN(week):
		return point(day)
	}
	return point((day + week) / 2)
}

// mean is that of the same hour every so many hours before the refresh; NaN: none.
func (m *hourly) mean(target, every int64) float64 {
	sum, n := 0.0, 0.0
	for hour := target - every; hour >= m.horizon-hourlyDays*24; hour -= every {
		if h := m.hours[hour]; hour < m.horizon && h.n > 0 {
			sum, n = sum+h.sum/h.n, n+1
		}
	}
	return sum / n
}
