package console

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
)

func TestNumbersForPeople(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{number(0), "0"},
		{number(0.00123), "0.0012"},
		{number(3.14159), "3.14"},
		{number(31.4159), "31.4"},
		{number(1234567.8), "1\u202f234\u202f568"},
		{number(math.Inf(1)), "–"},
		{number(math.NaN()), "–"},
		{percent(0.9954), "99.54 %"},
		{percent(1), "100.00 %"},
		{wholePercent(0.554), "55 %"},
		{money(fleet.Micros(-1234567890000, "USD")), "-$1\u202f234\u202f567.89"},
		{money(fleet.Micros(5_070_000, "SEK")), "5.07 SEK"},
		{span(-time.Second), "0 ms"},
		{span(59 * time.Second), "59 s"},
		{span(90 * time.Second), "1 min 30 s"},
		{span(2 * time.Hour), "2 h"},
		{span(75 * time.Hour), "3 d 3 h"},
		{counted(1, "node"), "1 node"},
		{counted(2, "node"), "2 nodes"},
		{briefly(noon, noon.Add(time.Hour)), "12:00:00"},
		{briefly(noon, noon.Add(24*time.Hour)), "18 Nov 12:00"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}

func TestOnlyAllIsAHundredPercent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		missed := rapid.Float64Range(1e-9, 1).Draw(t, "missed")
		if v := 1 - missed; v < 1-1e-9 && percent(v) == percent(1) {
			t.Fatalf("%v reads as %s", v, percent(v))
		}
	})
}

// A slice that lies wrong, of a GPU that nobody knows, is still drawn.
func TestUnknownGPUsAreDrawn(t *testing.T) {
	seats := seatingOf(fixture())
	v := gpuOf(fleet.GPUID{Node: "node-00009"}, fleet.GPU{Type: "future-9000", Geometry: fleet.Geometry{{Profile: "whole"}}}, seats)
	if len(v.Slices) != 1 || v.Slices[0].State != sliceFree || v.MemorySlices != 1 {
		t.Errorf("drawn as %+v", v)
	}
	v = gpuOf(fleet.GPUID{Node: "node-00009"}, fleet.GPU{Type: "a100-80gb"}, seats)
	if len(v.Slices) != 1 || v.Slices[0].State != sliceUncut || v.Slices[0].Size != 8 {
		t.Errorf("a GPU that is not cut is drawn as %+v", v)
	}
}
