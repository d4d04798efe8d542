package journey

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func (j *journey) fallsAsleep(t *testing.T) {
	if left := time.Until(j.day.fall); left > 0 {
		j.diary.say("the traffic falls in %.0f s", left.Seconds())
		time.Sleep(left)
	}
	j.diary.say("the traffic falls")
	eventually(t, 5*time.Minute, "one GPU left", func() (bool, string) {
		there := 0
		for _, m := range j.witness.bought() {
			if m.gone.IsZero() {
				there++
			}
		}
		return there == 1, fmt.Sprintf("%d machines; wanted: %v\n%s", there, j.witness.wanted(), j.why(t))
	})
	j.diary.say("one GPU is left, %.0f s after the fall", time.Since(j.day.fall).Seconds())
	if cut := tally(j.emitter).sum().Cut; cut != 0 {
		t.Errorf("%d requests were cut, want none", cut)
	}
	writes := granted(written(t, j.cluster, activeUser, j.day.fall, time.Time{}))
	if n := len(of(writes, "delete", "nodeclaims")); n == 0 {
		t.Error("no NodeClaim was deleted by the program")
	}
	marked := map[string]bool{}
	for _, e := range of(writes, "patch", "pods") {
		if strings.Contains(string(e.Request), "controller.kubernetes.io/pod-deletion-cost") {
			marked[e.Name] = true
		}
	}
	if len(marked) == 0 {
		t.Error("no pod was marked by pod-deletion-cost before it went")
	}
	if n := len(of(writes, "create", "pods/eviction")); n > 0 {
		t.Errorf("%d pods were evicted; they should have ended before the drain", n)
	}
	j.diary.say("%d pods were marked before they went, and nothing was cut", len(marked))
}
