package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/judge"
)

// boardColumns are the columns of a comparison.
var boardColumns = []string{
	"CONTROLLER", "COST", "WITHIN SLO", "WORST MODEL", "P95", "P99", "LATE JOBS", "IDLE GPU-H", "STEPS", "REGRET", "OVER CLAIRVOYANT",
}

// writeBoards tells a comparison to a person, a table for each scenario.
func writeBoards(out io.Writer, boards []judge.Board) error {
	var b strings.Builder
	for i, board := range boards {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "%s: %s requests%s\n", board.Scenario, grouped(board.Requests), scaled(board))
		for _, note := range board.Notes {
			b.WriteString(note + "\n")
		}
		b.WriteString("\n")
		header := make([]any, len(boardColumns))
		for j, name := range boardColumns {
			header[j] = name
		}
		t := newTable(header...)
		for _, r := range board.Rows {
			cells := cellsOf(r, board.Currency)
			row := make(table.Row, len(cells))
			for j, cell := range cells {
				row[j] = cell
			}
			t.AppendRow(row)
		}
		b.WriteString(t.Render() + "\n")
		writeBelow(&b, board, "")
	}
	b.WriteString("\n" + legend(boards) + "\n")
	_, err := io.WriteString(out, b.String())
	return err
}

// legend explains the marks of the tables: there are intervals where there are
// several seeds.
func legend(boards []judge.Board) string {
	const mark = "! marks a controller with a model below its target"
	for _, board := range boards {
		for _, r := range board.Rows {
			if r.Cost != nil && r.Cost.Half != nil {
				return "mean ± half of the 95 % confidence interval over seeds; " + mark
			}
		}
	}
	return mark
}

// writeMarkdown writes the same tables for a document.
func writeMarkdown(out io.Writer, boards []judge.Board) error {
	var b strings.Builder
	for i, board := range boards {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "### %s\n\n%s requests%s.\n\n", board.Scenario, grouped(board.Requests), scaled(board))
		if len(board.Notes) > 0 {
			b.WriteString(strings.Join(board.Notes, "; ") + ".\n\n")
		}
		names := make([]string, len(boardColumns))
		for j, name := range boardColumns {
			names[j] = strings.ToLower(name)
		}
		b.WriteString("| " + strings.Join(names, " | ") + " |\n|" + strings.Repeat("---|", len(names)) + "\n")
		for _, r := range board.Rows {
			b.WriteString("| " + strings.Join(cellsOf(r, board.Currency), " | ") + " |\n")
		}
		writeBelow(&b, board, "\n")
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// scaled says by how much traffic was multiplied.
func scaled(b judge.Board) string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(b.Scales)) {
		fmt.Fprintf(&text, ", %s multiplied by %g", name, b.Scales[name])
	}
	return text.String()
}

// writeBelow lists which models missed their target under whom, and who bought what
// a hard cap forbids.
func writeBelow(b *strings.Builder, board judge.Board, before string) {
	for _, r := range board.Rows {
		if v := r.Violations; v != nil && v.Mean > 0 {
			fmt.Fprintf(b, "%s%s breaks a hard cap of the policy on spending at %.3g ticks on average\n", before, r.Controller, v.Mean)
		}
		if r.Meets() {
			continue
		}
		var parts []string
		for _, m := range r.Below {
			parts = append(parts, fmt.Sprintf("%s %s of %.4g%%", m.Model, percent(&m.Attainment), 100*m.Target))
		}
		fmt.Fprintf(b, "%s! %s is below target: %s\n", before, r.Controller, strings.Join(parts, ", "))
	}
}

// cellsOf prints a row, in the order of boardColumns.
func cellsOf(r judge.Row, c fleet.Currency) []string {
	mark := ""
	if !r.Meets() {
		mark = " !"
	}
	worst := shareOf(r.Worst)
	if r.Worst != nil {
		worst += " " + string(r.WorstModel)
	}
	return []string{
		r.Controller + mark, moneyOf(r.Cost, c), shareOf(r.Attainment), worst, secondsOf(r.P95), secondsOf(r.P99),
		countOf(r.DeadlineMissed), countOf(r.IdleGPUHours), countOf(r.Actions), excessOf(r.Regret), excessOf(r.RegretClairvoyant),
	}
}

func moneyOf(e *judge.Estimate, c fleet.Currency) string {
	if e == nil {
		return "none"
	}
	text := fleet.Micros(int64(e.Mean*1e6), c).Describe()
	if e.Half != nil {
		text += fmt.Sprintf(" ± %.2f", *e.Half)
	}
	return text
}

func shareOf(e *judge.Estimate) string {
	if e == nil {
		return "none"
	}
	return percent(&e.Mean)
}

func secondsOf(e *judge.Estimate) string {
	if e == nil {
		return "none"
	}
	return seconds(&e.Mean)
}

func countOf(e *judge.Estimate) string {
	if e == nil {
		return "none"
	}
	return grouped(int64(e.Mean + 0.5))
}

// excessOf prints by how much more something costs.
func excessOf(e *judge.Estimate) string {
	if e == nil {
		return "none"
	}
	text := fmt.Sprintf("%+.1f%%", 100*e.Mean)
	if e.Half != nil {
		text += fmt.Sprintf(" ± %.1f", 100**e.Half)
	}
	return text
}

// writeResults prints the results as an array.
func writeResults(out io.Writer, results []simulator.Result) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	if results == nil {
		results = []simulator.Result{}
	}
	return encoder.Encode(results)
}

// flatColumns are the columns of the CSV: a line for each run, and for each model
// of a run, whose name stands in the column model.
var flatColumns = []string{
	"scenario", "controller", "seed", "model", "requests", "served", "dropped", "waiting", "attainment", "p50", "p95", "p99",
	"deadline_missed", "cost", "currency", "gpu_hours", "idle_gpu_hours", "scale_actions", "cost_lower_bound_usd", "regret", "regret_clairvoyant", "hash",
}

// writeFlat prints the results as lines of CSV. What was not computed is empty.
func writeFlat(out io.Writer, results []simulator.Result) error {
	w := csv.NewWriter(out)
	if err := w.Write(flatColumns); err != nil {
		return err
	}
	for _, r := range results {
		run := []string{r.Scenario, r.Controller, strconv.FormatUint(r.Seed, 10)}
		line := append(slices.Clone(run), "", whole(r.Requests), whole(r.Served), whole(r.Dropped), whole(r.Waiting), measured(r.Attainment), "", "", "",
			whole(r.DeadlineMissed), r.Cost.Decimal(), string(r.Cost.Currency()), measured(&r.GPUHours), measured(&r.IdleGPUHours), whole(int64(r.ScaleActions)),
			measured(r.CostLowerBoundUSD), measured(r.Regret), measured(r.RegretClairvoyant), r.Hash)
		if err := w.Write(line); err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(r.ByModel)) {
			m := r.ByModel[name]
			line := append(slices.Clone(run), name, whole(m.Requests), whole(m.Served), whole(m.Dropped), whole(m.Waiting), measured(m.Attainment), measured(m.P50), measured(m.P95), measured(m.P99))
			if err := w.Write(append(line, make([]string, len(flatColumns)-len(line))...)); err != nil {
				return err
			}
		}
	}
	w.Flush()
	return w.Error()
}

func whole(n int64) string { return strconv.FormatInt(n, 10) }

func measured(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'g', -1, 64)
}
