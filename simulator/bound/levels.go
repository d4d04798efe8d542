package bound

import (
	"slices"
)

// level is a stretch of money rates: the price of ready nodes may lie below it,
// above it or, where it holds no sum of node prices, not within it. Rates are in
// nano an hour.
type level struct {
	width float64
	// A need above floor cannot be met unless the whole level is paid for; one
	// that reaches full takes all of it.
	floor, full float64
}

// share is how much of the level, at most all of it, a need takes up.
func (l level) share(need float64) float64 {
	if l.full <= l.floor {
		return 1
	}
	return min(1, (need-l.floor)/(l.full-l.floor))
}

const (
	mostSums   = 4096
	mostLevels = 192
)

// levelsUpTo divides the rates from zero to that of the cheapest nodes that can
// meet the highest need. It also answers the rate of all nodes that may be had,
// beyond the levels.
func (s *shop) levelsUpTo(highest float64) (levels []level, beyond float64) {
	all := 0.0
	for _, o := range s.offerings {
		all += float64(o.Limit) * float64(o.Price.Hourly().Micros()) * nanoPerMicro
	}
	highest = min(highest, all)
	sums, whole := s.sums(highest)
	if highest <= 0 {
		return nil, all
	}
	if !whole {
		// Too many sums to round up to: needs are rounded down to equal levels.
		for i := range mostLevels {
			top := highest * float64(i+1) / mostLevels
			levels = append(levels, level{width: highest / mostLevels, floor: top, full: top})
		}
		return levels, all - highest
	}
	n := len(sums) - 1
	each := (n + mostLevels - 1) / mostLevels
	for from := 0; from < n; from += each {
		to := min(from+each, n)
		levels = append(levels, level{width: sums[to] - sums[from], floor: sums[to-1], full: sums[to]})
	}
	return levels, all - sums[n]
}

// sums are the sums of prices of whole nodes within the limits, from zero to the
// smallest that is no less than highest; false when there are too many.
func (s *shop) sums(highest float64) ([]float64, bool) {
	sums := []int64{0}
	for _, o := range s.offerings {
		price := o.Price.Hourly().Micros() * nanoPerMicro
		if price <= 0 {
			continue
		}
		var more []int64
		for _, sum := range sums {
			more = append(more, sum)
			for n := 1; n <= o.Limit && float64(sum) < highest; n++ {
				sum += price
				more = append(more, sum)
			}
			if len(more) > 64*mostSums {
				return nil, false
			}
		}
		slices.Sort(more)
		sums = slices.Compact(more)
		for i, sum := range sums {
			if float64(sum) >= highest {
				sums = sums[:i+1]
				break
			}
		}
		if len(sums) > mostSums {
			return nil, false
		}
	}
	out := make([]float64, len(sums))
	for i, x := range sums {
		out[i] = float64(x)
	}
	return out, true
}
