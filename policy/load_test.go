package policy_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

func source(t *testing.T, path string) policy.Source {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", path))
	if err != nil {
		t.Fatal(err)
	}
	return policy.Source{Name: filepath.Base(path), Data: data}
}

// golden compares a text with a file.
func golden(t *testing.T, path, got string) {
	t.Helper()
	path = filepath.Join("testdata", path)
	if *rewrite {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// shop is the catalog and the profiles that the tests load policies against.
func shop(t *testing.T) (fleet.Catalog, []fleet.PerformanceProfile) {
	t.Helper()
	catalog, err := policy.LoadCatalog(source(t, "catalog.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	profiles, err := policy.LoadProfiles(source(t, "profiles.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return catalog, profiles
}

func load(t *testing.T, path string) policy.Policy {
	t.Helper()
	catalog, profiles := shop(t)
	p, err := policy.Load(source(t, path), catalog, profiles)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEveryFaultyFileSaysWhatWhereAndHowToMendIt(t *testing.T) {
	catalog, profiles := shop(t)
	files, err := filepath.Glob("testdata/complaints/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no faulty files", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			src := source(t, filepath.Join("complaints", filepath.Base(file)))
			var err error
			switch {
			case strings.Contains(string(src.Data), "kind: Catalog"):
				_, err = policy.LoadCatalog(src)
			case strings.Contains(string(src.Data), "kind: Profiles"):
				_, err = policy.LoadProfiles(src)
			default:
				_, err = policy.Load(src, catalog, profiles)
			}
			if err == nil {
				t.Fatal("no complaint")
			}
			golden(t, filepath.Join("complaints", strings.TrimSuffix(filepath.Base(file), ".yaml")+".txt"), err.Error()+"\n")
		})
	}
}

func TestPolicyIsDescribedWithWhatEachModelCanRunOn(t *testing.T) {
	golden(t, "policy.txt", load(t, "policy.yaml").Describe())
	golden(t, "three-lines.txt", load(t, "three-lines.yaml").Describe())
}

func TestTheInnermostLayerWins(t *testing.T) {
	p := load(t, "policy.yaml")
	usd := func(micros int64) fleet.Money { return fleet.Micros(micros, "USD") }
	type settled struct {
		Min, Max int
		Floor    float64
		Value    fleet.Money
		Quantile float64
	}
	want := map[fleet.ModelName]settled{
		"transcribe-no": {2, 50, 0.9, usd(1250), 0.95}, // from model, defaults, defaults, model, kind
		"transcribe-fr": {1, 50, 0.98, usd(400), 0.95}, // from class, defaults, model, defaults, kind
		"summary-en":    {0, 50, 0, usd(400), 0.7},     // from nowhere, defaults, class, defaults, class
	}
	for name, w := range want {
		m, ok := p.Model(name)
		if !ok {
			t.Fatalf("no model %s", name)
		}
		got := settled{m.MinReplicas, m.MaxReplicas, m.AccuracyFloor, m.Value, p.Quantile(name)}
		if diff := cmp.Diff(w, got, cmp.Comparer(func(a, b fleet.Money) bool { return a == b })); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestThreeLinesAreAPolicy(t *testing.T) {
	p := load(t, "three-lines.yaml")
	m, _ := p.Model("transcribe-fr")
	if m.Class != "live" || m.Kind != fleet.Streaming || m.SLO != (fleet.SLO{Limit: time.Second, Target: 0.99}) {
		t.Errorf("class %s, %s, %v", m.Class, m.Kind, m.SLO)
	}
	want := []fleet.OfferingName{"a2-ultragpu-1g", "c3-standard-22", "g2-standard-4"}
	if diff := cmp.Diff(want, p.Offerings); diff != "" {
		t.Errorf("without a list every on-demand offering may be bought (-want +got):\n%s", diff)
	}
}

func TestPolicySurvivesJSON(t *testing.T) {
	p := load(t, "policy.yaml")
	first, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var back policy.Policy
	if err := json.Unmarshal(first, &back); err != nil {
		t.Fatal(err)
	}
	exact := cmp.Comparer(func(a, b fleet.Money) bool { return a == b })
	if diff := cmp.Diff(p, back, exact); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
	second, err := json.Marshal(back)
	if err != nil || string(first) != string(second) {
		t.Errorf("the second writing differs: %v", err)
	}
}

func FuzzLoadNeverPanics(f *testing.F) {
	for _, pattern := range []string{"testdata/*.yaml", "testdata/complaints/*.yaml"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			if data, err := os.ReadFile(file); err == nil {
				f.Add(data)
			}
		}
	}
	read := func(name string) policy.Source {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		return policy.Source{Name: name, Data: data}
	}
	catalog, err := policy.LoadCatalog(read("catalog.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	profiles, err := policy.LoadProfiles(read("profiles.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		src := policy.Source{Name: "fuzz.yaml", Data: data}
		if p, err := policy.Load(src, catalog, profiles); err == nil {
			for _, m := range p.Models {
				if m.SLO.Limit <= 0 || !(m.SLO.Target > 0 && m.SLO.Target < 1) || m.MinReplicas > m.MaxReplicas {
					t.Errorf("accepted %+v", m)
				}
			}
		}
		if ps, err := policy.LoadProfiles(src); err == nil {
			for _, p := range ps {
				for _, v := range p.Variants {
					for _, perf := range v.Slices {
						if err := perf.Validate(); err != nil {
							t.Errorf("accepted %s: %v", perf.Kind, err)
						}
					}
				}
			}
		}
		if c, err := policy.LoadCatalog(src); err == nil && c.Currency == "" {
			t.Error("accepted prices without a currency")
		}
	})
}
