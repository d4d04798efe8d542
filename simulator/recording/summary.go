package recording

import (
	"math"
	"time"
)

// maxGaps bounds the gaps that a summary lists.
const maxGaps = 10

// Summary is what a recording holds.
type Summary struct {
	Format string    `json:"format"`
	Dated  bool      `json:"dated"` // false: times count from 1970-01-01, or from where it was said to begin
	From   time.Time `json:"from"`  // of the first row
	To     time.Time `json:"to"`    // of the end of the last
	// StepSeconds is the length of the bins; absent where each row is a request.
	StepSeconds float64        `json:"step_seconds,omitempty"`
	Rows        int64          `json:"rows"`
	Requests    float64        `json:"requests"`
	Models      []ModelSummary `json:"models"`
	Gaps        GapSummary     `json:"gaps"`
}

// ModelSummary is what a recording holds of one model. Rates are requests a second.
type ModelSummary struct {
	Name     string  `json:"name"`
	Rows     int64   `json:"rows"`
	Clients  int     `json:"clients,omitempty"`
	Requests float64 `json:"requests"`
	Mean     float64 `json:"mean_rate"` // over the span of the recording
	// Peak is the rate of the busiest minute, or of the busiest bin where bins are
	// longer.
	Peak       float64 `json:"peak_rate"`
	PeakToMean float64 `json:"peak_to_mean,omitempty"`
	// CV is the coefficient of variation of the times between requests: of single
	// requests as they are, of bins the mean that the recording gives.
	CV *float64 `json:"interarrival_cv,omitempty"`
	// Dispersion is the variance over the mean of the requests of a bin, or of a
	// minute where rows are requests: 1 for a steady Poisson process.
	Dispersion *float64 `json:"dispersion,omitempty"`
	// MeanWork and WorkCV are of requests; the CV of bins is that of their means.
	MeanWork *float64 `json:"mean_work,omitempty"`
	WorkCV   *float64 `json:"work_cv,omitempty"`
}

// GapSummary tells of bins between the first row and the last that have no row of
// any model. Nothing was recorded there, or, in a sparse recording, nobody came.
type GapSummary struct {
	Count   int64   `json:"count"`
	Seconds float64 `json:"seconds"`
	First   []Gap   `json:"first,omitempty"` // at most ten
}

// Gap is a stretch of time without rows.
type Gap struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// moments are weighted sums of a number and its square.
type moments struct{ weight, sum, squares float64 }

func (m *moments) add(weight, x float64) {
	m.weight += weight
	m.sum += weight * x
	m.squares += weight * x * x
}

func (m moments) mean() float64 { return m.sum / m.weight }

// variance is that of the numbers, all of which are known.
func (m moments) variance() float64 {
	return max(0, m.squares/m.weight-m.mean()*m.mean())
}

// cv is absent where there is no mean.
func (m moments) cv() *float64 {
	if !(m.weight > 0) || !(m.mean() > 0) {
		return nil
	}
	x := math.Sqrt(m.variance()) / m.mean()
	return &x
}
