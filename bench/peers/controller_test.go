package peers

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/peer"
)

// TestHPAControllerLivesInTheBubble promises that the clock of the bubble drives the
// controller: it doubles at most, from 15 s to 15 s, and gives back five minutes
// after the load fell, as its documentation says.
func TestHPAControllerLivesInTheBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rules := hpaRules{percent: 100, pods: 4}
		spec := hpaSpec{least: 1, most: 40, target: 10, up: rules, down: hpaRules{percent: 100, window: 5 * time.Minute}}
		h := newHPA(t, 0.1, func(fleet.Model) hpaSpec { return spec }, func(v peer.View) fleet.Signal { return v.Concurrency })
		now, replicas := time.Date(2026, 9, 14, 0, 0, 0, 0, time.UTC), 1
		sync := func(load float64) int {
			v := peer.View{Model: fleet.Model{Name: "m"}, Replicas: replicas, Ready: replicas, Concurrency: fleet.Measured(load, 0, 1)}
			replicas = h.Scale(now, []peer.View{v})[0]
			now = now.Add(h.Every())
			return replicas
		}
		var up []int
		for range 6 {
			up = append(up, sync(300))
		}
		if want := []int{5, 10, 20, 30, 30, 30}; !slices.Equal(up, want) {
			t.Errorf("the controller grew by %v, want %v", up, want)
		}
		held := 0
		for sync(20) == 30 {
			held++
		}
		// The last wish for 30 was at one sync before the first low one, and counts for
		// less than 20 periods.
		if held != 19 || replicas != 2 {
			t.Errorf("after the load fell it held 30 for %d syncs and then asked for %d, want 19 and 2", held, replicas)
		}
	})
}
