package evaluate

import (
	"fmt"
	"math"

	"github.com/tessera-autoscaler/tessera/forecast/series"
)

// GPUs say what a wrong forecast costs once it is rounded to whole GPUs.
type GPUs struct {
	Capacity float64 // demand that one GPU serves, in the unit of the values; 0: a tenth of the series' mean
	Price    float64 // dollars an hour for a GPU
	// Late is what an hour costs in which a GPU is missing, in dollars for each. 0: what
	// makes the level of the trial the one worth buying, Price / (1 - Level).
	Late float64
}

// meanGPUs is how many GPUs the mean of a series needs where no capacity is given.
const meanGPUs = 10

func (p *GPUs) check() error {
	for name, v := range map[string]float64{"capacity": p.Capacity, "price": p.Price, "late price": p.Late} {
		if !(v >= 0 && v <= 1e15) {
			return fmt.Errorf("%s of a GPU = %v, must be between 0 and 1e15", name, v)
		}
	}
	return nil
}

// pricing is what a series costs.
type pricing struct {
	capacity, price, late float64 // late may be 0 until the level is known
	step                  float64 // hours of a bin
}

func (p *GPUs) of(s *series.Series) pricing {
	out := pricing{capacity: p.Capacity, price: p.Price, late: p.Late, step: s.Step.Hours()}
	if out.capacity > 0 {
		return out
	}
	sum, n := 0.0, 0.0
	for _, v := range s.Values {
		if !math.IsNaN(v) {
			sum, n = sum+v, n+1
		}
	}
	out.capacity = sum / max(n, 1) / meanGPUs
	if !(out.capacity > 0) {
		out.capacity = 1
	}
	return out
}

// cost is that of one bin for which a quantile was bought, in dollars.
func (p *pricing) cost(actual, bought, level float64) float64 {
	late := p.late
	if late == 0 {
		late = p.price / (1 - level)
	}
	n := math.Ceil(max(bought, 0) / p.capacity)
	return p.step * (p.price*n + late*max(0, actual/p.capacity-n))
}

// foresight is the cost of who knew what would come.
func (p *pricing) foresight(actual float64) float64 {
	return p.step * p.price * math.Ceil(actual/p.capacity)
}
