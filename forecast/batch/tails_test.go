package batch

import (
	"slices"
	"testing"

	"github.com/tessera-autoscaler/tessera/forecast"
)

// TestTails prints the quantiles of errors in units of the spread, which the
// table of tails rounds:
//
//	go test ./forecast/batch -run TestTails -ablation -v
func TestTails(t *testing.T) {
	if !*ablation {
		t.Skip("a table for people: ask for it with -ablation")
	}
	all := m4(t)
	for _, plain := range []bool{false, true} {
		var scaled []float64
		for _, s := range all {
			for _, before := range holdouts {
				if !s.tuned {
					continue
				}
				end := len(s.values) - before
				past, truth := s.values[:end-m4Steps], s.values[end-m4Steps:end]
				h, _ := clean(past, seasons{24, 168})
				p := plan(h, seasons{24, 168}, m4Steps)
				b := p.blend(p.experts(whole), whole)
				on := p.scale
				if plain {
					on = scale{}
				}
				spread, own := p.spreads(b, on, bandRecipe{plain: plain})
				for j, y := range truth {
					scaled = append(scaled, (on.to(y)-on.to(b.paths[len(b.paths)-1][j]))/(own*spread[j]))
				}
			}
		}
		slices.Sort(scaled)
		for _, level := range forecast.Levels() {
			t.Logf("plain %v level %.3f: %.3f", plain, level, scaled[int(level*float64(len(scaled)))])
		}
	}
}
