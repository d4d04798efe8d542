package strictyaml

import (
	"strconv"
	"strings"
)

// Key returns the path of the entry of a mapping: Key("spec", "classes") is
// spec.classes. Keys that hold anything but letters, digits, dashes, underscores
// and slashes are written ["1g.10gb"], so that every path can be read back.
func Key(path, key string) string {
	var b strings.Builder
	b.WriteString(path)
	writeKey(&b, key)
	return b.String()
}

// Index returns the path of an item of a list, counted from zero:
// Index("spec.models", 2) is spec.models[2].
func Index(path string, i int) string {
	return path + "[" + strconv.Itoa(i) + "]"
}

func writeKey(b *strings.Builder, key string) {
	if !plainKey(key) {
		b.WriteString("[" + strconv.Quote(key) + "]")
		return
	}
	if b.Len() > 0 {
		b.WriteByte('.')
	}
	b.WriteString(key)
}

// plainKey says whether a key can stand in a path without quotes.
func plainKey(key string) bool {
	for _, r := range key {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (r < '0' || r > '9') && r != '_' && r != '-' && r != '/' {
			return false
		}
	}
	return key != ""
}

// A step is one part of a path: a key, or an index if isIndex.
type step struct {
	key     string
	index   int
	isIndex bool
}

// steps splits a path. A path that Key and Index cannot have made is cut at the
// first part that cannot be read; the position is then that of a parent.
func steps(path string) (out []step, whole bool) {
	for path != "" {
		s, rest, ok := firstStep(path)
		if !ok {
			return out, false
		}
		out, path = append(out, s), rest
	}
	return out, true
}

func firstStep(path string) (s step, rest string, ok bool) {
	switch path[0] {
	case '.':
		path = path[1:]
	case '[':
		return bracketStep(path[1:])
	}
	end := strings.IndexAny(path, ".[")
	if end < 0 {
		end = len(path)
	}
	return step{key: path[:end]}, path[end:], end > 0
}

// bracketStep reads an index or a quoted key up to its closing bracket.
func bracketStep(path string) (s step, rest string, ok bool) {
	if quoted, err := strconv.QuotedPrefix(path); err == nil {
		key, err := strconv.Unquote(quoted)
		rest, closed := strings.CutPrefix(path[len(quoted):], "]")
		return step{key: key}, rest, err == nil && closed
	}
	digits, rest, closed := strings.Cut(path, "]")
	i, err := strconv.Atoi(digits)
	return step{index: i, isIndex: true}, rest, closed && err == nil
}

// find follows a path from a node as far as the file goes. It returns the
// deepest node there is, and whether that is the one asked for.
func (n *node) find(path string) (*node, bool) {
	all, whole := steps(path)
	for _, s := range all {
		var next *node
		switch {
		case n == nil:
			return nil, false
		case !s.isIndex:
			next = n.child(s.key)
		case n.kind == List && s.index >= 0 && s.index < len(n.children):
			next = n.children[s.index]
		}
		if next == nil {
			return n, false
		}
		n = next
	}
	return n, whole && n != nil
}
