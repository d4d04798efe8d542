package recording

import (
	"bytes"
	"errors"
	"testing"
	"time"
)

// sound checks what must hold whatever the bytes: rows in order, finite and within
// the limits, or an *Error with a way out.
func sound(t *testing.T, file []byte, opt Options) {
	t.Helper()
	small := Limits{Line: 1 << 14, Bytes: 1 << 20, Ratio: 100, RatioFloor: 1 << 16, Rows: 1000, Names: 50}
	opt.Limits, opt.OneModel = &small, true
	rows, _, err := read(t, "f", bytes.NewReader(file), opt)
	if err != nil {
		if wrong, ok := errors.AsType[*Error](err); !ok || wrong.Fix == "" || wrong.What == "" || wrong.Fault == "" {
			t.Fatalf("got %#v", err)
		}
		return
	}
	if len(rows) > small.Rows {
		t.Fatalf("%d rows", len(rows))
	}
}

// fuzz fuzzes one reader.
func fuzz(f *testing.F, opt func() Options, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, file []byte) { sound(t, file, opt()) })
}

func FuzzAnything(f *testing.F) {
	fuzz(f, func() Options { return Options{} }, "time,model\n1,a\n", "ts,value\n1,2\n2,3\n", "{}", "PAR1", "\x1f\x8b", "sep=,\n", "0,0,0,,0,0\n")
}

func FuzzCSV(f *testing.F) {
	fuzz(f, func() Options { return Options{Format: CSV, Step: time.Minute, Unit: Rates} }, "time,model,requests,work\n60,a,1.5,2\n120,\"b\"\"c\",0,0\n")
}

func FuzzLLM(f *testing.F) {
	fuzz(f, func() Options { return Options{Work: &Linear{1, 2}} },
		"TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 00:00:01.5,100,10\n", "Timestamp,Model,Request tokens,Response tokens\n5,a,1,2\n")
}

func FuzzMooncake(f *testing.F) {
	fuzz(f, func() Options { return Options{Format: Mooncake, Work: &Linear{1, 2}} }, `{"timestamp": 1, "input_length": 2, "output_length": 3}`, `{"timestamp": 1e400}`)
}

func FuzzServeGen(f *testing.F) {
	fuzz(f, func() Options { return Options{Format: ServeGen} }, "model,client,window_start_s,rate_rps,cv\nm,0,0,1,2\nm,1,0,1,\n", "0,0.1,2,Gamma,1,1\n")
}

func FuzzTokens(f *testing.F) {
	fuzz := "window_start_s,rate_rps\n0,1\n"
	f.Add([]byte("model,client,window_s,mean_input_tokens,mean_output_tokens\nm,0,0,1,2\n"))
	f.Add([]byte(`{"0": {"input_tokens": "{1: 0.5}", "output_tokens": "{2: 1}"}}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		sound(t, []byte(fuzz), Options{Work: &Linear{1, 2}, Tokens: bytes.NewReader(file), TokensName: "t"})
	})
}

func FuzzGrafana(f *testing.F) {
	fuzz(f, func() Options { return Options{Format: Grafana, Unit: Rates} }, "\"Time\",\"a\"\n1700092800000,1\n1700092860000,\n", "Time,a\n1,1.2 K\n")
}

func FuzzSeries(f *testing.F) {
	fuzz(f, func() Options { return Options{Format: Series} }, "timestamp,value\n2023-11-16 00:00:53,5\n2023-11-16 00:05:53,\n", "minute,a,b\n0,1,\n1,,2\n")
}

func FuzzValues(f *testing.F) {
	fuzz(f, func() Options { return Options{Format: Values, Step: time.Minute} }, "1\n\n2\n", "value\n1e300\n")
}

func FuzzSlots(f *testing.F) {
	fuzz(f, func() Options { return Options{Format: Slots} }, "day,slot_of_169,calls\n0,0,1\n1,168,2\n")
}

func FuzzParquet(f *testing.F) {
	data := parquetSample(f)
	fuzz(f, func() Options { return Options{Format: Parquet, Step: time.Minute} }, string(data), string(data[:len(data)-9]))
}
