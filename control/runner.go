package control

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"
)

// Runner calls a loop again and again. It is the only place with a ticker.
type Runner struct {
	loop     *Loop
	every    time.Duration
	now      func() time.Time
	after    func(Record, time.Duration, error)
	settings chan Settings
	cancel   context.CancelFunc
	done     chan struct{}
}

// NewRunner makes a runner that ticks every so much of wall-clock time. The
// function now tells the loop's time of each tick: the clock in a cluster, the
// next instant of a simulated world. After each tick, in the same goroutine,
// after gets what it gave, how long it took and its error.
func NewRunner(loop *Loop, every time.Duration, now func() time.Time, after func(Record, time.Duration, error)) *Runner {
	return &Runner{loop: loop, every: every, now: now, after: after, settings: make(chan Settings, 1)}
}

// Start begins ticking in a goroutine and returns at once.
func (r *Runner) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel, r.done = cancel, make(chan struct{})
	go r.run(ctx)
}

// Use hands settings to the loop before its next tick; of several, the newest.
func (r *Runner) Use(s Settings) {
	for {
		select {
		case r.settings <- s:
			return
		default:
		}
		select {
		case <-r.settings: // an older one that was not taken yet
		default:
		}
	}
}

// Stop ends the ticking and waits for a tick under way, no longer than ctx.
func (r *Runner) Stop(ctx context.Context) error {
	if r.cancel == nil {
		return nil
	}
	r.cancel()
	select {
	case <-r.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the last tick: %w", ctx.Err())
	}
}

func (r *Runner) run(ctx context.Context) {
	defer close(r.done)
	ticker := time.NewTicker(r.every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-r.settings:
			r.loop.Use(s)
		case <-ticker.C:
			select {
			case s := <-r.settings: // handed over before this tick
				r.loop.Use(s)
			default:
			}
			begun := time.Now()
			record, err := r.tick(ctx)
			if ctx.Err() != nil {
				return
			}
			r.after(record, time.Since(begun), err)
		}
	}
}

// tick is one tick of the loop. A panic in it is the failure of that tick and not the
// end of the process: the next process would meet what this one met, and nobody would
// be told.
func (r *Runner) tick(ctx context.Context) (record Record, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			r.loop.log.Error("the tick broke off", "cause", cause, "stack", string(debug.Stack()))
			record, err = Record{}, fmt.Errorf("the tick broke off: %v", cause)
		}
	}()
	return r.loop.Tick(ctx, r.now())
}
