package report

import (
	"math"
	"time"
)

// date is a line of the table of days.
type date struct {
	Name     string
	GPUs     string // least, mean and most
	Mean     string
	Most     string
	Demand   string
	Peak     string
	Cost     string
	GPUHours string
}

// datesOf cuts the timeline into days of UTC.
func datesOf(s Summary) []date {
	all, spent, end := s.Result.Timeline, spentUntil(s), s.Start.Add(s.Duration)
	var out []date
	for from := 0; from < len(all); {
		midnight := all[from].At.UTC().Truncate(day)
		to, hours, gpuHours, requests := from, 0.0, 0.0, 0.0
		for ; to < len(all) && all[to].At.Before(midnight.Add(day)); to++ {
			h := holds(all, to, end).Hours()
			hours, gpuHours, requests = hours+h, gpuHours+h*gpus(all[to]), requests+h*all[to].Arrivals
		}
		low, high := extent(all[from:to], gpus)
		_, peak := extent(all[from:to], arrivals)
		out = append(out, date{
			Name: midnight.Format("Mon 2 Jan 2006"), GPUs: whole(low), Mean: number(perUnit(gpuHours, hours)), Most: whole(high),
			Demand: number(perUnit(requests, hours)), Peak: number(peak), GPUHours: number(gpuHours),
			Cost: amountOf(s, spent[to].value-spent[from].value),
		})
		from = to
	}
	return out
}

// perUnit divides; nothing over nothing is nothing.
func perUnit(sum, units float64) float64 {
	if units <= 0 {
		return 0
	}
	return sum / units
}

// sampledEvery is the step of the timeline, zero when it has none.
func sampledEvery(s Summary) time.Duration {
	least := time.Duration(math.MaxInt64)
	for i := 1; i < len(s.Result.Timeline); i++ {
		least = min(least, s.Result.Timeline[i].At.Sub(s.Result.Timeline[i-1].At))
	}
	if least == math.MaxInt64 {
		return 0
	}
	return least
}
