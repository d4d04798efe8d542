package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator"
)

// written is the report of a summary.
func written(t *testing.T, s Summary) string {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, s); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// read is the text that a person would read, without markup.
func read(page string) string {
	body := page[strings.Index(page, "<body>"):]
	return html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(body, " "))
}

func TestReportTellsEveryModelPurchaseAndNumber(t *testing.T) {
	s := exampleSummary(14)
	page := written(t, s)
	text := read(page)
	for _, m := range s.Settings.Policy.Models {
		if !strings.Contains(text, string(m.Name)) {
			t.Errorf("model %s is missing", m.Name)
		}
	}
	if len(s.Result.Purchases) < 50 {
		t.Fatalf("the example buys %d nodes only", len(s.Result.Purchases))
	}
	for _, p := range s.Result.Purchases {
		if !strings.Contains(text, string(p.Node)) {
			t.Errorf("the purchase of %s is missing", p.Node)
		}
		if !strings.Contains(text, p.Reason.String()) {
			t.Errorf("the reason for %s is missing", p.Node)
		}
		for _, c := range p.Candidates {
			if !strings.Contains(text, c.Verdict) {
				t.Errorf("why %s was or was not chosen for %s is missing", c.Name, p.Node)
			}
		}
	}
	for _, want := range []string{
		"five-languages", "controller tessera", "seed 7", "14d", "Mon 18 Nov 2024 00:00 to Mon 2 Dec 2024 00:00",
		"The traffic of alibaba_genai_2026/requests_per_minute_by_model.csv is the recording multiplied by 100.",
		`1,204 rows are left out of the trace: "M0017" is no model of this scenario.`,
		"$11,842.32", "99.61%", "2,335", "17.2% idle", "812", "purchases held back 3 times",
		"live-captions", "77.0%", "missed by 0.47 points", "within", "300ms", "15m", "$90.00 per hour (hold)", s.Result.Hash, s.Command,
	} {
		if !strings.Contains(strings.Join(strings.Fields(text), " "), want) {
			t.Errorf("%q is missing", want)
		}
	}
}

// TestTwoWeeksAreSmallEnoughToAttach holds for the usual run and for one that
// decides at every tick with long layouts.
func TestTwoWeeksAreSmallEnoughToAttach(t *testing.T) {
	busy := exampleSummary(14)
	busy.Result.Purchases = nil
	for i := range 2000 {
		at := monday.Add(time.Duration(i) * 10 * time.Minute)
		p := examplePurchases(at, 1, i)[0]
		p.Candidates[0].Layout = strings.Repeat(p.Candidates[0].Layout+" + ", 8)
		busy.Result.Purchases = append(busy.Result.Purchases, p)
	}
	for name, s := range map[string]Summary{"usual": exampleSummary(14), "busy": busy} {
		page := written(t, s)
		t.Logf("%s: %d kB", name, len(page)/1000)
		if len(page) > 500_000 {
			t.Errorf("%s: %d bytes", name, len(page))
		}
		for _, p := range s.Result.Purchases {
			if !strings.Contains(page, string(p.Node)) {
				t.Fatalf("%s: the purchase of %s is missing", name, p.Node)
			}
		}
	}
	if page := written(t, busy); !strings.Contains(page, "decisions are listed without all that was weighed") {
		t.Error("candidates were left out in silence")
	}
}

func TestHostileNamesStayText(t *testing.T) {
	const hostile = `</style></svg><script>alert("x&y")</script><img src=x onerror='1'>`
	s := exampleSummary(1)
	s.Settings.Policy.Models[0].Name = hostile
	s.Settings.Policy.Models[0].Language = hostile
	s.Settings.Policy.Models[0].Class = hostile
	s.Settings.Policy.Name, s.Command, s.Version = hostile, hostile, hostile
	s.Settings.Catalog.Offerings[0].Source = hostile
	r := &s.Result
	r.Scenario, r.Controller, r.Hash = hostile, hostile, hostile
	r.ByModel[hostile] = r.ByModel["transcribe-de"]
	r.CostByGroup[hostile], r.TrafficScale[hostile], r.IgnoredRows[hostile] = 1, 2, 3
	for i := range r.Purchases {
		r.Purchases[i].Node = hostile
		r.Purchases[i].Reason = fleet.Because(hostile, hostile, hostile)
		r.Purchases[i].Candidates = []fleet.Candidate{{Name: hostile, Layout: hostile, Unmet: hostile, Verdict: hostile, Chosen: true}}
	}
	page := written(t, s)
	if strings.Contains(page, "<script") || strings.Contains(page, "<img") || strings.Count(page, "</style>") != 1 {
		t.Error("a name became markup")
	}
	if got := strings.Count(read(page), hostile); got < 15 {
		t.Errorf("the name is told %d times", got)
	}
	drawings(t, page)
}

