package joint

import (
	"fmt"
	"math"
	"time"

	"github.com/tessera-autoscaler/tessera/forecast"
)

// nodes are the leads at which errors are scored. Between them the correlation in
// time is interpolated.
var nodes = [...]time.Duration{
	time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 24 * time.Hour,
}

const (
	// stride is the least time between two forecasts that are scored. It shares no
	// factor with an hour, so that every minute of the hour is scored in turn.
	stride = 37 * time.Minute
	// halfLife is after how many scored forecasts one counts half: two weeks.
	halfLife = 14 * 24 * 60 / 37
	// matrixPrior and chainPrior are how many scored errors the assumed correlations
	// are worth.
	matrixPrior = 60.0
	chainPrior  = 20.0
	// alike and apart are the assumed correlations of errors within a group and
	// across groups.
	alike, apart = 0.3, 0.0
	// mostly bounds a learnt correlation: nothing is believed to be the same thing.
	mostly = 0.98
)

// keep is how much of what was learnt is left after another scored forecast.
var keep = math.Exp2(-1.0 / halfLife)

// A Learner learns how the errors of several series' forecasts hang together. It is
// not safe for concurrent use. Its memory grows with the square of the series: 16
// bytes for a pair, 32 MB for two thousand series.
type Learner struct {
	groups  []string
	pending []issue
	newest  time.Time // of the issued forecasts
	matrix  moments   // of pairs of series, row by row
	chain   [len(nodes)]pair
}

// NewLearner makes a learner for as many series as there are groups. Series of the
// same group, such as the languages of a time zone, are assumed to err alike to some
// extent until their errors tell.
func NewLearner(groups []string) *Learner {
	n := len(groups)
	return &Learner{
		groups: append([]string(nil), groups...),
		matrix: moments{series: n, product: make([]float64, n*n), weight: make([]float64, n*n)},
	}
}

// issue is a set of forecasts of one instant whose targets come in one by one.
type issue struct {
	at        time.Time
	quantiles [len(nodes)][][]float32 // by node and series; nil where there was no forecast
	scores    []float64               // at the node before, NaN where unknown
	next      int                     // first node whose target has not come in
}

// Issue takes the forecasts that were made at one instant: one path for each series,
// in the order of the groups. A path that rests on nothing teaches nothing. Of calls
// that come often only some are kept, so it may be called with every forecast.
func (l *Learner) Issue(at time.Time, paths []forecast.Path) error {
	if len(paths) != len(l.groups) {
		return fmt.Errorf("%d paths given for %d series: give one for each, in the same order", len(paths), len(l.groups))
	}
	if !l.newest.IsZero() && at.Sub(l.newest) < stride {
		return nil
	}
	l.newest = at
	fresh := issue{at: at, scores: unknown(len(paths))}
	for k, lead := range nodes {
		fresh.quantiles[k] = make([][]float32, len(paths))
		for i, p := range paths {
			fresh.quantiles[k][i] = quantilesAt(p, lead)
		}
	}
	l.pending = append(l.pending, fresh)
	return nil
}

// quantilesAt returns the quantiles of a path at a lead, nil beyond its end.
func quantilesAt(p forecast.Path, lead time.Duration) []float32 {
	if p.Basis == forecast.BasisNone || len(p.Points) == 0 || p.Points[len(p.Points)-1].Lead < lead {
		return nil
	}
	q := make([]float32, len(levels))
	for i, level := range levels {
		q[i] = float32(p.Quantile(level, lead))
	}
	return q
}

// Observe takes the rates of a bin, one for each series; NaN is unknown. Bins come in
// order; targets in a bin that never came stay unknown.
func (l *Learner) Observe(bin time.Time, step time.Duration, values []float64) error {
	if len(values) != len(l.groups) {
		return fmt.Errorf("%d values given for %d series: give one for each, in the same order", len(values), len(l.groups))
	}
	end := bin.Add(step)
	kept := l.pending[:0]
	for _, p := range l.pending {
		for p.next < len(nodes) && p.at.Add(nodes[p.next]).Before(end) {
			l.mature(&p, bin, values)
			p.next++
		}
		if p.next < len(nodes) {
			kept = append(kept, p)
		}
	}
	clear(l.pending[len(kept):])
	l.pending = kept
	return nil
}

// mature scores the forecasts of one node and learns from the scores.
func (l *Learner) mature(p *issue, bin time.Time, values []float64) {
	scores := unknown(len(values))
	if !p.at.Add(nodes[p.next]).Before(bin) { // else the bin of the target never came
		quantiles := make([]float64, len(levels))
		for i, v := range values {
			q := p.quantiles[p.next][i]
			if q == nil || math.IsNaN(v) {
				continue
			}
			for j := range quantiles {
				quantiles[j] = float64(q[j])
			}
			scores[i] = score(quantiles, float64(float32(v)))
		}
	}
	l.matrix.learn(scores)
	l.chain[p.next].learn(p.scores, scores)
	p.scores = scores
	p.quantiles[p.next] = nil
}

func unknown(n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = math.NaN()
	}
	return v
}
