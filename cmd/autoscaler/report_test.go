package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/simulator"
	"github.com/tessera-autoscaler/tessera/simulator/scenario"
)

// files lists the names in a folder.
func files(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func TestReportIsWrittenWhole(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "report.html")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &scenario.Scenario{Name: "small", Start: time.Unix(0, 0), Duration: time.Hour}
	if err := writeReport(path, s, simulator.Result{Scenario: "small", Cost: fleet.Micros(0, "USD")}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(got), "<!doctype html>") || !strings.HasSuffix(strings.TrimSpace(string(got)), "</html>") {
		t.Errorf("the report is %.40q to %.40q", got, got[max(0, len(got)-40):])
	}
	if left := files(t, dir); left != "report.html" {
		t.Errorf("the folder has %s", left)
	}
}

// TestFailedReportLeavesTheOldOne and nothing beside it.
func TestFailedReportLeavesTheOldOne(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "report.html")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	err := replaceFile(path, func(w io.Writer) error {
		_, _ = io.WriteString(w, strings.Repeat("half a report", 10_000))
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if got, _ := os.ReadFile(path); string(got) != "old" {
		t.Errorf("the old report is now %.40q", got)
	}
	if left := files(t, dir); left != "report.html" {
		t.Errorf("the folder has %s", left)
	}
}

func TestReportFollowsALink(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "2026.html"), filepath.Join(dir, "latest.html")
	if err := os.WriteFile(target, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if err := replaceFile(link, func(w io.Writer) error { _, err := io.WriteString(w, "new"); return err }); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(target); string(got) != "new" {
		t.Errorf("the target is %q", got)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v", err)
	}
}

func TestReportIntoAFolderThatIsNotThereSaysSo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "report.html")
	err := replaceFile(path, func(io.Writer) error { return nil })
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "missing") {
		t.Errorf("error %v", err)
	}
}

func TestCommandLineIsWhatWasTyped(t *testing.T) {
	for _, test := range []struct {
		process []string
		data    string
		want    string
	}{
		{[]string{"/usr/bin/autoscaler", "simulate", "configs/five.yaml", "--seed", "3"}, "", "autoscaler simulate configs/five.yaml --seed 3"},
		{[]string{"autoscaler", "simulate", "my file.yaml", "--fail-on", "cost_usd>9000"}, "", "autoscaler simulate 'my file.yaml' --fail-on 'cost_usd>9000'"},
		{[]string{"autoscaler", "simulate", "it's.yaml", ""}, "", `autoscaler simulate 'it'\''s.yaml' ''`},
		{[]string{"autoscaler", "simulate", "a.yaml"}, "/data/my traces", "TESSERA_DATA='/data/my traces' autoscaler simulate a.yaml"},
		{[]string{"autoscaler", "simulate", "a.yaml", "--data=/d"}, "/data", "autoscaler simulate a.yaml --data=/d"},
		{[]string{"autoscaler.test", "-test.v"}, "", ""},
	} {
		if got := commandLine(test.process, test.data); got != test.want {
			t.Errorf("%q: %s, want %s", test.process, got, test.want)
		}
	}
}

// TestShellReadsTheCommandLineBack asks a shell, where there is one.
func TestShellReadsTheCommandLineBack(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no sh on this machine")
	}
	for _, word := range []string{"plain", "two words", "it's", `a"b$c\d`, "~", "*", "#x", "a\nb", "é", "!x", "-o", ""} {
		out, err := exec.CommandContext(t.Context(), shell, "-c", "printf %s "+quoted(word)).Output()
		if err != nil || string(out) != word {
			t.Errorf("%q became %q (%v)", word, out, err)
		}
	}
}
