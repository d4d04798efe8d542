package recording

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/tessera-autoscaler/tessera/simulator/internal/words"
)

// maxParquet bounds a Parquet file, which is read at will and so lies in memory
// where it comes as a stream.
const maxParquet = 1 << 30

// parquetDecoder reads our columns from a Parquet file: the time as a timestamp, as
// whole seconds since 1970 or as text, the others as they are. Lines of complaints
// are rows, from 1.
type parquetDecoder struct {
	in     *input
	clock  *clock
	names  []string
	unit   time.Duration // of times that are numbers; zero: text or seconds
	at     [6]int        // time, model, requests, work, input, output; -1 where there is none
	groups []parquet.RowGroup
	open   parquet.Rows
	buffer [64]parquet.Row
	ready  []parquet.Row
	out    [1]Row
}

// guarded turns a panic of the library, which trusts what a file says of itself,
// into a complaint.
func guarded[T any](in *input, call func() (T, error)) (out T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
		if _, ours := errors.AsType[*Error](err); err != nil && !ours && !errors.Is(err, io.EOF) {
			err = &Error{Fault: FaultBroken, File: in.file, Line: in.line, What: "the file is no whole Parquet file", Err: err, Fix: "nothing of it was used; copy it again"}
		}
	}()
	return call()
}

func newParquet(in *input) (decoder, error) {
	in.about.Format = Parquet
	return guarded(in, func() (decoder, error) {
		file, err := openParquet(in)
		if err != nil {
			return nil, err
		}
		d := &parquetDecoder{in: in, groups: file.RowGroups(), clock: newClock(in, "")}
		return d, d.locate(file)
	})
}

// openParquet reads the footer and refuses what is too large.
func openParquet(in *input) (*parquet.File, error) {
	at, size, err := random(in)
	if err != nil {
		return nil, err
	}
	file, err := parquet.OpenFile(at, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, err
	}
	unpacked := int64(0)
	for _, g := range file.Metadata().RowGroups {
		for _, c := range g.Columns {
			unpacked += max(c.MetaData.TotalUncompressedSize, 0)
		}
	}
	switch lim := in.limits; {
	case file.NumRows() > int64(lim.Rows):
		return nil, in.whole(FaultSize, "sum the rows in longer bins, or cut the recording to the scenario", "the file has more than %d rows", lim.Rows)
	case unpacked > lim.Bytes:
		return nil, in.whole(FaultSize, "split the recording, or sum its rows in longer bins", "the file unpacks to more than %d bytes", lim.Bytes)
	case unpacked > lim.RatioFloor && unpacked/lim.Ratio > size:
		return nil, in.whole(FaultSize, "write it anew if you trust it", "the file unpacks to more than %d times its size", lim.Ratio)
	}
	return file, nil
}

