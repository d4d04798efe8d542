package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
	"github.com/tessera-autoscaler/tessera/simulator/judge"
	"github.com/tessera-autoscaler/tessera/simulator/peer"
)

// tuneFlags are the flags of tune.
type tuneFlags struct {
	runFlags
	controllers string
	seed        uint64
	target      float64
	beginning   span
	runs        int
	layouts     int
	output      string
}

// forms are what -o means in other commands.
var forms = []string{"table", "markdown", "json", "csv", "yaml"}

func newTune() *cobra.Command {
	f := tuneFlags{beginning: span(72 * time.Hour)}
	c := &cobra.Command{
		Use:   "tune SCENARIO...",
		Short: "Find the cheapest setup with which other controllers keep the service levels",
		Long: `Tune gives the peers of Tessera a fair chance: it searches each one's cheapest
setup that keeps the target of every model, or else the one that comes closest.
What it varies are the ways to cut GPUs and to place models on them, the minimum
number of replicas, and the controller's own parameters, one after the other and over
again, on the beginning of the scenario; the best few are judged on all of it.

What it finds goes into the file of -o, in the place of what was there of the same
scenario and controller; simulate and compare read it with --tuned. The world in which
it tries is that of --seed, which compare does not use. Finished runs are kept in
the folder of --cache, so that a search that was interrupted goes on where it ended.`,
		Example: `  # Every peer, on two weeks of five languages
  autoscaler tune configs/scenarios/five-languages.yaml -o tuned.yaml

  # Two of them, quickly
  autoscaler tune configs/scenarios/hard-days.yaml --controllers hpa,kpa --beginning 1d --runs 20 -o tuned.yaml`,
		Args: args(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			return tune(c.Context(), given, f, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&f.controllers, "controllers", strings.Join(peer.Names(), ","), "who is tuned, separated by commas")
	c.Flags().Uint64Var(&f.seed, "seed", 1001, "seed of the world in which setups are tried")
	c.Flags().Float64Var(&f.target, "target", 0, "attainment that every model is to have (default the target of its SLO)")
	f.add(c)
	c.Flags().Var(&f.beginning, "beginning", "how much of the scenario setups are tried on first, such as 12h")
	c.Flags().IntVar(&f.runs, "runs", 60, "most setups tried on the beginning, for each controller")
	c.Flags().IntVar(&f.layouts, "layouts", 6, "most ways tried to cut GPUs and to place models")
	c.Flags().StringVarP(&f.output, "output", "o", "", "file of setups to write or to add to (required)")
	return c
}

func tune(ctx context.Context, paths []string, f tuneFlags, out, diagnostics io.Writer) error {
	controllers, err := f.check()
	if err != nil {
		return err
	}
	store, err := storeIn(f.cache)
	if err != nil {
		return err
	}
	tuned, err := f.before()
	if err != nil {
		return invalid(err)
	}
	for _, path := range paths {
		s, err := loadJudged(path, f.data)
		if err != nil {
			return invalid(err)
		}
		trial := judge.NewTrial(s.Scenario, f.seed)
		for _, name := range controllers {
			search := judge.Search{
				Trial: trial, Inputs: s.inputs, Store: store, Controller: name, Target: f.target,
				Beginning: time.Duration(f.beginning), Runs: f.runs, Layouts: f.layouts, Workers: f.jobs,
				Tell: func(format string, args ...any) { fmt.Fprintf(diagnostics, format+"\n", args...) },
			}
			beginning := strictyaml.FormatDuration(min(s.Duration, search.Beginning))
			fmt.Fprintf(diagnostics, "tuning %s for %s: at most %d setups on the first %s\n", name, s.Name, f.runs, beginning)
			found, err := search.Find(ctx)
			if err != nil {
				return interrupted(ctx, err, store)
			}
			tuned = tuned.With(f.entry(s, name, found))
			// After every search, so that what was found survives an interruption.
			if err := replaceFile(f.output, tuned.Write); err != nil {
				return err
			}
			if err := tellFound(out, s, name, found); err != nil {
				return err
			}
		}
	}
	return nil
}

// check refuses what can be refused before a long run.
func (f tuneFlags) check() ([]string, error) {
	switch {
	case f.output == "":
		return nil, usage("give the file to write with -o FILE\nsee 'autoscaler tune --help'")
	case slices.Contains(forms, f.output):
		return nil, usage("-o %s: tune writes a file of setups, in one form only; name the file, such as -o tuned.yaml", f.output)
	case !(f.target >= 0 && f.target <= 1):
		return nil, usage("--target %v: give a share between 0 and 1, such as 0.99", f.target)
	case f.jobs < 1 || f.runs < 1 || f.layouts < 1 || f.beginning <= 0:
		return nil, usage("--jobs, --runs, --layouts and --beginning must be positive")
	}
	if folder, err := os.Stat(filepath.Dir(f.output)); err != nil || !folder.IsDir() {
		return nil, usage("-o %s: there is no folder %s", f.output, filepath.Dir(f.output))
	}
	for _, name := range []string{judge.Tessera, judge.Clairvoyant} {
		if slices.Contains(strings.Split(f.controllers, ","), name) {
			return nil, usage("--controllers %q has nothing to tune: %s runs under the policy as it is, and %s fits itself to each world; use %s",
				name, judge.Tessera, judge.Clairvoyant, strings.Join(peer.Names(), ", "))
		}
	}
	return parseControllers("--controllers", f.controllers, peer.Names())
}

// before is what the file holds already.
func (f tuneFlags) before() (judge.Tuned, error) {
	doc, err := parseFile(f.output)
	if errors.Is(err, fs.ErrNotExist) {
		return judge.Tuned{}, nil
	}
	if err != nil {
		return judge.Tuned{}, err
	}
	tuned := judge.ReadTuned(doc)
	return tuned, doc.Err()
}

func (f tuneFlags) entry(s judged, controller string, found judge.Found) judge.Entry {
	e := judge.Entry{
		Scenario: s.Name, Controller: controller, Setup: found.Setup, Date: time.Now().UTC().Format(time.DateOnly), Seed: f.seed,
		Target: f.target, Cost: found.Result.Cost.String(), Meets: found.Meets,
	}
	if found.Result.Attainment != nil {
		e.Attainment = *found.Result.Attainment
	}
	return e
}

// tellFound tells on a line what a search came to.
func tellFound(out io.Writer, s judged, controller string, found judge.Found) error {
	verdict := "meets every target"
	if !found.Meets {
		verdict = "no setup tried meets every target; this comes closest"
	}
	_, err := fmt.Fprintf(out, "%s, %s: %s, %s within the SLO, %d runs: %s\n",
		s.Name, controller, found.Result.Cost.Describe(), percent(found.Result.Attainment), found.Runs, verdict)
	return err
}
