package traffic

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator/recording"
)

// Every fault has its class, its line, its words and a way out.
func TestBadTracesSayWhereAndWhatToDo(t *testing.T) {
	const head = "time,model,requests,work\n"
	good := head + "2024-11-18T09:00,a,1,1\n"
	for name, tc := range map[string]struct {
		give  string
		opt   func(*TraceOptions)
		fault recording.Fault
		line  int
		says  []string
	}{
		"empty file":        {give: "", fault: recording.FaultEmpty, says: []string{"the file is empty", "names the columns"}},
		"header only":       {give: head, fault: recording.FaultEmpty, says: []string{"a header and no rows"}},
		"missing column":    {give: "time,modell,requests\n", fault: recording.FaultColumn, line: 1, says: []string{`no column "model"`, `"time", "modell", "requests"`, `did you mean "modell"?`}},
		"missing named one": {give: head, opt: func(o *TraceOptions) { o.Columns.Work = "exec" }, fault: recording.FaultColumn, line: 1, says: []string{`no column "exec"`, `"work"`}},
		"semicolons":        {give: "time;model;requests\n", fault: recording.FaultColumn, line: 1, says: []string{"separated by commas"}},
		"column twice":      {give: "time,time,model,requests\n", fault: recording.FaultColumn, line: 1, says: []string{"2 times"}},
		"ragged row":        {give: good + "2024-11-18T09:01,a,1\n", fault: recording.FaultRagged, line: 3, says: []string{"3 fields and the header has 4"}},
		"open quote":        {give: good + "2024-11-18T09:01,\"a,1,1\n", fault: recording.FaultRagged, line: 3, says: []string{"has no end", "close the quotes"}},
		"text after quote":  {give: good + "2024-11-18T09:01,\"a\"b,1,1\n", fault: recording.FaultRagged, line: 3, says: []string{"follows the end"}},
		"unknown time":      {give: head + "18.11.2024,a,1,1\n", fault: recording.FaultTime, line: 2, says: []string{`"18.11.2024"`, "2006-01-02T15:04"}},
		"another form":      {give: good + "1731920460,a,1,1\n", fault: recording.FaultTime, line: 3, says: []string{"the first is", "all rows alike"}},
		"milliseconds":      {give: head + "1731920460000,a,1,1\n", fault: recording.FaultTime, line: 2, says: []string{"no known form"}},
		"year 1":            {give: head + "0001-01-01T00:00,a,1,1\n", fault: recording.FaultTime, line: 2, says: []string{"no known form"}},
		"unsorted": {
			give: good + "2024-11-18T08:59,b,1,1\n", fault: recording.FaultOrder, line: 3,
			says: []string{`"2024-11-18T08:59" is before "2024-11-18T09:00"`, "cat t.csv | tail -n +2 | LC_ALL=C sort -s -t, -k1,1)"},
		},
		"other form of time":  {give: good + "2024-11-18T09:00:30,a,1,1\n", fault: recording.FaultTime, line: 3, says: []string{"not of the form"}},
		"off the grid":        {give: head + "1731920400,a,1,1\n1731920490,a,1,1\n", fault: recording.FaultGrid, line: 3, says: []string{"not a whole number of steps of 1m0s", "give the step that the recording has"}},
		"step too long":       {give: good + "2024-11-18T09:01,a,1,1\n", opt: func(o *TraceOptions) { o.Step = time.Hour }, fault: recording.FaultGrid, line: 3, says: []string{"steps of 1h0m0s", "perhaps 1m0s"}},
		"duplicate":           {give: good + "2024-11-18T09:00,b,1,1\n2024-11-18T09:00,a,2,2\n", fault: recording.FaultDuplicate, line: 4, says: []string{`second row of model "a"`, "sum the two"}},
		"negative count":      {give: head + "2024-11-18T09:00,a,-1,1\n", fault: recording.FaultNumber, line: 2, says: []string{`requests "-1" is negative`}},
		"count not a number":  {give: head + "2024-11-18T09:00,a,NaN,1\n", fault: recording.FaultNumber, line: 2, says: []string{`"NaN" is not a number`}},
		"infinite count":      {give: head + "2024-11-18T09:00,a,Inf,1\n", fault: recording.FaultNumber, line: 2, says: []string{"infinite"}},
		"huge count":          {give: head + "2024-11-18T09:00,a,1e300,1\n", fault: recording.FaultNumber, line: 2, says: []string{"larger than 1e+09"}},
		"count past floats":   {give: head + "2024-11-18T09:00,a,1e999,1\n", fault: recording.FaultNumber, line: 2, says: []string{"infinite"}},
		"fractional count":    {give: head + "2024-11-18T09:00,a,2.5,1\n", fault: recording.FaultNumber, line: 2, says: []string{"not a whole number", "multiply a rate"}},
		"empty count":         {give: head + "2024-11-18T09:00,a,,1\n", fault: recording.FaultNumber, line: 2, says: []string{"requests is empty"}},
		"count of words":      {give: head + "2024-11-18T09:00,a,many,1\n", fault: recording.FaultNumber, line: 2, says: []string{`"many" is not a number`}},
		"work not a number":   {give: head + "2024-11-18T09:00,a,1,nan\n", fault: recording.FaultNumber, line: 2, says: []string{"work"}},
		"negative work":       {give: head + "2024-11-18T09:00,a,1,-0.1\n", fault: recording.FaultNumber, line: 2, says: []string{"work", "negative"}},
		"work of nobody":      {give: head + "2024-11-18T09:00,a,0,5\n", fault: recording.FaultNumber, line: 2, says: []string{"without requests"}},
		"no work at all":      {give: head + "2024-11-18T09:00,a,1,0\n", fault: recording.FaultNumber, says: []string{"zero in every row", "leave the column"}},
		"count without step":  {give: head + "2024-11-18T09:00,a,7,1\n", opt: func(o *TraceOptions) { o.Step = 0 }, fault: recording.FaultNumber, line: 2, says: []string{"give the step"}},
		"nameless model":      {give: head + "2024-11-18T09:00,,1,1\n", fault: recording.FaultModel, line: 2, says: []string{"the model is empty"}},
		"mapping of nothing":  {give: head + "2024-11-18T09:00,M0001,1,1\n", opt: mapping("M001", "sd"), fault: recording.FaultModel, says: []string{`"M001" never occurs`, `did you mean "M0001"?`}},
		"too many requests":   {give: head + "2024-11-18T09:00,a,2000000,1\n", opt: func(o *TraceOptions) { o.Scale = 10 }, fault: recording.FaultTooMany, says: []string{"20000000 requests", "a scale of 4.97 would fit"}},
		"too much history":    {give: head + "2024-11-18T08:59,a,1000000000,1\n2024-11-18T09:00,a,0,0\n", opt: func(o *TraceOptions) { o.Scale = 1e9 }, fault: recording.FaultTooMany, says: []string{"history"}},
		"window too late":     {give: good, opt: func(o *TraceOptions) { o.Start = traceStart.Add(time.Minute) }, fault: recording.FaultWindow, says: []string{"spans 2024-11-18T09:00:00Z to 2024-11-18T09:01:00Z"}},
		"window too early":    {give: good, opt: func(o *TraceOptions) { o.Start = traceStart.Add(-time.Hour) }, fault: recording.FaultWindow, says: []string{"outside of the recording"}},
		"scale not a number":  {give: good, opt: func(o *TraceOptions) { o.Scale = math.NaN() }, fault: recording.FaultOptions, says: []string{"scale NaN"}},
		"negative scale":      {give: good, opt: func(o *TraceOptions) { o.Scale = -1 }, fault: recording.FaultOptions, says: []string{"scale -1"}},
		"negative step":       {give: good, opt: func(o *TraceOptions) { o.Step = -1 }, fault: recording.FaultOptions, says: []string{"step"}},
		"no duration":         {give: good, opt: func(o *TraceOptions) { o.Duration = 0 }, fault: recording.FaultOptions, says: []string{"duration"}},
		"negative history":    {give: good, opt: func(o *TraceOptions) { o.History = -1 }, fault: recording.FaultOptions, says: []string{"history"}},
		"no start":            {give: good, opt: func(o *TraceOptions) { o.Start = time.Time{} }, fault: recording.FaultOptions, says: []string{"start"}},
		"mapped to no model":  {give: good, opt: mapping("a", ""), fault: recording.FaultOptions, says: []string{"mapped to no model"}},
		"mean work of zero":   {give: good, opt: func(o *TraceOptions) { o.MeanWork = map[fleet.ModelName]float64{"a": 0} }, fault: recording.FaultOptions, says: []string{"mean work"}},
		"gz that is not gzip": {give: good, opt: nil, fault: recording.FaultBroken, says: []string{"not a whole gzip file", "drop .gz"}},
	} {
		t.Run(name, func(t *testing.T) {
			opt := minutes()
			if tc.opt != nil {
				tc.opt(&opt)
			}
			file := "t.csv"
			if tc.fault == recording.FaultBroken {
				file = "t.csv.gz"
			}
			_, err := ReadTrace(file, strings.NewReader(tc.give), opt)
			complaint(t, err, file, tc.fault, tc.line, tc.says...)
		})
	}
}

