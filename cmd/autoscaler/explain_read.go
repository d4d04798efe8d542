package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/tessera-autoscaler/tessera/control/explain"
)

// longestLine bounds a line of a record: a fleet of thousands of nodes needs a hundredth of
// it.
const longestLine = 1 << 30

// searchRecord reads a record a line at a time, until the search has enough. An error
// begins with the number of its line. A record that breaks off, as one that is still being
// written does, is good up to there: broken says where.
func searchRecord(ctx context.Context, in io.Reader, search *explain.Search) (broken, err error) {
	buffered := bufio.NewReaderSize(in, 1<<20)
	in = buffered
	if head, _ := buffered.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		if in, err = gzip.NewReader(buffered); err != nil {
			return nil, fmt.Errorf("1: this is no whole gzip file (%w): copy it again", err)
		}
	}
	ends := &endReader{in: in}
	lines := bufio.NewScanner(ends)
	lines.Buffer(make([]byte, 1<<20), longestLine)
	lines.Split(ends.line)
	n := 0
	for ctx.Err() == nil && lines.Scan() {
		n++
		enough, err := search.Line(lines.Bytes())
		if err != nil {
			return nil, fmt.Errorf("%d: %w", n, err)
		}
		if enough {
			return nil, nil
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, io.ErrUnexpectedEOF), err == nil && ends.rest > 0:
		return fmt.Errorf("%d: the record breaks off within this line: what is before it was read", n+1), nil
	case err != nil:
		return nil, fmt.Errorf("%d: %w", n+1, err)
	case n == 0:
		return nil, errors.New("1: the record is empty")
	}
	return nil, nil
}

// endReader splits into lines, and counts what stands after the last.
type endReader struct {
	in   io.Reader
	rest int
}

func (r *endReader) Read(p []byte) (int, error) { return r.in.Read(p) }

func (r *endReader) line(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF {
		r.rest = len(data)
		return len(data), nil, nil
	}
	return 0, nil, nil
}
