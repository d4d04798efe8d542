package forecast

import (
	"cmp"
	"flag"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	tables = flag.Bool("tables", false, "score the recorded service series and print the tables")
	only   = flag.String("series", "tune", "which series -tables scores: tune, aside, all, or names separated by commas")
	ablate = flag.Bool("ablate", false, "print what each part is worth on the series")
	far    = flag.Bool("far", false, "with -tables: score leads of one hour to a day as well")
)

// recording is one service series as its publisher gives it.
type recording struct {
	name  string
	step  time.Duration
	aside bool // kept for the final check: nothing was tuned on it
	gate  bool // one of the rows that the tables' means are taken over
	read  func(testing.TB) []Observation
}

// recordings lists the series that were chosen before any of them was looked at.
func recordings() []recording {
	var all []recording
	add := func(name string, step time.Duration, aside, gate bool, read func(testing.TB) []Observation) {
		all = append(all, recording{name, step, aside, gate, read})
	}
	for i := range 8 {
		n := strconv.Itoa(i)
		add("crane"+n, time.Minute, i == 1 || i == 4 || i == 6, true, func(tb testing.TB) []Observation { return crane(tb, n) })
	}
	add("internet_A", 5*time.Minute, false, true, internet)
	for _, m := range []string{"m-large", "m-mid"} {
		add(m, 10*time.Minute, m == "m-mid", true, func(tb testing.TB) []Observation { return fleetRate(tb, m) })
	}
	for i, m := range []string{"A_dev", "A_prod", "B_dev", "B_prod"} {
		add("o365_"+m, time.Minute, i > 1, i < 2, func(tb testing.TB) []Observation { return o365(tb, i+1) })
	}
	for _, m := range []string{"AAPL", "AMZN", "FB", "CRM", "CVS"} {
		aside := m == "CRM" || m == "CVS"
		add("tweets_"+m, 5*time.Minute, aside, !aside, func(tb testing.TB) []Observation { return tweets(tb, m) })
	}
	add("taxi", 30*time.Minute, false, true, taxi)
	add("bank_calls", 5*time.Minute, true, false, bankCalls)
	add("genai_qps", time.Minute, true, false, genaiQPS)
	for _, m := range []string{"M0000", "M0001", "M0002", "M0003"} {
		add("genai_"+m, time.Minute, true, false, func(tb testing.TB) []Observation { return genaiModel(tb, m) })
	}
	return all
}

func o365(tb testing.TB, column int) []Observation {
	tb.Helper()
	return readSeries(tb, "sageserve_o365/prompt_tokens_per_minute.csv.gz", func(line string) (Observation, bool) {
		f := strings.Split(line, ",")
		minute, err := strconv.Atoi(f[0])
		v, err2 := strconv.ParseFloat(f[column], 64)
		return Observation{At: monday.Add(time.Duration(minute) * time.Minute), Value: v, Known: true}, err == nil && err2 == nil
	})
}

func tweets(tb testing.TB, ticker string) []Observation {
	tb.Helper()
	return readSeries(tb, "nab/Twitter_volume_"+ticker+".csv.gz", func(line string) (Observation, bool) {
		at, value, _ := strings.Cut(line, ",")
		t, err := time.Parse("2006-01-02 15:04:05", at)
		v, err2 := strconv.ParseFloat(value, 64)
		return Observation{At: t.Truncate(5 * time.Minute), Value: v, Known: true}, err == nil && err2 == nil
	})
}

// bankCalls puts the 164 opening days on the week days from 3 March 2003 on;
// holidays move them, which the publisher does not mark.
func bankCalls(tb testing.TB) []Observation {
	tb.Helper()
	return readSeries(tb, "bank_calls/calls_5min.csv.gz", func(line string) (Observation, bool) {
		f := strings.Split(line, ",")
		day, err := strconv.Atoi(f[0])
		if err != nil {
			return Observation{}, false
		}
		slot, _ := strconv.Atoi(f[1])
		v, err := strconv.ParseFloat(f[2], 64)
		at := time.Date(2003, 3, 3+day/5*7+day%5, 7, 5*slot, 0, 0, time.UTC)
		return Observation{At: at, Value: v, Known: true}, err == nil
	})
}

