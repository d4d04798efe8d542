package judge_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/judge"
)

// contest is a small comparison.
func contest(t *testing.T, folder string, workers int) judge.Comparison {
	t.Helper()
	return judge.Comparison{
		Entrants:    []judge.Entrant{entrant(load(t, toy), 2)},
		Controllers: []string{judge.Tessera, judge.Clairvoyant, "static-peak"},
		Bound:       true, Workers: workers,
		Store: judge.Store{Folder: folder, Program: "test"},
	}
}

// hashes are what tells results apart, with what they are judged against.
func hashes(results []simulator.Result) []string {
	var out []string
	for _, r := range results {
		out = append(out, r.Controller+" "+r.Hash)
	}
	return out
}

// TestResultsAreTheSameOnAnyNumberOfWorkers, and come in the order that was asked
// for.
func TestResultsAreTheSameOnAnyNumberOfWorkers(t *testing.T) {
	one, err := contest(t, "", 1).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	four, err := contest(t, "", 4).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(hashes(one), hashes(four)); diff != "" {
		t.Error(diff)
	}
	var got []string
	for _, r := range one {
		got = append(got, r.Controller)
	}
	if want := []string{"tessera", "tessera", "clairvoyant", "clairvoyant", "static-peak", "static-peak"}; !slices.Equal(got, want) || one[0].Seed != 1 || one[1].Seed != 2 {
		t.Errorf("results of %v", got)
	}
	if one[0].Hash == one[1].Hash {
		t.Error("two seeds gave the same result")
	}
}

// TestAnInterruptedComparisonGoesOn where it ended: what was finished is not run
// again, and the outcome is that of a comparison that nobody interrupted.
func TestAnInterruptedComparisonGoesOn(t *testing.T) {
	whole, err := contest(t, t.TempDir(), 2).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	first := contest(t, folder, 1)
	finished := 0
	first.Done = func(done, _ int, _ simulator.Result, _ bool) {
		if finished = done; done == 3 {
			cancel()
		}
	}
	if _, err := first.Run(ctx); !errors.Is(err, context.Canceled) || finished != 3 {
		t.Fatalf("%d runs, then %v", finished, err)
	}
	second := contest(t, folder, 2)
	kept := 0
	second.Done = func(_, _ int, _ simulator.Result, before bool) {
		if before {
			kept++
		}
	}
	again, err := second.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if kept != 3 {
		t.Errorf("%d results were kept, want 3", kept)
	}
	if diff := cmp.Diff(hashes(whole), hashes(again)); diff != "" {
		t.Error(diff)
	}
	if left, _ := filepath.Glob(filepath.Join(folder, ".partial-*")); len(left) > 0 {
		t.Errorf("partial files are left: %v", left)
	}
}

// TestASpoiltResultIsNotBelieved: a file that was cut off or changed is made again.
func TestASpoiltResultIsNotBelieved(t *testing.T) {
	folder := t.TempDir()
	c := contest(t, folder, 1)
	c.Controllers = []string{judge.Tessera}
	want, err := c.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(folder, "*.json"))
	if len(files) != 2 {
		t.Fatalf("%d files of 2 runs", len(files))
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for i, spoilt := range [][]byte{text[:len(text)/2], slices.Replace(slices.Clone(text), len(text)/2, len(text)/2+1, text[len(text)/2]^1)} {
		if err := os.WriteFile(files[i], spoilt, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c.Done = func(_, _ int, r simulator.Result, kept bool) {
		if kept {
			t.Errorf("seed %d: a spoilt result was taken", r.Seed)
		}
	}
	got, err := c.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(hashes(want), hashes(got)); diff != "" {
		t.Error(diff)
	}
}

// TestAnotherProgramOrInputIsRunAnew: what a result depends on is in its name.
func TestAnotherProgramOrInputIsRunAnew(t *testing.T) {
	folder := t.TempDir()
	run := func(change func(*judge.Comparison)) (kept int) {
		c := contest(t, folder, 1)
		c.Controllers, c.Entrants = []string{"static-peak"}, []judge.Entrant{entrant(load(t, toy), 1)}
		change(&c)
		c.Done = func(_, _ int, _ simulator.Result, before bool) {
			if before {
				kept++
			}
		}
		if _, err := c.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		return kept
	}
	run(func(*judge.Comparison) {})
	if run(func(*judge.Comparison) {}) != 1 {
		t.Error("the same run was made twice")
	}
	for name, change := range map[string]func(*judge.Comparison){
		"program":  func(c *judge.Comparison) { c.Store.Program = "another" },
		"inputs":   func(c *judge.Comparison) { c.Entrants[0].Inputs = "others" },
		"no bound": func(c *judge.Comparison) { c.Bound = false },
	} {
		if run(change) != 0 {
			t.Errorf("%s: an old result was taken", name)
		}
	}
}

// TestRegretIsOverTheClairvoyantOfTheSameWorld, and absent where there is none.
func TestRegretIsOverTheClairvoyantOfTheSameWorld(t *testing.T) {
	results, err := contest(t, "", 2).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	judge.Against(results)
	for _, r := range results {
		i := slices.IndexFunc(results, func(o simulator.Result) bool { return o.Controller == judge.Clairvoyant && o.Seed == r.Seed })
		if r.Controller == judge.Clairvoyant {
			if r.RegretClairvoyant != nil {
				t.Error("the clairvoyant regrets itself")
			}
			continue
		}
		if want := r.Cost.Float()/results[i].Cost.Float() - 1; *r.RegretClairvoyant != want {
			t.Errorf("%s, seed %d: %v, want %v", r.Controller, r.Seed, *r.RegretClairvoyant, want)
		}
		if r.CostLowerBoundUSD == nil || *r.CostLowerBoundUSD > r.Cost.Float() || *r.Regret < 0 {
			t.Errorf("%s, seed %d: costs %s and the bound is %v", r.Controller, r.Seed, r.Cost, r.CostLowerBoundUSD)
		}
	}
	lonely := slices.DeleteFunc(slices.Clone(results), func(r simulator.Result) bool { return r.Controller == judge.Clairvoyant })
	judge.Against(lonely)
	for _, r := range lonely {
		if r.RegretClairvoyant != nil {
			t.Errorf("%s regrets a clairvoyant who was not there", r.Controller)
		}
	}
}
