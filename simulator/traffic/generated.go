package traffic

import (
	"fmt"
	"math"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/internal/words"
)

// The years that times may lie in, so that distances between them and
// nanoseconds since 1970 fit into 64 bits.
const (
	firstYear = 1970
	lastYear  = 2199
)

// maxWindow bounds a scenario and a history: longer ones are slips of the pen.
const maxWindow = 10 * 366 * 24 * time.Hour

// Generated describes traffic that is made rather than recorded: Poisson
// arrivals whose mean rate follows a shape and the clocks of its users,
//
//	rate(t) = Peak * mixture(t) / max mixture * level(t)
//	mixture(t) = sum over zones of Weight * shape(local time of the zone at t)
//
// constant within each minute. The level moves slowly around 1, by about 3 % from
// day to day and 2 % from hour to hour (see level), for shapes that follow the
// calendar unless Steady is set.
type Generated struct {
	Model fleet.ModelName
	Shape string  // one of Shapes
	Zone  string  // IANA name, such as Europe/Paris; empty is UTC
	Peak  float64 // requests a second at the maximum of the mean rate

	// Zones, in place of Zone, spreads the users over several clocks. Peak is the
	// maximum of the sum in ordinary weeks; in the few weeks a year when daylight
	// saving has begun on one side of an ocean only, the sum may pass it slightly.
	Zones []ZoneWeight
	Work  WorkSpread
	// Steady turns the slow movement of the level off.
	Steady bool
	// Part tells several generators of one model apart, so that each draws from
	// streams of its own.
	Part int
	// Lap tells repetitions of a generator apart, so that each draws its arrivals and
	// their work anew; the level is that of the absolute time in all of them.
	Lap int
}

// ZoneWeight is the share of users that live by one clock. Only the proportions
// of the weights count.
type ZoneWeight struct {
	Zone   string // IANA name
	Weight float64
}

// SpecError tells what is wrong with the description of generated traffic.
type SpecError struct {
	Model fleet.ModelName
	Field string // as in the scenario file, such as "zone"
	What  string
	Fix   string
}

func (e *SpecError) Error() string {
	return fmt.Sprintf("generate traffic of %s: %s: %s; %s", words.Quote(e.Model), e.Field, e.What, e.Fix)
}

// NewGenerated opens the source of the traffic from start on. All complaints are
// of type *SpecError.
func NewGenerated(spec Generated, start time.Time, duration time.Duration, seed uint64) (Source, error) {
	r, err := spec.rate(seed)
	if err != nil {
		return nil, err
	}
	if err := spec.checkWindow(start, duration); err != nil {
		return nil, err
	}
	from := start.UnixNano()
	if n := r.expected(from, from+int64(duration)); n > MaxRequests {
		return nil, &SpecError{
			spec.Model, "peak",
			fmt.Sprintf("%s requests a second would make about %.0f requests in %v, and a scenario holds at most %d", words.Number(spec.Peak), n, duration, MaxRequests),
			fmt.Sprintf("a peak of %.3g would fit", 0.995*spec.Peak*MaxRequests/n),
		}
	}
	size := newSampler(spec.Work, spec.lapStream(seed, "work").random())
	arrivals := spec.lapStream(seed, "arrivals").random()
	if spec.Shape == ShapeEven {
		return &metronome{peak: spec.Peak, phase: spec.phase(seed), duration: duration, size: size}, nil
	}
	return newGenerator(r, from, duration, arrivals, size), nil
}

// Expected returns the expected requests per bin of the window from start on,
// for charts and for adding up: the bins' sum is what the source yields on
// average. The last bin may be shorter. It is nil where NewGenerated complains.
func (g Generated) Expected(start time.Time, duration, step time.Duration, seed uint64) []Bin {
	r, err := g.rate(seed)
	if err != nil || step <= 0 || g.checkWindow(start, duration) != nil {
		return nil
	}
	var bins []Bin
	for at := time.Duration(0); at < duration; at += step {
		from := start.UnixNano() + int64(at)
		bins = append(bins, Bin{at, r.expected(from, from+int64(min(step, duration-at)))})
	}
	return bins
}

