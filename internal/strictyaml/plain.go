package strictyaml

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// What plain text is a number to some version of YAML: decimal, hexadecimal,
// octal, binary, with underscores, infinite, or none at all.
var numberish = regexp.MustCompile(`^(?:[-+]?(?:0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+` +
	`|[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?` +
	`|\.(?:inf|Inf|INF))|\.(?:nan|NaN|NAN))$`)

// What our files take as a number: the numbers of JSON.
var jsonNumber = regexp.MustCompile(`^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$`)

// booleanish says whether plain text is a boolean to some version of YAML. The
// letters y and n are left alone: hardly any parser takes them for booleans, and
// they are good names.
func booleanish(text string) bool {
	switch text {
	case "true", "True", "TRUE", "false", "False", "FALSE",
		"yes", "Yes", "YES", "no", "No", "NO",
		"on", "On", "ON", "off", "Off", "OFF":
		return true
	default:
		return false
	}
}

// textFault says what is wrong with a scalar where text is expected: plain text
// that other readers of the same file would take for a boolean or a number.
func textFault(text string, quoted bool) error {
	switch {
	case quoted:
		return nil
	case booleanish(text) && strings.EqualFold(text, "no"):
		return Hinted(fmt.Errorf("%s is a boolean in YAML, but text is expected", text),
			"did you mean %q (Norwegian)? quote it", text)
	case booleanish(text):
		return Hinted(fmt.Errorf("%s is a boolean in YAML, but text is expected", text), "quote it: %q", text)
	case numberish.MatchString(text):
		return Hinted(fmt.Errorf("%s is a number, but text is expected", text), "quote it: %q", text)
	default:
		return nil
	}
}

func setBool(v reflect.Value, n *node) error {
	lower := strings.ToLower(n.text)
	switch {
	case n.quoted && (lower == "true" || lower == "false"):
		return Hinted(fmt.Errorf("%s is text, but true or false is expected", n.show()), "remove the quotes: %s", lower)
	case n.text == "true" || n.text == "false":
		v.SetBool(n.text == "true")
		return nil
	case lower == "yes" || lower == "on" || lower == "true" || n.text == "1":
		return Hinted(fmt.Errorf("expected true or false, found %s", n.show()), "did you mean true?")
	case lower == "no" || lower == "off" || lower == "false" || n.text == "0":
		return Hinted(fmt.Errorf("expected true or false, found %s", n.show()), "did you mean false?")
	default:
		return fmt.Errorf("expected true or false, found %s", n.show())
	}
}

// numeral checks that a scalar is a number that our files take.
func numeral(n *node, noun string) error {
	switch {
	case n.quoted && jsonNumber.MatchString(n.text):
		return Hinted(fmt.Errorf("%s is text, but %s is expected", n.show(), noun), "remove the quotes: %s", n.text)
	case n.quoted || !numberish.MatchString(n.text):
		return percentHint(n, fmt.Errorf("%s is not %s", n.show(), noun))
	case strings.Contains(strings.ToLower(n.text), "inf") || strings.Contains(strings.ToLower(n.text), "nan"):
		return fmt.Errorf("%s is not a finite number", n.text)
	case !jsonNumber.MatchString(n.text):
		err := fmt.Errorf("%s is not written as a plain decimal number", n.text)
		if plain := strings.TrimLeft(strings.ReplaceAll(strings.TrimPrefix(n.text, "+"), "_", ""), "0"); jsonNumber.MatchString(plain) {
			return Hinted(err, "did you mean %s?", plain)
		}
		return Hinted(err, "write digits only, such as 1000 or 0.5")
	default:
		return nil
	}
}

// percentHint adds what a percentage is as a number.
func percentHint(n *node, err error) error {
	digits, percent := strings.CutSuffix(n.text, "%")
	if percent && jsonNumber.MatchString(digits) {
		if f, parseErr := strconv.ParseFloat(digits, 64); parseErr == nil {
			return Hinted(err, "did you mean %s?", strconv.FormatFloat(f/100, 'g', 6, 64))
		}
	}
	return err
}

func setFloat(v reflect.Value, n *node, r *rules) error {
	if err := numeral(n, "a number"); err != nil {
		return err
	}
	f, err := strconv.ParseFloat(n.text, v.Type().Bits())
	if err != nil || math.IsInf(f, 0) {
		return fmt.Errorf("%s is too large a number", n.text)
	}
	if err := r.within(f, n); err != nil {
		return err
	}
	v.SetFloat(f)
	return nil
}

func setInt(v reflect.Value, n *node, r *rules) error {
	if err := numeral(n, "a whole number"); err != nil {
		return err
	}
	if strings.ContainsAny(n.text, ".eE") {
		err := fmt.Errorf("%s is not written as a whole number", n.text)
		if f, parseErr := strconv.ParseFloat(n.text, 64); parseErr == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			return Hinted(err, "did you mean %d?", int64(f))
		}
		return err
	}
	if v.CanUint() {
		u, err := strconv.ParseUint(n.text, 10, v.Type().Bits())
		switch {
		case strings.HasPrefix(n.text, "-"):
			return fmt.Errorf("%s is negative", n.text)
		case err != nil:
			return fmt.Errorf("%s is too large a number", n.text)
		}
		v.SetUint(u)
		return r.within(float64(u), n)
	}
	i, err := strconv.ParseInt(n.text, 10, v.Type().Bits())
	if err != nil {
		return fmt.Errorf("%s is too large a number", n.text)
	}
	if err := r.within(float64(i), n); err != nil {
		return err
	}
	v.SetInt(i)
	return nil
}

// within holds a number against the bounds of its tag.
func (r *rules) within(number float64, n *node) error {
	if math.IsNaN(number) || math.IsInf(number, 0) {
		return errors.New("is not a finite number")
	}
	tooSmall := r.min != nil && number < r.min.value
	tooLarge := r.max != nil && number > r.max.value
	switch {
	case (tooSmall || tooLarge) && r.min != nil && r.max != nil:
		return fmt.Errorf("%s is out of range, must be between %s and %s", n.text, r.min.text, r.max.text)
	case tooSmall:
		return fmt.Errorf("%s is too small, must be at least %s", n.text, r.min.text)
	case r.min == nil && !r.signed && number < 0:
		return fmt.Errorf("%s is negative", n.text)
	case tooLarge:
		return fmt.Errorf("%s is too large, must be at most %s", n.text, r.max.text)
	default:
		return nil
	}
}
