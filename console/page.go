package console

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

//go:embed page.html
var pageText string

// pages holds the whole page and "main", the part of it that changes.
var pages = template.Must(template.New("page").Funcs(template.FuncMap{
	"number":   func(q quantity) string { return number(float64(q)) },
	"value":    number,
	"percent":  percent,
	"rate":     func(s fleet.Signal) reading { return read(s, number) },
	"share":    func(s fleet.Signal) reading { return read(s, percent) },
	"seconds":  func(s float64) string { return span(time.Duration(s * float64(time.Second))) },
	"whole":    func(s fleet.Signal) reading { return read(s, wholePercent) },
	"money":    money,
	"per":      periodOf,
	"counted":  amountOf,
	"amount":   func(v *quantity, c fleet.Currency) string { return fleet.Micros(int64(*v*1e6), c).DescribeFine() },
	"spenders": func(by string, parts []spending) spenders { return spenders{by, parts} },
	"hint":     hint,
	"sentence": sentence,
	"short":    short,
	"brief":    briefly,
	"clock":    func(t time.Time) string { return t.UTC().Format("15:04:05") },
	"date":     func(t time.Time) string { return t.UTC().Format("Monday, 2 January 2006") },
	"iso":      func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"ago":      func(t, now time.Time) string { return span(now.Sub(t)) },
	"bullet":   bulletOf,
	"meter":    meterOf,
	"fleetSum": fleetSummary,
	"metSum":   metSummary,
	"colour":   func(i int) int { return i%colourCount + 1 },
	"more":     func(steps []loggedStep) int { return len(steps) - 1 },
	"outcome":  outcome,
	"below":    func(m modelView) bool { a, ok := m.Attainment.Read(); return ok && a < m.Target },
}).Parse(pageText))

// page is what the templates see.
type page struct {
	view
	Wall    time.Time // wall clock of the request
	Verdict verdict
	Shown   int // decisions on the page
	Logged  int // decisions in the log
}

// spenders is who bears the spending an hour, divided in one way.
type spenders struct {
	By    string
	Parts []spending
}

// outcome is what became of a step, in a word.
func outcome(s loggedStep) string {
	switch s.Result {
	case "":
		return "planned"
	case control.Withheld:
		return "would"
	}
	return s.Result
}

// render fills a template completely before anything is sent.
func render(name string, p page) ([]byte, error) {
	var out bytes.Buffer
	if err := pages.ExecuteTemplate(&out, name, p); err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	return out.Bytes(), nil
}

// bullet is a bar of what a model has against what it needs, in shares of a box
// of 100.
type bullet struct {
	Have, Ready, Demand, Need string
	Lacks                     bool
}

// bulletOf scales to the largest of the four; false when the tick sized nothing.
func bulletOf(m modelView) *bullet {
	if m.Need == nil {
		return nil
	}
	demand, _ := m.Demand.Read()
	n := *m.Need
	top := 0.0
	for _, q := range []quantity{n.Have, n.Ready, n.Lead, quantity(demand)} {
		if v := float64(q); v > top {
			top = v
		}
	}
	top *= 1.05
	place := func(v float64) string {
		if !(v > 0) || top == 0 {
			return "0"
		}
		return coordinate(100 * min(1, v/top))
	}
	return &bullet{
		Have: place(float64(n.Have)), Ready: place(float64(n.Ready)), Demand: place(demand), Need: place(float64(n.Lead)),
		Lacks: n.Ready < n.Now,
	}
}

// gauge is how full a budget is, in shares of a box of 100.
type gauge struct {
	Full  string
	Level string // calm, near or over
	Share string
}

func meterOf(f funds) gauge {
	if f.Spent == nil {
		return gauge{Full: "0", Level: "calm", Share: "unknown"}
	}
	share := 1.0
	if amount := f.Budget.Amount.Float(); amount > 0 {
		share = f.Spent.Float() / amount
	} else if f.Spent.IsZero() {
		share = 0
	}
	level := "calm"
	switch {
	case f.Left.Micros() < 0:
		level = "over"
	case share >= 0.9:
		level = "near"
	}
	return gauge{Full: coordinate(100 * max(0, min(1, share))), Level: level, Share: fmt.Sprintf("%.0f %%", 100*share)}
}

// periodOf is what a budget is for.
func periodOf(b policy.Budget) string {
	if b.Per == policy.ThousandUnits {
		return "thousand " + b.Unit + "s, over the trailing day"
	}
	return string(b.Per)
}

// amountOf prints money as finely as a budget counts it.
func amountOf(b policy.Budget, m fleet.Money) string {
	if b.Per == policy.ThousandUnits {
		return m.DescribeFine()
	}
	return money(m)
}

// summary is a number of a tile and the line below it.
type summary struct {
	Big, Small string
	Good       bool
}

// fleetSummary counts GPUs, and slices in use.
func fleetSummary(nodes []nodeView) summary {
	gpus, starting, taken, all := 0, 0, 0, 0
	for _, n := range nodes {
		if n.State == fleet.NodeStarting {
			starting++
		}
		for _, g := range n.GPUs {
			if g.Type != fleet.CPU {
				gpus++
			}
			for _, s := range g.Slices {
				switch s.State {
				case sliceUncut:
				case sliceFree:
					all++
				default:
					all, taken = all+1, taken+1
				}
			}
		}
	}
	text := fmt.Sprintf("%d of %d slices taken", taken, all)
	if starting > 0 {
		text += fmt.Sprintf("; %s starting", counted(starting, "node"))
	}
	return summary{Big: fmt.Sprint(gpus), Small: text, Good: true}
}

// metSummary counts the models whose ready capacity covers their need of now.
func metSummary(models []modelView) summary {
	met, lacking := 0, ""
	for _, m := range models {
		if m.Need != nil && m.Need.Ready >= m.Need.Now {
			met++
		} else if lacking == "" {
			lacking = string(m.Name)
		}
	}
	s := summary{Big: fmt.Sprintf("%d of %d", met, len(models)), Small: "ready capacity covers the need of now", Good: met == len(models)}
	switch missing := len(models) - met; {
	case missing == 1:
		s.Small = lacking + " waits for capacity"
	case missing > 1:
		s.Small = fmt.Sprintf("%s and %d more wait for capacity", lacking, missing-1)
	}
	return s
}
