package recording

import (
	"errors"
	"io"

	"github.com/tessera-autoscaler/tessera/simulator/internal/words"
)

// Row is one row of a recording: a bin of requests, or one request where the
// recording has no step.
type Row struct {
	At       int64   // nanoseconds since 1970; of a bin, where it begins
	Name     string  // the recording's name of the model; AnyModel where it has none
	Client   string  // who asked, where the recording tells clients apart
	Requests float64 // whole, unless it comes from a rate
	Work     float64 // of all of them; zero where About.Sized is false
	CV       float64 // coefficient of variation of the times between them; 0 where unknown
}

// decoder reads the rows of one line, or of a few.
type decoder interface {
	// rows are valid until the next call; io.EOF comes without rows.
	rows() ([]Row, error)
}

// Reader yields the rows of a recording in time order. Of one time, rows come in
// the order of the file. It is not safe for concurrent use.
type Reader struct {
	in      *input
	decode  decoder
	pending []Row
	count   int
	seen    map[key]int64 // time of the last row
	err     error
}

// key is whose rows they are.
type key struct{ name, client string }

// Open begins to read a recording. The name is used in complaints, and one that
// ends in .gz is that of a gzip file; a Parquet file that is no io.ReaderAt is
// read into memory. All complaints about the file are of type *Error.
func Open(name string, r io.Reader, opt Options) (*Reader, error) {
	if err := opt.check(name); err != nil {
		return nil, err
	}
	in, err := openInput(name, r, opt)
	if err != nil {
		return nil, err
	}
	decode, err := newDecoder(in)
	if err != nil {
		return nil, err
	}
	return &Reader{in: in, decode: decode, seen: map[key]int64{}}, nil
}

// About tells what the recording is. It is settled once Open has returned.
func (r *Reader) About() About { return r.in.about }

// Line is the line that was read last, from 1; in Parquet it is the row.
func (r *Reader) Line() int {
	if r.in.lines != nil {
		return r.in.lines.number
	}
	return r.in.line
}

// Gzipped tells whether the file was compressed as a whole.
func (r *Reader) Gzipped() bool { return r.in.lines != nil && r.in.lines.gzip }

// Next returns the next row, and io.EOF after the last. A recording without rows
// is a complaint. After an error every call returns it.
func (r *Reader) Next() (Row, error) {
	for len(r.pending) == 0 && r.err == nil {
		r.pending, r.err = r.decode.rows()
		if errors.Is(r.err, io.EOF) && r.count == 0 {
			r.err = r.in.whole(FaultEmpty, "give at least one row", "the file has a header and no rows")
		}
	}
	if len(r.pending) == 0 {
		return Row{}, r.err
	}
	row := r.pending[0]
	r.pending = r.pending[1:]
	if err := r.check(row); err != nil {
		r.pending, r.err = nil, err
		return Row{}, err
	}
	return row, nil
}

// check is what holds for rows of all formats.
func (r *Reader) check(row Row) error {
	if r.count++; r.count > r.in.limits.Rows {
		return r.in.complain(FaultSize, "sum the rows in longer bins, or cut the recording to the scenario", "the file has more than %d rows", r.in.limits.Rows)
	}
	k := key{row.Name, row.Client}
	last, known := r.seen[k]
	switch {
	case !known && len(r.seen) >= r.in.limits.Names:
		return r.in.complain(FaultSize, "check that the column of the model is the right one", "there are more than %d names of models", r.in.limits.Names)
	case known && r.in.about.Step > 0 && last == row.At:
		return r.in.complain(FaultDuplicate, "sum the two rows to one", "this is the second row of model %s at %s", words.Quote(row.Name), stamp(row.At))
	}
	r.seen[k] = row.At
	return nil
}
