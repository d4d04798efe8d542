package forecast

import "math"

const (
	residualBins = 64
	// residualBend is the standardised residual at the middle of one side's
	// bins: finer below, coarser above.
	residualBend = 2.0
	// residualLimit keeps growing weights inside the accuracy of a float32.
	residualLimit = 1e4
	// priorErrors is how many independent errors the prior band is worth.
	priorErrors = 10.0
	// priorSpread is the standard deviation over the mean absolute error of a normal.
	priorSpread = 1.2533
	// shiftStep is how far one outcome moves the level that is read, in log odds;
	// shiftMost bounds how far it goes.
	shiftStep = 0.03
	shiftMost = 1.5
	// tiltStep is how far one outcome moves a tilt, in standard units.
	tiltStep = 0.003
)

// residuals is a histogram of standardised errors in which old errors fade, and
// the levels at which it is to be read so that the share of outcomes below each
// quantile is what was promised (adaptive conformal inference, Gibbs and Candes
// 2021). Tilts move each quantile with the situation, by online quantile
// regression.
//
// The bins are even in v = u/(bend+|u|), so they are fine near 0, reach
// hundreds of standard units, and hold any spike in the outermost one.
// Fading raises the weight of new errors instead of touching every bin.
type residuals struct {
	mass   [residualBins]float32
	weight float64             // of the next error; 0 before the first
	shift  [levelCount]float32 // of the level read, in log odds
	q      [levelCount]float32 // the quantiles, as last read
	tilt   [levelCount][tiltInputs]float32
}

func newResiduals() residuals {
	var r residuals
	for i, z := range normals {
		r.q[i] = float32(priorSpread * z)
	}
	return r
}

// at returns a quantile in a situation.
func (r *residuals) at(l int, x *[tiltInputs]float64) float64 {
	q := float64(r.q[l])
	for i, v := range x {
		q += float64(r.tilt[l][i]) * v
	}
	return q
}

// learn adds one standardised error that came in a situation, after fading the
// older ones by keep, and reads the quantiles anew. Kin is how many errors say
// as much as an independent one.
func (r *residuals) learn(u float64, x *[tiltInputs]float64, keep, kin float64) {
	// 1. Where the outcome lay among the quantiles that stand.
	for l, level := range levels {
		miss, tilted := level, level
		if u <= float64(r.q[l]) {
			miss--
		}
		if u <= r.at(l, x) {
			tilted--
		}
		r.shift[l] = float32(clip(float64(r.shift[l])+shiftStep*miss, shiftMost))
		for i, v := range x {
			r.tilt[l][i] += float32(tiltStep * tilted * v)
		}
	}
	// 2. The histogram.
	if r.weight == 0 {
		r.weight = 1
	} else {
		r.weight /= keep
	}
	if r.weight > residualLimit {
		scale := float32(1 / r.weight)
		for i := range r.mass {
			r.mass[i] *= scale
		}
		r.weight = 1
	}
	v := u / (residualBend + max(u, -u))
	i := int((v + 1) / 2 * residualBins)
	r.mass[min(max(i, 0), residualBins-1)] += float32(r.weight)
	r.read(kin)
}

// read sets the quantiles, linearly within bins.
func (r *residuals) read(kin float64) {
	total := 0.0
	for _, m := range r.mass {
		total += float64(m)
	}
	n := total / r.weight / kin
	below, bin := 0.0, 0
	last := math.Inf(-1)
	for i := range levels {
		want := total / (1 + math.Exp(-logits[i]-float64(r.shift[i])))
		for bin < residualBins-1 && below+float64(r.mass[bin]) < want {
			below += float64(r.mass[bin])
			bin++
		}
		share := 0.0
		if m := float64(r.mass[bin]); m > 0 {
			share = (want - below) / m
		}
		q := mix(binEdges[bin], binEdges[bin+1], min(max(share, 0), 1))
		q = (q*n + priorSpread*normals[i]*priorErrors) / (n + priorErrors)
		last = max(last, q)
		r.q[i] = float32(last)
	}
}

// logits are the levels in log odds.
var logits = func() (l [levelCount]float64) {
	for i, level := range levels {
		l[i] = math.Log(level / (1 - level))
	}
	return l
}()

// binEdge returns the standardised error at the lower edge of a bin.
func binEdge(i int) float64 {
	v := float64(2*i-residualBins) / residualBins
	v = min(max(v, -1+1.0/residualBins), 1-1.0/residualBins)
	return residualBend * v / (1 - max(v, -v))
}

// binEdges holds every edge, so that reading needs no division.
var binEdges = func() (edges [residualBins + 1]float64) {
	for i := range edges {
		edges[i] = binEdge(i)
	}
	return edges
}()
