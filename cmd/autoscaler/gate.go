package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
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

// checkFields refuses gates on names that no result ever has, before a long run.
func checkFields(gates []gate) error {
	one := 1.0
	known, err := numbersOf(simulator.Result{Attainment: &one, CostUSD: &one})
	if err != nil {
		return err
	}
	names := make([]string, 0, len(known))
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, g := range gates {
		if _, ok := known[g.field]; ok || strings.Contains(g.field, ".") {
			continue
		}
		hint := ""
		if near := strictyaml.Suggest(g.field, names); near != "" {
			hint = fmt.Sprintf("; did you mean %s?", near)
		}
		return usage("--fail-on: there is no number %q in a result%s\nthere are %s, and name.model such as attainment_by_model.transcribe-fr", g.field, hint, strings.Join(names, ", "))
	}
	return nil
}

// numbersOf lists the numbers of a result by their JSON names, those of a model
// or group as name.key.
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
	for name, v := range all {
		switch v := v.(type) {
		case float64:
			out[name] = v
		case map[string]any:
			for key, inner := range v {
				if number, ok := inner.(float64); ok {
					out[name+"."+key] = number
				}
			}
		}
	}
	return out, nil
}
