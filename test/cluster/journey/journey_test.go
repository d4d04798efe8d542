package journey

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
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
	rise := time.Now().Add(morning + 15*time.Second).Truncate(time.Minute).Add(time.Minute)
	j.day = day{rise, rise.Add((daylight + j.blackout).Truncate(time.Minute))}
	j.prometheus = newPrometheus(t, j.day.rate)
	running(t, j.prometheus)
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

// mixed answers the node on which several languages serve, and which.
func (j *journey) mixed() (node string, languages map[string]int) {
	for n, models := range j.witness.serving() {
		if len(models) >= 2 {
			return n, models
		}
	}
	return "", nil
}

func (j *journey) firstGPU(t *testing.T) {
	eventually(t, 20*time.Second, "a purchase", func() (bool, string) {
		return len(j.witness.bought()) > 0, j.why(t)
	})
	first := j.witness.bought()[0]
	j.diary.say("the first node was asked for %.1f s after the start", first.asked.Sub(j.begin).Seconds())
	eventually(t, 60*time.Second, "several languages on one GPU", func() (bool, string) {
		_, serve := j.mixed()
		return len(serve) == len(languages), fmt.Sprintf("serving: %v; wanted: %v\n%s", j.witness.serving(), j.witness.wanted(), j.why(t))
	})
	first = j.witness.bought()[0]
	node, serve := j.mixed()
	j.diary.say("%d languages share one GPU, %.0f s after it was asked for: %s", len(serve), time.Since(first.asked).Seconds(), described(j.witness.serving()))
	if node != first.node {
		t.Errorf("the pods run on %s, and the plan's node is %s", node, first.node)
	}
	if late := first.offers.Sub(first.ready); late < deviceDelay-time.Second {
		t.Errorf("the GPU was there %s after the node was ready; the world should make it late by %s", late, deviceDelay)
	}
	if on := len(j.witness.serving()); on != 1 {
		t.Errorf("pods serve on %d nodes, want 1: %v", on, j.witness.serving())
	}
	eventually(t, 45*time.Second, "the leader knowing its signals", func() (bool, string) {
		leader, _ := j.leader(t)
		if leader == nil {
			return false, "nobody leads"
		}
		r := leader.readyz(t.Context())
		return r.Ready, r.String()
	})
	j.diary.say("the leader is ready: it knows the signals of its models")
	if lives := claims(t, j.cluster); len(lives) != 1 || lives[0].offering != "a2-ultragpu-1g" {
		t.Errorf("the audit log has the claims %v, want one of a2-ultragpu-1g", lives)
	}
}

func (j *journey) riseForeseen(t *testing.T) {
	eventually(t, time.Until(j.day.rise), "a second purchase before the rise", func() (bool, string) {
		return len(j.witness.bought()) > 1, j.why(t)
	})
	second := claims(t, j.cluster)[1]
	early := j.day.rise.Sub(second.asked)
	j.diary.say("the second node was asked for %.0f s before the rise", early.Seconds())
	if early <= 0 || early > 3*time.Minute {
		t.Errorf("the second node was asked for %s before the rise, want between 0 and 3m", early)
	}
	time.Sleep(time.Until(j.day.rise))
	before := tally(j.emitter)
	j.diary.say("the traffic rises; there serve %s", described(j.witness.serving()))
	eventually(t, 10*time.Second, "service on two nodes", func() (bool, string) {
		return len(j.witness.serving()) >= 2, fmt.Sprintf("%v\n%s", j.witness.serving(), j.why(t))
	})
	time.Sleep(time.Until(j.day.rise.Add(45 * time.Second))) // one and a half windows of the signals
	share, answers := tally(j.emitter).attained(before)
	j.diary.say("of %d answers since the rise %.1f %% came within %s", answers, 100*share, slo)
	if share < 0.95 || answers < 400 {
		t.Errorf("of %d answers at the rise %.1f %% came in time, want 95 %% of at least 400", answers, 100*share)
	}
}

func (j *journey) prometheusDies(t *testing.T) {
	held := j.witness.wanted()
	serving := total(j.witness.serving())
	from := time.Now()
	if err := j.prometheus.Kill(); err != nil {
		t.Fatal(err)
	}
	j.diary.say("Prometheus is killed")
	leader, _ := j.leader(t)
	if leader == nil {
		t.Fatal("nobody leads")
	}
	eventually(t, 25*time.Second, "the leader saying that signals are unknown", func() (bool, string) {
		r := leader.readyz(t.Context())
		ok, detail := r.check("signals")
		return !ok && detail != "", r.String()
	})
	_, detail := leader.readyz(t.Context()).check("signals")
	j.diary.say("/readyz of the leader: signals: %s", detail)
	steadily(t, time.Until(from.Add(j.blackout)), "during the blackout", func() (bool, string) {
		now := total(j.witness.serving())
		return now >= serving, fmt.Sprintf("%d pods serve, %d did before", now, serving)
	})
	to := time.Now()
	if less := shrinking(t, written(t, j.cluster, activeUser, from, to), held); len(less) > 0 {
		t.Errorf("something was taken away while nothing was known:%s", lines(less))
	}
	if err := j.prometheus.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	j.diary.say("Prometheus is back after %.0f s, in which nothing was taken away", to.Sub(from).Seconds())
	pid := leader.process
	eventually(t, 60*time.Second, "the service recovering", func() (bool, string) {
		r := leader.readyz(t.Context())
		return r.Ready, r.String()
	})
	if leader.process != pid || pid.Err() != nil {
		t.Error("the leader was started anew")
	}
	j.diary.say("the leader knows its signals again, %.0f s after Prometheus came back", time.Since(to).Seconds())
}

