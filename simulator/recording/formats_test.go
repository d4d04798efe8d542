package recording

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const second = int64(time.Second)

// Every format is recognised by its content and becomes the rows it holds.
func TestFormatsAreRecognised(t *testing.T) {
	tokens := &Linear{Input: 0.1, Output: 2}
	day := time.Date(2023, time.November, 16, 0, 0, 0, 0, time.UTC)
	monday := time.Date(2026, time.September, 14, 0, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		text  string
		opt   Options
		about About
		rows  []Row
	}{
		"ours": {
			"time,model,requests,work\n60,a,2,8\n120,a,0,0\n",
			Options{Step: time.Minute},
			About{Format: CSV, Step: time.Minute, Sized: true},
			[]Row{{At: 60 * second, Name: "a", Requests: 2, Work: 8}, {At: 120 * second, Name: "a"}},
		},
		"ours, rates and tokens": {
			"time,model,requests,in,out\n2023-11-16T00:01,a,0.5,100,10\n",
			Options{Step: time.Minute, Unit: Rates, Work: tokens, Columns: Columns{Input: "in", Output: "out"}},
			About{Format: CSV, Step: time.Minute, Sized: true, Dated: true},
			[]Row{{At: day.Unix()*second + 60*second, Name: "a", Requests: 30, Work: 30}},
		},
		"Azure": {
			"TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 00:00:01.5000000,100,10\n",
			Options{Work: tokens},
			About{Format: Azure, Sized: true, Dated: true},
			[]Row{{At: day.Unix()*second + 1_500_000_000, Name: AnyModel, Requests: 1, Work: 30}},
		},
		"Azure 2024": {
			"TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 00:00:01.500000+00:00,100,10\n",
			Options{},
			About{Format: Azure, Dated: true},
			[]Row{{At: day.Unix()*second + 1_500_000_000, Name: AnyModel, Requests: 1}},
		},
		"BurstGPT": {
			"Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,ChatGPT,472,18,490,Conversation log\n45.5,GPT-4,1087,230,1317,API log\n",
			Options{Begins: monday},
			About{Format: BurstGPT},
			[]Row{{At: monday.UnixNano() + 5*second, Name: "ChatGPT", Requests: 1}, {At: monday.UnixNano() + 45_500_000_000, Name: "GPT-4", Requests: 1}},
		},
		"BurstGPT with sessions": {
			"Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,1,0.5,ChatGPT,100,10,110,Conversation log\n",
			Options{Work: tokens},
			About{Format: BurstGPT, Sized: true},
			[]Row{{At: 5 * second, Name: "ChatGPT", Requests: 1, Work: 30}},
		},
		"Mooncake": {
			`{"timestamp": 27482, "input_length": 6955, "output_length": 52, "hash_ids": [46, 47]}` + "\n\n" + `{"timestamp": 30535, "input_length": 100, "output_length": 10, "hash_ids": []}` + "\n",
			Options{Work: tokens},
			About{Format: Mooncake, Sized: true},
			[]Row{{At: 27_482_000_000, Name: AnyModel, Requests: 1, Work: 799.5}, {At: 30_535_000_000, Name: AnyModel, Requests: 1, Work: 30}},
		},
		"ServeGen's clients": {
			"category,model,client,window_start_s,rate_rps,cv,pattern\nlanguage,m,0,0,1.5,8.5,Weibull\nlanguage,m,0,600,0,0,\nlanguage,m,1,0,0.5,,\n",
			Options{},
			About{Format: ServeGen, Step: 10 * time.Minute, Dense: true, Bursty: true},
			[]Row{{Name: "m", Client: "0", Requests: 900, CV: 8.5}, {Name: "m", Client: "1", Requests: 300}, {At: 600 * second, Name: "m", Client: "0"}},
		},
		"ServeGen's fleet": {
			"model,window_start_s,rate_rps\nm,0,2\nm,600,1\nn,0,1\n",
			Options{},
			About{Format: ServeGen, Step: 10 * time.Minute, Dense: true},
			[]Row{{Name: "m", Requests: 1200}, {Name: "n", Requests: 600}, {At: 600 * second, Name: "m", Requests: 600}},
		},
		"a chunk of ServeGen with its tokens": {
			"0,0,0,,0,0\n600,0.1,2.5,Gamma,0.16,40\n",
			Options{
				Work: tokens, TokensName: "d", Tokens: strings.NewReader(`{"0": {"input_tokens": "{100: 0.5, 300: 0.5}", "output_tokens": "{10: 1.0}"}, "86400": {"input_tokens": "{}", "output_tokens": "{}"}}`),
			},
			About{Format: ServeGen, Step: 10 * time.Minute, Sized: true, Dense: true, Bursty: true},
			[]Row{{Name: AnyModel}, {At: 600 * second, Name: AnyModel, Requests: 60, CV: 2.5, Work: 60 * 40}},
		},
		"NAB": {
			"timestamp,value\n2023-11-16 00:00:53,5\n2023-11-16 00:05:53,\n2023-11-16 00:10:53,7\n",
			Options{},
			About{Format: Series, Step: 5 * time.Minute, Dense: true, Dated: true},
			[]Row{{At: day.Unix()*second + 53*second, Name: AnyModel, Requests: 5}, {At: day.Unix()*second + 653*second, Name: AnyModel, Requests: 7}},
		},
		"Crane": {
			"ts,value\n1628640000,0.5\n1628640060,1\n",
			Options{Unit: Rates},
			About{Format: Series, Step: time.Minute, Dense: true, Dated: true},
			[]Row{{At: 1628640000 * second, Name: AnyModel, Requests: 30}, {At: 1628640060 * second, Name: AnyModel, Requests: 60}},
		},
		"several series by minute": {
			"minute,a,b\n0,5,\n1,6,7\n",
			Options{},
			About{Format: Series, Step: time.Minute, Dense: true},
			[]Row{{Name: "a", Requests: 5}, {At: 60 * second, Name: "a", Requests: 6}, {At: 60 * second, Name: "b", Requests: 7}},
		},
		"Grafana, times as numbers": {
			"\"Time\",\"{model=\"\"fr\"\"}\"\n1700092800000,1.5\n1700092860000,\n",
			Options{Unit: Rates},
			About{Format: Grafana, Step: time.Minute, Dense: true, Dated: true},
			[]Row{{At: day.Unix() * second, Name: `{model="fr"}`, Requests: 90}},
		},
		"Grafana for spreadsheets": {
			"sep=,\r\n\"Time\",\"fr\"\r\n2023-11-16 00:00:00,3\r\n2023-11-16 00:00:30,4\r\n",
			Options{Unit: Counts},
			About{Format: Grafana, Step: 30 * time.Second, Dense: true, Dated: true},
			[]Row{{At: day.Unix() * second, Name: "fr", Requests: 3}, {At: day.Unix()*second + 30*second, Name: "fr", Requests: 4}},
		},
		"one value a line": {
			"100\n\n300\n",
			Options{Step: 5 * time.Minute, Begins: monday},
			About{Format: Values, Step: 5 * time.Minute, Dense: true},
			[]Row{{At: monday.UnixNano(), Name: AnyModel, Requests: 100}, {At: monday.UnixNano() + 600*second, Name: AnyModel, Requests: 300}},
		},
		"one value a line with a header": {
			"value\n7\n", Options{Step: time.Hour}, About{Format: Values, Step: time.Hour, Dense: true}, []Row{{Name: AnyModel, Requests: 7}},
		},
		"a call centre": {
			"day,slot_of_169,calls\n0,0,111\n4,168,5\n5,0,9\n",
			Options{Begins: monday},
			About{Format: Slots, Step: 5 * time.Minute, Dense: true},
			[]Row{
				{At: monday.Add(7 * time.Hour).UnixNano(), Name: AnyModel, Requests: 111},
				{At: monday.Add(4*24*time.Hour + 21*time.Hour).UnixNano(), Name: AnyModel, Requests: 5},
				{At: monday.Add(7*24*time.Hour + 7*time.Hour).UnixNano(), Name: AnyModel, Requests: 9},
			},
		},
		"a dated one that is moved": {
			"timestamp,value\n2015-02-26 21:42:53,5\n2015-02-26 21:47:53,6\n",
			Options{Begins: monday},
			About{Format: Series, Step: 5 * time.Minute, Dense: true, Dated: true},
			[]Row{{At: monday.UnixNano(), Name: AnyModel, Requests: 5}, {At: monday.UnixNano() + 300*second, Name: AnyModel, Requests: 6}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			rows, about := mustRead(t, tt.text, tt.opt)
			if diff := cmp.Diff(tt.rows, rows); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.about, about); diff != "" {
				t.Error(diff)
			}
		})
	}
}
