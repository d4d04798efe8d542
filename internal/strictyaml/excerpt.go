package strictyaml

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

const (
	excerptWidth = 96 // Terminal cells a source line may take.
	excerptLeft  = 56 // Of these, cells before the caret when the line is cut.
	tabWidth     = 4  // A tab is shown as so many blanks, so the caret never slips.
	cutMark      = "…"
)

// excerpt returns the part of a source line around a column (in runes, from
// one) as it can be shown, and the number of terminal cells before the column
// in it. Wide and combining characters count what terminals give them.
func excerpt(line string, column int) (shown string, caret int) {
	at := runeOffset(line, column)
	line = line[:max(at, len(strings.TrimRight(line, " \t")))]
	// 1. Only the neighbourhood matters, whatever the length of the line.
	from, to := stepRunes(line, at, -4*excerptWidth), stepRunes(line, at, 4*excerptWidth)
	left, right := cells(line[from:at]), cells(line[at:to])
	cutLeft, cutRight := from > 0, to < len(line)

	// 2. Cut at the left first: what stands at the caret must be visible.
	leftWidth, rightWidth := width(left), width(right)
	if cutLeft || leftWidth+rightWidth > excerptWidth {
		for leftWidth > excerptLeft && leftWidth+min(rightWidth, excerptWidth-excerptLeft) > excerptWidth {
			leftWidth -= left[0].width
			left, cutLeft = left[1:], true
		}
	}
	for leftWidth+rightWidth > excerptWidth {
		last := len(right) - 1
		rightWidth -= right[last].width
		right, cutRight = right[:last], true
	}

	// 3. Put it together.
	var b strings.Builder
	if cutLeft {
		b.WriteString(cutMark)
		leftWidth++
	}
	for _, c := range left {
		b.WriteString(c.text)
	}
	for _, c := range right {
		b.WriteString(c.text)
	}
	if cutRight {
		b.WriteString(cutMark)
	}
	return b.String(), leftWidth
}

// A cell is one character as a reader sees it, with the terminal cells it takes.
type cell struct {
	text  string
	width int
}

// cells splits text into what readers see as characters. Characters that would
// steer a terminal or cannot be seen are replaced by a dot.
func cells(text string) []cell {
	var out []cell
	state := -1
	for text != "" {
		var cluster string
		var w int
		cluster, text, w, state = uniseg.FirstGraphemeClusterInString(text, state)
		first, _ := utf8.DecodeRuneInString(cluster)
		switch {
		case first == '\t':
			cluster, w = strings.Repeat(" ", tabWidth), tabWidth
		case w == 0 || !unicode.IsGraphic(first):
			cluster, w = "·", 1
		}
		out = append(out, cell{cluster, w})
	}
	return out
}

func width(cs []cell) int {
	total := 0
	for _, c := range cs {
		total += c.width
	}
	return total
}

// runeOffset returns the byte offset of a column counted in runes from one,
// held within the line.
func runeOffset(line string, column int) int {
	return stepRunes(line, 0, column-1)
}

// stepRunes moves a byte offset by a number of runes, held within the line.
func stepRunes(line string, at, runes int) int {
	for ; runes > 0 && at < len(line); runes-- {
		_, size := utf8.DecodeRuneInString(line[at:])
		at += size
	}
	for ; runes < 0 && at > 0; runes++ {
		_, size := utf8.DecodeLastRuneInString(line[:at])
		at -= size
	}
	return at
}
