package configs_test

import (
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/configs"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/strictyaml"
	"github.com/tessera-autoscaler/tessera/policy"
	"github.com/tessera-autoscaler/tessera/simulator/judge"
	"github.com/tessera-autoscaler/tessera/simulator/scenario"
	"github.com/tessera-autoscaler/tessera/simulator/traffic"
)

func source(t *testing.T, name string) policy.Source {
	t.Helper()
	data, err := configs.Files.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return policy.Source{Name: name, Data: data}
}

func catalog(t *testing.T) fleet.Catalog {
	t.Helper()
	c, err := policy.LoadCatalog(source(t, "catalog.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// profiles are those of profiles.yaml by name.
func profiles(t *testing.T) map[fleet.PerformanceName]fleet.PerformanceProfile {
	t.Helper()
	out := map[fleet.PerformanceName]fleet.PerformanceProfile{}
	for _, p := range profileList(t) {
		out[p.Name] = p
	}
	return out
}

func profileList(t *testing.T) []fleet.PerformanceProfile {
	t.Helper()
	list, err := policy.LoadProfiles(source(t, "profiles.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// data is the folder of recorded traffic; the test is skipped where it is absent.
func data(t *testing.T) string {
	t.Helper()
	root := os.Getenv("TESSERA_DATA")
	if root == "" {
		root = filepath.Join("..", "..", "shared", "data")
	}
	if _, err := os.Stat(root); err != nil {
		t.Skipf("recorded data is absent: set TESSERA_DATA to its folder (%v)", err)
	}
	return root
}

// embedded opens what is built in, and recordings from their folder.
func embedded(name string) (io.ReadCloser, error) {
	if filepath.IsAbs(name) || strings.HasPrefix(name, "..") {
		return os.Open(name)
	}
	return configs.Files.Open(filepath.ToSlash(name))
}

func load(t *testing.T, name, root string) *scenario.Scenario {
	t.Helper()
	s, err := scenario.Loader{Open: embedded, Data: root}.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// names lists the files that are built in.
func names(t *testing.T) []string {
	t.Helper()
	var out []string
	err := fs.WalkDir(configs.Files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			out = append(out, name)
		}
		return err
	})
	if err != nil || len(out) < 7 {
		t.Fatalf("the files built in are %v (%v)", out, err)
	}
	return out
}

func TestEveryFileIsReadWithoutComplaint(t *testing.T) {
	for _, name := range names(t) {
		t.Run(name, func(t *testing.T) {
			src := source(t, name)
			doc := strictyaml.Parse(name, src.Data)
			kind, _ := doc.Expect("tessera/v1alpha1", "Catalog", "Profiles", "FleetPolicy", "Scenario", "Service", "TunedSetups")
			err := doc.Err()
			switch kind {
			case "Catalog":
				_, err = policy.LoadCatalog(src)
			case "Profiles":
				_, err = policy.LoadProfiles(src)
			case "FleetPolicy":
				_, err = policy.Load(src, catalog(t), profileList(t))
			case "Scenario":
				root := ""
				if strings.Contains(string(src.Data), "trace:") {
					root = data(t)
				}
				load(t, name, root)
			case "TunedSetups":
				judge.ReadTuned(doc)
				err = doc.Err()
			case "Service": // the program's own, read where it starts
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestEveryFileBeginsWithWhatItIs(t *testing.T) {
	for _, name := range names(t) {
		if text := string(source(t, name).Data); !strings.HasPrefix(text, "# ") {
			t.Errorf("%s does not begin with a comment that says what it is", name)
		}
	}
}

func TestEveryPriceHasAFileAndADate(t *testing.T) {
	for _, o := range catalog(t).Offerings {
		if !strings.Contains(o.Source, "pkg/providers/pricing/") || !strings.Contains(o.Source, "2026-") {
			t.Errorf("%s: source %q names no file with its date", o.Name, o.Source)
		}
		if o.Region == "" || o.Limit == 0 {
			t.Errorf("%s has no region or no limit", o.Name)
		}
	}
}

func TestAFreshNodeTakesSevenToSixteenMinutes(t *testing.T) {
	for _, o := range catalog(t).Offerings {
		if o.GPU == fleet.CPU {
			continue
		}
		if p50, p95 := o.Lead.P50(), o.Lead.P95(); p50 < 7*time.Minute || p50 > 9*time.Minute || p95 < 13*time.Minute || p95 > 16*time.Minute {
			t.Errorf("%s comes up in %v, 95 %% within %v", o.Name, p50, p95)
		}
	}
}

func TestEveryFigureSaysWhetherItWasMeasured(t *testing.T) {
	for _, p := range profileList(t) {
		for _, v := range p.Variants {
			for _, perf := range v.Slices {
				measured := strings.HasPrefix(perf.Measured, "MLPerf") || strings.HasPrefix(perf.Measured, "recorded")
				if !measured && !strings.HasPrefix(perf.Measured, "assumed: ") {
					t.Errorf("%s %s on %s: %q", p.Name, v.Name, perf.Kind, perf.Measured)
				}
				if perf.Load.P50 == 0 {
					t.Errorf("%s %s on %s loads in no time", p.Name, v.Name, perf.Kind)
				}
			}
		}
	}
}

// on is the performance of a profile's variant on a slice of an A100 with 80 GB.
func on(t *testing.T, p fleet.PerformanceProfile, variant fleet.VariantName, gpu fleet.GPUType, slice fleet.ProfileName) fleet.Performance {
	t.Helper()
	v, _ := p.Variant(variant)
	perf, ok := v.On(fleet.SliceKind{GPU: gpu, Profile: slice})
	if !ok {
		t.Fatalf("%s %s was not measured on %s/%s", p.Name, variant, gpu, slice)
	}
	return perf
}

// The curves are made from three results of the benchmark. What they say of a
// server under its latency bound must be what the benchmark says.
func TestTheSizerFindsTheServerRatesOfTheBenchmark(t *testing.T) {
	const a100, a30 = "a100-80gb", "a30-24gb"
	list := profiles(t)
	for _, tt := range []struct {
		profile  fleet.PerformanceName
		gpu      fleet.GPUType
		slice    fleet.ProfileName
		limit    time.Duration
		measured float64 // queries a second, Server scenario, beside busy neighbours
		off      float64 // how far below the sizer may stay
	}{
		{"rnnt-mlperf", a100, "1g.10gb", time.Second, 1320.17, 0.03},
		{"rnnt-mlperf", a100, "whole", time.Second, 13000.0, 0.01},
		{"rnnt-mlperf", a30, "1g.6gb", time.Second, 950.11, 0.06},
		{"rnnt-mlperf", a30, "whole", time.Second, 4623.6, 0.02},
		{"bert-mlperf", a100, "1g.10gb", 130 * time.Millisecond, 379.98, 0.17},
		{"bert-mlperf", a100, "whole", 130 * time.Millisecond, 3224.0, 0.04},
		{"bert-mlperf", a30, "1g.6gb", 130 * time.Millisecond, 359.98, 0.17},
		{"bert-mlperf", a30, "whole", 130 * time.Millisecond, 1436.4, 0.06},
	} {
		p := list[tt.profile]
		m := fleet.Model{Name: "m", Kind: fleet.Streaming, SLO: fleet.SLO{Limit: tt.limit, Target: 0.99}, Profile: p}
		got := policy.NewSizer().Capacity(m, on(t, p, "tensorrt", tt.gpu, tt.slice), 1)
		if got > tt.measured*1.001 || got < tt.measured*(1-tt.off) {
			t.Errorf("%s on %s/%s carries %.1f requests/s, measured %.1f (%+.1f %%)",
				tt.profile, tt.gpu, tt.slice, got, tt.measured, 100*(got/tt.measured-1))
		}
	}
}

func TestAssumedProfilesKeepTheRatiosOfTheMeasuredOnes(t *testing.T) {
	list := profiles(t)
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got/want-1) > 0.01 {
			t.Errorf("%s is %.4g, want %.4g", what, got, want)
		}
	}
	for _, tt := range []struct {
		profile fleet.PerformanceName
		variant fleet.VariantName
		small   fleet.ProfileName
		seven   float64 // what seven of the smallest slices carry of the whole GPU
	}{
		{"asr-large", "fp16", "1g.10gb", 0.727},
		{"asr-large", "int8", "1g.10gb", 0.727},
		{"mt-large", "fp16", "1g.10gb", 0.825},
		{"mt-large", "int8", "1g.10gb", 0.825},
		{"sum-llm", "fp16", "1g.20gb", 0.825},
	} {
		whole, small := on(t, list[tt.profile], tt.variant, "a100-80gb", "whole"), on(t, list[tt.profile], tt.variant, "a100-80gb", tt.small)
		name := string(tt.profile) + " " + string(tt.variant)
		near(name+": seven small ones over the whole", 7*small.Throughput()/whole.Throughput(), tt.seven)
		near(name+": a lone request on the small one over the whole", small.BatchSeconds(1)/whole.BatchSeconds(1), 74.3/21.6)
	}
	for _, name := range []fleet.PerformanceName{"asr-large", "mt-large"} {
		for _, slice := range []fleet.ProfileName{"1g.10gb", "2g.20gb", "3g.40gb", "4g.40gb", "7g.80gb", "whole"} {
			fp16, int8 := on(t, list[name], "fp16", "a100-80gb", slice), on(t, list[name], "int8", "a100-80gb", slice)
			near(string(name)+" "+string(slice)+": int8 over fp16", int8.Throughput()/fp16.Throughput(), 1.4)
		}
	}
}

func TestAnImageTakesItsRecordedSecondsOnAWholeA100(t *testing.T) {
	file, err := os.Open(filepath.Join(data(t), "alibaba_genai_2026", "requests_per_minute_by_model.csv"))
	if err != nil {
		t.Skipf("the recorded image requests are absent: %v", err)
	}
	defer func() { _ = file.Close() }() // only read from
	trace, err := traffic.ReadTrace("trace", file, traffic.TraceOptions{
		Columns: traffic.Columns{Time: "minute", Model: "model", Requests: "requests", Work: "exec_seconds"},
		Step:    time.Minute, Start: time.Date(2024, 11, 15, 0, 0, 0, 0, time.UTC), Duration: 24 * 24 * time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, p := range profileList(t) {
		id, ok := strings.CutPrefix(string(p.Name), "diffusion-")
		if !ok {
			continue
		}
		found++
		if lone := on(t, p, "fp16", "a100-80gb", "whole").BatchSeconds(1); lone != p.MeanWork {
			t.Errorf("%s: %v exec-seconds take %v s", p.Name, p.MeanWork, lone)
		}
		if mean := trace.MeanWork(fleet.ModelName(strings.ToUpper(id))); math.Abs(mean/p.MeanWork-1) > 0.001 {
			t.Errorf("%s: meanWork is %v, recorded %v", p.Name, p.MeanWork, mean)
		}
	}
	if found != 8 {
		t.Errorf("%d profiles of the recorded models, want 8", found)
	}
}

func TestAScenarioOfRecordedTrafficLeavesTheOtherModelsOut(t *testing.T) {
	s := load(t, "scenarios/genai-models.yaml", data(t))
	if len(s.Settings.Policy.Models) != 8 || len(s.Ignored) != 1 || s.Ignored["other"] == 0 {
		t.Errorf("%d models, ignored %v", len(s.Settings.Policy.Models), s.Ignored)
	}
}

// generators are the entries of generated traffic of a scenario file.
func generators(t *testing.T, name string) []traffic.Generated {
	t.Helper()
	var file struct {
		strictyaml.Envelope `yaml:",inline"`
		Spec                struct {
			Start    time.Time       `yaml:"start"`
			Duration time.Duration   `yaml:"duration"`
			History  time.Duration   `yaml:"history"`
			Policy   strictyaml.Node `yaml:"policy"`
			Catalog  strictyaml.Node `yaml:"catalog"`
			Profiles strictyaml.Node `yaml:"profiles"`
			Traffic  []struct {
				Generate struct {
					Model fleet.ModelName `yaml:"model"`
					Shape string          `yaml:"shape"`
					Zone  string          `yaml:"zone"`
					Zones []struct {
						Zone   string  `yaml:"zone"`
						Weight float64 `yaml:"weight"`
					} `yaml:"zones"`
					Peak float64 `yaml:"peak"`
					Work struct {
						Spread string  `yaml:"spread"`
						CV     float64 `yaml:"cv"`
					} `yaml:"work"`
				} `yaml:"generate"`
			} `yaml:"traffic"`
		} `yaml:"spec"`
	}
	doc := strictyaml.Parse(name, source(t, name).Data)
	if doc.Decode(&file); doc.Err() != nil {
		t.Fatal(doc.Err())
	}
	var out []traffic.Generated
	for _, f := range file.Spec.Traffic {
		g := traffic.Generated{
			Model: f.Generate.Model, Shape: f.Generate.Shape, Zone: f.Generate.Zone, Peak: f.Generate.Peak,
			Work: traffic.WorkSpread{Kind: f.Generate.Work.Spread, CV: f.Generate.Work.CV},
		}
		for _, z := range f.Generate.Zones {
			g.Zones = append(g.Zones, traffic.ZoneWeight{Zone: z.Zone, Weight: z.Weight})
		}
		out = append(out, g)
	}
	return out
}

func TestFiveLanguagesIsSixMillionRequestsWithEnglishTenfold(t *testing.T) {
	const name = "scenarios/five-languages.yaml"
	s := load(t, name, "")
	if s.Start.Weekday() != time.Monday {
		t.Errorf("it starts on a %v", s.Start.Weekday())
	}
	list := generators(t, name)
	if len(list) != len(s.Settings.Policy.Models) {
		t.Fatalf("traffic of %d models, and the policy has %d", len(list), len(s.Settings.Policy.Models))
	}
	total, peaks := 0.0, map[string]float64{}
	for _, g := range list {
		m, _ := s.Settings.Policy.Model(g.Model)
		if m.Profile.WorkCV != g.Work.CV {
			t.Errorf("%s: the work varies by %v and its profile says %v", g.Model, g.Work.CV, m.Profile.WorkCV)
		}
		peaks[string(g.Model)] = g.Peak
		for _, bin := range g.Expected(s.Start, s.Duration, time.Hour, 1) {
			total += bin.Requests
		}
	}
	if total < 5e6 || total > 7e6 {
		t.Errorf("about %.0f requests, want 5 to 7 million", total)
	}
	for _, task := range []string{"transcribe", "translate", "summarize"} {
		for _, language := range []string{"de", "fr", "es", "it"} {
			if english, other := peaks[task+"-en"], peaks[task+"-"+language]; math.Abs(english/other-10) > 1e-9 {
				t.Errorf("%s: English peaks at %v and %s at %v", task, english, language, other)
			}
		}
	}
}

// TestLiveSessionsIsFiveHundredStreamsWithEnglishTenfold holds the comment of the
// scenario against its numbers.
func TestLiveSessionsIsFiveHundredStreamsWithEnglishTenfold(t *testing.T) {
	const name = "scenarios/live-sessions.yaml"
	s := load(t, name, "")
	z, streams, english := policy.NewSizer(), 0.0, 0.0
	for _, g := range generators(t, name) {
		m, ok := s.Settings.Policy.Model(g.Model)
		if !ok || !m.Profile.Sessions() {
			t.Fatalf("%s is no model of sessions", g.Model)
		}
		if g.Work.Kind != traffic.WorkExponential || m.Profile.WorkCV != 1 {
			t.Errorf("%s: durations are %s, and the profile says that they vary by %v", g.Model, g.Work.Kind, m.Profile.WorkCV)
		}
		streams += g.Peak * m.Profile.MeanWork
		if g.Model == "caption-en" {
			english = g.Peak
		} else if math.Abs(english/g.Peak-10) > 1e-9 {
			t.Errorf("English peaks at %v and %s at %v", english, g.Model, g.Peak)
		}
		small := on(t, m.Profile, "fp16", "a100-80gb", "1g.10gb")
		if n := float64(z.Replicas(m, small, g.Peak) * small.RealTime(true)); n < g.Peak*m.Profile.MeanWork {
			t.Errorf("%s needs %v streams for an offered load of %v", g.Model, n, g.Peak*m.Profile.MeanWork)
		}
	}
	if streams < 450 || streams > 550 {
		t.Errorf("%v sessions at once, want about 500", streams)
	}
}

// The streams of asr-live are those of the windows of asr-large, ten seconds each.
func TestStreamsOfCaptionsAreTheWindowsOfTheirModel(t *testing.T) {
	live, windows := profiles(t)["asr-live"], profiles(t)["asr-large"]
	for _, perf := range live.Variants[0].Slices {
		if want := int(10*on(t, windows, "fp16", perf.Kind.GPU, perf.Kind.Profile).Throughput() + 1e-9); perf.Streams != want {
			t.Errorf("%s holds %d streams, its windows %d", perf.Kind, perf.Streams, want)
		}
	}
}

// The sums behind the comment of the scenario: the fractions of an A100 that each
// model needs on the slice that suits it best, before anything is packed.
func TestFiveLanguagesNeedsSixGPUsAtItsPeakAndTwoAtNight(t *testing.T) {
	s := load(t, "scenarios/five-languages.yaml", "")
	z := policy.NewSizer()
	need := func(model fleet.ModelName, rate float64) float64 {
		m, ok := s.Settings.Policy.Model(model)
		if !ok {
			t.Fatalf("no model %s", model)
		}
		spec, _ := fleet.LookupGPU("a100-80gb")
		best := math.Inf(1)
		for _, v := range m.Candidates() {
			for _, perf := range v.Slices {
				row, ok := spec.Profile(perf.Kind.Profile)
				if perf.Kind.GPU != spec.Type || !ok {
					continue
				}
				share := max(float64(row.Compute)/7, float64(row.Memory)/8)
				best = min(best, share*float64(z.Replicas(m, perf, rate)))
			}
		}
		return best
	}
	fleetAt := func(live, summaries float64) float64 {
		return need("transcribe-en", 12*live) + 4*need("transcribe-fr", 1.2*live) +
			need("translate-en", 6*live) + 4*need("translate-fr", 0.6*live) +
			need("summarize-en", 0.4*summaries) + 4*need("summarize-fr", 0.04*summaries)
	}
	// In office hours a meeting-end shape is 0.27 of its busiest minute on average,
	// and live traffic between the bursts 0.6 of it. At night nothing need be kept
	// for summaries.
	for _, tt := range []struct {
		when            string
		live, summaries float64
		least, most     float64
	}{
		{"the busiest minute", 1, 0.27, 5, 8},
		{"between the bursts", 0.6, 0.27, 3, 5},
		{"at night", 0.03, 0, 1, 2},
	} {
		if got := fleetAt(tt.live, tt.summaries); got < tt.least || got > tt.most {
			t.Errorf("%s it needs %.2f A100s, want %v to %v", tt.when, got, tt.least, tt.most)
		}
	}
}
