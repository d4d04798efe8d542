package prometheus

import (
	"math"
	"slices"
	"time"

	"github.com/prometheus/common/model"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/forecast"
)

// bins are rates of consecutive minutes from start on, NaN where there is none.
type bins struct {
	start time.Time
	rates []float64
}

// rates sorts answers into the bins of models.
type rates struct {
	labels []string
	models map[string]fleet.ModelName // by key
	bins   map[fleet.ModelName]bins
}

func newRates(s Source, models []fleet.ModelName, start time.Time, minutes int) rates {
	out := rates{
		labels: slices.Sorted(slices.Values(s.Pack.Keys)),
		models: map[string]fleet.ModelName{}, bins: map[fleet.ModelName]bins{},
	}
	for _, m := range models {
		out.models[s.Models[m].text()] = m
		empty := make([]float64, minutes)
		for i := range empty {
			empty[i] = math.NaN()
		}
		out.bins[m] = bins{start: start, rates: empty}
	}
	return out
}

// take files the values of an answer. What is no rate stays a gap; so does a bin
// that two series of the answer tell of.
func (r rates) take(matrix model.Matrix) {
	taken := map[fleet.ModelName]bool{}
	for _, stream := range matrix {
		if stream == nil {
			continue
		}
		name, known := r.models[keyOf(r.labels, stream.Metric)]
		if !known {
			continue
		}
		b := r.bins[name]
		for _, v := range stream.Values {
			i := int(v.Timestamp.Time().Sub(b.start)/time.Minute) - 1
			rate := float64(v.Value)
			if i < 0 || i >= len(b.rates) || !(rate >= 0) || math.IsInf(rate, 0) {
				continue
			}
			if taken[name] && !math.IsNaN(b.rates[i]) {
				rate = math.NaN()
			}
			b.rates[i] = rate
		}
		taken[name] = true
	}
}

// observations turns bins into what forecasters take, from the first known on.
func (b bins) observations() []forecast.Observation {
	from := slices.IndexFunc(b.rates, func(v float64) bool { return !math.IsNaN(v) })
	if from < 0 {
		return nil
	}
	series := make([]forecast.Observation, 0, len(b.rates)-from)
	for i := from; i < len(b.rates); i++ {
		o := forecast.Observation{At: b.start.Add(time.Duration(i) * time.Minute)}
		if !math.IsNaN(b.rates[i]) {
			o.Value, o.Known = b.rates[i], true
		}
		series = append(series, o)
	}
	return series
}
