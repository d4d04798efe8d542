package evaluate

import (
	"cmp"
	"math"
	"math/cmplx"
	"slices"
	"time"

	"gonum.org/v1/gonum/dsp/fourier"
	"gonum.org/v1/gonum/stat"
)

// dspFilter is one of Crane's estimators.
type dspFilter struct {
	least  int     // frequencies that are kept at least
	weak   float64 // amplitude below which a frequency is noise
	margin float64 // added to what is predicted, as a share
}

// dspFilters are Crane's defaults.
var dspFilters = [...]dspFilter{
	{3, 1, 0.01},
	{3, 1, 0.1},
	{3, 1, 0.15},
	{3, 1, 0.2},
	{50, 0.05, 0.01},
	{50, 0.05, 0.1},
	{50, 0.05, 0.15},
	{50, 0.05, 0.2},
}

const (
	dspMost    = 100       // frequencies that are kept at most, by amplitude
	dspHigh    = 1. / 3600 // hertz from which on a frequency can be noise
	dspFloor   = 0.01      // of a prediction
	peakWindow = 4 * time.Hour
)

// repeat is the last period of a signal, filtered, with its margin.
func (f *dspFilter) repeat(signal []float64, period int, step time.Duration) []float64 {
	n := len(signal)
	fft := fourier.NewFFT(n)
	spectrum := fft.Coefficients(nil, signal)
	weak := f.threshold(spectrum, n)
	for k := range spectrum {
		if cmplx.Abs(spectrum[k])/float64(n) >= weak {
			continue
		}
		hertz := func(k int) float64 { return float64(k) / (float64(n) * step.Seconds()) }
		// Crane takes the mirrored half of the spectrum for high frequencies, so that
		// of a weak low one only half is left.
		share := 0.0
		if hertz(k) <= dspHigh {
			share += 0.5
		}
		if hertz(n-k) <= dspHigh {
			share += 0.5
		}
		spectrum[k] *= complex(share, 0)
	}
	smooth := fft.Sequence(nil, spectrum)[n-period:]
	for i, v := range smooth {
		if v /= float64(n); v <= 0 {
			v = dspFloor
		}
		smooth[i] = v * (1 + f.margin)
	}
	return smooth
}

// threshold is the amplitude below which a frequency is noise.
func (f *dspFilter) threshold(spectrum []complex128, n int) float64 {
	var amplitudes []float64
	for k := 1; k < n/2; k++ {
		amplitudes = append(amplitudes, cmplx.Abs(spectrum[k])/float64(n))
	}
	if len(amplitudes) == 0 {
		return 0
	}
	slices.SortFunc(amplitudes, func(a, b float64) int { return cmp.Compare(b, a) })
	weak := max(amplitudes[min(dspMost, len(amplitudes))-1], f.weak)
	if len(amplitudes) >= f.least {
		weak = min(weak, amplitudes[f.least-1])
	}
	return weak
}

// periodic tells whether a signal of whole periods has one: its frequency stands out
// of what noise of the same variance shows once in a hundred signals, and the
// autocorrelation rises to it and falls behind it.
func periodic(signal []float64, period int, step time.Duration) bool {
	n := len(signal)
	mean, variance := stat.PopMeanVariance(signal, nil)
	if variance <= 0 {
		return false
	}
	spectrum := fourier.NewFFT(n).Coefficients(nil, signal)
	noise := math.Sqrt(-float64(n) * variance * math.Log(-math.Expm1(math.Log(0.99)*2/float64(n))))
	if cmplx.Abs(spectrum[n/period]) <= noise {
		return false
	}
	window := min(period/2, int(peakWindow/step))
	if window < 1 {
		return true // steps too long to see a peak
	}
	correlation := func(lag int) float64 {
		sum := 0.0
		for i := lag; i < n; i++ {
			sum += (signal[i] - mean) * (signal[i-lag] - mean)
		}
		return sum
	}
	middle := correlation(period)
	return middle > 0 && middle > correlation(period-window) && middle > correlation(min(period+window, n-1))
}

// percentError is Crane's: percent errors, those of too little amplified, or absolute
// ones where an actual value is near zero.
func percentError(actual, predicted []float64) float64 {
	absolute, percent, near := 0.0, 0.0, false
	for i, a := range actual {
		miss := a - predicted[i]
		absolute += math.Abs(miss)
		near = near || a < 1e-3
		if miss > 0 {
			percent -= math.Log(1-miss/a) / math.Log(1.25)
		} else {
			percent -= miss / a
		}
	}
	if near {
		return absolute
	}
	return percent
}
