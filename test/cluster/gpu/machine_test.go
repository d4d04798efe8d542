package gpu

import (
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"pgregory.net/rapid"
)

const file = `
version: v1
mig-configs:
  sevenths:
  - {devices: all, mig-enabled: true, mig-devices: {"1g.10gb": 7, "2g.20gb": 0}}
  mixed:
  - {device-filter: ["0x20B210DE"], devices: [0], mig-enabled: true, mig-devices: {"3g.40gb": 1, "4g.40gb": 1}}
  - {device-filter: "0x233010DE", devices: all, mig-enabled: true, mig-devices: {"7g.80gb": 1}}
  impossible:
  - {devices: all, mig-enabled: true, mig-devices: {"4g.40gb": 2}}
`

var a100 = Part{Type: "a100-80gb", Count: 2, Product: "A100", Device: "0x20b210de"}

func TestResolveReadsTheFileOfMIGParted(t *testing.T) {
	for _, c := range []struct {
		config string
		now    layout
		want   layout
		err    error
	}{
		{"sevenths", whole(2), layout{{"1g.10gb": 7}, {"1g.10gb": 7}}, nil},
		{"mixed", layout{nil, {"7g.80gb": 1}}, layout{{"3g.40gb": 1, "4g.40gb": 1}, {"7g.80gb": 1}}, nil}, // The second is not mentioned.
		{AllDisabled, layout{{}, {}}, whole(2), nil},
		{"absent", whole(2), nil, errUnknownConfig},
	} {
		got, err := resolve([]byte(file), c.config, a100, c.now)
		if !errors.Is(err, c.err) || !got.equal(c.want) {
			t.Errorf("%s on %v is %v, %v; want %v, %v", c.config, c.now, got, err, c.want, c.err)
		}
	}
	for _, broken := range []string{"version: v2", "version: v1\nmig-config: {}", "version: v1\nmig-configs: {a: [{devices: some}]}"} {
		if _, err := resolve([]byte(broken), "a", a100, whole(2)); err == nil || errors.Is(err, errUnknownConfig) {
			t.Errorf("%q was read: %v", broken, err)
		}
	}
}

func TestLegalIsWhatTheDriverGrants(t *testing.T) {
	for _, c := range []struct {
		part fleet.GPUType
		cut  slicing
		want bool
	}{
		{"a100-80gb", nil, true},
		{"a100-80gb", slicing{}, true},
		{"a100-80gb", slicing{"3g.40gb": 1, "4g.40gb": 1}, true},
		{"a100-80gb", slicing{"3g.40gb": 1, "2g.20gb": 1, "1g.10gb": 2}, true},
		{"a100-80gb", slicing{"4g.40gb": 2}, false},
		{"a100-80gb", slicing{"1g.10gb": 8}, false},
		{"a100-80gb", slicing{"1g.10gb+me": 2}, false},
		{"a100-80gb", slicing{"1g.5gb": 1}, false}, // A profile of another part.
		{"l4-24gb", nil, true},
		{"l4-24gb", slicing{}, false},
		{"never-heard-of", nil, false},
	} {
		if got := (layout{c.cut}).legal(c.part); got != c.want {
			t.Errorf("%v on %s: legal is %v, want %v", c.cut, c.part, got, c.want)
		}
	}
}

// Whatever is asked for and whatever goes wrong: the plugin reports nothing while it is
// paused, success without a fault means exactly what was asked for, and a change that
// was taken up ends or hangs.
func TestMachineKeepsTheProtocol(t *testing.T) {
	configs := []string{"", AllDisabled, "sevenths", "mixed", "impossible", "absent"}
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(0, 0)
		m := newMachine(a100, 3*time.Second, now)
		s := surroundings{
			apply: 2 * time.Second, patience: 4 * time.Second,
			resolve: func(c string, p Part, l layout) (layout, error) { return resolve([]byte(file), c, p, l) },
		}
		var last Fault // Of the change that ended last.
		fault := None
		s.fault = func() Fault { last = fault; return fault }
		for range 60 {
			if rapid.IntRange(0, 4).Draw(t, "relabel") == 0 {
				s.wanted = rapid.SampledFrom(configs).Draw(t, "wanted")
				fault = rapid.SampledFrom([]Fault{None, Stuck, Fails, SuccessWithoutDevices}).Draw(t, "fault")
			}
			s.clients = rapid.IntRange(0, 1).Draw(t, "clients")
			now = now.Add(time.Second)
			before, config := m.step, m.config
			m.advance(now, s)
			report := m.reported().resources()
			if (m.paused() || m.step == booting) && len(report) > 0 {
				t.Fatalf("in step %d it reports %v", m.step, report)
			}
			if m.paused() != (m.state == StatePending) {
				t.Fatalf("in step %d the state is %q", m.step, m.state)
			}
			if m.config != config && before != booting && before != serving && before != hanging {
				t.Fatalf("a change was interrupted in step %d", before)
			}
			if m.step == serving && m.state == StateSuccess && last == None && m.config != AllDisabled {
				want, err := resolve([]byte(file), m.config, a100, m.layout)
				if err != nil || !maps.Equal(report, want.resources()) {
					t.Fatalf("%s succeeded (%v) and %v is reported", m.config, err, report)
				}
			}
		}
		// Healthy, free and left alone it comes to rest with what was asked for last. Two other
		// values are asked for before, because what hangs or has failed needs another, and the
		// first of them may be the one in which it hangs.
		fault, s.clients = None, 0
		for _, s.wanted = range []string{AllDisabled, "mixed", "sevenths"} {
			for range 10 {
				now = now.Add(time.Second)
				m.advance(now, s)
			}
		}
		want := layout{{"1g.10gb": 7}, {"1g.10gb": 7}}
		if m.config != "sevenths" || m.state != StateSuccess || !m.reported().equal(want) {
			t.Fatalf("it rests in %q, %s, with %v", m.config, m.state, m.reported())
		}
	})
}
