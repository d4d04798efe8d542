package traffic

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/internal/recorded"
)

var traceStart = time.Date(2024, time.November, 18, 9, 0, 0, 0, time.UTC)

// minutes are the options of most tests: bins of a minute, an hour of window, an
// hour of history.
func minutes() TraceOptions {
	return TraceOptions{Step: time.Minute, Start: traceStart, Duration: time.Hour, History: time.Hour}
}

func mustRead(t testing.TB, text string, opt TraceOptions) *Trace {
	t.Helper()
	trace, err := ReadTrace("t.csv", strings.NewReader(text), opt)
	if err != nil {
		t.Fatal(err)
	}
	return trace
}

const sample = `time,model,requests,work
2024-11-18T08:58,a,4,8.0
2024-11-18T08:59,b,2,6.0
2024-11-18T09:00,a,3,3.0
2024-11-18T09:00,b,1,3.0
2024-11-18T09:00,c,9,9.0
2024-11-18T09:05,a,1,5.0
2024-11-18T11:00,c,1,1.0
`

func TestBinsBecomeRequests(t *testing.T) {
	opt := minutes()
	opt.Models = map[string]fleet.ModelName{"a": "sd-a", "b": "sd-b"}
	opt.Scale = 10
	trace := mustRead(t, sample, opt)
	if diff := cmp.Diff([]fleet.ModelName{"sd-a", "sd-b"}, trace.Models()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]int{"c": 2}, trace.Ignored()); diff != "" {
		t.Error(diff)
	}
	if recorded, yielded := trace.Requests("sd-a"); recorded != 4 || yielded != 40 {
		t.Errorf("sd-a: %d recorded, %d yielded", recorded, yielded)
	}
	got := drain(t, trace.Source("sd-a", 1), time.Hour)
	if len(got) != 40 {
		t.Fatalf("%d requests", len(got))
	}
	// The average request of a is (8+3+5)/(4+3+1) = 2; the row of 9:00 has 1 each,
	// that of 9:05 has 5.
	for i, r := range got {
		from, work := time.Duration(0), 0.5
		if i >= 30 {
			from, work = 5*time.Minute, 2.5
		}
		if r.At < from || r.At >= from+time.Minute || r.Work != work {
			t.Errorf("request %d: %+v, expected work %v in the minute from %v", i, r, work, from)
		}
	}
	if trace.MeanWork("sd-a") != 2 || trace.MeanWork("sd-b") != 3 {
		t.Errorf("mean work %v and %v", trace.MeanWork("sd-a"), trace.MeanWork("sd-b"))
	}
	// The recording begins at 8:58, so there are two minutes of history, not sixty.
	if diff := cmp.Diff([]Bin{{-2 * time.Minute, 40}, {-time.Minute, 0}}, trace.History("sd-a", time.Minute)); diff != "" {
		t.Error(diff)
	}
	if bins := trace.Expected("sd-a", 10*time.Minute); len(bins) != 6 || bins[0].Requests != 40 || total(bins) != 40 {
		t.Errorf("window %v", bins)
	}
	if n := len(drain(t, trace.Source("nobody", 1), time.Hour)); n != 0 || trace.MeanWork("nobody") != 0 {
		t.Errorf("%d requests of a model that the trace does not feed", n)
	}
	if before, after := trace.Uncovered(); before != 0 || after != 0 {
		t.Errorf("uncovered: %v and %v", before, after)
	}
}

func TestMeanWorkThatIsGivenCounts(t *testing.T) {
	opt := minutes()
	opt.MeanWork = map[fleet.ModelName]float64{"a": 4}
	trace := mustRead(t, sample, opt)
	if r := drain(t, trace.Source("a", 1), time.Hour)[0]; r.Work != 0.25 {
		t.Errorf("work %v of a request of 1 where the average is 4", r.Work)
	}
	if trace.MeanWork("b") != 3 {
		t.Errorf("b has mean work %v", trace.MeanWork("b"))
	}
	without := mustRead(t, "time,model,requests\n2024-11-18T09:00,a,3\n", minutes())
	if r := drain(t, without.Source("a", 1), time.Hour)[0]; r.Work != 1 || without.MeanWork("a") != 0 {
		t.Errorf("work %v where the trace has none", r.Work)
	}
}

