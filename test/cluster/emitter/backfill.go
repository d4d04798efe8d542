package emitter

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"time"
)

// backfillSeed draws the arrivals of a history: the same each time.
const backfillSeed = 1

// Daily is a rate with the same rise each day (UTC): low, but high from the given time
// after midnight for so long, which may run past midnight.
func Daily(low, high float64, from, length time.Duration) Rate {
	return func(_ string, at time.Time) float64 {
		const day = 24 * time.Hour
		since := time.Duration(at.Unix()%86400)*time.Second - from%day
		if (since+day)%day < length {
			return high
		}
		return low
	}
}

// Backfill writes what Prometheus would have kept of models from one time to another,
// a sample each step, as OpenMetrics text for
//
//	promtool tsdb create-blocks-from openmetrics FILE DIRECTORY
//
// Arrivals are Poisson at the given rate, and all were served. Of a model there are
// the counter of the gateway and those of its server program, or the offsets of its
// topic, under the names and the model's labels of the live targets, but with
// instance="history": sums by model run on from it to the live series. Since
// Prometheus takes no samples older than its newest block, `to` must not lie in the
// future. The step is a second or more; at a minute, rates over five minutes still
// have samples enough.
func Backfill(w io.Writer, models []Model, from, to time.Time, step time.Duration, rate Rate) error {
	models, err := complete(models)
	switch {
	case err != nil:
		return fmt.Errorf("backfill: %w", err)
	case step < time.Second:
		return fmt.Errorf("backfill: step = %v: give a second or more", step)
	case !from.Before(to):
		return fmt.Errorf("backfill: it ends at %v and begins at %v: give an end after the beginning", to, from)
	}
	counts := map[string][]int{}
	for _, m := range models {
		if counts[m.Name], err = arrivals(m.Name, from, to, step, rate); err != nil {
			return fmt.Errorf("backfill: %w", err)
		}
	}
	h := history{bufio.NewWriter(w), from, step, counts}
	for _, f := range histories {
		h.family(f, models)
	}
	_, _ = h.out.WriteString("# EOF\n")
	if err := h.out.Flush(); err != nil {
		return fmt.Errorf("backfill: writing: %w", err)
	}
	return nil
}

// arrivals counts what arrived from the beginning up to each sample.
func arrivals(model string, from, to time.Time, step time.Duration, rate Rate) ([]int, error) {
	random := newRandom(backfillSeed, model)
	var counts []int
	n := 0
	for at := from; !at.After(to); at = at.Add(step) {
		counts = append(counts, n)
		r := rate(model, at)
		if !(r >= 0) || math.IsInf(r, 0) {
			return nil, fmt.Errorf("the rate of %s at %s is %v: give a finite number of requests a second, zero or more", model, at.Format(time.RFC3339), r)
		}
		n += poisson(r*step.Seconds(), random)
	}
	return counts, nil
}

// kept is a metric of the history: which models have it, under which labels.
type kept struct {
	family, kind string // name of the family and type, as OpenMetrics wants them
	name         string // of the samples
	of           func(Model) bool
	labels       func(m Model, partition int) string
}

// Names that do not end in _total are no counters in OpenMetrics; Prometheus does not
// mind in queries.
var histories = []kept{
	{"gateway_requests", "counter", "gateway_requests_total", func(m Model) bool { return !m.asynchronous() }, modelLabel("model", JobGateway, "")},
	{"nv_inference_request_success", "unknown", "nv_inference_request_success", is(Triton), modelLabel("model", JobTriton, `,version="1"`)},
	{"vllm:request_success", "counter", "vllm:request_success_total", is(VLLM), modelLabel("model_name", JobVLLM, `,engine="0",finished_reason="stop"`)},
	{"kafka_topic_partition_current_offset", "gauge", "kafka_topic_partition_current_offset", Model.asynchronous, topicLabels(false)},
	{"kafka_consumergroup_current_offset", "gauge", "kafka_consumergroup_current_offset", Model.asynchronous, topicLabels(true)},
}

func is(pack Pack) func(Model) bool { return func(m Model) bool { return m.Pack == pack } }

func modelLabel(label, job, more string) func(Model, int) string {
	return func(m Model, _ int) string {
		return fmt.Sprintf(`%s=%q,job=%q,instance="history"%s`, label, m.Name, job, more)
	}
}

func topicLabels(group bool) func(Model, int) string {
	return func(m Model, partition int) string {
		labels := fmt.Sprintf(`topic=%q,partition="%d",job=%q,instance="history"`, m.Topic, partition, JobKafka)
		if group {
			labels += fmt.Sprintf(`,consumergroup=%q`, m.Group)
		}
		return labels
	}
}

// history writes families of samples.
type history struct {
	out    *bufio.Writer
	from   time.Time
	step   time.Duration
	counts map[string][]int
}

// family writes one metric of all models that have it. Errors stay in the writer.
func (h *history) family(k kept, models []Model) {
	if !slices.ContainsFunc(models, k.of) {
		return
	}
	fmt.Fprintf(h.out, "# TYPE %s %s\n", k.family, k.kind)
	for _, m := range models {
		if !k.of(m) {
			continue
		}
		partitions := 1
		if m.asynchronous() && k.kind == "gauge" {
			partitions = m.Partitions
		}
		for p := range partitions {
			h.series(k.name+"{"+k.labels(m, p)+"} ", h.counts[m.Name], p, partitions)
		}
	}
}

// series writes the samples of one series: the share of a partition in the counts.
func (h *history) series(name string, counts []int, partition, partitions int) {
	var line []byte
	for i, n := range counts {
		line = append(line[:0], name...)
		line = strconv.AppendInt(line, int64(dealt(n, partition, partitions)), 10)
		line = append(line, ' ')
		line = strconv.AppendFloat(line, float64(h.from.Add(time.Duration(i)*h.step).UnixMilli())/1000, 'f', 3, 64)
		_, _ = h.out.Write(append(line, '\n'))
	}
}
