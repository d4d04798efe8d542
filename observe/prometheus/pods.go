package prometheus

import (
	"errors"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// pods judges a signal that packs know by pod. A gauge that is there now is of a
// scrape that succeeded, so that there is no coverage to ask for.
func (j *judgement) pods(k kind) map[PodKey]fleet.Signal {
	out := map[PodKey]fleet.Signal{}
	for source := range j.sources {
		a := about{source: source, kind: k}
		t := j.tables[a]
		if t.cause != "" {
			continue // take has noted it
		}
		seen := map[string]PodKey{}
		for _, rows := range t.rows {
			for key, list := range rows {
				seen[key] = PodKey{string(list[0].labels["namespace"]), string(list[0].labels["pod"])}
			}
		}
		for key, pod := range seen {
			if pod.Namespace == "" || pod.Pod == "" {
				j.doubt(a, "some series have no namespace or no pod: add both labels where the pods are scraped")
				continue
			}
			if _, twice := out[pod]; twice {
				j.doubt(a, "pod %s/%s is told of by another source too: part the sources by matchers", pod.Namespace, pod.Pod)
				out[pod] = j.unknown(a, "two sources tell of the pod")
				continue
			}
			out[pod] = j.pod(a, t, key)
		}
	}
	return out
}

func (j *judgement) pod(a about, t table, key string) fleet.Signal {
	r, err := t.one("value", key)
	switch {
	case errors.Is(err, errNoSeries):
		return j.unknown(a, "%s", j.absence(a.source, key, j.sources[a.source].Pack.signal(a.kind)))
	case err != nil:
		j.doubt(a, "%s: %v", key, err)
		return j.unknown(a, "%s: %v", key, err)
	}
	value := r.number
	if a.kind == podUtil {
		if value, err = asShare(value); err != nil {
			return j.unknown(a, "%v", err)
		}
	}
	age, err := j.ageOf(t, key)
	if err != nil {
		return j.unknown(a, "no sample of %s now: %v", key, err)
	}
	return fleet.Measured(value, age, 1)
}
