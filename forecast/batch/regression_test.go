package batch

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

// A slow twin writes every row out and lets gonum solve the normal equations.
func TestRegressionIsRidgeRegression(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		short := rapid.IntRange(2, 40).Draw(t, "short")
		lags := distinct(rapid.SliceOfN(rapid.IntRange(1, 30), 1, 6).Draw(t, "lags"))
		u := rapid.SliceOfN(rapid.Float64Range(-3, 3), 60, 120).Draw(t, "values")
		m := model{placed: rapid.Bool().Draw(t, "placed")}
		for i := range lags {
			if i == 0 || rapid.Bool().Draw(t, "used") {
				m.lags = append(m.lags, i)
			}
		}
		d := newDesign(lags, short)
		places := 1
		if m.placed {
			places = d.places()
		}
		size := len(m.lags) + places
		a, b := mat.NewSymDense(size, nil), mat.NewVecDense(size, nil)
		for i, p := range m.lags {
			if lags[p] == short {
				b.SetVec(i, ridge)
			}
		}
		for i := range size {
			a.SetSym(i, i, ridge)
		}
		for step := d.longest(); step < len(u); step++ {
			weight := 1 / float64(1+step%3)
			d.add(u, step, weight)
			row := mat.NewVecDense(size, nil)
			for i, p := range m.lags {
				row.SetVec(i, u[step-lags[p]])
			}
			at := len(m.lags)
			if m.placed {
				at += d.place(step)
			}
			row.SetVec(at, 1)
			a.SymRankOne(a, weight, row)
			b.AddScaledVec(b, weight*u[step], row)
		}
		var chol mat.Cholesky
		var want mat.VecDense
		if !chol.Factorize(a) || chol.SolveVecTo(&want, b) != nil {
			t.Skip("singular")
		}
		got, ok := d.solve(m, new(solver))
		if !ok {
			t.Fatal("not solved")
		}
		for i, v := range got {
			if math.Abs(v-want.AtVec(i)) > 1e-8*(1+math.Abs(v)) {
				t.Fatalf("coefficient %d is %v, want %v", i, v, want.AtVec(i))
			}
		}
	})
}
