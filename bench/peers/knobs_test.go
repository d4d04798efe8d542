package peers

import (
	"math"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/peer"
)

// knobs reads the setup of a peer, so that an original is set as its port is.
type knobs struct {
	peer     string
	settings control.Settings
	setup    peer.Setup
}

// of is a parameter as it is for a model: set for the model, for all, or default.
func (k knobs) of(name string, m fleet.ModelName) float64 {
	for _, key := range []string{name + "/" + string(m), name} {
		if v, ok := k.setup.Parameters[key]; ok {
			return v
		}
	}
	for _, p := range peer.Parameters(k.peer) {
		if p.Name == name {
			return p.Default
		}
	}
	return math.NaN()
}

func (k knobs) seconds(name string, m fleet.ModelName) time.Duration {
	return time.Duration(k.of(name, m) * float64(time.Second))
}

// target is the concurrency that one replica shall have.
func (k knobs) target(m fleet.Model) float64 {
	share := k.of("target-share", m.Name)
	if share == 0 {
		return k.of("target", m.Name)
	}
	perf, err := k.setup.Performance(k.settings, m)
	if err != nil {
		return math.NaN() // NewCluster has refused such a setup
	}
	most := perf.Streams
	if !m.Profile.Sessions() {
		if most = perf.MaxBatch(); perf.Streams > 0 {
			most = min(most, perf.Streams)
		}
	}
	return share * float64(most)
}

// bounds are the least and most replicas of a model.
func (k knobs) bounds(m fleet.Model) (least, most int) {
	d := k.setup.Deployments[m.Name]
	least, most = d.Min, d.Max
	if most == 0 {
		most = m.MaxReplicas
	}
	if most == 0 {
		most = math.MaxInt32
	}
	return least, max(least, most)
}

// rules are the behavior that the HPA of a model is given.
func (k knobs) rules(m fleet.ModelName) (up, down hpaRules) {
	up = hpaRules{window: k.seconds("up-window", m), percent: int(k.of("up-percent", m)), pods: int(k.of("up-pods", m))}
	down = hpaRules{window: k.seconds("down-window", m), percent: int(k.of("down-percent", m))}
	return up, down
}
