package fleet

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// Currency is an ISO 4217 code, such as "USD". All money of one fleet is in one
// currency; the policy names it once.
type Currency string

// ParseCurrency accepts three capital letters.
func ParseCurrency(text string) (Currency, error) {
	if len(text) != 3 || strings.ToUpper(text) != text || strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return "", fmt.Errorf("currency %q is not an ISO 4217 code such as USD", text)
	}
	return Currency(text), nil
}

const (
	microsPerUnit = 1_000_000
	maxUnits      = 1_000_000_000 // bound on parsed amounts, so that sums of thousands of them cannot overflow
)

// Money is an exact amount in millionths of a currency unit. It has methods and
// no operators, so that a price is never added to a count, nor dollars to euros.
// The zero Money belongs to no currency and adds to any.
type Money struct {
	micros   int64
	currency Currency
}

// Micros makes money from millionths of a currency unit.
func Micros(micros int64, c Currency) Money { return Money{micros: micros, currency: c} }

// ParseMoney reads a decimal such as "5.07" or "-0.000001". More than six
// decimals, exponents, signs other than a leading minus and amounts above a
// thousand million units are errors.
func ParseMoney(text string, c Currency) (Money, error) {
	digits, negative := strings.CutPrefix(text, "-")
	whole, fraction, dotted := strings.Cut(digits, ".")
	if whole == "" || dotted && fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return Money{}, fmt.Errorf("amount %q is not a decimal such as 5.07", text)
	}
	if len(fraction) > 6 {
		return Money{}, fmt.Errorf("amount %q has more than six decimals", text)
	}
	units, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || units > maxUnits {
		return Money{}, fmt.Errorf("amount %q is larger than %d", text, maxUnits)
	}
	micros, _ := strconv.ParseInt((fraction + "000000")[:6], 10, 64) // six digits, checked above
	micros += units * microsPerUnit
	if negative {
		micros = -micros
	}
	return Money{micros: micros, currency: c}, nil
}

// Micros returns the amount in millionths of a currency unit.
func (m Money) Micros() int64 { return m.micros }

// Currency returns the currency, empty for the zero Money.
func (m Money) Currency() Currency { return m.currency }

// Float returns the amount in currency units, for charts and ratios only:
// money is never summed through it.
func (m Money) Float() float64 { return float64(m.micros) / microsPerUnit }

// IsZero tells whether the amount is zero.
func (m Money) IsZero() bool { return m.micros == 0 }

// Add returns the sum. Mixing two currencies is a bug and panics.
func (m Money) Add(o Money) Money {
	return Money{micros: m.micros + o.micros, currency: common(m, o)}
}

// Sub returns the difference.
func (m Money) Sub(o Money) Money {
	return Money{micros: m.micros - o.micros, currency: common(m, o)}
}

// Times returns n times the amount.
func (m Money) Times(n int) Money {
	return Money{micros: m.micros * int64(n), currency: m.currency}
}

// Share returns the part numerator/denominator of the amount, rounded to the
// nearest millionth. It panics when the denominator is not positive.
func (m Money) Share(numerator, denominator int64) Money {
	return Money{micros: scale(m.micros, numerator, denominator), currency: m.currency}
}

// Compare orders amounts of one currency.
func (m Money) Compare(o Money) int {
	common(m, o)
	return cmp.Compare(m.micros, o.micros)
}

// Less tells whether m is smaller than o.
func (m Money) Less(o Money) bool { return m.Compare(o) < 0 }

// Decimal returns the exact amount without its currency, at least two decimals.
func (m Money) Decimal() string {
	sign, micros := "", uint64(m.micros)
	if m.micros < 0 {
		sign, micros = "-", uint64(-m.micros)
	}
	fraction := strings.TrimRight(fmt.Sprintf("%06d", micros%microsPerUnit), "0")
	for len(fraction) < 2 {
		fraction += "0"
	}
	return fmt.Sprintf("%s%d.%s", sign, micros/microsPerUnit, fraction)
}

// String prints the exact amount with its currency, such as "5.07 USD".
func (m Money) String() string {
	if m.currency == "" {
		return m.Decimal()
	}
	return m.Decimal() + " " + string(m.currency)
}