func TestRowsBecomeRequests(t *testing.T) {
	const rows = `TIMESTAMP,Tokens
2024-11-18 09:00:01.5000000,10
2024-11-18 09:00:02.2500000,30
2024-11-18 09:00:02.2500000,20
2024-11-18 09:10:00.0000000,20
`
	opt := TraceOptions{
		Columns: Columns{Time: "TIMESTAMP", Work: "Tokens"}, Models: map[string]fleet.ModelName{AnyModel: "chat"},
		Start: traceStart, Duration: time.Hour,
	}
	want := []Request{
		{1500 * time.Millisecond, 0.5},
		{2250 * time.Millisecond, 1.5},
		{2250 * time.Millisecond, 1},
		{10 * time.Minute, 1},
	}
	if diff := cmp.Diff(want, drain(t, mustRead(t, rows, opt).Source("chat", 1), time.Hour)); diff != "" {
		t.Error(diff)
	}
	// A scale above one keeps every row at its time and lets copies follow it.
	opt.Scale = 3
	got := drain(t, mustRead(t, rows, opt).Source("chat", 1), time.Hour)
	if len(got) != 12 {
		t.Fatalf("%d requests of 4 rows at scale 3", len(got))
	}
	if got[0] != want[0] || got[1].At >= want[1].At || got[3] != want[1] || got[4] != want[2] || got[9] != want[3] {
		t.Errorf("rows have moved: %v", got)
	}
	if got[8].At > want[2].At+copySpread || got[11].At > want[3].At+copySpread {
		t.Errorf("copies come late: %v", got)
	}
	work := 0.0
	for _, r := range got {
		work += r.Work
	}
	if work != 12 {
		t.Errorf("work adds up to %v", work)
	}
	opt.Scale = 0.5
	if n := len(drain(t, mustRead(t, rows, opt).Source("chat", 1), time.Hour)); n != 2 {
		t.Errorf("%d requests of 4 rows at scale 0.5", n)
	}
}

// A bin that begins inside the window belongs to it whole, and its requests come
// before the end.
func TestLastBinIsNotCutInHalf(t *testing.T) {
	opt := minutes()
	opt.Duration = 90 * time.Second
	trace := mustRead(t, "time,model,requests\n2024-11-18T09:00,a,5\n2024-11-18T09:01,a,10\n", opt)
	if n := len(drain(t, trace.Source("a", 1), opt.Duration)); n != 15 {
		t.Errorf("%d requests of 15", n)
	}
	if diff := cmp.Diff([]Bin{{0, 2.5}, {30 * time.Second, 2.5}, {time.Minute, 10}}, trace.Expected("a", 30*time.Second)); diff != "" {
		t.Error(diff)
	}
}

