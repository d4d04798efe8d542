package packing

import (
	"math/bits"
	"strconv"
	"strings"
)

// decimal is digits × 10^exponent, exactly what a float64 prints as. Demand and
// throughput are compared as the decimals a person wrote, in which three slices of
// 4.35 meet a demand of 13.05; as binary fractions they would not.
type decimal struct {
	digits   int64
	exponent int
}

// decimalOf reads a positive finite number through its shortest text.
func decimalOf(x float64) decimal {
	var buffer [32]byte
	text := string(strconv.AppendFloat(buffer[:0], x, 'e', -1, 64))
	mantissa, exponent, _ := strings.Cut(text, "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits, _ := strconv.ParseInt(whole+fraction, 10, 64) // At most 17 digits.
	e, _ := strconv.Atoi(exponent)
	d := decimal{digits: digits, exponent: e - len(fraction)}
	for d.digits != 0 && d.digits%10 == 0 {
		d.digits /= 10
		d.exponent++
	}
	return d
}

// length is how many digits there are.
func (d decimal) length() int { return len(strconv.FormatInt(d.digits, 10)) }

// most is what needs are capped at; sums of two still fit in an int64.
const most = int64(4e18)

// in answers the decimal in units of 10^unit, rounded down and up, both capped.
func (d decimal) in(unit int) (down, up int64) {
	shift := d.exponent - unit
	if shift >= 0 {
		n := d.digits
		for range min(shift, 19) {
			hi, lo := bits.Mul64(uint64(n), 10)
			if hi > 0 || lo > uint64(most) {
				return most, most
			}
			n = int64(lo)
		}
		return n, n
	}
	n, exact := d.digits, true
	for range min(-shift, 19) {
		exact = exact && n%10 == 0
		n /= 10
	}
	if exact {
		return n, n
	}
	return n, n + 1
}

// commonUnit is the finest power of ten in which need and all others are whole,
// unless need would then have more than 18 digits.
func commonUnit(need decimal, others []decimal) int {
	unit := need.exponent
	for _, d := range others {
		unit = min(unit, d.exponent)
	}
	return max(unit, need.exponent+need.length()-18)
}
