package peer

import (
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// loaded is a view of ready replicas with so many requests in service and waiting.
func loaded(replicas int, inService, waiting float64) View {
	return look(replicas, inService+waiting, waiting)
}

// TestWVAFirstVersion: a replica holds eight. One more when less than a tenth of a
// batch or less than three of five queue places are spare; one less when the rest
// would still have that to spare; nothing grows while replicas start.
func TestWVAFirstVersion(t *testing.T) {
	for _, c := range []struct {
		what string
		view View
		want int
	}{
		{"0.75 in service: 0.05 is spare", loaded(4, 24, 0), 5},
		{"saturated", loaded(4, 32, 40), 5},
		{"a queue of 2.5 leaves 2.5 of 5", loaded(4, 8, 10), 5},
		{"0.625 in service, and 0.83 with one less", loaded(4, 20, 0), 4},
		{"0.25 in service, and 0.33 with one less", loaded(4, 8, 0), 3},
		{"the last one stays", loaded(1, 0, 0), 1},
		{"replicas start", View{Model: one, Replicas: 6, Ready: 4, Concurrency: fleet.Measured(72, 0, 1), Backlog: fleet.Measured(40, 0, 1)}, 6},
	} {
		s := scalerOf(t, "wva", 1, 100, map[string]float64{"version": 1, "down-window": 0})
		if got := ask(t, s, monday, c.view); got != c.want {
			t.Errorf("%s: %d replicas, want %d", c.what, got, c.want)
		}
	}
}

// TestWVASecondVersion: a replica counts for 0.8 of eight. What is missing of
// demand/0.85 comes at once, pending replicas counted; what is too much for
// demand/0.70 goes.
func TestWVASecondVersion(t *testing.T) {
	for _, c := range []struct {
		what string
		view View
		want int
	}{
		{"32/0.85 = 37.6 needs six of 6.4", loaded(4, 32, 0), 6},
		{"pending replicas are supply", View{Model: one, Replicas: 6, Ready: 4, Concurrency: fleet.Measured(32, 0, 1), Backlog: fleet.Measured(0, 0, 1)}, 6},
		{"20/0.70 = 28.6 of 25.6: neither", loaded(4, 20, 0), 4},
		{"8/0.70 = 11.4 leaves 14.2 of 25.6, two replicas", loaded(4, 8, 0), 2},
		{"nothing at all leaves one", loaded(4, 0, 0), 1},
	} {
		s := scalerOf(t, "wva", 1, 100, map[string]float64{"down-window": 0})
		if got := ask(t, s, monday, c.view); got != c.want {
			t.Errorf("%s: %d replicas, want %d", c.what, got, c.want)
		}
	}
}

// TestWVALearnsWhatAReplicaCarries from what it has in service when its queue is
// saturated, five for each replica, and from no shorter one.
func TestWVALearnsWhatAReplicaCarries(t *testing.T) {
	s := scalerOf(t, "wva", 1, 100, map[string]float64{"down-window": 0, "up-pods": 100})
	// Of 8 slots 6.4 count while nothing else is known: 35/0.85 = 41.2 needs seven.
	if got := ask(t, s, monday, loaded(4, 16, 19)); got != 7 {
		t.Errorf("%d replicas, want 7", got)
	}
	// Four replicas have 16 in service and 20 wait: each carries 4, and 36/0.85 needs eleven.
	if got := ask(t, s, monday.Add(time.Minute), loaded(4, 16, 20)); got != 11 {
		t.Errorf("%d replicas, want 11", got)
	}
	// Without a queue the history counts: eleven carry 44, and 25/0.70 = 35.7 leaves two.
	if got := ask(t, s, monday.Add(2*time.Minute), loaded(11, 25, 0)); got != 9 {
		t.Errorf("%d replicas, want 9", got)
	}
}

// TestWVAOptimisesEveryMinute, follows by the HPA's limits in between, and takes the
// highest load of the minute.
func TestWVAOptimisesEveryMinute(t *testing.T) {
	s := scalerOf(t, "wva", 1, 100, nil)
	// At once 2 are few for 100: 4 more, then doubling, until what was wished is there.
	expect(t, "within the first minute", follow(t, s, 2, 100, 0, 0, 0), 6, 12, 19, 19)
	got := ask(t, s, monday.Add(time.Minute), loaded(19, 0, 0))
	if got != 19 {
		t.Errorf("%d replicas a minute later: 300 s of wishes keep 19", got)
	}
}

// TestWVAThroughTheToleranceOfTheHPA: one more than eleven is within a tenth, so that
// the HPA does nothing, and twelve never come by steps of one.
func TestWVAThroughTheToleranceOfTheHPA(t *testing.T) {
	for tolerance, want := range map[float64]int{0.1: 11, 0: 12} {
		s := scalerOf(t, "wva", 1, 100, map[string]float64{"version": 1, "tolerance": tolerance})
		if got := ask(t, s, monday, loaded(11, 88, 0)); got != want {
			t.Errorf("tolerance %g: %d replicas, want %d", tolerance, got, want)
		}
	}
}

// TestWVAReadsAGapAsZeroForFiveMinutes, then keeps what it wished last, and never
// takes the last replica.
func TestWVAReadsAGapAsZeroForFiveMinutes(t *testing.T) {
	s := scalerOf(t, "wva", 0, 100, map[string]float64{"version": 1, "down-window": 0, "tolerance": 0})
	replicas := ask(t, s, monday, loaded(10, 60, 0))
	at, fewest := monday, replicas
	var after6 int
	for range 80 { // 20 minutes
		at = at.Add(syncPeriod)
		replicas = ask(t, s, at, blind(replicas))
		fewest = min(fewest, replicas)
		if at.Sub(monday) == 6*time.Minute {
			after6 = replicas
		}
	}
	if after6 >= 10 {
		t.Errorf("six minutes into the gap there are still %d", after6)
	}
	if replicas != after6 || fewest < 1 {
		t.Errorf("after 20 minutes there are %d, and there were %d when the metrics went stale", replicas, after6)
	}
}

// TestWVAWakesFromZero when anything waits.
func TestWVAWakesFromZero(t *testing.T) {
	s := scalerOf(t, "wva", 0, 100, nil)
	if got := ask(t, s, monday, look(0, 0, 0)); got != 0 {
		t.Errorf("%d replicas for nothing", got)
	}
	if got := ask(t, s, monday.Add(syncPeriod), look(0, 3, 3)); got != 1 {
		t.Errorf("%d replicas when something waits", got)
	}
}
