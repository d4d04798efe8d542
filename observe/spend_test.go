package observe

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/observe/cluster"
)

func dollars(text string) fleet.Money {
	m, err := fleet.ParseMoney(text, "USD")
	if err != nil {
		panic(err)
	}
	return m
}

// spent is what was spent by two groups, as text.
type spent struct{ day, month, deDay, deMonth, frDay, frMonth string }

func (s spent) spend() fleet.Spend {
	return fleet.Spend{Day: dollars(s.day), Month: dollars(s.month), Groups: []fleet.GroupSpend{
		{Group: "team-de", Day: dollars(s.deDay), Month: dollars(s.deMonth)}, {Group: "team-fr", Day: dollars(s.frDay), Month: dollars(s.frMonth)},
	}}
}

// shared is a node at five dollars an hour, asked for at an instant, of which de has
// three memory slices and fr one.
func shared(asked time.Time) cluster.View {
	v := running()
	v.Nodes[0].RequestedAt = asked
	v.Replicas = []fleet.Replica{
		{ID: "de-1", Model: "de", Slice: v.Replicas[0].Slice}, {ID: "de-2", Model: "de", Slice: v.Replicas[2].Slice}, {ID: "fr-1", Model: "fr", Slice: v.Replicas[1].Slice},
	}
	return v
}

func TestSpend(t *testing.T) {
	last := time.Date(2026, 3, 31, 23, 0, 0, 0, time.UTC)
	before := spent{"10", "100", "6", "60", "4", "40"}
	for _, c := range []struct {
		name           string
		asked, at, now time.Time
		idle           bool
		before, want   spent
	}{
		{
			name: "an hour of one day", asked: start.Add(-time.Hour), at: start, now: start.Add(time.Hour), before: before,
			want: spent{"15", "105", "9.75", "63.75", "5.25", "41.25"},
		},
		{
			name: "asked for in between", asked: start.Add(30 * time.Minute), at: start, now: start.Add(time.Hour), before: before,
			want: spent{"12.50", "102.50", "7.875", "61.875", "4.625", "40.625"},
		},
		{
			name: "nobody uses it", asked: start, at: start, now: start.Add(time.Hour), before: before, idle: true,
			want: spent{"15", "105", "6", "60", "4", "40"},
		},
		{
			name: "over midnight", asked: start, at: start.Add(14 * time.Hour), now: start.Add(16 * time.Hour), before: before,
			want: spent{"5", "110", "3.75", "67.50", "1.25", "42.50"},
		},
		{
			name: "over the end of a month", asked: last, at: last, now: last.Add(3 * time.Hour), before: before,
			want: spent{"10", "10", "7.50", "7.50", "2.50", "2.50"},
		},
		{
			name: "away for two days", asked: start, at: start, now: start.Add(48 * time.Hour), before: before,
			want: spent{"45", "340", "33.75", "240", "11.25", "100"},
		},
		{name: "a clock that was ahead", asked: start, at: start.Add(time.Hour), now: start, before: before, want: before},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := shared(c.asked)
			v.Ledger.Spend, v.Ledger.SpentAt = c.before.spend(), c.at
			if c.idle {
				v.Replicas = nil
			}
			got := accrue(v, settings(), c.now)
			if diff := cmp.Diff(c.want.spend(), got, cmp.Comparer(func(a, b fleet.Money) bool { return a == b })); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestALedgerThatNeverCountedBeginsNow(t *testing.T) {
	got := accrue(shared(start.Add(-24*time.Hour)), settings(), start)
	if !got.Day.IsZero() || !got.Month.IsZero() || got.Day.Currency() != "USD" {
		t.Errorf("got %v", got)
	}
}

// Where nobody writes the spend, as in shadow mode, it is counted from the first look.
func TestWithoutALedgerTheSpendIsCountedFromTheFirstLook(t *testing.T) {
	v := shared(start.Add(-24 * time.Hour))
	o := join(&shown{view: v}, &told{}, settings())
	for hours, want := range []string{"0", "5", "10"} {
		if s := see(t, o, start.Add(time.Duration(hours)*time.Hour)); s.Spend.Day != dollars(want) {
			t.Errorf("after %d hours the day is %s, want %s", hours, s.Spend.Day, want)
		}
	}
}

// However often it is counted, a node costs its price times its life, and what the
// groups pay adds up to it.
func TestSpendAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		asked := time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)
		v := shared(asked)
		v.Ledger.SpentAt = asked
		now := asked
		end := asked.Add(23 * time.Hour)
		for now.Before(end) {
			now = now.Add(time.Duration(rapid.Int64Range(1, int64(5*time.Hour)).Draw(t, "later")))
			if now.After(end) {
				now = end
			}
			v.Ledger.Spend, v.Ledger.SpentAt = accrue(v, settings(), now), now
		}
		s := v.Ledger.Spend
		want := settings().Catalog.Offerings[0].Price.For(23 * time.Hour)
		if s.Day != want || s.Month != want {
			t.Fatalf("day %s and month %s, want %s", s.Day, s.Month, want)
		}
		if sum := s.Groups[0].Day.Add(s.Groups[1].Day); sum != want {
			t.Fatalf("the groups pay %s of %s", sum, want)
		}
	})
}
