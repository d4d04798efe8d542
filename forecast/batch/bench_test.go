package batch

import (
	"testing"
	"time"
)

// BenchmarkM4 forecasts one series of the competition with its 48 steps: fit,
// back-tests and quantiles.
func BenchmarkM4(b *testing.B) {
	all := m4(b)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, err := Forecast(all[i%len(all)].values, Options{Step: time.Hour, Horizon: m4Steps}); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

// BenchmarkMinutes forecasts a day of minutes from 100,000 of them.
func BenchmarkMinutes(b *testing.B) {
	values := wave(100_000, 1440, 7*1440)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Forecast(values, Options{Step: time.Minute, Horizon: 1440}); err != nil {
			b.Fatal(err)
		}
	}
}
