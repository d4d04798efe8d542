package batch

import (
	"fmt"
	"slices"
	"time"
)

const (
	day  = 24 * time.Hour
	week = 7 * day
	// longestSeason bounds a season, in steps: a week of seconds.
	longestSeason = 7 * 86400
)

// seasons are the lengths of the short and the long season in steps; 0 is none.
type seasons struct{ short, long int }

// seasonsOf reads the seasons given, or derives day and week from the step.
func seasonsOf(o Options) (seasons, error) {
	lengths := slices.Clone(o.Seasons)
	if len(lengths) == 0 && o.Step > 0 {
		for _, d := range []time.Duration{day, week} {
			if n := d / o.Step; n >= 2 && n <= longestSeason && d%o.Step == 0 {
				lengths = append(lengths, int(n))
			}
		}
	}
	slices.Sort(lengths)
	lengths = slices.Compact(lengths)
	for _, n := range lengths {
		if n < 2 || n > longestSeason {
			return seasons{}, fmt.Errorf("season of %d steps, must be between 2 and %d: %w", n, longestSeason, ErrSeasons)
		}
	}
	var s seasons
	if len(lengths) > 0 {
		s.short = lengths[0]
	}
	if len(lengths) > 1 {
		s.long = lengths[1]
	}
	return s, nil
}

// How much history is read: older cycles say little about the next steps and
// would cost time.
const (
	longCycles  = 8
	shortCycles = 56
	leastSteps  = 2048
	mostSteps   = 1 << 17
)

// reach returns how many of the newest steps are read.
func (s seasons) reach() int {
	return min(max(leastSteps, longCycles*s.long, shortCycles*s.short), mostSteps)
}
