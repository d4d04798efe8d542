package series

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// Header are the columns of a file, in this order.
var Header = []string{"series", "time", "value"}

const (
	// mostValue is the largest number that is believed to be measured: squares and
	// sums of it stay far below the overflow of a float64.
	mostValue = 1e15
	// mostBins bounds the memory that a file can ask for: a gigabyte.
	mostBins = 1 << 27
)

// Options say how a file is read.
type Options struct {
	Step  time.Duration // length of a bin, in whole seconds
	Rates bool          // values are rates: none is negative
	most  int           // bins of a file; 0: mostBins
}

// Read reads every series of a file, in the order of their first rows. The name
// stands for the file in errors, which are of type [*Error]. It takes 8 bytes a bin.
func Read(name string, file io.Reader, o Options) ([]Series, error) {
	if o.Step < time.Second || o.Step%time.Second != 0 {
		return nil, fmt.Errorf("step = %v, must be whole seconds", o.Step)
	}
	plain, err := unzipped(file)
	if err != nil {
		return nil, &Error{File: name, What: "it cannot be read: " + err.Error(), Err: err}
	}
	if o.most == 0 {
		o.most = mostBins
	}
	r := &reader{name: name, options: o, rows: csv.NewReader(plain), known: map[string]*builder{}}
	r.rows.FieldsPerRecord, r.rows.ReuseRecord = -1, true
	if err := r.header(); err != nil {
		return nil, err
	}
	for {
		row, err := r.rows.Read()
		if errors.Is(err, io.EOF) {
			return r.finish()
		}
		if err == nil {
			err = r.row(row)
		}
		if err != nil {
			return nil, r.explain(err)
		}
	}
}

// unzipped looks at the first bytes: a name may lie. It drops a byte order mark.
func unzipped(file io.Reader) (io.Reader, error) {
	plain := bufio.NewReaderSize(file, 1<<16)
	if magic, _ := plain.Peek(2); len(magic) == 2 && magic[0] == 0x1f && magic[1] == 0x8b {
		zipped, err := gzip.NewReader(plain)
		if err != nil {
			return nil, err
		}
		plain = bufio.NewReaderSize(zipped, 1<<16)
	}
	if mark, _ := plain.Peek(3); string(mark) == "\ufeff" {
		_, _ = plain.Discard(len(mark)) // it was peeked at
	}
	return plain, nil
}

// reader is a file under way.
type reader struct {
	name    string
	options Options
	rows    *csv.Reader
	known   map[string]*builder
	order   []*builder
	latest  *builder
	clock   *Clock // of the first row
	bins    int
}

func (r *reader) header() error {
	row, err := r.rows.Read()
	if errors.Is(err, io.EOF) {
		return &Error{File: r.name, Line: 1, Column: 1, What: "the file is empty: its first line must be " + strings.Join(Header, ",")}
	}
	if err != nil {
		return r.explain(err)
	}
	for i, want := range Header {
		if i >= len(row) || strings.TrimSpace(row[i]) != want {
			return r.at(min(i, len(row)-1), "the first line is %q: it must be %s", strings.Join(row, ","), strings.Join(Header, ","))
		}
	}
	if len(row) > len(Header) {
		return r.at(len(Header), "column %q is one too many: the first line must be %s", row[len(Header)], strings.Join(Header, ","))
	}
	return nil
}

// row takes one row.
func (r *reader) row(row []string) error {
	if len(row) != len(Header) {
		return r.at(0, "%d fields: a row has %d, %s", len(row), len(Header), strings.Join(Header, ","))
	}
	if row[0] == "" {
		return r.at(0, "the series has no name: give every series one, the same on all its rows")
	}
	at, clock, err := parseTime(row[1])
	if err != nil {
		return r.at(1, "%v", err)
	}
	if r.clock == nil {
		r.clock = &clock
	}
	if clock.seconds != r.clock.seconds {
		return r.at(1, "time %s: the rows before write times in another form; use RFC 3339 or integer seconds throughout", row[1])
	}
	value, err := r.value(row[2])
	if err != nil {
		return err
	}
	b := r.builder(row[0], at, clock)
	grown, wrong := b.add(at, value, r.line(), r.options.most-r.bins)
	if wrong != "" {
		return r.at(1, "%s", wrong)
	}
	r.bins += grown
	return nil
}

// value reads a number, or NaN for a gap.
func (r *reader) value(text string) (float64, error) {
	if text = strings.TrimSpace(text); text == "" {
		return math.NaN(), nil
	}
	v, err := strconv.ParseFloat(text, 64)
	switch {
	case math.IsNaN(v) && err == nil:
		return v, r.at(2, "value %s: leave it empty where nothing is known, which makes it a gap", text)
	case err != nil && !errors.Is(err, strconv.ErrRange):
		return v, r.at(2, "value %q is no number: write it with a point, without a unit, or leave it empty for a gap", text)
	case math.Abs(v) > mostValue:
		return v, r.at(2, "value %s is beyond %g: leave it empty if it was not measured, or use a larger unit", text, float64(mostValue))
	case r.options.Rates && v < 0:
		return v, r.at(2, "value %s is negative, and a rate cannot be: leave it empty for a gap", text)
	}
	return v, nil
}

func (r *reader) builder(name string, at time.Time, clock Clock) *builder {
	if r.latest != nil && r.latest.Name == name {
		return r.latest
	}
	b := r.known[name]
	if b == nil {
		b = &builder{Series: Series{Name: strings.Clone(name), Start: at, Step: r.options.Step, Clock: clock}}
		r.known[b.Name] = b
		r.order = append(r.order, b)
	}
	r.latest = b
	return b
}

// finish checks what only the end of a file can tell.
func (r *reader) finish() ([]Series, error) {
	if len(r.order) == 0 {
		return nil, &Error{File: r.name, Line: 1, What: "there is no row below the first line: give at least one series"}
	}
	out := make([]Series, len(r.order))
	for i, b := range r.order {
		if what := b.finish(); what != "" {
			return nil, &Error{File: r.name, Line: b.firstLine, What: what}
		}
		out[i] = b.Series
	}
	return out, nil
}

func (r *reader) line() int {
	line, _ := r.rows.FieldPos(0)
	return line
}

// at makes an error about a field of the row that was read.
func (r *reader) at(field int, format string, args ...any) error {
	line, column := r.rows.FieldPos(field)
	return &Error{File: r.name, Line: line, Column: column, What: fmt.Sprintf(format, args...)}
}

// explain says what a CSV reader or a reader of files complains of in the words of
// this package.
func (r *reader) explain(err error) error {
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	if wrong, ok := errors.AsType[*csv.ParseError](err); ok {
		return &Error{File: r.name, Line: wrong.Line, Column: wrong.Column, What: "it is no CSV: " + wrong.Err.Error(), Err: err}
	}
	return &Error{File: r.name, What: "it cannot be read to its end: " + err.Error(), Err: err}
}
