package main

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
)

// watchEvery is how often the files are looked at.
const watchEvery = time.Second

// watch reads settings anew when one of their files changes, and hands them on.
// What cannot be read, or is wrong, changes nothing but its own state.
type watch struct {
	files  []string // without any there is nothing to see
	load   func() (control.Settings, error)
	log    *slog.Logger
	use    func(control.Settings)
	cancel context.CancelFunc
	done   chan struct{}

	mu       sync.Mutex
	failed   string // why the newest files were not taken
	loadedAt time.Time
}

func newWatch(files []string, load func() (control.Settings, error), log *slog.Logger) *watch {
	return &watch{files: files, load: load, log: log, use: func(control.Settings) {}, loadedAt: time.Now()}
}

// state tells what went wrong with the newest files, empty when they were taken,
// and when the policy in force was.
func (w *watch) state() (failed string, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed, w.loadedAt
}

// start begins to look.
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
	if len(w.files) == 0 {
		return
	}
	last, _ := w.read() // what cannot be read now is refused at the first look
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now, err := w.read()
		if err == nil && bytes.Equal(now, last) {
			continue
		}
		last = now
		if err != nil {
			w.refuse(err)
			continue
		}
		w.reload()
	}
}

// read is what all files say, nil when one cannot be read.
func (w *watch) read() ([]byte, error) {
	all := []byte{}
	for _, file := range w.files {
		source, err := readSource(file)
		if err != nil {
			return nil, err
		}
		all = append(append(all, source.Data...), 0)
	}
	return all, nil
}

// reload takes the files if they are good.
func (w *watch) reload() {
	settings, err := w.load()
	if err != nil {
		w.refuse(err)
		return
	}
	w.mu.Lock()
	w.failed, w.loadedAt = "", time.Now()
	w.mu.Unlock()
	w.use(settings)
	w.log.Info("policy loaded", "file", w.files[0], "name", settings.Policy.Name)
}

// refuse keeps what is in force and says why, once for each cause.
func (w *watch) refuse(err error) {
	w.mu.Lock()
	news := w.failed != err.Error()
	w.failed = err.Error()
	w.mu.Unlock()
	if news {
		w.log.Error("the policy file is not good; the last good policy stays in force", "file", w.files[0], "cause", err)
	}
}
