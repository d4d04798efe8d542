package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator"
)

// writeShares tells who bore the bill, by group and by language.
func writeShares(b *strings.Builder, r simulator.Result) {
	for _, by := range []struct {
		what, none string
		cost       map[string]float64
	}{
		{"group", "no group", r.CostByGroup},
		{"language", "no language", r.CostByLanguage},
	} {
		if len(by.cost) < 2 {
			continue
		}
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(by.cost)) {
			label := name
			if label == "" {
				label = by.none
			}
			parts = append(parts, label+" "+inMoney(r, by.cost[name]))
		}
		fmt.Fprintf(b, "\ncost by %s: %s", by.what, strings.Join(parts, ", "))
	}
	if len(r.CostByGroup) > 1 || len(r.CostByLanguage) > 1 {
		b.WriteByte('\n')
	}
}

// inMoney prints a number of the result's currency.
func inMoney(r simulator.Result, v float64) string {
	return fleet.Micros(int64(v*1e6), r.Cost.Currency()).Describe()
}

// perThousand tells what a thousand units of a model's work cost, such as "$0.0312
// token".
func perThousand(r simulator.Result, model string) string {
	cost := r.UnitCostByModel[model]
	if cost.PerThousand == nil {
		return "none"
	}
	return fleet.Micros(int64(*cost.PerThousand*1e6), r.Cost.Currency()).DescribeFine() + " " + cost.Unit
}
