package recording

import (
	"bufio"
	"fmt"
	"io"
	"time"
)

// input is a file while it is read.
type input struct {
	file         string
	opt          Options
	limits       Limits
	lines        *lines
	line         int // where there are no lines: of the row
	about        About
	milliseconds bool // times may be milliseconds since 1970
	raw          io.Reader
}

// About tells what a recording is.
type About struct {
	Format string
	Step   time.Duration // of the bins; zero: each row is a request
	Sized  bool          // rows carry work
	Dense  bool          // a bin without a row was not recorded; else it had no requests
	Dated  bool          // times are dates; else they count from Options.Begins
	Bursty bool          // rows may carry a CV
}

// complain makes an error at the line that was read last.
func (in *input) complain(f Fault, fix, format string, args ...any) error {
	line := in.line
	if in.lines != nil {
		line = in.lines.number
	}
	return &Error{Fault: f, File: in.file, Line: line, What: fmt.Sprintf(format, args...), Fix: fix}
}

// whole makes an error that is not in one line.
func (in *input) whole(f Fault, fix, format string, args ...any) error {
	return &Error{Fault: f, File: in.file, What: fmt.Sprintf(format, args...), Fix: fix}
}

// openInput looks at the first bytes: a Parquet file is read as a whole, all
// others line by line.
func openInput(file string, r io.Reader, opt Options) (*input, error) {
	in := &input{file: file, opt: opt, limits: opt.limits(), about: About{Step: opt.Step}}
	head := bufio.NewReader(r)
	if magic, _ := head.Peek(4); string(magic) == "PAR1" || opt.Format == Parquet {
		in.raw = r
		if _, ok := r.(io.ReaderAt); !ok {
			in.raw = head
		}
		return in, nil
	}
	var err error
	in.lines, err = openLines(file, head, in.limits)
	return in, err
}

// amount reads a column of work or tokens.
func (in *input) amount(name, text string) (float64, error) {
	x, what := parseAmount(text, maxWork)
	if what != "" {
		return 0, in.complain(FaultNumber, "give the sum over all requests of the row", "%s %s", name, what)
	}
	return x, nil
}

// value reads what a bin counts, a rate or a number of requests, as requests. An
// empty text is a gap.
func (in *input) value(name, text string) (requests float64, gap bool, err error) {
	if text == "" {
		return 0, true, nil
	}
	x, what := parseAmount(text, maxCount*1e6)
	if what != "" {
		return 0, false, in.complain(FaultNumber, "give plain numbers, zero or more, and nothing where nothing was recorded", "%s %s", name, what)
	}
	return in.requests(x), false, nil
}

// requests turns a value into requests of the bin.
func (in *input) requests(x float64) float64 {
	if in.opt.Unit == Rates {
		x *= in.about.Step.Seconds()
	}
	return x
}
