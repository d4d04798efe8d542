package fleet

import (
	"fmt"
	"math"
	"time"
)

// normal95 is the 0.95 quantile of the standard normal distribution.
const normal95 = 1.6448536269514722

// Delay is the distribution of a waiting time, given by its median and its 0.95
// quantile: log-normal through the two. Equal quantiles make it a constant.
type Delay struct {
	P50 time.Duration `json:"p50"`
	P95 time.Duration `json:"p95"`
}

// Fixed is the delay that always takes d.
func Fixed(d time.Duration) Delay { return Delay{P50: d, P95: d} }

// Validate tells what is wrong with the two quantiles.
func (d Delay) Validate() error {
	if d.P50 < 0 || d.P95 < d.P50 || d.P50 == 0 && d.P95 > 0 {
		return fmt.Errorf("delay p50 %v, p95 %v: p50 must be positive and p95 at least as long", d.P50, d.P95)
	}
	return nil
}

// At returns the delay at the standard normal score z: zero is the median. A
// simulator draws z, a planner asks for a quantile's z.
func (d Delay) At(z float64) time.Duration {
	if d.P50 <= 0 || d.P95 <= d.P50 {
		return d.P50
	}
	sigma := math.Log(float64(d.P95)/float64(d.P50)) / normal95
	return time.Duration(float64(d.P50) * math.Exp(sigma*z))
}

// LeadTime is how long a node takes from being asked for to offering its
// slices, in stages. What follows (weights and warm-up of a model) belongs to
// the model's performance on the slice.
type LeadTime struct {
	Node   Delay `json:"node"`   // asked for until the machine runs
	Driver Delay `json:"driver"` // until its GPU resources can be allocated
	Image  Delay `json:"image"`  // until the first server image is there
}

// P50 is the sum of the stages' medians.
func (l LeadTime) P50() time.Duration { return l.Node.P50 + l.Driver.P50 + l.Image.P50 }

// P95 is the sum of the stages' 0.95 quantiles: no shorter than the quantile of
// the sum would be for stages that do not avoid each other.
func (l LeadTime) P95() time.Duration { return l.Node.P95 + l.Driver.P95 + l.Image.P95 }
