package peer

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// TestSetupIsRefusedWithItsReason: every mistake is named.
func TestSetupIsRefusedWithItsReason(t *testing.T) {
	settings := settingsOf(one)
	for what, c := range map[string]struct {
		spoil func(*Setup)
		want  string
	}{
		"no Deployment":       {func(s *Setup) { delete(s.Deployments, "en") }, "en has no Deployment"},
		"unknown model":       {func(s *Setup) { s.Deployments["fr"] = s.Deployments["en"] }, "model fr"},
		"unknown pool":        {func(s *Setup) { s.Deployments["en"] = Deployment{Pool: "no"} }, `no pool "no"`},
		"unknown offering":    {func(s *Setup) { s.Pools[0].Offering = "no" }, "no offering no"},
		"impossible geometry": {func(s *Setup) { s.Pools[0].Geometry = fleet.Geometry{{Profile: "9g.90gb"}} }, "no profile"},
		"empty geometry":      {func(s *Setup) { s.Pools[0].Geometry = nil }, "geometry is empty"},
		"a slice it lacks": {func(s *Setup) {
			s.Deployments["en"] = Deployment{Pool: "sevenths", Variant: "fp16", Profile: "3g.40gb"}
		}, "no slice 3g.40gb"},
		"nobody measured": {func(s *Setup) {
			s.Deployments["en"] = Deployment{Pool: "sevenths", Variant: "int8", Profile: "1g.10gb"}
		}, "nobody measured"},
		"minimum over maximum": {func(s *Setup) { d := s.Deployments["en"]; d.Min, d.Max = 3, 2; s.Deployments["en"] = d }, "minimum 3"},
		"NaN":                  {func(s *Setup) { s.Parameters["target"] = math.NaN() }, "finite"},
		"pools of one name":    {func(s *Setup) { s.Pools = append(s.Pools, s.Pools[0]) }, "name of its own"},
		"unknown parameter":    {func(s *Setup) { s.Parameters["targte"] = 1 }, `"targte" is none of hpa`},
		"parameter of nobody":  {func(s *Setup) { s.Parameters["target/fr"] = 1 }, `no model "fr"`},
	} {
		setup := setupOf(1, 10, settings, map[string]float64{})
		c.spoil(&setup)
		if _, err := NewScaler("hpa", settings, setup, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want it to say %q", what, err, c.want)
		}
	}
	settings.Policy.Offerings = nil
	if err := setupOf(1, 10, settings, nil).Validate(settings); err == nil || !strings.Contains(err.Error(), "does not let a100 be bought") {
		t.Errorf("an offering that the policy does not buy: %v", err)
	}
	if _, err := NewScaler("vpa", settings, Setup{}, nil); err == nil || !strings.Contains(err.Error(), "use one of dynamo, hpa") {
		t.Errorf("a peer that there is none: %v", err)
	}
}

// TestSetupReadsBack from JSON as it was: a search keeps what it found.
func TestSetupReadsBack(t *testing.T) {
	want := setupOf(1, 10, settingsOf(one), map[string]float64{"target": 3, "target/en": 0.5})
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Setup
	if err := json.Unmarshal(text, &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s reads back as %+v, %v", text, got, err)
	}
}

// TestParametersCanBeTuned: every peer takes every value worth trying, tells what it
// is, has each name once, and its default needs no mention.
func TestParametersCanBeTuned(t *testing.T) {
	settings := settingsOf(one)
	known := map[fleet.ModelName]Known{"en": {Peak: 10, Mean: 4}}
	if want := []string{"dynamo", "hpa", "keda-lag", "kpa", "static-mean", "static-peak", "wva"}; !slices.Equal(Names(), want) {
		t.Errorf("the peers are %v", Names())
	}
	if Parameters("vpa") != nil {
		t.Error("a peer that there is none has parameters")
	}
	for _, name := range Names() {
		seen := map[string]bool{}
		for _, p := range Parameters(name) {
			if seen[p.Name] || p.Why == "" || len(p.Try) == 0 || !slices.IsSorted(p.Try) {
				t.Errorf("%s: parameter %+v", name, p)
			}
			seen[p.Name] = true
			for _, v := range append([]float64{p.Default}, p.Try...) {
				s, err := NewScaler(name, settings, setupOf(1, 40, settings, map[string]float64{p.Name: v}), known)
				if err != nil {
					t.Fatal(err)
				}
				for _, view := range []View{look(3, 30, 10), blind(3), look(1, 0, 0)} {
					if got := s.Scale(monday, []View{view})[0]; got < Keep {
						t.Errorf("%s with %s = %g answers %d", name, p.Name, v, got)
					}
				}
			}
		}
	}
}

// TestStaticKeepsWhatCarriesItsRate: two a second are what one replica completes.
func TestStaticKeepsWhatCarriesItsRate(t *testing.T) {
	for name, want := range map[string]int{"static-peak": 10, "static-mean": 4} {
		if got := ask(t, scalerOf(t, name, 1, 100, map[string]float64{"headroom": 2}), monday, blind(1)); got != want {
			t.Errorf("%s: %d replicas, want %d", name, got, want)
		}
	}
	settings := settingsOf(one)
	s, err := NewScaler("static-peak", settings, setupOf(1, 10, settings, nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := ask(t, s, monday, blind(3)); got != 3 {
		t.Errorf("told nothing, it asks for %d instead of keeping 3", got)
	}
}

// TestUnknownNeverEmptiesADeployment, whatever its minimum, for half an hour: but for
// KEDA, whose documented default reads it as zero.
func TestUnknownNeverEmptiesADeployment(t *testing.T) {
	for _, name := range Names() {
		s := scalerOf(t, name, 0, 100, nil)
		replicas := ask(t, s, monday, look(5, 40, 10))
		fewest := replicas
		for at := monday; at.Before(monday.Add(30 * 60e9)); at = at.Add(s.Every()) {
			replicas = ask(t, s, at.Add(s.Every()), blind(replicas))
			fewest = min(fewest, replicas)
		}
		if (fewest == 0) != (name == "keda-lag") {
			t.Errorf("%s: half an hour without signals left %d replicas at the least", name, fewest)
		}
	}
}
