package series

import (
	"fmt"
	"math"
	"strings"
	"time"
)

const (
	// longestGap bounds what is taken for a gap between two rows: a clock that is a
	// year ahead was wrong.
	longestGap = 366 * 24 * time.Hour
	// slack is the share of a bin by which a row may miss its start.
	slack = 4
	// fewRows is how many rows show the step of a series.
	fewRows = 4
)

// builder is a series under way.
type builder struct {
	Series
	firstLine, line int // of the first row and of the newest
	rows, known     int
	newest          time.Time
	spacing         int64 // greatest common divisor of the distances between rows, in seconds
}

// add takes a row and returns how many bins it added, no more than room, or says
// what is wrong with its time.
func (b *builder) add(at time.Time, value float64, line, room int) (grown int, wrong string) {
	if b.rows == 0 {
		b.firstLine = line
	} else if what := b.order(at); what != "" {
		return 0, what
	}
	bin := b.bin(at)
	grown = bin + 1 - len(b.Values)
	if grown > room {
		return 0, fmt.Sprintf("series %q brings the file to more bins of %s than fit into memory: split it, or give the step that its rows have", b.Name, duration(b.Step))
	}
	for range grown - 1 {
		b.Values = append(b.Values, math.NaN())
	}
	b.Values = append(b.Values, value)
	if !math.IsNaN(value) {
		b.known++
	}
	b.newest, b.line, b.rows = at, line, b.rows+1
	return grown, ""
}

// bin is the index of the bin whose start is nearest to a time.
func (b *builder) bin(at time.Time) int { return int((at.Sub(b.Start) + b.Step/2) / b.Step) }

// order checks a time against the rows before it.
func (b *builder) order(at time.Time) string {
	step, ahead := b.Step, at.Unix()-b.newest.Unix()
	form := b.Clock.Format
	switch {
	case ahead == 0:
		return fmt.Sprintf("series %q has %s twice, here and on line %d: keep one of the two rows", b.Name, form(at), b.line)
	case ahead < 0:
		return fmt.Sprintf("series %q goes back from %s on line %d to %s: sort the rows of each series by time; if its clock was set back, write times with their offset, or integer seconds",
			b.Name, form(b.newest), b.line, form(at))
	case ahead > int64(longestGap/time.Second):
		return fmt.Sprintf("series %q jumps from %s on line %d to %s, more than a year: mend the clock of these rows, or give what follows a name of its own",
			b.Name, form(b.newest), b.line, form(at))
	}
	b.spacing = divisor(b.spacing, ahead)
	bin := b.bin(at)
	if bin < len(b.Values) {
		return fmt.Sprintf("series %q has two rows in one bin of %s, here and on line %d: they are %s apart; give that as --step, for nothing is resampled",
			b.Name, duration(step), b.line, duration(time.Duration(ahead)*time.Second))
	}
	if off := at.Sub(b.At(bin)); off.Abs() > step/slack {
		return fmt.Sprintf("series %q: %s lies %s off the bins of %s that begin at %s: round the times to whole steps, or give the step that the rows have as --step",
			b.Name, form(at), duration(off.Abs()), duration(step), form(b.Start))
	}
	return ""
}

// finish checks what only the last row tells.
func (b *builder) finish() string {
	switch {
	case b.known == 0:
		return fmt.Sprintf("series %q has no value at all: leave it out", b.Name)
	case b.rows >= fewRows && time.Duration(b.spacing)*time.Second >= 2*b.Step:
		return fmt.Sprintf("series %q has a row every %s, not every %s: give --step %[2]s, for nothing is resampled",
			b.Name, duration(time.Duration(b.spacing)*time.Second), duration(b.Step))
	}
	return ""
}

// divisor is the greatest common one; that of 0 and b is b.
func divisor(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// duration writes a duration without the units that are zero, such as 5m or 1h30m.
func duration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