// outside matches whatever could make a browser fetch something.
var outside = regexp.MustCompile(`(?i)(https?:)?//[a-z]|<(script|link|img|iframe|object|embed|base|form|use|image)\b|@import|\bsrc=|srcset|\bstyle=|\son[a-z]+=`)

func TestNothingComesFromElsewhere(t *testing.T) {
	page := written(t, exampleSummary(2))
	if got := outside.FindString(page); got != "" {
		t.Errorf("the page has %q", got)
	}
	for _, link := range regexp.MustCompile(`(?:href="|url\()([^")]*)`).FindAllStringSubmatch(page, -1) {
		if !strings.HasPrefix(link[1], "#") {
			t.Errorf("a link leaves the page: %s", link[1])
		}
		if !strings.Contains(page, `id="`+link[1][1:]+`"`) {
			t.Errorf("%s leads nowhere", link[1])
		}
	}
}

// TestSecurityPolicyAllowsTheStyleSheetAlone: a browser drops a style whose hash
// differs by a byte.
func TestSecurityPolicyAllowsTheStyleSheetAlone(t *testing.T) {
	page := written(t, exampleSummary(1))
	_, rest, _ := strings.Cut(page, "<style>")
	style, _, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "';"
	if !strings.Contains(html.UnescapeString(page), want) {
		t.Errorf("the policy is not %s", want)
	}
}

// drawings parses every SVG of a page and says how many there are.
func drawings(t *testing.T, page string) int {
	t.Helper()
	found := regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(page, -1)
	for _, svg := range found {
		if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Errorf("a coordinate is no number in %.200s", svg)
		}
		d := xml.NewDecoder(strings.NewReader(svg))
		for {
			_, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%v in %.300s", err, svg)
			}
		}
	}
	return len(found)
}

func TestDrawingsAreValidXML(t *testing.T) {
	if n := drawings(t, written(t, exampleSummary(3))); n < 10 {
		t.Errorf("only %d drawings", n)
	}
}

// TestSameResultSameBytes has enough entries in every map that an order taken
// from one would show.
func TestSameResultSameBytes(t *testing.T) {
	example := func() Summary {
		s := exampleSummary(3)
		for i := range 20 {
			name := fmt.Sprintf("x%d", i)
			s.Result.ByModel[name], s.Result.CostByGroup[name] = simulator.ModelResult{}, 1
			s.Result.TrafficScale[name], s.Result.IgnoredRows[name] = 2, 3
		}
		return s
	}
	first := written(t, example())
	for range 3 {
		s := example()
		s.Result.WallSeconds = 17 // the only figure that may differ between two runs
		if written(t, s) != first {
			t.Fatal("two reports of one result differ")
		}
	}
}

func TestMissIsNotToldByColourAlone(t *testing.T) {
	s := exampleSummary(1)
	exact := 0.995
	s.Result.ByModel["transcribe-de"] = simulator.ModelResult{Attainment: &exact}
	near := 0.99499999
	s.Result.ByModel["transcribe-en"] = simulator.ModelResult{Attainment: &near}
	s.Result.ByModel["transcribe-es"] = simulator.ModelResult{}
	s.Result.ByModel["transcribe-xx"] = simulator.ModelResult{Requests: 5, Waiting: 5}
	got := map[string]verdict{}
	for _, row := range modelsOf(s).Rows {
		got[row.Name] = row.Verdict
	}
	for name, want := range map[string]verdict{
		"transcribe-de": {"met", "✓", "met"},
		"transcribe-en": {"missed", "✗", "missed by less than 0.01 points"},
		"transcribe-es": {"open", "–", "not judged"},
		"transcribe-xx": {"open", "–", "not judged"},
	} {
		if got[name] != want {
			t.Errorf("%s: %+v, want %+v", name, got[name], want)
		}
	}
}

