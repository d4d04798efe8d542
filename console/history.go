package console

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

const (
	binWidth = 5 * time.Minute // of the world's time
	binCount = 48 * 12         // two days
)

// history holds the last two days of the world's time in bins of five minutes:
// the averages of what was seen in each. A bin in which nothing was known is a
// gap.
type history struct {
	newest     time.Time // begin of the newest bin; zero while there is none
	hourly     series    // committed money an hour
	attainment series
	models     map[fleet.ModelName]*modelSeries
}

// modelSeries is the past of one model, in requests a second.
type modelSeries struct{ demand, ready series }

// series is a ring of averages; the bin of a time is its number modulo binCount.
type series struct {
	sum   [binCount]float64
	count [binCount]int32
}

// add takes a state into the bin of its time. Time that runs backwards means
// that the world began again, and so does the history.
func (h *history) add(s State) {
	bin := s.Record.Inputs.Now.Truncate(binWidth)
	if h.models == nil || bin.Before(h.newest) {
		*h = history{models: map[fleet.ModelName]*modelSeries{}}
	}
	h.advance(bin)
	i := slot(bin)
	if rate, err := s.Record.Inputs.Snapshot.Committed(s.Settings.Catalog); err == nil {
		h.hourly.put(i, rate.Hourly().Float())
	}
	if a := overallAttainment(s); a.Value != nil {
		h.attainment.put(i, *a.Value)
	}
	current := map[fleet.ModelName]*modelSeries{}
	for _, m := range s.Settings.Policy.Models {
		past := h.models[m.Name]
		if past == nil {
			past = &modelSeries{}
		}
		current[m.Name] = past
		if demand, ok := seen(s, m.Name).Arrivals.Read(); ok {
			past.demand.put(i, demand)
		}
	}
	for _, n := range s.Record.Needs {
		if past := current[n.Model]; past != nil {
			past.ready.put(i, n.Ready)
		}
	}
	h.models = current
}

// advance empties the bins between the newest one and the given one.
func (h *history) advance(bin time.Time) {
	if !h.newest.IsZero() {
		steps := min(int(bin.Sub(h.newest)/binWidth), binCount)
		for k := range steps {
			i := slot(bin.Add(-time.Duration(k) * binWidth))
			h.hourly.clear(i)
			h.attainment.clear(i)
			for _, m := range h.models {
				m.demand.clear(i)
				m.ready.clear(i)
			}
		}
	}
	h.newest = bin
}

// clone copies the history so that it can be read while ticks go on.
func (h *history) clone() history {
	out := *h
	out.models = maps.Clone(h.models)
	for name, m := range out.models {
		copied := *m
		out.models[name] = &copied
	}
	return out
}

// last lists the averages of the newest bins that cover d, oldest first; a gap
// is NaN. It is empty while there is no bin.
func (h *history) last(s *series, d time.Duration) []float64 {
	if h.newest.IsZero() {
		return nil
	}
	n := min(int(d/binWidth), binCount)
	out := make([]float64, 0, n)
	for k := range n {
		out = append(out, s.at(slot(h.newest.Add(-time.Duration(k)*binWidth))))
	}
	slices.Reverse(out)
	return out
}

func slot(bin time.Time) int {
	n := bin.Unix() / int64(binWidth/time.Second) % binCount
	if n < 0 {
		n += binCount
	}
	return int(n)
}

func (s *series) put(i int, v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return
	}
	s.sum[i] += v
	s.count[i]++
}

func (s *series) clear(i int) { s.sum[i], s.count[i] = 0, 0 }

func (s *series) at(i int) float64 {
	if s.count[i] == 0 {
		return math.NaN()
	}
	return s.sum[i] / float64(s.count[i])
}
