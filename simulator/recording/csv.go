package recording

import (
	"bytes"
	"errors"

	"github.com/tessera-autoscaler/tessera/simulator/internal/words"
)

// csvDecoder reads our CSV: a header, then rows with a time, a model, and as the
// options say requests, work or tokens.
type csvDecoder struct {
	table
	clock                                      *clock
	time, model, requests, work, input, output int
	intern                                     map[string]string
	out                                        [1]Row
}

func newCSV(in *input, names []string) (decoder, error) {
	d := &csvDecoder{table: table{in: in, names: names}, intern: map[string]string{}}
	var first error
	find := func(given, customary, role string, needed bool) int {
		at, err := d.find(given, customary, role, needed)
		if first == nil {
			first = err
		}
		return at
	}
	c := in.opt.Columns
	d.time = find(c.Time, "time", "time", true)
	d.model = find(c.Model, "model", "model", !in.opt.OneModel)
	d.requests = find(c.Requests, "requests", "requests", in.about.Step > 0)
	d.work = find(c.Work, "work", "work", false)
	d.input, d.output = find(c.Input, "input", "input", false), find(c.Output, "output", "output", false)
	if first != nil {
		return nil, first
	}
	if in.opt.Unit == Rates && in.about.Step == 0 {
		return nil, in.complain(FaultOptions, "give the step of the bins, such as 1m", "a rate is of bins, and no step is given")
	}
	in.about.Sized = d.work >= 0
	if in.opt.Work != nil {
		if d.input < 0 && d.output < 0 {
			return nil, in.complain(FaultColumn, "name them under columns as input and output", "work is to be made of tokens, and there is no column of them; the columns are %s", words.Listing(names))
		}
		in.about.Sized, d.work = true, -1
	}
	d.clock = newClock(in, "")
	return d, d.look()
}

// look tells by the first row whether times are dates. What is wrong with the row
// is told when it is read.
func (d *csvDecoder) look() error {
	line, ok, err := d.in.lines.filled()
	if err != nil || !ok {
		return err
	}
	d.in.lines.back(line)
	if fields, err := splitFields(bytes.Clone(line), nil); err == nil && d.time < len(fields) && d.clock.recognise(string(fields[d.time])) == nil {
		d.in.about.Dated = d.clock.form != ticks
	}
	return nil
}

func (d *csvDecoder) rows() ([]Row, error) {
	fields, err := d.next()
	if err != nil {
		return nil, err
	}
	text := string(fields[d.time])
	at, err := d.clock.next(text)
	if err != nil {
		if e, ok := errors.AsType[*Error](err); ok && e.Fault == FaultOrder {
			e.Fix = "sort the rows by time: " + d.sorting(d.time, d.clock.form == unixSeconds || d.clock.form == ticks)
		}
		return nil, err
	}
	row := Row{At: at, Name: AnyModel, Requests: 1}
	if err := d.amounts(&row); err != nil {
		return nil, err
	}
	if d.model >= 0 {
		row.Name = d.name(fields[d.model])
	}
	d.out[0] = row
	return d.out[:], nil
}

// name copies a name once.
func (d *csvDecoder) name(text []byte) string {
	if n, ok := d.intern[string(text)]; ok {
		return n
	}
	n := string(text)
	if len(d.intern) <= d.in.limits.Names {
		d.intern[n] = n
	}
	return n
}

// amounts reads a row's requests and work.
func (d *csvDecoder) amounts(row *Row) (err error) {
	if i := d.requests; i >= 0 {
		if row.Requests, err = d.amountOfRequests(string(d.fields[i])); err != nil {
			return err
		}
	}
	if i := d.work; i >= 0 {
		if row.Work, err = d.in.amount(d.names[i], string(d.fields[i])); err != nil {
			return err
		}
	}
	if d.in.opt.Work != nil {
		var tokens [2]float64
		for n, i := range []int{d.input, d.output} {
			if i < 0 {
				continue
			}
			if tokens[n], err = d.in.amount(d.names[i], string(d.fields[i])); err != nil {
				return err
			}
		}
		row.Work = d.in.opt.Work.of(tokens[0], tokens[1])
	}
	if row.Requests == 0 && row.Work > 0 {
		return d.in.complain(FaultNumber, "count work where its requests arrived, or leave the column of work out", "work is %s in a row without requests", words.Number(row.Work))
	}
	return nil
}

func (d *csvDecoder) amountOfRequests(text string) (float64, error) {
	name := d.names[d.requests]
	if d.in.opt.Unit == Rates {
		x, gap, err := d.in.value(name, text)
		if gap {
			err = d.in.complain(FaultNumber, "leave out rows of which nothing was recorded", "%s is empty", name)
		}
		return x, err
	}
	n, what := parseCount(text)
	if what != "" {
		return 0, d.in.complain(FaultNumber, "give the number of requests of the row, a whole number; multiply a rate by the seconds of the step, or say that the unit is rate", "%s %s", name, what)
	}
	if d.in.about.Step == 0 && n != 1 {
		return 0, d.in.complain(FaultNumber, "give the step of the bins, such as 1m", "without a step every row is one request, but %s is %d", name, n)
	}
	return float64(n), nil
}
