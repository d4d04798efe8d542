package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/tessera-autoscaler/tessera/policy"
)

// everyCommand lists the commands that help shows, the root first.
func everyCommand() []*cobra.Command {
	list := []*cobra.Command{newRoot(io.Discard, io.Discard)}
	for i := 0; i < len(list); i++ {
		for _, c := range list[i].Commands() {
			if !c.Hidden && c.Name() != "help" {
				list = append(list, c)
			}
		}
	}
	return list
}

// examplesOf are the command lines among the examples of a command.
func examplesOf(c *cobra.Command) []string {
	var lines []string
	for line := range strings.Lines(c.Example) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

// words splits a command line as a shell does, up to a pipe. Only single quotes
// are understood.
func words(line string) []string {
	line, _, _ = strings.Cut(line, " | ")
	var out []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			out = append(out, part)
		} else {
			out = append(out, strings.Fields(part)...)
		}
	}
	return out
}

func TestEveryCommandExplainsItself(t *testing.T) {
	list := everyCommand()
	if len(list) < 7 {
		t.Fatalf("only %d commands", len(list))
	}
	for _, c := range list {
		t.Run(c.CommandPath(), func(t *testing.T) {
			if len(c.Short) < 12 || strings.HasSuffix(c.Short, ".") {
				t.Errorf("in one line it does: %q", c.Short)
			}
			if c.Runnable() && !c.HasSubCommands() && c.HasLocalFlags() && len(c.Long) < 100 {
				t.Errorf("it has flags, and of itself it says only %q", c.Long)
			}
			if n := len(examplesOf(c)); n < 2 || n > 3 {
				t.Errorf("%d examples, want 2 or 3", n)
			}
			help := invoke(t, append(words(c.CommandPath())[1:], "--help")...)
			succeeded(t, help)
			for _, text := range append(examplesOf(c), "Usage:\n  "+c.CommandPath(), "Examples:") {
				if !strings.Contains(help.stdout, text) {
					t.Errorf("its help does not show %q:\n%s", text, help.stdout)
				}
			}
		})
	}
}

