package main

import (
	"errors"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
)

// newRoot builds the command tree.
func newRoot(out, diagnostics io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:   "autoscaler",
		Short: "Tessera: cost-aware autoscaling of GPU inference fleets",
		Long: `Tessera decides which model goes on which slice of which GPU, when to buy the
next GPU and when to give one back, so that every language meets its service
level and the bill stays inside its budget.`,
		Example: `  # Replay two weeks of five languages and see cost, attainment and why
  autoscaler simulate configs/scenarios/five-languages.yaml

  # Watch the loop live on a simulated fleet, at http://127.0.0.1:8080
  autoscaler run

  # Check a policy before it goes anywhere
  autoscaler policy check configs/policy.yaml --catalog configs/catalog.yaml --profiles configs/profiles.yaml`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetOut(out)
	root.SetErr(diagnostics)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		hint := ""
		if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
			var names []string
			c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
			if near := strictyaml.Suggest(unknown.GetSpecifiedName(), names); near != "" {
				hint = "; did you mean --" + near + "?"
			}
		}
		return usage("%v%s\nsee '%s --help'", err, hint, c.CommandPath())
	})
	root.AddCommand(newSimulate(), newCompare(), newTune(), newRun(), newPack(), newForecast(), newPolicy(), newTrace(), newExplain(), newVersion())
	for _, c := range root.Commands() {
		refuseUnknown(c)
	}
	refuseUnknown(root)
	return root
}

// refuseUnknown makes a command group say what it does not know, instead of
// printing its help as if all were well.
func refuseUnknown(c *cobra.Command) {
	if c.HasSubCommands() && c.RunE == nil {
		c.Args = cobra.ArbitraryArgs
		c.SuggestionsMinimumDistance = 2 // cobra suggests by distance only when it runs Find itself
		c.RunE = func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return c.Help()
			}
			text := ""
			for _, s := range c.SuggestionsFor(args[0]) {
				text = "; did you mean " + s + "?"
			}
			return usage("%s has no command %q%s\nsee '%s --help'", c.CommandPath(), args[0], text, c.CommandPath())
		}
	}
}

// args checks the number of arguments as an error of usage.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, given []string) error {
		if err := check(c, given); err != nil {
			return usage("%s: %v\nsee '%s --help'", c.CommandPath(), err, c.CommandPath())
		}
		return nil
	}
}
