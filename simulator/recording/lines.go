package recording

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Limits bound what a file may make us read and keep.
type Limits struct {
	Line       int   // bytes of one line
	Bytes      int64 // of the whole file, decompressed
	Ratio      int64 // decompressed over compressed bytes
	RatioFloor int64 // decompressed bytes below which the ratio is not looked at
	Rows       int   // rows, and where a format has to be sorted, rows in memory
	Names      int   // distinct names of models and clients
}

// DefaultLimits hold for every recording. A recording compresses ten- to fiftyfold;
// deflate can reach a thousandfold.
var DefaultLimits = Limits{
	Line: 1 << 20, Bytes: 8 << 30, Ratio: 200, RatioFloor: 64 << 20, Rows: 50_000_000, Names: 100_000,
}

var (
	errTooLarge = errors.New("the decompressed file is too large")
	errRatio    = errors.New("the file unpacks to far more than it is")
)

// lines reads a plain or gzipped text line by line, in bounded memory.
type lines struct {
	file   string
	limits Limits
	reader *bufio.Reader
	gzip   bool
	number int    // of the line that next returned last
	again  []byte // the line that back gave back
}

// openLines looks at the name and the first bytes to tell whether the text is
// gzipped.
func openLines(file string, r io.Reader, lim Limits) (*lines, error) {
	packed := &counter{reader: r}
	peek := bufio.NewReader(packed)
	magic, err := peek.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, &Error{Fault: FaultBroken, File: file, What: "reading the file", Err: err, Fix: "nothing of it was used"}
	}
	l := &lines{file: file, limits: lim}
	bounded := &guard{reader: peek, limits: lim}
	if bytes.Equal(magic, []byte{0x1f, 0x8b}) || strings.HasSuffix(file, ".gz") && len(magic) > 0 {
		unpacked, err := gzip.NewReader(peek)
		if err != nil {
			return nil, &Error{
				Fault: FaultBroken, File: file, What: "the file is not a whole gzip file", Err: err,
				Fix: "nothing of it was used; copy it again, or drop .gz from the name of a plain file",
			}
		}
		l.gzip, bounded.reader, bounded.packed = true, unpacked, packed
	}
	l.reader = bufio.NewReaderSize(bounded, lim.Line)
	return l, nil
}

// next returns the next line without its end, valid until the next call, and
// false at the end of the file.
func (l *lines) next() ([]byte, bool, error) {
	l.number++
	if line := l.again; line != nil {
		l.again = nil
		return line, true, nil
	}
	line, err := l.reader.ReadSlice('\n')
	switch {
	case err == nil:
		line = line[:len(line)-1]
	case errors.Is(err, io.EOF):
		if len(line) == 0 {
			l.number--
			return nil, false, nil
		}
	default:
		return nil, false, l.complain(err)
	}
	return bytes.TrimSuffix(line, []byte{'\r'}), true, nil
}

// filled returns the next line that is not blank.
func (l *lines) filled() ([]byte, bool, error) {
	for {
		line, ok, err := l.next()
		if err != nil || !ok || len(bytes.TrimSpace(line)) > 0 {
			return line, ok, err
		}
	}
}

// back lets next return a line a second time. It must not have been changed.
func (l *lines) back(line []byte) {
	l.number--
	l.again = bytes.Clone(line)
}

func (l *lines) complain(err error) error {
	e := &Error{File: l.file, Line: l.number, Err: err}
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		e.Fault, e.Err = FaultSize, nil
		e.What = fmt.Sprintf("the line is longer than %d bytes", l.limits.Line)
		e.Fix = "a trace has one short row a line: check that this is a CSV file"
	case errors.Is(err, errTooLarge):
		e.Fault = FaultSize
		e.What = fmt.Sprintf("reading stopped after %d bytes", l.limits.Bytes)
		e.Fix = "split the recording, or sum its rows in longer bins"
	case errors.Is(err, errRatio):
		e.Fault = FaultSize
		e.What = fmt.Sprintf("reading stopped at %d times the compressed size", l.limits.Ratio)
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
	limits Limits
	n      int64
}

func (g *guard) Read(p []byte) (int, error) {
	n, err := g.reader.Read(p)
	g.n += int64(n)
	if g.n > g.limits.Bytes {
		return n, errTooLarge
	}
	if g.packed != nil && g.n > g.limits.RatioFloor && g.n/g.limits.Ratio > g.packed.n {
		return n, errRatio
	}
	return n, err
}
