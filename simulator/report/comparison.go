package report

import (
	_ "embed" // for the template and the style sheet
	"fmt"
	"html/template"
	"io"
	"math"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/judge"
)

// Comparison is controllers side by side, and what is needed to tell it.
type Comparison struct {
	Boards  []judge.Board
	Seeds   int
	Version string // of the program; may be empty
}

var (
	//go:embed comparison.html
	comparisonText string
	//go:embed comparison.css
	comparisonStyle string

	comparisonTemplate = template.Must(template.New("comparison").Parse(comparisonText))
)

// WriteComparison writes a comparison. The same comparison gives the same bytes.
// Nothing is written when a number of it is not finite.
func WriteComparison(w io.Writer, c Comparison) error {
	style := styleText + comparisonStyle
	page := comparisonPage{
		Style: template.CSS(style), Seeds: c.Seeds, Version: c.Version,
		Security: securityPolicy(style),
	}
	for _, b := range c.Boards {
		for _, r := range b.Rows {
			for _, e := range []*judge.Estimate{r.Cost, r.Attainment, r.Worst, r.P95, r.P99, r.Regret, r.RegretClairvoyant} {
				if e != nil && (math.IsNaN(e.Mean) || math.IsInf(e.Mean, 0)) {
					return fmt.Errorf("report on %q: a figure of %s is %v", b.Scenario, r.Controller, e.Mean)
				}
			}
		}
		page.Boards = append(page.Boards, boardPage(b))
	}
	return render(w, comparisonTemplate, page, "the comparison")
}

type comparisonPage struct {
	Style    template.CSS
	Security string
	Boards   []board
	Seeds    int
	Version  string
}

// board is one scenario as the template sees it.
type board struct {
	Scenario, Requests string
	Notes              []string
	Plot               *scatter
	Rows               []standing
}

// standing is one controller.
type standing struct {
	Controller, Cost, Attainment, Worst, WorstModel, P95, P99, Late, Idle, Actions, Regret, Over string
	Below                                                                                        string // how many models missed, empty for none
}

func boardPage(b judge.Board) board {
	out := board{Scenario: b.Scenario, Requests: count(b.Requests), Notes: b.Notes, Plot: scatterOf(b)}
	share := func(e *judge.Estimate) string { return meanOf(e, percent) }
	counted := func(e *judge.Estimate) string {
		return meanOf(e, func(v float64) string { return count(int64(math.Round(v))) })
	}
	for _, r := range b.Rows {
		s := standing{
			Controller: r.Controller, Attainment: share(r.Attainment), Worst: share(r.Worst), WorstModel: string(r.WorstModel),
			P95: meanOf(r.P95, took), P99: meanOf(r.P99, took), Late: counted(r.DeadlineMissed), Idle: counted(r.IdleGPUHours), Actions: counted(r.Actions),
			Cost:   spread(r.Cost, func(v float64) string { return money(fleet.Micros(int64(v*1e6), b.Currency)) }, 1),
			Regret: spread(r.Regret, excess, 100), Over: spread(r.RegretClairvoyant, excess, 100),
		}
		if n := len(r.Below); n > 0 {
			s.Below = fmt.Sprintf("%d below", n)
		}
		out.Rows = append(out.Rows, s)
	}
	return out
}

// took prints a latency in seconds.
func took(v float64) string { return latency(&v) }

func excess(v float64) string { return fmt.Sprintf("%+.1f%%", 100*v) }

// meanOf prints a mean.
func meanOf(e *judge.Estimate, tell func(float64) string) string {
	if e == nil {
		return none
	}
	return tell(e.Mean)
}

// spread prints a mean with half of its interval, in units of 1/unit.
func spread(e *judge.Estimate, tell func(float64) string, unit float64) string {
	text := meanOf(e, tell)
	if e != nil && e.Half != nil {
		text += fmt.Sprintf(" ± %.3g", unit**e.Half)
	}
	return text
}

// scatter is cost against attainment.
type scatter struct {
	Frame    frame
	Currency fleet.Currency
	Rows     []mark
	Columns  []mark
	Points   []contestant
}

// contestant is one controller in it.
type contestant struct {
	Name, X, Y, Cross, Spread, LabelX, LabelY, Anchor, Says string
	Meets                                                   bool
}

// leastMiss is the smallest share of missed requests that is told apart.
const leastMiss = 1e-5

// scatterOf draws the share of missed requests in its logarithm, upside down, so
// that 99 % and 99.9 % lie as far apart as 99.9 % and 99.99 %.
func scatterOf(b judge.Board) *scatter {
	missed := func(r judge.Row) float64 { return max(leastMiss, 1-r.Attainment.Mean) }
	most, worst := 0.0, 0.01
	var rows []judge.Row
	for _, r := range b.Rows {
		if r.Cost != nil && r.Attainment != nil {
			rows = append(rows, r)
			most, worst = max(most, r.Cost.Mean), max(worst, missed(r))
		}
	}
	if len(rows) == 0 {
		return nil
	}
	s := &scatter{Frame: frame{plotWidth, plotHeight + 60, plotLeft + 10, plotRight - 60, plotTop, plotBottom + 50}, Currency: b.Currency}
	lowest := math.Ceil(math.Log10(worst))
	decades := lowest - math.Log10(leastMiss)
	across := axisFor(most, 0, false)
	x := func(v float64) float64 {
		return float64(s.Frame.Left) + float64(s.Frame.Right-s.Frame.Left)*min(v, across.top)/across.top
	}
	y := func(miss float64) float64 {
		return float64(s.Frame.Bottom) - float64(s.Frame.Inside())*(lowest-math.Log10(miss))/decades
	}
	for i := range int(decades) + 1 {
		miss := math.Pow(10, lowest-float64(i))
		s.Rows = append(s.Rows, mark{coordinate(y(miss)), fmt.Sprintf("%.6g%%", 100*(1-miss))})
	}
	for i := range across.steps() + 1 {
		s.Columns = append(s.Columns, mark{coordinate(x(float64(i) * across.step)), across.text(i)})
	}
	labels := newLabels(s.Frame)
	for _, r := range rows {
		labels.mark(x(r.Cost.Mean), y(missed(r)))
	}
	for _, r := range rows {
		px, py := x(r.Cost.Mean), y(missed(r))
		at := labels.place(r.Controller, px, py)
		c := contestant{
			Name: r.Controller, X: coordinate(px), Y: coordinate(py), Meets: r.Meets(), LabelX: coordinate(at.x), LabelY: coordinate(at.y), Anchor: at.anchor,
			Cross: fmt.Sprintf("M%s %sL%s %sM%s %sL%s %s", coordinate(px-4), coordinate(py-4), coordinate(px+4), coordinate(py+4), coordinate(px+4), coordinate(py-4), coordinate(px-4), coordinate(py+4)),
			Says:  fmt.Sprintf("%s: %s, %s within the SLO", r.Controller, money(fleet.Micros(int64(r.Cost.Mean*1e6), b.Currency)), percent(r.Attainment.Mean)),
		}
		if r.Cost.Half != nil {
			c.Spread = fmt.Sprintf("M%s %sH%s", coordinate(x(max(0, r.Cost.Mean-*r.Cost.Half))), coordinate(py), coordinate(x(r.Cost.Mean+*r.Cost.Half)))
		}
		s.Points = append(s.Points, c)
	}
	return s
}
