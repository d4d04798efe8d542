package control

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// layout prints what is bought: "2×[whole transcribe-en]; 3g.40gb transcribe-fr + 4g.40gb free".
func (a answer) layout() string {
	var layouts []string
	for _, g := range a.gpus {
		if g.bought {
			layouts = append(layouts, g.layout())
		}
	}
	return repeated(layouts, "; ")
}

// layout prints who sits on a GPU: "3×1g.10gb transcribe-fr + 1g.10gb free".
func (g placedGPU) layout() string {
	texts := make([]string, len(g.slices))
	for i, s := range g.slices {
		who := string(s.Model)
		if who == "" {
			who = "free"
		}
		texts[i] = fmt.Sprintf("%s %s", s.Profile, who)
	}
	return repeated(texts, " + ")
}

// repeated joins texts, neighbours that are equal counted: "7×whole image-a".
func repeated(texts []string, separator string) string {
	var out []string
	for i := 0; i < len(texts); {
		n := 1
		for i+n < len(texts) && texts[i+n] == texts[i] {
			n++
		}
		out = append(out, times(n, texts[i]))
		i += n
	}
	return strings.Join(out, separator)
}

// times puts a count before a text, in brackets where it has parts.
func times(n int, text string) string {
	switch {
	case n == 1:
		return text
	case strings.Contains(text, " + ") || strings.Contains(text, "×"):
		return fmt.Sprintf("%d×(%s)", n, text)
	}
	return fmt.Sprintf("%d×%s", n, text)
}

// mixed tells whether some GPU that is bought holds more than one model.
func (a answer) mixed() bool {
	return slices.ContainsFunc(a.gpus, func(g placedGPU) bool { return g.bought && len(modelsOn(g)) > 1 })
}

// models lists who sits on what is bought.
func (a answer) models() []string {
	var bought []placedGPU
	for _, g := range a.gpus {
		if g.bought {
			bought = append(bought, g)
		}
	}
	return modelsOn(bought...)
}

func modelsOn(gpus ...placedGPU) []string {
	names := map[string]bool{}
	for _, g := range gpus {
		for _, s := range g.placed {
			names[string(s.Model)] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// unmet prints what is left unserved, empty when nothing is.
func unmet(left map[fleet.ModelName]float64) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(left)) {
		parts = append(parts, fmt.Sprintf("%s %s", name, lacking(left[name])))
	}
	return strings.Join(parts, ", ")
}

// lacking prints what a model lacks: a rate, or the replica that it is to keep
// though nothing asks for it.
func lacking(left float64) string {
	if left <= trifle {
		return "1 replica"
	}
	return rate(left)
}
