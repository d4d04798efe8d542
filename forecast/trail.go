package forecast

import (
	"math"
	"time"
)

// memories are the half-lives of the levels; the first is the newest bin alone.
var memories = [...]time.Duration{0, 4 * time.Minute, 15 * time.Minute, time.Hour, 5 * time.Hour}

const memoryCount = len(memories)

// trail is where the series has been of late: levels of several memories, and
// what past days had led to expect over the same bins with the same memories.
// All are roots of rates, freed of the minute of the hour.
type trail struct {
	level [memoryCount]float64
	own   [memoryCount]float64 // over the bins for which something was expected
	past  [memoryCount]float64 // what was expected
	alpha [memoryCount]float64 // weight of a bin that follows the one before
	rate  [memoryCount]float64 // half-lives per bin
	n, m  float64              // bins in level, in own
	bin   int64                // the newest known
}

func newTrail(c *calendar) trail {
	var t trail
	for i, half := range memories {
		t.rate[i], t.alpha[i] = math.Inf(1), 1
		if half > 0 {
			t.rate[i] = float64(c.step) / half.Seconds()
			t.alpha[i] = 1 - math.Exp2(-t.rate[i])
		}
	}
	return t
}

// move adds a bin; expected is NaN where nothing was.
func (t *trail) move(bin int64, root, expected float64) {
	gap := float64(bin - t.bin)
	known := !math.IsNaN(expected)
	t.n++
	if known {
		t.m++
	}
	for i := range t.level {
		a := t.alpha[i]
		if gap > 1 {
			a = 1 - math.Exp2(-t.rate[i]*gap)
		}
		t.level[i] += max(a, 1/t.n) * (root - t.level[i])
		if known {
			a = max(a, 1/t.m)
			t.own[i] += a * (root - t.own[i])
			t.past[i] += a * (expected - t.past[i])
		}
	}
	t.bin = bin
}

// apart is how far the series is from what was expected, over one memory.
func (t *trail) apart(i int) float64 { return t.own[i] - t.past[i] }
