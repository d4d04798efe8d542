package simulator

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// scraped is a world of Poisson traffic, whose signals are scraped.
func scraped(t testing.TB, from time.Time, s Scraping) *World {
	w := build(t, Config{Start: from, Models: []fleet.Model{testModel("m", fleet.LeastLoad, 0.5, 0.7)}, Sources: feed("m", poisson(t, "m", 3, 30*time.Minute, 1)), Signals: s, Patience: 10})
	serveWith(t, w, "m", 2)
	return w
}

// TestAScrapeAMinuteIsTheLastWholeMinute: scraped once a minute over a minute, arrivals
// and utilisation read what they do where nothing is said of scrapes.
func TestAScrapeAMinuteIsTheLastWholeMinute(t *testing.T) {
	a, b := scraped(t, start, Scraping{}), scraped(t, start, usual)
	for at := time.Duration(0); at < 40*time.Minute; at += 7 * time.Second {
		advance(a, at)
		advance(b, at)
		x, y := observe(t, a).Models[0], observe(t, b).Models[0]
		if text(t, []fleet.Signal{x.Arrivals, x.Attainment, x.Utilisation}) != text(t, []fleet.Signal{y.Arrivals, y.Attainment, y.Utilisation}) {
			if _, known := y.Arrivals.Read(); known || at >= time.Minute {
				t.Fatalf("at %v read are %v %v %v, and %v %v %v", at, x.Arrivals, x.Attainment, x.Utilisation, y.Arrivals, y.Attainment, y.Utilisation)
			}
		}
	}
}

// TestSignalsAreThoseOfTheLastScrape that could be read: a twin counts the requests
// of its window.
func TestSignalsAreThoseOfTheLastScrape(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		every := time.Duration(rapid.SampledFrom([]int{5, 15, 20, 60}).Draw(rt, "every")) * time.Second
		s := Scraping{Every: every, Window: every * time.Duration(rapid.IntRange(1, 6).Draw(rt, "window")), Delay: time.Duration(rapid.IntRange(0, 90).Draw(rt, "delay")) * time.Second}
		from := start.Add(time.Duration(rapid.IntRange(0, 59).Draw(rt, "from")) * time.Second)
		now := time.Duration(rapid.IntRange(0, 1900).Draw(rt, "now")) * time.Second
		w := scraped(t, from, s)
		var arrived []time.Time
		source := poisson(t, "m", 3, 30*time.Minute, 1)
		for r, ok := source.Next(); ok; r, ok = source.Next() {
			arrived = append(arrived, from.Add(r.At))
		}
		advance(w, now)
		got := observe(t, w).Models[0]

		end := from.Add(now - s.Delay).Truncate(every)
		begin := end.Add(-s.Window)
		if begin.Before(from) {
			if _, known := got.Arrivals.Read(); known {
				rt.Fatalf("before a whole window arrivals read %v", got.Arrivals)
			}
			return
		}
		count := 0.0
		for _, at := range arrived {
			if !at.Before(begin) && at.Before(end) {
				count++
			}
		}
		rate, known := got.Arrivals.Read()
		if !known || math.Abs(rate-count/s.Window.Seconds()) > 1e-9 || got.Arrivals.Age() != from.Add(now).Sub(end) {
			rt.Fatalf("arrivals read %v, %v old; %v came in %v, %v ago", got.Arrivals, got.Arrivals.Age(), count, s.Window, from.Add(now).Sub(end))
		}
		if got.Backlog.Age() != got.Arrivals.Age() {
			rt.Fatalf("the backlog is %v old", got.Backlog.Age())
		}
		if u, known := got.Utilisation.Read(); known && (u < 0 || u > 1) {
			rt.Fatalf("utilisation reads %v", u)
		}
	})
}

// TestScrapesThatMakeNoSense are refused.
func TestScrapesThatMakeNoSense(t *testing.T) {
	for _, s := range []Scraping{
		{Every: time.Minute},
		{Window: time.Minute},
		{Every: time.Millisecond, Window: time.Second},
		{Every: 40 * time.Second, Window: time.Minute},
		{Every: time.Minute, Window: time.Minute, Delay: -1},
		{Every: time.Minute, Window: 2 * time.Hour},
	} {
		if _, err := New(Config{Catalog: testCatalog(), Signals: s}); err == nil {
			t.Errorf("%+v is taken", s)
		}
	}
}
