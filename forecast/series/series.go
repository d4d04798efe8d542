package series

import (
	"math"
	"time"
)

// Series is one series on an unbroken grid of bins.
type Series struct {
	Name   string
	Start  time.Time     // start of the first bin
	Step   time.Duration // length of a bin
	Values []float64     // one a bin, oldest first; NaN is a gap
	Clock  Clock         // how its times are written
}

// At returns the start of bin i, which may lie outside of what is known.
func (s *Series) At(i int) time.Time { return s.Start.Add(time.Duration(i) * s.Step) }

// Time returns the start of bin i as the file would write it.
func (s *Series) Time(i int) string { return s.Clock.Format(s.At(i)) }

// Gaps counts the bins without a value.
func (s *Series) Gaps() int {
	n := 0
	for _, v := range s.Values {
		if math.IsNaN(v) {
			n++
		}
	}
	return n
}
