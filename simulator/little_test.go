package simulator

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// TestLittlesLawFindsWhatWasLost: each world is sound until somebody meddles with it.
func TestLittlesLawFindsWhatWasLost(t *testing.T) {
	for name, meddle := range map[string]func(*model, *sessions){
		"one that waits forgets when it came": func(m *model, _ *sessions) { m.waiting.first().at++ },
		"one that runs does":                  func(_ *model, s *sessions) { s.came[0]++ },
		"one is lost, and nobody counts it":   func(m *model, _ *sessions) { m.waiting.pop() },
		"one leaves twice":                    func(m *model, _ *sessions) { m.present.leave(int64(30*time.Second), int64(50*time.Second)) },
		"one comes uncounted":                 func(m *model, _ *sessions) { m.waiting.push(request{at: 1, work: 1}) },
	} {
		t.Run(name, func(t *testing.T) {
			w := struckSessions(t)
			advance(w, 50*time.Second)
			balanced(t, w)
			m := w.models[0]
			meddle(m, w.replicas[0].sessions)
			w.now += int64(time.Second)
			if err := m.little(w.outstanding()[0], w.now); err == nil || !strings.Contains(err.Error(), "model m: the integral") {
				t.Errorf("nobody sees it: %v", err)
			}
		})
	}
}

// TestLittlesLawOutlastsItsCounters: more request-nanoseconds than an integer holds.
func TestLittlesLawOutlastsItsCounters(t *testing.T) {
	m := testModel("m", fleet.CentralQueue, 1)
	m.Kind = fleet.Async
	var requests list
	for range 2000 {
		requests = append(requests, (*at(time.Second))[0])
	}
	w := build(t, Config{Models: []fleet.Model{m}, Sources: feed("m", &requests)})
	const years = 200 * 365 * 24 * time.Hour
	advance(w, years)
	if years.Nanoseconds() < math.MaxInt64/2000 {
		t.Fatal("they fit")
	}
	balanced(t, w)
	serveWith(t, w, "m", 1)
	advance(w, years+time.Hour)
	if r := balanced(t, w); r.Served != 2000 {
		t.Errorf("%d were served", r.Served)
	}
}
