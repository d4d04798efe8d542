package journey

import (
	"strings"
	"testing"
	"time"
)

func (j *journey) judge(t *testing.T) {
	leader, other := j.leads(t)
	for _, p := range []*program{other, j.s, leader} { // lest the other take over once more
		if err := p.process.Terminate(patience); err != nil {
			t.Error(err)
		}
	}
	time.Sleep(time.Second) // the last events of the audit log
	all := written(t, j.cluster, activeUser, time.Time{}, time.Time{})
	j.diary.say("the program wrote %d times: %s", len(all), count(all))
	if len(all) == 0 {
		t.Error("the program wrote nothing: is the user right?")
	}
	if bad := unplanned(all); len(bad) > 0 {
		t.Errorf("%d writes bear no plan:%s", len(bad), lines(bad[:min(10, len(bad))]))
	}
	if bad := foreign(all); len(bad) > 0 {
		t.Errorf("%d writes are about things that are not the program's:%s", len(bad), lines(bad[:min(10, len(bad))]))
	}
	if bad := written(t, j.cluster, shadowUser, time.Time{}, time.Time{}); len(bad) > 0 {
		t.Errorf("shadow mode wrote %d times:%s", len(bad), lines(bad[:min(10, len(bad))]))
	}
	events, err := j.cluster.Audit()
	if err != nil {
		t.Fatal(err)
	}
	reads := 0
	for _, e := range events {
		if e.User != activeUser && e.User != shadowUser {
			continue
		}
		reads++
		if e.Code == 403 {
			t.Errorf("refused for lack of rights: %s", e)
		}
	}
	j.diary.say("of %d requests of both users none lacked a right", reads)
	n, at := most(claims(t, j.cluster))
	if n == 0 {
		t.Fatal("no claim was ever made")
	}
	j.diary.say("at most %d nodes were there at one time, from %s on; the cap allows %d", n, j.diary.at(at), mostNodes)
	if n > mostNodes {
		t.Errorf("%d nodes were there at %s, above the cap of %d", n, at, mostNodes)
	}
	for _, term := range terms(t, all) {
		j.diary.say("from %s on %s held the lease", j.diary.at(term.from), term.holder)
	}
	if who := scribes(t, all); len(who) != 2 || who[0] == who[1] {
		t.Errorf("the ledger was written by %v in turn, want two leaders, one after the other", who)
	}
	j.judgeEvents(t)
}

// judgeEvents wants events that say why, with numbers.
func (j *journey) judgeEvents(t *testing.T) {
	said := j.witness.said()
	kinds := map[string]string{}
	for _, e := range said {
		if strings.ContainsAny(e.Message, "0123456789") {
			kinds[e.InvolvedObject.Kind] = e.Message
		}
	}
	for _, kind := range []string{"Deployment", "NodeClaim"} {
		if kinds[kind] == "" {
			t.Errorf("no event about a %s says a number; %d were seen", kind, len(said))
		} else {
			j.diary.say("for example, of a %s: %s", kind, kinds[kind])
		}
	}
}
