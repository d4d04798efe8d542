package packing

import "math"

// simplex minimises cost·x over A x <= b or = b, x >= 0, b >= 0, while columns are
// added. It is the revised method with a dense inverse, fit for a hundred rows. The
// caller gives a first basis of unit columns, so no first phase is needed.
//
// Its numbers only guide: every bound derived from them is computed again exactly.
type simplex struct {
	rows    int
	columns []column
	basis   []int     // Column of each row.
	x       []float64 // Value of each basic column.
	inverse []float64 // Of the basis, row by row.
	duals   []float64
	right   []float64
	pivots  int
}

// column is a variable: its cost and its non-zero coefficients.
type column struct {
	cost float64
	row  []int
	at   []float64
}

const (
	pricingTolerance = 1e-9
	pivotTolerance   = 1e-9
	refactorEvery    = 64
)

// newSimplex starts from right-hand sides and one unit column for each row.
func newSimplex(right, unitCosts []float64) *simplex {
	n := len(right)
	s := &simplex{
		rows: n, right: right, x: make([]float64, n), basis: make([]int, n),
		inverse: make([]float64, n*n), duals: make([]float64, n),
	}
	copy(s.x, right)
	for i := range n {
		s.columns = append(s.columns, column{cost: unitCosts[i], row: []int{i}, at: []float64{1}})
		s.basis[i] = i
		s.inverse[i*n+i] = 1
	}
	s.price()
	return s
}

// add appends a column and answers its number.
func (s *simplex) add(c column) int {
	s.columns = append(s.columns, c)
	return len(s.columns) - 1
}

// reduced is the reduced cost of a column at the present duals.
func (s *simplex) reduced(c column) float64 {
	r := c.cost
	for i, row := range c.row {
		r -= s.duals[row] * c.at[i]
	}
	return r
}

// optimise pivots until no column improves or the limit is reached, and answers
// the objective.
func (s *simplex) optimise(limit int) float64 {
	d := make([]float64, s.rows)
	for range limit {
		enter := s.entering()
		if enter < 0 {
			break
		}
		s.direction(s.columns[enter], d)
		leave := s.leaving(d)
		if leave < 0 {
			break // Unbounded, which only rounding can feign: costs are not negative.
		}
		s.pivot(enter, leave, d)
	}
	objective := 0.0
	for i, j := range s.basis {
		objective += s.columns[j].cost * s.x[i]
	}
	return objective
}

func (s *simplex) entering() int {
	best, at := 0.0, -1
	for j, c := range s.columns {
		r := s.reduced(c)
		if r < -pricingTolerance*(1+math.Abs(c.cost)) && r < best {
			best, at = r, j
		}
	}
	return at
}

func (s *simplex) direction(c column, d []float64) {
	for i := range d {
		sum := 0.0
		for k, row := range c.row {
			sum += s.inverse[i*s.rows+row] * c.at[k]
		}
		d[i] = sum
	}
}

func (s *simplex) leaving(d []float64) int {
	ratio, at := math.Inf(1), -1
	for i, di := range d {
		if di <= pivotTolerance {
			continue
		}
		r := max(0, s.x[i]) / di
		if r < ratio-1e-12 || r <= ratio+1e-12 && at >= 0 && di > d[at] {
			ratio, at = min(r, ratio), i
		}
	}
	return at
}

func (s *simplex) pivot(enter, leave int, d []float64) {
	n := s.rows
	step := max(0, s.x[leave]) / d[leave]
	pivotRow := s.inverse[leave*n : leave*n+n]
	reduced := s.reduced(s.columns[enter]) / d[leave]
	for k := range pivotRow {
		s.duals[k] += reduced * pivotRow[k]
		pivotRow[k] /= d[leave]
	}
	for i := range n {
		if i == leave || d[i] == 0 {
			continue
		}
		s.x[i] -= step * d[i]
		row := s.inverse[i*n : i*n+n]
		for k, p := range pivotRow {
			row[k] -= d[i] * p
		}
	}
	s.x[leave] = step
	s.basis[leave] = enter
	if s.pivots++; s.pivots%refactorEvery == 0 {
		s.refactor()
	}
}

// price computes the duals of the basis.
func (s *simplex) price() {
	for k := range s.duals {
		s.duals[k] = 0
	}
	for i, j := range s.basis {
		if cost := s.columns[j].cost; cost != 0 {
			for k := range s.rows {
				s.duals[k] += cost * s.inverse[i*s.rows+k]
			}
		}
	}
}

// refactor computes the inverse anew by Gauss-Jordan elimination with row
// exchange, so that errors of the updates do not grow. A basis that has become
// singular in floating point is left as it was.
func (s *simplex) refactor() {
	n := s.rows
	a := make([]float64, n*n)
	inv := make([]float64, n*n)
	for i, j := range s.basis {
		for k, row := range s.columns[j].row {
			a[row*n+i] = s.columns[j].at[k]
		}
		inv[i*n+i] = 1
	}
	for c := range n {
		p := c
		for r := c + 1; r < n; r++ {
			if math.Abs(a[r*n+c]) > math.Abs(a[p*n+c]) {
				p = r
			}
		}
		if math.Abs(a[p*n+c]) < 1e-11 {
			return
		}
		swapRows(a, n, p, c)
		swapRows(inv, n, p, c)
		scaleRow(a[c*n:c*n+n], 1/a[c*n+c], inv[c*n:c*n+n])
		for r := range n {
			if f := a[r*n+c]; r != c && f != 0 {
				subtractRow(a[r*n:r*n+n], a[c*n:c*n+n], f)
				subtractRow(inv[r*n:r*n+n], inv[c*n:c*n+n], f)
			}
		}
	}
	s.inverse = inv
	for i := range n {
		s.x[i] = 0
		for k := range n {
			s.x[i] += inv[i*n+k] * s.right[k]
		}
	}
	s.price()
}

func swapRows(a []float64, n, i, j int) {
	for k := 0; i != j && k < n; k++ {
		a[i*n+k], a[j*n+k] = a[j*n+k], a[i*n+k]
	}
}

func scaleRow(row []float64, f float64, other []float64) {
	for k := range row {
		row[k] *= f
		other[k] *= f
	}
}

func subtractRow(row, other []float64, f float64) {
	for k, x := range other {
		row[k] -= f * x
	}
}
