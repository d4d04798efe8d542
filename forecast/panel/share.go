package panel

import (
	"math"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/forecast"
)

const (
	// levelHalfLife is how long ago what a member saw counts half for what it sees on
	// average.
	levelHalfLife = 3 * 24 * time.Hour
	// present is the time over which a member's present share is measured, and
	// usual how much of it what it sees on average is worth beside.
	present = 2 * time.Hour
	usual   = 30 * time.Minute
	// noiseHalfLife is that of how far a member strays from its share.
	noiseHalfLife = 12 * time.Hour
)

// share is how much of its family's total a member sees, and how far it strays.
type share struct {
	level  float64 // mean rate, recent days counting more
	seen   int     // bins behind it, as far as they count
	bins   int64   // of the present
	recent []float64
	newest int64
	keep   float64 // of the level, from bin to bin

	noise     float64 // mean squared distance from the share, over the rate expected
	noises    float64 // weight behind it
	noiseKeep float64
	strayed   int // round of the family in which the newest bin was learnt from
}

func newShare(step time.Duration) share {
	bins := max(1, int64(present/step))
	s := share{
		bins: bins, recent: make([]float64, bins),
		keep:      math.Exp2(-float64(step) / float64(levelHalfLife)),
		noiseKeep: math.Exp2(-float64(step) / float64(noiseHalfLife)),
	}
	for i := range s.recent {
		s.recent[i] = math.NaN()
	}
	return s
}

func (s *share) slot(bin int64) *float64 { return &s.recent[(bin%s.bins+s.bins)%s.bins] }

// learn takes the newest bin.
func (s *share) learn(bin int64, value float64) {
	gap := bin - s.newest
	if s.seen == 0 || gap > s.bins {
		gap = s.bins
	}
	for b := bin - gap + 1; b < bin; b++ {
		*s.slot(b) = math.NaN()
	}
	*s.slot(bin), s.newest = value, bin
	gain := max(1-s.keep, 1/float64(s.seen+1))
	s.level += gain * (value - s.level)
	s.seen++
}

// ratio is the member's present share of the total: that of the last two hours, drawn
// to the usual one as far as little came in. It learns how far the newest bin strayed,
// once a round: who asks the family twice at an instant changes nothing.
func (s *share) ratio(f *Family) float64 {
	level := f.level()
	if level <= 0 || s.seen == 0 {
		return 0
	}
	// What a newcomer saw on average is that of its few hours, not of days and nights.
	weight := float64(usual/time.Second) / float64(f.sums.step)
	weight *= min(1, float64(s.seen)*float64(f.sums.step)/levelHalfLife.Seconds())
	own, all := weight*s.level, weight*level
	for b := s.newest - s.bins + 1; b <= s.newest; b++ {
		v := *s.slot(b)
		if math.IsNaN(v) {
			continue
		}
		if total, known := f.sums.total(b, len(f.members), level); known {
			own, all = own+v, all+total
		}
	}
	r := own / all
	if v := *s.slot(s.newest); !math.IsNaN(v) && s.strayed != f.round {
		s.strayed = f.round
		if total, known := f.sums.total(s.newest, len(f.members), level); known && r*total > 0 {
			s.noise = s.noise*s.noiseKeep + (v-r*total)*(v-r*total)/(r*total)
			s.noises = s.noises*s.noiseKeep + 1
		}
	}
	return r
}

// of returns the member's share of a path of the total, its band widened by how far
// the member strays from its share. A path without points says that there is none.
func (s *share) of(total forecast.Path, f *Family) forecast.Path {
	r := s.ratio(f)
	if r <= 0 || s.noises == 0 || total.Basis == forecast.BasisNone {
		return forecast.Path{}
	}
	stray := s.noise / s.noises
	out := forecast.Path{At: total.At, Basis: total.Basis, Points: make([]forecast.Point, len(total.Points))}
	room := make([]float64, len(total.Points)*len(levels))
	for i, pt := range total.Points {
		q := room[:len(levels):len(levels)]
		room = room[len(levels):]
		widen(pt.Quantiles, r, stray, q)
		out.Points[i] = forecast.Point{Lead: pt.Lead, Mean: r * pt.Mean, Quantiles: q}
	}
	return out
}

var (
	levels  = forecast.Levels()
	middle  = slices.Index(levels, 0.5)
	normals = func() []float64 {
		z := make([]float64, len(levels))
		for i, p := range levels {
			z[i] = math.Sqrt2 * math.Erfinv(2*p-1)
		}
		return z
	}()
)

// widen fills out with a share of a total's quantiles, to whose spread that of the
// member around its share is added as if the two were independent, in the logarithm.
func widen(total []float64, share, stray float64, out []float64) {
	median := share * total[middle]
	if median <= 0 {
		for i, q := range total {
			out[i] = share * q
		}
		return
	}
	own := math.Log1p(stray / median) // squared
	for i, q := range total {
		apart := math.Log(max(q*share, median*1e-3) / median)
		out[i] = median * math.Exp(math.Copysign(math.Sqrt(apart*apart+normals[i]*normals[i]*own), normals[i]))
		if i > 0 {
			out[i] = max(out[i], out[i-1])
		}
	}
}
