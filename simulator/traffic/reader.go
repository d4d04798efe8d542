package traffic

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// ReadTrace reads a trace in CSV, gzipped or plain: a header, then rows in time
// order, each with a time, a model, and as the options say requests and work.
// Name is used in errors, and a name that ends in .gz is that of a gzip file.
// What lies in the window and the history of the options is kept; the rest is
// checked all the same. All complaints are of type *TraceError.
func ReadTrace(name string, r io.Reader, opt TraceOptions) (*Trace, error) {
	return readTrace(name, r, opt, defaultLimits)
}

func readTrace(name string, r io.Reader, opt TraceOptions, lim limits) (*Trace, error) {
	// 1. Check what is asked for before anything is read.
	opt, err := opt.check(name)
	if err != nil {
		return nil, err
	}
	in, err := openLines(name, r, lim)
	if err != nil {
		return nil, err
	}
	// 2. The header.
	p := &parser{file: name, opt: opt, limits: lim, lines: in, names: map[string]*traceName{}, series: map[fleet.ModelName]*series{}}
	if err := p.readHeader(); err != nil {
		return nil, err
	}
	// 3. The rows.
	for {
		line, ok, err := in.next()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if err := p.row(line); err != nil {
			return nil, err
		}
	}
	// 4. What only the whole file can tell.
	return p.finish()
}

