package recording

import (
	"bufio"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// Writer writes rows as a Trace CSV: time, model, requests and, where rows carry
// work, work. The same rows give the same bytes.
//
// A Trace CSV counts whole requests. A row that has parts of one hands on what is
// left to the model's next rows, so that every prefix of the output is right to
// half a request for each model; the work of a request stays what it was.
type Writer struct {
	out    *bufio.Writer
	about  About
	scale  float64
	quotas map[string]*quota
	line   []byte
}

// quota is what a model was to be given, and what it was.
type quota struct {
	due  float64
	sent int64
}

// NewWriter writes the header. Scale multiplies requests; work follows them.
func NewWriter(out io.Writer, about About, scale float64) (*Writer, error) {
	w := &Writer{out: bufio.NewWriterSize(out, 1<<16), about: about, scale: scale, quotas: map[string]*quota{}}
	header := "time,model,requests"
	if about.Sized {
		header += ",work"
	}
	_, err := w.out.WriteString(header + "\n")
	return w, err
}

// Write writes the row of a bin, or each request that a row becomes in a line of
// its own where there are no bins.
func (w *Writer) Write(r Row) error {
	q := w.quotas[r.Name]
	if q == nil {
		q = &quota{}
		w.quotas[r.Name] = q
	}
	q.due += r.Requests
	total := math.Floor(q.due*w.scale + 0.5)
	if total > 1e15 {
		return errors.New("more than 1e15 requests of one model: give a smaller scale")
	}
	n := int64(total) - q.sent
	q.sent += n
	lines, each := int64(1), n
	if w.about.Step == 0 {
		lines, each = n, 1
	}
	work := 0.0
	switch {
	case r.Requests == 0 || n == 0:
	case float64(n) == r.Requests*w.scale && w.about.Step > 0:
		work = r.Work * w.scale
	default:
		work = r.Work / r.Requests * float64(each)
	}
	w.render(r, each, work)
	for range lines {
		if _, err := w.out.Write(w.line); err != nil {
			return err
		}
	}
	return nil
}

// render makes the line.
func (w *Writer) render(r Row, n int64, work float64) {
	w.line = time.Unix(0, r.At).UTC().AppendFormat(w.line[:0], time.RFC3339Nano)
	w.line = append(w.line, ',')
	if strings.ContainsAny(r.Name, ",\"") || strings.TrimSpace(r.Name) != r.Name {
		w.line = append(w.line, `"`+strings.ReplaceAll(r.Name, `"`, `""`)+`"`...)
	} else {
		w.line = append(w.line, r.Name...)
	}
	w.line = strconv.AppendInt(append(w.line, ','), n, 10)
	if w.about.Sized {
		w.line = strconv.AppendFloat(append(w.line, ','), work, 'g', -1, 64)
	}
	w.line = append(w.line, '\n')
}

// Flush writes what is buffered.
func (w *Writer) Flush() error { return w.out.Flush() }
