package main

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/scenario"
)

// shownPurchases is how many purchases the table tells one by one.
const shownPurchases = 12

// writeTable tells a result to a person.
func writeTable(out io.Writer, s *scenario.Scenario, r simulator.Result) error {
	var b strings.Builder
	writeHeadline(&b, s, r)
	writeModels(&b, s, r)
	writeSessions(&b, s, r)
	writeShares(&b, r)
	writeCaps(&b, r)
	writeTimeline(&b, r)
	writePurchases(&b, r)
	fmt.Fprintf(&b, "\nhash %s, %d events in %.1f s of wall-clock time\n", r.Hash[:16], r.Events, r.WallSeconds)
	_, err := io.WriteString(out, b.String())
	return err
}

func writeHeadline(b *strings.Builder, s *scenario.Scenario, r simulator.Result) {
	fmt.Fprintf(b, "%s: %s from %s, controller %s, seed %d\n", r.Scenario, strictyaml.FormatDuration(s.Duration),
		s.Start.UTC().Format("Mon 2006-01-02 15:04 MST"), r.Controller, r.Seed)
	for _, name := range slices.Sorted(maps.Keys(r.TrafficScale)) {
		fmt.Fprintf(b, "traffic of %s multiplied by %g\n", name, r.TrafficScale[name])
	}
	for _, name := range slices.Sorted(maps.Keys(r.IgnoredRows)) {
		fmt.Fprintf(b, "%s rows of %q in the trace are of no model here and were ignored\n", grouped(int64(r.IgnoredRows[name])), name)
	}
	for _, note := range r.Notes {
		fmt.Fprintln(b, note)
	}
	fmt.Fprintf(b, "\n%s requests, %s within their SLO, %s dropped, %s waiting at the end; %s late while capacity was starting\n",
		grouped(r.Requests), percent(r.Attainment), grouped(r.Dropped), grouped(r.Waiting), grouped(r.LateWhileStarting))
	perThousand := ""
	if r.Served > 0 {
		perThousand = fmt.Sprintf(" (%s per 1,000 served)", r.Cost.Share(1000, r.Served).Describe())
	}
	idle := 0.0
	if r.GPUHours > 0 {
		idle = 100 * r.IdleGPUHours / r.GPUHours
	}
	fmt.Fprintf(b, "%s%s, %.0f GPU-hours (%.0f%% idle), %s steps, %d reconfigurations\n", r.Cost.Describe(), perThousand,
		r.GPUHours, idle, grouped(int64(r.ScaleActions)), r.Reconfigurations)
	if r.CostLowerBoundUSD != nil && r.Regret != nil {
		fmt.Fprintf(b, "nobody could have served as much for less than %s; this cost %.0f%% more\n",
			fleet.Micros(int64(*r.CostLowerBoundUSD*1e6), "USD").Describe(), 100**r.Regret)
	}
	if r.BudgetViolations > 0 || r.BudgetsHeld > 0 {
		fmt.Fprintf(b, "budget: %d violations, purchases held back at %d plans\n", r.BudgetViolations, r.BudgetsHeld)
	}
	b.WriteByte('\n')
}

func writeModels(b *strings.Builder, s *scenario.Scenario, r simulator.Result) {
	t := newTable("MODEL", "LANGUAGE", "CLASS", "REQUESTS", "WITHIN SLO", "TARGET", "P50", "P95", "P99", "DROPPED", "WAITING", "COST", "PER 1,000")
	for _, m := range s.Settings.Policy.Models {
		got := r.ByModel[string(m.Name)]
		attained := percent(got.Attainment)
		if got.Attainment != nil && *got.Attainment < m.SLO.Target {
			attained += " !"
		}
		t.AppendRow(table.Row{
			m.Name, m.Language, m.Class, grouped(got.Requests), attained, m.SLO.String(),
			seconds(got.P50), seconds(got.P95), seconds(got.P99), grouped(got.Dropped), grouped(got.Waiting),
			inMoney(r, r.CostByModel[string(m.Name)]), perThousand(r, string(m.Name)),
		})
	}
	b.WriteString(t.Render())
	b.WriteString("\n")
}

// writeSessions tells how much media of the models of sessions ran in real time.
func writeSessions(b *strings.Builder, s *scenario.Scenario, r simulator.Result) {
	asked, ran := 0.0, 0.0
	for _, m := range s.Settings.Policy.Models {
		if got := r.ByModel[string(m.Name)]; got.SessionSeconds != nil {
			asked, ran = asked+*got.SessionSeconds, ran+*got.RealTimeSeconds
		}
	}
	if asked > 0 {
		fmt.Fprintf(b, "sessions: %s hours of media were asked for, %s ran in real time; their latencies are the times until they began\n",
			grouped(int64(asked/3600)), grouped(int64(ran/3600)))
	}
}

// day is a day of the timeline.
type day struct {
	date     time.Time
	samples  []simulator.Sample
	least    int
	most     int
	gpuHours float64
	cost     float64
}

