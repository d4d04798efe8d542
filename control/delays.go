package control

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

const (
	// priorWeight is how many observations what is configured counts for.
	priorWeight = 5.0
	// priorPoints is into how many parts of equal weight the configured distribution is cut.
	priorPoints = 20
	// halfLife is after how many further ones an observation counts half: an offering that
	// is bought twice a day forgets no faster than its starts tell something new.
	halfLife = 10.0
	// mostSeen is how many observations are kept; an older one counts less than an eighth.
	mostSeen = 32
	// aloneAtMost is how many times the next longest, or the configured 0.95 quantile, the
	// longest of all durations counts for: one outlier may warn, and two are believed.
	aloneAtMost = 1.5
	// longestFactor and longestLeast bound what is believed of a duration: so many times
	// the configured 0.95 quantile, and this at least. What lasts longer does not come.
	longestFactor = 4
	longestLeast  = 15 * time.Minute
)

// Delays are the durations of one kind of start that were seen, and what follows from
// them and from what was configured. The zero value has seen nothing.
type Delays struct {
	Seen  []float64   `json:"seen,omitempty"` // seconds, to a tenth, oldest first
	Count int         `json:"count"`          // of all that were ever seen
	Last  time.Time   `json:"last,omitzero"`  // when the newest of them ended
	Late  int         `json:"late,omitempty"` // under way now for longer than the 0.95 quantile
	Prior fleet.Delay `json:"prior"`          // as configured
	Delay fleet.Delay `json:"delay"`          // in force
}

// ended is a start that is over.
type ended struct {
	at   time.Time
	took time.Duration
}

// learn takes in starts that are over, of which those that ended after the last one
// known are new, and those that are under way, each for how long already. The first
// must be sorted by when they ended.
func (d Delays) learn(prior fleet.Delay, over []ended, underWay []time.Duration) Delays {
	known, fresh := d.Last, 0
	for _, e := range over {
		if !e.at.After(known) {
			continue
		}
		d.Seen = append(slices.Clip(d.Seen), math.Round(e.took.Seconds()*10)/10)
		d.Last, d.Count, fresh = e.at, d.Count+1, fresh+1
	}
	d.Seen = d.Seen[max(0, len(d.Seen)-mostSeen):]
	if fresh > 0 || d.Late > 0 || d.Prior != prior || d.Delay == (fleet.Delay{}) {
		d.Prior, d.Late, d.Delay = prior, 0, estimate(prior, d.Seen, nil)
	}
	// What is still under way says nothing before it is late: until then it may become
	// anything, and what it becomes is counted when it is over. Once it is, it counts as
	// what it has lasted, which is the least that it can become and grows with every look;
	// what of the distribution lies beyond the 0.95 quantile is too little to say more.
	var late []float64
	for _, age := range underWay {
		if age > d.Delay.P95 && age <= longest(prior) {
			late = append(late, age.Seconds())
		}
	}
	if len(late) > 0 {
		d.Late, d.Delay = len(late), estimate(prior, d.Seen, late)
	}
	return d
}

// longest is the longest duration that is believed.
func longest(prior fleet.Delay) time.Duration {
	return max(longestFactor*prior.P95, longestLeast)
}

// point is a duration in seconds with its weight.
type point struct{ seconds, weight float64 }

// estimate is the distribution of durations, in seconds: the configured one as so many
// observations, what was seen, the newest last, and how long what is late has lasted.
func estimate(prior fleet.Delay, seen, underWay []float64) fleet.Delay {
	if len(seen)+len(underWay) == 0 {
		return prior
	}
	points := make([]point, 0, priorPoints+len(seen)+len(underWay))
	most := longest(prior).Seconds()
	for i, s := range seen {
		points = append(points, point{seconds: min(s, most), weight: math.Exp2(-float64(len(seen)-1-i) / halfLife)})
	}
	for _, s := range underWay {
		points = append(points, point{seconds: s, weight: 1})
	}
	tame(points, prior.P95.Seconds())
	least := points[0].seconds
	for _, p := range points {
		least = min(least, p.seconds)
	}
	for i := range priorPoints {
		level := (float64(i) + 0.5) / priorPoints
		z := math.Sqrt2 * math.Erfinv(2*level-1)
		points = append(points, point{seconds: min(prior.At(z).Seconds(), most), weight: priorWeight / priorPoints})
	}
	slices.SortStableFunc(points, func(a, b point) int {
		return cmp.Or(cmp.Compare(a.seconds, b.seconds), cmp.Compare(a.weight, b.weight))
	})
	p50 := seconds(max(quantile(points, 0.5), least)) // nothing is faster than the fastest seen
	return fleet.Delay{P50: p50, P95: max(p50, seconds(quantile(points, 0.95)))}
}

// tame shortens the longest of several durations that none of the others supports.
func tame(points []point, usual float64) {
	first := 0
	for i := range points {
		if points[i].seconds > points[first].seconds {
			first = i
		}
	}
	for i := range points {
		if i != first {
			usual = max(usual, points[i].seconds)
		}
	}
	if usual > 0 {
		points[first].seconds = min(points[first].seconds, aloneAtMost*usual)
	}
}

// quantile is that of sorted points, of which each stands in the middle of its weight;
// linear between two.
func quantile(points []point, level float64) float64 {
	total := 0.0
	for _, p := range points {
		total += p.weight
	}
	before, at, last := 0.0, math.Inf(-1), points[0].seconds
	for _, p := range points {
		here := (before + p.weight/2) / total
		if here >= level {
			if math.IsInf(at, -1) || here == at {
				return p.seconds
			}
			return last + (level-at)/(here-at)*(p.seconds-last)
		}
		before, at, last = before+p.weight, here, p.seconds
	}
	return last
}

// seconds are a duration in whole seconds.
func seconds(s float64) time.Duration {
	return time.Duration(math.Round(s)) * time.Second
}
