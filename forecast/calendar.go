package forecast

import "time"

const (
	secondsPerHour = 3600
	secondsPerDay  = 86400
	dayKinds       = 3 // work day, Saturday, Sunday
	dayParts       = 4 // of six hours each
)

// calendar turns times into bins and bins into places in the day. Bins are
// counted from the Unix epoch in steps.
type calendar struct {
	step   int64          // seconds per bin
	width  int64          // seconds per slot of the profile, at least a minute
	slots  int            // slots per day
	pulses int            // slots per hour where the slots divide it, else 1
	zone   *time.Location // nil is UTC
}

// place says where in the day a bin lies.
type place struct {
	slot, kind, part, pulse int
	second                  int // of the local day, at which the bin starts
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
	sec := bin * c.step
	if c.zone != nil {
		_, offset := time.Unix(sec, 0).In(c.zone).Zone()
		sec += int64(offset)
	}
	day, inDay := sec/secondsPerDay, sec%secondsPerDay
	if inDay < 0 {
		day, inDay = day-1, inDay+secondsPerDay
	}
	// The epoch was a Thursday.
	weekday := (day%7 + 7 + 4) % 7
	p := place{slot: int(inDay / c.width), part: int(inDay * dayParts / secondsPerDay), second: int(inDay)}
	switch weekday {
	case 6:
		p.kind = 1
	case 0:
		p.kind = 2
	}
	if c.pulses > 1 {
		p.pulse = int(inDay % secondsPerHour / c.width)
	}
	return p
}
