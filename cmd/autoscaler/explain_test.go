package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/tessera-autoscaler/tessera/control/explain"
)

// growing is small with traffic for which nodes are bought in the course of the
// morning, and its record.
func growing(t *testing.T) {
	t.Helper()
	s := small().with(t, "scenario.yaml", "start: 2026-09-14T08:00:00Z", "start: 2026-09-14T05:00:00Z")
	s = s.with(t, "scenario.yaml", "peak: 3}", "peak: 60}")
	t.Chdir(s.write(t))
	succeeded(t, invoke(t, "simulate", "scenario.yaml", "--no-bound", "-o", "json", "--record", "record.jsonl"))
}

// boughtLater is the last node that was bought, with its plan.
func boughtLater(t *testing.T) (node, plan string) {
	t.Helper()
	for _, line := range recordLines(t, "record.jsonl")[1:] {
		e, err := explain.ReadEntry(line)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range e.Plan.Steps {
			if s.Kind() == "buy-node" {
				node, plan = s.Subject(), string(e.Plan.ID)
			}
		}
	}
	if plan < "plan-20260914T0501" {
		t.Fatalf("the last node is bought by %q: the test needs more traffic", plan)
	}
	return node, plan
}

// packed writes what is in a file to another, compressed, less so many bytes of the
// end.
func packed(t *testing.T, from, to string, less int) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, out.Bytes()[:out.Len()-less], 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestANodeIsExplained(t *testing.T) {
	growing(t)
	node, plan := boughtLater(t)
	got := invoke(t, "explain", node, "--record", "record.jsonl")
	succeeded(t, got)
	for _, says := range []string{
		"node " + node + ": ", "\n" + plan + ", Mon 14 Sep 0", " UTC, a planning tick, line ",
		"decided again from the record, the plan is the same to the byte\n",
		"\nWhat was done\n  buy " + node + " (a2-ultragpu-1g) as ", "\n    because ",
		"\nWhat was weighed\n  *   ", "\n  not wait, $0.00/h: nothing new; leaves ",
		"\nWhat was held back\n", "\nMoney\n  committed $", ", with the plan $", "  cap of $20.00 per hour (hold): $",
		"\n  MODEL ", " BASIS\n  transcribe-en  ",
		"\nWhat would have changed it, one thing at a time\n  with transcribe-en at ", "/s or less by Mon 0", " times its demand), nothing would have been bought\n",
		"would have changed nothing",
	} {
		if !strings.Contains(got.stdout, says) {
			t.Errorf("it does not say %q:\n%s", says, got.stdout)
		}
	}

	packed(t, "record.jsonl", "record.jsonl.gz", 0)
	zipped := invoke(t, "explain", node, "--record", "record.jsonl.gz")
	succeeded(t, zipped)
	if zipped.stdout != got.stdout {
		t.Errorf("compressed, it is\n%s", zipped.stdout)
	}
}

// The JSON holds what the text says, and is one object.
func TestAnExplanationAsJSON(t *testing.T) {
	growing(t)
	node, plan := boughtLater(t)
	got := invoke(t, "explain", node, "--record", "record.jsonl", "-o", "json")
	succeeded(t, got)
	var answer object
	if err := json.Unmarshal([]byte(got.stdout), &answer); err != nil {
		t.Fatal(err)
	}
	e := answer.within(t, "explanation")
	if answer["kind"] != "node" || answer["id"] != node || e["plan"] != plan || e["replayed"] != true {
		t.Errorf("%v %v: %v, replayed %v", answer["kind"], answer["id"], e["plan"], e["replayed"])
	}
	for _, list := range []string{"steps", "candidates", "models", "what_if", "unmoved"} {
		if all, ok := e[list].([]any); !ok || len(all) == 0 {
			t.Errorf("%s is %v", list, e[list])
		}
	}
	nowhereNull(t, "answer", map[string]any(answer))
}

