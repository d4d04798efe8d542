package archtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tree writes a small module into a temporary folder; each key is a path.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		full := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// says checks a tree against the table of this module and returns the complaints.
func says(t *testing.T, files map[string]string) []string {
	t.Helper()
	found, err := Check(os.DirFS(tree(t, files)), Tessera)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, c := range found {
		out = append(out, c.String())
	}
	return out
}

const ours = "github.com/tessera-autoscaler/tessera/"

// TestBrokenRuleIsReported: each way of breaking the house is found, at its file
// and line, with the reason of that rule and not of another.
func TestBrokenRuleIsReported(t *testing.T) {
	fleet := "// Package fleet holds nouns.\npackage fleet\n"
	tests := map[string]struct {
		give map[string]string
		want []string
	}{
		"a sound tree is quiet": {
			give: map[string]string{
				"fleet/fleet.go":     fleet,
				"packing/packing.go": "// Package packing packs.\npackage packing\n\nimport (\n\t\"time\"\n\n\t_ \"gonum.org/v1/gonum/mat\"\n\n\t_ \"" + ours + "fleet\"\n)\n\nvar _ = time.Second\n",
			},
		},
		"beside each other": {
			give: map[string]string{
				"packing/x.go": "// Package packing packs.\npackage packing\n\nimport (\n\t\"slices\"\n\n\t_ \"" + ours + "policy\"\n)\n\nvar _ = slices.Max[[]int]\n",
			},
			want: []string{"packing imports " + ours + "policy (packing/x.go:7): forecast, policy and packing do not know each other; control composes them"},
		},
		"upward, from a sub-folder": {
			give: map[string]string{
				"fleet/mig/mig.go": "// Package mig cuts.\npackage mig\n\nimport _ \"" + ours + "control\"\n",
			},
			want: []string{"fleet/mig imports " + ours + "control (fleet/mig/mig.go:4): fleet holds the nouns everything else is said in, so it knows nothing of who uses them"},
		},
		"the loop may not know the simulated world": {
			give: map[string]string{
				"control/x.go": "// Package control loops.\npackage control\n\nimport _ \"" + ours + "simulator\"\n",
			},
			want: []string{"control imports " + ours + "simulator (control/x.go:4): one loop serves two worlds only if it cannot tell which one it is in"},
		},
		"a pure room that logs": {
			give: map[string]string{
				"forecast/x.go": "// Package forecast foresees.\npackage forecast\n\nimport _ \"log/slog\"\n",
			},
			want: []string{"forecast imports log/slog (forecast/x.go:4): a decider returns facts and reasons; the loop logs them"},
		},
		"a room is one tree to itself": {
			give: map[string]string{
				"fleet/fleet.go":   fleet,
				"fleet/mig/mig.go": "// Package mig cuts.\npackage mig\n\nimport _ \"" + ours + "fleet\"\n",
			},
		},
		"the old random package, where the new one is welcome": {
			give: map[string]string{
				"fleet/x.go": fleet + "\nimport (\n\t_ \"math/rand\"\n\t_ \"math/rand/v2\"\n)\n",
			},
			want: []string{"fleet imports math/rand (fleet/x.go:5): randomness is a *rand.Rand of math/rand/v2 that is passed in, so that a run can be repeated"},
		},
		"complaints come in the order of the files": {
			give: map[string]string{
				"fleet/a.go":    "package fleet\n",
				"forecast/b.go": "package forecast\n\n\n\n\nimport _ \"os\"\n",
				"policy/c.go":   "// Package policy wants.\npackage policy\n\nimport _ \"os\"\n",
			},
			want: []string{
				`fleet has no package comment (fleet/a.go): a reader meets a package by its first sentence; begin one file with "// Package name ..."`,
				`forecast has no package comment (forecast/b.go): a reader meets a package by its first sentence; begin one file with "// Package name ..."`,
				"forecast imports os (forecast/b.go:6): files, environment and processes are read at the edge and handed in",
				"policy imports os (policy/c.go:4): files, environment and processes are read at the edge and handed in",
			},
		},
		"packing reads YAML": {
			give: map[string]string{
				"packing/x.go": "// Package packing packs.\npackage packing\n\nimport (\n\t_ \"github.com/goccy/go-yaml\"\n\n\t_ \"" + ours + "internal/strictyaml\"\n)\n",
			},
			want: []string{
				"packing imports github.com/goccy/go-yaml (packing/x.go:5): the solver is our own and its certificate is checked by us; gonum is its only algebra",
				"packing imports " + ours + "internal/strictyaml (packing/x.go:7): a packing problem is a value; its file is decoded by the command that reads it",
			},
		},
		"a checker that leans on the solver, and a solver that judges itself": {
			give: map[string]string{
				"packing/x.go":       "// Package packing packs.\npackage packing\n\nimport _ \"" + ours + "packing/check\"\n",
				"packing/check/x.go": "// Package check checks.\npackage check\n\nimport \"" + ours + "packing\"\n\nvar _ packing.Problem = packing.Solve()\n",
			},
			want: []string{
				"packing/check uses packing.Solve (packing/check/x.go:6): a checker that asks the solver checks nothing",
				"packing imports " + ours + "packing/check (packing/x.go:4): the solver does not judge itself; its caller takes the answer to the checker",
			},
		},
		"the wall clock, under another name": {
			give: map[string]string{
				"simulator/x.go": "// Package simulator simulates.\npackage simulator\n\nimport clock \"time\"\n\nfunc now() clock.Time { return clock.Now() }\n",
			},
			want: []string{"simulator uses time.Now (simulator/x.go:6): time is an argument, so that the simulated world can pass its own and a record can be replayed"},
		},
		"the clock belongs to the runner alone": {
			give: map[string]string{
				"control/loop.go":   "// Package control loops.\npackage control\n\nimport \"time\"\n\nvar wait = time.Sleep\n",
				"control/runner.go": "package control\n\nimport \"time\"\n\nvar now = time.Now\n",
			},
			want: []string{"control uses time.Sleep (control/loop.go:6): time is an argument, so that the simulated world can pass its own and a record can be replayed"},
		},
		"the shared random source": {
			give: map[string]string{
				"policy/x.go": "// Package policy wants.\npackage policy\n\nimport \"math/rand/v2\"\n\nfunc roll(r *rand.Rand) int { return r.IntN(6) + rand.IntN(6) }\n",
			},
			want: []string{"policy uses rand.IntN (policy/x.go:6): the global source cannot be seeded; take a *rand.Rand and the run can be repeated"},
		},
		"names hidden by a dot": {
			give: map[string]string{
				"fleet/x.go": fleet + "\nimport . \"time\"\n\nvar now = Now\n",
			},
			want: []string{"fleet imports time without a name (fleet/x.go:4): banned names could then be used unseen; time is an argument, so that the simulated world can pass its own and a record can be replayed"},
		},
		"fx outside the command, even in a test": {
			give: map[string]string{
				"cmd/autoscaler/main.go": "// Command autoscaler runs.\npackage main\n\nimport _ \"go.uber.org/fx\"\n",
				"fleet/x.go":             fleet,
				"fleet/x_test.go":        "package fleet\n\nimport (\n\t_ \"os\"\n\n\t_ \"go.uber.org/fx/fxtest\"\n)\n",
			},
			want: []string{"fleet imports go.uber.org/fx/fxtest (fleet/x_test.go:6): constructors must work without a container; only cmd/autoscaler wires them with one"},
		},
		"fx outside the command is one complaint, not two": {
			give: map[string]string{"fleet/x.go": fleet + "\nimport _ \"go.uber.org/fx\"\n"},
			want: []string{"fleet imports go.uber.org/fx (fleet/x.go:4): constructors must work without a container; only cmd/autoscaler wires them with one"},
		},
		"a package nobody introduced": {
			give: map[string]string{"fleet/a.go": "package fleet\n", "fleet/b.go": "// package fleet, whispered.\npackage fleet\n"},
			want: []string{`fleet has no package comment (fleet/a.go): a reader meets a package by its first sentence; begin one file with "// Package name ..."`},
		},
		"a new tree must state its arrows": {
			give: map[string]string{
				"fleetwood/a.go": "// Package fleetwood is no part of fleet.\npackage fleetwood\n",
				"fleetwood/b.go": "package fleetwood\n",
			},
			want: []string{"fleetwood is a package tree the table does not know (fleetwood/a.go): say in internal/archtest/rooms.go what it may import, and why not more"},
		},
		"a long file, but not a long test or a generated file": {
			give: map[string]string{
				"fleet/long.go":      fleet + strings.Repeat("\n", MaxLines-1),
				"fleet/fits.go":      "package fleet\n" + strings.Repeat("\n", MaxLines-1),
				"fleet/long_test.go": "package fleet\n" + strings.Repeat("\n", MaxLines),
				"fleet/generated.go": "// Code generated by hand. DO NOT EDIT.\n\npackage fleet\n" + strings.Repeat("\n", MaxLines),
			},
			want: []string{"long.go is 451 lines long, over 450 (fleet/long.go): a file has one subject; find the second one and give it a file"},
		},
		"other modules and ignored folders are not read": {
			give: map[string]string{
				"bench/peers/go.mod":        "module peers\n",
				"bench/peers/x.go":          "package broken because it is not Go",
				"fleet/testdata/x.go":       "package neither is this",
				"console/node_modules/x.go": "package nor this",
				"_scratch/x.go":             "package nor that",
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, says(t, tt.give)); diff != "" {
				t.Errorf("complaints (-want +got):\n%s", diff)
			}
		})
	}
}

// TestBrokenFileIsAnError: a file that cannot be parsed was not checked, and a
// check that did not happen must not pass.
func TestBrokenFileIsAnError(t *testing.T) {
	root := tree(t, map[string]string{"fleet/x.go": "package fleet because"})
	if _, err := Check(os.DirFS(root), Tessera); err == nil || !strings.Contains(err.Error(), "fleet/x.go:1") {
		t.Errorf("error %v, want one that names fleet/x.go:1", err)
	}
}
