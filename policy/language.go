package policy

import "strings"

// wellFormed tells whether a tag follows the grammar of BCP 47 (RFC 5646, section
// 2.1), without asking the registry which subtags exist: language, extended
// language, script, region, variants, extensions and private use, in this order.
func wellFormed(tag string) bool {
	parts := strings.Split(tag, "-")
	for _, p := range parts {
		if len(p) < 1 || len(p) > 8 || !alphanumeric(p) {
			return false
		}
	}
	language := parts[0]
	switch {
	case strings.EqualFold(language, "x"):
		return len(parts) > 1
	case !letters(language) || len(language) < 2:
		return false
	}
	rest := parts[1:]
	if len(language) <= 3 {
		rest = skip(rest, 3, extendedLanguage)
	}
	rest = skip(rest, 1, script)
	rest = skip(rest, 1, region)
	return extensions(skip(rest, len(rest), variantSubtag))
}

// skip leaves out up to so many subtags of a sort at the front.
func skip(rest []string, most int, sort func(string) bool) []string {
	for ; most > 0 && len(rest) > 0 && sort(rest[0]); most-- {
		rest = rest[1:]
	}
	return rest
}

func extendedLanguage(p string) bool { return len(p) == 3 && letters(p) }
func script(p string) bool           { return len(p) == 4 && letters(p) }
func region(p string) bool           { return len(p) == 2 && letters(p) || len(p) == 3 && digits(p) }
func variantSubtag(p string) bool    { return len(p) >= 5 || len(p) == 4 && p[0] <= '9' }

// extensions checks what begins with a single letter or digit: each has at least
// one subtag, and private use comes last.
func extensions(rest []string) bool {
	for len(rest) > 0 {
		private := strings.EqualFold(rest[0], "x")
		if len(rest[0]) != 1 || len(rest) < 2 {
			return false
		}
		if private {
			return true
		}
		rest = rest[1:]
		if len(rest[0]) < 2 {
			return false
		}
		for len(rest) > 0 && len(rest[0]) >= 2 {
			rest = rest[1:]
		}
	}
	return true
}

func alphanumeric(s string) bool { return only(s, func(r rune) bool { return letter(r) || digit(r) }) }
func letters(s string) bool      { return only(s, letter) }
func digits(s string) bool       { return only(s, digit) }

func letter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
func digit(r rune) bool  { return r >= '0' && r <= '9' }

func only(s string, fits func(rune) bool) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !fits(r) }) < 0
}
