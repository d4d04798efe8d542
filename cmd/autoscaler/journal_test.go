package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/tessera-autoscaler/tessera/control"
)

// recordLines are the lines of a record, unpacked if need be.
func recordLines(t *testing.T, path string) [][]byte {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }() // only read from
	var in io.Reader = file
	if strings.HasSuffix(path, ".gz") {
		if in, err = gzip.NewReader(file); err != nil {
			t.Fatal(err)
		}
	}
	var lines [][]byte
	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, 64<<20)
	for scanner.Scan() {
		lines = append(lines, bytes.Clone(scanner.Bytes()))
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// Replaying a record gives the same plan to the byte: the decision is a function
// of what was recorded and of nothing else.
func TestEveryRecordReplaysToTheByte(t *testing.T) {
	t.Chdir(small().write(t))
	for _, path := range []string{"record.jsonl", "record.jsonl.gz"} {
		plain, taken := simulated(t), simulated(t, "--record", path)
		if plain["hash"] != taken["hash"] {
			t.Errorf("hash %v, without a record %v", taken["hash"], plain["hash"])
		}
		lines := recordLines(t, path)
		var begin struct {
			Settings *control.Settings `json:"settings"`
		}
		if err := json.Unmarshal(lines[0], &begin); err != nil || begin.Settings == nil {
			t.Fatalf("the first line holds no settings (%v): %.80s", err, lines[0])
		}
		plans, done := 0, 0
		for i, line := range lines[1:] {
			then, now, err := control.Replay(*begin.Settings, line)
			if err != nil {
				t.Fatalf("%s, record %d: %v", path, i, err)
			}
			if !bytes.Equal(then, now) {
				t.Fatalf("%s, record %d: the plan was\n%s\nand is now\n%s", path, i, then, now)
			}
			var record struct {
				Inputs   struct{ Pace control.Pace }
				Outcomes []control.Outcome
			}
			if err := json.Unmarshal(line, &record); err != nil {
				t.Fatal(err)
			}
			if record.Inputs.Pace == control.Planning {
				plans++
			}
			for _, o := range record.Outcomes {
				if o.Result == control.Done {
					done++
				}
			}
		}
		// Every plan is there, and every step that was carried out.
		if plans != 180 || float64(done) != taken.number(t, "scale_actions") {
			t.Errorf("%s holds %d plans of 180, and %d steps of %v", path, plans, done, taken["scale_actions"])
		}
	}
}

// A replay that would always agree proves nothing: with other settings, or
// another need, the plan is another.
func TestReplayNoticesAnotherDecision(t *testing.T) {
	t.Chdir(small().write(t))
	simulated(t, "--record", "record.jsonl")
	lines := recordLines(t, "record.jsonl")
	var begin struct {
		Settings control.Settings `json:"settings"`
	}
	if err := json.Unmarshal(lines[0], &begin); err != nil {
		t.Fatal(err)
	}
	begin.Settings.Policy.ScaleUp.MaxNodes = 1
	for i := range begin.Settings.Catalog.Offerings {
		begin.Settings.Catalog.Offerings[i].Limit = 0
	}
	then, now, err := control.Replay(begin.Settings, lines[1])
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(then, now) {
		t.Errorf("with nothing to buy, the first plan is still\n%s", now)
	}
}

// Before the run, so that nobody waits for a result that is then lost.
func TestRecordIntoAFolderThatIsNotThereSaysSoBeforeTheRun(t *testing.T) {
	t.Chdir(small().write(t))
	ctx := &countdown{Context: t.Context()}
	failed(t, invokeWithin(ctx, t, "simulate", "scenario.yaml", "--record", "nowhere/record.jsonl"), exitFailure, "nowhere/record.jsonl")
	if n := ctx.after.Load(); n > 1 { // once to tell why it ended
		t.Errorf("the run had begun: it looked at the context %d times", n)
	}
}
