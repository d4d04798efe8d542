package forecast

import (
	"testing"
	"time"
)

// fed returns a forecaster after a whole series, and the end of the series.
func fed(tb testing.TB, series []Observation, step time.Duration, options ...Option) (*Seasonal, time.Time) {
	tb.Helper()
	f := NewSeasonal(step, options...)
	for _, o := range series {
		if err := f.Observe(o); err != nil {
			tb.Fatal(err)
		}
	}
	return f, series[len(series)-1].At.Add(step)
}

func BenchmarkObserve(b *testing.B) {
	series := generated(1, 14, 5)
	f, now := fed(b, series, time.Minute)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if err := f.Observe(Observation{At: now, Value: series[i%len(series)].Value, Known: true}); err != nil {
			b.Fatal(err)
		}
		now = now.Add(time.Minute)
		i++
	}
}

func BenchmarkForecastDay(b *testing.B) {
	f, now := fed(b, generated(1, 14, 5), time.Minute)
	leads := Leads(24 * time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		f.Forecast(now, leads)
	}
}

func BenchmarkForecastHour(b *testing.B) {
	f, now := fed(b, generated(1, 14, 5), time.Minute)
	leads := Leads(time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		f.Forecast(now, leads)
	}
}
