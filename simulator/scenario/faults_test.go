package scenario

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator"
)

func TestFaultsAreTakenOver(t *testing.T) {
	s := mustLoad(t, at(head+generated+`  faults:
  - {at: 1h, for: 10m, kind: metrics-missing}
  - {at: 90m, for: 3h, kind: stock-out, offering: g2-standard-4}
  - {at: 5m, for: 10m, kind: metrics-delayed, by: 90s, model: transcribe-fr}
  - {at: 5m, for: 10m, kind: metrics-lying, factor: 0}
  - {at: 6m, for: 10m, kind: gpu-stuck, count: 2, model: transcribe-en}
  - {at: 7m, kind: node-death, count: 3, offering: a2-ultragpu-1g}
`).loader())
	want := []simulator.Fault{
		{At: time.Hour, For: 10 * time.Minute, Kind: simulator.MetricsMissing},
		{At: 90 * time.Minute, For: 3 * time.Hour, Kind: simulator.StockOut, Offering: "g2-standard-4"},
		{At: 5 * time.Minute, For: 10 * time.Minute, Kind: simulator.MetricsDelayed, By: 90 * time.Second, Model: "transcribe-fr"},
		{At: 5 * time.Minute, For: 10 * time.Minute, Kind: simulator.MetricsLying},
		{At: 6 * time.Minute, For: 10 * time.Minute, Kind: simulator.GPUStuck, Count: 2, Model: "transcribe-en"},
		{At: 7 * time.Minute, Kind: simulator.NodeDeath, Count: 3, Offering: "a2-ultragpu-1g"},
	}
	if diff := cmp.Diff(want, s.Faults); diff != "" {
		t.Error(diff)
	}
	if _, err := s.World(1); err != nil {
		t.Error(err)
	}
	for _, says := range []string{
		"fault: metrics-missing at 1h for 10m", "fault: metrics-lying at 5m for 10m, times 0",
		"fault: node-death at 7m, 3 of them, of offering a2-ultragpu-1g",
	} {
		if !slices.Contains(s.Notes, says) {
			t.Errorf("no note says %q: %q", says, s.Notes)
		}
	}
}

func TestFaultsThatMakeNoSense(t *testing.T) {
	for fault, says := range map[string]string{
		"{at: 2h, for: 10m, kind: stock-out}":                                   "after the end of the scenario",
		"{at: 1h, for: 10m, kind: metrics-missing, offering: g2}":               "has no effect on metrics-missing",
		"{at: 1h, for: 10m, kind: stock-out, offering: g2-standart-4}":          `did you mean "g2-standard-4"?`,
		"{at: 1h, for: 10m, kind: stockout}":                                    `did you mean "stock-out"?`,
		"{at: 1h, kind: stock-out}":                                             "required key is missing",
		"{at: 1h, for: 10m, kind: stock-out, offerings: [g2-standard-4]}":       `did you mean "offering"?`,
		"{at: -1h, for: 10m, kind: stock-out}":                                  "spec.faults[0].at",
		"{at: 1h, for: -10m, kind: stock-out}":                                  "spec.faults[0].for",
		"{at: 1h, for: 10, kind: stock-out}":                                    `did you mean "10s"?`,
		"{at: 1h, for: 10m, kind: node-death}":                                  "spec.faults[0].for: has no effect on node-death",
		"{at: 1h, for: 10m, kind: metrics-delayed}":                             "spec.faults[0].by: required key is missing",
		"{at: 1h, for: 10m, kind: metrics-delayed, by: 7h}":                     "spec.faults[0].by",
		"{at: 1h, for: 10m, kind: metrics-lying}":                               "spec.faults[0].factor: required key is missing",
		"{at: 1h, for: 10m, kind: metrics-lying, factor: -1}":                   "spec.faults[0].factor",
		"{at: 1h, for: 10m, kind: metrics-lying, factor: .nan}":                 "spec.faults[0].factor",
		"{at: 1h, for: 10m, kind: slow-start, factor: 0.5}":                     "makes starts no slower",
		"{at: 1h, for: 10m, kind: metrics-nan, model: transcribe-rf}":           `did you mean "transcribe-fr"?`,
		"{at: 1h, kind: server-crash, count: 0}":                                "spec.faults[0].count",
		"{at: 1h, for: 10m, kind: metrics-frozen, count: 2, model: transcribe}": "has no effect on metrics-frozen",
	} {
		t.Run(fault, func(t *testing.T) {
			refused(t, at(head+generated+"  faults: ["+fault+"]\n").loader(), "conf/scenarios/test.yaml:13:", says)
		})
	}
}

