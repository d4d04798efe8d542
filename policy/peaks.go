package policy

import (
	"math"
	"time"
)

// Peaks is the maximum over a sliding window, kept as a monotone queue: what
// scale-down looks at, so that a short dip gives nothing back. Its state is plain
// data and can be recorded and restored.
type Peaks struct {
	Queue []Peak `json:"queue"` // ascending in time, descending in value
}

// Peak is a value at an instant.
type Peak struct {
	At    time.Time `json:"at"`
	Value float64   `json:"value"`
}

// Add adds a value and forgets those that are older than the window. A value that
// is not a finite number of zero or more changes nothing: not knowing lowers no
// maximum.
func (p *Peaks) Add(at time.Time, v float64, window time.Duration) {
	if !(v >= 0) || math.IsInf(v, 1) {
		return
	}
	// 1. Smaller values before this one can never be the maximum again.
	end := len(p.Queue)
	for end > 0 && p.Queue[end-1].Value <= v {
		end--
	}
	// 2. A clock that stepped back does not make this value older than its forerunner.
	if end > 0 && p.Queue[end-1].At.After(at) {
		at = p.Queue[end-1].At
	}
	kept := append(p.Queue[:end:end], Peak{At: at, Value: v})
	// 3. What fell out of the window stands at the front.
	start := 0
	for at.Sub(kept[start].At) > window {
		start++
	}
	p.Queue = kept[start:]
}

// Max is the largest value in the window, zero where nothing was added: whoever
// starts anew adds the present size first.
func (p Peaks) Max() float64 {
	if len(p.Queue) == 0 {
		return 0
	}
	return p.Queue[0].Value
}
