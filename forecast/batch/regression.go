package batch

import "math"

// ridge is what is added to the diagonal for coefficients of lags and places,
// on standardised values.
const ridge = 0.5

// blocks is how many places of the short season the regressions tell apart.
const blocks = 24

// model is one regression: the value on some of the lags, and on the place in
// the short season where placed. Its lags shrink towards repeating the season.
type model struct {
	lags   []int // indices into the design's lags
	placed bool
}

// design accumulates the sums that every model over the same lags is solved
// from. Places are indicator variables: each row has one of them.
type design struct {
	lags  []int // in steps, ascending
	short int   // season that places divide; 0: all rows are in one place
	// Sums over rows: lag by lag (lower half), place by lag, count by place, and
	// the same with the value explained.
	lagLag   []float64
	placeLag []float64
	count    [blocks]float64
	lagY     []float64
	placeY   [blocks]float64
	row      []float64
}

func newDesign(lags []int, short int) *design {
	n := len(lags)
	return &design{
		lags: lags, short: short,
		lagLag: make([]float64, n*n), placeLag: make([]float64, blocks*n),
		lagY: make([]float64, n), row: make([]float64, n),
	}
}

func (d *design) longest() int { return d.lags[len(d.lags)-1] }

// place returns the place of step t.
func (d *design) place(t int) int {
	switch {
	case d.short == 0:
		return 0
	case d.short <= blocks:
		return t % d.short
	}
	return t % d.short * blocks / d.short
}

// add accumulates the row that explains u[t].
func (d *design) add(u []float64, t int, weight float64) {
	n := len(d.lags)
	row := d.row
	for i, l := range d.lags {
		row[i] = u[t-l]
	}
	y, at := weight*u[t], d.place(t)
	d.count[at] += weight
	d.placeY[at] += y
	byPlace := d.placeLag[at*n : at*n+n]
	for i, v := range row {
		d.lagY[i] += y * v
		v *= weight
		byPlace[i] += v
		sums := d.lagLag[i*n : i*n+i+1]
		for j := range sums {
			sums[j] += v * row[j]
		}
	}
}

func (d *design) reset() {
	clear(d.lagLag)
	clear(d.placeLag)
	clear(d.lagY)
	d.count, d.placeY = [blocks]float64{}, [blocks]float64{}
}

// places is how many places there are.
func (d *design) places() int { return max(1, min(d.short, blocks)) }

// solve returns the coefficients of a model: first its lags, then the places,
// or the constant where it tells no places apart. It says whether they exist.
func (d *design) solve(m model, s *solver) ([]float64, bool) {
	n, k, places := len(d.lags), len(m.lags), 1
	if m.placed {
		places = d.places()
	}
	a, b := s.room(k + places)
	size := k + places
	// 1. Lags.
	for i, p := range m.lags {
		for j, q := range m.lags[:i+1] {
			a[i*size+j] = d.lagLag[p*n+q]
		}
		a[i*size+i] += ridge
		b[i] = d.lagY[p]
		if d.lags[p] == max(1, d.short) {
			b[i] += ridge
		}
	}
	// 2. Places, or their sum.
	for at := range d.places() {
		i := k
		if m.placed {
			i += at
		}
		for j, q := range m.lags {
			a[i*size+j] += d.placeLag[at*n+q]
		}
		a[i*size+i] += d.count[at]
		b[i] += d.placeY[at]
	}
	for i := k; i < size; i++ {
		a[i*size+i] += ridge
	}
	return b, s.solve(a, b)
}

// iterate returns the model's value for u[at], which lies at step t of the
// history.
func (d *design) iterate(m model, w, u []float64, at, t int) float64 {
	sum := 0.0
	for i, p := range m.lags {
		sum += w[i] * u[at-d.lags[p]]
	}
	if m.placed {
		return sum + w[len(m.lags)+d.place(t)]
	}
	return sum + w[len(m.lags)]
}

// solver solves symmetric positive definite systems by Cholesky's method, in
// room that it keeps.
type solver struct{ a, b []float64 }

// room returns a cleared square matrix, of which the lower half counts, and a
// right-hand side.
func (s *solver) room(n int) (a, b []float64) {
	if cap(s.b) < n {
		s.a, s.b = make([]float64, n*n), make([]float64, n)
	}
	a, b = s.a[:n*n], s.b[:n]
	clear(a)
	clear(b)
	return a, b
}

// solve replaces b by the solution and a by its factor.
func (s *solver) solve(a, b []float64) bool {
	n := len(b)
	for i := range n {
		ri := a[i*n : i*n+i+1]
		for j := range i {
			rj := a[j*n : j*n+j+1]
			sum := ri[j]
			for k, v := range rj[:j] {
				sum -= ri[k] * v
			}
			ri[j] = sum / rj[j]
		}
		sum := ri[i]
		for _, v := range ri[:i] {
			sum -= v * v
		}
		if !(sum > 0) {
			return false
		}
		ri[i] = math.Sqrt(sum)
	}
	for i := range n {
		sum := b[i]
		for k, v := range a[i*n : i*n+i] {
			sum -= v * b[k]
		}
		b[i] = sum / a[i*n+i]
	}
	for i := n - 1; i >= 0; i-- {
		sum := b[i]
		for k := i + 1; k < n; k++ {
			sum -= a[k*n+i] * b[k]
		}
		b[i] = sum / a[i*n+i]
	}
	return true
}
