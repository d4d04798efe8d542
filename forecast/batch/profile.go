package batch

import "math"

// profile is level plus shape: the level is the moving mean over a window, the
// shape the mean distance from it by place in the season. What the last day and
// the last value were off by is carried on, and fades as it did before.
type profile struct {
	short, long int // long 0: the shape is that of the short season alone
	window      int // of the level, in steps
}

const (
	profileDays = 14 // newest short seasons that the shape and the carry are learnt from
	dayFade     = 0.95
	stepFade    = 0.98
)

func (p profile) forecast(z, out []float64) {
	n, m := len(z), p.short
	// 1. Distance from the level.
	sums := make([]float64, n+1)
	for i, v := range z {
		sums[i+1] = sums[i] + v
	}
	half := min(p.window, n) / 2
	level := (sums[n] - sums[n-2*half]) / float64(2*half)
	r := make([]float64, n)
	for i := range r {
		l := level
		if i < n-half {
			lo, hi := max(0, i-half), i+half
			l = (sums[hi] - sums[lo]) / float64(hi-lo)
		}
		r[i] = z[i] - l
	}
	// 2. The shape, and what it leaves.
	size, from := m, n-min(profileDays, n/m)*m
	if p.long > 0 {
		size, from = p.long, n-n/p.long*p.long
	}
	shape := make([]float64, size)
	share := float64(size) / float64(n-from)
	for i := from; i < n; i++ {
		shape[i%size] += share * r[i]
	}
	for i := range r {
		r[i] -= shape[i%size]
	}
	// 3. The carry of the last day and of the last value.
	days := make([]float64, min(profileDays, n/m))
	for k := range days {
		end := n - (len(days)-1-k)*m
		days[k] = mean(r[end-m : end])
	}
	usual, today := mean(days), days[len(days)-1]
	byDay := decay(days, usual, dayFade)
	byStep := decay(r[max(0, n-profileDays*m):], 0, stepFade)
	fromDay, fromStep := (today-usual)*byDay, r[n-1]-today
	perStep := math.Pow(byDay, 1/float64(m))
	for j := range out {
		fromDay *= perStep
		fromStep *= byStep
		out[j] = level + shape[(n+j)%size] + usual + fromDay + fromStep
	}
}
