package traffic

import (
	"math/rand/v2"
	"time"
)

// generator draws a Poisson process of a rate that is constant within each
// minute, exactly: by the time change, the integrated rate between two arrivals
// is Exp(1), so each gap uses up an exponential draw at the rates of the minutes
// it passes. It allocates nothing.
type generator struct {
	rate     *rate
	arrivals *rand.Rand
	size     sampler

	start int64 // nanoseconds since 1970
	end   int64 // nanoseconds since start
	// The piece of constant rate, a minute or what the window leaves of it.
	begin   int64   // nanoseconds since start
	next    int64   // where the next piece begins
	length  float64 // nanoseconds
	offset  float64 // of the last arrival into the piece
	perNano float64 // arrivals a nanosecond
}

func newGenerator(r *rate, start int64, duration time.Duration, arrivals *rand.Rand, size sampler) *generator {
	return &generator{rate: r, arrivals: arrivals, size: size, start: start, end: int64(duration)}
}

// Next implements Source.
func (g *generator) Next() (Request, bool) {
	need := g.arrivals.ExpFloat64()
	for {
		room := (g.length - g.offset) * g.perNano
		if need < room {
			break
		}
		need -= room
		if !g.advance() {
			return Request{}, false
		}
	}
	g.offset += need / g.perNano
	at := min(g.begin+int64(g.offset), g.next-1) // rounding up stays inside the piece
	return Request{At: time.Duration(at), Work: g.size.next()}, true
}

// advance enters the next piece of constant rate; false means the end.
func (g *generator) advance() bool {
	if g.next >= g.end {
		g.offset = g.length // for ever after
		return false
	}
	g.begin = g.next
	m := floorDiv(g.start+g.begin, int64(minute))
	g.next = min((m+1)*int64(minute)-g.start, g.end)
	g.length, g.offset = float64(g.next-g.begin), 0
	g.perNano = g.rate.at(m) / float64(time.Second)
	return true
}

// metronome yields evenly spaced requests.
type metronome struct {
	peak     float64 // requests a second
	phase    float64
	ticks    float64 // so far
	duration time.Duration
	size     sampler
}

// Next implements Source.
func (m *metronome) Next() (Request, bool) {
	at := (m.phase + m.ticks) / m.peak * float64(time.Second)
	if !(at < float64(m.duration)) { // a peak of zero is infinitely late
		return Request{}, false
	}
	m.ticks++
	return Request{At: time.Duration(at), Work: m.size.next()}, true
}
