package report

import (
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator"
)

func hourly(s simulator.Sample) float64 { return s.Rate.Hourly().Float() }

// moneyPlot draws the rate of spending with the fleet's hourly cap, and what was
// spent so far.
func moneyPlot(s Summary) *plot {
	all := s.Result.Timeline
	if len(all) == 0 {
		return nil
	}
	_, most := extent(all, hourly)
	total := s.Result.Cost.Float()
	limit, capped := drawnCap(s)
	if capped {
		most = max(most, limit)
	}
	p := newPlot(s, most, total, false)
	p.Label = "Spending over time"
	unit := string(s.Result.Cost.Currency())
	p.Left, p.Right = unit+" an hour", unit+" so far"
	spent := spentUntil(s)
	shown := thin(all, s.Start, s.Duration, hourly)
	p.add("spending", p.stepArea(p.left, shown, hourly))
	p.add("rate", p.stepLine(p.left, shown, hourly))
	p.add("total", p.slope(p.right, everyBucket(spent)))
	if capped {
		p.add("cap", p.level(p.left, limit))
	}
	p.divide(all, func(from, to int) string {
		low, high := extent(all[from:to], hourly)
		return between(amountOf(s, low), amountOf(s, high)) + " an hour, " + amountOf(s, spent[to].value) + " so far"
	})
	return p
}

// amountOf prints a number of the result's currency.
func amountOf(s Summary, v float64) string {
	return money(fleet.Micros(int64(v*1e6), s.Result.Cost.Currency()))
}

// drawnCap is the hourly cap, unless it is so far above all spending that a chart
// with both would show a flat line.
func drawnCap(s Summary) (limit float64, drawn bool) {
	_, most := extent(s.Result.Timeline, hourly)
	limit, found := hourlyCap(s)
	return limit, found && limit <= 3*most
}

// hourlyCap is the lowest cap on the spending of the whole fleet an hour.
func hourlyCap(s Summary) (limit float64, found bool) {
	for _, b := range s.Settings.Policy.Budgets {
		if b.Per != "hour" || b.Group != "" {
			continue
		}
		if v := b.Amount.Float(); !found || v < limit {
			limit, found = v, true
		}
	}
	return limit, found
}

// spentUntil sums up what was spent until each sample and, last, until the end.
// The samples do not see what happens between them, so the sum is stretched to
// end at the exact cost of the run.
func spentUntil(s Summary) []point {
	all := s.Result.Timeline
	end := s.Start.Add(s.Duration)
	out := make([]point, len(all)+1)
	sum := 0.0
	for i, sample := range all {
		out[i] = point{sample.At, sum}
		sum += hourly(sample) * holds(all, i, end).Hours()
	}
	out[len(all)] = point{end, sum}
	if sum > 0 {
		stretch := s.Result.Cost.Float() / sum
		for i := range out {
			out[i].value *= stretch
		}
	}
	return out
}

// holds is how long the i-th sample stands for the fleet.
func holds(samples []simulator.Sample, i int, end time.Time) time.Duration {
	if i+1 < len(samples) {
		end = samples[i+1].At
	}
	return end.Sub(samples[i].At)
}

// everyBucket thins a line that only rises: any points of it are enough.
func everyBucket(points []point) []point {
	stride := len(points)/buckets + 1
	var out []point
	for i := 0; i < len(points)-1; i += stride {
		out = append(out, points[i])
	}
	return append(out, points[len(points)-1])
}
