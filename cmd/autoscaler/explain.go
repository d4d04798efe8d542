package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tessera-autoscaler/tessera/control/explain"
	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
)

// explainFlags are the flags of explain.
type explainFlags struct {
	record, output string
	last           int
}

func newExplain() *cobra.Command {
	var f explainFlags
	c := &cobra.Command{
		Use:   "explain [ID] --record FILE",
		Short: "Say from a record why something was decided, and what would have changed it",
		Long: `Explain reads what --record of simulate or run wrote. ID is one of

  plan-20260914T052900Z       a plan
  2026-09-14T05:29:00Z        a time: the plan in force then
  a2-ultragpu-1g-00045        a node: its life, and the plan that bought it
  transcribe-fr-00012         a replica: its life, and the last plan that touched it
  transcribe-fr               a model: the decisions about it, in short

Without an ID it lists the plans that did something.

Of a plan it tells the steps with their reasons, the candidates that were valued, what
was held back, the money of that moment and what was known and needed of each model. It
then decides again from the record, says whether the plan is the same to the byte, and
looks for what would have changed it, one thing at a time: the demand of each model
between a quarter and four times, each cap, each unknown.`,
		Example: `  # What did it do lately
  autoscaler explain --record decisions.jsonl.gz --last 10

  # Why was this node bought, and below which demand would it not have been
  autoscaler explain a2-ultragpu-1g-00045 --record decisions.jsonl.gz

  # What was decided at a time, for scripts
  autoscaler explain 2026-09-15T05:29:00Z --record decisions.jsonl.gz -o json | jq .explanation.what_if`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			switch {
			case f.record == "":
				return usage("explain needs --record FILE, which simulate and run write\nsee 'autoscaler explain --help'")
			case f.output != "table" && f.output != "json":
				return usage("-o %q: use table or json", f.output)
			case f.last < 1:
				return usage("--last %d: give a number of decisions, 1 or more", f.last)
			}
			return f.explain(c.Context(), strings.Join(given, ""), c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&f.record, "record", "", "what --record of simulate or run wrote, compressed or not")
	c.Flags().IntVar(&f.last, "last", 20, "of a list, how many of the newest decisions to print")
	c.Flags().StringVarP(&f.output, "output", "o", "table", "table or json")
	return c
}

func (f explainFlags) explain(ctx context.Context, id string, out, diagnostics io.Writer) error {
	file, err := os.Open(f.record)
	if err != nil {
		return invalid(fmt.Errorf("read the record: %w", err))
	}
	defer func() { _ = file.Close() }() // only read from
	search := explain.NewSearch(explain.Ask(id, f.last))
	broken, err := searchRecord(ctx, file, search)
	if ctx.Err() != nil {
		return fmt.Errorf("read the record: %w", ctx.Err())
	}
	if err != nil {
		return invalid(fmt.Errorf("%s:%w", f.record, err))
	}
	answer, err := answerOf(ctx, search)
	if ctx.Err() != nil {
		return fmt.Errorf("explain the record: %w", ctx.Err())
	}
	if unknown, ok := errors.AsType[*explain.UnknownError](err); ok {
		err = fmt.Errorf("%w%s", err, near(unknown))
	}
	if err != nil {
		return invalid(errors.Join(fmt.Errorf("%s: %w", f.record, err), prefixed(f.record, broken)))
	}
	if broken != nil {
		fmt.Fprintln(diagnostics, prefixed(f.record, broken))
	}
	if f.output == "json" {
		return indented(out, answer)
	}
	_, err = io.WriteString(out, answerText(answer, f.record))
	return err
}

// answerOf computes an answer, which is many decisions, no longer than ctx.
func answerOf(ctx context.Context, search *explain.Search) (explain.Answer, error) {
	type answered struct {
		explain.Answer
		error
	}
	done := make(chan answered, 1)
	go func() {
		a, err := search.Answer()
		done <- answered{a, err}
	}()
	select {
	case a := <-done:
		return a.Answer, a.error
	case <-ctx.Done():
		return explain.Answer{}, ctx.Err()
	}
}

func prefixed(path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s:%w", path, err)
}

// near suggests up to three ids that may have been meant.
func near(u *explain.UnknownError) string {
	found, rest := u.Near, slices.Clone(u.Known)
	for len(found) < 3 {
		name := strictyaml.Suggest(u.ID, rest)
		if name == "" {
			break
		}
		found = append(found, name)
		rest = slices.DeleteFunc(rest, func(n string) bool { return n == name })
	}
	if len(found) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(found, " or ") + "?"
}
