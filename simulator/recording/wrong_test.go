package recording

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// What is wrong with a file of each format is told with its line and a way out.
func TestWrongRecordingsSayWhereAndWhatToDo(t *testing.T) {
	rates := "model,client,window_start_s,rate_rps,cv\n"
	for name, tt := range map[string]struct {
		text  string
		opt   Options
		fault Fault
		line  int
		says  string
	}{
		"unknown format":            {"time\n", Options{Format: "grafan"}, FaultOptions, 0, `did you mean "grafana"?`},
		"unknown unit":              {"time\n", Options{Unit: "rates"}, FaultOptions, 0, `did you mean "rate"?`},
		"work of nothing":           {"time\n", Options{Work: &Linear{}}, FaultOptions, 0, "not both zero"},
		"a rate without a step":     {"time,model,requests\n60,a,1.5\n", Options{Unit: Rates}, FaultOptions, 1, "give the step"},
		"tokens that are not there": {"time,model\n60,a\n", Options{Work: &Linear{Input: 1}}, FaultColumn, 1, "no column of them"},
		"Azure without tokens":      {"TIMESTAMP,ContextTokens\n", Options{Format: Azure}, FaultFormat, 1, `a column "GeneratedTokens"`},
		"Azure in bins":             {"TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 00:00:01,1,1\n", Options{Step: time.Minute}, FaultOptions, 0, "leave step"},
		"Azure, no number":          {"TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 00:00:01,many,1\n", Options{}, FaultNumber, 2, `"many" is not a number`},
		"Azure backwards":           {"TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 00:00:02,1,1\n2023-11-16 00:00:01,1,1\n", Options{}, FaultOrder, 3, "sort the rows"},
		"BurstGPT of dates":         {"Timestamp,Model,Request tokens,Response tokens\n2023-11-16 00:00:01,a,1,1\n", Options{}, FaultTime, 2, "is not a number"},
		"JSON that breaks off":      {"{\"timestamp\": 1, \"input_length\"\n", Options{}, FaultFormat, 1, "in one line"},
		"JSON without a length":     {"{\"timestamp\": 1, \"input_length\": 5}\n", Options{}, FaultColumn, 1, "output_length"},
		"JSON of a negative length": {"{\"timestamp\": 1, \"input_length\": -5, \"output_length\": 1}\n", Options{}, FaultNumber, 1, "negative"},
		"windows off the grid":      {rates + "m,0,0,1,1\nm,0,500,1,1\n", Options{}, FaultGrid, 3, "steps of 10m0s"},
		"windows backwards":         {rates + "m,0,600,1,1\nm,0,0,1,1\n", Options{}, FaultOrder, 3, "of each client"},
		"a window twice":            {rates + "m,0,0,1,1\nm,0,0,1,1\n", Options{}, FaultDuplicate, 3, "second row"},
		"a rate that is missing":    {rates + "m,0,0,,1\n", Options{}, FaultNumber, 2, "rate_rps is empty"},
		"a negative cv":             {rates + "m,0,0,1,-1\n", Options{}, FaultNumber, 2, "cv"},
		"ServeGen as counts":        {rates + "m,0,0,1,1\n", Options{Unit: Counts}, FaultOptions, 0, "records rates"},
		"work without tokens":       {rates + "m,0,0,1,1\n", Options{Work: &Linear{Input: 1}}, FaultOptions, 0, "another file"},
		"tokens of others": {
			rates + "m,0,0,1,1\n",
			Options{Work: &Linear{Input: 1}, TokensName: "t", Tokens: strings.NewReader("model,client,window_s,mean_input_tokens,mean_output_tokens\nn,0,0,1,1\n")},
			FaultModel, 2, `no tokens of model "m"`,
		},
		"tokens alone":               {"model,client,window_s,mean_input_tokens,mean_output_tokens\nn,0,0,1,1\n", Options{}, FaultFormat, 1, "without any requests"},
		"Grafana, unit unknown":      {"\"Time\",\"fr\"\n1700092800000,1\n", Options{}, FaultUnit, 0, "say that the unit is rate"},
		"Grafana with units":         {"\"Time\",\"fr\"\n1700092800000,1\n1700092860000,12.3 req/s\n", Options{Unit: Rates}, FaultUnit, 3, `turn "Formatted data" off`},
		"Grafana, dates and units":   {"\"Time\",\"fr\"\n2026-09-14 00:00:00,1\n2026-09-14 00:01:00,12.3 req/s\n", Options{Unit: Rates}, FaultUnit, 3, `value "12.3 req/s" carries a unit`},
		"Grafana with thousands":     {"\"Time\",\"fr\"\n1700092800000,1\n1700092860000,1\n1700092920000,\"1,234\"\n", Options{Unit: Rates}, FaultUnit, 4, `"1,234" carries a unit`},
		"Grafana with a comma":       {"\"Time\",\"fr\"\n1700092800000,\"1,5\"\n1700092860000,1\n", Options{Unit: Rates}, FaultUnit, 2, "written for people"},
		"Grafana in local times":     {"\"Time\",\"fr\"\n16.11.2023 00:00,1\n", Options{Unit: Rates}, FaultTime, 2, "Formatted data"},
		"Grafana with semicolons":    {"sep=;\nTime;fr\n", Options{Unit: Rates}, FaultFormat, 1, "with commas"},
		"a series of one row":        {"timestamp,value\n2023-11-16 00:00:01,1\n", Options{}, FaultGrid, 2, "do not tell the step"},
		"a series on a coarser grid": {"ts,value\n0,1\n1800,1\n5400,1\n7200,1\n", Options{Step: 15 * time.Minute}, FaultGrid, 0, "give the step 30m0s"},
		"a series off its grid":      {"ts,value\n100,1\n160,1\n250,1\n", Options{}, FaultGrid, 4, "steps of 1m0s"},
		"a series without values":    {"timestamp,\n1,2\n", Options{Format: Series}, FaultColumn, 1, "named"},
		"a series of nothing":        {"timestamp,value\n", Options{Step: time.Minute}, FaultEmpty, 0, "no rows"},
		"values of no step":          {"1\n2\n", Options{}, FaultOptions, 0, "give the step"},
		"values of two columns":      {"1,2\n", Options{Format: Values, Step: time.Minute}, FaultFormat, 1, "one value a line"},
		"a value that is no number":  {"1\nx\n", Options{Step: time.Minute}, FaultNumber, 2, `"x" is not a number`},
		"slots of unknown length":    {"day,slot,calls\n0,0,1\n", Options{}, FaultOptions, 0, "give the step"},
		"a slot past midnight":       {"day,slot,calls\n0,24,1\n", Options{Step: time.Hour}, FaultNumber, 2, "below 24"},
		"slots backwards":            {"day,slot,calls\n0,2,1\n0,1,1\n", Options{Step: time.Hour}, FaultOrder, 3, "sort"},
		"a week that begins Tuesday": {"day,slot_of_169,calls\n0,2,1\n", Options{Begins: time.Date(2026, 9, 15, 0, 0, 0, 0, time.UTC)}, FaultOptions, 0, "2026-09-14T00:00:00Z"},
		"Parquet that is none":       {"PAR1 and then nothing of the kind PAR1", Options{}, FaultBroken, 0, "no whole Parquet file"},
		"Parquet that was said":      {"time,model\n", Options{Format: Parquet}, FaultBroken, 0, "no whole Parquet file"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := read(t, "f", strings.NewReader(tt.text), tt.opt)
			wrong, ok := errors.AsType[*Error](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			if wrong.Fault != tt.fault || wrong.Line != tt.line || wrong.File == "" || wrong.Fix == "" {
				t.Errorf("got %s in line %d, want %s in line %d: %v", wrong.Fault, wrong.Line, tt.fault, tt.line, err)
			}
			if !strings.Contains(err.Error(), tt.says) {
				t.Errorf("it does not say %q: %v", tt.says, err)
			}
		})
	}
}
