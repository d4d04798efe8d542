package peers

import (
	"encoding/json"
	"flag"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/judge"
	"github.com/tessera-autoscaler/tessera/simulator/peer"
	"github.com/tessera-autoscaler/tessera/simulator/scenario"
)

// What TestScoreboard runs. With none of them given it runs four hours of requests to
// three models and six hours of sessions of two, and compares.
var (
	scenarios = flag.String("scenarios", "", "comma-separated scenario files; default: the small ones of this folder")
	seeds     = flag.Uint64("seeds", 1, "run seeds 1 to N")
	data      = flag.String("data", "", "root folder of recorded traffic (default $TESSERA_DATA, else ../shared/data beside the repository)")
	tuned     = flag.String("tuned", "../../configs/tuned.yaml", "file of tuned setups; one that is not there has none")
	out       = flag.String("out", "", "write the results to this file, for autoscaler compare --merge")
	only      = flag.String("only", "", "comma-separated controllers of kpa-real, hpa-real and keda-real; default: all")
)

// TestScoreboard runs the originals in whole scenarios, each with the setup that was
// tuned for its port, and writes the results. Where the world is small it runs the
// ports beside them, and promises the same decisions and so the same bill.
func TestScoreboard(t *testing.T) {
	paths := []string{"testdata/evening.yaml", "testdata/captions.yaml"}
	if *scenarios != "" {
		paths = strings.Split(*scenarios, ",")
	}
	root := *data
	if root == "" {
		root = dataRoot()
	}
	setups := readTuned(t)
	var results []simulator.Result
	for _, path := range paths {
		s := load(t, path, root)
		for _, o := range originals {
			if *only != "" && !slices.Contains(strings.Split(*only, ","), o.name) {
				continue
			}
			for seed := uint64(1); seed <= *seeds; seed++ {
				setup := judge.DefaultSetup(s.Settings)
				if tuned := setups.Setup(s.Name, o.port); tuned != nil {
					setup = *tuned
				}
				result := o.run(t, s, seed, setup)
				t.Logf("%s, %s, seed %d: cost %s, attainment %s, %d actions, %.1f s", s.Name, o.name, seed,
					result.Cost, share(result.Attainment), result.ScaleActions, result.WallSeconds)
				if *scenarios == "" {
					o.compare(t, s, seed, setup, result)
				}
				results = append(results, result)
			}
		}
	}
	if *out == "" {
		return
	}
	text, err := json.MarshalIndent(results, "", "  ")
	if err == nil {
		err = os.WriteFile(*out, append(text, '\n'), 0o644)
	}
	if err != nil {
		t.Fatalf("write the results: %v", err)
	}
}

// run lets the original decide in the world of a seed.
func (o original) run(t *testing.T, s *scenario.Scenario, seed uint64, setup peer.Setup) (result simulator.Result) {
	t.Helper()
	begun := time.Now()
	o.time(t, func(t *testing.T) {
		k := knobs{peer: o.port, settings: s.Settings, setup: setup}
		result = drive(t, s, seed, setup, o.make(t, k))
	})
	result.Scenario, result.Controller, result.Seed = s.Name, o.name, seed
	result.TrafficScale, result.IgnoredRows, result.Notes = maps.Clone(s.Scales), maps.Clone(s.Ignored), slices.Clone(s.Notes)
	if err := result.Seal(); err != nil {
		t.Fatal(err)
	}
	result.WallSeconds = time.Since(begun).Seconds()
	return result
}

// drive runs a cluster with a Scaler in the world of a seed.
func drive(t *testing.T, s *scenario.Scenario, seed uint64, setup peer.Setup, scaler peer.Scaler) simulator.Result {
	t.Helper()
	world, err := s.World(seed)
	if err != nil {
		t.Fatal(err)
	}
	cluster, err := peer.NewCluster(world, world, s.Settings, setup, scaler)
	if err != nil {
		t.Fatal(err)
	}
	result, err := simulator.Run{World: world, Duration: s.Duration, Every: cluster.Every(), Policy: s.Settings.Policy}.Drive(t.Context(), cluster)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// compare runs the port in the same world, and expects the same result to the byte
// but for the names.
func (o original) compare(t *testing.T, s *scenario.Scenario, seed uint64, setup peer.Setup, real simulator.Result) {
	t.Helper()
	scaler, err := peer.NewScaler(o.port, s.Settings, setup, nil)
	if err != nil {
		t.Fatal(err)
	}
	ported := drive(t, s, seed, setup, scaler)
	ported.Scenario, ported.Controller, ported.Seed = real.Scenario, real.Controller, real.Seed
	ported.TrafficScale, ported.IgnoredRows, ported.Notes = real.TrafficScale, real.IgnoredRows, real.Notes
	if err := ported.Seal(); err != nil {
		t.Fatal(err)
	}
	if ported.Hash != real.Hash {
		t.Errorf("%s, seed %d: %s costs %s with attainment %s and %d actions, its port %s with %s and %d", s.Name, seed,
			o.name, real.Cost, share(real.Attainment), real.ScaleActions, ported.Cost, share(ported.Attainment), ported.ScaleActions)
	}
	if real.ScaleActions < 4 {
		t.Errorf("%s, seed %d: %s acted %d times: such a run compares nothing", s.Name, seed, o.name, real.ScaleActions)
	}
}

// readTuned reads the setups that searches found for the ports.
func readTuned(t *testing.T) judge.Tuned {
	t.Helper()
	f, err := os.Open(*tuned)
	if os.IsNotExist(err) {
		return judge.Tuned{}
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	doc := strictyaml.Parse(*tuned, text)
	setups := judge.ReadTuned(doc)
	if err := doc.Err(); err != nil {
		t.Fatal(err)
	}
	return setups
}

// share prints an attainment, which a run without requests does not have.
func share(attainment *float64) string {
	if attainment == nil {
		return "none"
	}
	text, _ := json.Marshal(*attainment)
	return string(text)
}
