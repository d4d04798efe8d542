package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
	"github.com/tessera-autoscaler/tessera/policy"
	"github.com/tessera-autoscaler/tessera/simulator"
)

// gate is one condition under which a run counts as failed.
type gate struct {
	field string
	op    string
	limit float64
}

// operators, longer ones first so that <= is not read as <.
var operators = []string{"<=", ">=", "!=", "==", "<", ">"}

// parseGates reads "attainment<0.99,cost_usd>1200".
func parseGates(text string) ([]gate, error) {
	if text == "" {
		return nil, nil
	}
	var gates []gate
	for part := range strings.SplitSeq(text, ",") {
		g, ok := parseGate(strings.TrimSpace(part))
		if !ok {
			return nil, usage("--fail-on %q: write field, operator (%s) and number, such as attainment<0.99", part, strings.Join(operators, " "))
		}
		gates = append(gates, g)
	}
	return gates, nil
}

func parseGate(text string) (gate, bool) {
	for _, op := range operators {
		field, number, found := strings.Cut(text, op)
		if !found {
			continue
		}
		limit, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		return gate{strings.TrimSpace(field), op, limit}, err == nil && limit == limit
	}
	return gate{}, false
}

func (g gate) holds(v float64) bool {
	switch g.op {
	case "<":
		return v < g.limit
	case "<=":
		return v <= g.limit
	case ">":
		return v > g.limit
	case ">=":
		return v >= g.limit
	case "==":
		return v == g.limit
	}
	return v != g.limit
}

// checkGates fails with exit code 4 when a gate's condition holds. A field that
// was not computed fails too: what cannot be judged did not pass.
func checkGates(gates []gate, r simulator.Result) error {
	fields, err := numbersOf(r)
	if err != nil {
		return err
	}
	var failed []string
	for _, g := range gates {
		v, known := fields[g.field]
		switch {
		case !known:
			failed = append(failed, fmt.Sprintf("%s was not computed", g.field))
		case g.holds(v):
			failed = append(failed, fmt.Sprintf("%s is %v, which is %s %v", g.field, v, g.op, g.limit))
		}
	}
	if len(failed) > 0 {
		return &exitError{code: exitGate, err: fmt.Errorf("--fail-on: %s", strings.Join(failed, "; "))}
	}
	return nil
}

// checkFields refuses gates on names that no result of these settings has, before
// a long run.
func checkFields(gates []gate, p policy.Policy) error {
	one := 1.0
	sample := simulator.Result{
		Attainment: &one, CostUSD: &one, AttainmentByModel: map[string]float64{},
		ByModel: map[string]simulator.ModelResult{}, CostByGroup: map[string]float64{}, CostByModel: map[string]float64{},
		CostByLanguage: map[string]float64{}, UnitCostByModel: map[string]simulator.UnitCost{},
		CostLowerBoundUSD: &one, Regret: &one,
	}
	for _, m := range p.Models {
		sample.AttainmentByModel[string(m.Name)], sample.CostByGroup[string(m.Group)] = one, one
		sample.CostByModel[string(m.Name)], sample.CostByLanguage[string(m.Language)] = one, one
		sample.UnitCostByModel[string(m.Name)] = simulator.UnitCost{PerThousand: &one}
		sample.ByModel[string(m.Name)] = simulator.ModelResult{Attainment: &one, Mean: &one, P50: &one, P95: &one, P99: &one}
	}
	known, err := numbersOf(sample)
	if err != nil {
		return err
	}
	names := slices.Sorted(maps.Keys(known))
	for _, g := range gates {
		if _, ok := known[g.field]; ok {
			continue
		}
		hint := ""
		if near := strictyaml.Suggest(g.field, names); near != "" {
			hint = fmt.Sprintf("; did you mean %s?", near)
		}
		plain := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return strings.Contains(n, ".") })
		return usage("--fail-on: there is no number %q in a result%s\nthere are %s, and those of a model or group, such as attainment_by_model.NAME or by_model.NAME.p95",
			g.field, hint, strings.Join(plain, ", "))
	}
	return nil
}

// numbersOf lists the numbers of a result by their JSON names, inner ones as
// name.key and name.key.key.
func numbersOf(r simulator.Result) (map[string]float64, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("read the result: %w", err)
	}
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("read the result: %w", err)
	}
	out := map[string]float64{}
	collect("", all, out)
	return out, nil
}

func collect(prefix string, from map[string]any, into map[string]float64) {
	for name, v := range from {
		switch v := v.(type) {
		case float64:
			into[prefix+name] = v
		case map[string]any:
			collect(prefix+name+".", v, into)
		}
	}
}
