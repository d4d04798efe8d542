package evaluate

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/tessera-autoscaler/tessera/forecast/series"
)

// Trial says how series are forecast from rolling origins and scored.
type Trial struct {
	Leads []time.Duration // from asking for capacity to serving
	From  float64         // share of the bins before the first scored target
	Delay time.Duration   // how long a bin stays unseen after it ended
	Zone  *time.Location  // whose clock days and hours follow; nil is UTC
	Level float64         // quantile level that is bought
	GPUs  GPUs
	// Clock tells how much time was used so far, for Result.Times; nil: not measured.
	Clock func() time.Duration
}

// Row is one forecast beside what came.
type Row struct {
	Method string
	Origin int           // the newest bin that was visible
	Lead   time.Duration // as asked for
	Target int           // the bin that was forecast
	Actual float64
	Answer Answer
}

// Times is how long a method took for a series.
type Times struct {
	Method    string        `json:"method"`
	Updates   int           `json:"updates"`
	Update    time.Duration `json:"update_ns"` // all of them together, refits counted
	Forecasts int           `json:"forecasts"`
	Forecast  time.Duration `json:"forecast_ns"` // likewise
}

// Result is what a trial found of one series.
type Result struct {
	Series string  `json:"series"`
	Step   Length  `json:"step"`
	Bins   int     `json:"bins"`
	Gaps   int     `json:"gaps"`
	Scores []Score `json:"scores"` // by lead, then method
	Times  []Times `json:"times"`  // by method
}

// Check tells what makes no sense in a trial.
func (t *Trial) Check() error {
	switch {
	case len(t.Leads) == 0:
		return errors.New("leads are empty, need at least one")
	case !(t.From >= 0 && t.From < 1):
		return fmt.Errorf("from = %v, must be at least 0 and below 1", t.From)
	case t.Delay < 0:
		return fmt.Errorf("delay = %v, must not be negative", t.Delay)
	case !(t.Level > 0 && t.Level < 1):
		return fmt.Errorf("level = %v, must lie between 0 and 1", t.Level)
	}
	for _, l := range t.Leads {
		if l <= 0 {
			return fmt.Errorf("lead = %v, must be positive", l)
		}
	}
	return t.GPUs.check()
}

// Run plays a series to each entrant. After every bin that ended, each forecasts
// the bins max(1, round(lead/step)) later, knowing only what had ended Delay before.
// Targets that lie in the last part of the series and are known are scored; visit,
// which may be nil, gets them in order of origin, then lead, then entrant. Nothing is
// forecast before the first value is visible.
func (t *Trial) Run(s *series.Series, entrants []Entrant, visit func(Row)) (Result, error) {
	if err := t.Check(); err != nil {
		return Result{}, fmt.Errorf("trial: %w", err)
	}
	g := t.newGame(s, entrants, visit)
	for i := range s.Values {
		seen := i - g.hidden
		if seen < 0 {
			continue
		}
		g.observe(seen)
		if g.awake {
			g.score(i, seen)
		}
	}
	return g.result(), nil
}

// game is a trial of one series under way.
type game struct {
	trial    *Trial
	series   *series.Series
	entrants []Entrant
	methods  []Method
	times    []Times
	visit    func(Row)
	hidden   int   // bins that ended but are not visible yet
	first    int   // index of the first scored target
	targets  []int // of each lead, in bins after the newest that ended
	hours    []hours
	prices   pricing
	scale    float64 // of MASE and MSIS
	tallies  [][]tally
	awake    bool
}

func (t *Trial) newGame(s *series.Series, entrants []Entrant, visit func(Row)) *game {
	g := &game{
		trial: t, series: s, entrants: entrants, visit: visit,
		hidden: int((t.Delay + s.Step - 1) / s.Step),
		first:  int(math.Ceil(t.From * float64(len(s.Values)))),
		prices: t.GPUs.of(s),
	}
	zone := t.Zone
	if zone == nil {
		zone = time.UTC
	}
	setting := Setting{
		Step: s.Step, Day: max(1, int((24*time.Hour+s.Step/2)/s.Step)),
		First: g.first, Level: t.Level, Zone: zone,
	}
	for _, lead := range t.Leads {
		k := max(1, int((lead+s.Step/2)/s.Step))
		g.targets = append(g.targets, k)
		setting.Ahead = append(setting.Ahead, k+g.hidden)
		g.tallies = append(g.tallies, make([]tally, len(entrants)))
	}
	for _, e := range entrants {
		g.methods = append(g.methods, e.New(setting))
		g.times = append(g.times, Times{Method: e.Name})
	}
	g.hours = hoursOf(s, zone, g.first)
	g.scale = scaleOf(s.Values[:g.first], setting.Day)
	return g
}

func (g *game) observe(seen int) {
	at, value := g.series.At(seen), g.series.Values[seen]
	g.awake = g.awake || !math.IsNaN(value)
	for j, m := range g.methods {
		begun := g.clock()
		m.Observe(at, value)
		g.times[j].Update += g.clock() - begun
		g.times[j].Updates++
	}
}

// score makes the forecasts that bin i allows.
func (g *game) score(i, seen int) {
	for l, k := range g.targets {
		target := i + k
		if target < g.first || target >= len(g.series.Values) || math.IsNaN(g.series.Values[target]) {
			continue
		}
		actual := g.series.Values[target]
		for j, m := range g.methods {
			begun := g.clock()
			a := m.Forecast(l)
			g.times[j].Forecast += g.clock() - begun
			g.times[j].Forecasts++
			g.tallies[l][j].add(actual, &a, g.trial.Level, g.hours[target-g.first], &g.prices)
			if g.visit != nil {
				g.visit(Row{Method: g.entrants[j].Name, Origin: seen, Lead: g.trial.Leads[l], Target: target, Actual: actual, Answer: a})
			}
		}
	}
}

func (g *game) clock() time.Duration {
	if g.trial.Clock == nil {
		return 0
	}
	return g.trial.Clock()
}

func (g *game) result() Result {
	r := Result{Series: g.series.Name, Step: Length(g.series.Step), Bins: len(g.series.Values), Gaps: g.series.Gaps(), Times: g.times}
	for l, lead := range g.trial.Leads {
		for j, e := range g.entrants {
			score := g.tallies[l][j].score(g.scale, &g.prices)
			score.Lead, score.Method = Length(lead), e.Name
			r.Scores = append(r.Scores, score)
		}
	}
	return r
}
