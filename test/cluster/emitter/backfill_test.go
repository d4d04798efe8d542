package emitter

import (
	"bytes"
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"
)

var midnight = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)

func TestDaily(t *testing.T) {
	rate := Daily(1, 10, 22*time.Hour, 4*time.Hour)
	for at, want := range map[time.Duration]float64{
		0: 10, 2*time.Hour - time.Second: 10, 2 * time.Hour: 1, 12 * time.Hour: 1,
		22*time.Hour - time.Second: 1, 22 * time.Hour: 10, 46*time.Hour - time.Second: 1, 46 * time.Hour: 10,
	} {
		if got := rate("m", midnight.Add(at)); got != want {
			t.Errorf("at %v it is %v, want %v", at, got, want)
		}
	}
}

func TestBackfillIsTheTrafficOfTheRate(t *testing.T) {
	var text bytes.Buffer
	models := []Model{requests, sessions, queued}
	if err := Backfill(&text, models, midnight, midnight.Add(24*time.Hour), time.Minute, Daily(1, 10, 9*time.Hour, time.Hour)); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(text.String(), "\n# EOF\n") {
		t.Error("the text does not end in # EOF")
	}
	counts := map[string]map[string]float64{} // by time, then by name
	for line := range strings.Lines(text.String()) {
		fields := strings.Fields(line)
		if fields[0] == "#" {
			continue
		}
		value, errValue := strconv.ParseFloat(fields[1], 64)
		at, errTime := strconv.ParseFloat(fields[2], 64)
		if err := errors.Join(errValue, errTime); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		name, _, _ := strings.Cut(fields[0], "{")
		when := time.Unix(int64(at), 0).UTC().Format("02 15:04")
		if counts[when] == nil {
			counts[when] = map[string]float64{}
		}
		counts[when][name] += value
	}
	if n := len(counts); n != 24*60+1 {
		t.Errorf("%d times of samples, want 1441", n)
	}
	// Five standard deviations of what arrives in the busy hour. The gateway has two models.
	for name, times := range map[string]float64{
		"gateway_requests_total": 2, "nv_inference_request_success": 2, "vllm:request_success_total": 1,
		"kafka_topic_partition_current_offset": 1, "kafka_consumergroup_current_offset": 1,
	} {
		got := counts["02 10:00"][name] - counts["02 09:00"][name]
		if want := times * 36000; math.Abs(got-want) > 5*math.Sqrt(want) {
			t.Errorf("%s rose by %v in the busy hour, want about %v", name, got, want)
		}
		got = counts["02 09:00"][name] - counts["02 08:00"][name]
		if want := times * 3600; math.Abs(got-want) > 5*math.Sqrt(want) {
			t.Errorf("%s rose by %v in the hour before, want about %v", name, got, want)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestBackfillTellsWhatIsWrong(t *testing.T) {
	later := midnight.Add(time.Hour)
	one := func(string, time.Time) float64 { return 1 }
	models := []Model{requests}
	for want, err := range map[string]error{
		"after the beginning": Backfill(&bytes.Buffer{}, models, later, midnight, time.Minute, one),
		"a second or more":    Backfill(&bytes.Buffer{}, models, midnight, later, 0, one),
		"is nan":              Backfill(&bytes.Buffer{}, models, midnight, later, time.Minute, func(string, time.Time) float64 { return math.NaN() }),
		"no space left":       Backfill(full{}, models, midnight, later, time.Minute, one),
		"has no name":         Backfill(&bytes.Buffer{}, []Model{{}}, midnight, later, time.Minute, one),
	} {
		if err == nil || !contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
}
