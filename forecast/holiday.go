package forecast

import (
	"math"
	"time"
)

const (
	// holidayWorth is what the rule that a holiday is a Sunday is worth, in energy
	// of a day as [holiday] counts it: the first holiday seen moves it most of the way.
	holidayWorth = 0.05
	// holidayHalf is after how many days of holiday one counts half.
	holidayHalf = 5
	// holidayMost bounds how much more of a Sunday than a Sunday a holiday can be.
	holidayMost = 1.5
	// askedDays is how many answers are remembered, a day each.
	askedDays = 32
)

// Holidays tells the forecaster on which days people do not work as on others. Is is
// asked once in a while with noon of a day in the forecaster's zone, and must answer
// the same each time. A holiday is expected to be like a Sunday until holidays have
// shown how far they are, from like any day of the week to quieter than a Sunday; they
// teach nothing about the other days.
func Holidays(is func(day time.Time) bool) Option {
	return func(s *Seasonal) {
		s.calendar.free = nil
		if is != nil {
			s.calendar.free = &freeDays{is: is}
		}
	}
}

// freeDays remembers what was answered about days.
type freeDays struct {
	is    func(day time.Time) bool
	asked [askedDays]struct {
		day        int64 // from the epoch, by the local clock
		known, yes bool
	}
}

// free says whether a local day is a holiday.
func (f *freeDays) free(day int64, zone *time.Location) bool {
	a := &f.asked[day-floorDiv(day, askedDays)*askedDays]
	if !a.known || a.day != day {
		if zone == nil {
			zone = time.UTC
		}
		year, month, date := time.Unix(day*secondsPerDay, 0).UTC().Date()
		a.day, a.known, a.yes = day, true, f.is(time.Date(year, month, date, 12, 0, 0, 0, zone))
	}
	return a.yes
}

// holiday is how far a holiday lies from its day of the week towards a Sunday: a
// regression through 0 whose prior is 1. Each bin counts by how far the two are
// apart against their size, so the night, when both are quiet, says nothing.
type holiday struct {
	along, energy float64 // faded sums of the bin's way along the distance, and of the distance
	worth, keep   float64
}

func newHoliday(c *calendar) holiday {
	perDay := float64(secondsPerDay) / float64(c.step)
	return holiday{worth: holidayWorth * perDay, keep: math.Exp2(-1 / (holidayHalf * perDay))}
}

// share is the part of a Sunday in a holiday: 1 before one was seen.
func (h *holiday) share() float64 {
	return min(max((h.along+h.worth)/(h.energy+h.worth), 0), holidayMost)
}

// expected is the root to expect on a holiday, from those of its day of the week and
// of a Sunday.
func (h *holiday) expected(own, sunday float64) float64 {
	return max(0, own+h.share()*(sunday-own))
}

// learn takes the root that came.
func (h *holiday) learn(root, own, sunday float64) {
	size := own*own + sunday*sunday + tiny
	apart := sunday - own
	h.along = h.along*h.keep + clip((root-own)*apart, 2*apart*apart)/size
	h.energy = h.energy*h.keep + apart*apart/size
}