// Every kind of fault that a world knows can be written, and no other.
func TestEveryKindOfFaultCanBeWritten(t *testing.T) {
	field, _ := reflect.TypeFor[fault]().FieldByName("Kind")
	_, among, _ := strings.Cut(field.Tag.Get("yaml"), "oneof=")
	var want []string
	for _, k := range simulator.FaultKinds() {
		want = append(want, string(k))
	}
	if diff := cmp.Diff(want, strings.Split(among, "|")); diff != "" {
		t.Error(diff)
	}
}

func TestSignalsAreTakenOver(t *testing.T) {
	s := mustLoad(t, at(head+generated+"  signals: {delay: 30s, window: 2m}\n").loader())
	if want := (simulator.Scraping{Every: 15 * time.Second, Window: 2 * time.Minute, Delay: 30 * time.Second}); s.Signals != want {
		t.Errorf("signals are seen as %+v", s.Signals)
	}
	if s := mustLoad(t, at(head+generated).loader()); s.Signals != (simulator.Scraping{}) || len(s.Notes) != 0 {
		t.Errorf("where nothing is said of them, signals are seen as %+v, with %q", s.Signals, s.Notes)
	}
	refused(t, at(head+generated+"  signals: {scrape: 40s, window: 1m}\n").loader(), "conf/scenarios/test.yaml:13:", "spec.signals.window", "use 40s")
	refused(t, at(head+generated+"  signals: {scrap: 15s}\n").loader(), `did you mean "scrape"?`)
	refused(t, at(head+generated+"  signals: {delay: 2h}\n").loader(), "spec.signals.delay")
}

// What is reserved is paid by the price of the scenario; the catalog says that to buy
// one costs nothing more, and offers as many as there are.
func TestReservedNodesAreTakenOver(t *testing.T) {
	load := func(catalog, reserved string) Loader {
		d := at(head + generated + "  reserved: [" + reserved + "]\n")
		d.files["conf/shop/catalog.yaml"] += "  - {name: mine, gpu: a100-80gb, " + catalog + "}\n"
		return d.loader()
	}
	const free = `purchase: reserved, pricePerHour: "0", limit: 8`
	s := mustLoad(t, load(free, `{offering: mine, nodes: 2, pricePerHour: "3.5"}`))
	if len(s.Reserved) != 1 || s.Reserved[0].Nodes != 2 || s.Reserved[0].Price.String() != "3.50 USD/h" {
		t.Errorf("reserved are %+v", s.Reserved)
	}
	if o, _ := s.Settings.Catalog.Offering("mine"); o.Limit != 2 || o.Purchase != fleet.Reserved {
		t.Errorf("the catalog offers %+v", o)
	}
	w, err := s.World(1)
	if err != nil {
		t.Fatal(err)
	}
	if r := arrived(t, w, s.Start.Add(time.Hour)); *r.CostUSD != 7 || r.GPUHours != 2 || r.IdleGPUHours != 2 {
		t.Errorf("an hour of two costs %v for %v GPU-hours", *r.CostUSD, r.GPUHours)
	}
	for reserved, says := range map[string]string{
		`{offering: minne, nodes: 2, pricePerHour: "3.5"}`:                                             `did you mean "mine"?`,
		`{offering: mine, nodes: 0, pricePerHour: "3.5"}`:                                              "spec.reserved[0].nodes",
		`{offering: mine, nodes: 2}`:                                                                   "required key is missing",
		`{offering: mine, nodes: 2, pricePerHour: "-1"}`:                                               "a price is not negative",
		`{offering: g2-standard-4, nodes: 2, pricePerHour: "1"}`:                                       "give it purchase: reserved",
		`{offering: mine, nodes: 2, pricePerHour: "1"}, {offering: mine, nodes: 1, pricePerHour: "1"}`: "reserved already",
		`{offering: mine, nodes: 2, pricePerHour: "1", node: 1}`:                                       `unknown key "node"`,
		`{offering: mine, nodes: 2, pricePerHour: "1"}, {offering: dear, nodes: 1, pricePerHour: "1"}`: "the catalog has no offering",
		`{offering: mine, nodes: 2, pricePerHour: 1}`:                                                  "quote it",
	} {
		refused(t, load(free, reserved), "conf/scenarios/test.yaml:13:", says)
	}
	refused(t, load(`purchase: reserved, pricePerHour: "2"`, `{offering: mine, nodes: 2, pricePerHour: "1"}`), "which is paid already")
}
