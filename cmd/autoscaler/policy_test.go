package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestPolicyCheckShowsWhatAPolicyResolvesTo(t *testing.T) {
	t.Chdir(small().write(t))
	got := invoke(t, "policy", "check", "policy.yaml", "--catalog", "catalog.yaml", "--profiles", "profiles.yaml")
	succeeded(t, got)
	for _, text := range []string{"transcribe-en", "transcribe-fr", "summarize-no", "live", "summary", "a100-80gb/1g.10gb", "99% within 3s"} {
		if !strings.Contains(got.stdout, text) {
			t.Errorf("it does not say %q:\n%s", text, got.stdout)
		}
	}
}

// Without files of one's own, those built into the program count.
func TestPolicyCheckKnowsTheSamples(t *testing.T) {
	succeeded(t, invoke(t, "policy", "check", "../../configs/policy.yaml"))
	succeeded(t, invoke(t, "policy", "check", "../../configs/quickstart.yaml"))
}

func TestPolicyCheckShowsEveryComplaintInOrder(t *testing.T) {
	files := small().with(t, "policy.yaml", `amount: "20"`, "amount: 20").
		with(t, "policy.yaml", `language: "no"`, "language: no").
		with(t, "policy.yaml", "minReplicas", "minReplica")
	t.Chdir(files.write(t))
	args := []string{"policy", "check", "policy.yaml", "--catalog", "catalog.yaml", "--profiles", "profiles.yaml"}
	got := invoke(t, args...)
	failed(t, got, exitInput, `did you mean "minReplicas"?`, "Norwegian")
	last := -1
	for _, at := range []string{"policy.yaml:7:25: ", "policy.yaml:9:63: ", "policy.yaml:15:36: "} {
		where := strings.Index(got.stderr, at)
		if where <= last {
			t.Errorf("%s stands at %d, the one before at %d:\n%s", at, where, last, got.stderr)
		}
		last = where
	}

	// For editors, the same as JSON on stdout.
	got = invoke(t, append(args, "-o", "json")...)
	var out struct {
		Valid      *bool `json:"valid"`
		Complaints []struct {
			File         string
			Line, Column int
			Path         string
			Message      string
			Hint         string
		} `json:"complaints"`
	}
	if err := json.Unmarshal([]byte(got.stdout), &out); err != nil {
		t.Fatal(err)
	}
	if got.code != exitInput || out.Valid == nil || *out.Valid || len(out.Complaints) != 3 {
		t.Fatalf("exit code %d and %+v", got.code, out)
	}
	if c := out.Complaints[0]; c.File != "policy.yaml" || c.Line != 7 || c.Column != 25 || c.Path != "spec.budgets[0].amount" || c.Hint != `quote it: "20"` {
		t.Errorf("%+v", c)
	}
}

func TestPolicyCheckSaysThatAllIsWellAsJSON(t *testing.T) {
	t.Chdir(small().write(t))
	got := invoke(t, "policy", "check", "policy.yaml", "--catalog", "catalog.yaml", "--profiles", "profiles.yaml", "-o", "json")
	succeeded(t, got)
	var out object
	if err := json.Unmarshal([]byte(got.stdout), &out); err != nil {
		t.Fatal(err)
	}
	expect(t, "the answer", out, map[string]string{"valid": "boolean", "complaints": "array"})
	if out["valid"] != true {
		t.Errorf("%s", got.stdout)
	}
}

// A mistake in a file that the policy is read against is a mistake all the same.
func TestPolicyCheckLooksAtEachFile(t *testing.T) {
	for file, change := range map[string][2]string{
		"catalog.yaml":  {`"5.07"`, "5.07"},
		"profiles.yaml": {"3g.40gb", "3g.20gb"},
		"policy.yaml":   {"profile: asr}\n  - {name: transcribe-fr", "profile: ars}\n  - {name: transcribe-fr"},
	} {
		t.Chdir(small().with(t, file, change[0], change[1]).write(t))
		for _, output := range []string{"table", "json"} {
			got := invoke(t, "policy", "check", "policy.yaml", "--catalog", "catalog.yaml", "--profiles", "profiles.yaml", "-o", output)
			if got.code != exitInput || !strings.Contains(got.stdout+got.stderr, file) {
				t.Errorf("%s: exit code %d, %s%s", file, got.code, got.stdout, got.stderr)
			}
		}
	}
	failed(t, invoke(t, "policy", "check", "nowhere.yaml"), exitInput, "nowhere.yaml")
	failed(t, invoke(t, "policy", "check", "nowhere.yaml", "-o", "json"), exitInput, "nowhere.yaml")
}
