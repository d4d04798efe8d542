// Package holidays knows on which days a country does not work as on others, and
// where its clocks stand. The dates are those of github.com/rickar/cal.
package holidays

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/at"
	"github.com/rickar/cal/v2/au"
	"github.com/rickar/cal/v2/be"
	"github.com/rickar/cal/v2/bg"
	"github.com/rickar/cal/v2/br"
	"github.com/rickar/cal/v2/ca"
	"github.com/rickar/cal/v2/ch"
	"github.com/rickar/cal/v2/cz"
	"github.com/rickar/cal/v2/de"
	"github.com/rickar/cal/v2/dk"
	"github.com/rickar/cal/v2/es"
	"github.com/rickar/cal/v2/fr"
	"github.com/rickar/cal/v2/gb"
	"github.com/rickar/cal/v2/gr"
	"github.com/rickar/cal/v2/hr"
	"github.com/rickar/cal/v2/ie"
	"github.com/rickar/cal/v2/it"
	"github.com/rickar/cal/v2/jp"
	"github.com/rickar/cal/v2/lt"
	"github.com/rickar/cal/v2/lv"
	"github.com/rickar/cal/v2/nl"
	"github.com/rickar/cal/v2/no"
	"github.com/rickar/cal/v2/nz"
	"github.com/rickar/cal/v2/pl"
	"github.com/rickar/cal/v2/ro"
	"github.com/rickar/cal/v2/ru"
	"github.com/rickar/cal/v2/se"
	"github.com/rickar/cal/v2/si"
	"github.com/rickar/cal/v2/sk"
	"github.com/rickar/cal/v2/ua"
	"github.com/rickar/cal/v2/us"
	"github.com/rickar/cal/v2/za"
)

// country is what is known of one: its holidays, and the zone in which most of its
// people live.
type country struct {
	days []*cal.Holiday
	zone string
}

var countries = map[string]country{
	"AT": {at.Holidays, "Europe/Vienna"},
	"AU": {au.HolidaysNSW, "Australia/Sydney"},
	"BE": {be.Holidays, "Europe/Brussels"},
	"BG": {bg.Holidays, "Europe/Sofia"},
	"BR": {br.Holidays, "America/Sao_Paulo"},
	"CA": {ca.Holidays, "America/Toronto"},
	"CH": {ch.HolidaysZH, "Europe/Zurich"},
	"CZ": {cz.Holidays, "Europe/Prague"},
	"DE": {de.Holidays, "Europe/Berlin"},
	"DK": {dk.Holidays, "Europe/Copenhagen"},
	"ES": {es.Holidays, "Europe/Madrid"},
	"FR": {fr.Holidays, "Europe/Paris"},
	"GB": {gb.Holidays, "Europe/London"},
	"GR": {gr.Holidays, "Europe/Athens"},
	"HR": {hr.Holidays, "Europe/Zagreb"},
	"IE": {ie.Holidays, "Europe/Dublin"},
	"IT": {it.Holidays, "Europe/Rome"},
	"JP": {jp.Holidays, "Asia/Tokyo"},
	"LT": {lt.Holidays, "Europe/Vilnius"},
	"LV": {lv.Holidays, "Europe/Riga"},
	"NL": {nl.Holidays, "Europe/Amsterdam"},
	"NO": {no.Holidays, "Europe/Oslo"},
	"NZ": {nz.Holidays, "Pacific/Auckland"},
	"PL": {pl.Holidays, "Europe/Warsaw"},
	"RO": {ro.Holidays, "Europe/Bucharest"},
	"RU": {ru.Holidays, "Europe/Moscow"},
	"SE": {se.Holidays, "Europe/Stockholm"},
	"SI": {si.Holidays, "Europe/Ljubljana"},
	"SK": {sk.Holidays, "Europe/Bratislava"},
	"UA": {ua.Holidays, "Europe/Kyiv"},
	"US": {us.Holidays, "America/New_York"},
	"ZA": {za.Holidays, "Africa/Johannesburg"},
}

// homes are the countries of languages that are mostly spoken in one. English,
// Spanish in America and others have none: their policy says which is meant.
var homes = map[string]string{
	"bg": "BG", "cs": "CZ", "da": "DK", "de": "DE", "el": "GR", "es": "ES", "fr": "FR", "hr": "HR", "it": "IT",
	"ja": "JP", "lt": "LT", "lv": "LV", "nb": "NO", "nl": "NL", "nn": "NO", "no": "NO", "pl": "PL", "ro": "RO", "ru": "RU",
	"sk": "SK", "sl": "SI", "sv": "SE", "uk": "UA",
}

// Countries lists the codes that Of knows, after ISO 3166, ascending.
func Countries() []string { return slices.Sorted(maps.Keys(countries)) }

// Home returns the country in which a language is spoken, by its BCP 47 tag: the
// region that the tag names, else the only one that the language is at home in, else
// none. A country that Of does not know is none.
func Home(tag string) (code string, known bool) {
	parts := strings.FieldsFunc(tag, func(r rune) bool { return r == '-' || r == '_' })
	if len(parts) == 0 {
		return "", false
	}
	for _, part := range parts[1:] {
		if len(part) == 1 {
			break // an extension: what follows is no region
		}
		if len(part) == 2 {
			code := strings.ToUpper(part)
			_, known := countries[code]
			return code, known
		}
	}
	code, known = homes[strings.ToLower(parts[0])]
	return code, known
}

// Days are the holidays of one country. They are not safe for concurrent use.
type Days struct {
	zone  *time.Location
	days  []*cal.Holiday
	years map[int]map[date]bool
}

type date struct {
	month time.Month
	day   int
}

// Of returns the holidays of a country, by its ISO 3166 code.
func Of(code string) (*Days, error) {
	c, ok := countries[strings.ToUpper(code)]
	if !ok {
		return nil, fmt.Errorf("no holidays are known of %q: give one of %s", code, strings.Join(Countries(), ", "))
	}
	zone, err := time.LoadLocation(c.zone)
	if err != nil {
		return nil, fmt.Errorf("the time zone of %s: %w", code, err)
	}
	return &Days{zone: zone, days: c.days, years: map[int]map[date]bool{}}, nil
}

// Zone is where the clocks of most people of the country stand.
func (d *Days) Zone() *time.Location { return d.zone }

// Holiday tells whether the country has a holiday on the calendar day that t shows in
// its own zone: the day itself, or the day on which it is observed.
func (d *Days) Holiday(t time.Time) bool {
	year, month, day := t.Date()
	known, ok := d.years[year]
	if !ok {
		known = d.year(year)
		if len(d.years) > 8 { // a clock that jumps does not fill the memory
			clear(d.years)
		}
		d.years[year] = known
	}
	return known[date{month, day}]
}

// year lists the holidays of a year. A holiday of the year after may be observed in it.
func (d *Days) year(year int) map[date]bool {
	out := map[date]bool{}
	for _, h := range d.days {
		for y := year; y <= year+1; y++ {
			actual, observed := h.Calc(y)
			for _, t := range []time.Time{actual, observed} {
				if !t.IsZero() && t.Year() == year {
					out[date{t.Month(), t.Day()}] = true
				}
			}
		}
	}
	return out
}
