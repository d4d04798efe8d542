package report

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator"
)

// listRoom is about how many bytes of the file the list of decisions may take. A
// long run decides more often than a report can tell in full: the first decisions
// have their candidates, later ones their reason, and the rest what was bought, all
// of a day in one line.
const listRoom = 340_000

// What the page wraps around a decision and around a candidate, and what a
// decision takes that has no more than its place in the line of its day.
const (
	decisionMarkup  = 420
	candidateMarkup = 180
	briefMarkup     = 60
)

// decision is one plan's purchase: what was bought, why, and what else could
// have been.
type decision struct {
	ID         string // that links lead to; decisions without a sentence have that of their day
	When, ISO  string
	Kind       string // "mixed", "dedicated", or the code of another rule
	Class      string
	Price      string // of what won, empty when no candidate is marked
	Nodes      []string
	Sentence   string // empty where there was no room
	Candidates []candidate
	Cut        bool // something of it was left out

	at   time.Time
	code fleet.ReasonCode
}

// candidate is one way that was valued.
type candidate struct {
	Chosen                              bool
	Name, Price, Layout, Unmet, Verdict string
}

// decisionsOf joins the purchases of a plan and gives each decision the room
// there is.
func decisionsOf(purchases []simulator.Purchase) []decision {
	plans := plansOf(purchases)
	room := max(0, listRoom-briefMarkup*len(plans))
	reasons := room / 8 // kept for those that come too late for more
	room -= reasons
	out := make([]decision, len(plans))
	for i, plan := range plans {
		first := plan[0]
		d := decision{
			ID: fmt.Sprintf("d%d", i+1), When: clock(first.At), ISO: first.At.UTC().Format(time.RFC3339),
			Kind: string(first.Reason.Code), Class: "other", at: first.At, code: first.Reason.Code,
		}
		if d.code == fleet.ReasonMixed || d.code == fleet.ReasonDedicated {
			d.Class = d.Kind
		}
		for _, p := range plan {
			d.Nodes = append(d.Nodes, string(p.Node))
		}
		for _, c := range first.Candidates {
			if c.Chosen {
				d.Price = perHour(c.Price)
			}
		}
		sentence := first.Reason.String()
		short := decisionMarkup + escaped(sentence)
		long := short + lengthOf(first.Candidates)
		switch {
		case long <= room:
			room -= long
			d.Sentence, d.Candidates = sentence, candidatesOf(first.Candidates)
		case short <= reasons:
			room = 0 // so that the list is told in full up to one point and not beyond
			reasons -= short
			d.Sentence, d.Cut = sentence, len(first.Candidates) > 0
		default:
			room, reasons = 0, 0
			d.ID, d.Cut = first.At.UTC().Format("day-2006-01-02"), true
		}
		out[i] = d
	}
	return out
}

// plansOf divides the purchases by the plan that made them.
func plansOf(purchases []simulator.Purchase) [][]simulator.Purchase {
	var out [][]simulator.Purchase
	for from := 0; from < len(purchases); {
		to := from + 1
		for to < len(purchases) && samePlan(purchases[from], purchases[to]) {
			to++
		}
		out = append(out, purchases[from:to])
		from = to
	}
	return out
}

// samePlan tells whether a purchase is a later step of the plan that another one
// opens: the candidates of a plan stand with its first purchase.
func samePlan(opens, p simulator.Purchase) bool {
	return p.At.Equal(opens.At) && p.Reason.String() == opens.Reason.String() &&
		(len(p.Candidates) == 0 || slices.Equal(p.Candidates, opens.Candidates))
}

// lengthOf is about what the candidates take of the file.
func lengthOf(candidates []fleet.Candidate) int {
	n := 0
	for _, c := range candidates {
		n += candidateMarkup + escaped(c.Name) + escaped(c.Layout) + escaped(c.Unmet) + escaped(c.Verdict)
	}
	return n
}

// escaped is the length of a text in the page, where a plus takes five characters.
func escaped(text string) int {
	return len(template.HTMLEscapeString(text)) + 4*strings.Count(text, "+")
}

func candidatesOf(list []fleet.Candidate) []candidate {
	out := make([]candidate, len(list))
	for i, c := range list {
		out[i] = candidate{Chosen: c.Chosen, Name: c.Name, Price: perHour(c.Price), Layout: c.Layout, Unmet: c.Unmet, Verdict: c.Verdict}
		if c.Unmet == "nothing" || strings.Contains(c.Verdict, c.Unmet) { // said, or nothing to say
			out[i].Unmet = ""
		}
	}
	return out
}

// entry is a line of the list: a decision, or what a day bought beyond the room
// there is.
type entry struct {
	Decision *decision
	ID, Day  string
	Brief    []string
}

// entriesOf makes the list of the decisions.
func entriesOf(decisions []decision) []entry {
	var out []entry
	for i, d := range decisions {
		if d.Sentence != "" {
			out = append(out, entry{Decision: &decisions[i]})
			continue
		}
		if n := len(out); n == 0 || out[n-1].ID != d.ID {
			out = append(out, entry{ID: d.ID, Day: d.at.UTC().Format("Mon 2 Jan")})
		}
		text := d.at.UTC().Format("15:04 ") + d.Kind + " " + strings.Join(d.Nodes, ", ")
		if d.Price != "" {
			text += " for " + d.Price
		}
		last := &out[len(out)-1]
		last.Brief = append(last.Brief, text)
	}
	return out
}

// tally is how the decisions divide.
type tally struct {
	Nodes, Decisions, Mixed, Dedicated, Other int // nodes by kind
	Cut                                       int // decisions without their candidates
}

func tallyOf(decisions []decision) tally {
	t := tally{Decisions: len(decisions)}
	for _, d := range decisions {
		n := len(d.Nodes)
		t.Nodes += n
		switch d.code {
		case fleet.ReasonMixed:
			t.Mixed += n
		case fleet.ReasonDedicated:
			t.Dedicated += n
		default:
			t.Other += n
		}
		if d.Cut {
			t.Cut++
		}
	}
	return t
}

// Line says how the nodes were bought.
func (t tally) Line() string {
	text := fmt.Sprintf("%s bought in %s: %s mixed, %s dedicated", counted(t.Nodes, "node"), counted(t.Decisions, "decision"),
		count(int64(t.Mixed)), count(int64(t.Dedicated)))
	if t.Other > 0 {
		text += fmt.Sprintf(", %s for other reasons", count(int64(t.Other)))
	}
	return text
}

// CutLine says what was left out of the list, empty when it has everything.
func (t tally) CutLine() string {
	switch t.Cut {
	case 0:
		return ""
	case 1:
		return "To keep this file small, the last decision is listed without all that was weighed"
	}
	return "To keep this file small, the last " + count(int64(t.Cut)) + " decisions are listed without all that was weighed"
}
