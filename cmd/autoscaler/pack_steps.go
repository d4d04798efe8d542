package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
	"github.com/tessera-autoscaler/tessera/packing"
	"github.com/tessera-autoscaler/tessera/packing/explain"
	"github.com/tessera-autoscaler/tessera/packing/repack"
)

// stepsSettings say what a move costs, for pack --steps.
type stepsSettings struct {
	wanted              bool
	keep, warmUp, drain time.Duration
	disruption          string
}

// stepsFrom prints the cheapest sequence of steps from the instance's current layout to
// one that meets its demand.
func (s packSettings) stepsFrom(problem packing.Problem, begun time.Time, out io.Writer) error {
	if len(problem.Current) == 0 {
		return invalid(fmt.Errorf("%s: --steps leads from today's layout, and current is empty: list today's GPUs there, or leave the flag out", s.input))
	}
	disruption, err := packing.ParseAmount(s.steps.disruption)
	if err != nil {
		return usage("--disruption: %v", err)
	}
	fleet := repack.FleetOf(problem.Current, problem.GPUs)
	need := problem
	need.Current = nil
	options := repack.Options{
		Keep: s.steps.keep, Disruption: disruption,
		Replica: repack.Replica{WarmUp: s.steps.warmUp, Drain: s.steps.drain},
	}
	if s.limit > 0 {
		options.Stop = func() bool { return time.Since(begun) >= s.limit }
	}
	plan, err := repack.Solve(fleet, need, options)
	if err != nil {
		return invalid(fmt.Errorf("%s: %w", s.input, err))
	}
	if err := repack.Verify(fleet, need, options, plan); err != nil {
		return fmt.Errorf("the steps did not pass their replay, which is a bug: %w", err)
	}
	if s.output == "json" {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(plan)
	}
	var b strings.Builder
	for i, step := range plan.Steps {
		fmt.Fprintf(&b, "%3d  %s\n", i+1, step.Describe())
	}
	if len(plan.Steps) == 0 {
		b.WriteString("nothing to do: no change is worth its price\n")
	}
	fmt.Fprintf(&b, "today %s an hour, afterwards %s, at most %s between; steps cost %s\n", plan.Today, plan.After, plan.Peak, plan.Moves)
	fmt.Fprintf(&b, "%s over %s with the steps; %s if everything stayed where it is\n", plan.Total, strictyaml.FormatDuration(s.steps.keep), plan.Stay)
	for _, m := range problem.Models {
		if left := plan.Unserved[m.Name]; left > 0 {
			fmt.Fprintf(&b, "! %s lacks %.4g of %.4g\n", m.Name, left, m.Demand)
		}
	}
	if plan.Truncated {
		b.WriteString("truncated: the time limit ended the search\n")
	}
	b.WriteString("checked: every step replayed in exact arithmetic\n")
	_, err = io.WriteString(out, b.String())
	return err
}

// explained adds to a layout why each GPU is cut as it is.
type explained struct {
	packing.Answer

	Explained []explain.GPU `json:"explained"`
}

// explainTo prints why each GPU is cut as it is, or adds it to the JSON.
func (s packSettings) explainTo(problem packing.Problem, answer packing.Answer, out io.Writer) error {
	all, err := explain.All(problem, answer)
	if err != nil {
		return fmt.Errorf("explain the layout: %w", err)
	}
	if s.output == "json" {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(explained{answer, all})
	}
	var b strings.Builder
	b.WriteByte('\n')
	for _, g := range all {
		for i, line := range g.Words() {
			if i > 0 && !strings.HasPrefix(line, " ") {
				b.WriteString("  ")
			}
			b.WriteString(line + "\n")
		}
	}
	_, err = io.WriteString(out, b.String())
	return err
}
