package control

import (
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// TestRoundedKeepsFiveDigits: the short way answers what printing and reading does,
// also next to halves and powers of ten.
func TestRoundedKeepsFiveDigits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Float64Range(0, 1e6).Draw(t, "v")
		if rapid.Bool().Draw(t, "decimal") {
			n := rapid.IntRange(1, 2_000_000).Draw(t, "n")
			v = parse(t, strconv.Itoa(n)+"e"+strconv.Itoa(rapid.IntRange(-18, 9).Draw(t, "e")))
		}
		if want := parse(t, strconv.FormatFloat(v, 'g', 5, 64)); rounded(v) != want {
			t.Fatalf("rounded(%v) = %v, want %v", v, rounded(v), want)
		}
	})
}

func parse(t *rapid.T, text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
