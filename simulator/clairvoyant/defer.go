package clairvoyant

import (
	"math"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// What may wait is planned for as if it came later, as evenly as its deadlines
// allow: then a bin can be judged by itself. A part of the limit is left for what a
// schedule does not do as planned.
const (
	marginShare = 0.25            // of the limit
	leastMargin = 5 * time.Minute // of it, at least
	deferGrid   = time.Minute
	queueLimit  = 4 * time.Minute // from planned arrival to answer: no queue outlives a bin
)

// newDemand prepares the traffic of a model for planning. A share of its limit is
// planned with.
func newDemand(m fleet.Model, a *arrivals, servers []*server, b bins, opens time.Duration, share float64) *demand {
	d := &demand{
		Model: m, arrivals: a, servers: servers, bins: b, limit: m.SLO.Limit.Seconds(), opens: opens.Seconds(),
		missed: map[mix][]float32{},
	}
	wait := m.SLO.Limit - max(leastMargin, time.Duration(marginShare*float64(m.SLO.Limit)))
	if m.Kind == fleet.Async && wait > 0 {
		d.at = evenly(a.at, wait.Seconds(), b.duration.Seconds())
		d.cut(b)
		d.limit = (m.SLO.Limit - wait).Seconds()
	}
	d.limit = share * math.Min(d.limit, queueLimit.Seconds())
	d.warm = b.step.Seconds() / 2
	return d
}

// evenly moves every arrival to a later time, by no more than wait, so that the rate
// changes as little as can be: along the taut string between the counts of what has
// come and of what has waited for as long as it may.
func evenly(at []float64, wait, end float64) []float64 {
	grid := deferGrid.Seconds()
	n := int(math.Ceil(end/grid)) + 1
	came, due := make([]float64, n), make([]float64, n)
	i, j := 0, 0
	for k := range n {
		t := float64(k) * grid
		for i < len(at) && at[i] <= t {
			i++
		}
		for j < len(at) && at[j]+wait <= t {
			j++
		}
		came[k], due[k] = float64(i), float64(j)
	}
	due[n-1] = float64(len(at))
	came[n-1] = float64(len(at))
	string_ := taut(due, came)
	out := make([]float64, len(at))
	k := 0
	for i := range at {
		count := float64(i) + 0.5
		for k+1 < n-1 && string_[k+1] < count {
			k++
		}
		share := 1.0
		if rise := string_[k+1] - string_[k]; rise > 0 {
			share = min(1, max(0, (count-string_[k])/rise))
		}
		out[i] = (float64(k) + share) * grid
		if i > 0 {
			out[i] = math.Max(out[i], out[i-1])
		}
	}
	return out
}

// taut is the shortest line from the first to the last point of a tube, by index. The
// tube is closed at both ends.
func taut(low, high []float64) []float64 {
	n := len(low)
	out := make([]float64, n)
	at, value := 0, high[0]
	low[0] = value
	out[0] = value
	for at < n-1 {
		least, most := math.Inf(-1), math.Inf(1) // slopes that stay in the tube
		lowAt, highAt, turn := at, at, 0
		slope := 0.0
		for k := at + 1; k < n; k++ {
			span := float64(k - at)
			l, h := (low[k]-value)/span, (high[k]-value)/span
			if l > most {
				turn, slope = highAt, most
				break
			}
			if h < least {
				turn, slope = lowAt, least
				break
			}
			if l >= least {
				least, lowAt = l, k
			}
			if h <= most {
				most, highAt = h, k
			}
		}
		if turn == 0 {
			turn, slope = n-1, (high[n-1]-value)/float64(n-1-at)
		}
		for k := at + 1; k <= turn; k++ {
			out[k] = value + slope*float64(k-at)
		}
		at, value = turn, out[turn]
	}
	return out
}
