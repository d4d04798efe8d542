package batch

import (
	"errors"
	"fmt"
	"time"
)

// longestHorizon bounds Options.Horizon, in steps.
const longestHorizon = 1 << 20

var (
	// ErrHorizon marks a horizon that cannot be answered.
	ErrHorizon = errors.New("horizon is out of range")
	// ErrSeasons marks a season that is none.
	ErrSeasons = errors.New("season is out of range")
	// ErrEmpty marks a history without one number in it.
	ErrEmpty = errors.New("history holds no value")
)

// Options says what is asked.
type Options struct {
	// Step is the time from one value to the next. It serves to find the seasons
	// where none are given; 0 is unknown.
	Step time.Duration
	// Start is the time of the first value, for whoever reads the question later.
	// Seasons are counted in steps, so no answer depends on it; it may be zero.
	Start time.Time
	// Horizon is how many steps to forecast, at least 1.
	Horizon int
	// Seasons are the lengths of the seasons in steps, such as 24 and 168 for
	// hourly values; at most the two shortest are used, and of those the ones
	// that the history is long enough for. Empty means the day and the week where
	// Step is known and divides them. Each is at least 2 and at most a week of
	// seconds.
	Seasons []int
}

// Answer is a forecast of Horizon steps after the newest value, in the unit of
// the values. Everything in it is finite.
type Answer struct {
	Mean      []float64   // one point per step, the same as quantile 0.5
	Quantiles [][]float64 // one row per step, at forecast.Levels, ascending
	Note      string      // what it rests on, for people; "not predictable, because ..." where so
}

// Forecast answers for the steps after the last of values, which are one per
// step with the oldest first. NaN is a gap, and so is what cannot be a
// measurement: an infinity, a number beyond 1e15, a lone spike far outside of
// everything else. A history without a negative value has no negative quantile.
// A history without any value is reported with [ErrEmpty], an impossible question
// with [ErrHorizon] or [ErrSeasons].
func Forecast(values []float64, o Options) (Answer, error) {
	return answer(values, o, whole)
}

// recipe says what takes part; ablations leave parts out. The zero value is the
// whole method.
type recipe struct {
	without string // name of an expert that stays out
	only    string // name of the one expert that takes part
	flat    bool   // every expert has the same weight
	hard    bool   // the best expert alone, no blend
	band    bandRecipe
}

var whole = recipe{}

func (r recipe) takes(name string) bool {
	return name != r.without && (r.only == "" || r.only == name)
}

func answer(values []float64, o Options, r recipe) (Answer, error) {
	if o.Horizon < 1 || o.Horizon > longestHorizon {
		return Answer{}, fmt.Errorf("horizon %d steps, must be between 1 and %d: %w", o.Horizon, longestHorizon, ErrHorizon)
	}
	seasons, err := seasonsOf(o)
	if err != nil {
		return Answer{}, err
	}
	h, ok := clean(values, seasons)
	if !ok {
		return Answer{}, fmt.Errorf("%d values, none of them a number: %w", len(values), ErrEmpty)
	}
	p := plan(h, seasons, o.Horizon)
	trials := p.experts(r)
	b := p.blend(trials, r)
	a := p.bands(b, r.band)
	a.Note = p.note(trials, b)
	return a, nil
}
