package panel

import (
	"time"

	"github.com/tessera-autoscaler/tessera/forecast"
)

// mostGiven bounds how far a path is moved for the total's sake, as a factor.
const mostGiven = 1.5

// reconcile moves the members' paths so that their medians and the total's agree:
// weighted least squares with the squares of the bands as weights (Wickramasuriya,
// Athanasopoulos and Hyndman 2019, with a diagonal covariance). A total that knows
// little moves nobody; a member gives way as far as it knows little and goes with its
// family. The band moves with its median, in proportion.
func reconcile(members []*member, total forecast.Path) {
	for i, all := range total.Points {
		sum, spread := 0.0, width(all)
		for _, m := range members {
			if len(m.path.Points) != len(total.Points) || m.path.Basis == forecast.BasisNone {
				return
			}
			sum += m.path.Points[i].Quantiles[middle]
			spread += m.gives(i, all.Lead)
		}
		if spread <= 0 {
			continue
		}
		miss := all.Quantiles[middle] - sum
		for _, m := range members {
			pt := &m.path.Points[i]
			median := pt.Quantiles[middle]
			if median <= 0 {
				continue
			}
			factor := min(max(1+miss*m.gives(i, all.Lead)/spread/median, 1/mostGiven), mostGiven)
			pt.Mean *= factor
			for j := range pt.Quantiles {
				pt.Quantiles[j] *= factor
			}
		}
	}
}

// gives is how readily a member gives way at a point of its path.
func (m *member) gives(i int, lead time.Duration) float64 {
	return width(m.path.Points[i]) * between(lead, &m.trust.taken)
}

// width is the square of the distance between the quartiles.
func width(pt forecast.Point) float64 {
	d := pt.Quantiles[middle+1] - pt.Quantiles[middle-1]
	return d * d
}
