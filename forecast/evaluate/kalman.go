package evaluate

import (
	"math"
	"time"
)

// kalman is the Kalman predictor of NVIDIA's Dynamo planner with its defaults
// (components/src/dynamo/planner/core/load/predictors.py and config/defaults.py): a
// local linear trend with process variances 1.0 and 0.1 and observation variance 10,
// in raw units. Dynamo answers for its next interval; further ahead the level moves
// on by the trend. It begins at the first value, as the state of no knowledge does.
type kalman struct {
	level, trend float64
	ll, lt, tt   float64 // covariance
	seen         int
	last         float64
	ahead        []int
}

const (
	kalmanLevel, kalmanTrend, kalmanNoise = 1.0, 0.1, 10.0
	kalmanStart                           = 1000.0 // variance at the start
	kalmanLeast                           = 5      // values before it predicts; until then, the last one
)

func newKalman(s Setting) Method {
	return &kalman{ll: kalmanStart, tt: kalmanStart, ahead: s.Ahead}
}

func (m *kalman) Observe(_ time.Time, value float64) {
	if m.seen > 0 { // the state moves on in a gap as well
		m.level += m.trend
		m.ll, m.lt, m.tt = m.ll+2*m.lt+m.tt+kalmanLevel, m.lt+m.tt, m.tt+kalmanTrend
	}
	if math.IsNaN(value) {
		return
	}
	spread := m.ll + kalmanNoise
	gainLevel, gainTrend, miss := m.ll/spread, m.lt/spread, value-m.level
	m.level += gainLevel * miss
	m.trend += gainTrend * miss
	m.ll, m.lt, m.tt = (1-gainLevel)*m.ll, (1-gainLevel)*m.lt, m.tt-gainTrend*m.lt
	m.last = value
	m.seen++
}

func (m *kalman) Forecast(i int) Answer {
	if m.seen < kalmanLeast {
		return point(m.last)
	}
	return point(max(0, m.level+float64(m.ahead[i])*m.trend))
}