// An example that does not run is worse than none: every command and flag in it
// exists, with arguments as the command wants them, and so do the files that come
// with the program.
func TestEveryExampleCanBeTyped(t *testing.T) {
	for _, c := range everyCommand() {
		for _, line := range examplesOf(c) {
			t.Run(line, func(t *testing.T) {
				given := words(line)
				if given[0] != "autoscaler" {
					t.Fatalf("it begins with %q", given[0])
				}
				called, rest, err := newRoot(io.Discard, io.Discard).Find(given[1:])
				if err != nil {
					t.Fatal(err)
				}
				if c.HasParent() && called.CommandPath() != c.CommandPath() && called.Parent().CommandPath() != c.CommandPath() {
					t.Errorf("it calls %s", called.CommandPath())
				}
				if err := called.ParseFlags(rest); err != nil {
					t.Fatal(err)
				}
				if err := called.ValidateArgs(called.Flags().Args()); err != nil {
					t.Error(err)
				}
				if failOn := called.Flags().Lookup("fail-on"); failOn != nil {
					gates, err := parseGates(failOn.Value.String())
					if err := errors.Join(err, checkFields(gates, policy.Policy{})); err != nil {
						t.Errorf("%s: %v", failOn.Value, err)
					}
				}
				for _, word := range given {
					if !strings.HasPrefix(word, "configs/") {
						continue
					}
					if _, err := os.Stat(filepath.Join(home, "..", "..", filepath.FromSlash(word))); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
}

// What cannot be understood ends with exit code 2, before anything is done, and
// points at the help of the command that was meant.
func TestCommandLinesThatMakeNoSense(t *testing.T) {
	t.Chdir(small().write(t))
	for _, tt := range []struct {
		line string
		says []string
	}{
		{"simulat scenario.yaml", []string{`no command "simulat"`, "did you mean simulate?", "see 'autoscaler --help'"}},
		{"smulate scenario.yaml", []string{"did you mean simulate?", "see 'autoscaler --help'"}},
		{"elephant", []string{`no command "elephant"`, "see 'autoscaler --help'"}},
		{"policy chek policy.yaml", []string{`no command "chek"`, "did you mean check?", "see 'autoscaler policy --help'"}},
		{"--colour", []string{"unknown flag: --colour", "see 'autoscaler --help'"}},
		{"simulate scenario.yaml --sed 3", []string{"unknown flag: --sed", "see 'autoscaler simulate --help'"}},
		{"simulate scenario.yaml --seed three", []string{`"three"`, "--seed", "see 'autoscaler simulate --help'"}},
		{"simulate scenario.yaml --seed -1", []string{`"-1"`, "--seed", "see 'autoscaler simulate --help'"}},
		{"simulate scenario.yaml --report", []string{"needs an argument", "--report", "see 'autoscaler simulate --help'"}},
		{"simulate", []string{"autoscaler simulate", "received 0", "see 'autoscaler simulate --help'"}},
		{"simulate scenario.yaml scenario.yaml", []string{"received 2", "see 'autoscaler simulate --help'"}},
		{"simulate scenario.yaml --controller tesera", []string{`--controller "tesera"`, "did you mean tessera?"}},
		{"simulate scenario.yaml --controller elephant", []string{`--controller "elephant"`, "tessera"}},
		{"simulate scenario.yaml -o yaml", []string{`-o "yaml"`, "table or json"}},
		{"simulate scenario.yaml --controller hpaa", []string{"did you mean hpa?"}},
		{"compare", []string{"requires at least 1", "see 'autoscaler compare --help'"}},
		{"compare scenario.yaml --controllers tessera,hpaa", []string{`--controllers "hpaa"`, "did you mean hpa?"}},
		{"compare scenario.yaml --seeds 0", []string{"--seeds 0", "1 to 1000"}},
		{"compare scenario.yaml --jobs 0", []string{"--jobs 0"}},
		{"compare scenario.yaml -o yaml", []string{`-o "yaml"`, "table, markdown, json or csv"}},
		{"compare scenario.yaml --report nowhere/r.html", []string{"there is no folder nowhere"}},
		{"tune", []string{"requires at least 1", "see 'autoscaler tune --help'"}},
		{"tune scenario.yaml", []string{"-o FILE", "see 'autoscaler tune --help'"}},
		{"tune scenario.yaml -o t.yaml --controllers tessera", []string{`--controllers "tessera"`, "clairvoyant"}},
		{"tune scenario.yaml -o t.yaml --target 99", []string{"--target 99", "0.99"}},
		{"tune scenario.yaml -o t.yaml --runs 0", []string{"--runs"}},
		{"pack", []string{"--input FILE", "see 'autoscaler pack --help'"}},
		{"pack instance.yaml", []string{"instance.yaml", "see 'autoscaler pack --help'"}},
		{"pack --input instance.yaml -o csv", []string{`-o "csv"`, "table or json"}},
		{"policy check", []string{"received 0", "see 'autoscaler policy check --help'"}},
		{"policy check policy.yaml -o yaml", []string{`-o "yaml"`, "table or json"}},
		{"run now", []string{`"now"`, "see 'autoscaler run --help'"}},
		{"run --mode shdow", []string{`--mode "shdow"`, "did you mean shadow?"}},
		{"run --mode shadow", []string{"needs a cluster"}},
		{"run --speed 0", []string{"--speed 0", "1 to 3000"}},
		{"run --speed 1e9", []string{"--speed 1e+09", "1 to 3000"}},
		{"run --speed nan", []string{"--speed NaN", "1 to 3000"}},
		{"explain", []string{"--record FILE", "see 'autoscaler explain --help'"}},
		{"explain a b --record record.jsonl", []string{"received 2", "see 'autoscaler explain --help'"}},
		{"explain --record record.jsonl -o yaml", []string{`-o "yaml"`, "table or json"}},
		{"explain --record record.jsonl --last 0", []string{"--last 0", "1 or more"}},
		{"version now", []string{`"now"`, "see 'autoscaler version --help'"}},
	} {
		t.Run(tt.line, func(t *testing.T) {
			failed(t, invoke(t, words(tt.line)...), exitUsage, tt.says...)
		})
	}
}

// A group without a command shows what it has.
func TestGroupsShowTheirCommands(t *testing.T) {
	for group, has := range map[string]string{"": "simulate", "policy": "check"} {
		got := invoke(t, strings.Fields(group)...)
		succeeded(t, got)
		if !strings.Contains(got.stdout, "\n  "+has+" ") {
			t.Errorf("autoscaler %s does not list %s:\n%s", group, has, got.stdout)
		}
	}
}

func TestVersionIsOneLine(t *testing.T) {
	got := invoke(t, "version")
	succeeded(t, got)
	if fields := strings.Fields(got.stdout); strings.Count(got.stdout, "\n") != 1 || len(fields) != 5 || fields[0] != "autoscaler" || fields[1] != version {
		t.Errorf("%q", got.stdout)
	}
}
