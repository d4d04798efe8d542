package console

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
)

// exposed is what a scrape gets.
func exposed(t *testing.T, b *Board) string {
	t.Helper()
	return get(t, NewServer("", b), "/metrics").Body.String()
}

func TestMetricsOfTheFixture(t *testing.T) {
	b, reg, _ := board()
	b.Publish(fixture())
	problems, err := testutil.GatherAndLint(reg)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		// The linter wants this label on summaries only. The quantiles of a forecast
		// are not those of observations, so a summary, with its sum and count, would
		// say something untrue; and the name is the one that readers look for. Nor are
		// those of the lead time, which rest on what is configured as well.
		if (p.Metric == "tessera_forecast_requests_per_second" || p.Metric == "tessera_lead_seconds") && strings.Contains(p.Text, `"quantile" label`) {
			continue
		}
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	golden(t, "metrics.txt", exposed(t, b))
}

func TestMetricsBeforeTheFirstTickClaimNothing(t *testing.T) {
	b, _, _ := board()
	text := exposed(t, b)
	for _, name := range []string{"tessera_build_info", "tessera_leader 0"} {
		if !strings.Contains(text, name) {
			t.Errorf("%s is missing", name)
		}
	}
	for _, name := range []string{"tessera_demand", "tessera_cost", "tessera_policy", "tessera_signal"} {
		if strings.Contains(text, name) {
			t.Errorf("%s... is there although nothing was measured", name)
		}
	}
}

func TestUnknownIsAbsentAndNeverZero(t *testing.T) {
	b, _, _ := board()
	b.Publish(fixture())
	text := exposed(t, b)
	for _, name := range []string{"tessera_demand_requests_per_second", "tessera_slo_attainment_ratio"} {
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, name) && strings.Contains(line, "transcribe-no") {
				t.Errorf("unknown has a value: %s", line)
			}
		}
	}
	s := fixture()
	s.Record.Inputs.Snapshot.Nodes[0].Offering = "gone"
	b.Publish(s)
	if text := exposed(t, b); strings.Contains(text, "tessera_cost_dollars_per_hour") || strings.Contains(text, "tessera_budget") {
		t.Error("spending has a value although a price is missing")
	}
}

func TestAModelThatLeftThePolicyLeavesNoMetric(t *testing.T) {
	b, _, _ := board()
	b.Publish(fixture())
	s := fixture()
	s.Settings.Policy.Models = s.Settings.Policy.Models[1:]
	b.Publish(s)
	for line := range strings.Lines(exposed(t, b)) {
		if strings.Contains(line, `model="transcribe-de"`) {
			t.Errorf("stale: %s", line)
		}
	}
}

func TestLabelsOfDecisionsAreClosed(t *testing.T) {
	b, _, _ := board()
	s := fixture()
	s.Mode = "whatever"
	s.Record.Plan.Held = []fleet.Reason{fleet.Because("invented-by-somebody")}
	b.Publish(s)
	text := exposed(t, b)
	if !strings.Contains(text, `tessera_decisions_total{action="hold",mode="shadow",reason="other"} 1`) {
		t.Errorf("an unknown reason is not counted as other:\n%s", text)
	}
}

func TestNamesThatAreNotTextBreakNoScrape(t *testing.T) {
	b, reg, _ := board()
	s := fixture()
	s.Settings.Policy.Models[0].Name = "bad\xff\"name\n"
	b.Publish(s)
	if _, err := reg.Gather(); err != nil {
		t.Error(err)
	}
}

func TestMoneyIsNamedByItsCurrency(t *testing.T) {
	for currency, unit := range map[fleet.Currency]string{"USD": "dollars", "EUR": "euros", "SEK": "sek"} {
		if got := unitOf(currency); got != unit {
			t.Errorf("%s is named %s", currency, got)
		}
	}
}

func TestTheThreePartsOfSpendingAddUp(t *testing.T) {
	s := fixture()
	cost, err := outlayOf(s)
	if err != nil {
		t.Fatal(err)
	}
	if sum := cost.gpu.Add(cost.cpu).Add(cost.idle); sum != cost.whole {
		t.Errorf("parts add up to %s of %s", sum, cost.whole)
	}
	if want := fleet.PerHour(dollars("5.07")); cost.idle != want {
		t.Errorf("idle is %s; the node that starts costs %s", cost.idle, want)
	}
}

// The total of what was spent follows the spend of the months, whatever they do.
func TestSpendingOnlyGrows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m meter
		at := noon
		last, first := int64(0), true
		peak := map[time.Month]int64{} // the twin: highest spend of each month
		base := int64(0)
		for range rapid.IntRange(1, 30).Draw(t, "ticks") {
			at = at.Add(time.Duration(rapid.IntRange(0, 12).Draw(t, "days")) * 24 * time.Hour)
			if at.Year() > 2024 {
				break // months of two years would share a key
			}
			spend := rapid.Int64Range(0, 1e9).Draw(t, "spend")
			m.read(fleet.Snapshot{At: at, Spend: fleet.Spend{Month: fleet.Micros(spend, "USD")}})
			if first {
				base, first = spend, false
			}
			peak[at.Month()] = max(peak[at.Month()], spend)
			want := -base
			for _, p := range peak {
				want += p
			}
			if got := m.total.Micros(); got != want || got < last {
				t.Fatalf("total %d after %d, want %d", got, last, want)
			}
			last = m.total.Micros()
		}
	})
}

func TestTwoBoardsNeedTwoRegistries(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("the second board was registered beside the first")
		}
	}()
	reg := prometheus.NewRegistry()
	NewBoard(reg, Build{})
	NewBoard(reg, Build{})
}

// TestALeadTimeThatNobodySawIsTheConfiguredOne, and says that it rests on nothing.
func TestALeadTimeThatNobodySawIsTheConfiguredOne(t *testing.T) {
	b, _, _ := board()
	s := fixture()
	s.Record.Inputs.Memory.Learnt = control.Learnt{}
	b.Publish(s)
	text := exposed(t, b)
	for _, line := range []string{
		`tessera_lead_seconds{offering="a2-ultragpu-1g",quantile="0.95"} 600`, `tessera_lead_observations{offering="a2-ultragpu-1g"} 0`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("%s is missing", line)
		}
	}
	if strings.Contains(text, "tessera_service_time_ratio") {
		t.Error("a service time that nobody measured has a ratio")
	}
}
