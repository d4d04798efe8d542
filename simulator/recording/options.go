package recording

import (
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tessera-autoscaler/tessera/simulator/internal/words"
)

// The formats. An empty format is recognised by the content.
const (
	CSV      = "csv"      // ours: time, model, requests, work, under any names
	Azure    = "azure"    // Azure LLM inference traces 2023 and 2024
	BurstGPT = "burstgpt" // BurstGPT
	Mooncake = "mooncake" // Mooncake, one JSON object a line
	ServeGen = "servegen" // rates and burstiness per client and window
	Grafana  = "grafana"  // a panel's data: one column of times, one a series
	Series   = "series"   // one column of times, one or more of values
	Values   = "values"   // one value a line
	Slots    = "slots"    // one count a day and slot of the day
	Parquet  = "parquet"  // our columns
)

// Formats lists the names of all formats.
func Formats() []string {
	return []string{CSV, Azure, BurstGPT, Mooncake, ServeGen, Grafana, Series, Values, Slots, Parquet}
}

// What the values of a recording count.
const (
	Counts = "requests" // requests of the bin
	Rates  = "rate"     // requests a second
)

// AnyModel is the name of rows of a recording that names no model.
const AnyModel = "*"

// Columns are the names of the columns of a recording. An empty name stands for
// the customary one of the format.
type Columns struct {
	Time     string
	Model    string
	Requests string // requests of the row; needed where rows are bins
	Work     string // sum over the row's requests
	Input    string // tokens that the row's requests bring, together
	Output   string // tokens that they are answered with
}

// Linear makes work of tokens: Input times the tokens that come in and Output
// times those that go out.
type Linear struct{ Input, Output float64 }

// Options say how to read a recording. The zero value takes what the file says.
type Options struct {
	Format  string
	Columns Columns
	// Step is the length of the bins that rows are. For CSV and Parquet zero makes
	// every row a request at its time; other formats with bins know their step or
	// take it from the distance of the first two rows.
	Step time.Duration
	// OneModel allows CSV and Parquet to have no column of models.
	OneModel bool
	Unit     string // Counts or Rates; Counts where it is empty, but Grafana has to be told
	// Begins is the instant of second zero of a recording without dates; one with
	// dates is moved so that its first row lies there. Zero: 1970 and no move.
	Begins time.Time
	// Otherwise is what Begins is for recordings without dates where it is not given.
	Otherwise time.Time
	Tick      time.Duration // of a column of times that counts; a second where it is zero
	// Opens is the time of day of the first slot; Weekdays lays days on working
	// days, from a Monday on. Both are of Slots only.
	Opens    *time.Duration
	Weekdays *bool
	// Tokens is ServeGen's file of tokens per client, with the name for complaints.
	Tokens     io.Reader
	TokensName string
	// Wanted tells names whose rows count; nil means all. The others need no tokens.
	Wanted func(name string) bool
	Work   *Linear // nil: the column of work, if there is one
	Limits *Limits // nil: DefaultLimits
}

// maxStep bounds steps and ticks: longer ones are slips of the pen.
const maxStep = 366 * 24 * time.Hour

// check tells what makes no sense.
func (o Options) check(file string) error {
	complain := func(what, fix string) error {
		return &Error{Fault: FaultOptions, File: file, What: what, Fix: fix}
	}
	switch units := []string{Counts, Rates}; {
	case o.Format != "" && !slices.Contains(Formats(), o.Format):
		return complain("there is no format "+words.Quote(o.Format), "use one of "+words.Listing(Formats())+words.DidYouMean(o.Format, Formats()))
	case o.Unit != "" && !slices.Contains(units, o.Unit):
		return complain("there is no unit "+words.Quote(o.Unit), "use "+Counts+" (of each step) or "+Rates+" (requests a second)"+words.DidYouMean(o.Unit, units))
	case o.Work != nil && !o.Work.sound():
		return complain("work of "+words.Number(o.Work.Input)+" an input token and "+words.Number(o.Work.Output)+" an output token", "give two finite factors, zero or more, not both zero")
	}
	return o.checkTimes(complain)
}

// checkTimes tells what makes no sense of what is a time.
func (o Options) checkTimes(complain func(what, fix string) error) error {
	switch {
	case o.Step < 0 || o.Step > maxStep:
		return complain("step "+o.Step.String()+" is not between zero and a year", "give the length of a bin, such as 1m, or no step where every row is a request")
	case o.Tick < 0 || o.Tick > maxStep:
		return complain("tick "+o.Tick.String()+" is not between zero and a year", "give the length of one unit of the column of times, such as 1s")
	case !o.Begins.IsZero() && (o.Begins.Year() < firstYear || o.Begins.Year() > lastYear):
		return complain("it begins in "+o.Begins.Format(time.RFC3339)+", outside the years 1970 to 2199", "give the instant of its second zero")
	case o.Opens != nil && (*o.Opens < 0 || *o.Opens >= 24*time.Hour):
		return complain("the day opens at "+o.Opens.String(), "give the time of day of the first slot, such as 7h")
	}
	return nil
}

func (l Linear) sound() bool {
	ok := func(x float64) bool { return x >= 0 && x <= 1e9 }
	return ok(l.Input) && ok(l.Output) && l.Input+l.Output > 0
}

// of is the work of a row's tokens.
func (l Linear) of(input, output float64) float64 {
	return math.Min(l.Input*input+l.Output*output, maxWork)
}

// zero is the instant of second zero of a recording without dates.
func (o Options) zero() time.Time {
	if o.Begins.IsZero() {
		return o.Otherwise
	}
	return o.Begins
}

// limits are those that hold.
func (o Options) limits() Limits {
	if o.Limits != nil {
		return *o.Limits
	}
	return DefaultLimits
}

// lower compares names of columns without case and blanks.
func lower(name string) string { return strings.ToLower(strings.TrimSpace(name)) }
