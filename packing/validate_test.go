package packing_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/packing"
)

func TestEveryComplaintIsMadeAtOnceWithItsPath(t *testing.T) {
	p := packing.Problem{
		GPUs: []packing.GPU{
			{Name: "a100-80gb", PricePerHour: "3,43", MIG: "a100-80gb"},
			{Name: "a100-80gb", PricePerHour: "1", MIG: "a100-90gb", PerNode: 1, MaxNodes: new(-1)},
			{Name: "l4", PricePerHour: "-1", MIG: "l4-24gb", PerNode: 1, Reserved: -2},
			{PricePerHour: "0.0000000001", PerNode: 1},
		},
		Models: []packing.Model{
			{Name: "a", Demand: math.NaN()},
			{Name: "a", Demand: 0, Value: -1},
			{Name: "b", Demand: math.Inf(1), Throughput: on("h100", "1g.10gb", 1)},
			{
				Name: "c", Demand: 7, Throughput: map[string]map[fleet.ProfileName]float64{"l4": {"9g.10gb": 1, "whole": math.NaN()}},
			},
			{Name: "", Demand: -1},
			{Name: "d", Demand: 1e9, Throughput: on("l4", "whole", 1)},
		},
		Current: []packing.Placed{
			{Type: "h100", Node: 1},
			{Type: "l4", Node: 2, Geometry: []packing.Slice{{Profile: "1g.10gb", Start: 0, Model: "z"}}},
			{Type: "a100-80gb", Node: 2},
		},
	}
	var got []string
	for line := range strings.SplitSeq(p.Validate().Error(), "\n") {
		path, _, _ := strings.Cut(line, ": ")
		got = append(got, path)
	}
	want := []string{
		"gpus[0].price_per_hour", "gpus[0].per_node",
		"gpus[1].name", "gpus[1].mig", "gpus[1].max_nodes",
		"gpus[2].price_per_hour", "gpus[2].mig", "gpus[2].reserved",
		"gpus[3].name", "gpus[3].price_per_hour",
		"models[0].demand",
		"models[1].name", "models[1].demand", "models[1].value",
		"models[2].demand", "models[2].throughput.h100",
		"models[3].throughput.l4.9g.10gb", "models[3].throughput.l4.whole",
		"models[4].name", "models[4].demand",
		"models[5].throughput.l4.whole",
		"current[0].type",
		"current[1].geometry", "current[1].geometry[0].model",
		"current[2].node",
	}
	if d := gocmp.Diff(want, got); d != "" {
		t.Errorf("%s\n%v", d, p.Validate())
	}
	var c packing.FieldError
	if !errors.As(p.Validate(), &c) || c.Path != want[0] {
		t.Errorf("the first complaint is %v", c)
	}
	if _, err := packing.Solve(p, packing.Options{}); err == nil {
		t.Error("an invalid problem was solved")
	}
}

func TestAmountsAreExactDecimals(t *testing.T) {
	for text, want := range map[string]packing.Amount{
		"3.43": 3_430_000_000, "2.74470525": 2_744_705_250, "0": 0, "100000": 100_000_000_000_000, "0.000000001": 1,
	} {
		got, err := packing.ParseAmount(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("ParseAmount(%q) = %d, %v; printed %s", text, got, err, got)
		}
	}
	for _, text := range []string{"", ".", "1.", ".5", "-1", "+1", "1e3", "0.0000000001", "100001", "NaN", " 1"} {
		if got, err := packing.ParseAmount(text); err == nil {
			t.Errorf("ParseAmount(%q) = %v", text, got)
		}
	}
}

func TestProblemAndAnswerKeepTheShapeOfTheFile(t *testing.T) {
	const file = `{
 "gpus": [{"name": "a100-80gb", "price_per_hour": "3.43", "mig": "a100-80gb", "per_node": 8, "max_nodes": 100}],
 "models": [{"name": "transcribe-fr", "demand": 900.0, "throughput": {"a100-80gb": {"1g.10gb": 120.0, "2g.20gb": 260.0, "7g.80gb": 1100.0}}}]
}`
	var p packing.Problem
	if err := json.Unmarshal([]byte(file), &p); err != nil {
		t.Fatal(err)
	}
	a := solved(t, p, packing.Options{})
	var shape map[string]any
	if err := json.Unmarshal([]byte(asJSON(a)), &shape); err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"gpus_used", "nodes_used", "cost_per_hour", "lower_bound_per_hour", "gap", "certificate", "unserved", "gpus", "checked", "milliseconds"} {
		if _, ok := shape[field]; !ok {
			t.Errorf("no %s in %s", field, asJSON(a))
		}
	}
	if shape["cost_per_hour"] != 27.44 || shape["gpus_used"] != 1.0 {
		t.Errorf("%s", asJSON(a))
	}
	var back packing.Answer
	if err := json.Unmarshal([]byte(asJSON(a)), &back); err != nil || asJSON(back) != asJSON(a) {
		t.Errorf("read back as %s, %v", asJSON(back), err)
	}
	if text := asJSON(packing.Slice{Profile: "1g.10gb"}); text != `{"profile":"1g.10gb","start":0,"model":null}` {
		t.Errorf("an empty slice is %s", text)
	}
}

func FuzzParseAmount(f *testing.F) {
	for _, text := range []string{"3.43", "0.000000001", "1e9", "--1", "9999999999999999999"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := packing.ParseAmount(text)
		if err != nil {
			return
		}
		if b, err := packing.ParseAmount(a.String()); err != nil || a != b {
			t.Errorf("%q is %v, read back %v, %v", text, a, b, err)
		}
	})
}
