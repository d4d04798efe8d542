package console

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tessera-autoscaler/tessera/control"
)

// collectLearnt shows what decisions take for true of the world: the lead times of the
// offerings that may be bought, on how many starts each rests, and how much longer
// requests take than their profile says. An offering of which no start was seen shows
// what is configured; a model whose servers were not measured shows no ratio.
func collectLearnt(out chan<- prometheus.Metric, s State) {
	learnt := s.Record.Inputs.Memory.Learnt
	for _, name := range s.Settings.Policy.Offerings {
		o, known := s.Settings.Catalog.Offering(name)
		if !known {
			continue
		}
		lead := learnt.Lead(o)
		for _, q := range []struct {
			label string
			is    time.Duration
		}{{"0.5", lead.P50}, {"0.95", lead.P95}} {
			emit(out, prometheus.GaugeValue, "lead_seconds",
				"How long a node is taken to need until it is ready, by quantile: as configured, corrected by what was seen.",
				q.is.Seconds(), "offering", string(name), "quantile", q.label)
		}
		emit(out, prometheus.GaugeValue, "lead_observations",
			"Starts of nodes that the lead time rests on, beside what is configured.",
			float64(learnt.Leads[name].Count), "offering", string(name))
	}
	for _, m := range s.Settings.Policy.Models {
		if service, measured := learnt.Services[m.Name]; measured {
			emit(out, prometheus.GaugeValue, "service_time_ratio",
				"How many times as long as its profile says a request is taken to occupy a server; absent while nothing was measured.",
				service.Factor(), "model", string(m.Name))
		}
	}
}

// leadTime is the longest time after which capacity asked for now serves, at the
// 0.95 quantiles: the slowest node that the policy may buy and the slowest model
// to load.
func leadTime(s control.Settings, learnt control.Learnt) time.Duration {
	var node, load time.Duration
	for _, name := range s.Policy.Offerings {
		if o, ok := s.Catalog.Offering(name); ok {
			node = max(node, learnt.Lead(o).P95)
		}
	}
	for _, m := range s.Policy.Models {
		for _, v := range m.Candidates() {
			for _, p := range v.Slices {
				load = max(load, learnt.Load(m.Name, v.Name, p.Kind, p.Load).P95)
			}
		}
	}
	return node + load
}
