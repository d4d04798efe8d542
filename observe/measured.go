package observe

import (
	"maps"
	"slices"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/observe/cluster"
	"github.com/tessera-autoscaler/tessera/observe/prometheus"
)

// measured is a reading, or why there is none.
type measured struct {
	prometheus.Reading
	cause error // nil: there is one
}

// inFlight are the replicas of a view with what each works on.
func (m measured) inFlight(v cluster.View) []fleet.Replica {
	out := slices.Clone(v.Replicas)
	for i := range out {
		pod, has := v.Pods[out[i].ID]
		if !has {
			out[i].InFlight = fleet.Unknown("it has no pod")
			continue
		}
		if m.cause == nil && !m.Counted[out[i].Model] {
			out[i].InFlight = fleet.Unknown(fleet.NotMeasured)
			continue
		}
		out[i].InFlight = m.of(m.InFlight, pod, "no target tells what is in flight in its pod")
	}
	return out
}

// of is what was measured of a pod, or unknown for the cause.
func (m measured) of(pods map[prometheus.PodKey]fleet.Signal, pod cluster.PodRef, missing string) fleet.Signal {
	if m.cause != nil {
		return fleet.Unknown(m.cause.Error())
	}
	if s, there := pods[prometheus.PodKey{Namespace: pod.Namespace, Pod: pod.Name}]; there {
		return s
	}
	return fleet.Unknown(missing)
}

// models are the signals of every model of the policy, and of those that run though
// they left it.
func (m measured) models(v cluster.View, s control.Settings) []fleet.ModelSignals {
	serving := map[fleet.ModelName][]cluster.PodRef{} // ready pods
	names := map[fleet.ModelName]bool{}
	for _, model := range s.Policy.Models {
		names[model.Name] = true
	}
	for _, r := range v.Replicas {
		if r.Model == "" { // its Deployment is gone
			continue
		}
		names[r.Model] = true
		if pod, has := v.Pods[r.ID]; has && r.State == fleet.ReplicaReady {
			serving[r.Model] = append(serving[r.Model], pod)
		}
	}
	out := make([]fleet.ModelSignals, 0, len(names))
	for _, name := range slices.Sorted(maps.Keys(names)) {
		signals := m.model(name)
		if busy, known := m.utilisation(serving[name]); known {
			signals.Utilisation = busy
		}
		signals.Places = v.Places[name]
		out = append(out, signals)
	}
	return out
}

// unawakened are doubts about the models that may have no server, have none, and
// whose demand nobody sees without one: what arrives there starts nothing.
func (m measured) unawakened(v cluster.View, s control.Settings) []fleet.Doubt {
	if m.cause != nil {
		return nil // nobody sees anything
	}
	var out []fleet.Doubt
	for _, model := range s.Policy.Models {
		runs := slices.ContainsFunc(v.Replicas, func(r fleet.Replica) bool { return r.Model == model.Name })
		places, known := v.Places[model.Name]
		if model.MinReplicas > 0 || runs || known && len(places) == 0 {
			continue
		}
		arrivals := m.model(model.Name).Arrivals
		if _, seen := arrivals.Read(); seen {
			continue
		}
		out = append(out, fleet.Doubt{Subject: "model " + string(model.Name), Cause: "it has no server, and what arrives is not seen without one (" +
			arrivals.Cause() + "), so that it is started by its forecast alone: give it minReplicas 1, or signals of what stands before it"})
	}
	return out
}

// model is what was measured of a model as a whole.
func (m measured) model(name fleet.ModelName) fleet.ModelSignals {
	missing := fleet.Unknown("nothing measures this model")
	if m.cause != nil {
		missing = fleet.Unknown(m.cause.Error())
	} else if s, there := m.Models[name]; there {
		s.Model = name
		return s
	}
	return fleet.ModelSignals{Model: name, Arrivals: missing, Backlog: missing, Attainment: missing, Utilisation: missing}
}

// utilisation is the mean over the pods whose slices tell how busy they are, false
// where none does.
func (m measured) utilisation(pods []cluster.PodRef) (fleet.Signal, bool) {
	sum, known := 0.0, 0
	var oldest time.Duration
	for _, pod := range pods {
		s := m.of(m.Utilisation, pod, "")
		if share, ok := s.Read(); ok {
			sum, known, oldest = sum+share, known+1, max(oldest, s.Age())
		}
	}
	if known == 0 {
		return fleet.Signal{}, false
	}
	return fleet.Measured(sum/float64(known), oldest, float64(known)/float64(len(pods))), true
}

// older is the reading so much later.
func (m measured) older(by time.Duration) measured {
	if by == 0 {
		return m
	}
	models := make(map[fleet.ModelName]fleet.ModelSignals, len(m.Models))
	for name, s := range m.Models {
		s.Arrivals, s.Backlog = s.Arrivals.Aged(by), s.Backlog.Aged(by)
		s.Attainment, s.Utilisation = s.Attainment.Aged(by), s.Utilisation.Aged(by)
		models[name] = s
	}
	m.Models, m.InFlight, m.Utilisation = models, agedPods(m.InFlight, by), agedPods(m.Utilisation, by)
	return m
}

func agedPods(pods map[prometheus.PodKey]fleet.Signal, by time.Duration) map[prometheus.PodKey]fleet.Signal {
	out := make(map[prometheus.PodKey]fleet.Signal, len(pods))
	for key, s := range pods {
		out[key] = s.Aged(by)
	}
	return out
}
