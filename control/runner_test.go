package control_test

import (
	"context"
	"strings"
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

// TestAPanicIsTheFailureOfItsTick, told like any other, and the next tick comes.
func TestAPanicIsTheFailureOfItsTick(t *testing.T) {
	s := newStage(t, smallPolicy(), 1, 1)
	synctest.Test(t, func(t *testing.T) {
		at, ticks := monday, 0
		var failed, good int
		r := control.NewRunner(s.loop, time.Second, func() time.Time {
			if ticks++; ticks == 2 {
				panic("a number that nobody thought of")
			}
			s.world.AdvanceTo(at)
			now := at
			at = at.Add(15 * time.Second)
			return now
		}, func(_ control.Record, _ time.Duration, err error) {
			if err == nil {
				good++
			} else if failed++; !strings.Contains(err.Error(), "a number that nobody thought of") {
				t.Error(err)
			}
		})
		r.Start()
		time.Sleep(5*time.Second + time.Millisecond)
		if err := r.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		if failed != 1 || good != 4 {
			t.Errorf("%d ticks failed and %d did not", failed, good)
		}
	})
}
