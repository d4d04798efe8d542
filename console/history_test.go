package console

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// quiet is a tick of the fixture at another time, with a French demand.
func quiet(at time.Time, demand fleet.Signal) State {
	s := fixture()
	s.Record.Inputs.Now = at
	s.Record.Inputs.Snapshot.Models[1].Arrivals = demand
	s.Record.Plan = fleet.Plan{ID: "plan", At: at}
	return s
}

// The ring answers what a list of all that was ever seen would answer.
func TestHistoryAveragesLikeAListOfEverything(t *testing.T) {
	type seenAt struct {
		bin    time.Time
		demand float64
	}
	rapid.Check(t, func(t *rapid.T) {
		var h history
		var all []seenAt
		at := noon
		for range rapid.IntRange(1, 60).Draw(t, "ticks") {
			most := rapid.SampledFrom([]time.Duration{time.Minute, time.Hour, 72 * time.Hour}).Draw(t, "longest pause")
			at = at.Add(time.Duration(rapid.Int64Range(0, int64(most)).Draw(t, "pause")))
			signal := fleet.Unknown("no series")
			if rapid.Bool().Draw(t, "known") {
				v := rapid.Float64Range(0, 1000).Draw(t, "demand")
				signal = fleet.Measured(v, 0, 1)
				all = append(all, seenAt{at.Truncate(binWidth), v})
			}
			h.add(quiet(at, signal))
		}
		got := h.last(&h.models["transcribe-fr"].demand, 48*time.Hour)
		if len(got) != binCount {
			t.Fatalf("%d bins, want %d", len(got), binCount)
		}
		newest := at.Truncate(binWidth)
		for i, v := range got {
			bin := newest.Add(-time.Duration(binCount-1-i) * binWidth)
			sum, n := 0.0, 0
			for _, s := range all {
				if s.bin.Equal(bin) {
					sum, n = sum+s.demand, n+1
				}
			}
			if n == 0 != math.IsNaN(v) || n > 0 && math.Abs(v-sum/float64(n)) > 1e-9 {
				t.Fatalf("bin %s is %v, want the average of %d values, %v", bin, v, n, sum/float64(n))
			}
		}
	})
}

func TestHistoryBeginsAnewWithTheWorld(t *testing.T) {
	var h history
	h.add(quiet(noon, fleet.Measured(5, 0, 1)))
	h.add(quiet(noon.Add(-time.Hour), fleet.Measured(7, 0, 1)))
	if known := knownBins(&h); known != 1 {
		t.Errorf("%d bins are known after time ran backwards", known)
	}
}

func TestALongSilenceEmptiesTheHistory(t *testing.T) {
	var h history
	for i := range binCount {
		h.add(quiet(noon.Add(time.Duration(i)*binWidth), fleet.Measured(5, 0, 1)))
	}
	if known := knownBins(&h); known != binCount {
		t.Fatalf("%d bins are known of a full ring", known)
	}
	h.add(quiet(noon.Add(500*time.Hour), fleet.Measured(5, 0, 1)))
	if known := knownBins(&h); known != 1 {
		t.Errorf("%d bins are known after weeks of silence", known)
	}
}

func knownBins(h *history) int {
	_, _, known := extent(h.last(&h.models["transcribe-fr"].demand, 48*time.Hour))
	return known
}

func TestHistoryForgetsModelsThatLeft(t *testing.T) {
	var h history
	h.add(quiet(noon, fleet.Measured(5, 0, 1)))
	s := quiet(noon, fleet.Measured(5, 0, 1))
	s.Settings.Policy.Models = s.Settings.Policy.Models[:1]
	h.add(s)
	if _, there := h.models["transcribe-fr"]; there {
		t.Error("the model is still there")
	}
}

// Whatever the numbers, a chart stays within its box, in order, and has a piece
// for each run of known values.
func TestChartsStayInTheirBox(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.Float64Range(0, 1e9), rapid.Just(math.NaN()), rapid.Just(0.0))
		line := rapid.SliceOfN(value, 0, 288).Draw(t, "line")
		area := rapid.SliceOfN(value, 0, 288).Draw(t, "area")
		c := draw(line, area, 0)
		if !c.Usable {
			return
		}
		runs := 0
		for i, v := range line {
			if !math.IsNaN(v) && (i == 0 || math.IsNaN(line[i-1])) {
				runs++
			}
		}
		if len(c.Lines) != runs {
			t.Fatalf("%d pieces for %d runs", len(c.Lines), runs)
		}
		for _, points := range append(c.Lines, c.Areas...) {
			for point := range strings.SplitSeq(points, " ") {
				x, y, _ := strings.Cut(point, ",")
				px, errX := strconv.ParseFloat(x, 64)
				py, errY := strconv.ParseFloat(y, 64)
				if errX != nil || errY != nil || !(px >= 0 && px <= chartWidth && py >= 0 && py <= chartHeight) {
					t.Fatalf("point %q is outside", point)
				}
			}
		}
	})
}

func TestTheLogKeepsTheNewestAndMergesWhatRepeats(t *testing.T) {
	var l decisionLog
	held := func(minute int, subject string) State {
		s := quiet(noon.Add(time.Duration(minute)*time.Minute), fleet.Unknown("no series"))
		s.Record.Plan.ID = fleet.PlanID(fmt.Sprintf("plan-%05d", minute))
		s.Record.Plan.Held = []fleet.Reason{fleet.Because(fleet.ReasonHeldDelay, "subject", subject, "until", s.Record.Plan.At.Add(time.Hour))}
		return s
	}
	l.add(quiet(noon, fleet.Unknown(""))) // nothing to say
	if len(l.entries) != 0 {
		t.Fatal("a plan without anything is in the log")
	}
	for minute := range 3 {
		l.add(held(minute, "node-1"))
	}
	reader := l // as Board.look takes it
	l.add(held(2, "node-1"))
	if before := reader.newest(10); len(before) != 1 || before[0].Times != 3 {
		t.Errorf("a reader's copy changed: %+v", before)
	}
	l.add(held(3, "node-2"))
	l.add(held(4, "node-1"))
	got := l.newest(10)
	if len(got) != 3 || got[2].Times != 4 || got[2].Plan != "plan-00000" || !got[2].Until.Equal(noon.Add(2*time.Minute)) {
		t.Errorf("four of node-1, one of node-2, one of node-1 became %+v", got)
	}

	for minute := range 2 * logLength {
		s := fixture()
		s.Record.Plan.ID = fleet.PlanID(fmt.Sprintf("plan-%05d", minute))
		l.add(s) // with steps: never merged
	}
	got = l.newest(2 * logLength)
	if len(got) != logLength || got[0].Plan != "plan-00399" || got[logLength-1].Plan != "plan-00200" {
		t.Errorf("%d entries, from %s to %s", len(got), got[0].Plan, got[len(got)-1].Plan)
	}
}
