package peer

import (
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// TestKEDAScalesOnLag: one replica for each ten requests that wait, as many as there
// are partitions at most, by the limits of the HPA.
func TestKEDAScalesOnLag(t *testing.T) {
	expect(t, "lag 95", follow(t, scalerOf(t, "keda-lag", 0, 100, nil), 2, 95, 95, 95), 6, 10, 10)
	expect(t, "lag of four partitions", follow(t, scalerOf(t, "keda-lag", 0, 100, map[string]float64{"partitions": 4}), 2, 95, 95), 4, 4)
	expect(t, "within tolerance", follow(t, scalerOf(t, "keda-lag", 0, 100, nil), 10, 109), 10)
}

// TestKEDAGoesToZeroAndBack: to zero after the cooldown without lag, where the
// minimum allows it, and back at the first poll that sees any.
func TestKEDAGoesToZeroAndBack(t *testing.T) {
	for _, least := range []int{0, 2} {
		s := scalerOf(t, "keda-lag", least, 100, nil)
		replicas := ask(t, s, monday, look(3, 30, 30))
		for i := 1; i <= 20; i++ {
			at := time.Duration(i) * syncPeriod
			before := replicas
			replicas = ask(t, s, monday.Add(at), look(replicas, 0, 0))
			if at < 300*time.Second && replicas < 1 {
				t.Fatalf("minimum %d: nothing is left after %v, before the cooldown was over", least, at)
			}
			if replicas > before {
				t.Fatalf("minimum %d: it grew without lag", least)
			}
		}
		if replicas != least {
			t.Errorf("minimum %d: %d replicas after five minutes without lag", least, replicas)
		}
		replicas = ask(t, s, monday.Add(330*time.Second), look(replicas, 1, 1))
		if replicas != max(1, least) {
			t.Errorf("minimum %d: %d replicas when lag came back", least, replicas)
		}
	}
}

// TestKEDAReadsAnUnknownAsItIsTold: as zero by default, which empties a Deployment
// whose minimum allows it; as an error otherwise, which changes nothing.
func TestKEDAReadsAnUnknownAsItIsTold(t *testing.T) {
	for ignore, want := range map[float64]int{1: 0, 0: 5} {
		s := scalerOf(t, "keda-lag", 0, 100, map[string]float64{"ignore-null-values": ignore})
		replicas := ask(t, s, monday, look(5, 50, 50))
		for i := 1; i <= 30; i++ {
			v := blind(replicas)
			v.Concurrency = fleet.Measured(50, 0, 1) // it looks at the lag alone
			replicas = ask(t, s, monday.Add(time.Duration(i)*syncPeriod), v)
		}
		if replicas != want {
			t.Errorf("ignore-null-values %g: %d replicas after minutes without the metric, want %d", ignore, replicas, want)
		}
	}
}
