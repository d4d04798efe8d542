package strictyaml

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// Mebibytes is an amount of memory in MiB (2^20 bytes), written 9000Mi, 16Gi or
// 1.5Ti in files.
type Mebibytes int64

var memoryText = regexp.MustCompile(`^(0|[1-9][0-9]{0,11})(\.[0-9]{1,9})?(Mi|Gi|Ti)$`)

// String renders the amount as a file would hold it.
func (m Mebibytes) String() string { return strconv.FormatInt(int64(m), 10) + "Mi" }

// UnmarshalScalar reads an amount of memory. It must be a whole number of MiB.
func (m *Mebibytes) UnmarshalScalar(text string, _ bool) error {
	parts := memoryText.FindStringSubmatch(text)
	if parts == nil {
		return memoryFault(text)
	}
	amount, ok := new(big.Rat).SetString(parts[1] + parts[2])
	if !ok {
		return memoryFault(text)
	}
	factor := map[string]int64{"Mi": 1, "Gi": 1 << 10, "Ti": 1 << 20}[parts[3]]
	amount.Mul(amount, new(big.Rat).SetInt64(factor))
	if !amount.IsInt() || !amount.Num().IsInt64() {
		return Hinted(fmt.Errorf("%q is not a whole number of MiB", text), "write it in Mi")
	}
	*m = Mebibytes(amount.Num().Int64())
	return nil
}

// memoryFault says what is wrong with an amount of memory.
func memoryFault(text string) error {
	err := fmt.Errorf("%s is not an amount of memory", (&node{text: text}).show())
	if jsonNumber.MatchString(text) && !strings.HasPrefix(text, "-") {
		return Hinted(fmt.Errorf("%s has no unit, but an amount of memory is expected", text), "did you mean \"%sMi\"?", text)
	}
	number := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
	unit := strings.TrimSpace(text[len(number):])
	if jsonNumber.MatchString(number) && !strings.HasPrefix(number, "-") && unit != "" {
		for _, known := range []string{"Mi", "Gi", "Ti"} {
			if strings.EqualFold(unit[:1], known[:1]) && len(unit) <= 3 && number+known != text {
				return Hinted(err, "did you mean \"%s%s\"?", number, known)
			}
		}
	}
	return Hinted(err, "write 9000Mi, 16Gi or 1Ti")
}

// Ratio is a share between 0 and 1.
type Ratio float64

// UnmarshalScalar reads a ratio.
func (r *Ratio) UnmarshalScalar(text string, quoted bool) error {
	n := &node{text: text, quoted: quoted}
	if err := numeral(n, "a ratio between 0 and 1"); err != nil {
		return err
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || !(f >= 0 && f <= 1) {
		out := fmt.Errorf("%s is out of range, must be between 0 and 1", text)
		if err == nil && f >= 2 && f <= 100 {
			return Hinted(out, "did you mean %s?", strconv.FormatFloat(f/100, 'g', 6, 64))
		}
		return out
	}
	*r = Ratio(math.Abs(f)) // Minus zero is zero.
	return nil
}

// Decimal is the text of an exact decimal number, such as an amount of money. In
// a file it is quoted, so that no reader on the way makes a binary fraction of
// it.
type Decimal string

var decimalText = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

// UnmarshalScalar reads a quoted decimal number.
func (d *Decimal) UnmarshalScalar(text string, quoted bool) error {
	if !decimalText.MatchString(text) {
		return Hinted(fmt.Errorf("%s is not a decimal number", (&node{text: text}).show()), `write digits with at most one point, as "5.07"`)
	}
	if !quoted { // Plain numbers are caught before; this is for other callers.
		return Hinted(errors.New(text+" is a number, but text is expected"), "quote it: %q", text)
	}
	*d = Decimal(text)
	return nil
}
