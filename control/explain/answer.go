package explain

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Answer tells what was found in the lines so far, the record in full included. An id
// of which the journal knows nothing is an UnknownError.
func (s *Search) Answer() (Answer, error) {
	a := s.answer
	switch {
	case s.question.kind == Plans:
		return a, nil
	case a.Kind == ATime && s.found.text != nil && !s.overstepped && s.question.at.After(s.end.Add(s.patience())):
		return Answer{}, s.unknown()
	case a.Kind == ATime && s.found.text != nil:
		a.Note = "in force at " + stamp(s.question.at)
	case s.found.text != nil:
	case a.Kind == AModel && a.Total > 0:
		return a, nil
	case a.Kind == AModel:
		a.Note = fmt.Sprintf("nothing was decided about %s: it kept what it had", a.ID)
		return a, nil
	case !s.seen.IsZero():
		a.Note = fmt.Sprintf("no plan touched it: it was there before, and the record sees it from %s to %s", stamp(s.seen), stamp(s.gone))
		return a, nil
	default:
		return Answer{}, s.unknown()
	}
	explanation, err := explained(*s.found.settings, s.found.text, s.found.focus)
	if err != nil {
		return Answer{}, fmt.Errorf("line %d: %w", s.found.line, err)
	}
	explanation.Line = s.found.line
	a.Explanation = &explanation
	return a, nil
}

// patience is for how long after the last record its plan is taken to be in force.
func (s *Search) patience() time.Duration { return 2 * s.settings.Policy.Ticks.Plan }

// unknown says what is there in place of what was asked for.
func (s *Search) unknown() error {
	e := &UnknownError{ID: s.question.ID, Cause: "it holds no decision at all"}
	if s.begun.IsZero() {
		return e
	}
	e.Cause = fmt.Sprintf("it goes from %s to %s", stamp(s.begun), stamp(s.end))
	if s.question.kind == APlan {
		e.Near = s.plansAround()
		return e
	}
	e.Known = slices.Sorted(maps.Keys(s.names))
	return e
}

// plansAround are the last plan before the one that was asked for, and the first after
// it.
func (s *Search) plansAround() []string {
	at, err := time.Parse("20060102T150405Z", strings.TrimPrefix(s.question.ID, "plan-"))
	if err != nil {
		return nil
	}
	var out []string
	i, _ := slices.BinarySearchFunc(s.plans, at, time.Time.Compare)
	for _, j := range []int{i - 1, i} {
		if j >= 0 && j < len(s.plans) {
			out = append(out, "plan-"+s.plans[j].UTC().Format("20060102T150405Z"))
		}
	}
	return out
}

// stamp prints a time for people, such as Mon 14 Sep 2026 05:29:00 UTC.
func stamp(t time.Time) string { return t.UTC().Format("Mon 2 Jan 2006 15:04:05 UTC") }
