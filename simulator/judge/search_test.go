package judge_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
	"github.com/tessera-autoscaler/tessera/simulator/judge"
)

// search looks for the best setup of a controller in the toy.
func search(t *testing.T, text, controller string, workers int) judge.Found {
	t.Helper()
	found, err := judge.Search{
		Trial: judge.NewTrial(load(t, text), 7), Inputs: "toy", Store: judge.Store{Folder: t.TempDir(), Program: "test"},
		Controller: controller, Beginning: time.Hour, Runs: 30, Layouts: 8, Workers: workers,
	}.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestTheCheapestLayoutIsFound: both languages fit on seven slices of one GPU,
// which any other layout exceeds.
func TestTheCheapestLayoutIsFound(t *testing.T) {
	found := search(t, toy, "static-peak", 2)
	if !found.Meets {
		t.Fatalf("it does not keep the targets: %v", found.Result.AttainmentByModel)
	}
	if cost := found.Result.Cost.Float(); cost > 15.01 {
		t.Errorf("three hours of one GPU cost $15, it costs $%.2f with %+v", cost, found.Setup)
	}
	for name, d := range found.Setup.Deployments {
		if d.Profile != "1g.10gb" {
			t.Errorf("%s is on %s", name, d.Profile)
		}
	}
	// Where slices are of no use, the search takes whole GPUs.
	slow := replaced(t, "a100-80gb/1g.10gb: {batch: [1, 8], seconds: [0.2, 0.5]", "a100-80gb/1g.10gb: {batch: [1, 8], seconds: [2.9, 20]")
	for name, d := range search(t, slow, "static-peak", 2).Setup.Deployments {
		if d.Profile != fleet.WholeGPU {
			t.Errorf("%s is on %s", name, d.Profile)
		}
	}
}

// TestASearchSavesMoney over the defaults where many GPUs are at stake.
func TestASearchSavesMoney(t *testing.T) {
	busy := replaced(t, "shape: poisson, peak: 3}", "shape: office-hours, zone: Europe/London, peak: 60}")
	found := search(t, busy, "hpa", 2)
	trial := judge.NewTrial(load(t, busy), 7)
	usual, err := trial.Run(t.Context(), judge.Job{Controller: "hpa"})
	if err != nil {
		t.Fatal(err)
	}
	if found.Result.Cost.Compare(usual.Cost) >= 0 || !found.Meets {
		t.Errorf("it costs %s where the defaults cost %s", found.Result.Cost, usual.Cost)
	}
}

// TestASearchIsTheSameOnAnyNumberOfWorkers.
func TestASearchIsTheSameOnAnyNumberOfWorkers(t *testing.T) {
	one, four := search(t, toy, "hpa", 1), search(t, toy, "hpa", 4)
	if diff := cmp.Diff(one.Setup, four.Setup); diff != "" || one.Result.Hash != four.Result.Hash || one.Runs != four.Runs {
		t.Errorf("%d and %d runs: %s", one.Runs, four.Runs, diff)
	}
}

// TestWhatCannotBeKeptIsSaid: a target that no setup keeps gives the one that comes
// closest.
func TestWhatCannotBeKeptIsSaid(t *testing.T) {
	impossible := replaced(t, "slo: {latency: 3s, target: 0.9}", "slo: {latency: 3s, target: 0.9999}") // the first minutes find no GPU
	found := search(t, impossible, "static-mean", 2)
	if found.Meets || found.Result.Attainment == nil {
		t.Errorf("it says that it keeps the target, with %v", found.Result.AttainmentByModel)
	}
}

// TestOnlyPeersAreTuned: Tessera runs under its policy, and who knows the future fits
// itself to each world.
func TestOnlyPeersAreTuned(t *testing.T) {
	for _, name := range []string{judge.Tessera, judge.Clairvoyant} {
		_, err := judge.Search{Trial: judge.NewTrial(load(t, toy), 1), Controller: name, Runs: 1, Layouts: 1, Workers: 1}.Find(t.Context())
		if err == nil || !strings.Contains(err.Error(), "nothing to tune") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTunedSetupsAreReadAsTheyWereWritten, and a new one takes the place of the old.
func TestTunedSetupsAreReadAsTheyWereWritten(t *testing.T) {
	found := search(t, toy, "hpa", 2)
	entry := judge.Entry{
		Scenario: "toy", Controller: "hpa", Setup: found.Setup, Date: "2026-11-22", Seed: 7, Target: 0.95,
		Attainment: 0.991, Cost: found.Result.Cost.String(), Meets: true,
	}
	other := judge.Entry{Scenario: "toy", Controller: "dynamo", Date: "2026-11-22"}
	other.Setup.Parameters = map[string]float64{"predictor": 1, "interval": 60}
	old := entry
	old.Cost = "1.00 USD"
	var text bytes.Buffer
	if err := (judge.Tuned{}).With(old).With(other).With(entry).Write(&text); err != nil {
		t.Fatal(err)
	}
	doc := strictyaml.Parse("tuned.yaml", text.Bytes())
	tuned := judge.ReadTuned(doc)
	if err := doc.Err(); err != nil {
		t.Fatal(err, text.String())
	}
	for _, want := range []judge.Entry{entry, other} {
		got, ok := tuned.Find("toy", want.Controller)
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Errorf("%s: %s\n%s", want.Controller, diff, text.String())
		}
	}
	if _, ok := tuned.Find("toy", "kpa"); ok {
		t.Error("there is a setup of kpa")
	}
	before := strictyaml.Parse("tuned.yaml", []byte(strings.ReplaceAll(text.String(), "controller: \"dynamo\"", "controller: \"clairvoyant\"")))
	if _, ok := judge.ReadTuned(before).Find("toy", judge.Clairvoyant); ok || before.Err() != nil {
		t.Errorf("a setup of the clairvoyant, which has none, is there: %t, %v", ok, before.Err())
	}
	for _, wrong := range []string{"controller: \"hpa\"", "controller: \"tessera\""} {
		bad := strings.ReplaceAll(text.String(), "controller: \"dynamo\"", wrong)
		doc := strictyaml.Parse("tuned.yaml", []byte(bad))
		judge.ReadTuned(doc)
		if doc.Err() == nil {
			t.Errorf("nothing is said of %s", wrong)
		}
	}
}
