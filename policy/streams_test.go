package policy_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"
)

// captions is a model of sessions that last so many seconds, and wait up to a limit.
func captions(limit time.Duration, target, mean, cv float64, full fleet.Full) fleet.Model {
	m := streaming(limit, target, fleet.LeastLoad, cv)
	m.Profile.Serves, m.Profile.MeanWork, m.Profile.WhenFull = fleet.ServesSessions, mean, full
	return m
}

// holding is a server of so many streams.
func holding(streams int, interference float64) fleet.Performance {
	return fleet.Performance{
		Kind: fleet.SliceKind{GPU: "a100-80gb", Profile: "1g.10gb"}, Streams: streams, MemoryMiB: 9000, Interference: interference,
	}
}

// begun replays sessions one by one on so many streams, each in turn taking the
// stream that is free first if that is in time, and returns the share of
// session-seconds that ran.
func begun(rng *rand.Rand, m fleet.Model, streams int, rate float64, sessions int) float64 {
	law := func() float64 { return 1 }
	if cv := m.Profile.WorkCV; cv > 0 {
		gamma := distuv.Gamma{Alpha: 1 / (cv * cv), Beta: 1 / (cv * cv), Src: rng}
		law = gamma.Rand
	}
	patience := m.SLO.Limit.Seconds()
	if m.Profile.WhenFull == fleet.FullRefuses {
		patience = 0
	}
	free := make([]float64, streams)
	now, asked, ran := 0.0, 0.0, 0.0
	for i := range sessions {
		now += rng.ExpFloat64() / rate
		first := 0
		for j := range free {
			if free[j] < free[first] {
				first = j
			}
		}
		lasts := law() * m.Profile.MeanWork
		begins := math.Max(now, free[first])
		late := begins-now > patience
		if !late {
			free[first] = begins + lasts
		}
		if i >= sessions/10 {
			asked += lasts
			if !late {
				ran += lasts
			}
		}
	}
	return ran / asked
}

func TestSessionCapacityIsThatOfErlangB(t *testing.T) {
	for _, streams := range []int{1, 2, 10, 100, 3000} {
		for _, target := range []float64{0.5, 0.9, 0.99, 0.9999} {
			m := captions(time.Second, target, 100, 0.7, fleet.FullRefuses)
			offered := policy.NewSizer().Capacity(m, holding(streams, 0), 1) * 100
			blocked := 1.0
			for k := 1; k <= streams; k++ {
				blocked = offered * blocked / (float64(k) + offered*blocked)
			}
			if math.Abs(blocked/(1-target)-1) > 1e-6 {
				t.Errorf("%d streams at an offered load of %.6g refuse %.6g of the sessions, the target leaves %.6g", streams, offered, blocked, 1-target)
			}
		}
	}
}

// TestSessionCapacityKeepsTheTargetInAReplay: at the capacity the target is met, and
// clearly above it it is not, for durations of every variation.
func TestSessionCapacityKeepsTheTargetInAReplay(t *testing.T) {
	for _, tt := range []struct {
		streams, servers int
		limit            time.Duration
		full             fleet.Full
		below            float64 // how far below the target the replay may come out
	}{
		{4, 3, time.Second, fleet.FullRefuses, 0.003},
		{12, 4, 5 * time.Second, fleet.FullWaits, 0.003},
		{4, 2, 2 * time.Minute, fleet.FullWaits, 0.006}, // as long as the sessions are
	} {
		for _, cv := range []float64{0, 1, 2} {
			t.Run(fmt.Sprintf("%d×%d streams, %s %v, variation %v", tt.servers, tt.streams, tt.full, tt.limit, cv), func(t *testing.T) {
				m := captions(tt.limit, 0.95, 120, cv, tt.full)
				rate := policy.NewSizer().Capacity(m, holding(tt.streams, 0), tt.servers)
				all := tt.streams * tt.servers
				if got := begun(rand.New(rand.NewPCG(1, 2)), m, all, rate, 400_000); got < 0.95-tt.below {
					t.Errorf("%.4f in real time at %.4g/s", got, rate)
				}
				if got := begun(rand.New(rand.NewPCG(1, 2)), m, all, rate*1.25, 100_000); got > 0.95 {
					t.Errorf("%.4f in real time at a quarter above %.4g/s", got, rate)
				}
			})
		}
	}
}

// TestPatienceLiesBetweenRefusalAndALine: no patience is Erlang's loss system, and
// endless patience carries what the streams do.
func TestPatienceLiesBetweenRefusalAndALine(t *testing.T) {
	z := policy.NewSizer()
	at := func(limit time.Duration, full fleet.Full) float64 {
		return z.Capacity(captions(limit, 0.99, 600, 1, full), holding(10, 0), 2)
	}
	loss, short, long, endless := at(time.Second, fleet.FullRefuses), at(time.Nanosecond, fleet.FullWaits), at(time.Minute, fleet.FullWaits), at(10000*time.Hour, fleet.FullWaits)
	if math.Abs(short/loss-1) > 1e-6 {
		t.Errorf("no patience carries %v, refusal %v", short, loss)
	}
	if !(long > short*1.02) {
		t.Errorf("a minute of patience carries %v, none %v", long, short)
	}
	if want := 20 / 600.0; endless < want || endless > want/0.99*1.001 {
		t.Errorf("endless patience carries %v, 20 streams %v", endless, want)
	}
}

func TestSessionCapacityProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		full := rapid.SampledFrom([]fleet.Full{fleet.FullWaits, fleet.FullRefuses}).Draw(t, "when full")
		limit := time.Duration(rapid.Float64Range(0.001, 1e5).Draw(t, "limit") * 1e9)
		m := captions(limit, rapid.Float64Range(0.5, 0.9999).Draw(t, "target"), rapid.Float64Range(1, 7200).Draw(t, "mean"), rapid.Float64Range(0, 4).Draw(t, "cv"), full)
		perf := holding(rapid.IntRange(2, 400).Draw(t, "streams"), rapid.Float64Range(0, 1).Draw(t, "interference"))
		n := rapid.IntRange(1, 40).Draw(t, "n")
		z := policy.NewSizer()
		base := z.Capacity(m, perf, n)
		offered, streams := base*m.Profile.MeanWork, float64(n*perf.RealTime(true))
		if !(base > 0) || offered > streams/m.SLO.Target*(1+1e-9) {
			t.Fatalf("%v streams carry an offered load of %v", streams, offered)
		}
		if more := z.Capacity(m, perf, n+1); more <= base {
			t.Fatalf("%d servers carry %v, one more %v", n, base, more)
		}
		if twice := z.Capacity(m, perf, 2*n); twice < 2*base*(1-1e-9) {
			t.Fatalf("one pool of %d carries %v, two of %d %v each", 2*n, twice, n, base)
		}
		strict := m
		strict.SLO.Target = (1 + m.SLO.Target) / 2
		if less := z.Capacity(strict, perf, n); less > base*(1+1e-9) {
			t.Fatalf("a stricter target carries %v, the looser %v", less, base)
		}
		if got := policy.SessionRate(m, n*perf.RealTime(true)); got != base {
			t.Fatalf("as many streams carry %v and %v", got, base)
		}
		rate := base * rapid.Float64Range(0.01, 3).Draw(t, "load")
		need := z.Replicas(m, perf, rate)
		if z.Capacity(m, perf, need) < rate || need > 1 && z.Capacity(m, perf, need-1) >= rate {
			t.Fatalf("%d servers for %v/s: they carry %v, one fewer %v", need, rate, z.Capacity(m, perf, need), z.Capacity(m, perf, need-1))
		}
	})
}

func TestProfilesOfSessions(t *testing.T) {
	const frame = `apiVersion: tessera/v1alpha1
kind: Profiles
spec:
  profiles:
  - name: asr-live
    %s
    variants:
    - name: fp16
      slices:
        a100-80gb/1g.10gb: {%s}
`
	for _, tt := range []struct{ name, profile, slice, want string }{
		{"sound", "{serves: sessions, meanWork: 600}", "streams: 12, memory: 9000Mi", ""},
		{"with batches, which change nothing", "{serves: sessions, meanWork: 600}", "batch: [1], seconds: [0.1], streams: 12, memory: 9000Mi", ""},
		{"no streams", "{serves: sessions, meanWork: 600}", "memory: 9000Mi", "streams = 0: a profile of sessions says how many a server holds in real time at once"},
		{"no duration", "{serves: sessions}", "streams: 12, memory: 9000Mi", "add meanWork: the mean duration of a session in seconds"},
		{"days", "{serves: sessions, meanWork: 100000}", "streams: 12, memory: 9000Mi", "sessions of more than a day"},
		{"a discipline of requests", "{serves: sessions, meanWork: 600, queue: central}", "streams: 12, memory: 9000Mi", "queue has no effect"},
		{"none beside neighbours", "{serves: sessions, meanWork: 600}", "streams: 1, interference: 0.5, memory: 9000Mi", "not one session runs in real time"},
		{"requests that are refused", "{whenFull: refuse}", "batch: [1], seconds: [0.1], memory: 9000Mi", "whenFull has no effect"},
		{"requests without times", "{meanWork: 3}", "streams: 12, memory: 9000Mi", "].batch: required key is missing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list, err := policy.LoadProfiles(policy.Source{Name: "p.yaml", Data: fmt.Appendf(nil, frame, strings.ReplaceAll(strings.Trim(tt.profile, "{}"), ", ", "\n    "), tt.slice)})
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("complained %v, want %q", err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if p := list[0]; !p.Sessions() || p.WhenFull != fleet.FullWaits || p.Unit != "session-second" {
				t.Errorf("read %+v", p)
			}
		})
	}
}

func TestSessionsAreNoAsynchronousWork(t *testing.T) {
	catalog, _ := shop(t)
	m := captions(time.Second, 0.99, 600, 1, fleet.FullWaits)
	m.Profile.Variants = []fleet.Variant{{Name: "v", Accuracy: 1, Slices: []fleet.Performance{holding(10, 0)}}}
	const file = `apiVersion: tessera/v1alpha1
kind: FleetPolicy
metadata: {name: p}
spec:
  currency: USD
  models:
  - {name: captions, class: %s, profile: p}
`
	if _, err := policy.Load(policy.Source{Name: "p.yaml", Data: fmt.Appendf(nil, file, "batch")}, catalog, []fleet.PerformanceProfile{m.Profile}); err == nil || !strings.Contains(err.Error(), "a live stream cannot be served later") {
		t.Errorf("complained %v", err)
	}
	p, err := policy.Load(policy.Source{Name: "p.yaml", Data: fmt.Appendf(nil, file, "live")}, catalog, []fleet.PerformanceProfile{m.Profile})
	if err != nil {
		t.Fatal(err)
	}
	if text := p.Describe(); !strings.Contains(text, "sessions/s a replica") || !strings.Contains(text, "10 streams at once") {
		t.Errorf("described as\n%s", text)
	}
}
