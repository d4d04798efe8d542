package holidays

import (
	"strings"
	"testing"
	"time"
)

// TestHolidaysOfTheYear against dates of public calendars.
func TestHolidaysOfTheYear(t *testing.T) {
	for _, c := range []struct {
		code, day string
		want      bool
	}{
		{"FR", "2026-07-14", true},
		{"DE", "2026-07-14", false},
		{"DE", "2026-10-03", true},
		{"FR", "2026-10-03", false},
		{"DE", "2026-04-06", true},
		{"FR", "2026-04-06", true},
		{"US", "2026-04-06", false}, // Easter Monday
		{"US", "2026-11-26", true},
		{"US", "2026-11-25", false}, // Thanksgiving
		{"US", "2026-07-03", true},  // the Fourth is a Saturday, observed on Friday
		{"US", "2021-12-31", true},  // New Year's Day 2022 is a Saturday
		{"GB", "2026-12-28", true},  // Boxing Day is a Saturday
		{"IT", "2026-04-25", true},
		{"ES", "2026-10-12", true},
		{"JP", "2026-05-05", true},
		{"fr", "2026-12-25", true},
	} {
		days, err := Of(c.code)
		if err != nil {
			t.Fatal(err)
		}
		day, err := time.Parse(time.DateOnly, c.day)
		if err != nil {
			t.Fatal(err)
		}
		if got := days.Holiday(day); got != c.want {
			t.Errorf("%s, %s: holiday %v, want %v", c.code, c.day, got, c.want)
		}
	}
}

// TestEveryCountryHasDaysAndClocks: no code in the table is empty.
func TestEveryCountryHasDaysAndClocks(t *testing.T) {
	for _, code := range Countries() {
		days, err := Of(code)
		if err != nil {
			t.Error(err)
			continue
		}
		n := 0
		for day := range 365 {
			if days.Holiday(time.Date(2026, 1, 1+day, 12, 0, 0, 0, days.Zone())) {
				n++
			}
		}
		if n < 5 || n > 30 {
			t.Errorf("%s has %d holidays in 2026", code, n)
		}
	}
	if _, err := Of("XX"); err == nil || !strings.Contains(err.Error(), "give one of AT, AU") {
		t.Errorf("error %v, want one that lists the countries", err)
	}
}

// TestHomeOfALanguage: the region of the tag, else where the language is at home; none
// where that is anybody's guess.
func TestHomeOfALanguage(t *testing.T) {
	for tag, want := range map[string]string{
		"fr": "FR", "de": "DE", "de-CH": "CH", "fr-CA": "CA", "pt-BR": "BR", "en-US": "US", "en_gb": "GB",
		"zh-Hant-TW": "", "en": "", "pt": "", "": "", "tlh": "", "sr-Latn": "", "de-x-at": "DE",
	} {
		code, known := Home(tag)
		if !known {
			code = ""
		}
		if code != want {
			t.Errorf("%q is at home in %q, want %q", tag, code, want)
		}
	}
}

// TestAClockThatJumpsFillsNoMemory over ten thousand years.
func TestAClockThatJumpsFillsNoMemory(t *testing.T) {
	days, err := Of("DE")
	if err != nil {
		t.Fatal(err)
	}
	for year := range 2000 {
		days.Holiday(time.Date(year*5, 1, 1, 0, 0, 0, 0, time.UTC))
	}
	if len(days.years) > 10 {
		t.Errorf("%d years are kept", len(days.years))
	}
}
