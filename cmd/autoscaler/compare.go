package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/judge"
	"github.com/tessera-autoscaler/tessera/simulator/report"
)

// compareFlags are the flags of compare.
type compareFlags struct {
	runFlags
	controllers string
	seeds       int
	merge       []string
	tuned       string
	noBound     bool
	output      string
	report      string
}

// mostSeeds bounds a comparison: beyond it an interval gets no narrower that matters.
const mostSeeds = 1000

// comparisons are the forms in which a comparison is printed.
var comparisons = map[string]func(io.Writer, []judge.Board, []simulator.Result) error{
	"table":    func(w io.Writer, boards []judge.Board, _ []simulator.Result) error { return writeBoards(w, boards) },
	"markdown": func(w io.Writer, boards []judge.Board, _ []simulator.Result) error { return writeMarkdown(w, boards) },
	"json":     func(w io.Writer, _ []judge.Board, results []simulator.Result) error { return writeResults(w, results) },
	"csv":      func(w io.Writer, _ []judge.Board, results []simulator.Result) error { return writeFlat(w, results) },
}

func newCompare() *cobra.Command {
	var f compareFlags
	c := &cobra.Command{
		Use:   "compare SCENARIO...",
		Short: "Judge several controllers by cost and attainment on the same traffic, over several seeds",
		Long: `Compare runs every controller in every scenario with the seeds 1 to N. All of them
meet the same requests, start-up times and prices. What it prints are means over the
seeds with 95 % confidence intervals, the regret against the least money for which
anyone could have served as much, and, where the clairvoyant takes part, against it.

Each finished run is kept in the folder of --cache: a comparison that was
interrupted goes on where it ended when the same command is given again. A result is
used again only by the same program on the same inputs.

A controller of which "autoscaler tune" wrote no setup for the scenario runs on its
default one, which nobody chose for this traffic. Tune before you conclude anything.

--merge adds results made elsewhere: files with arrays of results as
"-o json" prints them. Of the scenarios given, they join the comparison.`,
		Example: `  # A quick look at three hard days, without recorded data
  autoscaler compare configs/scenarios/hard-days.yaml --controllers tessera,hpa --seeds 1

  # With setups that tune found
  autoscaler compare configs/scenarios/hard-days.yaml --controllers tessera,hpa,kpa --tuned tuned.yaml --seeds 3

  # Everything, with pictures, and with results that were made elsewhere
  autoscaler compare configs/scenarios/five-languages.yaml --seeds 5 --merge real-peers.json --report scoreboard.html`,
		Args: args(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			return compare(c.Context(), given, f, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&f.controllers, "controllers", strings.Join(judge.Controllers(), ","), "who is compared, separated by commas")
	c.Flags().IntVar(&f.seeds, "seeds", 5, "how many seeds, from 1 on")
	c.Flags().StringArrayVar(&f.merge, "merge", nil, "a JSON file with results made elsewhere; may be given several times")
	c.Flags().StringVar(&f.tuned, "tuned", "", "tuned setups (default tuned.yaml in the folder above the scenario's, if there)")
	f.add(c)
	c.Flags().BoolVar(&f.noBound, "no-bound", false, "do not compute the least money for which anyone could have served as much")
	c.Flags().StringVarP(&f.output, "output", "o", "table", "table, markdown, json or csv")
	c.Flags().StringVar(&f.report, "report", "", "also write a self-contained HTML report to this file")
	return c
}

func compare(ctx context.Context, paths []string, f compareFlags, out, diagnostics io.Writer) error {
	controllers, err := f.check()
	if err != nil {
		return err
	}
	store, err := storeIn(f.cache)
	if err != nil {
		return err
	}
	c := judge.Comparison{
		Controllers: controllers, Bound: !f.noBound, Store: store, Workers: f.jobs,
		Done: func(done, all int, r simulator.Result, kept bool) { tellRun(diagnostics, done, all, r, kept) },
	}
	var scenarios []judged
	for _, path := range paths {
		s, err := f.enter(&c, path)
		if err != nil {
			return invalid(err)
		}
		if slices.ContainsFunc(scenarios, func(o judged) bool { return o.Name == s.Name }) {
			return usage("two scenarios are called %q: give each a name of its own", s.Name)
		}
		scenarios = append(scenarios, s)
	}
	merged, err := readMerged(f.merge, scenarios)
	if err != nil {
		return invalid(err)
	}
	results, err := c.Run(ctx)
	if err != nil {
		return interrupted(ctx, err, store)
	}
	results, err = f.join(ctx, scenarios, results, merged)
	if err != nil {
		return err
	}
	return f.print(out, scenarios, results)
}

// check refuses what can be refused before a long run.
func (f compareFlags) check() ([]string, error) {
	if comparisons[f.output] == nil {
		return nil, usage("-o %q: use table, markdown, json or csv", f.output)
	}
	if f.seeds < 1 || f.seeds > mostSeeds {
		return nil, usage("--seeds %d: give 1 to %d", f.seeds, mostSeeds)
	}
	if f.jobs < 1 {
		return nil, usage("--jobs %d: give at least 1", f.jobs)
	}
	if f.report != "" {
		if folder, err := os.Stat(filepath.Dir(f.report)); err != nil || !folder.IsDir() {
			return nil, usage("--report %s: there is no folder %s", f.report, filepath.Dir(f.report))
		}
	}
	return parseControllers("--controllers", f.controllers, judge.Controllers())
}

// enter puts a scenario into the comparison.
func (f compareFlags) enter(c *judge.Comparison, path string) (judged, error) {
	s, err := loadJudged(path, f.data)
	if err != nil {
		return judged{}, err
	}
	tuned, err := readTuned(f.tuned, path)
	if err != nil {
		return judged{}, err
	}
	for _, name := range c.Controllers {
		setup := tuned.Setup(s.Name, name)
		if err := checkSetup(s.Scenario, name, setup); err != nil {
			return judged{}, err
		}
		if setup == nil && name != judge.Tessera && name != judge.Clairvoyant {
			s.untuned = append(s.untuned, name)
		}
	}
	e := judge.Entrant{Inputs: s.inputs, Tuned: tuned}
	for seed := range f.seeds {
		e.Trials = append(e.Trials, judge.NewTrial(s.Scenario, uint64(seed+1)))
	}
	c.Entrants = append(c.Entrants, e)
	return s, nil
}

// join adds merged results behind those of their scenario, bounded as they are,
// and tells the regret over the clairvoyant of all.
func (f compareFlags) join(ctx context.Context, scenarios []judged, results, merged []simulator.Result) ([]simulator.Result, error) {
	var out []simulator.Result
	for _, s := range scenarios {
		for _, r := range results {
			if r.Scenario == s.Name {
				out = append(out, r)
			}
		}
		for _, r := range merged {
			if r.Scenario != s.Name {
				continue
			}
			if !f.noBound && r.Regret == nil {
				if err := judge.NewTrial(s.Scenario, r.Seed).Bound(ctx, &r); err != nil {
					return nil, err
				}
			}
			out = append(out, r)
		}
	}
	judge.Against(out)
	return out, nil
}

// print writes the comparison in the form that was asked for, and then the report,
// so that a report that cannot be written costs no result.
func (f compareFlags) print(out io.Writer, scenarios []judged, results []simulator.Result) error {
	var boards []judge.Board
	for _, s := range scenarios {
		board := judge.BoardOf(s.Name, s.Settings, results)
		if len(s.untuned) > 0 {
			board.Notes = append(slices.Clone(board.Notes), "not tuned for this scenario, and so on default setups: "+strings.Join(s.untuned, ", ")+" (see 'autoscaler tune')")
		}
		boards = append(boards, board)
	}
	if err := comparisons[f.output](out, boards, results); err != nil {
		return fmt.Errorf("write the comparison: %w", err)
	}
	if f.report == "" {
		return nil
	}
	return replaceFile(f.report, func(w io.Writer) error {
		return report.WriteComparison(w, report.Comparison{Boards: boards, Seeds: f.seeds, Version: version})
	})
}

// readMerged reads results that were made elsewhere, of these scenarios. A result
// that another length of the scenario gave cannot be compared.
func readMerged(paths []string, scenarios []judged) ([]simulator.Result, error) {
	var out []simulator.Result
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read results to merge: %w", err)
		}
		var results []simulator.Result
		if err := json.Unmarshal(text, &results); err != nil {
			return nil, fmt.Errorf("%s is no array of results as 'autoscaler compare -o json' prints it: %w", path, err)
		}
		for _, r := range results {
			i := slices.IndexFunc(scenarios, func(s judged) bool { return s.Name == r.Scenario })
			if i < 0 {
				continue
			}
			if got, want := r.SimulatedSeconds, scenarios[i].Duration.Seconds(); got != want {
				return nil, fmt.Errorf("%s: %s of %s, seed %d, lasts %.0f seconds, and the scenario %.0f: make it again on the whole scenario", path, r.Controller, r.Scenario, r.Seed, got, want)
			}
			out = append(out, r)
		}
	}
	return out, nil
}

// tellRun tells on a line that a run ended.
func tellRun(out io.Writer, done, all int, r simulator.Result, kept bool) {
	how := ""
	if kept {
		how = ", kept from before"
	}
	fmt.Fprintf(out, "%d of %d: %s, %s, seed %d: %s, %s within the SLO%s\n",
		done, all, r.Scenario, r.Controller, r.Seed, r.Cost.Describe(), percent(r.Attainment), how)
}
