package main

import (
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/tessera-autoscaler/tessera/console"
)

// troubles is what is wrong with the world now, by what was looked at. Each sentence
// is told once when it comes and once when it goes, to the log and to the cluster.
type troubles struct {
	board *console.Board
	log   *slog.Logger

	mu   sync.Mutex
	tell func(reason, sentence string) // in the cluster; nil while it cannot be reached, and in shadow mode
	now  map[string]noted
}

// noted is what is wrong with a subject, and the reason of its Events.
type noted struct {
	reason    string
	sentences []string
}

func newTroubles(b *console.Board, log *slog.Logger) *troubles {
	return &troubles{board: b, log: log, now: map[string]noted{}}
}

// tellBy says how the cluster is told from now on. What came before it could be told
// is told at once.
func (t *troubles) tellBy(tell func(reason, sentence string)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tell = tell
	if tell == nil {
		return
	}
	for _, subject := range slices.Sorted(maps.Keys(t.now)) {
		for _, s := range t.now[subject].sentences {
			tell(t.now[subject].reason, s)
		}
	}
}

// check shows on the board what is wrong with a condition of the world, nothing when
// it holds, and tells what is news.
func (t *troubles) check(name, reason string, sentences ...string) {
	t.board.SetCheck(name, sentences...)
	t.note(name, reason, sentences...)
}

// note tells what is news about a subject.
func (t *troubles) note(subject, reason string, sentences ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := t.now[subject].sentences
	t.now[subject] = noted{reason, sentences}
	for _, s := range sentences {
		if has(before, s) {
			continue
		}
		t.log.Warn("trouble", "about", subject, "sentence", s)
		if t.tell != nil {
			t.tell(reason, s)
		}
	}
	for _, s := range before {
		if !has(sentences, s) {
			t.log.Info("mended", "about", subject, "sentence", s)
		}
	}
}

// has tells whether a sentence is among others, whatever numbers it holds: an age
// that grows is no news. Another node of the same name but for its number is.
func has(sentences []string, s string) bool {
	return slices.ContainsFunc(sentences, func(o string) bool { return numberless(o) == numberless(s) })
}

// figure is a word that is a number, a time or an address, and no part of a name.
var figure = regexp.MustCompile(`^[("]*([0-9][0-9.,:]*(ns|µs|ms|s|m|h|%)?)+(->.*)?[)",.;:]*$`)

// numberless is a sentence without its numbers.
func numberless(s string) string {
	words := strings.Fields(s)
	for i, w := range words {
		if figure.MatchString(w) {
			words[i] = "#"
		}
	}
	return strings.Join(words, " ")
}
