package forecast

import "time"

const (
	secondsPerHour = 3600
	secondsPerDay  = 86400
	dayKinds       = 3 // work day, Saturday, Sunday
	dayParts       = 4 // of six hours each
)

// The kinds of days that are no work days.
const saturday, sunday = 1, 2

// calendar turns times into bins and bins into places in the day. Bins are
// counted from the Unix epoch in steps.
type calendar struct {
	step   int64          // seconds per bin
	width  int64          // seconds per slot of the profile, at least a minute
	slots  int            // slots per day
	pulses int            // slots per hour where the slots divide it, else 1
	zone   *time.Location // nil is UTC
	free   *freeDays      // nil knows no holidays
}

// place says where in the day a bin lies.
type place struct {
	slot, kind, part, pulse int
	second                  int  // of the local day, at which the bin starts
	free                    bool // a holiday that is no Sunday
}

// newCalendar rounds the step to whole seconds. A step below a second is read
// as a minute, one above a day as a day.
func newCalendar(step time.Duration) calendar {
	s := int64(step.Round(time.Second) / time.Second)
	if s < 1 {
		s = 60
	}
	s = min(s, secondsPerDay)
	width := max(s, 60)
	c := calendar{step: s, width: width, slots: int((secondsPerDay + width - 1) / width), pulses: 1}
	// From a quarter of an hour upwards the slot itself is the structure of the hour.
	if width < secondsPerHour/4 && secondsPerHour%width == 0 {
		c.pulses = int(secondsPerHour / width)
	}
	return c
}

// bin returns the bin that covers t.
func (c *calendar) bin(t time.Time) int64 {
	sec := t.Unix()
	b := sec / c.step
	if sec%c.step < 0 {
		b--
	}
	return b
}

// steps returns how many bins a span takes, at least one.
func (c *calendar) steps(span time.Duration) int64 {
	s := int64(span / time.Second)
	return max(1, (s+c.step/2)/c.step)
}

// place returns where in the local day a bin starts.
func (c *calendar) place(bin int64) place {
	day, inDay := c.local(bin * c.step)
	weekday := dayOfWeek(day)
	p := place{slot: int(inDay / c.width), part: int(inDay * dayParts / secondsPerDay), second: int(inDay)}
	switch weekday {
	case 6:
		p.kind = saturday
	case 0:
		p.kind = sunday
	}
	p.free = c.free != nil && weekday != 0 && c.free.free(day, c.zone)
	if c.pulses > 1 {
		p.pulse = int(inDay % secondsPerHour / c.width)
	}
	return p
}

// local returns the day from the epoch and the second in it by the local clock.
func (c *calendar) local(second int64) (day, inDay int64) {
	if c.zone != nil {
		_, offset := time.Unix(second, 0).In(c.zone).Zone()
		second += int64(offset)
	}
	day = floorDiv(second, secondsPerDay)
	return day, second - day*secondsPerDay
}

// dayOfWeek is 0 on Sundays; the epoch was a Thursday.
func dayOfWeek(day int64) int64 { return (day%7 + 7 + 4) % 7 }

// isFree says whether a second lies in a holiday that is no Sunday.
func (c *calendar) isFree(second int64) bool {
	if c.free == nil {
		return false
	}
	day, _ := c.local(second)
	return dayOfWeek(day) != 0 && c.free.free(day, c.zone)
}
