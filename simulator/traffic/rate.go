package traffic

import (
	"time"
)

const minute = time.Minute

// rate is the expected traffic of one model: requests a second, constant within
// each minute of the absolute clock.
type rate struct {
	shape *Shape
	zones []zone
	peak  float64 // requests a second where shape and zones are at their common maximum
	level *level  // nil: no slow movement
}

// zone is a share of the users and their clock.
type zone struct {
	location *time.Location
	weight   float64
}

// reference are the two weeks over which a mixture of zones is scaled to its
// peak, one in winter and one in summer time: Mondays, 00:00 UTC. They are fixed
// so that the scale does not depend on when a scenario starts.
var reference = [2]time.Time{
	time.Date(2024, time.January, 15, 0, 0, 0, 0, time.UTC),
	time.Date(2024, time.July, 15, 0, 0, 0, 0, time.UTC),
}

// newRate scales the mixture of zones so that its maximum is peak. One zone has
// the maximum 1 already.
func newRate(shape *Shape, zones []zone, peak float64, slow *level) *rate {
	r := &rate{shape: shape, zones: zones, peak: peak, level: slow}
	if len(zones) == 1 {
		r.zones = []zone{{zones[0].location, 1}}
		return r
	}
	top := 0.0
	for _, week := range reference {
		first := week.Unix() / 60
		for m := range int64(7 * minutesPerDay) {
			top = max(top, r.mixture(first+m))
		}
	}
	r.peak = peak / top
	return r
}

// mixture is the weighted sum of the shape over the zones in a minute since 1970.
func (r *rate) mixture(m int64) float64 {
	sum := 0.0
	for _, z := range r.zones {
		_, offset := time.Unix(m*60, 0).In(z.location).Zone()
		local := floorDiv(m*60+int64(offset), 60)
		day := floorDiv(local, minutesPerDay)
		weekday := time.Weekday((day%7 + 7 + int64(time.Thursday)) % 7) // 1970 began on a Thursday
		sum += z.weight * r.shape.At(weekday, int(local-day*minutesPerDay))
	}
	return sum
}

// at is the expected number of requests a second in a minute since 1970.
func (r *rate) at(m int64) float64 {
	x := r.peak * r.mixture(m)
	if r.level != nil {
		x *= r.level.at(m*60 + 30)
	}
	return x
}

// expected is the expected number of requests between two instants, in
// nanoseconds since 1970.
func (r *rate) expected(from, to int64) float64 {
	sum := 0.0
	for from < to {
		m := floorDiv(from, int64(minute))
		end := min((m+1)*int64(minute), to)
		sum += r.at(m) * time.Duration(end-from).Seconds()
		from = end
	}
	return sum
}
