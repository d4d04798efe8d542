package forecast

const (
	residualBins = 128
	// residualBend is the standardised residual at the middle of one side's
	// bins: finer below, coarser above.
	residualBend = 4.0
	// residualLimit keeps growing weights inside the accuracy of a float32.
	residualLimit = 1e4
)

// residuals is a histogram of standardised errors in which old errors fade.
// The bins are even in v = u/(bend+|u|), so they are fine near 0, reach
// hundreds of standard units, and hold any spike in the outermost one.
// Fading raises the weight of new errors instead of touching every bin.
type residuals struct {
	mass   [residualBins]float32
	weight float64 // of the next error; 0 before the first
}

// learn adds one standardised error, after fading the older ones by keep.
func (r *residuals) learn(u, keep float64) {
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
}

// addTo adds the histogram, in units of its newest error and times share.
func (r *residuals) addTo(sum *[residualBins]float64, share float64) {
	if r.weight == 0 {
		return
	}
	share /= r.weight
	for i, m := range r.mass {
		sum[i] += float64(m) * share
	}
}

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

// quantilesOf reads the quantiles at levels from a histogram, linearly within
// bins, and the total mass.
func quantilesOf(sum *[residualBins]float64) (q [levelCount]float64, total float64) {
	for _, m := range sum {
		total += m
	}
	if total == 0 {
		return q, 0
	}
	below, bin := 0.0, 0
	for i, level := range levels {
		want := level * total
		for bin < residualBins-1 && below+sum[bin] < want {
			below += sum[bin]
			bin++
		}
		share := 0.0
		if sum[bin] > 0 {
			share = (want - below) / sum[bin]
		}
		q[i] = mix(binEdges[bin], binEdges[bin+1], min(max(share, 0), 1))
	}
	return q, total
}
