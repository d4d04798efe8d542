package control_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
)

// TestRunnerTicksUntilItIsStopped, and waits for the tick under way.
func TestRunnerTicksUntilItIsStopped(t *testing.T) {
	s := newStage(t, smallPolicy(), 1, 1)
	synctest.Test(t, func(t *testing.T) {
		at := monday
		var ticks atomic.Int64
		r := control.NewRunner(s.loop, time.Second, func() time.Time {
			s.world.AdvanceTo(at)
			now := at
			at = at.Add(15 * time.Second)
			return now
		}, func(_ control.Record, _ time.Duration, err error) {
			if err != nil {
				t.Error(err)
			}
			ticks.Add(1)
		})
		r.Start()
		time.Sleep(10*time.Second + time.Millisecond)
		if n := ticks.Load(); n != 10 {
			t.Errorf("%d ticks in ten seconds", n)
		}
		changed := s.loop.Settings()
		changed.Policy.Name = "changed"
		old := changed
		old.Policy.Name = "overtaken"
		r.Use(old)
		r.Use(changed)
		time.Sleep(2 * time.Second)
		if err := r.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		if got := s.loop.Settings().Policy.Name; got != "changed" {
			t.Errorf("the loop uses policy %q", got)
		}
		then := ticks.Load()
		time.Sleep(10 * time.Second)
		if ticks.Load() != then {
			t.Error("it ticked after it was stopped")
		}
	})
}