func TestListsAndModels(t *testing.T) {
	growing(t)
	_, plan := boughtLater(t)
	got := invoke(t, "explain", "--record", "record.jsonl", "--last", "200")
	succeeded(t, got)
	if !strings.Contains(got.stdout, "  "+plan+"  ") || !strings.Contains(got.stdout, "steps: buy ") {
		t.Errorf("the list lacks %s:\n%s", plan, got.stdout)
	}
	short := invoke(t, "explain", "--record", "record.jsonl", "--last", "2")
	succeeded(t, short)
	if !strings.Contains(short.stdout, ", the last 2 are\n") || strings.Count(short.stdout, "\n  Mon ") != 2 {
		t.Errorf("two of them are\n%s", short.stdout)
	}
	model := invoke(t, "explain", "transcribe-en", "--record", "record.jsonl", "--last", "2")
	succeeded(t, model)
	if !strings.HasPrefix(model.stdout, "model transcribe-en: ") || !strings.Contains(model.stdout, "  needs ") {
		t.Errorf("of the model it says\n%s", model.stdout)
	}
	when := invoke(t, "explain", "2026-09-14T06:00:59Z", "--record", "record.jsonl")
	succeeded(t, when)
	if !strings.HasPrefix(when.stdout, "in force at Mon 14 Sep 2026 06:00:59 UTC\n") {
		t.Errorf("of a time it says\n%s", when.stdout)
	}
}

func TestWhatCannotBeExplained(t *testing.T) {
	t.Chdir(small().write(t))
	succeeded(t, invoke(t, "simulate", "scenario.yaml", "--no-bound", "-o", "json", "--record", "record.jsonl"))
	lines := recordLines(t, "record.jsonl")
	write := func(name string, parts ...[]byte) {
		if err := os.WriteFile(name, bytes.Join(parts, nil), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	line := []byte("\n")
	write("headless.jsonl", lines[1], line)
	write("spoilt.jsonl", lines[0], line, lines[1], line, []byte("{]\n"), lines[2], line)
	write("hollow.jsonl", lines[0], line, []byte("{\"hash\":1}\n"))
	write("empty.jsonl")
	write("gz.jsonl", []byte("\x1f\x8b\x08"))
	for args, says := range map[string][]string{
		"transcribe-ne --record record.jsonl":         {`knows no "transcribe-ne"`, "did you mean transcribe-en"},
		"plan-20260914T080030Z --record record.jsonl": {"did you mean plan-20260914T080000Z or plan-20260914T080"},
		"2027-01-01T00:00:00Z --record record.jsonl":  {"it goes from Mon 14 Sep 2026 08:00:00 UTC to "},
		"--record nowhere.jsonl":                      {"nowhere.jsonl"},
		"--record headless.jsonl":                     {"headless.jsonl:1: ", "beginning of the file is missing"},
		"--record spoilt.jsonl":                       {"spoilt.jsonl:3: ", "no line of a record"},
		"--record hollow.jsonl":                       {"hollow.jsonl:2: ", "a file that --record wrote"},
		"--record empty.jsonl":                        {"empty.jsonl:1: ", "empty"},
		"--record gz.jsonl":                           {"gz.jsonl:1: ", "copy it again"},
		"--record scenario.yaml":                      {"scenario.yaml:1: "},
	} {
		t.Run(args, func(t *testing.T) {
			failed(t, invoke(t, append([]string{"explain"}, words(args)...)...), exitInput, says...)
		})
	}
}

// A record that is still being written, or whose writer died, is good as far as it goes, and
// it is said where it ends.
func TestARecordThatBreaksOff(t *testing.T) {
	t.Chdir(small().write(t))
	succeeded(t, invoke(t, "simulate", "scenario.yaml", "--no-bound", "-o", "json", "--record", "record.jsonl"))
	lines := recordLines(t, "record.jsonl")
	if err := os.WriteFile("cut.jsonl", bytes.Join([][]byte{lines[0], lines[1], lines[2][:1000]}, []byte("\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	packed(t, "record.jsonl", "cut.jsonl.gz", 3000)
	for _, name := range []string{"cut.jsonl", "cut.jsonl.gz"} {
		got := invoke(t, "explain", "--record", name)
		if got.code != exitOK || !strings.HasPrefix(got.stderr, name+":") || !strings.Contains(got.stderr, "breaks off") || !strings.Contains(got.stdout, "plan-20260914T080000Z") {
			t.Errorf("%s: exit code %d, %s\n%s", name, got.code, got.stderr, got.stdout)
		}
		failed(t, invoke(t, "explain", "plan-20260914T105900Z", "--record", name), exitInput, "knows no", "breaks off")
		// What is asked for stands before the end: nothing is wrong with it.
		succeeded(t, invoke(t, "explain", "plan-20260914T080000Z", "--record", name))
	}
}

// Nobody has to wait for a long record.
func TestExplainIsInterrupted(t *testing.T) {
	t.Chdir(small().write(t))
	succeeded(t, invoke(t, "simulate", "scenario.yaml", "--no-bound", "-o", "json", "--record", "record.jsonl"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	failed(t, invokeWithin(ctx, t, "explain", "--record", "record.jsonl"), exitFailure, "interrupted")
}
