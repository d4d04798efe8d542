package control

import (
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/forecast"
	"github.com/tessera-autoscaler/tessera/policy"
)

// asyncSlack is the share of a deadline within which work is meant to be served. The
// rest is for what goes wrong: a node that dies, a forecast that was too low for
// longer than a GPU takes to come.
const asyncSlack = 0.5

// asyncNeed sizes work with a deadline. What waits and what comes until a time u may be
// served until u and the slack, so that the least steady rate of service is
//
//	max over u of (backlog + arrivals until u) / (u + slack).
//
// Until new capacity could serve, arrivals are those of the quantile: what is too much
// then can not be made good by buying. Later ones are the mean, for that is what has to
// be bought: a peak that is shorter than the slack is not bought for, and a fall that
// comes within it is waited for.
func asyncNeed(m fleet.Model, p policy.Policy, path forecast.Path, arrivals, backlog float64, h horizons) Need {
	n := Need{Model: m.Name, Basis: path.Basis}
	slack := time.Duration(asyncSlack * float64(m.SLO.Limit))
	least := backlog / slack.Seconds()
	if len(path.Points) == 0 {
		n.Now = max(least, arrivals)
		n.Lead, n.Keep = n.Now, n.Now
		return n
	}
	q := p.Quantile(m.Name)
	n.Now, n.Lead, n.Keep = least, least, least
	likely, most := backlog, backlog // served until a time: as expected, and at the quantile
	for i, point := range path.Points {
		end := h.look
		if i+1 < len(path.Points) {
			end = path.Points[i+1].Lead
		}
		if end <= point.Lead {
			continue
		}
		width := (end - point.Lead).Seconds()
		likely += width * point.Mean
		most += width * path.Quantile(q, point.Lead)
		by := (end + slack).Seconds()
		if end <= h.load {
			n.Now = max(n.Now, most/by)
		}
		if end <= h.lead {
			n.Lead = max(n.Lead, most/by)
		}
		n.Keep = max(n.Keep, likely/by)
	}
	n.Lead = max(n.Lead, n.Now)
	n.Keep = max(n.Keep, n.Lead)
	return n
}