func TestEmptyRunIsToldAsEmpty(t *testing.T) {
	s := exampleSummary(1)
	s.Result = simulator.Result{Scenario: "nothing"}
	s.Settings.Policy.Budgets = nil
	s.Command = ""
	page := written(t, s)
	drawings(t, page)
	for _, want := range []string{"Nothing to judge", "Nothing was bought", "nothing to draw", "sets no budget", "was not sealed"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing", want)
		}
	}
}

func TestAttentionIsDrawnToWhatSpoilsARun(t *testing.T) {
	s := exampleSummary(1)
	s.Result.Truncated, s.Result.BudgetViolations = true, 2
	text := read(written(t, s))
	for _, want := range []string{"A wall-clock limit stopped the solver", "A hard cap of the budget was broken at 2 ticks."} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing", want)
		}
	}
}

func TestWhatIsNoNumberIsRefused(t *testing.T) {
	above := 1.5
	for name, spoil := range map[string]func(*Summary){
		"the duration":             func(s *Summary) { s.Duration = 0 },
		"gpu_hours":                func(s *Summary) { s.Result.GPUHours = math.NaN() },
		"attainment":               func(s *Summary) { s.Result.Attainment = &above },
		"cost_by_group of meeting": func(s *Summary) { s.Result.CostByGroup["meetings"] = math.Inf(1) },
		"traffic_scale of x":       func(s *Summary) { s.Result.TrafficScale["x"] = -1 },
		"arrivals":                 func(s *Summary) { s.Result.Timeline[3].Arrivals = math.NaN() },
		"timeline[1] is not later": func(s *Summary) { s.Result.Timeline[1].At = monday },
		"outside of the run":       func(s *Summary) { s.Result.Timeline[0].At = monday.Add(-1) },
		"are starting":             func(s *Summary) { s.Result.Timeline[2].Starting = 99 },
		"but the run cost":         func(s *Summary) { s.Result.Timeline[2].Rate = fleet.PerHour(fleet.Micros(1, "EUR")) },
		"the target of summary":    func(s *Summary) { s.Settings.Policy.Models[5].SLO.Target = 99 },
		"attainment of summary":    func(s *Summary) { s.Result.ByModel["summary"] = simulator.ModelResult{Attainment: &above} },
		"a latency of summary": func(s *Summary) {
			bad := -0.1
			s.Result.ByModel["summary"] = simulator.ModelResult{P99: &bad}
		},
	} {
		s := exampleSummary(1)
		spoil(&s)
		var out bytes.Buffer
		err := Write(&out, s)
		if err == nil || !strings.Contains(err.Error(), name) || out.Len() > 0 {
			t.Errorf("%s: error %v after %d bytes", name, err, out.Len())
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, fmt.Errorf("no space left") }

func TestFullDiskIsAnError(t *testing.T) {
	if err := Write(full{}, exampleSummary(1)); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("error %v", err)
	}
}

func TestWhoBoreTheCostAndWhatTheCapsCostIsTold(t *testing.T) {
	s := exampleSummary(1)
	each, points := 0.00412, 1.25
	r := &s.Result
	r.CostByModel = map[string]float64{"transcribe-de": 812.4}
	r.CostByLanguage = map[string]float64{"de": 812.4, "fr": 11029.917211}
	r.UnitCostByModel = map[string]simulator.UnitCost{"transcribe-de": {Unit: "audio-second", UnitsInSLO: 9, PerThousand: &each}, "summary": {Unit: "token"}}
	r.CostOfCaps = []simulator.CapCost{
		{Cap: "$62.00 per hour", Model: "transcribe-de", Points: &points, Spells: []simulator.CapSpell{{From: monday, To: monday.Add(time.Hour)}}},
		{Cap: "$62.00 per hour", Model: "summary"},
	}
	r.WithoutCap = []simulator.WithoutCap{{Cap: "$62.00 per hour", Cost: dollars("12000"), Points: map[string]float64{"transcribe-de": 1.5, "summary": 0}}}
	page := read(written(t, s))
	for _, want := range []string{
		"$812.40", "$0.0041", "audio-second", "Cost by language", "$11,029.92", "cost transcribe-de 1.25 points of attainment on",
		"Models that a cap left short at no cost: 1", "without the cap of $62.00 per hour all costs $12000.00", "transcribe-de 1.50 points more",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the report does not say %q", want)
		}
	}
}
