package evaluate

import (
	"math"
	"time"
)

// last expects what is: the last known value, without head-room. It is the constant
// predictor of NVIDIA's Dynamo planner
// (components/src/dynamo/planner/core/load/predictors.py).
type last struct{ value float64 }

func newLast(Setting) Method { return &last{} }

func (m *last) Observe(_ time.Time, value float64) {
	if !math.IsNaN(value) {
		m.value = value
	}
}

func (m *last) Forecast(int) Answer { return point(m.value) }
