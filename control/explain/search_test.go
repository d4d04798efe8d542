package explain_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/control/explain"
	"github.com/tessera-autoscaler/tessera/fleet"
)

// acting are the plans that did something.
func acting(all []explain.Entry) []explain.Entry {
	return slices.DeleteFunc(slices.Clone(all), func(e explain.Entry) bool { return len(e.Plan.Steps) == 0 })
}

func TestTheListHoldsTheNewestPlansThatDidSomething(t *testing.T) {
	lines := journalOf(t)
	want := acting(entries(t, lines))
	for _, last := range []int{1, 3, 10_000} {
		a, err := ask(t, lines, "", last)
		if err != nil {
			t.Fatal(err)
		}
		n := min(last, len(want))
		if a.Kind != explain.Plans || a.Total != len(want) || len(a.Events) != n {
			t.Fatalf("%d of %d plans, want %d of %d", len(a.Events), a.Total, n, len(want))
		}
		for i, v := range a.Events {
			w := want[len(want)-n+i].Plan
			if v.Plan != w.ID || !v.At.Equal(w.At) || v.All != len(w.Steps) || v.Text != w.Headline() {
				t.Errorf("%v in place of %s", v, w.ID)
			}
		}
	}
}

func TestEveryPlanIsFoundByItsIDAndByItsTime(t *testing.T) {
	lines := journalOf(t)
	all := entries(t, lines)
	for _, i := range []int{0, 1, len(all) / 2, len(all) - 1} {
		p := all[i].Plan
		for _, id := range []string{string(p.ID), p.At.Format(time.RFC3339), p.At.Add(3 * time.Second).In(time.FixedZone("", 7200)).Format(time.RFC3339)} {
			a, err := ask(t, lines, id, 1)
			if err != nil {
				t.Fatal(err)
			}
			if a.Explanation == nil || a.Explanation.Plan != p.ID || a.Explanation.Line != i+2 || len(a.Explanation.Steps) != len(p.Steps) {
				t.Errorf("%s is answered with %v", id, a.Explanation)
			}
		}
	}
}

// A node is told with the plan that bought it, a replica with the last that touched it.
func TestNodesAndReplicas(t *testing.T) {
	lines := journalOf(t)
	bought, last := map[string]fleet.PlanID{}, map[string]fleet.PlanID{}
	touched := map[string]int{}
	for _, e := range entries(t, lines) {
		for _, s := range e.Plan.Steps {
			switch s := s.(type) {
			case fleet.BuyNode:
				bought[s.Subject()] = e.Plan.ID
			case fleet.StartReplica, fleet.StopReplica:
				last[s.Subject()] = e.Plan.ID
				touched[s.Subject()]++
			}
		}
	}
	if len(bought) < 2 || len(last) < 3 {
		t.Fatalf("%d nodes, %d replicas: the test needs another scenario", len(bought), len(last))
	}
	for id, plan := range bought {
		a, err := ask(t, lines, id, 100)
		if err != nil || a.Kind != explain.ANode || a.Explanation == nil || a.Explanation.Plan != plan || a.Events[0].Plan != plan {
			t.Errorf("%s was bought by %s; the answer is %v, %v", id, plan, a, err)
		}
	}
	for id, plan := range last {
		a, err := ask(t, lines, id, 100)
		if err != nil || a.Kind != explain.AServer || a.Explanation == nil || a.Explanation.Plan != plan || a.Total != touched[id] {
			t.Errorf("%s was touched last by %s, %d times; the answer is %v, %v", id, plan, touched[id], a, err)
		}
	}
}

func TestAModelIsToldInShort(t *testing.T) {
	lines := journalOf(t)
	starts := 0
	for _, e := range entries(t, lines) {
		for _, s := range e.Plan.Steps {
			if start, ok := s.(fleet.StartReplica); ok && start.Model == "transcribe-fr" {
				starts++
			}
		}
	}
	a, err := ask(t, lines, "transcribe-fr", 1000)
	if err != nil || a.Kind != explain.AModel || a.Explanation != nil {
		t.Fatal(a.Kind, err)
	}
	for _, v := range a.Events {
		if v.Need == nil || v.Have == nil {
			t.Errorf("%s does not say what was needed", v.Plan)
		}
		for _, s := range v.Done {
			if !strings.HasPrefix(s.Subject, "transcribe-fr-") || s.Result != "done" {
				t.Errorf("%v", s)
			}
			if s.Kind == fleet.KindStartReplica {
				starts--
			}
		}
	}
	if starts != 0 {
		t.Errorf("%d starts are missing", starts)
	}
}

// Nothing decided is an answer, too: the record knows the name.
func TestWhatNoPlanTouched(t *testing.T) {
	lines := journalOf(t)
	all := entries(t, lines)
	i := 1 + slices.IndexFunc(all, func(e explain.Entry) bool {
		return len(e.Plan.Steps)+len(e.Plan.Held) == 0 && e.Plan.At.Hour() > 5
	})
	quiet := [][]byte{lines[0], lines[i]}
	in := inputsOf(t, lines[i])
	for id, says := range map[string]string{
		"transcribe-fr":                    "nothing was decided",
		string(in.Snapshot.Nodes[0].ID):    "it was there before",
		string(in.Snapshot.Replicas[0].ID): "it was there before",
	} {
		a, err := ask(t, quiet, id, 1)
		if err != nil || a.Total != 0 || !strings.Contains(a.Note, says) {
			t.Errorf("%s: %v, %v", id, a, err)
		}
	}
}

func TestWhatTheRecordDoesNotKnow(t *testing.T) {
	lines := journalOf(t)
	for id, near := range map[string]string{
		"plan-20260914T060030Z": "plan-20260914T060000Z",
		"2026-09-14T04:00:00Z":  "",
		"2026-09-15T06:00:00Z":  "",
		"transcribe-fi":         "",
		"plan-20269914T060030Z": "",
	} {
		_, err := ask(t, lines, id, 1)
		unknown, ok := errors.AsType[*explain.UnknownError](err)
		if !ok || !strings.Contains(unknown.Error(), id) || !strings.Contains(unknown.Error(), "from Mon 14 Sep 2026 05:00:00 UTC") {
			t.Errorf("%s: %v", id, err)
			continue
		}
		if near != "" && !slices.Contains(unknown.Near, near) {
			t.Errorf("%s: near are %v", id, unknown.Near)
		}
		if id == "transcribe-fi" && !slices.Contains(unknown.Known, "transcribe-fr") {
			t.Errorf("it does not know transcribe-fr, but %v", unknown.Known)
		}
	}
}

func TestARecordWithoutItsBeginning(t *testing.T) {
	s := explain.NewSearch(explain.Ask("", 1))
	if _, err := s.Line(journalOf(t)[1]); err == nil || !strings.Contains(err.Error(), "beginning of the file is missing") {
		t.Error(err)
	}
}
