package forecast

// features is how many inputs a regression weighs.
const features = 4

// regression is a discounted ridge regression without intercept, kept as its
// normal equations: constant memory, constant time, and never an inverse that
// can blow up, because the ridge pulls towards a prior (Hoerl and Kennard 1970;
// discounting as in recursive least squares with forgetting).
type regression struct {
	xx [features][features]float64 // lower triangle
	xy [features]float64
}

// learn adds one pair, after fading the older ones by keep.
func (r *regression) learn(x [features]float64, y, keep float64) {
	for i := range features {
		for j := range i + 1 {
			r.xx[i][j] = r.xx[i][j]*keep + x[i]*x[j]
		}
		r.xy[i] = r.xy[i]*keep + x[i]*y
	}
}

// solve returns the weights: the prior, moved by what was learnt, as if the
// prior had been seen in ridge pairs of unit size. Each weight stays within
// [0, most].
func (r *regression) solve(prior [features]float64, ridge, most float64) [features]float64 {
	// 1. Right-hand side: what the prior leaves unexplained.
	d := r.xy
	for i := range features {
		for j := range features {
			d[i] -= r.xx[max(i, j)][min(i, j)] * prior[j]
		}
	}
	// 2. LDL' factors of xx + ridge I, which is positive definite; forward on the way.
	l := r.xx
	for j := range features {
		l[j][j] += ridge
		for k := range j {
			l[j][j] -= l[j][k] * l[j][k] * l[k][k]
			d[j] -= l[j][k] * d[k]
		}
		l[j][j] = max(l[j][j], ridge) // rounding may not undercut the ridge
		for i := j + 1; i < features; i++ {
			for k := range j {
				l[i][j] -= l[i][k] * l[j][k] * l[k][k]
			}
			l[i][j] /= l[j][j]
		}
	}
	// 3. Back.
	for j := features - 1; j >= 0; j-- {
		d[j] /= l[j][j]
		for i := j + 1; i < features; i++ {
			d[j] -= l[i][j] * d[i]
		}
	}
	for i := range prior {
		prior[i] = min(max(prior[i]+d[i], 0), most)
	}
	return prior
}
