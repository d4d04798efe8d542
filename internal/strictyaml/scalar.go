package strictyaml

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// A ScalarUnmarshaler parses its own text. Text is as it stands in the file if
// plain and unescaped if quoted, so that money can insist on quotes and a number
// can refuse them. Its error becomes a complaint at the value; an error that has
// a method Hint() string (see [Hinted]) also gives the hint.
//
// A type whose kind is string never sees plain text that YAML takes for a
// boolean or a number: that is complained about before.
type ScalarUnmarshaler interface {
	UnmarshalScalar(text string, quoted bool) error
}

// An enumeration names the texts its values may have.
type enumeration interface {
	Values() []string
}

var (
	scalarHook = reflect.TypeFor[ScalarUnmarshaler]()
	textHook   = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// isScalarHook says whether values of a type parse their own text.
func isScalarHook(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(scalarHook) || p.Implements(textHook)
}

// Hinted gives an error a hint, which the complaint made of it will carry.
func Hinted(err error, format string, args ...any) error {
	return &hintedError{err, fmt.Sprintf(format, args...)}
}

type hintedError struct {
	err  error
	hint string
}

func (e *hintedError) Error() string { return e.err.Error() }
func (e *hintedError) Unwrap() error { return e.err }
func (e *hintedError) Hint() string  { return e.hint }

// scalar decodes a single value.
func (w *walker) scalar(v reflect.Value, n *node, r *rules) {
	if !w.expectScalar(n, v.Type()) {
		return
	}
	if err := setScalar(v, n, r); err != nil {
		w.complainAbout(n, err)
	}
}

// complainAbout turns the error of a scalar into a complaint.
func (w *walker) complainAbout(n *node, err error) {
	w.document.settle(n, err.Error(), hintOf(err))
}

func hintOf(err error) string {
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		return hinted.Hint()
	}
	return ""
}

func (w *walker) expectScalar(n *node, t reflect.Type) bool {
	if n.kind == Scalar {
		return true
	}
	hint := ""
	if n.kind == List && len(n.children) == 1 && n.children[0].kind == Scalar {
		hint = "did you mean " + n.children[0].text + " without the list?"
	}
	w.document.settle(n, fmt.Sprintf("expected %s, found %s", nounOf(t), n.kind), hint)
	return false
}

// nounOf names what a scalar type expects.
func nounOf(t reflect.Type) string {
	switch {
	case t == durationType:
		return "a duration"
	case t == timeType:
		return "a time"
	case isScalarHook(t):
		return "a single value"
	}
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Float32, reflect.Float64:
		return "a number"
	default:
		return "a whole number"
	}
}

// setScalar parses the text of a node into a value.
func setScalar(v reflect.Value, n *node, r *rules) error {
	if v.Kind() == reflect.String {
		if err := textFault(n.text, n.quoted); err != nil {
			if !isScalarHook(v.Type()) {
				v.SetString(n.text) // What was meant is plain, so references to it resolve.
			}
			return err
		}
	}
	switch {
	case v.Type() == durationType:
		return setDuration(v, n, r)
	case isScalarHook(v.Type()):
		return setHook(v, n, r)
	}
	switch v.Kind() {
	case reflect.String:
		return setText(v, n, r)
	case reflect.Bool:
		return setBool(v, n)
	case reflect.Float32, reflect.Float64:
		return setFloat(v, n, r)
	default:
		return setInt(v, n, r)
	}
}

// setHook lets a value parse itself, then holds it against the tag.
func setHook(v reflect.Value, n *node, r *rules) error {
	if v.Type() == timeType {
		return setTime(v, n)
	}
	if r.nonempty && n.text == "" {
		return errors.New("must not be empty")
	}
	if len(r.oneOf) > 0 {
		if err := among(n, r.oneOf); err != nil {
			return err
		}
	}
	switch hook := v.Addr().Interface().(type) {
	case ScalarUnmarshaler:
		if err := hook.UnmarshalScalar(n.text, n.quoted); err != nil {
			return err
		}
	case encoding.TextUnmarshaler:
		if err := hook.UnmarshalText([]byte(n.text)); err != nil {
			return err
		}
	}
	if number, ok := numberOf(v); ok {
		return r.within(number, n)
	}
	return nil
}

// numberOf returns the number that bounds are held against.
func numberOf(v reflect.Value) (float64, bool) {
	if d, ok := reflect.TypeAssert[DurationOrNever](v); ok {
		return float64(d.Duration), !d.Never
	}
	switch {
	case v.CanInt():
		return float64(v.Int()), true
	case v.CanUint():
		return float64(v.Uint()), true
	case v.CanFloat():
		return v.Float(), true
	default:
		return 0, false
	}
}

func setTime(v reflect.Value, n *node) error {
	t, err := time.Parse(time.RFC3339, n.text)
	if err != nil {
		return Hinted(fmt.Errorf("%s is not a time", n.show()), "write it as RFC 3339: 2024-11-18T00:00:00Z")
	}
	v.Set(reflect.ValueOf(t))
	return nil
}

func setText(v reflect.Value, n *node, r *rules) error {
	if r.nonempty && n.text == "" {
		return errors.New("must not be empty")
	}
	names := r.oneOf
	if e, ok := reflect.TypeAssert[enumeration](v); ok {
		names = e.Values()
	}
	if len(names) > 0 {
		if err := among(n, names); err != nil {
			return err
		}
	}
	v.SetString(n.text)
	return nil
}

// among checks a text against those accepted.
func among(n *node, names []string) error {
	if slices.Contains(names, n.text) {
		return nil
	}
	err := fmt.Errorf("%s is not one of %s", n.show(), strings.Join(names, ", "))
	if s := Suggest(n.text, names); s != "" {
		return Hinted(err, "did you mean %q?", s)
	}
	return err
}

// key decodes the key of a mapping of free keys, and says whether the entry can
// be kept: it is good, or at least plain what was meant.
func (w *walker) key(v reflect.Value, c *node) bool {
	as := &node{kind: Scalar, text: c.key, quoted: c.keyQuoted}
	err := textFault(c.key, c.keyQuoted)
	if inner := setScalar(v, as, &rules{}); err == nil {
		err = inner
	}
	if err == nil {
		return true
	}
	path := c.path()
	w.document.file.complain(c.keyLine, c.keyColumn, path, err.Error(), hintOf(err))
	w.document.file.settled[path] = true
	return v.Kind() == reflect.String && v.String() == c.key
}
