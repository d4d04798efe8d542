package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/judge"
	"github.com/tessera-autoscaler/tessera/simulator/scenario"
)

// simulateFlags are the flags of simulate.
type simulateFlags struct {
	seed       uint64
	controller string
	policy     string
	data       string
	tuned      string
	noBound    bool
	costOfCaps bool
	output     string
	report     string
	record     string
	failOn     string
}

func newSimulate() *cobra.Command {
	var f simulateFlags
	c := &cobra.Command{
		Use:   "simulate SCENARIO",
		Short: "Replay recorded or generated traffic offline and judge a policy by cost and attainment",
		Long: `Simulate runs the loop that runs in a cluster, unchanged, in a simulated world:
servers on slices with queues and batches, nodes that take minutes to start, and
money by the second. The same seed and inputs give the same result and hash.

SCENARIO is a file of kind Scenario; its policy, catalog and profiles are read
relative to it, recorded traffic relative to --data.

--controller puts another in the place of Tessera: the rules of other autoscalers,
each on a cluster with fixed GPU geometries, or a clairvoyant that knows the traffic
in advance. Their setups come from the file of "autoscaler tune", or are defaults.`,
		Example: `  # Two weeks of five languages, as a table
  autoscaler simulate configs/scenarios/five-languages.yaml

  # Recorded traffic, as JSON for scripts
  autoscaler simulate configs/scenarios/genai-models.yaml --data ~/traces -o json

  # A gate for CI: exit code 4 when the policy serves worse or costs more
  autoscaler simulate configs/scenarios/five-languages.yaml --policy new.yaml --fail-on 'attainment<0.99,cost_usd>9000'`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			return simulate(c.Context(), given[0], f, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().Uint64Var(&f.seed, "seed", 1, "seed of all random draws")
	c.Flags().StringVar(&f.controller, "controller", judge.Tessera, "who decides: "+strings.Join(judge.Controllers(), ", "))
	c.Flags().StringVar(&f.tuned, "tuned", "", "tuned setups of the other controllers (default tuned.yaml in the folder above the scenario's, if there)")
	c.Flags().BoolVar(&f.noBound, "no-bound", false, "do not compute the least money for which anyone could have served as much")
	c.Flags().BoolVar(&f.costOfCaps, "cost-of-caps", false, "run again without each cap that left a model short, and say what it cost exactly")
	c.Flags().StringVar(&f.policy, "policy", "", "a FleetPolicy file in place of the scenario's")
	c.Flags().StringVar(&f.data, "data", "", "root folder of recorded traffic (default $TESSERA_DATA, else the scenario's folder)")
	c.Flags().StringVarP(&f.output, "output", "o", "table", "table or json")
	c.Flags().StringVar(&f.report, "report", "", "also write a self-contained HTML report to this file")
	c.Flags().StringVar(&f.record, "record", "", "also write every decision, one JSON object a line, to this file (.gz compresses)")
	c.Flags().StringVar(&f.failOn, "fail-on", "", "comma-separated conditions on the result's numbers, such as 'attainment<0.99'; exit code 4 when one holds")
	return c
}

func simulate(ctx context.Context, path string, f simulateFlags, out, diagnostics io.Writer) (err error) {
	gates, err := f.check()
	if err != nil {
		return err
	}
	s, err := loadScenario(path, f)
	if err != nil {
		return invalid(err)
	}
	if err := checkFields(gates, s.Settings.Policy); err != nil {
		return err
	}
	tuned, err := readTuned(f.tuned, path)
	if err != nil {
		return invalid(err)
	}
	job := judge.Job{Controller: f.controller, Setup: tuned.Setup(s.Name, f.controller), Bound: !f.noBound}
	if err := checkSetup(s, f.controller, job.Setup); err != nil {
		return invalid(err)
	}
	journal, err := openJournal(f.record)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, journal.Close()) }()
	bar := newBar(diagnostics, "simulating "+s.Name)
	job.Journal, job.Progress = journal, bar.set
	begun := time.Now()
	result, err := judge.NewTrial(s, f.seed).Run(ctx, job)
	bar.close()
	if err != nil {
		return err
	}
	result.WallSeconds = time.Since(begun).Seconds()
	if f.costOfCaps {
		if err := withoutCaps(ctx, s, f.seed, job, &result, diagnostics); err != nil {
			return err
		}
	}
	if err := f.print(out, s, result); err != nil {
		return err
	}
	return checkGates(gates, result)
}

// check refuses what can be refused before a long run.
func (f simulateFlags) check() ([]gate, error) {
	if !slices.Contains(judge.Controllers(), f.controller) {
		return nil, usage("--controller %q is not known%s", f.controller, suggestion(f.controller, judge.Controllers()))
	}
	if f.output != "table" && f.output != "json" {
		return nil, usage("-o %q: use table or json", f.output)
	}
	if f.report != "" {
		if folder, err := os.Stat(filepath.Dir(f.report)); err != nil || !folder.IsDir() {
			return nil, usage("--report %s: there is no folder %s", f.report, filepath.Dir(f.report))
		}
	}
	return parseGates(f.failOn)
}

func suggestion(got string, among []string) string {
	if near := strictyaml.Suggest(got, among); near != "" {
		return fmt.Sprintf("; did you mean %s?", near)
	}
	return "; use " + strings.Join(among, ", ")
}

// loadScenario reads a scenario from disk.
func loadScenario(path string, f simulateFlags) (*scenario.Scenario, error) {
	loader := scenario.Loader{Open: openFile, Data: dataRoot(f.data), Policy: f.policy}
	return loader.Load(path)
}

// print writes the result in the form that was asked for, and then the report, so
// that a report that cannot be written costs no result.
func (f simulateFlags) print(out io.Writer, s *scenario.Scenario, r simulator.Result) error {
	if f.output == "json" {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(r); err != nil {
			return fmt.Errorf("write the result: %w", err)
		}
	} else if err := writeTable(out, s, r); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	if f.report == "" {
		return nil
	}
	return writeReport(f.report, s, r)
}