// parser holds what is known of a trace while it is read.
type parser struct {
	file   string
	opt    TraceOptions
	limits limits
	lines  *lines

	header      header
	fields      [][]byte
	form        string // of the times
	firstTime   string // as written
	lastTime    string
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

func (p *parser) complain(f Fault, fix, format string, args ...any) error {
	return &TraceError{Fault: f, File: p.file, Line: p.lines.number, What: fmt.Sprintf(format, args...), Fix: fix}
}

func (p *parser) readHeader() error {
	const fix = "the first line names the columns, such as time,model,requests,work"
	line, ok, err := p.lines.next()
	if err != nil {
		return err
	}
	if !ok {
		return &TraceError{Fault: FaultEmpty, File: p.file, What: "the file is empty", Fix: fix}
	}
	fields, err := splitFields(bytes.TrimPrefix(line, []byte("\xef\xbb\xbf")), nil)
	if err != nil {
		return p.complain(FaultRagged, fix, "in the header, %v", err)
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = string(f)
	}
	p.header, err = p.opt.locate(p.file, p.lines.number, names)
	return err
}

// row takes one row in.
func (p *parser) row(line []byte) error {
	var err error
	p.fields, err = splitFields(line, p.fields)
	if err != nil {
		return p.complain(FaultRagged, "close the quotes in the same line", "%v", err)
	}
	if have, want := len(p.fields), len(p.header.names); have != want {
		return p.complain(FaultRagged, "give every row the columns "+listing(p.header.names), "the row has %d fields and the header has %d", have, want)
	}
	if p.rows++; p.rows > p.limits.rows {
		return p.complain(FaultSize, "sum the rows in longer bins, or cut the recording to the scenario", "the file has more than %d rows", p.limits.rows)
	}
	at, err := p.time(string(p.fields[p.header.time]))
	if err != nil {
		return err
	}
	requests, work, err := p.amounts()
	if err != nil {
		return err
	}
	name, err := p.name()
	if err != nil {
		return err
	}
	if name.rows > 0 && name.last == at && p.opt.steps() {
		return p.complain(FaultDuplicate, "sum the two rows to one", "this is the second row of model %s at %s", quote(p.nameText()), quote(p.lastTime))
	}
	name.rows++
	name.last = at
	if name.to != nil {
		name.to.add(time.Duration(at-p.opt.Start.UnixNano()), requests, work, p.opt)
	}
	return nil
}

// time reads a row's time and checks it against the rows before.
func (p *parser) time(text string) (int64, error) {
	if p.form == "" {
		form, ok := timeForm(text)
		if !ok {
			return 0, p.complain(FaultTime, timeFix, "time %s is of no known form", quote(text))
		}
		p.form, p.firstTime = form, text
	}
	at, what := parseTime(text, p.form)
	if what != "" {
		return 0, p.complain(FaultTime, timeFix, "%s (the first is %s)", what, quote(p.firstTime))
	}
	if p.rows == 1 {
		p.first = at
	} else if at < p.last {
		return 0, p.complain(FaultOrder, p.sortFix(), "time %s is before %s of the row above", quote(text), quote(p.lastTime))
	}
	if p.opt.steps() && (at-p.first)%int64(p.opt.Step) != 0 {
		gap := time.Duration(at - p.last)
		fix := "give the step that the recording has"
		if gap > 0 && gap < p.opt.Step {
			fix += fmt.Sprintf(", perhaps %v", gap)
		}
		return 0, p.complain(FaultGrid, fix, "time %s is not a whole number of steps of %v after the first row at %s", quote(text), p.opt.Step, quote(p.firstTime))
	}
	p.last, p.lastTime = at, text
	return at, nil
}

// sortFix is a command that sorts the file.
func (p *parser) sortFix() string {
	cat, file := "cat", p.file
	if strings.Trim(strings.ToLower(file), "abcdefghijklmnopqrstuvwxyz0123456789._/-") != "" {
		file = "FILE" // a name that a shell would take apart
	}
	if p.lines.gzip {
		cat = "zcat"
	}
	key := fmt.Sprint(p.header.time + 1)
	if p.form == unixSeconds {
		key += "n"
	}
	return fmt.Sprintf("sort the rows by time: (%s %s | head -n 1; %s %s | tail -n +2 | LC_ALL=C sort -s -t, -k%s,%d) > sorted.csv", cat, file, cat, file, key, p.header.time+1)
}

// amounts reads a row's requests and work.
func (p *parser) amounts() (requests int64, work float64, err error) {
	requests = 1
	if i := p.header.requests; i >= 0 {
		n, what := parseCount(string(p.fields[i]))
		if what != "" {
			return 0, 0, p.complain(FaultNumber, "give the number of requests of the row, a whole number; multiply a rate by the seconds of the step", "%s %s", p.header.names[i], what)
		}
		if !p.opt.steps() && n != 1 {
			return 0, 0, p.complain(FaultNumber, "give the step of the bins, such as 1m", "without a step every row is one request, but %s is %d", p.header.names[i], n)
		}
		requests = n
	}
	if i := p.header.work; i >= 0 {
		x, what := parseAmount(string(p.fields[i]), maxWork)
		if what != "" {
			return 0, 0, p.complain(FaultNumber, "give the work of all requests of the row together", "%s %s", p.header.names[i], what)
		}
		if requests == 0 && x > 0 {
			return 0, 0, p.complain(FaultNumber, "count work where its requests arrived, or leave the column of work out", "%s is %s in a row without requests", p.header.names[i], number(x))
		}
		work = x
	}
	return requests, work, nil
}

// nameText is the trace's name of the row's model.
func (p *parser) nameText() string {
	if p.header.model < 0 {
		return AnyModel
	}
	return string(p.fields[p.header.model])
}

// name finds the row's name, a new one if need be.
func (p *parser) name() (*traceName, error) {
	if i := p.header.model; i >= 0 {
		if n, ok := p.names[string(p.fields[i])]; ok { // no copy is made for the look-up
			return n, nil
		}
	} else if n, ok := p.names[AnyModel]; ok {
		return n, nil
	}
	text := p.nameText()
	if text == "" && len(p.opt.Models) == 0 {
		return nil, p.complain(FaultModel, "name a model in every row, or map the names that count", "the model is empty")
	}
	if len(p.names) >= p.limits.names {
		return nil, p.complain(FaultSize, "check that the column of the model is the right one", "there are more than %d names of models", p.limits.names)
	}
	n := &traceName{}
	p.names[text] = n
	model, ok := p.opt.Models[text]
	if !ok {
		model, ok = p.opt.Models[AnyModel]
	}
	if len(p.opt.Models) == 0 {
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
