package traffic

import (
	"math"
	"math/rand/v2"

	"github.com/tessera-autoscaler/tessera/simulator/internal/words"
)

// The kinds of WorkSpread.
const (
	// WorkFixed makes every request average. It is the kind of the zero WorkSpread.
	WorkFixed = "fixed"
	// WorkExponential draws Exp(1): many short requests, few long ones, CV 1.
	WorkExponential = "exponential"
	// WorkLognormal draws exp(s Z - s*s/2) with s*s = ln(1 + CV*CV) and Z standard
	// normal: mean 1 and the given CV.
	WorkLognormal = "lognormal"
)

// maxCV bounds the spread of work: above it the mean of even a million draws is
// far from 1, so that a run would not show the load it was given.
const maxCV = 5

// WorkSpread says how much requests of one model differ in size. Work is a
// multiple of the average request, so every kind has mean 1.
type WorkSpread struct {
	Kind string
	CV   float64 // coefficient of variation; of the lognormal kind only
}

// validate returns what is wrong and how to mend it, or two empty strings.
func (w WorkSpread) validate() (what, fix string) {
	switch w.Kind {
	case "", WorkFixed, WorkExponential:
		if w.CV != 0 {
			return "cv is given, but only the lognormal spread of work has one", "leave cv out or use lognormal"
		}
	case WorkLognormal:
		if !(w.CV > 0 && w.CV <= maxCV) {
			return "cv " + words.Number(w.CV) + " is not above 0 and at most " + words.Number(maxCV), "give the standard deviation over the mean of a request's work, such as 0.8"
		}
	default:
		kinds := []string{WorkFixed, WorkExponential, WorkLognormal}
		return "spread of work " + words.Quote(w.Kind) + " is unknown", "use one of " + words.Listing(kinds) + words.DidYouMean(w.Kind, kinds)
	}
	return "", ""
}

// sampler draws the work of requests.
type sampler struct {
	kind   string
	sigma  float64
	random *rand.Rand
}

func newSampler(w WorkSpread, random *rand.Rand) sampler {
	return sampler{kind: w.Kind, sigma: math.Sqrt(math.Log1p(w.CV * w.CV)), random: random}
}

func (s *sampler) next() float64 {
	switch s.kind {
	case WorkExponential:
		return s.random.ExpFloat64()
	case WorkLognormal:
		return math.Exp(s.sigma*s.random.NormFloat64() - s.sigma*s.sigma/2)
	default:
		return 1
	}
}