// byHand is the Deployment that the person scales.
const byHand = "transcribe-de-1g"

// yield is humans.yield of the configuration.
const yield = time.Minute

// handScaled is when the person scaled.
var handScaled time.Time

func (j *journey) personScales(t *testing.T) {
	config := rest.CopyConfig(j.cluster.Config)
	config.UserAgent = "kubectl/v1.36.3"
	person, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	to := j.witness.wanted()[byHand] + 1
	patch := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, to)
	handScaled = time.Now()
	if _, err := person.AppsV1().Deployments(modelsNamespace).Patch(t.Context(), byHand, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: "kubectl"}, "scale"); err != nil {
		t.Fatal(err)
	}
	j.diary.say("a person scales %s to %d", byHand, to)
	leader, _ := j.leader(t)
	eventually(t, 15*time.Second, "the hold being shown", func() (bool, string) {
		holds, _ := leader.metric(t.Context(), "tessera_holds")
		return holds != "" && holds != "0", "tessera_holds " + holds
	})
	page, err := get(t.Context(), leader.url+"/")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(page, byHand) && !strings.Contains(page, "transcribe-de") {
		t.Errorf("the page does not tell of %s", byHand)
	}
	j.diary.say("the hold is shown after %.0f s", time.Since(handScaled).Seconds())
}

func (j *journey) leaderDies(t *testing.T) {
	leader, other := j.leader(t)
	if leader == nil {
		t.Fatal("nobody leads")
	}
	held, lives := j.witness.wanted(), len(claims(t, j.cluster))
	before := tally(j.emitter)
	from := time.Now()
	if err := leader.process.Kill(); err != nil {
		t.Fatal(err)
	}
	j.diary.say("the leader, %s, is killed", leader.name)
	const duration = 6 * time.Second // lease.duration
	eventually(t, duration+5*time.Second, "the other taking over", func() (bool, string) {
		return other.leads(t.Context()), other.readyz(t.Context()).String()
	})
	j.diary.say("%s leads after %.1f s", other.name, time.Since(from).Seconds())
	eventually(t, 15*time.Second, "the new leader being ready", func() (bool, string) {
		r := other.readyz(t.Context())
		return r.Ready, r.String()
	})
	time.Sleep(5 * time.Second) // some plans
	if now := len(claims(t, j.cluster)); now != lives {
		t.Errorf("there were %d claims before and %d after", lives, now)
	}
	if less := shrinking(t, written(t, j.cluster, activeUser, from, time.Time{}), held); len(less) > 0 {
		t.Errorf("something was taken away at the peak:%s", lines(less))
	}
	share, answers := tally(j.emitter).attained(before)
	if share < 0.95 {
		t.Errorf("of %d answers meanwhile %.1f %% came in time, want 95 %%", answers, 100*share)
	}
	leader.start(t)
	j.diary.say("the old leader is started again and stands by; of %d answers meanwhile %.1f %% came in time", answers, 100*share)
}

func (j *journey) personYields(t *testing.T) {
	end := handScaled.Add(yield)
	time.Sleep(time.Until(end))
	var ours []string
	for _, e := range written(t, j.cluster, activeUser, handScaled, end.Add(-time.Second)) {
		if e.Resource == "deployments" && e.Name == byHand {
			ours = append(ours, e.String())
		}
	}
	if len(ours) > 0 {
		t.Errorf("%s is the person's for %s, and was written to:\n  %s", byHand, yield, strings.Join(ours, "\n  "))
	}
	j.diary.say("the person's time is over; nothing was written to %s in it", byHand)
	leader, _ := j.leader(t)
	eventually(t, 45*time.Second, "the change being taken back", func() (bool, string) {
		holds, _ := leader.metric(t.Context(), "tessera_holds")
		return j.witness.wanted()[byHand] == 1 && holds == "0", fmt.Sprintf("%s has %d replicas, tessera_holds %s\n%s", byHand, j.witness.wanted()[byHand], holds, j.why(t))
	})
}

func (j *journey) fallsAsleep(t *testing.T) {
	if left := time.Until(j.day.fall); left > 0 {
		j.diary.say("the traffic falls in %.0f s", left.Seconds())
		time.Sleep(left)
	}
	j.diary.say("the traffic falls")
	eventually(t, 3*time.Minute, "one GPU left", func() (bool, string) {
		there := 0
		for _, m := range j.witness.bought() {
			if m.gone.IsZero() {
				there++
			}
		}
		return there == 1, fmt.Sprintf("%d machines; wanted: %v\n%s", there, j.witness.wanted(), j.why(t))
	})
	j.diary.say("one GPU is left, %.0f s after the fall", time.Since(j.day.fall).Seconds())
	if cut := tally(j.emitter).sum().Cut; cut != 0 {
		t.Errorf("%d requests were cut, want none", cut)
	}
	writes := granted(written(t, j.cluster, activeUser, j.day.fall, time.Time{}))
	if n := len(of(writes, "delete", "nodeclaims")); n == 0 {
		t.Error("no NodeClaim was deleted by the program")
	}
	marked := 0
	for _, e := range of(writes, "patch", "pods") {
		if strings.Contains(string(e.Request), "controller.kubernetes.io/pod-deletion-cost") {
			marked++
		}
	}
	if marked == 0 {
		t.Error("no pod was marked by pod-deletion-cost before it went")
	}
	j.diary.say("%d pods were marked before they went, and nothing was cut", marked)
}

func (j *journey) judge(t *testing.T) {
	for _, p := range []*program{j.a, j.b, j.s} {
		if err := p.process.Terminate(10 * time.Second); err != nil {
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