func mapping(from string, to fleet.ModelName) func(*TraceOptions) {
	return func(o *TraceOptions) { o.Models = map[string]fleet.ModelName{from: to} }
}

func complaint(t *testing.T, err error, file string, fault recording.Fault, line int, says ...string) {
	t.Helper()
	var got *recording.Error
	if !errors.As(err, &got) {
		t.Fatalf("got %v, expected a complaint", err)
	}
	if got.Fault != fault || got.Line != line || got.File != file || got.Fix == "" {
		t.Errorf("got %s in line %d of %s, expected %s in line %d of %s: %v", got.Fault, got.Line, got.File, fault, line, file, err)
	}
	prefix := file + ": "
	if line > 0 {
		prefix = fmt.Sprintf("%s:%d: ", file, line)
	}
	for _, s := range append(says, prefix) {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%q does not say %q", err, s)
		}
	}
}

// The scale that the complaint proposes is accepted.
func TestProposedScaleFits(t *testing.T) {
	opt := minutes()
	opt.Scale = 4.97
	mustRead(t, "time,model,requests\n2024-11-18T09:00,a,2000000\n", opt)
}

func TestSortingByTheProposedColumn(t *testing.T) {
	_, err := ReadTrace("t.csv", bytes.NewReader(zip(t, "model,time\na,9\nb,5\n")), TraceOptions{Start: time.Unix(0, 0), Duration: time.Minute})
	complaint(t, err, "t.csv", recording.FaultOrder, 3, "zcat t.csv", "sort -s -t, -k2n,2")
}

