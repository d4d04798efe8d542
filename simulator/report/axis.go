package report

import (
	"math"
	"strconv"
	"time"
)

// intervals is how many parts an upright axis has, as near as round numbers allow.
const intervals = 5

// mark is one labelled line of an axis.
type mark struct {
	At   string // coordinate
	Text string
}

// axis is an upright scale from zero to top in equal round steps.
type axis struct {
	top  float64
	step float64
}

// axisFor makes the axis of values up to most, with a given number of steps or,
// where that is zero, as many as are round. A count has whole steps.
func axisFor(most float64, steps int, whole bool) axis {
	if most < 1e-9 { // nothing, or nothing that a chart could show
		most = 1
	}
	want := steps
	if want == 0 {
		want = intervals
	}
	step := roundUp(most / float64(want))
	if whole && step != math.Trunc(step) {
		step = math.Ceil(step)
	}
	if steps == 0 {
		steps = max(1, int(math.Ceil(most/step-1e-9)))
	}
	return axis{top: step * float64(steps), step: step}
}

// steps is the number of steps.
func (a axis) steps() int { return int(math.Round(a.top / a.step)) }

// text labels the i-th step, with the decimals that the step needs.
func (a axis) text(i int) string {
	decimals := 0
	for s := a.step; decimals < 6 && math.Abs(s-math.Round(s)) > 1e-9*s; s *= 10 {
		decimals++
	}
	return grouped(strconv.FormatFloat(float64(i)*a.step, 'f', decimals, 64))
}

// roundUp is the next of 1, 2, 2.5 and 5 times a power of ten.
func roundUp(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 2.5, 5} {
		if m*power >= v*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

const day = 24 * time.Hour

// clockSteps are the distances between lines of the time axis.
var clockSteps = []time.Duration{
	time.Second, 10 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour,
	6 * time.Hour, 12 * time.Hour, day, 2 * day, 7 * day, 14 * day, 28 * day, 91 * day, 364 * day,
}

// clockStep is the least step of which at most so many fit.
func clockStep(duration time.Duration, most int) time.Duration {
	for _, step := range clockSteps {
		if duration <= step*time.Duration(most) {
			return step
		}
	}
	return clockSteps[len(clockSteps)-1]
}

// timeLine is one line of the time axis.
type timeLine struct {
	at   time.Time
	text string
}

// timeLines divides a span of time at round instants of UTC; weeks begin on Monday.
func timeLines(start time.Time, duration time.Duration) []timeLine {
	step := clockStep(duration, 14)
	start = start.UTC()
	end := start.Add(duration)
	var out []timeLine
	for at := start.Truncate(step); !at.After(end); at = at.Add(step) {
		if at.Before(start) {
			continue
		}
		layout := "15:04"
		switch {
		case at.Equal(at.Truncate(day)):
			layout = "Mon 2 Jan"
		case step < time.Minute:
			layout = "15:04:05"
		}
		if step > 7*day {
			layout = "2 Jan 2006"
		}
		out = append(out, timeLine{at, at.Format(layout)})
	}
	return out
}
