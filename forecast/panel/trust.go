package panel

import (
	"math"
	"time"

	"github.com/tessera-autoscaler/tessera/forecast"
)

// checked are the leads at which both opinions are scored; between them the mixture
// is interpolated.
var checked = [...]time.Duration{15 * time.Minute, time.Hour, 4 * time.Hour, 24 * time.Hour}

const (
	// checkEvery is the least time between two forecasts that are scored; it shares no
	// factor with an hour.
	checkEvery = 23 * time.Minute
	// trustKeep fades what was scored: half of it is from the last three days.
	trustKeep = 0.9963
	// enough is how many scored forecasts the first belief is worth.
	enough = 12.0
	// sharpness is how strongly the better opinion is preferred: at a tenth less loss
	// it gets three fifths, at half the loss nearly all.
	sharpness = 4.0
	// the first beliefs: how much of the family's opinion is taken before any was scored.
	firstSeasonal, firstElse = 0.3, 0.9
)

// trust is how right both opinions were lately.
type trust struct {
	pending []opinion
	issued  time.Time
	loss    [len(checked)]struct{ own, lent, weight float64 }
	taken   [len(checked)]float64 // how much of the family's opinion was taken last
}

// opinion waits for what came: the medians and 0.9 quantiles of both.
type opinion struct {
	target    int64
	lead      int
	own, lent [2]float64
}

// issue keeps both opinions to score them later.
func (t *trust) issue(s *sums, now time.Time, own, lent forecast.Path) {
	if len(lent.Points) == 0 || own.Basis == forecast.BasisNone || !t.issued.IsZero() && now.Sub(t.issued) < checkEvery {
		return
	}
	t.issued = now
	for k, lead := range checked {
		if own.Points[len(own.Points)-1].Lead < lead {
			break
		}
		t.pending = append(t.pending, opinion{
			target: s.bin(now.Add(lead)), lead: k,
			own:  [2]float64{own.Quantile(0.5, lead), own.Quantile(0.9, lead)},
			lent: [2]float64{lent.Quantile(0.5, lead), lent.Quantile(0.9, lead)},
		})
	}
}

// mature scores what was said of a bin, and forgets what was said of earlier ones.
func (t *trust) mature(bin int64, value float64, known bool) {
	kept := t.pending[:0]
	for _, o := range t.pending {
		if o.target > bin {
			kept = append(kept, o)
		}
		if o.target != bin || !known {
			continue
		}
		l := &t.loss[o.lead]
		l.own = l.own*trustKeep + loss(o.own, value)
		l.lent = l.lent*trustKeep + loss(o.lent, value)
		l.weight = l.weight*trustKeep + 1
	}
	t.pending = kept
}

func loss(said [2]float64, value float64) float64 {
	return forecast.Pinball(0.5, value, said[0]) + forecast.Pinball(0.9, value, said[1])
}

// weight is how much of the family's opinion is taken at a scored lead.
func (t *trust) weight(k int, first float64) float64 {
	l := t.loss[k]
	if l.own+l.lent <= 0 {
		return first
	}
	own, lent := math.Pow(l.own, sharpness), math.Pow(l.lent, sharpness)
	return (l.weight*own/(own+lent) + enough*first) / (l.weight + enough)
}

// mix joins both opinions quantile by quantile, lead by lead. It takes the own path's
// slices.
func (t *trust) mix(own, lent forecast.Path) forecast.Path {
	if len(lent.Points) != len(own.Points) {
		return own
	}
	first := firstElse
	if own.Basis == forecast.BasisSeasonal {
		first = firstSeasonal
	}
	at := &t.taken
	for k := range at {
		at[k] = t.weight(k, first)
	}
	for i := range own.Points {
		w := between(own.Points[i].Lead, at)
		a, b := &own.Points[i], &lent.Points[i]
		a.Mean += w * (b.Mean - a.Mean)
		for j := range a.Quantiles {
			a.Quantiles[j] += w * (b.Quantiles[j] - a.Quantiles[j])
			if j > 0 {
				a.Quantiles[j] = max(a.Quantiles[j], a.Quantiles[j-1])
			}
		}
	}
	if own.Basis != forecast.BasisSeasonal {
		own.Basis = lent.Basis
	}
	return own
}

// between interpolates the weights of the scored leads, in the logarithm of the lead.
func between(lead time.Duration, at *[len(checked)]float64) float64 {
	if lead <= checked[0] {
		return at[0]
	}
	for k := 1; k < len(checked); k++ {
		if lead <= checked[k] {
			share := math.Log(float64(lead)/float64(checked[k-1])) / math.Log(float64(checked[k])/float64(checked[k-1]))
			return at[k-1] + share*(at[k]-at[k-1])
		}
	}
	return at[len(at)-1]
}