func TestAllFormsOfTimeMeanTheSame(t *testing.T) {
	for name, text := range map[string]string{
		"RFC 3339":             "2024-11-18T09:01:00Z",
		"RFC 3339, other zone": "2024-11-18T10:01:00+01:00",
		"minutes":              "2024-11-18T09:01",
		"seconds":              "2024-11-18T09:01:00",
		"blank":                "2024-11-18 09:01:00",
		"blank, minutes":       "2024-11-18 09:01",
		"blank and zone":       "2024-11-18 09:01:00+00:00",
		"fractions":            "2024-11-18 09:01:00.0000000",
		"unix":                 "1731920460",
		"quoted":               `"2024-11-18T09:01"`,
	} {
		trace := mustRead(t, "time,model\r\n"+text+",a\r\n\r\n", TraceOptions{Start: traceStart, Duration: time.Hour})
		if got := drain(t, trace.Source("a", 1), time.Hour); len(got) != 1 || got[0].At != time.Minute {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestQuotesAndCountsAsPeopleWriteThem(t *testing.T) {
	const text = "\xef\xbb\xbf\"time\", \"model\" ,\"requests\"\n2024-11-18T09:00,\"say \"\"hi\"\", please\",3.0\n2024-11-18T09:01, plain ,1e2\n"
	trace := mustRead(t, text, minutes())
	if diff := cmp.Diff([]fleet.ModelName{"plain", `say "hi", please`}, trace.Models()); diff != "" {
		t.Error(diff)
	}
	if n, _ := trace.Requests("plain"); n != 100 {
		t.Errorf("%d requests of 1e2", n)
	}
}

func TestSeveralNamesBecomeOneModel(t *testing.T) {
	opt := minutes()
	opt.Models = map[string]fleet.ModelName{"a": "sd", "b": "sd", AnyModel: "rest"}
	trace := mustRead(t, sample, opt)
	if n, _ := trace.Requests("sd"); n != 5 || len(trace.series["sd"].streams[0].rows) != 2 {
		t.Errorf("%d requests in %d bins", n, len(trace.series["sd"].streams[0].rows))
	}
	if n, _ := trace.Requests("rest"); n != 9 || len(trace.Ignored()) != 0 {
		t.Errorf("%d requests of the rest, ignored %v", n, trace.Ignored())
	}
}

func TestUncoveredTimeIsTold(t *testing.T) {
	opt := minutes()
	opt.Start = traceStart.Add(-10 * time.Minute) // the rows are from 8:58 on
	opt.Duration = 4 * time.Hour
	trace := mustRead(t, sample, opt)
	if before, after := trace.Uncovered(); before != 8*time.Minute || after != 4*time.Hour-131*time.Minute {
		t.Errorf("uncovered: %v before, %v after", before, after)
	}
	if h := trace.History("a", time.Minute); len(h) != 0 {
		t.Errorf("a history of %d bins that nobody recorded", len(h))
	}
}

func TestGzipIsKnownByItsFirstBytes(t *testing.T) {
	for _, name := range []string{"t.csv.gz", "t.csv"} {
		trace, err := ReadTrace(name, bytes.NewReader(zip(t, sample)), minutes())
		if err != nil {
			t.Fatal(err)
		}
		if n, _ := trace.Requests("c"); n != 9 {
			t.Errorf("%s: %d requests of c", name, n)
		}
	}
}

func zip(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Whatever the counts and the scale: sources yield the scaled total and not one
// request more, every prefix is right to half a request, history and window
// share the rows between them, and the work is that of the rows.
func TestNothingIsLostOrInvented(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		binned := rapid.Bool().Draw(t, "binned")
		scale := rapid.SampledFrom([]float64{0.01, 0.3, 0.5, 1, 1.5, 2, 7.25, 100}).Draw(t, "scale")
		opt := TraceOptions{Start: traceStart, Duration: 30 * time.Minute, History: 20 * time.Minute, Scale: scale}
		text := "time,model,requests,work\n"
		if binned {
			opt.Step = time.Minute
		}
		var past, window int64
		var perMinute [30]int64
		for m := -21; m <= 30; m++ { // the first and the last lie just outside
			rows, n := 1, int64(rapid.IntRange(0, 9).Draw(t, "requests"))
			if !binned {
				rows, n = int(n), 1
			}
			for range rows {
				text += fmt.Sprintf("%s,a,%d,%d\n", traceStart.Add(time.Duration(m)*time.Minute).Format(time.RFC3339), n, 2*n)
				switch {
				case m >= -20 && m < 0:
					past += n
				case m >= 0 && m < 30:
					window += n
					perMinute[m] += n
				}
			}
		}
		// So that the file is never empty.
		text += fmt.Sprintf("%s,z,1,1\n", traceStart.Add(time.Hour).Format(time.RFC3339))
		trace, err := ReadTrace("t.csv", strings.NewReader(text), opt)
		if err != nil {
			t.Fatal(err)
		}
		recorded, yielded := trace.Requests("a")
		var got []Request
		for s := trace.Source("a", rapid.Uint64().Draw(t, "seed")); ; {
			r, ok := s.Next()
			if !ok {
				break
			}
			if len(got) > 0 && r.At < got[len(got)-1].At || r.At < 0 || r.At >= opt.Duration || past+window > 0 && r.Work != 1 {
				t.Fatalf("request %+v after %+v", r, got[max(0, len(got)-1):])
			}
			got = append(got, r)
		}
		if recorded != window || yielded != int64(len(got)) || math.Abs(float64(yielded)-scale*float64(window)) > 0.5 {
			t.Fatalf("%d requests recorded, %d told, %d promised, %d yielded at scale %v", window, recorded, yielded, len(got), scale)
		}
		var seen, have int64
		for m, n := range perMinute {
			seen += n
			for _, r := range got {
				if r.At/time.Minute == time.Duration(m) {
					have++
				}
			}
			if math.Abs(float64(have)-scale*float64(seen)) > 0.5 {
				t.Fatalf("%d requests by minute %d of %d recorded, scale %v", have, m, seen, scale)
			}
		}
		if h := total(trace.History("a", time.Second)); math.Abs(h-scale*float64(past)) > 0.5+1e-6 && trace.first <= -20*time.Minute {
			t.Fatalf("history of %v requests, %d recorded, scale %v", h, past, scale)
		}
		if w := total(trace.Expected("a", 7*time.Minute)); math.Abs(w-float64(yielded)) > 1e-6 {
			t.Fatalf("%v requests charted, %d yielded", w, yielded)
		}
	})
}

// Inside a bin, arrivals are uniform: given their number, a Poisson process.
func TestArrivalsInABinAreUniform(t *testing.T) {
	trace := mustRead(t, "time,model,requests\n2024-11-18T09:00,a,100000\n", minutes())
	got := drain(t, trace.Source("a", 3), time.Hour)
	distance := 0.0
	for i, r := range got {
		distance = max(distance, math.Abs(float64(i+1)/float64(len(got))-r.At.Minutes()))
	}
	if limit := 1.95 / math.Sqrt(float64(len(got))); distance > limit {
		t.Errorf("arrivals are %.5f from uniform, more than %.5f", distance, limit)
	}
	if d := dispersion(counts(got, time.Minute, 100*time.Millisecond)); math.Abs(d-1) > 0.25 {
		t.Errorf("index of dispersion per 100 ms is %.3f", d)
	}
}

func TestReplayIsDeterministic(t *testing.T) {
	trace := mustRead(t, sample, minutes())
	first := drain(t, trace.Source("a", 1), time.Hour)
	if diff := cmp.Diff(first, drain(t, trace.Source("a", 1), time.Hour)); diff != "" {
		t.Error(diff)
	}
	if cmp.Equal(first, drain(t, trace.Source("a", 2), time.Hour)) {
		t.Error("another seed gives the same arrivals")
	}
	opt := minutes()
	opt.Part = 1
	if cmp.Equal(first, drain(t, mustRead(t, sample, opt).Source("a", 1), time.Hour)) {
		t.Error("another part gives the same arrivals")
	}
}

var genai = map[string]fleet.ModelName{
	"M0000": "sd-0", "M0001": "sd-1", "M0002": "sd-2", "M0003": "sd-3",
	"M0004": "sd-4", "M0010": "sd-10", "M0011": "sd-11", "M0026": "sd-26",
}

// The whole recording at scale 100: every model's requests are the file's, a
// hundredfold, and the work of its average request is 1.
func TestRecordedModelsAreReplayedWhole(t *testing.T) {
	opt := TraceOptions{
		Columns: Columns{Time: "minute", Work: "exec_seconds"}, Step: time.Minute, Models: genai, Scale: 100,
		Start: time.Date(2024, time.November, 15, 16, 57, 0, 0, time.UTC), Duration: 24 * 24 * time.Hour,
	}
	trace, err := ReadTrace("requests_per_minute_by_model.csv", recorded.Open(t, "alibaba_genai_2026/requests_per_minute_by_model.csv"), opt)
	if err != nil {
		t.Fatal(err)
	}
	// Sums of the file: awk -F, '{n[$2]+=$3} END {for (m in n) print m, n[m]}'.
	for model, want := range map[fleet.ModelName]int{
		"sd-0": 1147, "sd-1": 4012, "sd-2": 8234, "sd-3": 2016, "sd-4": 2511, "sd-10": 2114, "sd-11": 815, "sd-26": 961,
	} {
		n, work := 0, 0.0
		for s := trace.Source(model, 1); ; n++ {
			r, ok := s.Next()
			if !ok {
				break
			}
			work += r.Work
		}
		if n != 100*want || math.Abs(work/float64(n)-1) > 1e-9 {
			t.Errorf("%s: %d requests of average work %v, expected %d", model, n, work/float64(n), 100*want)
		}
	}
	if diff := cmp.Diff(map[string]int{"other": 3556}, trace.Ignored()); diff != "" {
		t.Error(diff)
	}
}

// The recording of single requests, gzipped, agrees with the one of minutes.
func TestRecordedRequestsAgreeWithRecordedMinutes(t *testing.T) {
	start := time.Date(2024, time.November, 18, 0, 0, 0, 0, time.UTC)
	single, err := ReadTrace("lora_request_trace.csv.gz", recorded.Open(t, "alibaba_genai_2026/lora_request_trace.csv.gz"), TraceOptions{
		Columns: Columns{Time: "gmt_create", Model: "checkpoint_model_version_id"},
		Models:  genai, Start: start, Duration: 14 * 24 * time.Hour, History: 48 * time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	binned, err := ReadTrace("requests_per_minute_by_model.csv", recorded.Open(t, "alibaba_genai_2026/requests_per_minute_by_model.csv"), TraceOptions{
		Columns: Columns{Time: "minute"}, Step: time.Minute,
		Models: genai, Start: start, Duration: 14 * 24 * time.Hour, History: 48 * time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, model := range binned.Models() {
		if diff := cmp.Diff(binned.Expected(model, time.Minute), single.Expected(model, time.Minute)); diff != "" {
			t.Fatalf("%s differs by minute: %s", model, diff)
		}
		if diff := cmp.Diff(binned.History(model, time.Hour), single.History(model, time.Hour)); diff != "" {
			t.Fatalf("the history of %s differs: %s", model, diff)
		}
	}
}

func BenchmarkReplay(b *testing.B) {
	const text = "time,model,requests\n2024-11-18T09:00,a,1000000\n"
	trace := mustRead(b, text, minutes())
	s := trace.Source("a", 1)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := s.Next(); !ok {
			s = trace.Source("a", 1)
		}
	}
}

func BenchmarkReadTrace(b *testing.B) {
	var text strings.Builder
	text.WriteString("time,model,requests,work\n")
	const rows = 100_000
	for i := range rows {
		fmt.Fprintf(&text, "%s,model-%d,%d,%d.5\n", traceStart.Add(time.Duration(i/10)*time.Minute).Format("2006-01-02T15:04"), i%10, i%7, i%13*min(1, i%7))
	}
	file := strings.ReplaceAll(text.String(), ",0,0.5", ",0,0")
	opt := TraceOptions{Step: time.Minute, Start: traceStart, Duration: 14 * 24 * time.Hour}
	b.ReportAllocs()
	for b.Loop() {
		mustRead(b, file, opt)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
}
