package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tessera-autoscaler/tessera/policy"
	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/judge"
	"github.com/tessera-autoscaler/tessera/simulator/scenario"
)

// withoutCaps runs the scenario again for each cap that left a model short, with that
// cap only alerting, and notes what came out. Each run takes as long as the first.
func withoutCaps(ctx context.Context, s *scenario.Scenario, seed uint64, job judge.Job, result *simulator.Result, diagnostics io.Writer) error {
	job.Journal, job.Bound = nil, false
	for i, b := range s.Settings.Policy.Budgets {
		if !b.Hard() || !slices.ContainsFunc(result.CostOfCaps, func(c simulator.CapCost) bool {
			return c.Cap == b.Describe(b.Amount) && c.Group == b.Group && c.OnExceeded == b.OnExceeded
		}) {
			continue
		}
		lifted := *s
		lifted.Settings.Policy.Budgets = slices.Clone(s.Settings.Policy.Budgets)
		lifted.Settings.Policy.Budgets[i].OnExceeded = policy.Alert
		bar := newBar(diagnostics, "without the cap of "+b.String())
		job.Progress = bar.set
		other, err := judge.NewTrial(&lifted, seed).Run(ctx, job)
		bar.close()
		if err != nil {
			return fmt.Errorf("run without the cap of %s: %w", b, err)
		}
		result.WithoutCap = append(result.WithoutCap, lostTo(b, *result, other))
	}
	return nil
}

// lostTo is what a run without a cap says beside the one with it.
func lostTo(b policy.Budget, with, without simulator.Result) simulator.WithoutCap {
	out := simulator.WithoutCap{
		Cap: b.Describe(b.Amount), Group: b.Group, Cost: without.Cost, Attainment: without.Attainment, Points: map[string]float64{},
	}
	for name, share := range without.AttainmentByModel {
		if before, known := with.AttainmentByModel[name]; known {
			out.Points[name] = 100 * (share - before)
		}
	}
	return out
}

// writeCaps tells what the caps cost: the estimate of this run, and the runs without
// them.
func writeCaps(b *strings.Builder, r simulator.Result) {
	if len(r.CostOfCaps) == 0 && len(r.WithoutCap) == 0 {
		return
	}
	b.WriteString("\nwhat the caps cost, by what was missed while a cap left a model short, beyond what was missed otherwise:\n")
	harmless := 0
	for _, c := range r.CostOfCaps {
		if c.Points == nil || *c.Points < 0.005 {
			harmless++
			continue
		}
		fmt.Fprintf(b, "  %s\n", c)
	}
	if harmless > 0 {
		fmt.Fprintf(b, "  models that a cap left short at no cost: %d\n", harmless)
	}
	for _, w := range r.WithoutCap {
		fmt.Fprintf(b, "  run again without it: %s\n", w)
	}
}
