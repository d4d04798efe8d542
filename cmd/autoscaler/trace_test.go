package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/simulator/recording"
)

const day1 = `time,model,requests,work
2024-11-18T09:00:00Z,a,4,8
2024-11-18T09:00:00Z,b,1,3
2024-11-18T09:01:00Z,a,2,2
2024-11-18T09:03:00Z,b,6,12
`

// traces puts files into an empty folder and goes there.
func traces(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTraceInfo(t *testing.T) {
	traces(t, map[string]string{"day.csv": day1})
	got := invoke(t, "trace", "info", "day.csv", "--step", "1m", "-o", "json")
	succeeded(t, got)
	var s recording.Summary
	if err := json.Unmarshal([]byte(got.stdout), &s); err != nil {
		t.Fatal(err)
	}
	if s.Requests != 13 || s.Rows != 4 || s.StepSeconds != 60 || s.To.Sub(s.From) != 4*time.Minute || len(s.Models) != 2 || *s.Models[0].MeanWork != 10.0/6 || s.Gaps.Count != 1 {
		t.Errorf("%+v", s)
	}
	table := invoke(t, "trace", "info", "day.csv", "--step", "1m")
	succeeded(t, table)
	for _, text := range []string{"bins of 1m", "13 requests in 4 rows", "Mon 2024-11-18 09:00:00 UTC", "1 gaps, together 1m"} {
		if !strings.Contains(table.stdout, text) {
			t.Errorf("it does not say %q:\n%s", text, table.stdout)
		}
	}
}

func TestTraceEdits(t *testing.T) {
	traces(t, map[string]string{"day.csv": day1, "burst.csv": "Timestamp,Model,Request tokens,Response tokens\n5,x,100,10\n6.5,y,50,1\n"})
	head := "time,model,requests,work\n"
	for line, want := range map[string]string{
		"slice day.csv --step 1m --from 1m --to 3m":                                         head + "2024-11-18T09:01:00Z,a,2,2\n",
		"slice day.csv --step 1m --from 2024-11-18T09:03":                                   head + "2024-11-18T09:03:00Z,b,6,12\n",
		"scale day.csv --step 1m --by 0.5":                                                  head + "2024-11-18T09:00:00Z,a,2,4\n2024-11-18T09:00:00Z,b,1,3\n2024-11-18T09:01:00Z,a,1,1\n2024-11-18T09:03:00Z,b,3,6\n",
		"shift day.csv --step 1m --by -7d":                                                  strings.ReplaceAll(day1, "11-18", "11-11"),
		"shift day.csv --step 1m --to 2024-11-18T09:00":                                     day1,
		"mix day.csv day.csv --step 1m --as a=c,b=c --as d":                                 head + "2024-11-18T09:00:00Z,c,5,11\n2024-11-18T09:00:00Z,d,5,11\n2024-11-18T09:01:00Z,c,2,2\n2024-11-18T09:01:00Z,d,2,2\n2024-11-18T09:03:00Z,c,6,12\n2024-11-18T09:03:00Z,d,6,12\n",
		"convert burst.csv --begins 2026-09-14T00:00:00Z --work input=0.1,output=1":         head + "2026-09-14T00:00:05Z,x,1,20\n2026-09-14T00:00:06.5Z,y,1,6\n",
		"convert day.csv --step 1m --columns model=model,requests=requests --unit requests": day1,
	} {
		t.Run(line, func(t *testing.T) {
			given := append([]string{"trace"}, strings.Fields(line)...)
			got := invoke(t, given...)
			succeeded(t, got)
			if got.stdout != want {
				t.Errorf("got\n%s\nwant\n%s", got.stdout, want)
			}
			// To a file and compressed, twice: the same bytes.
			for _, name := range []string{"one.csv.gz", "two.csv.gz"} {
				succeeded(t, invoke(t, append(given, "--out", name)...))
			}
			one, _ := os.ReadFile("one.csv.gz")
			two, _ := os.ReadFile("two.csv.gz")
			if len(one) == 0 || string(one) != string(two) {
				t.Error("two runs wrote different files")
			}
		})
	}
}

func TestTraceCommandsThatMakeNoSense(t *testing.T) {
	traces(t, map[string]string{"day.csv": day1, "other.csv": "time,model,requests\n60,a,1\n", "bad.csv": day1 + "2024-11-18T08:00:00Z,a,1,1\n"})
	for line, tt := range map[string]struct {
		code int
		says string
	}{
		"info":                                            {exitUsage, "received 0"},
		"inf day.csv":                                     {exitUsage, "did you mean info?"},
		"info day.csv -o yaml":                            {exitUsage, "table or json"},
		"info day.csv --format cvs":                       {exitUsage, "did you mean csv?"},
		"info day.csv --unit rates":                       {exitUsage, "did you mean rate?"},
		"info day.csv --step never":                       {exitUsage, "--step"},
		"info day.csv --begins Monday":                    {exitUsage, "2026-09-14T00:00:00Z"},
		"info day.csv --columns tim=x":                    {exitUsage, "did you mean time?"},
		"info day.csv --work input=many":                  {exitUsage, "input=0.1,output=1"},
		"info nowhere.csv":                                {exitInput, "nowhere.csv"},
		"info day.csv":                                    {exitInput, "day.csv:2: without a step every row is one request"},
		"info bad.csv --step 1m":                          {exitInput, "bad.csv:6: "},
		"slice day.csv --step 1m":                         {exitUsage, "--from, --to or both"},
		"slice day.csv --step 1m --from x":                {exitUsage, "a duration after the first row"},
		"slice day.csv --step 1m --from 5m":               {exitInput, "nothing is left"},
		"slice day.csv --step 1m --from 3m --to 2m":       {exitUsage, "is not after"},
		"scale day.csv --step 1m":                         {exitUsage, "needs --by"},
		"scale day.csv --step 1m --by NaN":                {exitUsage, "--by NaN"},
		"scale day.csv --step 1m --by 2 --out day.csv":    {exitUsage, "the file that is read"},
		"shift day.csv --step 1m":                         {exitUsage, "either --by or --to"},
		"shift day.csv --step 1m --by soon":               {exitUsage, `--by "soon"`},
		"mix day.csv":                                     {exitUsage, "at least 2"},
		"mix day.csv day.csv --step 1m --as x":            {exitUsage, "once for each"},
		"mix day.csv day.csv --step 1m --as x --as a=b,c": {exitUsage, "OLD=NEW"},
		"mix day.csv other.csv --step 1m":                 {exitInput, "has work"},
		"convert bad.csv --step 1m --out new.csv":         {exitInput, "bad.csv:6: "},
	} {
		t.Run(line, func(t *testing.T) {
			failed(t, invoke(t, append([]string{"trace"}, strings.Fields(line)...)...), tt.code, tt.says)
		})
	}
	if _, err := os.Stat("new.csv"); err == nil {
		t.Error("half a trace was left behind")
	}
	if text, _ := os.ReadFile("day.csv"); string(text) != day1 {
		t.Error("the file that is read was overwritten")
	}
}
