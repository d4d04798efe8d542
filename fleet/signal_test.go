package fleet

import (
	"encoding/json"
	"math"
	"testing"
	"time"
)

func TestUnknownNeverReadsAsANumber(t *testing.T) {
	for name, s := range map[string]Signal{
		"zero value":   {},
		"unknown":      Unknown("no target answered"),
		"NaN":          Measured(math.NaN(), 0, 1),
		"infinity":     Measured(math.Inf(1), 0, 1),
		"negative":     Measured(-1, 0, 1),
		"minus nought": Measured(math.Inf(-1), 0, 1),
	} {
		if v, ok := s.Read(); ok || !math.IsNaN(v) || s.State() != SignalUnknown {
			t.Errorf("%s: Read() = %v, %v in state %s", name, v, ok, s.State())
		}
	}
}

func TestZeroIsConfirmedOnlyWhenMeasured(t *testing.T) {
	s := Measured(0, time.Second, 1)
	if v, ok := s.Read(); v != 0 || !ok || s.State() != SignalZero {
		t.Errorf("Read() = %v, %v in state %s", v, ok, s.State())
	}
}

func TestSignalSurvivesJSON(t *testing.T) {
	for _, want := range []Signal{Measured(3.25, 5*time.Second, 0.5), Measured(0, time.Minute, 1), Unknown("two series"), {}} {
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got Signal
		if err := json.Unmarshal(text, &got); err != nil || got.State() != want.State() || got.String() != want.String() || got.Age() != want.Age() {
			t.Errorf("%s read back as %v, %v", text, got, err)
		}
	}
	var s Signal
	if err := json.Unmarshal([]byte(`{"state":"value"}`), &s); err == nil {
		t.Errorf("a value without its number read as %v", s)
	}
}
