package prometheus

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// minWindow is the share of its window that must be covered for a rate to be known.
const minWindow = 0.8

var (
	errNoSeries = errors.New("no series")
	errNative   = errors.New("the answer is a histogram where a number was asked for")
)

// judgement decides what the answers of one reading are worth.
type judgement struct {
	config  Config
	sources []Source
	limits  map[fleet.ModelName]time.Duration
	lag     time.Duration // by which the instant of the answers is past
	tables  map[about]table
	bounds  map[int]boundsOf
	doubts  map[fleet.Doubt]bool
}

// take files answers. Where all of them failed on the way, it returns the first
// error: the server is not there.
func (j *judgement) take(questions []question, answers []answer) error {
	var first error
	lost := 0
	for i, q := range questions {
		a, labels := answers[i], j.sources[q.source].Pack.Keys
		switch q.kind {
		case bounds:
			labels = []string{"le"}
		case inFlight, podUtil:
			labels = []string{"namespace", "pod"}
		}
		t := tabulate(a, labels)
		switch {
		case a.err != nil:
			t.cause = "the query failed: " + said(a.err)
			if late(a.err) {
				t.cause = fmt.Sprintf("the query was not answered within %v", j.config.Timeout)
			}
		case len(a.warnings) > 0:
			t.cause = "the server warns: " + a.warnings[0]
		}
		if t.cause != "" {
			j.doubt(q.about, "%s", t.cause)
		}
		if unreachable(a.err) {
			lost++
			if first == nil {
				first = a.err
			}
		}
		j.tables[q.about] = t
	}
	if lost == len(questions) {
		return first
	}
	return nil
}

// doubt notes what is wrong for people.
func (j *judgement) doubt(a about, format string, args ...any) {
	j.doubts[fleet.Doubt{Subject: j.subject(a), Cause: fmt.Sprintf(format, args...)}] = true
}

func (j *judgement) subject(a about) string {
	return fmt.Sprintf("prometheus pack %s, %s", j.sources[a.source].Pack.Name, a.kind)
}

// unknown is a signal without a number, with where it should have come from.
func (j *judgement) unknown(a about, format string, args ...any) fleet.Signal {
	return fleet.Unknown(fmt.Sprintf("%s of %s: ", a.kind, j.sources[a.source].Pack.Name) + fmt.Sprintf(format, args...))
}

// model judges the signals of a model.
func (j *judgement) model(name fleet.ModelName) fleet.ModelSignals {
	return fleet.ModelSignals{
		Model: name, Arrivals: j.signal(name, arrivals), Backlog: j.signal(name, backlog),
		Attainment: j.signal(name, attainment), Utilisation: j.signal(name, utilisation),
	}
}

func (j *judgement) signal(name fleet.ModelName, k kind) fleet.Signal {
	source, found := sourceOf(j.sources, name, k)
	if !found {
		return fleet.Unknown(why(j.sources, name, k))
	}
	a := about{source: source, kind: k}
	if k == attainment {
		limit, known := j.limits[name]
		if !known {
			return j.unknown(a, "the policy does not have the model, so that it has no SLO")
		}
		a.limit = limit
		if cause := j.unbounded(a); cause != "" {
			return j.unknown(a, "%s", cause)
		}
	}
	t := j.tables[a]
	if t.cause != "" {
		return j.unknown(a, "%s", t.cause)
	}
	signal, key := j.sources[source].Pack.signal(k), j.sources[source].Models[name].text()
	r, err := t.one("", key)
	switch {
	case errors.Is(err, errNoSeries):
		return j.unknown(a, "%s", j.absence(source, key, signal))
	case err != nil:
		j.doubt(a, "%s: %v", key, err)
		return j.unknown(a, "%s: %v", key, err)
	}
	value := r.number
	if k == attainment || k == utilisation {
		if value, err = asShare(value); err != nil {
			return j.unknown(a, "%v", err)
		}
	}
	age, coverage, cause := j.worth(source, key, signal)
	if cause != "" {
		return j.unknown(a, "%s", cause)
	}
	return fleet.Measured(value, age, coverage)
}

// asShare checks a share. A little above one is the rounding of a quotient; not a
// number is a quotient of nothing.
func asShare(v float64) (float64, error) {
	switch {
	case math.IsNaN(v):
		return v, errors.New("there was nothing to take a share of")
	case v > 1+1e-9:
		return v, fmt.Errorf("%v is no share", v)
	}
	return min(v, 1), nil
}

// absence says why a model has no series. Where it is exposed all the same, the
// window may be too short for a rate.
func (j *judgement) absence(source int, key string, s Signal) string {
	text := "no series for " + key
	if _, err := j.ageOf(j.tables[about{source: source, kind: freshness}], key); err == nil && s.windowed() {
		text += fmt.Sprintf(", although it is exposed: is the metric there, and are there two scrapes in a window of %v?", j.config.Window)
	}
	if s.Missing != "" {
		text += "; " + s.Missing
	}
	return text
}

// worth tells how old the newest sample behind a model's signals is and which share
// of its targets is up, or why the signals are worth nothing.
func (j *judgement) worth(source int, key string, s Signal) (age time.Duration, coverage float64, cause string) {
	fresh, up := j.tables[about{source: source, kind: freshness}], j.tables[about{source: source, kind: targets}]
	switch {
	case fresh.cause != "":
		return 0, 0, "the age of the samples is not known: " + fresh.cause
	case up.cause != "":
		return 0, 0, "whether the targets are up is not known: " + up.cause
	}
	coverage, cause = j.coverage(up, key)
	if cause != "" {
		return 0, 0, cause
	}
	age, err := j.ageOf(fresh, key)
	if err != nil {
		return 0, 0, fmt.Sprintf("no sample of %s now: %v", strings.Join(j.sources[source].Pack.Samples, " or "), err)
	}
	if s.windowed() {
		share, err := fresh.one("window", key)
		if err != nil || !(share.number >= minWindow) {
			return 0, 0, fmt.Sprintf("the window of %v is %.0f %% covered by samples, %.0f %% are needed", j.config.Window, 100*max(share.number, 0), 100*minWindow)
		}
	}
	return age, coverage, ""
}

// coverage is the share of a model's targets that are up.
func (j *judgement) coverage(up table, key string) (share float64, cause string) {
	count := func(value string) float64 {
		r, err := up.one(value, key)
		if err != nil || !(r.number >= 0) || math.IsInf(r.number, 0) {
			return 0
		}
		return r.number
	}
	good, bad := count("1"), count("0")
	if good+bad == 0 {
		return 0, fmt.Sprintf("no target that showed %s in the last %v has an up", key, memory)
	}
	if share = good / (good + bad); share < j.config.MinCoverage {
		return 0, fmt.Sprintf("only %.0f of %.0f targets are up", good, good+bad)
	}
	return share, ""
}

// ageOf reads the age of the newest sample of a key.
func (j *judgement) ageOf(t table, key string) (time.Duration, error) {
	r, err := t.one("age", key)
	if err != nil {
		return 0, err
	}
	if !(r.number >= 0 && r.number < 1e9) {
		return 0, fmt.Errorf("an age of %v s", r.number)
	}
	return time.Duration(r.number*float64(time.Second)) + j.lag, nil
}
