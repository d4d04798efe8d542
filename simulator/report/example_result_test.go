package report

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/tessera-autoscaler/tessera/control"
	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
	"github.com/tessera-autoscaler/tessera/simulator"
)

// monday is when the examples begin.
var monday = time.Date(2024, 11, 18, 0, 0, 0, 0, time.UTC)

// dollars makes money of a decimal.
func dollars(text string) fleet.Money {
	m, err := fleet.ParseMoney(text, "USD")
	if err != nil {
		panic(err)
	}
	return m
}

// exampleSettings are five languages, one of them large, and one asynchronous model.
func exampleSettings() control.Settings {
	p := policy.Policy{
		Name: "speech", Currency: "USD", Offerings: []fleet.OfferingName{"a2-ultragpu-1g", "n2-standard-16"},
		Budgets: []policy.Budget{
			{Per: policy.Hour, Amount: dollars("90"), OnExceeded: policy.Hold},
			{Per: policy.Month, Amount: dollars("60000"), Group: "meetings", OnExceeded: policy.Alert},
		},
	}
	for _, l := range []fleet.Language{"de", "en", "es", "fr", "it"} {
		p.Models = append(p.Models, fleet.Model{
			Name: fleet.ModelName("transcribe-" + l), Language: l, Group: "live-captions", Class: "live", Kind: fleet.Streaming,
			SLO: fleet.SLO{Limit: 300 * time.Millisecond, Target: 0.995},
		})
	}
	p.Models = append(p.Models, fleet.Model{
		Name: "summary", Group: "meetings", Class: "summary", Kind: fleet.Async, SLO: fleet.SLO{Limit: 15 * time.Minute, Target: 0.99},
	})
	return control.Settings{Policy: p, Catalog: fleet.Catalog{Currency: "USD", Offerings: []fleet.Offering{
		{Name: "a2-ultragpu-1g", GPU: "a100-80gb", GPUs: 1, Purchase: fleet.OnDemand, Price: fleet.PerHour(dollars("5.07")), Region: "us-central1", Source: "list price, 2026-08-03"},
		{Name: "n2-standard-16", GPU: fleet.CPU, GPUs: 1, CPUs: 16, Purchase: fleet.OnDemand, Price: fleet.PerHour(dollars("0.78")), Region: "us-central1", Source: "list price, 2026-08-03"},
	}}}
}

