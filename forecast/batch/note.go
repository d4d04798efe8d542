package batch

import (
	"fmt"
	"slices"
	"strings"
)

// worthMore is the share of a simple forecast's error that a blend must stay
// below to be called a prediction.
const worthMore = 0.9

// note says for people what a forecast rests on.
func (p *problem) note(trials []trial, b blend) string {
	origins := len(p.origins())
	if p.min == p.max {
		return fmt.Sprintf("every one of %d values is the same", len(p.x))
	}
	if origins < fewestOrigins {
		return fmt.Sprintf("not predictable, because %d values are too few to try a forecast on", len(p.x))
	}
	// 1. What it is worth beside the last value and the recent mean.
	simple := min(p.loss(p.each("", scale{}, p.x, lastValue).paths), p.loss(p.each("", scale{}, p.x, p.recentMean).paths))
	mine := p.loss(b.paths)
	if mine >= worthMore*simple {
		return fmt.Sprintf("not predictable, because in %d forecasts of its past neither seasons nor trend gave less error "+
			"than the last value or the recent mean; the band is that of such a forecast", origins)
	}
	// 2. What it rests on.
	var parts []string
	switch {
	case p.long > 0:
		parts = append(parts, fmt.Sprintf("seasons of %d and %d steps", p.short, p.long))
	case p.short > 0:
		parts = append(parts, fmt.Sprintf("season of %d steps", p.short))
	default:
		parts = append(parts, "no season")
	}
	order := make([]int, len(trials))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch {
		case b.weights[i] > b.weights[j]:
			return -1
		case b.weights[i] < b.weights[j]:
			return 1
		}
		return 0
	})
	for _, i := range order[:min(2, len(order))] {
		parts = append(parts, fmt.Sprintf("%s %.0f %%", trials[i].name, 100*b.weights[i]))
	}
	parts = append(parts, fmt.Sprintf("error %.0f %% of that of the last value or mean in %d forecasts of its past", 100*mine/simple, origins))
	if p.gaps > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d values filled", p.gaps, len(p.x)))
	}
	return strings.Join(parts, "; ")
}

// recentMean repeats the mean of the last season, or of the last eighth.
func (p *problem) recentMean(z, out []float64) {
	n := p.short
	if n == 0 {
		n = max(1, len(z)/8)
	}
	overallMean(z[max(0, len(z)-n):], out)
}
