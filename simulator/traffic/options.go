package traffic

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/internal/words"
	"github.com/tessera-autoscaler/tessera/simulator/recording"
)

// AnyModel is the name in TraceOptions.Models that stands for every name which
// the mapping does not hold otherwise. A file without a column of models is mapped
// with it.
const AnyModel = recording.AnyModel

// maxScale bounds the multiplication of requests.
const maxScale = 1e9

// Columns are the names of the columns of a trace.
type Columns = recording.Columns

// The kinds of arrivals within a bin.
const (
	// ArrivalsPoisson scatters the known requests of a bin evenly at random.
	ArrivalsPoisson = "poisson"
	// ArrivalsGamma makes the times between the known requests of a bin gamma
	// distributed, of a given coefficient of variation or that of the recording.
	ArrivalsGamma = "gamma"
)

// TraceOptions say how to read a trace, and what a scenario makes of it.
type TraceOptions struct {
	Columns Columns
	// Step is the length of the bins that rows are. Zero makes every row a request
	// at the row's time, or a bin as long as the format says.
	Step time.Duration
	// Read says the rest of how the file is read; its Columns, Step, OneModel and
	// Wanted follow from this struct.
	Read recording.Options
	// Models maps the names of the trace to ours; rows of other names are ignored
	// and counted. Several names may map to one model. An empty mapping takes every
	// name as it is.
	Models map[string]fleet.ModelName
	// Scale multiplies requests; zero is one.
	Scale float64
	// Arrivals is ArrivalsPoisson, also where it is empty, or ArrivalsGamma with the
	// CV of the times between requests; zero takes the trace's own.
	Arrivals string
	CV       float64
	// Spread draws the work of each request around the mean of its row.
	Spread WorkSpread
	// Fill joins the bins on both sides of a gap by a straight line where it is no
	// longer than this.
	Fill time.Duration
	// The scenario begins at Start and lasts Duration; History before it is kept
	// for the forecast.
	Start             time.Time
	Duration, History time.Duration
	// MeanWork is a model's average work per request, in the unit of the work
	// column. Without it the average over the whole recording counts as 1.
	MeanWork map[fleet.ModelName]float64
	// Part tells several traces that feed one model apart, so that each draws from
	// a stream of its own.
	Part int
}

// reading is how the file is read.
func (o TraceOptions) reading() recording.Options {
	r := o.Read
	r.Columns, r.Step = o.Columns, o.Step
	_, r.OneModel = o.Models[AnyModel]
	r.Wanted = func(name string) bool { return o.Models[name] != "" || r.OneModel || len(o.Models) == 0 }
	if r.Otherwise.IsZero() {
		r.Otherwise = o.Start.Add(-o.History)
	}
	return r
}

// check fills in defaults and tells what makes no sense.
func (o TraceOptions) check(file string) (TraceOptions, error) {
	complain := func(what, fix string) error {
		return &recording.Error{Fault: recording.FaultOptions, File: file, What: what, Fix: fix}
	}
	if o.Scale == 0 {
		o.Scale = 1
	}
	switch {
	case !(o.Scale > 0 && o.Scale <= maxScale):
		return o, complain("scale "+words.Number(o.Scale)+" is not above zero and at most "+words.Number(maxScale), "give a factor such as 100 or 0.5")
	case o.Duration <= 0 || o.Duration > maxWindow:
		return o, complain("duration "+o.Duration.String()+" is not between zero and ten years", "give a duration such as 14d")
	case o.History < 0 || o.History > maxWindow:
		return o, complain("history "+o.History.String()+" is not between zero and ten years", "give a duration such as 2d, or none")
	case o.Fill < 0 || o.Fill > maxWindow:
		return o, complain("fill "+o.Fill.String()+" is not between zero and ten years", "give the longest gap that a straight line may fill, such as 10m")
	case o.Start.Year() < firstYear || o.Start.Year() > lastYear:
		return o, complain("start "+stamp(o.Start)+" lies outside the years 1970 to 2199", "give a start inside the recording")
	}
	if what, fix := o.Spread.validate(); what != "" {
		return o, complain(what, fix)
	}
	if what, fix := o.checkArrivals(); what != "" {
		return o, complain(what, fix)
	}
	return o, o.checkMaps(complain)
}

// maxArrivalCV bounds a CV that somebody gives: above it a bin is one burst.
const maxArrivalCV = 1000

func (o TraceOptions) checkArrivals() (what, fix string) {
	kinds := []string{ArrivalsPoisson, ArrivalsGamma}
	switch {
	case o.Arrivals != "" && !slices.Contains(kinds, o.Arrivals):
		return "arrivals " + words.Quote(o.Arrivals) + " are unknown", "use one of " + words.Listing(kinds) + words.DidYouMean(o.Arrivals, kinds)
	case o.CV != 0 && o.Arrivals != ArrivalsGamma:
		return "a cv of arrivals is given, but only gamma arrivals have one", "say arrivals: gamma, or leave cv out"
	case !(o.CV >= 0 && o.CV <= maxArrivalCV):
		return "cv " + words.Number(o.CV) + " is not above 0 and at most " + words.Number(maxArrivalCV), "give the standard deviation over the mean of the times between requests, such as 3"
	}
	return "", ""
}

// checkRead tells what makes no sense for the recording that was found.
func (o TraceOptions) checkRead(about recording.About) (what, fix string) {
	switch {
	case o.Arrivals == ArrivalsGamma && about.Step == 0:
		return "arrivals are gamma, but every row is a request with a time of its own", "leave arrivals out"
	case o.Arrivals == ArrivalsGamma && o.CV == 0 && !about.Bursty:
		return "arrivals are gamma, and the recording has no coefficient of variation", "give cv, such as 3"
	case o.Spread.Kind != "" && o.Spread.Kind != WorkFixed && about.Step == 0 && about.Sized:
		return "work is spread, but every request has its own", "leave spread out"
	case o.Fill > 0 && !about.Dense:
		return "gaps are to be filled, and in format " + about.Format + " a bin without a row had no requests", "leave fill out"
	}
	return "", ""
}

// checkMaps tells what is wrong with the two maps.
func (o TraceOptions) checkMaps(complain func(what, fix string) error) error {
	for _, model := range slices.Sorted(maps.Keys(o.MeanWork)) {
		if mean := o.MeanWork[model]; !(mean >= 1e-9 && mean <= 1e15) {
			return complain(fmt.Sprintf("the mean work of %s is %s", words.Quote(model), words.Number(mean)), "give the average work of a request, above zero, in the unit of the work column")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.Models)) {
		if o.Models[name] == "" {
			return complain("trace model "+words.Quote(name)+" is mapped to no model", "name the model that receives its requests")
		}
	}
	return nil
}

// scaled is the number of requests that the first n recorded ones become: n
// times the scale, rounded half up. What a row becomes is the difference between
// two such numbers, so that every prefix of a trace is right to half a request,
// its total too, and equal rows of a fractional scale take turns.
func scaled(n, scale float64) int64 { return int64(math.Floor(n*scale + 0.5)) }
