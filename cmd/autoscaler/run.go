package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/fx"

	"github.com/tessera-autoscaler/tessera/configs"
	"github.com/tessera-autoscaler/tessera/console"
	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
	"github.com/tessera-autoscaler/tessera/observe/outlook"
	"github.com/tessera-autoscaler/tessera/simulator/scenario"
)

// stopTimeout bounds an orderly end: what is not done by then is left.
const stopTimeout = 4 * time.Second

// service is what run was asked to do.
type service struct {
	config string
	mode   string
	listen string
	policy string
	data   string
	record string
	seed   uint64
	speed  float64

	cluster *clusterConfig  // nil: the embedded world
	outlook *outlook.Config // nil: the loop forecasts itself

	scenario string           // its path
	loader   *scenario.Loader // how its files are opened
}

func newRun() *cobra.Command {
	s := service{scenario: "scenarios/five-languages.yaml"}
	c := &cobra.Command{
		Use:   "run",
		Short: "Run the service: the loop, its page, its metrics and its probes",
		Long: `Run is the service. Without a configuration it runs the embedded world: five
languages on simulated GPUs, in accelerated time, behind the same loop, page and
metrics that a cluster gets. It never picks up a cluster by itself: only one that
the configuration names under spec.cluster, and there it writes nothing unless
--mode active is given.

It serves /, /metrics, /healthz and /readyz, and ends on SIGTERM or Ctrl-C. The
policy is read anew when its file changes; a bad file changes nothing but
/readyz, the log and tessera_policy_last_reload_successful.`,
		Example: `  # The embedded world at http://127.0.0.1:8080, ten simulated minutes a second
  autoscaler run

  # A policy of your own on the embedded world, one simulated minute a second
  autoscaler run --policy policy.yaml --speed 60

  # What would happen in a cluster; nothing is written
  autoscaler run --config configs/cluster.yaml`,
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := s.configure(c); err != nil {
				return err
			}
			return serve(c.Context(), s, c.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&s.config, "config", "", "configuration file of kind Service")
	c.Flags().StringVar(&s.mode, "mode", "", "shadow or active (default shadow with a cluster; the embedded world is always active)")
	c.Flags().StringVar(&s.listen, "listen", "127.0.0.1:8080", "address of the page, the metrics and the probes")
	c.Flags().StringVar(&s.policy, "policy", "", "a FleetPolicy file in place of the scenario's; read anew when it changes")
	c.Flags().StringVar(&s.data, "data", "", "root folder of recorded traffic (default $TESSERA_DATA, else the scenario's folder)")
	c.Flags().StringVar(&s.record, "record", "", "also write every decision, one JSON object a line, to this file (.gz compresses)")
	c.Flags().Uint64Var(&s.seed, "seed", 1, "seed of the embedded world")
	c.Flags().Float64Var(&s.speed, "speed", 600, "simulated seconds a second, 1 to 3000")
	return c
}

// serviceFile is the configuration as it is written. A flag that is given wins.
type serviceFile struct {
	strictyaml.Envelope `yaml:",inline"`
	Spec                struct {
		Listen   string `yaml:"listen"`
		Record   string `yaml:"record"`
		Embedded struct {
			Scenario string  `yaml:"scenario"`
			Policy   string  `yaml:"policy"`
			Data     string  `yaml:"data"`
			Seed     uint64  `yaml:"seed"`
			Speed    float64 `yaml:"speed,min=1,max=3000"`
		} `yaml:"embedded"`
		Forecaster strictyaml.Node `yaml:"forecaster"`
		Cluster    strictyaml.Node `yaml:"cluster"`
	} `yaml:"spec,required"`
}

// configure joins the configuration file with the flags.
func (s *service) configure(c *cobra.Command) error {
	s.loader = &scenario.Loader{Open: openEmbedded}
	if s.config != "" {
		if err := s.read(c); err != nil {
			return invalid(err)
		}
	}
	modes := []string{console.ModeShadow, console.ModeActive}
	switch {
	case s.mode != "" && !slices.Contains(modes, s.mode):
		return usage("--mode %q%s", s.mode, suggestion(s.mode, modes))
	case s.cluster != nil:
		return s.aboutCluster(c)
	case s.mode == console.ModeShadow:
		return usage("--mode shadow needs a cluster: the embedded world is always active")
	case !(s.speed >= 1 && s.speed <= 3000):
		return usage("--speed %v: give 1 to 3000 simulated seconds a second", s.speed)
	}
	return nil
}

// aboutCluster refuses the flags of the embedded world, and makes shadow the mode
// that nobody had to choose.
func (s *service) aboutCluster(c *cobra.Command) error {
	for _, flag := range []string{"seed", "speed", "data"} {
		if c.Flags().Changed(flag) {
			return usage("--%s is about the embedded world, and %s names a cluster", flag, s.config)
		}
	}
	if s.mode == "" {
		s.mode = console.ModeShadow
	}
	return nil
}

// read takes from the file what no flag said.
func (s *service) read(c *cobra.Command) error {
	doc, err := parseFile(s.config)
	if err != nil {
		return err
	}
	var f serviceFile
	f.Spec.Listen, f.Spec.Embedded.Seed, f.Spec.Embedded.Speed = s.listen, s.seed, s.speed
	if _, ok := doc.Expect("tessera/v1alpha1", "Service"); ok {
		doc.Decode(&f)
	}
	if f.Spec.Cluster.Kind() != strictyaml.Absent {
		if s.cluster, err = readCluster(s.config, s.policy, doc, f.Spec.Cluster); err != nil {
			return err
		}
		if doc.Has("spec.embedded") {
			doc.Complain("spec.embedded", "a service runs against a cluster or an embedded world").OnKey().Hint("remove one of cluster and embedded")
		}
	}
	s.outlook = readOutlook(s.config, doc, f.Spec.Forecaster)
	if err := doc.Err(); err != nil {
		return err
	}
	e := f.Spec.Embedded
	take := func(flag string, into *string, value string) {
		if !c.Flags().Changed(flag) && value != "" {
			*into = value
		}
	}
	take("listen", &s.listen, f.Spec.Listen)
	take("record", &s.record, beside(s.config, f.Spec.Record))
	take("policy", &s.policy, beside(s.config, e.Policy))
	take("data", &s.data, beside(s.config, e.Data))
	if !c.Flags().Changed("seed") {
		s.seed = e.Seed
	}
	if !c.Flags().Changed("speed") {
		s.speed = e.Speed
	}
	if e.Scenario != "" {
		s.scenario, s.loader = beside(s.config, e.Scenario), &scenario.Loader{Open: openFile}
	}
	return nil
}

// load reads the scenario with the policy in force.
func (s *service) load() (*scenario.Scenario, error) {
	loader := *s.loader
	loader.Data, loader.Policy = dataRoot(s.data), s.policy
	loader.Open = func(path string) (io.ReadCloser, error) {
		if path == s.policy {
			return openFile(path) // it lies on disk, even where one built in has its name
		}
		return s.loader.Open(path)
	}
	return loader.Load(s.scenario)
}

// openEmbedded opens the files that are built into the program, and others where
// they lie.
func openEmbedded(path string) (io.ReadCloser, error) {
	if f, err := configs.Files.Open(path); err == nil {
		return f, nil
	}
	return openFile(path)
}

// serve runs the service until ctx ends.
func serve(ctx context.Context, s service, diagnostics io.Writer) error {
	log := slog.New(slog.NewTextHandler(diagnostics, nil))
	var world *embedded
	if s.cluster == nil {
		var err error
		if world, err = newEmbedded(&s); err != nil {
			return invalid(err)
		}
	}
	journal, err := openJournal(s.record)
	if err != nil {
		return err
	}
	name, graph := "", fx.Option(nil)
	if s.cluster != nil {
		name, graph = s.cluster.describe(), clusterOptions(s, journal, log)
	} else {
		name, graph = world.describe(), embeddedOptions(s, world, journal, log)
	}
	var server *console.Server
	app := fx.New(graph, fx.Populate(&server))
	start, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	if err := app.Start(start); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	log.Info("serving", "url", "http://"+server.Addr(), "world", name)
	<-ctx.Done()
	log.Info("stopping")
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if err := app.Stop(stop); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	return nil
}
