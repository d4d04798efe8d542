package journey

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

func (j *journey) prometheusDies(t *testing.T) {
	held := j.witness.wanted()
	serving := total(j.witness.serving())
	from := time.Now()
	if err := j.prometheus.Kill(); err != nil {
		t.Fatal(err)
	}
	j.diary.say("Prometheus is killed")
	leader, _ := j.leads(t)
	eventually(t, patience, "the leader saying that signals are unknown", func() (bool, string) {
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
	if less := decided(shrinking(t, written(t, j.cluster, activeUser, from, to), held), from); len(less) > 0 {
		t.Errorf("something was taken away while nothing was known:%s", lines(less))
	}
	if err := j.prometheus.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	j.diary.say("Prometheus is back after %.0f s, in which nothing was taken away", to.Sub(from).Seconds())
	pid := leader.process
	eventually(t, patience, "the service recovering", func() (bool, string) {
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

func (j *journey) personScales(t *testing.T) {
	config := rest.CopyConfig(j.cluster.Config)
	config.UserAgent = "kubectl/v1.36.3"
	person, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	j.byHand = j.witness.wanted()[byHand] + 1
	patch := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, j.byHand)
	j.scaled = time.Now()
	if _, err := person.AppsV1().Deployments(modelsNamespace).Patch(t.Context(), byHand, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: "kubectl"}, "scale"); err != nil {
		t.Fatal(err)
	}
	j.diary.say("a person scales %s to %d", byHand, j.byHand)
	leader, _ := j.leads(t)
	eventually(t, yield-5*time.Second, "the hold being shown", func() (bool, string) {
		holds, _ := leader.metric(t.Context(), "tessera_holds")
		return holds != "" && holds != "0", "tessera_holds " + holds
	})
	eventually(t, patience, "the page telling of it", func() (bool, string) {
		page, err := get(t.Context(), leader.url+"/")
		return err == nil && (strings.Contains(page, byHand) || strings.Contains(page, "transcribe-de")), fmt.Sprint(page, err)
	})
	j.diary.say("the hold is shown after %.0f s", time.Since(j.scaled).Seconds())
}

func (j *journey) leaderDies(t *testing.T) {
	leader, other := j.leads(t)
	held, lives := j.witness.wanted(), len(claims(t, j.cluster))
	before := tally(j.emitter)
	from := time.Now()
	if err := leader.process.Kill(); err != nil {
		t.Fatal(err)
	}
	j.diary.say("the leader, %s, is killed", leader.name)
	eventually(t, patience, "the other taking over", func() (bool, string) {
		return other.leads(t.Context()), other.readyz(t.Context()).String()
	})
	j.diary.say("%s leads after %.1f s", other.name, time.Since(from).Seconds())
	eventually(t, patience, "the new leader being ready", func() (bool, string) {
		r := other.readyz(t.Context())
		return r.Ready, r.String()
	})
	time.Sleep(5 * time.Second) // some plans
	if now := len(claims(t, j.cluster)); now != lives {
		t.Errorf("there were %d claims before and %d after", lives, now)
	}
	if less := decided(shrinking(t, written(t, j.cluster, activeUser, from, time.Time{}), held), from); len(less) > 0 {
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
	end := j.scaled.Add(yield)
	time.Sleep(time.Until(end))
	var ours []string
	for _, e := range written(t, j.cluster, activeUser, j.scaled, end.Add(-time.Second)) {
		if e.Resource == "deployments" && e.Name == byHand {
			ours = append(ours, e.String())
		}
	}
	if len(ours) > 0 {
		t.Errorf("%s is the person's for %s, and was written to:\n  %s", byHand, yield, strings.Join(ours, "\n  "))
	}
	j.diary.say("the person's time is over; nothing was written to %s in it", byHand)
	leader, _ := j.leads(t)
	eventually(t, patience, "the change being taken back", func() (bool, string) {
		holds, _ := leader.metric(t.Context(), "tessera_holds")
		return j.witness.wanted()[byHand] < j.byHand && holds == "0", fmt.Sprintf("%s has %d replicas, tessera_holds %s\n%s", byHand, j.witness.wanted()[byHand], holds, j.why(t))
	})
}
