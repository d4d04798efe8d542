package panel

import (
	"math"
	"time"

	"github.com/tessera-autoscaler/tessera/forecast"
)

// window is how much of the past the sums hold: as much as a forecaster is taught when
// it begins. Members are taught theirs one after the other.
const window = 15 * 24 * time.Hour

// sums are what the members of a family saw together, by bin.
type sums struct {
	step  int64 // seconds
	cells []cell
	next  int64 // the first bin that the total was not taught
	begun bool  // a bin was added
	told  bool  // the total was taught
}

// cell is one bin: what known members saw, and what they see on average.
type cell struct {
	bin          int64
	value, level float64
	known        int
}

func newSums(step time.Duration) *sums {
	seconds := max(1, int64(step/time.Second))
	return &sums{step: seconds, cells: make([]cell, max(1, int64(window/time.Second)/seconds))}
}

func (s *sums) bin(at time.Time) int64 {
	return int64(math.Floor(float64(at.Unix()) / float64(s.step)))
}

func (s *sums) cell(bin int64) *cell {
	n := int64(len(s.cells))
	return &s.cells[(bin%n+n)%n]
}

// add takes what a member saw in a bin, and what it sees on average.
func (s *sums) add(bin int64, value, level float64) {
	c := s.cell(bin)
	if c.known > 0 && c.bin > bin {
		return // older than the window
	}
	if c.bin != bin {
		*c = cell{bin: bin}
	}
	c.value, c.level, c.known = c.value+value, c.level+level, c.known+1
	if !s.begun || !s.told && bin < s.next {
		s.next, s.begun = bin, true
	}
}

// total is what all members together saw in a bin: those that are not known are taken
// at what they see on average beside the others. Below half it is a guess, and a gap.
func (s *sums) total(bin int64, members int, level float64) (value float64, known bool) {
	c := s.cell(bin)
	switch {
	case c.bin != bin || c.known == 0:
		return 0, false
	case c.known >= members:
		return c.value, true
	case c.level <= 0 || c.level < level/2:
		return 0, false
	}
	return c.value * max(1, level/c.level), true
}

// since tells every bin that was not told before, up to the newest.
func (s *sums) since(newest int64, members int, level float64, tell func(forecast.Observation)) {
	if !s.begun {
		return
	}
	s.told = true
	s.next = max(s.next, newest-int64(len(s.cells))+1)
	for ; s.next <= newest; s.next++ {
		value, known := s.total(s.next, members, level)
		tell(forecast.Observation{At: time.Unix(s.next*s.step, 0).UTC(), Value: value, Known: known})
	}
}
