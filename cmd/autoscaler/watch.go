package main

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
)

// watchEvery is how often the policy file is looked at.
const watchEvery = time.Second

// watch reads the policy anew when its file changes, and hands it to the runner.
// What cannot be read, or is wrong, changes nothing but its own state.
type watch struct {
	service service
	world   *embedded
	log     *slog.Logger
	use     func(control.Settings)
	cancel  context.CancelFunc
	done    chan struct{}

	mu       sync.Mutex
	failed   string // why the newest file was not taken
	loadedAt time.Time
}

func newWatch(s service, world *embedded, log *slog.Logger) *watch {
	return &watch{service: s, world: world, log: log, use: func(control.Settings) {}, loadedAt: time.Now()}
}

// state tells what went wrong with the newest file, empty when it was taken, and
// when the policy in force was.
func (w *watch) state() (failed string, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed, w.loadedAt
}

// start begins to look; without a policy file of its own there is nothing to see.
func (w *watch) start() {
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel, w.done = cancel, make(chan struct{})
	go w.look(ctx)
}

func (w *watch) stop() {
	w.cancel()
	<-w.done
}

func (w *watch) look(ctx context.Context) {
	defer close(w.done)
	if w.service.policy == "" {
		return
	}
	last, err := readSource(w.service.policy)
	if err != nil {
		last.Data = nil
	}
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now, err := readSource(w.service.policy)
		if err == nil && bytes.Equal(now.Data, last.Data) {
			continue
		}
		if err != nil {
			w.refuse(err)
			last.Data = nil
			continue
		}
		last = now
		w.reload()
	}
}

// reload takes the file if it is good.
func (w *watch) reload() {
	sc, err := w.service.load()
	if err != nil {
		w.refuse(err)
		return
	}
	settings, err := w.world.reloaded(sc)
	if err != nil {
		w.refuse(err)
		return
	}
	w.mu.Lock()
	w.failed, w.loadedAt = "", time.Now()
	w.mu.Unlock()
	w.use(settings)
	w.log.Info("policy loaded", "file", w.service.policy, "name", settings.Policy.Name)
}

// refuse keeps what is in force and says why, once for each cause.
func (w *watch) refuse(err error) {
	w.mu.Lock()
	news := w.failed != err.Error()
	w.failed = err.Error()
	w.mu.Unlock()
	if news {
		w.log.Error("the policy file is not good; the last good policy stays in force", "file", w.service.policy, "cause", err)
	}
}
