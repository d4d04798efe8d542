package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/control/explain"
	"github.com/tessera-autoscaler/tessera/fleet"
)

// shownChanges is how many changes of demand the text tells one by one.
const shownChanges = 8

// answerText tells an answer to a person.
func answerText(a explain.Answer, record string) string {
	var b strings.Builder
	switch a.Kind {
	case explain.Plans:
		fmt.Fprintf(&b, "%s did something", plural(a.Total, "plan"))
	case explain.ANode, explain.AServer, explain.AModel:
		fmt.Fprintf(&b, "%s %s: %s touched it", a.Kind, a.ID, plural(a.Total, "plan"))
	}
	if n := len(a.Events); n > 0 && n < a.Total {
		fmt.Fprintf(&b, ", the last %d are", n)
	}
	if b.Len() > 0 {
		b.WriteByte('\n')
	}
	for _, v := range a.Events {
		writeEvent(&b, v)
	}
	if a.Note != "" {
		fmt.Fprintln(&b, a.Note)
	}
	if a.Explanation != nil {
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		writeExplanation(&b, *a.Explanation)
	} else if len(a.Events) > 0 {
		fmt.Fprintf(&b, "\nfor one of them: autoscaler explain %s --record %s\n", a.Events[len(a.Events)-1].Plan, record)
	}
	return b.String()
}

// plural prints a count with its noun.
func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return grouped(int64(n)) + " " + noun
}

// at prints a time for people.
func at(t time.Time) string { return t.UTC().Format("Mon 02 Jan 15:04:05") }

func writeEvent(b *strings.Builder, v explain.Event) {
	fmt.Fprintf(b, "  %s  %s", at(v.At), v.Plan)
	if v.Need != nil {
		fmt.Fprintf(b, "  needs %s/s, has %s/s", threeDigits(*v.Need), threeDigits(*v.Have))
	}
	if v.Text != "" {
		fmt.Fprintf(b, "  %s: %s", plural(v.All, "step"), v.Text)
	}
	b.WriteByte('\n')
	for _, s := range v.Done {
		writeStep(b, "    ", s)
	}
	for _, r := range v.Held {
		fmt.Fprintf(b, "    held: %s\n", r)
	}
}

func writeStep(b *strings.Builder, indent string, s explain.Step) {
	fmt.Fprintf(b, "%s%s", indent, s.Text)
	switch s.Result {
	case control.Done:
	case "":
		b.WriteString(": not tried")
	default:
		fmt.Fprintf(b, ": %s (%s)", s.Result, s.Detail)
	}
	fmt.Fprintf(b, "\n%s  because %s\n", indent, s.Reason)
}

func writeExplanation(b *strings.Builder, e explain.Explanation) {
	fmt.Fprintf(b, "%s, %s UTC, a %s tick, line %d of the record\n", e.Plan, at(e.At), e.Pace, e.Line)
	if e.Replayed {
		b.WriteString("decided again from the record, the plan is the same to the byte\n")
	} else {
		fmt.Fprintf(b, "DECIDED AGAIN, THE PLAN IS ANOTHER: the record was written by another version of this program;\n"+
			"today it would be: %s\nwhat would have changed it, below, is of the plan of today\n", e.Now.Headline())
	}
	heading(b, "What was done", len(e.Steps) == 0)
	for _, s := range e.Steps {
		writeStep(b, "  ", s)
	}
	writeCandidates(b, e.Candidates)
	heading(b, "What was held back", len(e.Held) == 0)
	for _, r := range e.Held {
		fmt.Fprintf(b, "  %s\n", r)
	}
	writeMoney(b, e.Money)
	writeInputs(b, e)
	writeChanges(b, e)
}

func heading(b *strings.Builder, text string, empty bool) {
	fmt.Fprintf(b, "\n%s\n", text)
	if empty {
		b.WriteString("  nothing\n")
	}
}

func writeCandidates(b *strings.Builder, all []fleet.Candidate) {
	if len(all) == 0 {
		return
	}
	heading(b, "What was weighed", false)
	for _, c := range all {
		mark := "not "
		if c.Chosen {
			mark = "*   "
		}
		fmt.Fprintf(b, "  %s%s, %s: %s; %s\n", mark, c.Name, c.Price.Describe(), c.Layout, c.Verdict)
	}
}

