package traffic

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
)

// limits bound what a file may make us read and keep.
type limits struct {
	line       int   // bytes of one line
	bytes      int64 // of the whole file, decompressed
	ratio      int64 // decompressed over compressed bytes
	ratioFloor int64 // decompressed bytes below which the ratio is not looked at
	rows       int
	names      int // distinct names of models
}

// defaultLimits hold for every trace. A recording compresses ten- to fiftyfold;
// deflate can reach a thousandfold.
var defaultLimits = limits{
	line: 1 << 20, bytes: 8 << 30, ratio: 200, ratioFloor: 64 << 20, rows: 50_000_000, names: 100_000,
}

var (
	errTooLarge = errors.New("the decompressed file is too large")
	errRatio    = errors.New("the file unpacks to far more than it is")
)

// lines reads a plain or gzipped text line by line, in bounded memory.
type lines struct {
	file   string
	limits limits
	reader *bufio.Reader
	gzip   bool
	number int // of the line that next returned last
}

// openLines looks at the name and the first bytes to tell whether the text is
// gzipped.
func openLines(file string, r io.Reader, lim limits) (*lines, error) {
	packed := &counter{reader: r}
	peek := bufio.NewReader(packed)
	magic, err := peek.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, &TraceError{Fault: FaultBroken, File: file, What: "reading the file", Err: err, Fix: "nothing of it was used"}
	}
	l := &lines{file: file, limits: lim}
	bounded := &guard{reader: peek, limits: lim}
	if bytes.Equal(magic, []byte{0x1f, 0x8b}) || strings.HasSuffix(file, ".gz") && len(magic) > 0 {
		unpacked, err := gzip.NewReader(peek)
		if err != nil {
			return nil, &TraceError{
				Fault: FaultBroken, File: file, What: "the file is not a whole gzip file", Err: err,
				Fix: "nothing of it was used; copy it again, or drop .gz from the name of a plain file",
			}
		}
		l.gzip, bounded.reader, bounded.packed = true, unpacked, packed
	}
	l.reader = bufio.NewReaderSize(bounded, lim.line)
	return l, nil
}

// next returns the next line without its end, valid until the next call, and
// false at the end of the file.
func (l *lines) next() ([]byte, bool, error) {
	line, err := l.reader.ReadSlice('\n')
	l.number++
	switch {
	case err == nil:
		line = line[:len(line)-1]
	case errors.Is(err, io.EOF):
		if len(line) == 0 {
			return nil, false, nil
		}
	default:
		return nil, false, l.complain(err)
	}
	return bytes.TrimSuffix(line, []byte{'\r'}), true, nil
}

func (l *lines) complain(err error) error {
	e := &TraceError{File: l.file, Line: l.number, Err: err}
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		e.Fault, e.Err = FaultSize, nil
		e.What = fmt.Sprintf("the line is longer than %d bytes", l.limits.line)
		e.Fix = "a trace has one short row a line: check that this is a CSV file"
	case errors.Is(err, errTooLarge):
		e.Fault = FaultSize
		e.What = fmt.Sprintf("reading stopped after %d bytes", l.limits.bytes)
		e.Fix = "split the recording, or sum its rows in longer bins"
	case errors.Is(err, errRatio):
		e.Fault = FaultSize
		e.What = fmt.Sprintf("reading stopped at %d times the compressed size", l.limits.ratio)
		e.Fix = "unpack the file yourself if you trust it"
	case l.gzip && errors.Is(err, io.ErrUnexpectedEOF):
		e.Fault, e.What = FaultBroken, "the gzip file breaks off in this line"
		e.Fix = "nothing of it was used; copy it again"
	default:
		e.Fault, e.What = FaultBroken, "reading this line"
		e.Fix = "nothing of the file was used"
	}
	return e
}

// counter counts the bytes that come from a reader.
type counter struct {
	reader io.Reader
	n      int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.reader.Read(p)
	c.n += int64(n)
	return n, err
}

// guard refuses to read past the limits.
type guard struct {
	reader io.Reader
	packed *counter // nil for plain text
	limits limits
	n      int64
}

func (g *guard) Read(p []byte) (int, error) {
	n, err := g.reader.Read(p)
	g.n += int64(n)
	if g.n > g.limits.bytes {
		return n, errTooLarge
	}
	if g.packed != nil && g.n > g.limits.ratioFloor && g.n/g.limits.ratio > g.packed.n {
		return n, errRatio
	}
	return n, err
}
