package strictyaml

import (
	"fmt"
	"strings"
)

// Suggest returns the name among those given that got was most likely meant to
// be, or "" where none is near. Names that differ only in case, blanks, dashes or
// underscores are nearest; otherwise the edit distance with neighbouring
// letters swapped counted as one (optimal string alignment) must be at most a
// third of the longer name. Of equally near names the first given wins.
func Suggest(got string, among []string) string {
	const longest = 64 // Names beyond are no slips of the finger.
	folded := []rune(fold(got))
	if len(folded) == 0 || len(folded) > longest {
		return ""
	}
	best, bestDistance := "", longest
	for _, name := range among {
		candidate := []rune(fold(name))
		if len(candidate) > longest {
			continue
		}
		d := distance(folded, candidate)
		if d <= max(len(folded), len(candidate))/3 && d < bestDistance {
			best, bestDistance = name, d
		}
	}
	return best
}

// didYouMean is the hint for a name that is not among those known: the likeliest,
// or else the whole list where that is short.
func didYouMean(got string, among []string, listed string) string {
	if s := Suggest(got, among); s != "" {
		return fmt.Sprintf("did you mean %q?", s)
	}
	const most = 24
	switch {
	case len(among) == 0:
		return ""
	case len(among) > most:
		return fmt.Sprintf("%s: %s and %d more", listed, strings.Join(among[:most], ", "), len(among)-most)
	default:
		return fmt.Sprintf("%s: %s", listed, strings.Join(among, ", "))
	}
}

// fold removes what people most often get wrong in a name.
func fold(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(name))
}

// distance is the optimal string alignment distance of two words.
func distance(a, b []rune) int {
	before := make([]int, len(b)+1)
	above := make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above, row = above, row, before
	}
	return above[len(b)]
}