func genaiQPS(tb testing.TB) []Observation {
	tb.Helper()
	sum := map[int64]float64{}
	for _, o := range readSeries(tb, "alibaba_genai_2026/qps_per_minute.csv", func(line string) (Observation, bool) {
		f := strings.Split(line, ",")
		if len(f) != 3 || f[1] != "API Requests" {
			return Observation{}, false
		}
		sec, err := strconv.ParseInt(f[0], 10, 64)
		v, err2 := strconv.ParseFloat(f[2], 64)
		return Observation{At: time.Unix(sec, 0), Value: v, Known: true}, err == nil && err2 == nil
	}) {
		sum[o.At.Unix()] += o.Value
	}
	var series []Observation
	for at, v := range sum {
		series = append(series, Observation{At: time.Unix(at, 0), Value: v, Known: true})
	}
	slices.SortFunc(series, func(a, b Observation) int { return a.At.Compare(b.At) })
	return series
}

// genaiModel is requests a minute; a minute without a row had none.
func genaiModel(tb testing.TB, model string) []Observation {
	tb.Helper()
	sparse := readSeries(tb, "alibaba_genai_2026/requests_per_minute_by_model.csv", func(line string) (Observation, bool) {
		f := strings.Split(line, ",")
		if len(f) != 4 || f[1] != model {
			return Observation{}, false
		}
		t, err := time.Parse("2006-01-02T15:04", f[0])
		v, err2 := strconv.ParseFloat(f[2], 64)
		return Observation{At: t, Value: v, Known: true}, err == nil && err2 == nil
	})
	var series []Observation
	at := sparse[0].At
	for _, o := range sparse {
		for ; at.Before(o.At); at = at.Add(time.Minute) {
			series = append(series, Observation{At: at, Known: true})
		}
		series = append(series, o)
		at = at.Add(time.Minute)
	}
	return series
}

// onGrid puts a series on an unbroken grid; what is missing is a gap. Of two
// values in one bin the later one counts.
func onGrid(series []Observation, step time.Duration) []Observation {
	start := series[0].At
	bins := make([]Observation, series[len(series)-1].At.Sub(start)/step+1)
	for i := range bins {
		bins[i].At = start.Add(time.Duration(i) * step)
	}
	for _, o := range series {
		bins[o.At.Sub(start)/step] = Observation{At: bins[o.At.Sub(start)/step].At, Value: o.Value, Known: o.Known}
	}
	return bins
}

// tracked is the reference's online quantile tracker around a point forecast in
// log(1+y). It knows the outcomes that are in when it speaks, no others.
type tracked struct {
	offset  float64
	waiting []float64 // points issued, by target modulo length
	errors  []float64
	next    int
	n       int
	sum     float64
}

func newTracked(steps, perDay int) *tracked {
	t := &tracked{waiting: make([]float64, steps), errors: make([]float64, min(60, perDay))}
	for i := range t.waiting {
		t.waiting[i] = math.NaN()
	}
	return t
}

// step takes the newest value (NaN in a gap) and the point forecast made now for
// len(waiting) bins later; it returns the quantile for then.
func (t *tracked) step(bin int, z, point float64) float64 {
	i := bin % len(t.waiting)
	if due := t.waiting[i]; !math.IsNaN(due) && !math.IsNaN(z) {
		r := z - due
		t.sum += math.Abs(r) - t.errors[t.next]
		t.errors[t.next] = math.Abs(r)
		t.next = (t.next + 1) % len(t.errors)
		t.n = min(t.n+1, len(t.errors))
		hit := 0.0
		if r <= t.offset {
			hit = 1
		}
		t.offset += 0.2 * (t.sum/float64(t.n) + 1e-6) * (scoredLevel - hit)
	}
	t.waiting[i] = point
	return math.Expm1(min(40, max(0, point+t.offset)))
}

