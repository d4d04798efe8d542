package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tessera-autoscaler/tessera/configs"
	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
	"github.com/tessera-autoscaler/tessera/policy"
)

func newPolicy() *cobra.Command {
	c := &cobra.Command{
		Use:   "policy",
		Short: "Work with FleetPolicy files",
		Example: `  # Every complaint at once, with line, column and caret
  autoscaler policy check policy.yaml

  # As JSON for an editor or CI
  autoscaler policy check policy.yaml -o json`,
	}
	c.AddCommand(newPolicyCheck())
	refuseUnknown(c)
	return c
}

// checkFlags are the flags of policy check.
type checkFlags struct{ catalog, profiles, output string }

func newPolicyCheck() *cobra.Command {
	var f checkFlags
	c := &cobra.Command{
		Use:   "check FILE",
		Short: "Check a policy and show what it resolves to",
		Long: `Check reads a FleetPolicy against a catalog and performance profiles, prints every
complaint at once with line, column and a caret, and otherwise what each model
resolves to: class, service level, and the slices on which it can run with what
one replica carries. Exit code 3 when something is wrong.

Without --catalog and --profiles, those built into the program are used.`,
		Example: `  # Against the catalog and the profiles of the samples
  autoscaler policy check configs/policy.yaml

  # Against your own prices and measurements
  autoscaler policy check policy.yaml --catalog prices.yaml --profiles measured.yaml`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			if f.output != "table" && f.output != "json" {
				return usage("-o %q: use table or json", f.output)
			}
			return policyCheck(given[0], f, c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&f.catalog, "catalog", "", "Catalog file (default the one built in)")
	c.Flags().StringVar(&f.profiles, "profiles", "", "Profiles file (default the one built in)")
	c.Flags().StringVarP(&f.output, "output", "o", "table", "table or json")
	return c
}

func policyCheck(path string, f checkFlags, out io.Writer) error {
	text, err := f.resolve(path)
	if f.output == "json" {
		return printComplaints(out, err)
	}
	if err != nil {
		return invalid(err)
	}
	_, err = io.WriteString(out, text)
	return err
}

// resolve loads everything and describes the policy.
func (f checkFlags) resolve(path string) (string, error) {
	source, err := sourceOr(f.catalog, "catalog.yaml")
	if err != nil {
		return "", err
	}
	catalog, err := policy.LoadCatalog(source)
	if err != nil {
		return "", err
	}
	if source, err = sourceOr(f.profiles, "profiles.yaml"); err != nil {
		return "", err
	}
	profiles, err := policy.LoadProfiles(source)
	if err != nil {
		return "", err
	}
	if source, err = readSource(path); err != nil {
		return "", err
	}
	p, err := policy.Load(source, catalog, profiles)
	if err != nil {
		return "", err
	}
	return p.Describe(), nil
}

// sourceOr reads a file, or the one that is built in.
func sourceOr(path, builtIn string) (policy.Source, error) {
	if path != "" {
		return readSource(path)
	}
	data, err := configs.Files.ReadFile(builtIn)
	if err != nil {
		return policy.Source{}, fmt.Errorf("read what is built in: %w", err)
	}
	return policy.Source{Name: "built-in " + builtIn, Data: data}, nil
}

// printComplaints writes a JSON object with what is wrong, and keeps the exit
// code.
func printComplaints(out io.Writer, err error) error {
	var complaints strictyaml.Complaints
	if err != nil && !errors.As(err, &complaints) {
		return invalid(err)
	}
	if complaints == nil {
		complaints = strictyaml.Complaints{}
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	if writing := encoder.Encode(struct {
		Valid      bool                  `json:"valid"`
		Complaints strictyaml.Complaints `json:"complaints"`
	}{err == nil, complaints}); writing != nil {
		return writing
	}
	if err != nil {
		return &exitError{code: exitInput, err: fmt.Errorf("%d complaints", len(complaints))}
	}
	return nil
}