// Describe prints the amount for people: two decimals and the sign of the
// currency where it has a common one, such as "$5.07".
func (m Money) Describe() string {
	symbols := map[Currency]string{"USD": "$", "EUR": "€", "GBP": "£"}
	text := strconv.FormatFloat(math.Abs(m.Float()), 'f', 2, 64)
	if symbol, ok := symbols[m.currency]; ok {
		text = symbol + text
	} else if m.currency != "" {
		text += " " + string(m.currency)
	}
	if m.micros < 0 {
		return "-" + text
	}
	return text
}

// DescribeFine prints the amount for people with the digits that it takes to compare
// small ones: four decimals below one unit of the currency, and two digits below a
// hundredth of it, such as "$0.0312" or "$0.00041".
func (m Money) DescribeFine() string {
	if m.micros <= 0 || m.micros >= microsPerUnit {
		return m.Describe()
	}
	digits := strconv.FormatFloat(m.Float(), 'f', 4, 64)
	if m.micros < microsPerUnit/100 {
		decimals := 7 - len(strconv.FormatInt(m.micros, 10)) + 1 // two digits from the first that is not zero
		digits = strconv.FormatFloat(m.Float(), 'f', min(6, decimals), 64)
	}
	return strings.Replace(Micros(0, m.currency).Describe(), "0.00", digits, 1)
}

// MarshalJSON writes the exact amount as a string.
func (m Money) MarshalJSON() ([]byte, error) { return json.Marshal(m.String()) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (m *Money) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("read money: %w", err)
	}
	amount, currency, _ := strings.Cut(text, " ")
	parsed, err := ParseMoney(amount, Currency(currency))
	if err != nil {
		return fmt.Errorf("read money: %w", err)
	}
	*m = parsed
	return nil
}

// Rate is money per hour: the price of a node, or the speed of spending.
type Rate struct{ hourly Money }

// PerHour makes a rate from the money of one hour.
func PerHour(m Money) Rate { return Rate{hourly: m} }

// Hourly returns the money of one hour.
func (r Rate) Hourly() Money { return r.hourly }

// Add returns the sum of two rates.
func (r Rate) Add(o Rate) Rate { return Rate{r.hourly.Add(o.hourly)} }

// Sub returns the difference of two rates.
func (r Rate) Sub(o Rate) Rate { return Rate{r.hourly.Sub(o.hourly)} }

// Times returns n times the rate.
func (r Rate) Times(n int) Rate { return Rate{r.hourly.Times(n)} }

// Share returns the part numerator/denominator of the rate.
func (r Rate) Share(numerator, denominator int64) Rate {
	return Rate{r.hourly.Share(numerator, denominator)}
}

// Compare orders rates of one currency.
func (r Rate) Compare(o Rate) int { return r.hourly.Compare(o.hourly) }

// For returns what the rate costs over d, rounded to the nearest millionth.
func (r Rate) For(d time.Duration) Money {
	return Money{micros: scale(r.hourly.micros, int64(d), int64(time.Hour)), currency: r.hourly.currency}
}

// String prints the exact rate, such as "5.07 USD/h".
func (r Rate) String() string { return r.hourly.String() + "/h" }

// Describe prints the rate for people, such as "$5.07/h".
func (r Rate) Describe() string { return r.hourly.Describe() + "/h" }

// MarshalJSON writes the exact rate as a string of money per hour.
func (r Rate) MarshalJSON() ([]byte, error) { return r.hourly.MarshalJSON() }

// UnmarshalJSON reads what MarshalJSON wrote.
func (r *Rate) UnmarshalJSON(data []byte) error { return r.hourly.UnmarshalJSON(data) }

// common returns the currency that both amounts share.
func common(a, b Money) Currency {
	switch {
	case a.currency == b.currency, b.currency == "":
		return a.currency
	case a.currency == "":
		return b.currency
	}
	panic(fmt.Sprintf("fleet: %s and %s are two currencies; convert one before they meet", a, b))
}

// scale returns a*num/den rounded half away from zero, in 128-bit arithmetic.
func scale(a, num, den int64) int64 {
	if den <= 0 {
		panic("fleet: money shared by a denominator that is not positive")
	}
	negative := (a < 0) != (num < 0)
	hi, lo := bits.Mul64(magnitude(a), magnitude(num))
	lo, carry := bits.Add64(lo, uint64(den)/2, 0)
	quotient, _ := bits.Div64(hi+carry, lo, uint64(den))
	if negative {
		return -int64(quotient)
	}
	return int64(quotient)
}

func magnitude(a int64) uint64 {
	if a < 0 {
		return uint64(-a)
	}
	return uint64(a)
}