// result is one row of the tables.
type result struct {
	name                    string
	lead                    time.Duration
	n                       int
	loss, ewma, headed      float64 // 0.9-pinball over the mean
	daily                   float64 // the same of yesterday with a tracker
	cover, ewmaCover, early float64
	wql                     float64 // over all levels
	low                     float64 // coverage of the 0.1 quantile
	factor                  float64
	aside, gate             bool
}

func (r *result) ratio() float64 { return r.loss / r.ewma }
func (r *result) head() float64  { return r.loss / r.headed }

// score runs one forecaster over one series for several leads, at its own step.
func score(c recording, bins []Observation, f Forecaster, leads []time.Duration) []result {
	perDay := int(24 * time.Hour / c.step)
	first := max(len(bins)/2, 2*perDay)
	if first >= len(bins) {
		first = len(bins) / 2
	}
	alpha := min(1, c.step.Minutes()/8)
	level, last := math.NaN(), math.NaN()
	type state struct {
		k                       int
		ewma, daily             *tracked
		b, m, d                 []float64 // issued, by target
		r                       result
		early, earlyHit, hit    float64
		ewmaHit, lowHit, actual float64
		grid                    [headroomGrid]float64
	}
	all := make([]*state, len(leads))
	asked := make([]time.Duration, len(leads))
	quantiles := make([][][]float64, len(leads))
	for i, l := range leads {
		k := max(1, int((l+c.step/2)/c.step))
		all[i] = &state{k: k, ewma: newTracked(k, perDay), daily: newTracked(k, perDay)}
		all[i].b, all[i].m, all[i].d = make([]float64, len(bins)+k), make([]float64, len(bins)+k), make([]float64, len(bins)+k)
		asked[i] = time.Duration(k-1) * c.step
		quantiles[i] = make([][]float64, len(bins)+k)
	}
	for i, o := range bins {
		z := math.NaN()
		if o.Known {
			z = math.Log1p(o.Value)
			last = o.Value
			if math.IsNaN(level) {
				level = z
			}
			level += alpha * (z - level)
		}
		_ = f.Observe(o)
		var path Path
		for j, s := range all {
			// 1. What falls due.
			if i >= s.k && o.Known {
				if i < first {
					for g, h := range headrooms {
						s.grid[g] += Pinball(scoredLevel, o.Value, h*s.m[i])
					}
				} else if quantiles[j][i] != nil {
					best := 0
					for g := range s.grid {
						if s.grid[g] < s.grid[best] {
							best = g
						}
					}
					q := quantiles[j][i]
					s.r.n++
					s.actual += o.Value
					s.r.loss += Pinball(scoredLevel, o.Value, q[scoredIndex])
					s.r.ewma += Pinball(scoredLevel, o.Value, s.b[i])
					s.r.headed += Pinball(scoredLevel, o.Value, headrooms[best]*s.m[i])
					s.r.daily += Pinball(scoredLevel, o.Value, s.d[i])
					s.r.factor = headrooms[best]
					for l, level := range levels {
						s.r.wql += 2 * Pinball(level, o.Value, q[l]) / levelCount
					}
					count(&s.hit, o.Value <= q[scoredIndex])
					count(&s.ewmaHit, o.Value <= s.b[i])
					count(&s.lowHit, o.Value <= q[2])
					if o.At.Minute() < 10 && c.step <= 10*time.Minute {
						s.early++
						count(&s.earlyHit, o.Value <= q[scoredIndex])
					}
				}
			}
			// 2. What is issued now.
			if i < perDay || math.IsNaN(last) {
				continue
			}
			s.b[i+s.k] = s.ewma.step(i, z, level)
			s.m[i+s.k] = last
			yesterday := z
			for b := i + s.k - perDay; b >= 0; b -= perDay {
				if b <= i && bins[b].Known {
					yesterday = math.Log1p(bins[b].Value)
					break
				}
			}
			s.d[i+s.k] = s.daily.step(i, z, yesterday)
			if i+s.k >= first && i+s.k < len(bins) && bins[i+s.k].Known {
				if path.Points == nil {
					path = f.Forecast(o.At.Add(c.step), asked)
				}
				quantiles[j][i+s.k] = pointAt(path, asked[j]).Quantiles
			}
		}
	}
	var out []result
	for j, s := range all {
		n := float64(s.r.n)
		r := s.r
		r.name, r.lead, r.aside, r.gate = c.name, leads[j], c.aside, c.gate
		r.loss, r.ewma, r.headed, r.daily = r.loss/s.actual, r.ewma/s.actual, r.headed/s.actual, r.daily/s.actual
		r.wql /= s.actual
		r.cover, r.ewmaCover, r.low = s.hit/n, s.ewmaHit/n, s.lowHit/n
		r.early = s.earlyHit / s.early
		out = append(out, r)
	}
	return out
}

