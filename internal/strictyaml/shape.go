package strictyaml

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// A shape is what a Go struct expects of a mapping.
type shape struct {
	fields []field
	keys   []string // Of the fields, in order of declaration.
	byKey  map[string]int
}

// A field is one key that a struct takes.
type field struct {
	key   string
	index []int // As for reflect.Value.FieldByIndex.
	rules rules
}

// rules is what a field's tag demands of its value, and of the items where it is
// a list or a mapping of such values.
type rules struct {
	required bool
	nonempty bool
	signed   bool
	min, max *bound
	oneOf    []string
}

// A bound is a limit as it was written and as it is compared: durations in
// nanoseconds, memory in MiB, everything else as the number it is.
type bound struct {
	text  string
	value float64
}

// shapes caches what was learnt about types during one Decode.
type shapes map[reflect.Type]*shape

var (
	nodeType     = reflect.TypeFor[Node]()
	durationType = reflect.TypeFor[time.Duration]()
	timeType     = reflect.TypeFor[time.Time]()
)

// check panics where values of a type cannot be decoded. It sees all of the
// type, so that a program's mistake shows on its first file, whatever is in it.
func (s shapes) check(t reflect.Type, where string) {
	if t == nodeType || t == durationType || isScalarHook(t) {
		return
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		s.check(t.Elem(), where)
	case reflect.Map:
		if t.Key().Kind() != reflect.String && !isScalarHook(t.Key()) {
			panic(fmt.Sprintf("strictyaml: %s: keys of type %v cannot be decoded", where, t.Key()))
		}
		s.check(t.Elem(), where)
	case reflect.Struct:
		s.of(t)
	case reflect.String, reflect.Bool, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
	default:
		panic(fmt.Sprintf("strictyaml: %s: type %v cannot be decoded", where, t))
	}
}

// of returns the shape of a struct type.
func (s shapes) of(t reflect.Type) *shape {
	if known, ok := s[t]; ok {
		return known
	}
	sh := &shape{byKey: map[string]int{}}
	s[t] = sh // Before its fields, which may be of the same type.
	s.addFields(sh, t, nil)
	return sh
}

// without returns the keys of a shape that a mapping does not give.
func (sh *shape) without(n *node) []string {
	given := make([]bool, len(sh.keys))
	for _, c := range n.children {
		if i, known := sh.byKey[c.key]; known {
			given[i] = true
		}
	}
	var free []string
	for i, key := range sh.keys {
		if !given[i] {
			free = append(free, key)
		}
	}
	return free
}

func (s shapes) addFields(sh *shape, t reflect.Type, above []int) {
	for i := range t.NumField() {
		f := t.Field(i)
		where := t.String() + "." + f.Name
		tag, tagged := f.Tag.Lookup("yaml")
		index := append(append([]int(nil), above...), i)
		name, options, _ := strings.Cut(tag, ",")
		switch {
		case name == "-":
			continue
		case options == "inline" || f.Anonymous && !tagged:
			if f.Type.Kind() != reflect.Struct {
				panic(fmt.Sprintf("strictyaml: %s: only structs can be inline", where))
			}
			s.addFields(sh, f.Type, index)
			continue
		case !f.IsExported() && !tagged:
			continue
		case !f.IsExported() || name == "":
			panic(fmt.Sprintf("strictyaml: %s: needs a tag such as `yaml:%q` and to be exported", where, strings.ToLower(f.Name)))
		}
		if _, twice := sh.byKey[name]; twice {
			panic(fmt.Sprintf("strictyaml: %s: key %q is taken twice", where, name))
		}
		s.check(f.Type, where)
		sh.byKey[name] = len(sh.fields)
		sh.keys = append(sh.keys, name)
		sh.fields = append(sh.fields, field{key: name, index: index, rules: parseRules(options, f.Type, where)})
	}
}

// parseRules reads the options of a tag.
func parseRules(options string, t reflect.Type, where string) rules {
	var r rules
	for option := range strings.SplitSeq(options, ",") {
		name, value, _ := strings.Cut(option, "=")
		switch name {
		case "":
		case "required":
			r.required = true
		case "nonempty":
			r.nonempty = true
		case "signed":
			r.signed = true
		case "min":
			r.min = parseBound(value, t, where)
		case "max":
			r.max = parseBound(value, t, where)
		case "oneof":
			r.oneOf = strings.Split(value, "|")
		default:
			panic(fmt.Sprintf("strictyaml: %s: unknown tag option %q", where, name))
		}
	}
	return r
}

func parseBound(text string, t reflect.Type, where string) *bound {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t == durationType || t == reflect.TypeFor[DurationOrNever]() {
		d, err := ParseDuration(text)
		if err != nil {
			panic(fmt.Sprintf("strictyaml: %s: bound %q: %v", where, text, err))
		}
		return &bound{text, float64(d)}
	}
	if t == reflect.TypeFor[Mebibytes]() {
		var m Mebibytes
		if err := m.UnmarshalScalar(text, false); err != nil {
			panic(fmt.Sprintf("strictyaml: %s: bound %q: %v", where, text, err))
		}
		return &bound{text, float64(m)}
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic(fmt.Sprintf("strictyaml: %s: bound %q: %v", where, text, err))
	}
	return &bound{text, value}
}
