package forecast

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Trial is one series to be forecast from rolling origins.
type Trial struct {
	Series []Observation // in time order; bins that are left out are gaps
	Step   time.Duration // length of a bin
	Leads  []time.Duration
	From   float64       // share of the series, by bins, before the first scored target
	Delay  time.Duration // how long a bin stays unseen after it ended
}

// Row is one forecast beside what came.
type Row struct {
	Origin time.Time     // start of the newest bin that was visible
	Lead   time.Duration // as asked for
	Target time.Time     // start of the bin that was forecast
	Actual float64
	Point  Point // its Lead counts from the end of the bin under way
}

// Loss is how far one forecaster was off, on the same targets as the others.
type Loss struct {
	Pinball90 float64 // mean pinball loss of the 0.9 quantile, in units per second
	WAPE      float64 // sum of absolute errors of the median over sum of actuals
}

// Score is what a trial found for one lead. A lead without a target that was
// known has a Count of 0 and no meaning beyond it.
type Score struct {
	Lead     time.Duration
	Count    int
	Mean     float64   // mean of the actuals
	Coverage []float64 // share of actuals at or below each quantile, as Levels
	Forecast Loss
	Last     Loss // the last visible value
	Headroom Loss // the last value times the factor that was best before the first scored target
	Day      Loss // the value at the same time on the last day that was visible
}

// maxTrialBins bounds the memory that a wrong time in a series can ask for.
const maxTrialBins = 8_000_000

// Backtest feeds the series to a fresh forecaster bin by bin and scores, after
// each bin, the forecast for the bins max(1, round(lead/step)) later. The
// forecaster never sees more than what had ended Delay before. Visit, which may
// be nil, gets every scored forecast in order of origin, then lead.
func Backtest(f Forecaster, t Trial, visit func(Row)) ([]Score, error) {
	bins, err := t.bins()
	if err != nil {
		return nil, fmt.Errorf("backtest: %w", err)
	}
	run := newRun(t, bins)
	for i := range bins {
		if seen := i - run.hidden; seen >= 0 {
			// Invalid values were refused above; a gap is no error.
			if err := f.Observe(bins[seen]); err != nil {
				return nil, fmt.Errorf("backtest: %w", err)
			}
			run.score(f, i, seen, visit)
		}
	}
	return run.scores(), nil
}

// bins lays the series on an unbroken grid.
func (t *Trial) bins() ([]Observation, error) {
	switch {
	case t.Step < time.Second:
		return nil, fmt.Errorf("step = %v, must be at least a second", t.Step)
	case t.Delay < 0:
		return nil, fmt.Errorf("delay = %v, must not be negative", t.Delay)
	case !(t.From >= 0 && t.From <= 1):
		return nil, fmt.Errorf("from = %v, must be between 0 and 1", t.From)
	case len(t.Leads) == 0:
		return nil, errors.New("leads are empty, need at least one")
	case len(t.Series) == 0:
		return nil, errors.New("series is empty, need at least one observation")
	}
	start := t.Series[0].At
	span := t.Series[len(t.Series)-1].At.Sub(start)
	if span < 0 || int64(span/t.Step) >= maxTrialBins {
		return nil, fmt.Errorf("series spans %v, must be between 0 and %d bins of %v", span, maxTrialBins, t.Step)
	}
	bins := make([]Observation, span/t.Step+1)
	for i := range bins {
		bins[i].At = start.Add(time.Duration(i) * t.Step)
	}
	newest := -1
	for i, o := range t.Series {
		at := int(o.At.Sub(start) / t.Step)
		if at <= newest || at >= len(bins) {
			return nil, fmt.Errorf("observation %d at %s: %w", i, o.At.UTC().Format(time.RFC3339), ErrOutOfOrder)
		}
		if o.Known {
			if err := checkRate(o.Value); err != nil {
				return nil, fmt.Errorf("observation %d at %s: %w", i, o.At.UTC().Format(time.RFC3339), err)
			}
			bins[at].Value, bins[at].Known = o.Value, true
		}
		newest = at
	}
	return bins, nil
}

// run is a trial under way.
type run struct {
	trial  Trial
	bins   []Observation
	hidden int // bins that ended but are not visible yet
	day    int // bins per day
	first  int // index of the first scored target
	last   float64
	ahead  []int           // targets, in bins after the newest that ended
	leads  []time.Duration // the same as leads from now
	tally  []tally
}

func newRun(t Trial, bins []Observation) *run {
	r := &run{
		trial: t, bins: bins, last: math.NaN(),
		hidden: int((t.Delay + t.Step - 1) / t.Step),
		day:    max(1, int((24*time.Hour+t.Step/2)/t.Step)),
		first:  int(math.Ceil(t.From * float64(len(bins)))),
		tally:  make([]tally, len(t.Leads)),
	}
	for _, lead := range t.Leads {
		k := max(1, int((lead+t.Step/2)/t.Step))
		r.ahead = append(r.ahead, k)
		// Now is the end of bin i, so bin i+k is covered k-1 steps later.
		r.leads = append(r.leads, time.Duration(k-1)*t.Step)
	}
	return r
}

// score makes the forecasts that bin i allows.
func (r *run) score(f Forecaster, i, seen int, visit func(Row)) {
	if o := r.bins[seen]; o.Known {
		r.last = o.Value
	}
	var path Path
	for j, k := range r.ahead {
		target := i + k
		if target >= len(r.bins) || !r.bins[target].Known || math.IsNaN(r.last) {
			continue
		}
		actual := r.bins[target].Value
		if target < r.first {
			r.tally[j].fit(actual, r.last)
			continue
		}
		if path.Points == nil {
			path = f.Forecast(r.bins[i].At.Add(r.trial.Step), r.leads)
		}
		p := pointAt(path, r.leads[j])
		r.tally[j].add(actual, p, r.last, r.sameTime(target, seen))
		if visit != nil {
			visit(Row{
				Origin: r.bins[seen].At, Lead: r.trial.Leads[j], Target: r.bins[target].At, Actual: actual, Point: p,
			})
		}
	}
}

// sameTime returns the value on the last visible day at the time of a target.
func (r *run) sameTime(target, seen int) float64 {
	for b := target - r.day; b >= 0; b -= r.day {
		if b <= seen && r.bins[b].Known {
			return r.bins[b].Value
		}
	}
	return r.last
}

func pointAt(p Path, lead time.Duration) Point {
	for _, pt := range p.Points {
		if pt.Lead == lead {
			return pt
		}
	}
	return Point{Lead: lead, Quantiles: make([]float64, levelCount)}
}

func (r *run) scores() []Score {
	scores := make([]Score, len(r.tally))
	for j := range r.tally {
		scores[j] = r.tally[j].score(r.trial.Leads[j])
	}
	return scores
}
