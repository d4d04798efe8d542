package judge

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/peer"
)

// Search finds the cheapest setup with which a controller keeps the service level
// of every model in a trial; where it finds none, the one that comes closest.
//
// It goes down one coordinate after the other, from the documented defaults:
// layout, minimum replicas, each parameter, over and over until a whole round
// brings nothing or the runs are used up. That is done on the beginning of the
// scenario; the best few are then judged on all of it, and the best of those wins.
// The same trial and search give the same answer, on any number of workers.
type Search struct {
	Trial      *Trial
	Inputs     string // digest of the scenario and all files that it names
	Store      Store
	Controller string
	Target     float64       // attainment that every model is to have; zero is the target of its SLO
	Beginning  time.Duration // of the scenario, on which setups are compared
	Runs       int           // on the beginning, at most
	Layouts    int           // tried, at most
	Workers    int
	Tell       func(format string, args ...any) // what was found so far; may be nil
}

// Found is what a search came to.
type Found struct {
	Setup  peer.Setup
	Result simulator.Result // on the whole scenario
	Meets  bool             // every model has its attainment
	Runs   int              // setups tried on the beginning
}

// tried is a setup and what came of it.
type tried struct {
	setup     peer.Setup
	result    simulator.Result
	shortfall float64 // of all models below their target, added up
	turn      int     // in which it was tried: of equals, the one nearest to the defaults stays
}

// finalists is how many setups are judged on the whole scenario at once.
const finalists = 3

// Find searches.
func (s Search) Find(ctx context.Context) (Found, error) {
	d, err := s.start()
	if err != nil {
		return Found{}, err
	}
	if err := d.descend(ctx); err != nil {
		return Found{}, err
	}
	// Those that did well on the beginning may fail on the rest: then the next best
	// have their turn, up to three times.
	ranked := slices.SortedFunc(maps.Values(d.seen), compareTried)
	if s.Trial.Scenario.Duration <= s.Beginning {
		return Found{ranked[0].setup, ranked[0].result, ranked[0].shortfall == 0, d.runs}, nil
	}
	var best *tried
	for round := 0; round < 3 && len(ranked) > 0; round++ {
		n := min(finalists, len(ranked))
		setups := make([]peer.Setup, n)
		for i := range setups {
			setups[i] = ranked[i].setup
		}
		ranked = ranked[n:]
		d.tell("  judging the best %d on all of it", n)
		whole, err := d.judge(ctx, setups, 0)
		if err != nil {
			return Found{}, err
		}
		for i := range whole {
			if best == nil || compareTried(whole[i], *best) < 0 {
				best = &whole[i]
			}
		}
		if best.shortfall == 0 {
			break
		}
	}
	d.tell("%s of %s, all of it: %s", s.Controller, s.Trial.Scenario.Name, best.describe())
	return Found{best.setup, best.result, best.shortfall == 0, d.runs}, nil
}

// descent is a search under way.
type descent struct {
	Search
	designer
	layouts []peer.Setup
	floors  []float64
	knobs   []peer.Parameter
	run     func(ctx context.Context, setup peer.Setup, duration time.Duration) (simulator.Result, error)
	at      point
	best    *tried
	seen    map[string]tried // on the beginning, by setup
	runs    int
}

// point is where a descent stands, by coordinate.
type point struct {
	layout int
	floor  float64
	knobs  map[string]float64
}

// floors are the minimum replicas that are tried, as shares of what the mean load
// needs.
var floors = []float64{0, 0.5, 1, 1.5}

// start makes a descent that stands at the defaults.
func (s Search) start() (*descent, error) {
	if !slices.Contains(peer.Names(), s.Controller) {
		return nil, fmt.Errorf("there is nothing to tune of %q: %s runs under the policy as it is, and %s fits itself to each world", s.Controller, Tessera, Clairvoyant)
	}
	d := &descent{Search: s, knobs: peer.Parameters(s.Controller), at: point{knobs: map[string]float64{}}, seen: map[string]tried{}}
	d.run = func(ctx context.Context, setup peer.Setup, duration time.Duration) (simulator.Result, error) {
		result, _, err := s.Store.Run(ctx, s.Trial, s.Inputs, Job{Controller: s.Controller, Setup: &setup, Duration: duration})
		return result, err
	}
	truth, err := s.Trial.truth()
	if err != nil {
		return nil, err
	}
	settings := s.Trial.Scenario.Settings
	d.designer, d.floors = designerOf(settings, truth.Known()), floors
	for _, l := range Layouts(settings, truth.Known(), s.Layouts) {
		d.layouts = append(d.layouts, l.Setup)
	}
	if len(d.layouts) == 0 {
		return nil, fmt.Errorf("no layout of %s holds all models: measure each on a kind of slice that may be bought", s.Trial.Scenario.Name)
	}
	return d, nil
}

