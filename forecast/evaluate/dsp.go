package evaluate

import (
	"math"
	"time"
)

// dsp is the FFT predictor of Crane with its defaults (gocrane/crane,
// pkg/prediction/dsp): the history of the last 15 days, gaps joined by lines and what
// lies before a gap of more than an hour dropped, read anew every 12 hours; the period
// must be a day or else a week, and be there twice; the last period, freed of weak
// high frequencies and raised by a margin, is repeated. Of eight filters the one
// counts that would have foretold the last period from those before with the least
// asymmetric percentage error.
//
// Crane compares the spectrum with that of 100 random shuffles; here the same level
// of noise comes from its formula. Without a period Crane predicts nothing; the last
// value stands in.
type dsp struct {
	step    time.Duration
	day     int
	ahead   []int
	refit   int // bins between two fits
	history []float64
	last    float64
	gap     int       // bins since the last value
	due     int       // bins until the next fit
	curve   []float64 // one period as predicted; nil without a period
	since   int       // bins since the curve began
}

func newDSP(s Setting) Method {
	return &dsp{step: s.Step, day: s.Day, ahead: s.Ahead, refit: max(1, int(12*time.Hour/s.Step)), last: math.NaN()}
}

const dspDays = 15

func (m *dsp) Observe(_ time.Time, value float64) {
	m.since++
	if math.IsNaN(value) {
		m.gap++
	} else {
		m.take(value)
	}
	if m.due--; m.due <= 0 {
		m.due, m.since = m.refit, 0
		m.curve = m.fit()
	}
}

// take joins a value to the history, over a gap by a line.
func (m *dsp) take(value float64) {
	if time.Duration(m.gap)*m.step >= time.Hour {
		m.history, m.gap = m.history[:0], 0
	}
	for i := range m.gap {
		m.history = append(m.history, m.last+(value-m.last)*float64(i+1)/float64(m.gap+1))
	}
	m.history, m.last, m.gap = append(m.history, value), value, 0
	if most := dspDays * m.day; len(m.history) > 2*most {
		m.history = append(m.history[:0], m.history[len(m.history)-most:]...)
	}
}

// fit returns the next period, beginning behind the newest value; nil without one.
func (m *dsp) fit() []float64 {
	history := m.history[max(0, len(m.history)-dspDays*m.day):]
	for _, period := range [...]int{m.day, 7 * m.day} {
		cycles := len(history) / max(period, 1)
		if period < 2 || cycles < 2 {
			continue
		}
		whole := history[len(history)-cycles*period:]
		if !periodic(whole, period, m.step) {
			continue
		}
		past, newest := whole[:len(whole)-period], whole[len(whole)-period:]
		best, least := 0, math.Inf(1)
		for i := range dspFilters {
			if e := percentError(newest, dspFilters[i].repeat(past, period, m.step)); e < least {
				best, least = i, e
			}
		}
		curve := dspFilters[best].repeat(whole, period, m.step)
		// The curve continues the newest value; a gap since then is part of it.
		return append(curve[m.gap%period:len(curve):len(curve)], curve[:m.gap%period]...)
	}
	return nil
}

func (m *dsp) Forecast(i int) Answer {
	if m.curve == nil {
		return point(m.last)
	}
	return point(m.curve[(m.since+m.ahead[i]-1)%len(m.curve)])
}