func TestTruncatedGzipSaysWhereItBroke(t *testing.T) {
	var b strings.Builder
	b.WriteString("time,model,requests\n")
	for i := range 5000 {
		fmt.Fprintf(&b, "%s,m%d,%d\n", traceStart.Add(time.Duration(i)*time.Minute).Format(time.RFC3339), i*7919%1000, i*31%977)
	}
	opt := minutes()
	packed := zip(t, b.String())
	_, err := ReadTrace("t.csv.gz", bytes.NewReader(packed[:len(packed)/2]), opt)
	var got *recording.Error
	if !errors.As(err, &got) || got.Fault != recording.FaultBroken || got.Line < 1000 || got.Line > 4000 {
		t.Fatalf("got %v", err)
	}
	complaint(t, err, "t.csv.gz", recording.FaultBroken, got.Line, "breaks off in this line", "nothing of it was used")
	// The last bytes are the checksum: without them the text is whole, and still
	// nothing is used.
	if _, err := ReadTrace("t.csv.gz", bytes.NewReader(packed[:len(packed)-3]), opt); err == nil {
		t.Error("a file without its checksum passes")
	}
	packed[len(packed)-6] ^= 1
	_, err = ReadTrace("t.csv.gz", bytes.NewReader(packed), opt)
	if !errors.Is(err, gzip.ErrChecksum) {
		t.Errorf("got %v for a wrong checksum", err)
	}
}

// endless is a line of two thousand million bytes that counts how many were
// taken.
type endless struct{ taken int }

func (e *endless) Read(p []byte) (int, error) {
	if e.taken >= 2<<30 {
		return 0, io.EOF
	}
	for i := range p {
		p[i] = 'x'
	}
	e.taken += len(p)
	return len(p), nil
}

func TestLongLineIsNotReadToItsEnd(t *testing.T) {
	r := &endless{}
	_, err := ReadTrace("t.csv", r, minutes())
	complaint(t, err, "t.csv", recording.FaultSize, 1, "longer than 1048576 bytes")
	if r.taken > 4<<20 {
		t.Errorf("%d bytes were read", r.taken)
	}
	r = &endless{}
	_, err = ReadTrace("t.csv", io.MultiReader(strings.NewReader("time,model,requests\n2024-11-18T09:00,a,1\n\""), r), minutes())
	complaint(t, err, "t.csv", recording.FaultSize, 3, "longer than")
	if r.taken > 4<<20 {
		t.Errorf("%d bytes of an open quote were read", r.taken)
	}
}

// blank is an endless file of empty lines.
type blank struct{}

func (blank) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '\n'
	}
	return len(p), nil
}

