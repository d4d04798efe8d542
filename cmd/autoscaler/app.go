package main

import (
	"context"
	"log/slog"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"

	"github.com/tessera-autoscaler/tessera/console"
	"github.com/tessera-autoscaler/tessera/control"
)

// embeddedOptions is the graph of the service on its embedded world, and
// clusterOptions that of the service in a cluster. Only this file knows fx; every
// constructor is an ordinary function.
func embeddedOptions(s service, world *embedded, j *journal, log *slog.Logger) fx.Option {
	return fx.Options(
		fx.Supply(s, world, j, log, world.settings),
		fx.WithLogger(func() fxevent.Logger { return fxevent.NopLogger }),
		fx.Provide(newRegistry, newBoard, newServer, newPorts, control.NewLoop, newWorldWatch, newRunner),
		fx.Invoke(keepJournal, startServer, startRunner, startWatch), // stopped in the opposite order
	)
}

func clusterOptions(s service, j *journal, log *slog.Logger) fx.Option {
	return fx.Options(
		fx.Supply(s, s.cluster, j, log),
		fx.WithLogger(func() fxevent.Logger { return fxevent.NopLogger }),
		fx.Provide(newRegistry, newBoard, newServer, newClusterWatch, newMember),
		fx.Invoke(keepJournal, startServer, startMember, startWatch), // stopped in the opposite order
	)
}

func newRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

func newBoard(r *prometheus.Registry) *console.Board {
	return console.NewBoard(r, console.Build{Version: version, Revision: revision(), GoVersion: runtime.Version()})
}

func newServer(s service, b *console.Board, log *slog.Logger) *console.Server {
	return console.NewServer(s.listen, b, console.Log(log))
}

func newPorts(s service, world *embedded, j *journal, log *slog.Logger) (control.Ports, error) {
	forecasters, err := s.forecasters(log)
	return control.Ports{Observer: world, Actuator: world, Journal: j, Historian: world, Forecasters: forecasters}, err
}

// newRunner makes the runner that publishes each tick.
func newRunner(loop *control.Loop, world *embedded, b *console.Board, w *watch, log *slog.Logger) *control.Runner {
	r := control.NewRunner(loop, world.every(), world.next, func(record control.Record, took time.Duration, err error) {
		if err != nil {
			log.Error("tick failed", "cause", err)
			b.TickFailed(err)
			return
		}
		if len(record.Plan.Steps) > 0 {
			log.Info("plan", "id", string(record.Plan.ID), "steps", len(record.Plan.Steps), "headline", record.Plan.Headline())
		}
		failed, at := w.state()
		b.Publish(console.State{
			Record: record, Settings: loop.Settings(), World: world.describe(), Mode: console.ModeActive,
			Took: took, PolicyError: failed, PolicyLoadedAt: at,
		})
	})
	b.Expect(world.every())
	w.use = r.Use
	return r
}

func keepJournal(lc fx.Lifecycle, j *journal) { lc.Append(fx.StopHook(j.Close)) }

func startServer(lc fx.Lifecycle, server *console.Server) {
	lc.Append(fx.StartStopHook(server.Start, server.Stop))
}

// newWorldWatch watches the policy that stands in place of the scenario's, if any.
func newWorldWatch(s service, world *embedded, log *slog.Logger) *watch {
	var files []string
	if s.policy != "" {
		files = []string{s.policy}
	}
	return newWatch(files, func() (control.Settings, error) {
		sc, err := s.load()
		if err != nil {
			return control.Settings{}, err
		}
		return world.reloaded(sc)
	}, log)
}

// newClusterWatch watches the three files that make up the settings.
func newClusterWatch(c *clusterConfig, log *slog.Logger) *watch {
	return newWatch([]string{c.Policy, c.Catalog, c.Profiles}, c.load, log)
}

func startMember(lc fx.Lifecycle, m *member) { lc.Append(fx.StartStopHook(m.start, m.stop)) }

func startRunner(lc fx.Lifecycle, r *control.Runner, loop *control.Loop, world *embedded, b *console.Board) {
	lc.Append(fx.StartStopHook(func(ctx context.Context) error {
		if err := loop.Prime(ctx, world.start); err != nil {
			return err
		}
		r.Start()
		return nil
	}, func(ctx context.Context) error {
		b.SetNotReady("the service is stopping")
		return r.Stop(ctx)
	}))
}

func startWatch(lc fx.Lifecycle, w *watch) { lc.Append(fx.StartStopHook(w.start, w.stop)) }
