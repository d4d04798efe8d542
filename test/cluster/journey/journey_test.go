package journey

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/test/cluster/prom"
)

// How long the parts of the day are.
const (
	morning  = 130 * time.Second // at least, from the start to the rise
	blackout = time.Minute       // without Prometheus; ten times as long with JOURNEY_FULL=1
	daylight = 3 * time.Minute   // of high traffic, without the blackout
)

// The hard cap of the policy, in nodes.
const mostNodes = 3

// journey is the day and all who are in it.
type journey struct {
	stage
	diary    *diary
	witness  *witness
	day      day
	blackout time.Duration
	a, b, s  *program
	begin    time.Time
	scaled   time.Time // when the person scaled
	byHand   int32     // to how many
}

// TestJourney is one timeline: each step goes on where the one before it ended.
func TestJourney(t *testing.T) {
	if testing.Short() {
		t.Skip("ten minutes; run it with make journey")
	}
	j := set(t)
	for _, step := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"1 the first GPU comes late, is cut as planned, and serves several languages", j.firstGPU},
		{"2 the next GPU is asked for before the traffic rises, and serves when it does", j.riseForeseen},
		{"3 Prometheus dies at the peak and nothing shrinks", j.prometheusDies},
		{"4 a person scales by hand and is left alone", j.personScales},
		{"5 the leader dies and the other takes over", j.leaderDies},
		{"6 the person's change is taken back when its time is over", j.personYields},
		{"7 the traffic falls and the second GPU goes, without a cut", j.fallsAsleep},
	} {
		j.diary.chapter(step.name)
		if !t.Run(step.name, step.run) {
			break
		}
	}
	j.diary.chapter("8 the audit log is read")
	t.Run("8 the audit log", j.judge)
}

// set builds and starts everything up to the program.
func set(t *testing.T) *journey {
	j := &journey{diary: newDiary(), blackout: blackout}
	if os.Getenv("JOURNEY_FULL") != "" {
		j.blackout *= 10
	}
	binary := build(t)
	j.diary.say("the program is built")
	j.cluster = newCluster(t, j.diary)
	j.operator = startOperator(t, j.cluster)
	j.prometheus = j.remembering(t)
	j.diary.say("Prometheus remembers %.0f days in which the traffic rises at %s and falls at %s", past.Hours()/24, j.day.rise.Format("15:04"), j.day.fall.Format("15:04"))
	j.emitter = startEmitter(t, j.cluster, j.day.rate)
	follow(t, j.prometheus, j.emitter)
	j.witness = watch(t, j.diary, j.cluster)
	time.Sleep(5 * time.Second) // some scrapes

	active := setup{binary: binary, mode: "active", kubeconfig: kubeconfig(t, j.cluster, activeAccount), prometheus: j.prometheus.Address()}
	shadow := active
	shadow.mode, shadow.kubeconfig = "shadow", kubeconfig(t, j.cluster, shadowAccount)
	j.begin = j.diary.restart()
	j.a = launch(t, "a", active)
	j.s = launch(t, "s", shadow)
	j.b = launch(t, "b", active)
	j.diary.say("three processes start: a and b active, s in shadow mode; the traffic rises at %s and falls at %s", j.diary.at(j.day.rise), j.diary.at(j.day.fall))
	j.diary.tellTraffic(t, j.emitter, 15*time.Second)
	return j
}

// remembering starts a Prometheus that knows the days before, and says by it when the
// traffic rises today. A machine may take long over the history: then the day begins
// again, and later.
func (j *journey) remembering(t *testing.T) *prom.Server {
	t.Helper()
	for prepare := 15 * time.Second; ; {
		began := time.Now()
		rise := began.Add(morning + prepare).Truncate(time.Minute).Add(time.Minute)
		j.day = day{rise, rise.Add((daylight + j.blackout).Truncate(time.Minute))}
		p := running(t, newPrometheus(t, j.day.rate))
		took := time.Since(began)
		if time.Until(rise) >= morning {
			return p
		}
		j.diary.say("the history took %.0f s; once more, with time for it", took.Seconds())
		if err := p.Stop(); err != nil {
			t.Fatal(err)
		}
		prepare = 2 * took
	}
}

// leader is the process that leads, nil while none does.
func (j *journey) leader(t *testing.T) (leads, other *program) {
	t.Helper()
	for _, p := range []*program{j.a, j.b} {
		if p.leads(t.Context()) {
			return p, map[*program]*program{j.a: j.b, j.b: j.a}[p]
		}
	}
	return nil, nil
}

// leads waits for the process that leads; one that is asked may be slow to answer.
func (j *journey) leads(t *testing.T) (leads, other *program) {
	t.Helper()
	eventually(t, patience, "one of the two leading", func() (bool, string) {
		leads, other = j.leader(t)
		return leads != nil, "a: " + j.a.readyz(t.Context()).String() + "\nb: " + j.b.readyz(t.Context()).String()
	})
	return leads, other
}

// mixed answers the node on which several languages serve, and which.
func (j *journey) mixed() (node string, languages map[string]int) {
	for n, models := range j.witness.serving() {
		if len(models) >= 2 {
			return n, models
		}
	}
	return "", nil
}

// why is what the leader says of itself, for the message of a failure.
func (j *journey) why(t *testing.T) string {
	leader, _ := j.leader(t)
	if leader == nil {
		leader = j.a
	}
	return leader.name + ": " + leader.readyz(t.Context()).String() + "\n" + leader.process.Tail()
}

// total counts all serving pods.
func total(serving map[string]map[string]int) int {
	n := 0
	for _, models := range serving {
		for _, pods := range models {
			n += pods
		}
	}
	return n
}

// described says which models serve where.
func described(serving map[string]map[string]int) string {
	var nodes []string
	for node, models := range serving {
		var parts []string
		for m, n := range models {
			parts = append(parts, fmt.Sprintf("%d×%s", n, m))
		}
		slices.Sort(parts)
		nodes = append(nodes, claimOf(node)+": "+strings.Join(parts, " + "))
	}
	slices.Sort(nodes)
	return strings.Join(nodes, "; ")
}
