package recording

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tessera-autoscaler/tessera/simulator/internal/words"
)

// The years that times may lie in, so that distances between them and
// nanoseconds since 1970 fit into 64 bits.
const (
	firstYear = 1970
	lastYear  = 2199
)

// timeForms are the forms a time may have, the first that fits the first row
// holds for the whole file. Fractions of seconds are understood by all that have
// seconds. Times without a zone are UTC.
var timeForms = []string{
	time.RFC3339, "2006-01-02 15:04:05Z07:00",
	"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04",
}

// The forms that time.Parse lacks.
const (
	unixSeconds      = "seconds"      // whole, since 1970
	unixMilliseconds = "milliseconds" // whole, since 1970
	ticks            = "ticks"        // since second zero of the recording, perhaps with a fraction
)

// undatedBelow parts ticks from seconds since 1970: it is in March 1973.
const undatedBelow = 100_000_000

const timeFix = "write times as 2006-01-02T15:04:05Z, 2006-01-02T15:04 or 2006-01-02 15:04:05 (UTC), or as whole seconds since 1970, all rows alike"

// clock reads the times of a recording and checks them against the ones before.
type clock struct {
	in    *input
	form  string
	tick  time.Duration
	zero  int64 // of ticks, nanoseconds since 1970
	shift int64 // added to dates

	any         bool
	first, last int64
	grid        int64 // steps of which all rows are a multiple after the first
	rows        int   // at times of their own
	firstText   string
	lastText    string
}

// newClock makes the clock of an input, of a form where the format has one.
func newClock(in *input, form string) *clock {
	c := &clock{in: in, form: form, tick: in.opt.Tick}
	if c.tick == 0 {
		c.tick = time.Second
	}
	if zero := in.opt.zero(); !zero.IsZero() {
		c.zero = zero.UnixNano()
	}
	return c
}

// recognise settles the form by the first time.
func (c *clock) recognise(text string) error {
	if c.form = c.numeric(text); c.form == "" {
		c.form = written(text)
	}
	if c.form == "" {
		return c.in.complain(FaultTime, timeFix, "time %s is of no known form", words.Quote(text))
	}
	if c.form == ticks || c.in.opt.Begins.IsZero() {
		return nil
	}
	at, what := c.parse(text)
	if what != "" {
		return c.in.complain(FaultTime, timeFix, "%s", what)
	}
	c.shift = c.in.opt.Begins.UnixNano() - at
	return nil
}

// numeric is the form of a time that is a number, or nothing.
func (c *clock) numeric(text string) string {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n >= 0) {
		return ""
	}
	switch whole := n == math.Trunc(n) && !strings.ContainsAny(text, ".eExX"); {
	case n < undatedBelow && (whole || c.in.opt.Tick > 0):
		return ticks
	case whole && n <= math.MaxInt32*100.0:
		return unixSeconds
	case whole && c.in.milliseconds && n <= math.MaxInt32*100_000.0:
		return unixMilliseconds
	}
	return ""
}

// written is the form of a time that is text, or nothing.
func written(text string) string {
	for _, form := range timeForms {
		if t, err := time.Parse(form, text); err == nil && t.Year() >= firstYear && t.Year() <= lastYear {
			return form
		}
	}
	return ""
}

// parse returns nanoseconds since 1970, or what is wrong.
func (c *clock) parse(text string) (int64, string) {
	var t time.Time
	switch c.form {
	case ticks:
		n, what := parseAmount(text, 1e12)
		if what != "" {
			return 0, "time " + what
		}
		nanos := n * float64(c.tick)
		if !(nanos < 1e18) {
			return 0, "time " + words.Quote(text) + " is later than thirty years after the beginning"
		}
		if n == math.Trunc(n) {
			return c.dated(c.zero+int64(n)*int64(c.tick), text)
		}
		return c.dated(c.zero+int64(math.Round(nanos)), text)
	case unixSeconds, unixMilliseconds:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0, "time " + words.Quote(text) + " is not in whole " + c.form
		}
		limit := int64(math.MaxInt32 * 100)
		if c.form == unixMilliseconds {
			limit *= 1000
		}
		if n > limit || n < 0 {
			return 0, "time " + words.Quote(text) + " is not in " + c.form + " since 1970 (milliseconds, perhaps)"
		}
		if c.form == unixSeconds {
			n *= 1000
		}
		t = time.UnixMilli(n).UTC()
	default:
		var err error
		if t, err = time.Parse(c.form, text); err != nil {
			return 0, "time " + words.Quote(text) + " is not of the form " + c.form
		}
	}
	if y := t.Year(); y < firstYear || y > lastYear {
		return 0, "time " + words.Quote(text) + " lies outside the years 1970 to 2199"
	}
	return c.dated(t.UnixNano()+c.shift, text)
}

// dated refuses times that were moved too far.
func (c *clock) dated(at int64, text string) (int64, string) {
	if y := time.Unix(0, at).UTC().Year(); y < firstYear || y > lastYear {
		return 0, "time " + words.Quote(text) + " would be moved out of the years 1970 to 2199"
	}
	return at, ""
}

// read parses a time without looking at the ones before.
func (c *clock) read(text string) (int64, error) {
	if c.form == "" {
		if err := c.recognise(text); err != nil {
			return 0, err
		}
	}
	if c.firstText == "" {
		c.firstText = text
	}
	at, what := c.parse(text)
	if what != "" {
		return 0, c.in.complain(FaultTime, timeFix, "%s (the first is %s)", what, words.Quote(c.firstText))
	}
	return at, nil
}

// next reads the time of the next row: not before the last, and in bins a whole
// number of steps after the first.
func (c *clock) next(text string) (int64, error) {
	at, err := c.read(text)
	if err != nil {
		return 0, err
	}
	step := c.in.about.Step
	switch {
	case !c.any:
		c.any, c.first = true, at
	case at < c.last:
		return 0, c.in.complain(FaultOrder, "sort the rows by time", "time %s is before %s of the row above", words.Quote(text), words.Quote(c.lastText))
	case step > 0 && (at-c.first)%int64(step) != 0:
		fix := "give the step that the recording has"
		if gap := time.Duration(at - c.last); gap > 0 && gap < step {
			fix += fmt.Sprintf(", perhaps %v", gap)
		}
		return 0, c.in.complain(FaultGrid, fix, "time %s is not a whole number of steps of %v after the first row at %s", words.Quote(text), step, words.Quote(c.firstText))
	}
	if step > 0 && (c.rows == 0 || at > c.last) {
		c.grid = common(c.grid, (at-c.first)/int64(step))
		c.rows++
	}
	c.last, c.lastText = at, text
	return at, nil
}

// common is the greatest common divisor; that with zero is the other.
func common(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// fewRows may all miss every second bin by chance.
const fewRows = 4

// coarse complains at the end of a recording whose bins are longer than the step
// that was given: every bin in between would be a gap.
func (c *clock) coarse() error {
	if c.grid < 2 || c.rows < fewRows {
		return nil
	}
	step := c.in.about.Step
	longer := step * time.Duration(c.grid)
	return c.in.whole(FaultGrid, fmt.Sprintf("give the step %v", longer), "all rows lie whole numbers of %v apart, and the step that was given is %v", longer, step)
}

// customaryTimes are names of columns of times, without case.
var customaryTimes = []string{"time", "timestamp", "ts", "date", "datetime", "minute", "hour", "second", "unix_minute", "window_start_s"}

func isTime(name string) bool { return slices.Contains(customaryTimes, lower(name)) }
