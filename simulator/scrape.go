package simulator

import (
	"fmt"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// Scraping is how signals reach a controller. The zero value shows the last whole
// minute of the clock, and the backlog of this instant.
type Scraping struct {
	Every  time.Duration // between two scrapes, which are aligned with the clock
	Delay  time.Duration // until a scrape can be read
	Window time.Duration // over which rates and shares are taken: so many scrapes
}

// usual is a scrape a minute of the clock.
var usual = Scraping{Every: time.Minute, Window: time.Minute}

func (s Scraping) validate() error {
	if s == (Scraping{}) {
		return nil
	}
	if s.Every < time.Second || s.Window < s.Every || s.Window%s.Every != 0 || s.Delay < 0 || s.Window > time.Hour || s.Delay > time.Hour {
		return fmt.Errorf("signals scraped every %v over windows of %v, late by %v: scrape at most once a second, over whole scrapes, and windows and delays up to an hour", s.Every, s.Window, s.Delay)
	}
	return nil
}

// capture is what a scrape reads of a model: counters since the start.
type capture struct {
	arrived  int64
	outcome  outcome
	busy, up int64 // nanoseconds of servers
	backlog  int
}

// scrapes are the last captures of all models. A world in which nothing needs them
// has none.
type scrapes struct {
	Scraping
	first int64       // when the first scrape is
	taken int64       // how many there were
	rings [][]capture // by model
}

// scrape begins to capture, where signals are not simply those of the last minute.
func (w *World) scrape(s Scraping) {
	w.scraping = s
	needed, latest := s != (Scraping{}), time.Duration(0)
	for _, f := range w.faults {
		if f.Kind == MetricsDelayed {
			needed, latest = true, max(latest, f.By)
		}
	}
	if !needed {
		return
	}
	if s == (Scraping{}) {
		s = usual
	}
	c := &scrapes{Scraping: s, first: int64(s.Every - w.start.Sub(w.start.Truncate(s.Every)))}
	c.first %= int64(s.Every)
	size := int((s.Delay+latest+max(s.Window, attainmentMinutes*time.Minute))/s.Every) + 2
	for range w.models {
		c.rings = append(c.rings, make([]capture, size))
	}
	w.scrapes = c
	w.heap.push(event{at: c.first, kind: evScrape})
}

// capture reads every model, and comes again.
func (w *World) capture() {
	c := w.scrapes
	for i, m := range w.models {
		m.minutes.roll(w.now)
		c.rings[i][c.taken%int64(len(c.rings[i]))] = capture{
			arrived: m.arrived, outcome: m.minutes.soFar(w.now), busy: m.minutes.busy.integral(w.now), up: m.minutes.up.integral(w.now),
			backlog: m.backlog(),
		}
	}
	c.taken++
	w.heap.push(event{at: w.now + int64(c.Every), kind: evScrape})
}

// measures is what can be read of a model with a delay.
func (w *World) measures(m *model, delay time.Duration) fleet.ModelSignals {
	out := m.signals(w.now)
	if w.scraping == (Scraping{}) && delay == 0 {
		return out
	}
	early := fleet.Unknown("no scrape can be read yet")
	out.Arrivals, out.Backlog, out.Attainment, out.Utilisation = early, early, early, early
	c := w.scrapes
	since := w.now - int64(delay) - c.first
	last := min(since/int64(c.Every), c.taken-1)
	if since < 0 || last < 0 {
		return out
	}
	age := time.Duration(w.now - c.first - last*int64(c.Every))
	at := func(k int64) capture { return c.rings[m.index][k%int64(len(c.rings[m.index]))] }
	now := at(last)
	out.Backlog = fleet.Measured(float64(now.backlog), age, 1)
	window := int64(c.Window / c.Every)
	if last < window {
		early = fleet.Unknown("no whole window has passed")
		out.Arrivals, out.Attainment, out.Utilisation = early, early, early
		return out
	}
	before := at(last - window)
	out.Arrivals = fleet.Measured(float64(now.arrived-before.arrived)/c.Window.Seconds(), age, 1)
	out.Utilisation = fleet.Unknown("no replica was ready")
	if up := now.up - before.up; up > 0 {
		out.Utilisation = fleet.Measured(float64(now.busy-before.busy)/float64(up), age, 1)
	}
	lately := int64(max(c.Window, attainmentMinutes*time.Minute) / c.Every)
	before = at(max(0, last-lately))
	out.Attainment = fleet.Unknown("nothing ended in the last minutes")
	if all := now.outcome.all - before.outcome.all; all > 0 {
		out.Attainment = fleet.Measured(float64(now.outcome.inSLO-before.outcome.inSLO)/float64(all), age, 1)
	}
	return out
}
