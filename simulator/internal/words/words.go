// Package words prints names and numbers in complaints: quoted, bounded, with the
// nearest of what was meant.
package words

import (
	"slices"
	"strconv"
	"strings"
)

// maxShown bounds how much of a file's text an error repeats.
const maxShown = 60

// Quote quotes text for an error, shortened where it is long.
func Quote[T ~string](text T) string {
	s := string(text)
	if len(s) > maxShown {
		s = s[:maxShown] + "..."
	}
	return strconv.Quote(s)
}

// Number prints a number in the fewest digits that mean it.
func Number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// Listing quotes names and joins them with commas, at most twenty of them.
func Listing(names []string) string {
	shown := make([]string, 0, min(len(names), 20))
	for _, n := range names[:cap(shown)] {
		shown = append(shown, Quote(n))
	}
	text := strings.Join(shown, ", ")
	if more := len(names) - len(shown); more > 0 {
		text += " and " + strconv.Itoa(more) + " more"
	}
	return text
}

// DidYouMean returns a question with the nearest of the names, or nothing where
// none is near.
func DidYouMean(word string, names []string) string {
	best, distance := "", max(2, len(word)/3)+1
	for _, n := range slices.Sorted(slices.Values(names)) {
		if len(n) > maxShown || len(word) > maxShown {
			continue
		}
		if d := edits(strings.ToLower(word), strings.ToLower(n)); d < distance {
			best, distance = n, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + Quote(best) + "?"
}

// edits is the Levenshtein distance in bytes.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
