package simulator

import (
	"fmt"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// TestLoadScoresAreWhatTheWorldDraws for the n-th load of each model, whoever else
// loads meanwhile.
func TestLoadScoresAreWhatTheWorldDraws(t *testing.T) {
	const seed, loads = 7, 40
	models := []fleet.Model{testModel("a", fleet.CentralQueue, 1), testModel("b", fleet.CentralQueue, 1)}
	for i := range models {
		measure(&models[i]).Load = fleet.Delay{P50: 20 * time.Second, P95: 45 * time.Second}
	}
	w := build(t, Config{Models: models, Seed: seed})
	do(t, w, buyNode("n"))
	for i := range loads {
		from := w.Now()
		for slot, m := range models {
			do(t, w, startOn("n", slot, m.Name, fleet.ReplicaID(fmt.Sprint(m.Name, i))))
		}
		w.AdvanceTo(from.Add(time.Hour))
		for _, r := range observe(t, w).Replicas {
			want := measure(&models[0]).Load.At(LoadScores(seed, r.Model, loads)[i])
			if got := r.Since.Sub(from); got != want {
				t.Errorf("load %d of %s takes %v, and %v was told", i, r.Model, got, want)
			}
			do(t, w, fleet.StopReplica{Replica: r.ID})
		}
	}
}
