package main

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/simulator"
)

func TestGatesAreFieldOperatorNumber(t *testing.T) {
	for text, want := range map[string][]gate{
		"":                                   nil,
		"attainment<0.99":                    {{"attainment", "<", 0.99}},
		"attainment<=0.99":                   {{"attainment", "<=", 0.99}},
		"cost_usd>1200":                      {{"cost_usd", ">", 1200}},
		"cost_usd>=1.2e3":                    {{"cost_usd", ">=", 1200}},
		"dropped!=0":                         {{"dropped", "!=", 0}},
		"dropped==-1":                        {{"dropped", "==", -1}},
		" attainment < .99 , cost_usd > 9 ":  {{"attainment", "<", 0.99}, {"cost_usd", ">", 9}},
		"attainment_by_model.a-b.c<0.5":      {{"attainment_by_model.a-b.c", "<", 0.5}},
		"attainment<0.9,attainment<0.99":     {{"attainment", "<", 0.9}, {"attainment", "<", 0.99}},
		"cost_by_group.captions>100,seed==1": {{"cost_by_group.captions", ">", 100}, {"seed", "==", 1}},
	} {
		got, err := parseGates(text)
		if err != nil || len(got) != len(want) {
			t.Errorf("%q: %v, %v", text, got, err)
			continue
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%q: %v, want %v", text, got[i], want[i])
			}
		}
	}
}

func TestGatesThatMakeNoSense(t *testing.T) {
	t.Chdir(small().write(t))
	for text, says := range map[string]string{
		"attainment":       "field, operator",
		"attainment=0.99":  "field, operator",
		"attainment<":      "field, operator",
		"attainment<high":  "field, operator",
		"attainment<99%":   "field, operator",
		"attainment<nan":   "field, operator",
		"attainment<0.9<1": "field, operator",
		"attainment<0.9,":  "field, operator",
		",":                "field, operator",
		"attainmnt<0.99":   "did you mean attainment?",
		"Cost_USD>9":       "did you mean cost_usd?",
		"<0.99":            "there are attainment, ",
		"elephants>1":      "there are attainment, ",
		"hash==1":          "there are attainment, ", // of words there is no less and more
	} {
		t.Run(text, func(t *testing.T) {
			failed(t, invoke(t, "simulate", "scenario.yaml", "--fail-on", text), exitUsage, "--fail-on", says)
		})
	}
}

// A gate names the condition of failure: the result is printed all the same, and
// the exit code says that it was not good enough.
func TestGatesDecideTheExitCode(t *testing.T) {
	t.Chdir(small().write(t))
	for _, tt := range []struct {
		gates string
		code  int
		says  []string
	}{
		{"attainment<0", exitOK, nil},
		{"attainment<0,cost_usd>1000000,requests==0", exitOK, nil},
		{"attainment_by_model.transcribe-fr<0.01,cost_by_group.captions>1000000", exitOK, nil},
		{"attainment>0", exitGate, []string{"attainment is 0.", "> 0"}},
		{"attainment<0,requests>0", exitGate, []string{"requests is ", "> 0"}},
		{"requests>0,served>0", exitGate, []string{"requests is ", "served is "}},
		{"attainment_by_model.transcribe-fr>0", exitGate, []string{"attainment_by_model.transcribe-fr is "}},
		// Nobody asked for it, so nothing was attained: what cannot be judged did not pass.
		{"attainment_by_model.summarize-no<0.9", exitGate, []string{"attainment_by_model.summarize-no was not computed"}},
	} {
		t.Run(tt.gates, func(t *testing.T) {
			got := invoke(t, "simulate", "scenario.yaml", "--fail-on", tt.gates, "-o", "json")
			if !strings.HasPrefix(got.stdout, "{\n") || !strings.HasSuffix(got.stdout, "\n}\n") {
				t.Errorf("the result is not on stdout: %.60q", got.stdout)
			}
			got.stdout = ""
			failed(t, got, tt.code, tt.says...)
			if tt.code == exitOK && got.stderr != "" {
				t.Errorf("stderr %q", got.stderr)
			}
		})
	}
}

// Of a number and its limit, the operator alone decides.
func TestGatesFailAsTheirOperatorSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.Float64Range(0, 10).Draw(t, "value")
		limit := rapid.OneOf(rapid.Just(value), rapid.Float64Range(0, 10)).Draw(t, "limit")
		for op, fails := range map[string]bool{
			"<": value < limit, "<=": value <= limit, ">": value > limit, ">=": value >= limit, "==": value == limit, "!=": value != limit,
		} {
			gates, err := parseGates("cost_usd" + op + strconv.FormatFloat(limit, 'g', -1, 64))
			if err != nil {
				t.Fatal(err)
			}
			err = checkGates(gates, simulator.Result{CostUSD: &value})
			if (err != nil) != fails {
				t.Fatalf("%v %s %v: %v", value, op, limit, err)
			}
		}
	})
	if _, err := parseGates("cost_usd<" + strconv.FormatFloat(math.NaN(), 'g', -1, 64)); err == nil {
		t.Error("a limit that is no number was taken")
	}
}
