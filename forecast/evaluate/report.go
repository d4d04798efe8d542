package evaluate

import "github.com/tessera-autoscaler/tessera/forecast"

// Report is what several series gave, as it is written to JSON.
type Report struct {
	Level     float64   `json:"level"` // quantile level that was bought
	Levels    []float64 `json:"levels"`
	Reference string    `json:"reference"`
	Results   []Result  `json:"series"`
	Pooled    []Pooled  `json:"pooled"`
}

// NewReport sums up results.
func NewReport(results []Result, level float64) Report {
	return Report{Level: level, Levels: forecast.Levels(), Reference: Reference, Results: results, Pooled: Pool(results, level)}
}