func count(to *float64, hit bool) {
	if hit {
		*to++
	}
}

// scoreAll runs a fresh forecaster over every chosen series, on all cores.
func scoreAll(tb testing.TB, chosen []recording, leads []time.Duration, make1 func(time.Duration) Forecaster) []result {
	tb.Helper()
	out := make([][]result, len(chosen))
	data := make([][]Observation, len(chosen))
	for i, c := range chosen {
		data[i] = onGrid(c.read(tb), c.step)
	}
	var wg sync.WaitGroup
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				c := chosen[i]
				var own []time.Duration
				for _, l := range leads {
					if l >= c.step {
						own = append(own, l)
					}
				}
				out[i] = score(c, data[i], make1(c.step), own)
			}
		})
	}
	for i := range chosen {
		next <- i
	}
	close(next)
	wg.Wait()
	return slices.Concat(out...)
}

func choose(which string) []recording {
	return slices.DeleteFunc(recordings(), func(c recording) bool {
		switch which {
		case "tune":
			return c.aside
		case "aside":
			return !c.aside
		case "gate":
			return !c.gate
		case "all":
			return false
		}
		return !slices.Contains(strings.Split(which, ","), c.name)
	})
}

// summary is the geometric mean of the ratios at one lead.
func geometric(rows []result, of func(*result) float64) float64 {
	sum, n := 0.0, 0.0
	for i := range rows {
		if v := of(&rows[i]); !math.IsNaN(v) && v > 0 {
			sum, n = sum+math.Log(v), n+1
		}
	}
	return math.Exp(sum / n)
}

func printTable(tb testing.TB, rows []result) {
	tb.Helper()
	slices.SortStableFunc(rows, func(a, b result) int { return cmp.Compare(a.lead, b.lead) })
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].lead == rows[0].lead {
			n++
		}
		block := rows[:n]
		rows = rows[n:]
		fmt.Printf("\nlead %v\n\n| series | n | loss | EWMA+tracker | last x headroom | ratio | ratio | vs yesterday+tracker | cover .9 | first 10 min | cover .1 | WQL |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n", block[0].lead)
		wins := 0
		for _, r := range block {
			mark := ""
			if r.aside {
				mark = " *"
			}
			if r.loss < r.headed {
				wins++
			}
			flag := func(bad bool) string {
				if bad {
					return "!"
				}
				return ""
			}
			fmt.Printf("| %s%s | %d | %.4f | %.4f | %.4f (%.2f) | %.3f%s | %.3f%s | %.3f | %.3f%s | %.3f%s | %.3f | %.4f |\n", r.name, mark, r.n, r.loss, r.ewma,
				r.headed, r.factor, r.ratio(), flag(r.ratio() > 1.02), r.head(), flag(r.head() > 1), r.loss/r.daily, r.cover, flag(r.cover < 0.88 || r.cover > 0.92), r.early, flag(r.early < 0.85), r.low, r.wql)
		}
		fmt.Printf("| geometric mean | | | | | %.4f | %.4f | %.3f | ahead on %d of %d | | | %.5f |\n", geometric(block, (*result).ratio), geometric(block, (*result).head),
			geometric(block, func(r *result) float64 { return r.loss / r.daily }), wins, n, geometric(block, func(r *result) float64 { return r.wql }))
	}
}