func writeMoney(b *strings.Builder, m explain.Money) {
	heading(b, "Money", false)
	fmt.Fprintf(b, "  committed %s", m.Rate.Describe())
	if m.After.Compare(m.Rate) != 0 {
		fmt.Fprintf(b, ", with the plan %s", m.After.Describe())
	}
	fmt.Fprintf(b, "; spent %s today and %s this month\n", m.Day.Describe(), m.Month.Describe())
	for _, c := range m.Caps {
		fmt.Fprintf(b, "  cap of %s (%s): %s counted", c.Budget, c.OnExceeded, c.Before.Describe())
		if c.After.Compare(c.Before) != 0 {
			fmt.Fprintf(b, ", with the plan %s", c.After.Describe())
		}
		b.WriteByte('\n')
	}
	if len(m.Caps) == 0 {
		b.WriteString("  no cap\n")
	}
}

// writeInputs tells what was known and needed of the models that the plan is about, or
// of all where it is about none.
func writeInputs(b *strings.Builder, e explain.Explanation) {
	var shown []explain.Model
	for _, m := range e.Models {
		if m.Concerned {
			shown = append(shown, m)
		}
	}
	if len(shown) == 0 {
		shown = e.Models
	}
	heading(b, fmt.Sprintf("What it rested on: rates a second; needed now, by %s (LEAD) and until %s (KEEP)",
		e.Lead.UTC().Format("15:04"), e.Keep.UTC().Format("15:04")), false)
	t := newTable("  MODEL", "ARRIVALS", "WAITING", "WITHIN SLO", "NOW", "LEAD", "KEEP", "HAVE", "READY", "FORECAST", "BASIS")
	for _, m := range shown {
		foreseen := "none"
		if m.Median != nil {
			foreseen = fmt.Sprintf("%s, %.3gq %s", threeDigits(*m.Median), m.Quantile, threeDigits(*m.Upper))
		}
		t.AppendRow(table.Row{
			"  " + string(m.Model), signalText(m.Arrivals), signalText(m.Backlog), shareText(m.Attainment), threeDigits(m.Now), threeDigits(m.Lead),
			threeDigits(m.Keep), threeDigits(m.Have), threeDigits(m.Ready), foreseen, m.Basis,
		})
	}
	b.WriteString(untrailed(t.Render()) + "\n")
	if n := len(e.Models) - len(shown); n > 0 {
		fmt.Fprintf(b, "  and %d more had what they need: see -o json\n", n)
	}
	writeUnknowns(b, shown)
}

// writeUnknowns tells which signals were unknown, a line for each cause.
func writeUnknowns(b *strings.Builder, models []explain.Model) {
	var causes []string
	of := map[string][]string{}
	for _, m := range models {
		for _, s := range []struct {
			name string
			fleet.Signal
		}{{"arrivals", m.Arrivals}, {"waiting", m.Backlog}} {
			if _, known := s.Read(); known {
				continue
			}
			cause := s.name + " " + s.String()
			if of[cause] == nil {
				causes = append(causes, cause)
			}
			of[cause] = append(of[cause], string(m.Model))
		}
	}
	for _, cause := range causes {
		fmt.Fprintf(b, "  %s: %s\n", cause, strings.Join(of[cause], ", "))
	}
}

func writeChanges(b *strings.Builder, e explain.Explanation) {
	heading(b, "What would have changed it, one thing at a time", len(e.WhatIf) == 0)
	demand, left := 0, 0
	for _, w := range e.WhatIf {
		if w.Kind == "demand" {
			if demand++; demand > shownChanges {
				left++
				continue
			}
		}
		fmt.Fprintf(b, "  %s\n", w.Text)
	}
	if left > 0 {
		fmt.Fprintf(b, "  and %d larger changes of demand: see -o json\n", left)
	}
	if n := len(e.Unmoved); n > 0 {
		fmt.Fprintf(b, "%s would have changed nothing", plural(n, "other change"))
		if n <= 6 {
			fmt.Fprintf(b, ": %s", strings.Join(e.Unmoved, "; "))
		} else {
			b.WriteString(": see -o json")
		}
		b.WriteByte('\n')
	}
}

// signalText prints a signal in three digits.
func signalText(s fleet.Signal) string {
	if v, known := s.Read(); known {
		return threeDigits(v)
	}
	return "unknown"
}

// shareText prints a signal between 0 and 1.
func shareText(s fleet.Signal) string {
	if v, known := s.Read(); known {
		return percent(&v)
	}
	return "unknown"
}

func threeDigits(v float64) string { return fmt.Sprintf("%.3g", v) }
