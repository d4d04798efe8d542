package forecast

import "time"

// longestHorizon bounds what Leads returns: beyond a year a profile of the day
// says nothing new.
const longestHorizon = 366 * 24 * time.Hour

// grid lists how far each spacing of the standard leads reaches. The first
// hour keeps every minute, because bursts at the full hour last a few minutes
// and capacity bought now serves within that hour.
var grid = []struct{ every, until time.Duration }{
	{time.Minute, time.Hour},
	{5 * time.Minute, 3 * time.Hour},
	{15 * time.Minute, 12 * time.Hour},
	{30 * time.Minute, 48 * time.Hour},
	{time.Hour, 7 * 24 * time.Hour},
	{6 * time.Hour, longestHorizon},
}

// Leads returns the standard leads, ascending: every minute from 0 (the bin
// under way) through the first hour, coarser after, and the horizon itself.
// A horizon below zero is read as 0, one beyond a year as a year.
func Leads(horizon time.Duration) []time.Duration {
	horizon = min(max(horizon, 0), longestHorizon)
	leads := []time.Duration{0}
	at := time.Duration(0)
	for _, g := range grid {
		for at+g.every <= min(g.until, horizon) {
			at += g.every
			leads = append(leads, at)
		}
	}
	if at < horizon {
		leads = append(leads, horizon)
	}
	return leads
}