// exampleSummary is a run of so many days with office hours in it.
func exampleSummary(days int) Summary {
	random := rand.New(rand.NewPCG(1, 2))
	s := Summary{
		Start: monday, Duration: time.Duration(days) * day, Settings: exampleSettings(), Version: "v0.1.0",
		Command: "autoscaler simulate configs/scenarios/five-languages.yaml --seed 7 --report report.html",
	}
	r := simulator.Result{
		Scenario: "five-languages", Controller: "tessera", Seed: 7, ByModel: map[string]simulator.ModelResult{}, AttainmentByModel: map[string]float64{},
		TrafficScale: map[string]float64{"alibaba_genai_2026/requests_per_minute_by_model.csv": 100}, IgnoredRows: map[string]int{"M0017": 1204},
		Cost: dollars("11842.317211"), CostByGroup: map[string]float64{"live-captions": 9120.1, "meetings": 2722.217211},
		GPUHours: 2334.7, IdleGPUHours: 402.1, LateWhileStarting: 812, ScaleActions: 5120, Reconfigurations: 14, BudgetsHeld: 3, Events: 48211932,
		Hash: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
	}
	for i, m := range s.Settings.Policy.Models {
		n := int64(1_100_000 / (1 + i*i))
		attained := 0.9991 - 0.0022*float64(i)
		p50, p95, p99 := 0.081, 0.173+0.03*float64(i), 0.262+0.1*float64(i)
		if m.Kind == fleet.Async {
			p50, p95, p99 = 41, 312, 704.5
		}
		r.ByModel[string(m.Name)] = simulator.ModelResult{Requests: n, Served: n - 41, Dropped: 38, Waiting: 3, Attainment: &attained, P50: &p50, P95: &p95, P99: &p99}
		r.AttainmentByModel[string(m.Name)] = attained
		r.Requests, r.Served, r.Dropped, r.Waiting = r.Requests+n, r.Served+n-41, r.Dropped+38, r.Waiting+3
	}
	all := 0.99612
	r.Attainment = &all
	fleetOf := 3
	for at := time.Duration(0); at < s.Duration; at += 15 * time.Minute {
		now := monday.Add(at)
		hour := float64(now.Hour()) + float64(now.Minute())/60
		load := math.Max(0.06, math.Sin((hour-6)/13*math.Pi)+0.25*math.Sin((hour-6)/6.5*math.Pi))
		if now.Weekday() == time.Saturday || now.Weekday() == time.Sunday {
			load *= 0.25
		}
		want := int(math.Ceil(16*load)) + 1
		starting := 0
		switch {
		case want > fleetOf:
			starting = want - fleetOf
			r.Purchases = append(r.Purchases, examplePurchases(now, starting, len(r.Purchases))...)
			fleetOf = want
		case want < fleetOf:
			fleetOf--
		}
		r.Timeline = append(r.Timeline, simulator.Sample{
			At: now, Nodes: fleetOf, GPUs: fleetOf, Starting: starting, Replicas: 4 * fleetOf,
			Rate: fleet.PerHour(dollars("5.07").Times(fleetOf)), Arrivals: 21 * load * (0.9 + 0.2*random.Float64()),
		})
	}
	s.Result = r
	return s
}

// examplePurchases are the nodes of one decision, every third of which is dedicated.
func examplePurchases(at time.Time, n, before int) []simulator.Purchase {
	price := fleet.PerHour(dollars("5.07").Times(n))
	layout := fmt.Sprintf("%d×[transcribe-de 2g.20gb, transcribe-fr 3g.40gb, transcribe-it 2g.20gb]", n)
	reason := fleet.Because(fleet.ReasonMixed, "price", price.Describe(), "layout", layout, "dedicated", price.Add(price).Describe())
	list := []fleet.Candidate{
		{Name: "mixed", Layout: layout, Price: price, Unmet: "nothing", Chosen: true, Verdict: "covers the need at the least price"},
		{Name: "dedicated", Layout: "1×[7g.80gb] transcribe-de; 1×[7g.80gb] transcribe-fr", Price: price.Add(price), Verdict: "costs " + price.Describe() + " more"},
		{Name: "n2-standard-16", Layout: "6×[transcribe-it whole]", Price: fleet.PerHour(dollars("4.68")), Unmet: "transcribe-de 2.1/s", Verdict: "leaves transcribe-de 2.1/s unserved"},
		{Name: "wait", Layout: "nothing new", Price: fleet.PerHour(dollars("0")), Unmet: "transcribe-fr 3.4/s", Verdict: "leaves transcribe-fr 3.4/s unserved by " + at.Add(9*time.Minute).Format("Mon 15:04")},
	}
	if before%3 == 1 {
		layout = fmt.Sprintf("%d×[7g.80gb] transcribe-en", n)
		reason = fleet.Because(fleet.ReasonDedicated, "model", "transcribe-en", "price", price.Describe(), "layout", layout, "mixed", "no other model is short")
		list = []fleet.Candidate{{Name: "dedicated", Layout: layout, Price: price, Chosen: true, Verdict: "covers the need at the least price"}, list[3]}
	}
	var out []simulator.Purchase
	for i := range n {
		p := simulator.Purchase{At: at, Node: fleet.NodeID(fmt.Sprintf("node-%04d", before+i+1)), Reason: reason}
		if i == 0 {
			p.Candidates = list
		}
		out = append(out, p)
	}
	return out
}
