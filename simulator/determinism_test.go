package simulator

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// play does the acts and lets an hour pass. Between them it looks at the world
// as often as looks says.
func play(t testing.TB, w *World, acts []act, looks int) {
	look := func() {
		if looks == 0 {
			return
		}
		s := observe(t, w)
		for i := range s.Nodes { // what was handed out is the reader's own
			s.Nodes[i].State = "scribbled over"
			for j := range s.Nodes[i].GPUs {
				s.Nodes[i].GPUs[j] = fleet.GPU{Type: "scribbled over"}
			}
		}
		_, _, _ = w.Result(), w.Sample(), w.accounts()
	}
	run := func(d time.Duration) {
		end := w.Now().Add(d)
		for i := range looks {
			w.AdvanceTo(w.Now().Add(end.Sub(w.Now()) / time.Duration(looks+1-i)))
			look()
		}
		w.AdvanceTo(end)
		look()
	}
	for _, a := range acts {
		run(a.After)
		if a.Step != nil {
			_ = w.Do(t.Context(), "test", a.Step) // refusals are part of the play
		}
		look()
	}
	run(time.Hour)
}

// TestSameSeedSameResult: to the byte, and also what a controller sees at the end.
// Looking is no physics: a world that is looked at all the time comes to the same.
func TestSameSeedSameResult(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		acts := randomActs().Draw(rt, "acts")
		seed := rapid.Uint64Range(1, 1000).Draw(rt, "seed")
		var results, views [3]string
		for i, looks := range []int{0, 0, 3} {
			w := randomWorld(t, seed, 90*time.Minute)
			play(t, w, acts, looks)
			result := w.Result()
			if err := result.Seal(); err != nil {
				rt.Fatal(err)
			}
			results[i], views[i] = text(t, result), text(t, observe(t, w))
		}
		if results[0] != results[1] || views[0] != views[1] {
			rt.Fatalf("two runs differ:\n%s\n%s", results[0], results[1])
		}
		if results[0] != results[2] || views[0] != views[2] {
			rt.Fatalf("looking changed the run:\n%s\n%s\n%s\n%s", results[0], results[2], views[0], views[2])
		}
	})
}

// TestAnotherSeedAnotherResult: the seed reaches traffic and start-up times.
func TestAnotherSeedAnotherResult(t *testing.T) {
	acts := []act{{Step: purchase("s0", "solo", sevenths())}, {Step: startOn("s0", 0, "live-least", "r0")}}
	var readyAt [2]time.Time
	var arrived [2]int64
	for i := range readyAt {
		w := randomWorld(t, uint64(i+1), 90*time.Minute)
		play(t, w, acts, 0)
		readyAt[i], arrived[i] = w.nodes[0].ReadyAt, w.Result().Requests
	}
	if readyAt[0].Equal(readyAt[1]) || arrived[0] == arrived[1] {
		t.Errorf("seeds 1 and 2 bring %d and %d requests, and nodes at %v and %v", arrived[0], arrived[1], readyAt[0], readyAt[1])
	}
}

// TestTrafficDoesNotCareWhoServes: two controllers that do different things meet
// the same requests at the same nanoseconds, and the same luck with their nodes.
func TestTrafficDoesNotCareWhoServes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a, b := randomWorld(t, 5, 90*time.Minute), randomWorld(t, 5, 90*time.Minute)
		acts := randomActs().Draw(rt, "acts")
		for _, act := range acts {
			if act.Step != nil {
				_ = b.Do(t.Context(), "test", act.Step)
			}
			for _, w := range []*World{a, b} {
				w.AdvanceTo(w.Now().Add(act.After))
			}
			for i, m := range a.models {
				if other := b.models[i]; m.arrived != other.arrived || m.next != other.next {
					rt.Fatalf("%s met other traffic", m.Name)
				}
			}
		}
	})
}

// TestLuckBelongsToTheOrdinal: the n-th node of an offering takes the same time
// whatever else was bought before it.
func TestLuckBelongsToTheOrdinal(t *testing.T) {
	took := func(acts ...act) time.Duration {
		w := randomWorld(t, 5, 90*time.Minute)
		play(t, w, acts, 0)
		n := w.byNode["s0"]
		return n.ReadyAt.Sub(n.RequestedAt)
	}
	solo := act{Step: purchase("s0", "solo", sevenths())}
	duo := act{After: time.Minute, Step: purchase("d0", "duo", sevenths())}
	later := act{After: time.Minute, Step: fleet.Step(solo.Step)}
	if a, b := took(solo), took(duo, later); a != b {
		t.Errorf("the first node of an offering takes %v, and %v after another offering's", a, b)
	}
}
