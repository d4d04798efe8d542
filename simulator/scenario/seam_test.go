package scenario

import (
	"math"
	"strings"
	"testing"
	"time"
)

// Before and after the seam of two laps, the expected rate is the same: the level
// of the traffic goes on too. Ten minutes of 90,000 requests tell 1 % apart, and
// the level moves by less in that time.
func TestEndlessTrafficDoesNotJump(t *testing.T) {
	text := strings.Replace(head, "duration: 2h", "duration: 20m", 1)
	text = strings.Replace(text, "T08:00", "T09:40", 1)
	s := mustLoad(t, at(text+"  traffic:\n  - generate: {model: transcribe-fr, shape: office-hours, peak: 150}\n").loader())
	squares := 0.0
	const seeds = 6
	for seed := range uint64(seeds) {
		got := came(t, s, seed, 10*time.Minute, 20*time.Minute, 30*time.Minute)
		squares += math.Pow(math.Log(got[1]/got[0]), 2)
	}
	if rms := math.Sqrt(squares / seeds); rms > 0.015 {
		t.Errorf("over the seam the rate jumps by %.1f %% on average", 100*rms)
	}
}
