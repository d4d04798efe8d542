package series

import (
	"encoding/csv"
	"io"
	"strconv"

	"github.com/tessera-autoscaler/tessera/forecast"
)

// Writer writes forecasts as CSV: for each time the mean, and the quantiles at
// [forecast.Levels]. Numbers have ten significant digits, and an actual value as
// many as it was read with.
type Writer struct {
	out    *csv.Writer
	record []string
}

// NewWriter writes the first line: the columns that lead each row, then mean and
// quantiles, such as series,time,mean,q0.025.
func NewWriter(out io.Writer, lead ...string) *Writer {
	w := NewRowWriter(out)
	w.record = append(w.record, lead...)
	w.record = append(w.record, "mean")
	for _, level := range forecast.Levels() {
		w.record = append(w.record, "q"+strconv.FormatFloat(level, 'g', -1, 64))
	}
	w.write()
	return w
}

// NewRowWriter writes rows only, for a file whose first line is there already.
func NewRowWriter(out io.Writer) *Writer { return &Writer{out: csv.NewWriter(out)} }

// Write writes a row. An error of the file below is told by Flush.
func (w *Writer) Write(mean float64, quantiles []float64, lead ...string) {
	w.record = append(w.record, lead...)
	w.record = append(w.record, number(mean))
	for _, q := range quantiles {
		w.record = append(w.record, number(q))
	}
	w.write()
}

func (w *Writer) write() {
	_ = w.out.Write(w.record) // kept by the csv.Writer, and told by Flush
	w.record = w.record[:0]
}

// Flush writes what is waiting.
func (w *Writer) Flush() error {
	w.out.Flush()
	return w.out.Error()
}

// Exact writes a value as short as it can be read back unchanged.
func Exact(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func number(v float64) string { return strconv.FormatFloat(v, 'g', 10, 64) }
