package bound

import "math"

// maximise solves max c.x over A x <= b, x >= 0, for b >= 0, by the simplex
// method on a dense tableau. Whatever it answers is only a proposal: the caller
// makes it feasible in exact arithmetic. Right-hand sides of zero are lifted a
// little, each differently, so that it does not cycle.
func maximise(c []float64, a [][]float64, b []float64) []float64 {
	rows, columns := len(a), len(c)
	width := columns + 1
	table := make([]float64, (rows+1)*width)
	basis := make([]int, rows) // variable of each row; columns+i is the slack of row i
	out := make([]int, columns)
	for i := range a {
		copy(table[i*width:], a[i])
		table[i*width+columns] = b[i] + 1e-9*(1+float64(i%97)/97)
		basis[i] = columns + i
	}
	goal := table[rows*width:]
	for j := range c {
		goal[j], out[j] = -c[j], j
	}
	for range 50 * (rows + columns) {
		enter := -1
		for j := range columns {
			if goal[j] < -1e-12 && (enter < 0 || goal[j] < goal[enter]) {
				enter = j
			}
		}
		if enter < 0 {
			break
		}
		leave, least := -1, math.Inf(1)
		for i := range rows {
			if at := table[i*width+enter]; at > 1e-10 {
				if ratio := table[i*width+columns] / at; ratio < least {
					leave, least = i, ratio
				}
			}
		}
		if leave < 0 {
			break
		}
		pivot(table, width, leave, enter)
		basis[leave], out[enter] = out[enter], basis[leave]
	}
	x := make([]float64, columns)
	for i, v := range basis {
		if v < columns {
			x[v] = max(0, table[i*width+columns])
		}
	}
	return x
}

// pivot exchanges the variable of a row with that of a column.
func pivot(table []float64, width, row, column int) {
	p := table[row*width : (row+1)*width]
	by := 1 / p[column]
	for j := range p {
		p[j] *= by
	}
	p[column] = by
	for at := 0; at < len(table); at += width {
		r := table[at : at+width]
		f := r[column]
		if at == row*width || f == 0 {
			continue
		}
		for j, x := range p {
			r[j] -= f * x
		}
		r[column] = -f * by
	}
}
