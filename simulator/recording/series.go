package recording

import (
	"errors"
	"io"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/simulator/internal/words"
)

// seriesDecoder reads one column of times and one or more of values, each the
// traffic of a model; a single one of a customary name is of AnyModel. An empty
// value is a gap.
type seriesDecoder struct {
	table
	clock  *clock
	time   int
	models map[int]string // by column
	order  []int          // of the columns of values
	early  [][]Row        // of the first rows, which tell the step
	ended  error
}

// values are customary names of a single column of values.
var values = []string{"value", "values", "requests", "rate", "rate_rps", "count", "calls", "qps", "rps"}

func newSeries(in *input, names []string) (*seriesDecoder, error) {
	d := &seriesDecoder{table: table{in: in, names: names}, models: map[int]string{}}
	in.about.Dense = true
	in.milliseconds = true
	var err error
	if in.opt.Columns.Time != "" {
		d.time, err = d.find(in.opt.Columns.Time, "", "time", true)
	} else if d.time = slices.IndexFunc(names, isTime); d.time < 0 {
		err = d.missing("timestamp", "time")
	}
	if err != nil {
		return d, err
	}
	if in.opt.Tick == 0 {
		in.opt.Tick = map[string]time.Duration{"minute": time.Minute, "hour": time.Hour}[lower(names[d.time])]
	}
	if err := d.columns(); err != nil {
		return d, err
	}
	d.clock = newClock(in, "")
	return d, d.begin()
}

// columns settles whose values each column holds.
func (d *seriesDecoder) columns() error {
	if one := d.in.opt.Columns.Requests; one != "" {
		at, err := d.find(one, "", "requests", true)
		if err != nil {
			return err
		}
		d.order, d.models[at] = []int{at}, AnyModel
		return nil
	}
	taken := map[string]bool{}
	for i, name := range d.names {
		if i == d.time {
			continue
		}
		if name == "" || taken[name] {
			return d.in.complain(FaultColumn, "give every column a name of its own", "column %d is named %s", i+1, words.Quote(name))
		}
		taken[name] = true
		d.order, d.models[i] = append(d.order, i), name
	}
	if len(d.order) == 0 {
		return d.in.complain(FaultColumn, "give at least one column of values", "there is a column of times and nothing else")
	}
	if len(d.order) == 1 && slices.Contains(values, lower(d.names[d.order[0]])) {
		d.models[d.order[0]] = AnyModel
	}
	return nil
}

func (d *seriesDecoder) rows() ([]Row, error) {
	for len(d.early) > 0 {
		rows := d.early[0]
		if d.early = d.early[1:]; len(rows) > 0 {
			return rows, nil
		}
	}
	if d.ended != nil {
		return nil, d.ended
	}
	return d.line()
}

// begin finds out the step: it is the distance of the first two times.
func (d *seriesDecoder) begin() error {
	if d.in.about.Step > 0 {
		return nil
	}
	// The first two lines are read before the step is known; rates become requests
	// afterwards.
	unit := d.in.opt.Unit
	d.in.opt.Unit = ""
	for len(d.early) < 2 {
		rows, err := d.line()
		if errors.Is(err, io.EOF) {
			d.ended = err
			break
		}
		if err != nil {
			return err
		}
		d.early = append(d.early, rows)
	}
	d.in.opt.Unit = unit
	step := time.Duration(d.clock.last - d.clock.first)
	if len(d.early) < 2 || step <= 0 || step > maxStep {
		return d.in.complain(FaultGrid, "give the step of the bins, such as 1m", "the first two rows do not tell the step")
	}
	d.in.about.Step = step
	for _, rows := range d.early {
		for i := range rows {
			rows[i].Requests = d.in.requests(rows[i].Requests)
		}
	}
	return nil
}

// line reads the rows of a line, as many as it has values.
func (d *seriesDecoder) line() ([]Row, error) {
	for {
		fields, err := d.next()
		if errors.Is(err, io.EOF) {
			if coarse := d.clock.coarse(); coarse != nil {
				return nil, coarse
			}
		}
		if err != nil {
			return nil, err
		}
		at, err := d.clock.next(string(fields[d.time]))
		if err != nil {
			return nil, err
		}
		d.in.about.Dated = d.clock.form != ticks
		out := make([]Row, 0, len(d.order))
		for _, i := range d.order {
			n, gap, err := d.in.value(words.Quote(d.names[i]), string(fields[i]))
			if err != nil {
				return nil, err
			}
			if !gap {
				out = append(out, Row{At: at, Name: d.models[i], Requests: n})
			}
		}
		if len(out) > 0 || d.in.about.Step == 0 {
			return out, nil
		}
	}
}