func TestBombsAreNotUnpacked(t *testing.T) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte("time,model,requests\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(w, blank{}, 20<<20); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	small := recording.DefaultLimits
	small.RatioFloor = 1 << 20
	_, err := readTrace("t.csv.gz", bytes.NewReader(b.Bytes()), minutes(), small)
	var got *recording.Error
	if !errors.As(err, &got) || got.Fault != recording.FaultSize || !strings.Contains(err.Error(), "200 times the compressed size") || got.Line > 8<<20 {
		t.Errorf("got %v", err)
	}
	small = recording.DefaultLimits
	small.Bytes = 1 << 20
	for name, r := range map[string]io.Reader{"t.csv.gz": bytes.NewReader(b.Bytes()), "t.csv": io.MultiReader(strings.NewReader("time,model,requests\n"), blank{})} {
		_, err = readTrace(name, r, minutes(), small)
		if !errors.As(err, &got) || got.Fault != recording.FaultSize || !strings.Contains(err.Error(), "after 1048576 bytes") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestRowsAndNamesAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("time,model\n")
	for i := range 20 {
		fmt.Fprintf(&b, "%d,m%d\n", i, i)
	}
	opt := TraceOptions{Start: time.Unix(0, 0), Duration: time.Minute}
	few := recording.DefaultLimits
	few.Rows = 10
	_, err := readTrace("t.csv", strings.NewReader(b.String()), opt, few)
	complaint(t, err, "t.csv", recording.FaultSize, 12, "more than 10 rows")
	few = recording.DefaultLimits
	few.Names = 10
	_, err = readTrace("t.csv", strings.NewReader(b.String()), opt, few)
	complaint(t, err, "t.csv", recording.FaultSize, 12, "more than 10 names")
}

// failing breaks in the middle, as a network or a disk does.
func TestReadersErrorIsKept(t *testing.T) {
	broken := errors.New("the disk is gone")
	_, err := ReadTrace("t.csv", io.MultiReader(strings.NewReader("time,model,requests\n2024"), failing{broken}), minutes())
	complaint(t, err, "t.csv", recording.FaultBroken, 2, "the disk is gone")
	if !errors.Is(err, broken) {
		t.Error("the cause is lost")
	}
	_, err = ReadTrace("t.csv", failing{broken}, minutes())
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// Whatever the bytes: a trace or a *recording.Error with a way out, and a trace keeps
// its promises.
func FuzzReadTrace(f *testing.F) {
	f.Add([]byte(sample), true, 1.0)
	f.Add([]byte(sample), false, 0.3)
	f.Add([]byte("time,model,requests\n2024-11-18 09:00:00,\"a\"\"b\",2\n"), true, 100.0)
	f.Add([]byte("model,time\na,1731920400\na,1731920400\n"), false, 2.5)
	f.Add(zip(f, sample), true, 1.0)
	f.Add(zip(f, sample)[:40], true, 1.0)
	f.Add([]byte("\x1f\x8b"), true, 1.0)
	f.Add([]byte("time,model,requests,work\n,,,\n"), true, 0.0)
	f.Fuzz(func(t *testing.T, file []byte, binned bool, scale float64) {
		opt := minutes()
		opt.Scale = scale
		if !binned {
			opt.Step = 0
		}
		small := recording.Limits{Line: 1 << 16, Bytes: 1 << 20, Ratio: 100, RatioFloor: 1 << 16, Rows: 1000, Names: 50}
		trace, err := readTrace("t.csv", bytes.NewReader(file), opt, small)
		if err != nil {
			var complaint *recording.Error
			if !errors.As(err, &complaint) || complaint.Fix == "" || complaint.What == "" || complaint.Fault == "" {
				t.Fatalf("got %#v", err)
			}
			return
		}
		for _, model := range trace.Models() {
			_, yielded := trace.Requests(model)
			if yielded > 100_000 {
				continue
			}
			if n := len(drain(t, trace.Source(model, 1), opt.Duration)); int64(n) != yielded {
				t.Fatalf("%d requests of %q, %d promised", n, model, yielded)
			}
			if sum := total(trace.Expected(model, time.Minute)); math.Abs(sum-float64(yielded)) > 1e-6*float64(yielded)+1e-9 {
				t.Fatalf("%v requests of %q charted, %d promised", sum, model, yielded)
			}
			for _, b := range trace.History(model, time.Minute) {
				if !(b.Requests >= 0) || b.At < -opt.History || b.At >= 0 {
					t.Fatalf("history %+v", b)
				}
			}
		}
	})
}
