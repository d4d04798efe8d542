package batch

const (
	// manyOrigins is how many origins in the past a forecast is repeated from. A
	// horizon shorter than the season is tried more often, up to mostOrigins: each
	// time tells less.
	manyOrigins = 9
	mostOrigins = 27
	// fewestOrigins must be possible for a season to be used.
	fewestOrigins = 3
)

// problem is one history with what is asked of it.
type problem struct {
	*history
	seasons
	horizon int
	// ends are the lengths of history that forecasts are made from, ascending: the
	// origins in the past and last the whole history.
	ends []int
	unit float64 // the size of a usual error, in the unit of the values
}

// plan chooses seasons and origins: the richest seasons for which enough
// origins remain.
func plan(h *history, s seasons, horizon int) *problem {
	p := &problem{history: h, seasons: s, horizon: horizon}
	n := len(h.x)
	// 1. How many steps must lie before the oldest origin, and how many remain.
	need := s.long + s.long/2
	if s.long == 0 || n-need < s.short {
		p.long = 0
		need = s.short + s.short/4
	}
	if s.short == 0 || n-need < fewestOrigins {
		p.short, p.long = 0, 0 // a long season is made of short ones
		need = min(n, fewestOrigins)
	}
	// 2. The origins, oldest first.
	gap := max(1, min(apart(horizon, s.short), (n-need)/fewestOrigins))
	most := min(max(manyOrigins, manyOrigins*p.short/horizon), mostOrigins)
	for k := min(most, (n-need)/gap); k >= 0; k-- {
		p.ends = append(p.ends, n-k*gap)
	}
	p.unit = usualError(h.x, p.short)
	return p
}

// apart is how many steps lie between origins: half a horizon, so the newest
// knows the outcome of half its steps. Where that is about a season or more it
// is whole seasons, so that a lead falls on the same hour from every origin and
// its errors tell of that hour. With seasons of a day and forecasts of a day
// this takes a tenth off the interval score.
func apart(horizon, season int) int {
	if season > 0 && horizon >= season {
		return max(1, horizon/2/season) * season
	}
	return max(horizon/2, season/8)
}

// origins are the ends in the past.
func (p *problem) origins() []int { return p.ends[:len(p.ends)-1] }

// known is how many steps of the forecast made at an end have come true.
func (p *problem) known(end int) int { return min(p.horizon, len(p.x)-end) }

// usualError is the mean absolute change over one season, or over one step
// where there is none; never 0 for a history that varies.
func usualError(x []float64, season int) float64 {
	lag := max(1, season)
	if len(x) <= lag {
		lag = 1
	}
	sum := 0.0
	for i := lag; i < len(x); i++ {
		sum += abs(x[i] - x[i-lag])
	}
	if sum == 0 && lag > 1 {
		return usualError(x, 0)
	}
	if sum == 0 {
		return 0
	}
	return sum / float64(len(x)-lag)
}

func abs(v float64) float64 {
	if v < 0 {
		return -v
	}
	return v
}
