package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tessera-autoscaler/tessera/packing"
	"github.com/tessera-autoscaler/tessera/packing/check"
)

// packing's settings on the command line.
type packSettings struct {
	input, output, effort string
	limit                 time.Duration
	explain               bool
	steps                 stepsSettings
}

func newPack() *cobra.Command {
	var s packSettings
	c := &cobra.Command{
		Use:   "pack",
		Short: "Solve one packing instance, with a bound on what any layout must cost",
		Long: `Pack reads GPUs with prices and models with demand, and prints which geometry each
GPU gets, which model sits on each slice, what it costs an hour, and a certified
bound below which no layout can cost. An independent checker verifies layout, demand,
cost and bound in exact arithmetic before anything is printed.

Work is counted in steps, so that the same instance has the same answer on any
machine. With --time-limit the clock may end the search earlier; the answer then says
that it is truncated.

With --explain it says of each GPU why it is cut as it is, and what would change that.
With --steps it leads from the instance's current layout to one that meets the demand,
by the sequence of steps that costs least over --keep, each step with its price.`,
		Example: `  # A layout drawn as text
  autoscaler pack --input instance.yaml

  # The same with prices of the certificate, for scripts
  autoscaler pack --input instance.json -o json | jq .gap

  # Which moves are worth their price, if the demand stays like this for two hours
  autoscaler pack --input instance.yaml --steps --keep 2h --disruption 0.25`,
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			switch {
			case s.input == "":
				return usage("pack needs --input FILE\nsee 'autoscaler pack --help'")
			case s.output != "table" && s.output != "json":
				return usage("-o %q: use table or json", s.output)
			case !slices.Contains(efforts, packing.Effort(s.effort)):
				return usage("--effort %q: use low, normal or high", s.effort)
			case s.steps.wanted && s.explain:
				return usage("--steps and --explain: give one of them")
			case s.steps.keep <= 0 || s.steps.warmUp < 0 || s.steps.drain < 0:
				return usage("--keep %v, --warm-up %v, --drain %v: give a time to keep above 0, and the others not below", s.steps.keep, s.steps.warmUp, s.steps.drain)
			case s.limit < 0:
				return usage("--time-limit %v: give a duration above 0, such as 500ms, or leave it out", s.limit)
			}
			return pack(s, c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&s.input, "input", "", "YAML or JSON file with gpus and models")
	c.Flags().StringVarP(&s.output, "output", "o", "table", "table or json")
	c.Flags().StringVar(&s.effort, "effort", string(packing.Normal), "how hard to look: low, normal or high")
	c.Flags().DurationVar(&s.limit, "time-limit", 0, "end the search after this long (0: when the effort is spent)")
	c.Flags().BoolVar(&s.explain, "explain", false, "say of each GPU why it is cut as it is")
	c.Flags().BoolVar(&s.steps.wanted, "steps", false, "print the steps from the current layout to one that meets the demand")
	c.Flags().DurationVar(&s.steps.keep, "keep", time.Hour, "with --steps: how long the new layout will be kept")
	c.Flags().DurationVar(&s.steps.warmUp, "warm-up", 90*time.Second, "with --steps: from a replica's start until it serves")
	c.Flags().DurationVar(&s.steps.drain, "drain", time.Minute, "with --steps: until a replica that is to go has gone")
	c.Flags().StringVar(&s.steps.disruption, "disruption", "0.10", "with --steps: price of taking one replica away")
	return c
}

var efforts = []packing.Effort{packing.Low, packing.Normal, packing.High}

func pack(s packSettings, out io.Writer) error {
	problem, err := readProblem(s.input)
	if err != nil {
		return invalid(err)
	}
	begun := time.Now()
	if s.steps.wanted {
		return s.stepsFrom(problem, begun, out)
	}
	options := packing.Options{Effort: packing.Effort(s.effort)}
	if s.limit > 0 {
		options.Stop = func() bool { return time.Since(begun) >= s.limit }
	}
	answer, err := packing.Solve(problem, options)
	if err != nil {
		return invalid(fmt.Errorf("%s: %w", s.input, err))
	}
	if err := check.Verify(problem, answer); err != nil {
		return fmt.Errorf("the answer did not pass the checker, which is a bug: %w", err)
	}
	answer.Checked, answer.Milliseconds = true, float64(time.Since(begun).Microseconds())/1000
	if s.output == "json" && s.explain {
		return s.explainTo(problem, answer, out)
	}
	if s.output == "json" {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(answer)
	}
	_, err = io.WriteString(out, answer.Describe()+"checked: layout, demand, cost and bound, by an independent checker in exact arithmetic\n")
	if err == nil && s.explain {
		err = s.explainTo(problem, answer, out)
	}
	return err
}

// readProblem decodes a packing instance; complaints carry line and column. A model
// that no slice can serve is one.
func readProblem(path string) (packing.Problem, error) {
	doc, err := parseFile(path)
	if err != nil {
		return packing.Problem{}, err
	}
	var p packing.Problem
	if doc.Decode(&p) {
		found := complaintsOf(p.Validate())
		if len(found) == 0 {
			found = p.Unfit()
		}
		for _, c := range found {
			doc.Complain(c.Path, "%s", c.Text)
		}
	}
	return p, doc.Err()
}

// complaintsOf takes the joined complaints of a problem apart.
func complaintsOf(err error) []packing.FieldError {
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return nil
	}
	var out []packing.FieldError
	for _, e := range joined.Unwrap() {
		if c, ok := errors.AsType[packing.FieldError](e); ok {
			out = append(out, c)
		}
	}
	return out
}