// descend tries the values of one coordinate after the other and goes to the best.
func (d *descent) descend(ctx context.Context) error {
	for moved := true; moved && d.runs < d.Runs; {
		before := d.at
		for c := range 2 + len(d.knobs) {
			ran := d.runs
			if err := d.try(ctx, d.along(c)); err != nil {
				return err
			}
			if d.runs > ran {
				d.tell("  %d of at most %d setups tried: %s", d.runs, d.Runs, d.best.describe())
			}
		}
		moved = !before.equal(d.at)
	}
	d.tell("%s of %s, on its beginning: %s after %d runs", d.Controller, d.Trial.Scenario.Name, d.best.describe(), d.runs)
	return nil
}

func (p point) equal(o point) bool {
	return p.layout == o.layout && p.floor == o.floor && maps.Equal(p.knobs, o.knobs)
}

// along lists the points that differ from the present one in a coordinate.
func (d *descent) along(coordinate int) []point {
	var out []point
	with := func(change func(*point)) {
		p := d.at
		p.knobs = maps.Clone(p.knobs)
		change(&p)
		out = append(out, p)
	}
	switch coordinate {
	case 0:
		for i := range d.layouts {
			with(func(p *point) { p.layout = i })
		}
	case 1:
		for _, share := range d.floors {
			with(func(p *point) { p.floor = share })
		}
	default:
		parameter := d.knobs[coordinate-2]
		for _, v := range append([]float64{parameter.Default}, parameter.Try...) {
			with(func(p *point) { p.knobs[parameter.Name] = v })
		}
	}
	return out
}

// setup is the setup of a point.
func (d *descent) setup(p point) peer.Setup {
	if d.layouts == nil {
		return peer.Setup{Parameters: p.knobs}
	}
	s := d.floor(d.layouts[p.layout], p.floor)
	s.Parameters = p.knobs
	return s
}

// try judges points on the beginning and goes to the best, if it is better than
// where the descent stands.
func (d *descent) try(ctx context.Context, points []point) error {
	var fresh []peer.Setup
	asked := map[string]bool{}
	for _, p := range points {
		setup := d.setup(p)
		name, err := nameOf(setup)
		if err != nil {
			return err
		}
		_, known := d.seen[name]
		if known || asked[name] || d.runs+len(fresh) >= d.Runs {
			continue
		}
		asked[name] = true
		fresh = append(fresh, setup)
	}
	judged, err := d.judge(ctx, fresh, d.Beginning)
	if err != nil {
		return err
	}
	for _, t := range judged {
		name, err := nameOf(t.setup)
		if err != nil {
			return err
		}
		d.seen[name] = t
	}
	for _, p := range points {
		name, err := nameOf(d.setup(p))
		if err != nil {
			return err
		}
		if t, known := d.seen[name]; known && (d.best == nil || compareTried(t, *d.best) < 0) {
			d.best, d.at = &t, p
		}
	}
	return nil
}

// nameOf tells setups apart.
func nameOf(s peer.Setup) (string, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return "", fmt.Errorf("name a setup: %w", err)
	}
	return string(text), nil
}

// judge runs setups, on the beginning of the scenario or, for 0, on all of it.
func (d *descent) judge(ctx context.Context, setups []peer.Setup, duration time.Duration) ([]tried, error) {
	out := make([]tried, len(setups))
	err := each(ctx, d.Workers, len(setups), func(ctx context.Context, i int) error {
		result, err := d.run(ctx, setups[i], duration)
		out[i] = tried{setups[i], result, shortfall(d.Trial.Scenario.Settings.Policy.Models, d.Target, result), d.runs + i}
		return err
	})
	if duration > 0 {
		d.runs += len(setups)
	}
	return out, err
}

// compareTried orders what keeps every service level by cost, before what does
// not, by how much is lacking.
func compareTried(a, b tried) int {
	return cmp.Or(cmp.Compare(a.shortfall, b.shortfall), cmp.Compare(a.result.Cost.Micros(), b.result.Cost.Micros()),
		cmp.Compare(a.result.ScaleActions, b.result.ScaleActions), cmp.Compare(a.turn, b.turn))
}

func (t tried) describe() string {
	attained := 0.0
	if t.result.Attainment != nil {
		attained = *t.result.Attainment
	}
	text := fmt.Sprintf("%s, %.3f%% within the SLO", t.result.Cost.Describe(), 100*attained)
	if t.shortfall > 0 {
		text += fmt.Sprintf(", %.3g short of the targets", t.shortfall)
	}
	return text
}

func (d *descent) tell(format string, args ...any) {
	if d.Tell != nil {
		d.Tell(format, args...)
	}
}
