package policy

import (
	"math"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// streams is a number of streams that a model's sessions share: an M/G/c system
// whose sessions are refused when they find all streams taken (Erlang's loss
// system), or wait for one for so long (M/M/c with constant patience: Gnedenko and
// Kovalenko). A session that began runs in real time to its end, and whether one
// is refused does not depend on how long it would have lasted: the share of
// session-seconds that run in real time is the share of sessions that begin.
type streams struct {
	count    float64
	patience float64 // in mean durations; 0 where sessions do not wait
}

// streamsOf is the system of so many streams. What is known exactly is the law for
// exponential durations. Without waiting it holds for every duration of the same
// mean. With waiting it does where the patience is short beside the durations, as
// it is in life; where it is not, durations that vary more keep streams for longer,
// so that a part of the patience is worth nothing (as Allen and Cunneen have it for
// waits).
func streamsOf(m fleet.Model, count int) streams {
	s := streams{count: float64(count)}
	if m.Profile.WhenFull != fleet.FullRefuses {
		cv := m.Profile.WorkCV
		s.patience = m.SLO.Limit.Seconds() / m.Profile.MeanWork * math.Min(1, 2/(1+cv*cv))
	}
	return s
}

// refused is the share of sessions that never begin at an offered load: arrivals
// times the mean duration.
func (s streams) refused(offered float64) float64 {
	if offered <= 0 {
		return 0
	}
	if s.patience == 0 {
		return erlangB(s.count, offered)
	}
	// With x the spare streams times the patience, the inverse of the share is
	//	1 + e^x·c/(a·B(c-1)) + c·(e^x - 1)/(c - a)
	spare := s.count - offered
	x := spare * s.patience
	if x > 500 {
		return 0
	}
	waiting := s.count * s.patience // the limit where nothing is spare
	if spare != 0 {
		waiting = s.count * math.Expm1(x) / spare
	}
	return 1 / (1 + math.Exp(x)*s.count/(offered*erlangB(s.count-1, offered)) + waiting)
}

// erlangB is the share of sessions that find all of c streams taken at an offered
// load. Its inverse is the sum of c/a · (c-1)/a · ...: where that is beyond
// measure, no session is refused that anyone would ever see.
func erlangB(c, offered float64) float64 {
	const enough, beyond = 1e-17, 1e15
	term, sum := 1.0, 1.0
	for ; c > 0 && term > enough*sum && sum < beyond; c-- {
		term *= c / offered
		sum += term
	}
	return 1 / sum
}

// capacity is the largest rate of sessions, a second, of which the target's share
// begins, for sessions of a mean duration in seconds.
func (s streams) capacity(target, duration float64) float64 {
	low, high := 0.0, s.count/target // what runs fits in the streams
	for range 46 {
		middle := (low + high) / 2
		if s.refused(middle) <= 1-target {
			low = middle
		} else {
			high = middle
		}
	}
	return low / duration
}

// sessionCapacity is the largest rate of sessions, a second, that n servers carry
// within the service level, each with the streams that it holds beside busy
// neighbours.
func sessionCapacity(m fleet.Model, perf fleet.Performance, n int) float64 {
	return SessionRate(m, n*perf.RealTime(true))
}

// SessionRate is the largest rate of sessions, a second, that so many streams carry
// within the model's service level: what must be served where so many sessions run
// and no stream may be missing. It is zero for no streams.
func SessionRate(m fleet.Model, count int) float64 {
	if count <= 0 {
		return 0
	}
	return streamsOf(m, count).capacity(m.SLO.Target, m.Profile.MeanWork)
}
