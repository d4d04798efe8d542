package control

import (
	"math"
	"strconv"
)

// digits is how many significant digits of a forecast are kept: no forecast knows
// more, and a record is a third as long.
const digits = 5

// rounded keeps five significant digits: the float64 that is nearest to the decimal
// with them.
func rounded(v float64) float64 {
	if v == 0 {
		return v
	}
	if out, ok := roundedFast(v); ok {
		return out
	}
	out, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', digits, 64), 64)
	if err != nil {
		return v
	}
	return out
}

// roundedFast answers the same by arithmetic where that is certain to be exact: the
// digits as a whole number, times or over a power of ten that a float64 holds. Where
// what is cut off is so near to a half that the product decides wrongly, it does not
// answer.
func roundedFast(v float64) (float64, bool) {
	if !(v >= 1e-12 && v < 1e12) {
		return 0, false
	}
	shift := digits - 1 - int(math.Floor(math.Log10(v))) // of the point to behind the digits kept
	scale := powers[max(shift, -shift)]
	x := v * scale
	if shift < 0 {
		x = v / scale
	}
	n := math.Floor(x + 0.5)
	if math.Abs(x+0.5-math.Round(x+0.5)) < 1e-6 || n < 1e4 || n > 1e5 {
		return 0, false
	}
	if shift < 0 {
		return n * scale, true
	}
	return n / scale, true
}

// powers of ten that a float64 holds exactly.
var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}
