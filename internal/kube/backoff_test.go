package kube

import (
	"testing"
	"time"
)

// An offering that cannot be had rests for longer each time, up to a limit, and is
// asked for at once after it came; a clone is another ledger.
func TestAnOfferingRestsForLongerEachTime(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	var l Ledger
	var waits []time.Duration
	for range 5 {
		before := l.Clone()
		waits = append(waits, l.BackOff("b", now, 5*time.Minute, 30*time.Minute).Until.Sub(now))
		l.BackOff("a", now, time.Minute, time.Minute)
		if len(before.Backoffs) > 0 && before.Backoff("b").Wait == l.Backoff("b").Wait && waits[len(waits)-1] < 30*time.Minute {
			t.Fatal("a clone changed with the ledger")
		}
	}
	for i, want := range []time.Duration{5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 30 * time.Minute, 30 * time.Minute} {
		if waits[i] != want {
			t.Errorf("wait %d is %s, want %s", i, waits[i], want)
		}
	}
	if len(l.Backoffs) != 2 || l.Backoffs[0].Offering != "a" {
		t.Errorf("%+v", l.Backoffs)
	}
	l.Recover("b")
	if !l.Backoff("b").Until.IsZero() || l.Backoff("a").Until.IsZero() {
		t.Errorf("%+v", l.Backoffs)
	}
}
