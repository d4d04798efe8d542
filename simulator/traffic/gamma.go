package traffic

import (
	"math"
	"math/rand/v2"
	"time"
)

// burst says how the requests of a bin come.
type burst struct {
	gamma bool
	cv    float64 // of the times between requests; zero: the row's own
}

// minShape bounds how much requests clump: below it a bin is one burst.
const minShape = 1e-6

// shape is the shape k of the gamma distribution of the times between requests
// that a row becomes at a scale. One is a Poisson process.
//
// A process of a CV c that somebody gives has k = 1/(c*c). A recorded c was
// measured on the n gaps of the bin, where a gamma process of shape k shows, on
// average, c*c = (n-1)/(n*k+1); so k = ((n-1)/(c*c) - 1)/n.
//
// A scale s below one keeps each request with that probability, which makes of a
// renewal process one with c'*c' = 1 + s*(c*c-1) (Cox, Renewal Theory, 1962). A
// scale above one makes gaps shorter and leaves c.
func (b burst) shape(r row, scale float64) float64 {
	if !b.gamma {
		return 1
	}
	k := 1.0
	switch {
	case b.cv > 0:
		k = 1 / (b.cv * b.cv)
	case r.cv > 0 && r.requests >= 1:
		k = ((r.requests-1)/(r.cv*r.cv) - 1) / r.requests
	}
	k = max(k, minShape)
	if scale < 1 {
		k = 1 / (1 + scale*(1/k-1))
	}
	return k
}

// gammaGaps is a number of arrivals in an interval, in order, with gamma
// distributed gaps: the law of a renewal process of which the count is known and
// whose interval is bent to a circle, so that arrivals are no denser at its ends.
// The n gaps of the circle, as shares of it, are Dirichlet(k, ..., k). They are
// broken off one by one: of m that are left, the first is a Beta(k, (m-1)k) share
// of what is left. For k = 1 this is the scatter of a Poisson process.
type gammaGaps struct {
	begin       time.Duration
	width       float64
	at, room    float64 // the next arrival, and the interval left behind it
	left        int64   // arrivals to come
	gaps, shape float64 // gaps left in room
}

func newGammaGaps(begin, end time.Duration, n int64, shape float64, random *rand.Rand) gammaGaps {
	g := gammaGaps{begin: begin, width: float64(max(end-begin, 1)), left: n, gaps: float64(n) - 1, shape: shape}
	if n == 0 {
		return g
	}
	// The gap across the ends of the interval is met by an instant, so longer ones
	// are more likely: its share is Beta(k+1, (n-1)k), and the ends cut it evenly.
	across := beta(shape+1, g.gaps*shape, random)
	g.at = random.Float64() * across * g.width
	g.room = (1 - across) * g.width
	return g
}

func (g *gammaGaps) next(random *rand.Rand) time.Duration {
	at := g.begin + time.Duration(min(g.at, g.width-1))
	g.left--
	if g.left > 0 {
		step := g.room * beta(g.shape, (g.gaps-1)*g.shape, random)
		g.at += step
		g.room -= step
		g.gaps--
	}
	return at
}

// beta draws from Beta(a, b) as the share of one gamma number in two, by their
// logarithms, since those of small shapes are smaller than any float. A b of zero
// gives 1.
func beta(a, b float64, random *rand.Rand) float64 {
	if b <= 0 {
		return 1
	}
	return 1 / (1 + math.Exp(logGamma(b, random)-logGamma(a, random)))
}

// logGamma draws the logarithm of a gamma number of a shape: by the squeeze of
// Marsaglia and Tsang (2000) for shapes of one and more, and below by
// Gamma(k) = Gamma(k+1) U^(1/k).
func logGamma(shape float64, random *rand.Rand) float64 {
	small := 0.0
	if shape < 1 {
		small = -random.ExpFloat64() / shape
		shape++
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := random.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(1-random.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return math.Log(d*v) + small
		}
	}
}