// History returns counts per bin of the span before start, drawn from the same
// rate with another random stream: what a monitoring system would have recorded
// of this traffic. The last bin ends at start; a rest of the span that is
// shorter than a step is left out. It is nil where NewGenerated complains.
func (g Generated) History(start time.Time, span, step time.Duration, seed uint64) []Bin {
	r, err := g.rate(seed)
	if err != nil || step <= 0 || g.checkWindow(start.Add(-span), span) != nil {
		return nil
	}
	random := g.stream(seed, "history").random()
	phase := g.phase(seed)
	n := int(span / step)
	bins := make([]Bin, 0, n)
	for i := range n {
		at := -step * time.Duration(n-i)
		from := start.UnixNano() + int64(at)
		count := 0.0
		if g.Shape == ShapeEven {
			count = math.Ceil((at+step).Seconds()*g.Peak-phase) - math.Ceil(at.Seconds()*g.Peak-phase)
		} else {
			count = poisson(r.expected(from, from+int64(step)), random)
		}
		bins = append(bins, Bin{at, count})
	}
	return bins
}

func (g Generated) stream(seed uint64, purpose string) streamKey {
	return streamKey{seed: seed, model: g.Model, purpose: purpose, part: g.Part}
}

// lapStream is a stream of the generator's lap.
func (g Generated) lapStream(seed uint64, purpose string) streamKey {
	if g.Lap > 0 {
		purpose += fmt.Sprintf(" of lap %d", g.Lap)
	}
	return g.stream(seed, purpose)
}

// phase is where between two ticks an even source begins, from 0 to 1.
func (g Generated) phase(seed uint64) float64 { return g.stream(seed, "phase").random().Float64() }

// rate checks the description and returns what it expects.
func (g Generated) rate(seed uint64) (*rate, error) {
	complain := func(field, what, fix string) error { return &SpecError{g.Model, field, what, fix} }
	if g.Model == "" {
		return nil, complain("model", "no model is named", "name the model that receives the requests")
	}
	shape, ok := NewShape(g.Shape)
	if !ok {
		return nil, complain("shape", "there is no shape "+words.Quote(g.Shape), "use one of "+words.Listing(Shapes())+words.DidYouMean(g.Shape, Shapes()))
	}
	if !(g.Peak >= 0) || math.IsInf(g.Peak, 0) {
		return nil, complain("peak", words.Number(g.Peak)+" is no rate", "give the requests a second at the busiest minute, zero or more")
	}
	if what, fix := g.Work.validate(); what != "" {
		return nil, complain("work", what, fix)
	}
	zones, err := g.clocks()
	if err != nil {
		return nil, err
	}
	var slow *level
	if shape.calendar() && !g.Steady {
		slow = newLevel(g.stream(seed, ""))
	}
	return newRate(shape, zones, g.Peak, slow), nil
}

// clocks loads the zones.
func (g Generated) clocks() ([]zone, error) {
	weights := g.Zones
	if len(weights) == 0 {
		weights = []ZoneWeight{{Zone: g.Zone, Weight: 1}}
	} else if g.Zone != "" {
		return nil, &SpecError{g.Model, "zone", "both zone and zones are given", "keep one of them"}
	}
	zones := make([]zone, 0, len(weights))
	for _, w := range weights {
		if !(w.Weight > 0 && w.Weight <= 1e6) {
			return nil, &SpecError{g.Model, "zones", "weight " + words.Number(w.Weight) + " of " + words.Quote(w.Zone) + " is not above zero", "give the share of users in that zone, such as 0.4"}
		}
		location, err := time.LoadLocation(w.Zone)
		if err != nil || w.Zone == "Local" {
			return nil, &SpecError{g.Model, "zone", words.Quote(w.Zone) + " is not a time zone of the IANA data base", "use a name such as Europe/Paris, America/New_York or UTC"}
		}
		zones = append(zones, zone{location, w.Weight})
	}
	return zones, nil
}

func (g Generated) checkWindow(start time.Time, duration time.Duration) error {
	if duration <= 0 || duration > maxWindow {
		return &SpecError{g.Model, "duration", duration.String() + " is not between zero and ten years", "give a duration such as 14d"}
	}
	if start.Year() < firstYear || start.Add(duration).Year() > lastYear {
		return &SpecError{
			g.Model, "start", fmt.Sprintf("the window from %s for %v leaves the years %d to %d", stamp(start), duration, firstYear, lastYear),
			"choose another start",
		}
	}
	return nil
}

// stamp prints an instant in UTC.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
