package console

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
)

// gauges are the metrics of the newest state. They are made when somebody asks,
// so that a model that left the policy leaves no stale value behind, and what is
// unknown has no value at all.
type gauges struct{ board *Board }

// Describe declares nothing: the names of money carry the currency of the policy,
// which is not known before the first tick. The registry checks at each gathering
// instead.
func (gauges) Describe(chan<- *prometheus.Desc) {}

// Collect reads the board.
func (g gauges) Collect(out chan<- prometheus.Metric) {
	view := g.board.look(false)
	leader := 0.0
	if view.pulse.leads {
		leader = 1
	}
	emit(out, prometheus.GaugeValue, "leader", helpLeader, leader)
	if view.state == nil {
		return
	}
	s := *view.state
	collectModels(out, s)
	collectLearnt(out, s)
	collectMoney(out, s, view.spent)
	collectSignals(out, s)
	collectPolicy(out, s)
	snapshot := s.Record.Inputs.Snapshot
	emit(out, prometheus.GaugeValue, "doubts",
		"Things seen that are wrong and must be mended by people; /readyz lists them.", float64(len(snapshot.Doubts)))
	emit(out, prometheus.GaugeValue, "holds",
		"Models, or the whole fleet, that somebody keeps as they are.", float64(len(snapshot.Holds)))
}

const helpLeader = "1 when this process decides, 0 when it only looks on."

// forecastQuantiles are the quantiles that the forecast metric shows.
var forecastQuantiles = []struct {
	label string
	level float64
}{{"0.1", 0.1}, {"0.5", 0.5}, {"0.9", 0.9}, {"0.99", 0.99}}

func collectModels(out chan<- prometheus.Metric, s State) {
	lead := leadTime(s.Settings, s.Record.Inputs.Memory.Learnt)
	desired, current := replicaCounts(s.Record)
	needs := needsOf(s.Record)
	for _, m := range s.Settings.Policy.Models {
		model := []string{"model", string(m.Name)}
		signals := seen(s, m.Name)
		if demand, ok := signals.Arrivals.Read(); ok {
			emit(out, prometheus.GaugeValue, "demand_requests_per_second",
				"Arrivals over the last whole minute; absent while unknown.", demand, append(model, "language", string(m.Language))...)
		}
		if attained, ok := signals.Attainment.Read(); ok {
			emit(out, prometheus.GaugeValue, "slo_attainment_ratio",
				"Share of the last minutes' work that was served within its SLO; absent while unknown.", attained, model...)
		}
		if need, ok := needs[m.Name]; ok {
			emit(out, prometheus.GaugeValue, "capacity_requests_per_second",
				"What the ready replicas carry within the SLO.", need.Ready, model...)
		}
		emit(out, prometheus.GaugeValue, "desired_replicas",
			"Replicas that stay once the newest plan is carried out.", float64(desired[m.Name]), model...)
		emit(out, prometheus.GaugeValue, "current_replicas",
			"Replicas that are ready.", float64(current[m.Name]), model...)
	}
	for _, f := range s.Record.Inputs.Forecasts {
		if _, named := modelOf(s.Settings, f.Model); !named || len(f.Path.Points) == 0 {
			continue
		}
		for _, q := range forecastQuantiles {
			emit(out, prometheus.GaugeValue, "forecast_requests_per_second",
				"Forecast arrivals at the time at which capacity bought now would serve, by quantile.",
				f.Path.Quantile(q.level, lead), "model", string(f.Model), "quantile", q.label)
		}
	}
}

func collectSignals(out chan<- prometheus.Metric, s State) {
	for _, sum := range signalsOf(s) {
		if sum.measured {
			emit(out, prometheus.GaugeValue, "signal_age_seconds",
				"Age of the oldest measurement of the signal among the models; absent while there is none.", sum.oldest.Seconds(), "signal", sum.name)
		}
		for _, state := range []fleet.SignalState{fleet.SignalUnknown, fleet.SignalZero, fleet.SignalValue} {
			emit(out, prometheus.GaugeValue, "signal_state",
				"Models of which the signal is unknown, a confirmed zero, or a value.",
				float64(sum.counts[state]), "signal", sum.name, "state", string(state))
		}
	}
}

func collectPolicy(out chan<- prometheus.Metric, s State) {
	good := 1.0
	if s.PolicyError != "" {
		good = 0
	}
	emit(out, prometheus.GaugeValue, "policy_last_reload_successful",
		"1 when the newest policy was taken, 0 when it was refused and the one before it stays in force.", good)
	if !s.PolicyLoadedAt.IsZero() {
		emit(out, prometheus.GaugeValue, "policy_last_reload_success_timestamp_seconds",
			"When the policy in force was taken.", float64(s.PolicyLoadedAt.UnixMilli())/1000)
	}
}

// emit sends one sample with labels as pairs of name and value. What cannot be a
// sample is sent as its error, which the registry reports beside the others.
func emit(out chan<- prometheus.Metric, kind prometheus.ValueType, name, help string, value float64, pairs ...string) {
	var names, values []string
	for i := 0; i+1 < len(pairs); i += 2 {
		names = append(names, pairs[i])
		values = append(values, strings.ToValidUTF8(pairs[i+1], "?"))
	}
	desc := prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, names, nil)
	m, err := prometheus.NewConstMetric(desc, kind, value, values...)
	if err != nil {
		m = prometheus.NewInvalidMetric(desc, err)
	}
	out <- m
}

// replicaCounts counts each model's replicas that stay once the plan is carried
// out, and those that are ready now.
func replicaCounts(r control.Record) (desired, current map[fleet.ModelName]int) {
	desired, current = map[fleet.ModelName]int{}, map[fleet.ModelName]int{}
	staying := map[fleet.ReplicaID]fleet.ModelName{}
	for _, rep := range r.Inputs.Snapshot.Replicas {
		if rep.State == fleet.ReplicaReady {
			current[rep.Model]++
		}
		if rep.State != fleet.ReplicaDraining {
			desired[rep.Model]++
			staying[rep.ID] = rep.Model
		}
	}
	for _, step := range r.Plan.Steps {
		switch s := step.(type) {
		case fleet.StartReplica:
			desired[s.Model]++
		case fleet.StopReplica:
			if model, ok := staying[s.Replica]; ok {
				desired[model]--
				delete(staying, s.Replica)
			}
		}
	}
	return desired, current
}

// needsOf finds needs by model.
func needsOf(r control.Record) map[fleet.ModelName]control.Need {
	out := make(map[fleet.ModelName]control.Need, len(r.Needs))
	for _, n := range r.Needs {
		out[n.Model] = n
	}
	return out
}

// modelOf finds a model of the policy.
func modelOf(s control.Settings, name fleet.ModelName) (fleet.Model, bool) {
	for _, m := range s.Policy.Models {
		if m.Name == name {
			return m, true
		}
	}
	return fleet.Model{}, false
}
