package simulator

import (
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// attainmentMinutes is the window of the attainment signal.
const attainmentMinutes = 5

// minutes is what a scraper would see of a model: counts and shares of whole
// minutes of the clock. Whatever happens to the model calls roll before it
// counts, so that every minute is closed with what was true at its end, whoever
// looks and when.
type minutes struct {
	closed int   // whole minutes so far; below zero in the rest of a minute in which the world began
	end    int64 // of the minute being counted, in nanoseconds since the start

	arrivals int64         // in the minute being counted
	outcome  outcome       // likewise
	busy     level         // servers at work; streams in use
	up       level         // servers that are ready, or still at work while they drain; their streams
	late     level         // sessions that run, but not in real time
	times    *sessionTimes // nil for requests

	lastArrivals     int64 // in the last whole minute
	lastBusy, lastUp int64 // nanoseconds of servers in it
	outcomes         [attainmentMinutes]outcome
	ever             outcome // since the start
}

// outcome counts requests that ended, served or dropped; of sessions, the
// milliseconds of media that ran or were refused.
type outcome struct{ all, inSLO int64 }

// minuteOffset is how far an instant lies in its minute of the clock.
func minuteOffset(t time.Time) int64 { return int64(t.Sub(t.Truncate(time.Minute))) }

func newMinutes(intoMinute int64) minutes {
	c := minutes{end: int64(time.Minute) - intoMinute}
	if intoMinute > 0 {
		c.closed = -1
	}
	return c
}

// roll closes every minute that ended by now.
func (c *minutes) roll(now int64) {
	for now >= c.end {
		busy, up := c.busy.take(c.end), c.up.take(c.end)
		c.ran(busy, c.late.take(c.end))
		if c.closed >= 0 {
			c.lastArrivals, c.lastBusy, c.lastUp = c.arrivals, busy, up
			c.outcomes[c.closed%attainmentMinutes] = c.outcome
		}
		c.arrivals, c.outcome = 0, outcome{}
		c.closed++
		c.end += int64(time.Minute)
	}
}

// ended counts a request that was served or dropped.
func (c *minutes) ended(inSLO bool) {
	if inSLO {
		c.count(1, 1)
		return
	}
	c.count(1, 0)
}

// count adds to what ended in this minute and since the start.
func (c *minutes) count(all, inSLO int64) {
	c.outcome.all += all
	c.outcome.inSLO += inSLO
	c.ever.all += all
	c.ever.inSLO += inSLO
}

// signals is what a controller can measure of the model. Their age is that of
// the last whole minute; the backlog is read at once.
func (m *model) signals(now int64) fleet.ModelSignals {
	c := &m.minutes
	c.roll(now)
	early := fleet.Unknown("no whole minute has passed")
	out := fleet.ModelSignals{
		Model: m.Name, Arrivals: early, Attainment: early, Utilisation: early,
		Backlog: fleet.Measured(float64(m.backlog()), 0, 1),
	}
	if c.closed < 1 {
		return out
	}
	age := time.Duration(now - (c.end - int64(time.Minute)))
	out.Arrivals = fleet.Measured(float64(c.lastArrivals)/time.Minute.Seconds(), age, 1)
	out.Attainment = fleet.Unknown("nothing ended in the last minutes")
	var sum outcome
	for _, o := range c.outcomes {
		sum.all, sum.inSLO = sum.all+o.all, sum.inSLO+o.inSLO
	}
	if sum.all > 0 {
		out.Attainment = fleet.Measured(float64(sum.inSLO)/float64(sum.all), age, 1)
	}
	out.Utilisation = fleet.Unknown("no replica was ready")
	if c.lastUp > 0 {
		out.Utilisation = fleet.Measured(float64(c.lastBusy)/float64(c.lastUp), age, 1)
	}
	return out
}

// level integrates a number of servers, or of sessions, over time, exactly.
type level struct {
	n     int64
	since int64
	area  int64 // nanoseconds of servers since the last take, up to since
	taken int64 // nanoseconds of servers before that
}

func (l *level) change(by, now int64) {
	l.area += l.n * (now - l.since)
	l.n, l.since = l.n+by, now
}

// take returns the integral up to now and begins anew.
func (l *level) take(now int64) int64 {
	l.change(0, now)
	area := l.area
	l.area = 0
	l.taken += area
	return area
}

// integral is that since the start, up to now.
func (l *level) integral(now int64) int64 { return l.taken + l.pending(now) }

// pending is the integral up to now of what was not taken yet.
func (l *level) pending(now int64) int64 { return l.area + l.n*(now-l.since) }