// random gives access to any part of the file.
func random(in *input) (io.ReaderAt, int64, error) {
	type seeker interface {
		io.ReaderAt
		io.Seeker
	}
	if f, ok := in.raw.(seeker); ok {
		size, err := f.Seek(0, io.SeekEnd)
		return f, size, err
	}
	limit := min(in.limits.Bytes, maxParquet)
	data, err := io.ReadAll(io.LimitReader(in.raw, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = in.whole(FaultSize, "give it as a plain file", "the file is longer than %d bytes and cannot be read in parts", limit)
	}
	return strings.NewReader(string(data)), int64(len(data)), err
}

// locate finds the columns, which must be flat.
func (d *parquetDecoder) locate(file *parquet.File) error {
	t := table{in: d.in}
	kinds := map[string]parquet.Node{}
	for _, f := range file.Schema().Fields() {
		if !f.Leaf() || f.Repeated() {
			return d.in.whole(FaultColumn, "write flat columns", "column %s holds more than one value a row", words.Quote(f.Name()))
		}
		t.names = append(t.names, f.Name())
		kinds[f.Name()] = f
	}
	d.names = t.names
	c := d.in.opt.Columns
	for i, w := range []struct {
		given, customary string
		needed           bool
	}{
		{c.Time, "time", true},
		{c.Model, "model", !d.in.opt.OneModel},
		{c.Requests, "requests", d.in.about.Step > 0},
		{c.Work, "work", false},
		{c.Input, "input", false},
		{c.Output, "output", false},
	} {
		var err error
		if d.at[i], err = t.find(w.given, w.customary, w.customary, w.needed); err != nil {
			return err
		}
	}
	d.in.about.Sized, d.in.about.Dated = d.at[3] >= 0, true
	if d.in.opt.Work != nil {
		if d.at[4] < 0 && d.at[5] < 0 {
			return d.in.whole(FaultColumn, "name them under columns as input and output", "work is to be made of tokens, and there is no column of them; the columns are %s", words.Listing(d.names))
		}
		d.in.about.Sized = true
	}
	if kind := kinds[d.names[d.at[0]]].Type().LogicalType(); kind != nil {
		if stamp, ok := kind.Value.(*format.TimestampType); ok && stamp.Unit.Value != nil {
			d.unit = stamp.Unit.Value.Duration()
		}
	}
	return nil
}

func (d *parquetDecoder) rows() ([]Row, error) {
	return guarded(d.in, func() ([]Row, error) {
		for len(d.ready) == 0 {
			if err := d.fill(); err != nil {
				return nil, err
			}
		}
		d.in.line++
		row := d.ready[0]
		d.ready = d.ready[1:]
		var err error
		d.out[0], err = d.row(row)
		return d.out[:], err
	})
}

// fill reads the next rows; io.EOF ends them.
func (d *parquetDecoder) fill() error {
	if d.open == nil {
		if len(d.groups) == 0 {
			return io.EOF
		}
		d.open, d.groups = d.groups[0].Rows(), d.groups[1:]
	}
	n, err := d.open.ReadRows(d.buffer[:])
	d.ready = d.buffer[:n]
	if errors.Is(err, io.EOF) {
		err = d.open.Close()
		d.open = nil
	}
	return err
}

// row takes one row apart.
func (d *parquetDecoder) row(values parquet.Row) (Row, error) {
	cell := func(role int) parquet.Value {
		if d.at[role] >= 0 {
			for _, v := range values {
				if v.Column() == d.at[role] {
					return v
				}
			}
		}
		return parquet.Value{}
	}
	at, err := d.time(cell(0))
	if err != nil {
		return Row{}, err
	}
	row := Row{At: at, Name: AnyModel, Requests: 1}
	if d.at[1] >= 0 {
		row.Name = string(cell(1).ByteArray())
	}
	var numbers [6]float64
	for role := 2; role < 6; role++ {
		if d.at[role] < 0 {
			continue
		}
		if numbers[role], err = d.number(role, cell(role)); err != nil {
			return Row{}, err
		}
	}
	if d.at[2] >= 0 {
		row.Requests = d.in.requests(numbers[2])
	}
	row.Work = numbers[3]
	if d.in.opt.Work != nil {
		row.Work = d.in.opt.Work.of(numbers[4], numbers[5])
	}
	return row, d.sound(row, numbers[2])
}

// sound checks what hangs together in a row.
func (d *parquetDecoder) sound(row Row, requests float64) error {
	switch {
	case d.in.about.Step == 0 && row.Requests != 1:
		return d.in.complain(FaultNumber, "give the step of the bins, such as 1m", "without a step every row is one request, but %s is %v", d.names[d.at[2]], requests)
	case d.in.opt.Unit != Rates && row.Requests != float64(int64(row.Requests)):
		return d.in.complain(FaultNumber, "give the number of requests of the row, or say that the unit is rate", "%s %v is not a whole number", d.names[d.at[2]], requests)
	case row.Requests == 0 && row.Work > 0:
		return d.in.complain(FaultNumber, "count work where its requests arrived, or leave the column of work out", "work is %s in a row without requests", words.Number(row.Work))
	}
	return nil
}

func (d *parquetDecoder) time(v parquet.Value) (int64, error) {
	text := v.String()
	if v.IsNull() {
		return 0, d.in.complain(FaultTime, "give every row a time", "the time is missing")
	}
	if d.unit > 0 {
		n := v.Int64()
		if limit := int64(1<<63-1) / int64(d.unit); n < 0 || n > limit {
			return 0, d.in.complain(FaultTime, timeFix, "time %s lies outside the years 1970 to 2199", words.Quote(text))
		}
		text = stamp(n * int64(d.unit))
	}
	return d.clock.next(text)
}

func (d *parquetDecoder) number(role int, v parquet.Value) (float64, error) {
	limit := maxWork
	if role == 2 {
		limit = maxCount
	}
	text := v.String()
	if v.IsNull() {
		text = ""
	}
	x, what := parseAmount(text, limit)
	if what != "" {
		return 0, d.in.complain(FaultNumber, "give a number, zero or more, in every row", "%s %s", d.names[d.at[role]], what)
	}
	return x, nil
}