// writeTimeline draws the GPUs over time, a line a day.
func writeTimeline(b *strings.Builder, r simulator.Result) {
	days, most := daysOf(r.Timeline)
	if len(days) == 0 {
		return
	}
	fmt.Fprintf(b, "\nGPUs over time (UTC, one column an hour, full height is %d)\n", most)
	fmt.Fprintf(b, "%-11s%-25s%5s%6s%5s%11s\n", "", "0     6     12    18", "min", "mean", "max", "cost")
	for _, d := range days {
		fmt.Fprintf(b, "%-11s%s %5d%6.1f%5d%11s\n", d.date.Format("Mon 02 Jan"), text.Pad(spark(d.samples, most), 24, ' '),
			d.least, d.gpuHours/(float64(len(d.samples))/4), d.most, fleet.Micros(int64(d.cost*1e6), r.Cost.Currency()).Describe())
	}
}

// daysOf cuts the timeline, which has four samples an hour, into days of UTC.
func daysOf(samples []simulator.Sample) (days []day, most int) {
	for _, s := range samples {
		date := s.At.UTC().Truncate(24 * time.Hour)
		if n := len(days); n == 0 || !days[n-1].date.Equal(date) {
			days = append(days, day{date: date, least: math.MaxInt})
		}
		d := &days[len(days)-1]
		d.samples = append(d.samples, s)
		d.least, d.most = min(d.least, s.GPUs), max(d.most, s.GPUs)
		d.gpuHours += float64(s.GPUs) / 4
		d.cost += s.Rate.Hourly().Float() / 4
		most = max(most, s.GPUs)
	}
	return days, most
}

// spark draws the largest number of GPUs of each hour.
func spark(samples []simulator.Sample, most int) string {
	levels := []rune(" ▁▂▃▄▅▆▇█")
	line := make([]rune, 24)
	for i := range line {
		line[i] = ' '
	}
	peak := [24]int{}
	for _, s := range samples {
		h := s.At.UTC().Hour()
		peak[h] = max(peak[h], s.GPUs)
		line[h] = levels[int(math.Ceil(float64(peak[h])/float64(max(most, 1))*float64(len(levels)-1)))]
	}
	return string(line)
}

// writePurchases tells which GPUs were bought mixed and which dedicated, and why,
// a plan at a time.
func writePurchases(b *strings.Builder, r simulator.Result) {
	if len(r.Purchases) == 0 {
		return
	}
	bought := map[fleet.ReasonCode]int{}
	for _, p := range r.Purchases {
		bought[p.Reason.Code]++
	}
	mixed, exchanged := bought[fleet.ReasonMixed], bought[fleet.ReasonExchange]
	nodes := "nodes"
	if len(r.Purchases) == 1 {
		nodes = "node"
	}
	fmt.Fprintf(b, "\nmixed or dedicated: %d %s bought, %d in mixed purchases, %d dedicated", len(r.Purchases), nodes, mixed, len(r.Purchases)-mixed-exchanged)
	if exchanged > 0 {
		fmt.Fprintf(b, ", %d in exchange for two others", exchanged)
	}
	b.WriteByte('\n')
	shown := 0
	for i := 0; i < len(r.Purchases); shown++ {
		if shown == shownPurchases {
			fmt.Fprintf(b, "  … and %d more nodes: see purchases in -o json, --report or --record\n", len(r.Purchases)-i)
			return
		}
		p, n := r.Purchases[i], 1
		for i+n < len(r.Purchases) && r.Purchases[i+n].At.Equal(p.At) {
			n++
		}
		who := string(p.Node)
		if n > 1 {
			who = fmt.Sprintf("%d nodes, %s to %s", n, p.Node, r.Purchases[i+n-1].Node)
		}
		fmt.Fprintf(b, "  %s  %s\n    %s\n", p.At.UTC().Format("Mon 02 Jan 15:04"), who, p.Reason)
		for _, c := range p.Candidates {
			if !c.Chosen {
				fmt.Fprintf(b, "      not %s: %s\n", c.Name, c.Verdict)
			}
		}
		i += n
	}
}

func newTable(header ...any) table.Writer {
	t := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	t.SetStyle(style)
	t.AppendHeader(header)
	return t
}

// grouped prints a count with separators, such as 1,234,567.
func grouped(n int64) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// percent prints a share so that a miss shows: never rounded up to 100%.
func percent(share *float64) string {
	if share == nil {
		return "none"
	}
	return fmt.Sprintf("%.2f%%", math.Floor(*share*1e4)/100)
}

// seconds prints a latency.
func seconds(s *float64) string {
	switch {
	case s == nil:
		return "none"
	case *s < 1:
		return fmt.Sprintf("%.0fms", *s*1000)
	case *s < 10:
		return fmt.Sprintf("%.1fs", *s)
	case *s < 120:
		return fmt.Sprintf("%.0fs", *s)
	}
	return strictyaml.FormatDuration(time.Duration(*s) * time.Second)
}
