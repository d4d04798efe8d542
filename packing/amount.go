package packing

import (
	"bytes"
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Amount is money an hour in thousand-millionths of the currency unit, in which
// the price of one GPU of a node of eight is still exact.
type Amount int64

const (
	amountPlaces = 9
	amountUnit   = 1_000_000_000
	maxPrice     = 100_000 // Currency units an hour for one GPU; more is a mistake.
)

// ParseAmount reads a decimal such as "3.43" with at most nine places. Signs,
// exponents and anything above a hundred thousand units are errors.
func ParseAmount(text string) (Amount, error) {
	whole, fraction, dotted := strings.Cut(text, ".")
	if whole == "" || dotted && fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return 0, fmt.Errorf("%q is not a decimal such as 3.43", text)
	}
	if len(fraction) > amountPlaces {
		return 0, fmt.Errorf("%q has more than %d decimal places", text, amountPlaces)
	}
	units, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || units > maxPrice {
		return 0, fmt.Errorf("%q is more than %d an hour for one GPU", text, maxPrice)
	}
	nanos, _ := strconv.ParseInt((fraction + "000000000")[:amountPlaces], 10, 64) // Nine digits, checked above.
	return Amount(units*amountUnit + nanos), nil
}

// String writes the amount as a decimal without needless zeros: "79.69".
func (a Amount) String() string {
	sign, n := "", int64(a)
	if n < 0 {
		sign, n = "-", -n
	}
	text := fmt.Sprintf("%s%d.%09d", sign, n/amountUnit, n%amountUnit)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// MarshalJSON writes a JSON number, exactly.
func (a Amount) MarshalJSON() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalJSON reads a JSON number or a string with a decimal.
func (a *Amount) UnmarshalJSON(b []byte) error {
	text := string(bytes.Trim(b, `"`))
	digits, negative := strings.CutPrefix(text, "-")
	n, err := ParseTotal(digits)
	if err != nil {
		return err
	}
	if *a = n; negative {
		*a = -n
	}
	return nil
}

// ParseTotal reads a decimal as ParseAmount does, without its limit on the price
// of one GPU.
func ParseTotal(text string) (Amount, error) {
	whole, fraction, _ := strings.Cut(text, ".")
	small, err := ParseAmount("0." + cmp.Or(fraction, "0"))
	if err != nil {
		return 0, fmt.Errorf("%q is not an amount with at most %d decimal places", text, amountPlaces)
	}
	units, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || units < 0 || units > 9_000_000_000 {
		return 0, fmt.Errorf("%q is not an amount below nine thousand million", text)
	}
	return Amount(units*amountUnit) + small, nil
}