func TestTables(t *testing.T) {
	if !*tables {
		t.Skip("the tables are printed on demand: go test ./forecast -run TestTables -tables")
	}
	leads := []time.Duration{10 * time.Minute, 30 * time.Minute}
	if *far {
		leads = append(leads, time.Minute, time.Hour, 4*time.Hour, 24*time.Hour)
	}
	start := time.Now()
	printTable(t, scoreAll(t, choose(*only), leads, func(step time.Duration) Forecaster { return NewSeasonal(step, Unit(0)) }))
	fmt.Println("took", time.Since(start))
}

// TestAblation prints what the tables lose when one part is left out.
func TestAblation(t *testing.T) {
	if !*ablate {
		t.Skip("the ablation is printed on demand: go test ./forecast -run TestAblation -v -ablate")
	}
	leads := []time.Duration{10 * time.Minute, 30 * time.Minute}
	parts := []struct {
		name    string
		without ablation
	}{
		{"nothing left out", ablation{}},
		{"season regression", ablation{share: -1}},
		{"level regression", ablation{share: 1}},
		{"newest bin against the last minutes", ablation{level: 1 << 1, season: 1 << 1}},
		{"recent error at the lead", ablation{level: 1 << 5, season: 1 << 14}},
		{"level instead of profile", ablation{season: 1<<6 | 1<<7}},
		{"minute of the day", ablation{season: 1 << 8}},
		{"all days beside the kind of day", ablation{season: 1 << 9}},
		{"yesterday", ablation{season: 1<<10 | 1<<11}},
		{"a week ago", ablation{season: 1<<12 | 1<<13}},
		{"minute of the hour", ablation{pulse: true}},
		{"spread: all inputs", ablation{spread: 0xfe}},
		{"spread: late errors", ablation{spread: 1 << 1}},
		{"spread: half hour of the day", ablation{spread: 1 << 2}},
		{"spread: swing", ablation{spread: 1 << 3}},
		{"spread: height", ablation{spread: 1 << 4}},
		{"spread: trend and distance", ablation{spread: 1<<5 | 1<<6}},
		{"tilt", ablation{tilt: true}},
		{"coverage integrator", ablation{shift: true}},
		{"rival: last value times a factor", ablation{rivals: 1 << 1}},
		{"rival: tracker", ablation{rivals: 1 << 2}},
		{"all rivals", ablation{rivals: 3 << 1}},
	}
	fmt.Printf("| left out | 10 min ratio | WQL | 30 min ratio | WQL | worst ratio | coverage outside .88-.92 |\n|---|---|---|---|---|---|---|\n")
	for _, p := range parts {
		rows := scoreAll(t, choose(*only), leads, func(step time.Duration) Forecaster {
			f := NewSeasonal(step, Unit(0))
			f.without = p.without
			return f
		})
		fmt.Printf("| %s |", p.name)
		worst, outside := 0.0, 0
		for _, lead := range leads {
			block := slices.DeleteFunc(slices.Clone(rows), func(r result) bool { return r.lead != lead })
			fmt.Printf(" %.4f | %.5f |", geometric(block, (*result).ratio), geometric(block, func(r *result) float64 { return r.wql }))
			for _, r := range block {
				worst = max(worst, r.ratio(), r.head())
				if r.cover < 0.88 || r.cover > 0.92 {
					outside++
				}
			}
		}
		fmt.Printf(" %.3f | %d |\n", worst, outside)
	}
}
