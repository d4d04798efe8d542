package peer

import (
	"math"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// loadInterval is load_adjustment_interval: how often the load loop looks.
const loadInterval = 5 * time.Second

// dynamo is the NVIDIA Dynamo Planner with its target "sla" and both loops on.
// Source: docs.nvidia.com/dynamo, "Planner Guide" and "Planner Design".
//
//	throughput loop, every 180 s:  floor = ceil(predicted requests / interval / rate one replica sustains within the SLA)
//	load loop, every 5 s:          +1 if every engine's estimated latency > SLA;
//	                               -1 if every engine's would be < SLA * sensitivity with load * N/(N-1)
//
// The floor is a lower bound of the load loop and is capped itself
// (max_throughput_scaling_replicas). While an action is in flight, replicas asked
// for that are not ready, nothing else is begun.
//
// The performance model is the measured profile; the SLA is the model's limit, its
// deadline where it is asynchronous. Routing by least load keeps the engines alike,
// so that the mean of them stands for each. An interval whose traffic is unknown or
// zero is skipped, as the planner skips NaN: its floor stays (dynamo#6985). Of its
// predictors the constant and the Kalman filter are ported; ARIMA, its default, and
// Prophet are Python.
type dynamo struct {
	about
	by map[fleet.ModelName]*planner
}

type planner struct {
	predictor predictor
	begun     time.Time // of the interval
	rates     float64   // seen in it, summed
	looks     int
	floor     int
}

func newDynamo(a about) Scaler { return &dynamo{about: a, by: map[fleet.ModelName]*planner{}} }

var dynamoParameters = []Parameter{
	{Name: "predictor", Default: 0, Try: []float64{0, 1}, Why: "0 is constant, 1 the Kalman filter (load_predictor)"},
	{Name: "log1p", Default: 0, Try: []float64{0, 1}, Why: "1 lets the Kalman filter work on log(1+load) (load_predictor_log1p)"},
	{Name: "kalman-q-level", Default: 1, Try: []float64{1, 10}, Why: "variance of the level's steps (kalman_q_level)"},
	{Name: "kalman-q-trend", Default: 0.1, Try: []float64{0.1, 1}, Why: "variance of the trend's steps (kalman_q_trend)"},
	{Name: "kalman-r", Default: 10, Try: []float64{5, 10}, Why: "variance of an observation (kalman_r)"},
	{Name: "kalman-min-points", Default: 5, Try: []float64{3, 5}, Why: "observations before it predicts (kalman_min_points)"},
	{Name: "interval", Default: 180, Try: []float64{60, 180}, Why: "seconds of the throughput loop (throughput_adjustment_interval)"},
	{Name: "sla-share", Default: 1, Try: []float64{0.25, 0.5, 0.75, 1}, Why: "share of the model's limit that is given to the planner as its SLA"},
	{Name: "sensitivity", Default: 0.8, Try: []float64{0.4, 0.6, 0.8}, Why: "of the SLA, below which it shrinks (load_scaling_down_sensitivity)"},
	{Name: "max-throughput-replicas", Default: 8, Try: []float64{8, 64, 1000}, Why: "cap of the floor (max_throughput_scaling_replicas)"},
}

// Every is five seconds.
func (s *dynamo) Every() time.Duration { return loadInterval }

// Scale answers for every model.
func (s *dynamo) Scale(now time.Time, models []View) []int {
	out := make([]int, len(models))
	for i := range models {
		v := &models[i]
		p := s.by[v.Model.Name]
		if p == nil {
			p = &planner{predictor: s.predictor(v.Model.Name), begun: now}
			s.by[v.Model.Name] = p
		}
		s.throughput(now, v, p)
		out[i] = s.decide(v, p)
	}
	return out
}

func (s *dynamo) predictor(m fleet.ModelName) predictor {
	if s.of("predictor", m) == 0 {
		return &constant{}
	}
	return &kalman{
		levelNoise: s.of("kalman-q-level", m), trendNoise: s.of("kalman-q-trend", m),
		noise: math.Max(1e-9, s.of("kalman-r", m)), least: int(s.of("kalman-min-points", m)),
		useLog1p: s.of("log1p", m) > 0,
	}
}

// throughput looks at the traffic, and at the end of an interval sets the floor.
func (s *dynamo) throughput(now time.Time, v *View, p *planner) {
	if rate, known := v.Arrivals.Read(); known {
		p.rates += rate
		p.looks++
	}
	m := v.Model.Name
	interval := s.seconds("interval", m)
	if now.Sub(p.begun) < interval {
		return
	}
	mean := p.rates / float64(max(1, p.looks))
	p.begun, p.rates, p.looks = now, 0, 0
	if mean <= 0 {
		return
	}
	p.predictor.observe(mean * interval.Seconds())
	if load, ok := p.predictor.next(); ok {
		floor := load / interval.Seconds() / s.servers[m].sustained(s.sla(v.Model))
		p.floor = count(math.Min(floor, s.of("max-throughput-replicas", m)))
	}
}

// sla is the latency to keep, in seconds.
func (s *dynamo) sla(m fleet.Model) float64 {
	return m.SLO.Limit.Seconds() * s.of("sla-share", m.Name)
}

// decide is the load loop above the floor.
func (s *dynamo) decide(v *View, p *planner) int {
	least, most := s.setup.bounds(v.Model)
	least = max(1, least) // min_endpoint
	if v.Ready < v.Replicas {
		return Keep
	}
	desired := v.Replicas
	if concurrency, known := v.Concurrency.Read(); known && v.Replicas > 0 {
		server, sla := s.servers[v.Model.Name], s.sla(v.Model)
		n := float64(v.Replicas)
		switch {
		case server.estimate(concurrency/n) > sla:
			desired++
		case n > 1 && server.estimate(concurrency/(n-1)) < sla*s.of("sensitivity", v.Model.Name):
			desired--
		}
	}
	return min(max(desired, p.floor, least), most)
}
