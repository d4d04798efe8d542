package traffic

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// AnyModel is the name in TraceOptions.Models that stands for every name which
// the mapping does not hold otherwise. A file without a column of models is mapped
// with it.
const AnyModel = "*"

// maxScale bounds the multiplication of requests.
const maxScale = 1e9

// Columns are the names of the columns of a trace. An empty name stands for the
// customary one: time, model, requests, work.
type Columns struct {
	Time     string
	Model    string
	Requests string // requests of the row; needed where rows are bins
	Work     string // sum over the row's requests; all requests are average where there is no such column
}

// TraceOptions say how to read a trace.
type TraceOptions struct {
	Columns Columns
	// Step is the length of the bins that rows are. Zero makes every row a request
	// at the row's time.
	Step time.Duration
	// Models maps the names of the trace to ours; rows of other names are ignored
	// and counted. Several names may map to one model. An empty mapping takes every
	// name as it is.
	Models map[string]fleet.ModelName
	// Scale multiplies requests; zero is one.
	Scale float64
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

// check fills in defaults and tells what makes no sense.
func (o TraceOptions) check(file string) (TraceOptions, error) {
	complain := func(what, fix string) error {
		return &TraceError{Fault: FaultOptions, File: file, What: what, Fix: fix}
	}
	if o.Scale == 0 {
		o.Scale = 1
	}
	switch {
	case !(o.Scale > 0 && o.Scale <= maxScale):
		return o, complain("scale "+number(o.Scale)+" is not above zero and at most "+number(maxScale), "give a factor such as 100 or 0.5")
	case o.Step < 0:
		return o, complain("step "+o.Step.String()+" is negative", "give the length of a bin, such as 1m, or no step where every row is a request")
	case o.Duration <= 0 || o.Duration > maxWindow:
		return o, complain("duration "+o.Duration.String()+" is not between zero and ten years", "give a duration such as 14d")
	case o.History < 0 || o.History > maxWindow:
		return o, complain("history "+o.History.String()+" is not between zero and ten years", "give a duration such as 2d, or none")
	case o.Start.Year() < firstYear || o.Start.Year() > lastYear:
		return o, complain("start "+stamp(o.Start)+" lies outside the years 1970 to 2199", "give a start inside the recording")
	}
	return o, o.checkMaps(file)
}

// checkMaps tells what is wrong with the two maps.
func (o TraceOptions) checkMaps(file string) error {
	complain := func(what, fix string) error {
		return &TraceError{Fault: FaultOptions, File: file, What: what, Fix: fix}
	}
	for _, model := range slices.Sorted(maps.Keys(o.MeanWork)) {
		if mean := o.MeanWork[model]; !(mean >= 1e-9 && mean <= maxWork) {
			return complain(fmt.Sprintf("the mean work of %s is %s", quote(model), number(mean)), "give the average work of a request, above zero, in the unit of the work column")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.Models)) {
		if o.Models[name] == "" {
			return complain("trace model "+quote(name)+" is mapped to no model", "name the model that receives its requests")
		}
	}
	return nil
}

// header is where the columns are in a row.
type header struct {
	names                       []string
	time, model, requests, work int // -1 where there is none
}

// locate finds the columns.
func (o TraceOptions) locate(file string, line int, names []string) (header, error) {
	h := header{names: names}
	var err error
	find := func(name, customary string, needed bool) int {
		explicit := name != ""
		if !explicit {
			name = customary
		}
		var at []int
		for i, n := range names {
			if n == name {
				at = append(at, i)
			}
		}
		switch {
		case len(at) == 1:
			return at[0]
		case len(at) > 1 && err == nil:
			err = &TraceError{
				Fault: FaultColumn, File: file, Line: line,
				What: fmt.Sprintf("column %s is there %d times", quote(name), len(at)), Fix: "rename all but one of them",
			}
		case (needed || explicit) && err == nil:
			err = missing(file, line, name, customary, names)
		}
		return -1
	}
	_, anyModel := o.Models[AnyModel]
	h.time = find(o.Columns.Time, "time", true)
	h.model = find(o.Columns.Model, "model", !anyModel)
	h.requests = find(o.Columns.Requests, "requests", o.Step > 0)
	h.work = find(o.Columns.Work, "work", false)
	return h, err
}

func missing(file string, line int, name, role string, names []string) error {
	e := &TraceError{
		Fault: FaultColumn, File: file, Line: line,
		What: fmt.Sprintf("there is no column %s; the columns are %s", quote(name), listing(names)),
		Fix:  fmt.Sprintf("name the column of the %s under columns", role) + didYouMean(name, names),
	}
	switch {
	case len(names) == 1:
		e.Fix = "the first line must name the columns, separated by commas"
	case role == "model":
		e.Fix += ` (a file of one model needs none when "*" is mapped to it)`
	}
	return e
}

// steps tells whether rows are bins.
func (o TraceOptions) steps() bool { return o.Step > 0 }

// scaled is the number of requests that the first n recorded ones become: n
// times the scale, rounded half up. What a row becomes is the difference between
// two such numbers, so that every prefix of a trace is right to half a request,
// its total too, and equal rows of a fractional scale take turns.
func scaled(n int64, scale float64) int64 { return int64(math.Floor(float64(n)*scale + 0.5)) }
