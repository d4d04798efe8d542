package recording

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tessera-autoscaler/tessera/simulator/internal/words"
)

// slotsDecoder reads a count for each day and slot of the day. Days are numbered,
// and lie on working days or on all days from Options.Begins on.
type slotsDecoder struct {
	table
	clock            *clock
	day, slot, count int
	opens            time.Duration
	weekdays         bool
	last             int64
	begun            bool
	out              [1]Row
}

// callCentre is the column of slots of the recording of a bank's call centre
// (Weinberg, Brown and Stroud, 2007): 169 slots of five minutes from seven on,
// working days only.
const callCentre = "slot_of_169"

func newSlots(in *input, names []string) (decoder, error) {
	d := &slotsDecoder{table: table{in: in, names: names}}
	starts := func(prefix string) int {
		return slices.IndexFunc(names, func(n string) bool { return strings.HasPrefix(lower(n), prefix) })
	}
	d.day, d.slot, d.count = starts("day"), starts("slot"), -1
	if given := in.opt.Columns.Requests; given != "" {
		d.count = slices.Index(names, given)
	} else {
		d.count = slices.IndexFunc(names, func(n string) bool { return slices.Contains(values, lower(n)) })
	}
	if d.day < 0 || d.slot < 0 || d.count < 0 {
		return nil, in.complain(FaultColumn, "name the columns day, slot and requests, or give columns.requests", "format slots has a day, a slot of the day and a count, and the columns are %s", words.Listing(names))
	}
	if lower(names[d.slot]) == callCentre {
		d.opens, d.weekdays = 7*time.Hour, true
		if in.about.Step == 0 {
			in.about.Step = 5 * time.Minute
		}
	}
	if in.opt.Opens != nil {
		d.opens = *in.opt.Opens
	}
	if in.opt.Weekdays != nil {
		d.weekdays = *in.opt.Weekdays
	}
	if in.about.Step == 0 {
		return nil, in.whole(FaultOptions, "give the step of the slots, such as 5m", "slots do not tell how long they are")
	}
	in.about.Dense = true
	in.opt.Tick = time.Second
	d.clock = newClock(in, ticks)
	if zero := in.opt.zero(); d.weekdays && !in.opt.Begins.IsZero() && zero.Weekday() != time.Monday {
		return nil, in.whole(FaultOptions, "give a Monday, such as "+zero.AddDate(0, 0, -(int(zero.Weekday())+6)%7).Format(time.RFC3339), "days are working days from a Monday on, and %s is a %s", zero.Format(time.RFC3339), zero.Weekday())
	}
	return d, nil
}

func (d *slotsDecoder) rows() ([]Row, error) {
	for {
		fields, err := d.next()
		if err != nil {
			return nil, err
		}
		day, err := d.index(d.day, 100_000)
		if err != nil {
			return nil, err
		}
		slot, err := d.index(d.slot, int64(24*time.Hour/d.in.about.Step))
		if err != nil {
			return nil, err
		}
		if d.weekdays {
			day = day/5*7 + day%5
		}
		offset := time.Duration(day)*24*time.Hour + d.opens + time.Duration(slot)*d.in.about.Step
		at, what := d.clock.dated(d.clock.zero+int64(offset), string(fields[d.day]))
		if what != "" {
			return nil, d.in.complain(FaultTime, "give another begin", "%s", what)
		}
		if d.begun && at < d.last {
			return nil, d.in.complain(FaultOrder, "sort the rows by day and slot", "the slot is before that of the row above")
		}
		d.begun, d.last = true, at
		n, gap, err := d.in.value(words.Quote(d.names[d.count]), string(fields[d.count]))
		if err != nil {
			return nil, err
		}
		if !gap {
			d.out[0] = Row{At: at, Name: AnyModel, Requests: n}
			return d.out[:], nil
		}
	}
}

// index reads a day or a slot.
func (d *slotsDecoder) index(column int, limit int64) (int64, error) {
	n, err := strconv.ParseInt(string(d.fields[column]), 10, 64)
	if err != nil || n < 0 || n >= limit {
		return 0, d.in.complain(FaultNumber, "number days and slots from 0", "%s %s is no whole number below %d", words.Quote(d.names[column]), words.Quote(string(d.fields[column])), limit)
	}
	return n, nil
}

func trimmed(line []byte) []byte { return bytes.Trim(bytes.TrimSpace(line), `"`) }
