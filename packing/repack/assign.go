package repack

import (
	"math"

	"github.com/tessera-autoscaler/tessera/packing"
)

// assign matches each row of a square table with a column so that the sum is least,
// by the Hungarian method with potentials. It answers the column of each row.
func assign(cost [][]packing.Amount) []int {
	n := len(cost)
	u, v := make([]int64, n+1), make([]int64, n+1)
	row, way := make([]int, n+1), make([]int, n+1) // Of columns, from 1; 0 is none.
	for i := 1; i <= n; i++ {
		row[0] = i
		at := 0
		least := make([]int64, n+1)
		used := make([]bool, n+1)
		for j := range least {
			least[j] = math.MaxInt64
		}
		for row[at] != 0 {
			used[at] = true
			next, step := 0, int64(math.MaxInt64)
			for j := 1; j <= n; j++ {
				if used[j] {
					continue
				}
				if c := int64(cost[row[at]-1][j-1]) - u[row[at]] - v[j]; c < least[j] {
					least[j], way[j] = c, at
				}
				if least[j] < step {
					next, step = j, least[j]
				}
			}
			for j := range used {
				if used[j] {
					u[row[j]] += step
					v[j] -= step
				} else {
					least[j] -= step
				}
			}
			at = next
		}
		for at != 0 {
			row[at] = row[way[at]]
			at = way[at]
		}
	}
	out := make([]int, n)
	for j := 1; j <= n; j++ {
		out[row[j]-1] = j - 1
	}
	return out
}
