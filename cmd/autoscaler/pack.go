package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/tessera-autoscaler/tessera/packing"
	"github.com/tessera-autoscaler/tessera/packing/check"
)

func newPack() *cobra.Command {
	var input, output string
	c := &cobra.Command{
		Use:   "pack",
		Short: "Solve one packing instance, with a bound on what any layout must cost",
		Long: `Pack reads GPUs with prices and models with demand, and prints which geometry each
GPU gets, which model sits on each slice, what it costs an hour, and a certified
bound below which no layout can cost. An independent checker verifies layout, cost
and bound in exact arithmetic before anything is printed.`,
		Example: `  # A layout drawn as text
  autoscaler pack --input instance.yaml

  # The same with prices of the certificate, for scripts
  autoscaler pack --input instance.json -o json | jq .gap`,
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if input == "" {
				return usage("pack needs --input FILE\nsee 'autoscaler pack --help'")
			}
			if output != "table" && output != "json" {
				return usage("-o %q: use table or json", output)
			}
			return pack(input, output, c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&input, "input", "", "YAML or JSON file with gpus and models")
	c.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	return c
}

func pack(path, output string, out io.Writer) error {
	problem, err := readProblem(path)
	if err != nil {
		return invalid(err)
	}
	begun := time.Now()
	answer, err := packing.Solve(problem, packing.Options{})
	if err != nil {
		return invalid(fmt.Errorf("%s: %w", path, err))
	}
	if err := check.Verify(problem, answer); err != nil {
		return fmt.Errorf("the answer did not pass the checker, which is a bug: %w", err)
	}
	answer.Checked, answer.Milliseconds = true, float64(time.Since(begun).Microseconds())/1000
	if output == "json" {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(answer)
	}
	_, err = io.WriteString(out, answer.Describe())
	return err
}

// readProblem decodes a packing instance; complaints carry line and column.
func readProblem(path string) (packing.Problem, error) {
	doc, err := parseFile(path)
	if err != nil {
		return packing.Problem{}, err
	}
	var p packing.Problem
	if doc.Decode(&p) {
		for _, c := range complaintsOf(p.Validate()) {
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
