package evaluate

import (
	"time"

	"github.com/tessera-autoscaler/tessera/forecast/series"
)

// hours is the set of classes of the hour that a bin belongs to.
type hours uint8

const (
	night hours = 1 << iota
	morning
	afternoon
	evening
	weekend
	mondayMorning
	firstMinutes // of the hour: where bursts are
)

// Classes are the names of the classes of hours, in the order of Score.Classes. A
// day has four parts of six hours, night from midnight on.
var Classes = []string{"night", "morning", "afternoon", "evening", "weekend", "monday-morning", "first-10m"}

// classed is the number of classes.
const classed = 7

// hoursOf classifies the bins of a series from one on. The first ten minutes of the
// hour are known apart only where bins are no longer than that.
func hoursOf(s *series.Series, zone *time.Location, from int) []hours {
	out := make([]hours, len(s.Values)-from)
	for i := range out {
		at := s.At(from + i).In(zone)
		part := at.Hour() / 6
		h := night << part
		switch day := at.Weekday(); {
		case day == time.Saturday || day == time.Sunday:
			h |= weekend
		case day == time.Monday && part == 1:
			h |= mondayMorning
		}
		if s.Step <= 10*time.Minute && at.Minute() < 10 {
			h |= firstMinutes
		}
		out[i] = h
	}
	return out
}
