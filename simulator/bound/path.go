package bound

import "math"

// A path of one level through the run: in every bin it is down, up, or touched,
// which is up for a moment that costs nothing, on its way up or down. Going up
// costs a start. The cheapest path is found by dynamic programming over the
// states at the ends of the bins. All costs are in seconds of the level's rate.
type pather struct {
	length []float64 // of the bins
	charge []float64 // for a start, by bin
	moves  []uint8   // by bin: the move into down, and into up
	up     []float64 // seconds in which the last path is up, by bin
}

// The moves of a bin, by the state at its end.
const (
	idle    = iota // down all along
	spike          // up and down again
	descend        // up at first
	ascend         // down at first
	stay           // up all along
	dip            // down and up again
)

// cheapest answers what the cheapest path costs when each second up earns the
// bin's reward and a bin without a touch costs its penalty (nil: none has one).
func (p *pather) cheapest(reward, penalty []float64) float64 {
	down, up := 0.0, math.Inf(1)
	for i, length := range p.length {
		full := length * (1 - reward[i])
		touch := min(0, full)
		absent := 0.0
		if penalty != nil {
			absent = penalty[i]
		}
		start := p.charge[i] + touch
		toDown, byDown := down+absent, uint8(idle)
		if c := down + start; c < toDown {
			toDown, byDown = c, spike
		}
		if c := up + touch; c < toDown {
			toDown, byDown = c, descend
		}
		toUp, byUp := down+start, uint8(ascend)
		if c := up + full; c <= toUp {
			toUp, byUp = c, stay
		}
		if c := up + start; c < toUp {
			toUp, byUp = c, dip
		}
		p.moves[i] = byDown | byUp<<4
		down, up = toDown, toUp
	}
	return p.trace(down, up, reward)
}

// trace goes back along the cheapest path.
func (p *pather) trace(down, up float64, reward []float64) float64 {
	isUp := up < down
	for i := len(p.length) - 1; i >= 0; i-- {
		move := p.moves[i] & 15
		if isUp {
			move = p.moves[i] >> 4
		}
		p.up[i] = 0
		if move == stay || move != idle && reward[i] > 1 {
			p.up[i] = p.length[i]
		}
		isUp = move == descend || move == stay || move == dip
	}
	return min(down, up)
}
