package traffic

import (
	"errors"
	"io"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/internal/words"
	"github.com/tessera-autoscaler/tessera/simulator/recording"
)

// ReadTrace reads a recording in any format of package recording. Name is used in
// errors, and a name that ends in .gz is that of a gzip file. What lies in the
// window and the history of the options is kept; the rest is checked all the same.
// All complaints are of type *recording.Error.
func ReadTrace(name string, r io.Reader, opt TraceOptions) (*Trace, error) {
	return readTrace(name, r, opt, recording.DefaultLimits)
}

func readTrace(name string, r io.Reader, opt TraceOptions, lim recording.Limits) (*Trace, error) {
	// 1. Check what is asked for before anything is read.
	opt, err := opt.check(name)
	if err != nil {
		return nil, err
	}
	reading := opt.reading()
	reading.Limits = &lim
	in, err := recording.Open(name, r, reading)
	if err != nil {
		return nil, err
	}
	if what, fix := opt.checkRead(in.About()); what != "" {
		return nil, &recording.Error{Fault: recording.FaultOptions, File: name, What: what, Fix: fix}
	}
	// 2. The rows.
	p := &parser{file: name, in: in, opt: opt, names: map[string]*traceName{}, series: map[fleet.ModelName]*series{}}
	for {
		row, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		p.about = in.About() // series tell their step with the first row
		if err := p.row(row); err != nil {
			return nil, err
		}
	}
	// 3. What only the whole file can tell.
	return p.finish()
}

// parser holds what is known of a trace while it is read.
type parser struct {
	file        string
	in          *recording.Reader
	opt         TraceOptions
	about       recording.About
	rows        int
	first, last int64 // nanoseconds since 1970
	names       map[string]*traceName
	series      map[fleet.ModelName]*series
}

// traceName is what is known of one name of the trace.
type traceName struct {
	to   *series // nil: ignored
	rows int
	last int64 // time of its last row
}

// row takes one row in.
func (p *parser) row(row recording.Row) error {
	if p.rows == 0 {
		p.first = row.At
	}
	p.rows++
	p.last = row.At
	name, err := p.name(row.Name)
	if err != nil {
		return err
	}
	if name.to != nil {
		at := time.Duration(row.At - p.opt.Start.UnixNano())
		if p.about.Dense && name.rows > 0 {
			name.to.gap(time.Duration(name.last-p.opt.Start.UnixNano())+p.about.Step, at, row, p)
		}
		if row.Client != "" {
			row.Client = row.Name + "/" + row.Client
		}
		name.to.stream(row.Client).add(at, row, name.to, p)
	}
	name.rows++
	name.last = row.At
	return nil
}

// name finds the row's name, a new one if need be.
func (p *parser) name(text string) (*traceName, error) {
	if n, ok := p.names[text]; ok {
		return n, nil
	}
	if text == "" && len(p.opt.Models) == 0 {
		return nil, &recording.Error{
			Fault: recording.FaultModel, File: p.file, Line: p.in.Line(), What: "the model is empty",
			Fix: "name a model in every row, or map the names that count",
		}
	}
	n := &traceName{}
	p.names[text] = n
	model, ok := p.opt.Models[text]
	if !ok {
		model, ok = p.opt.Models[AnyModel]
	}
	if len(p.opt.Models) == 0 {
		if text == AnyModel {
			return nil, &recording.Error{
				Fault: recording.FaultModel, File: p.file, What: "the recording names no model",
				Fix: "say which model receives its requests: models: {" + words.Quote(AnyModel) + ": NAME}",
			}
		}
		model, ok = fleet.ModelName(text), true
	}
	if ok {
		if p.series[model] == nil {
			p.series[model] = &series{}
		}
		n.to = p.series[model]
	}
	return n, nil
}
